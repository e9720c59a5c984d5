"""What may be loaded: a folder with safetensors weights and no code of its own.

Checked without any model library, so that the caller learns at once what is wrong with a folder,
and again in the child process just before loading. Errors name a folder by its last part: where it
lies on this machine is nobody else's business.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from workers.generation.types import BackendError

PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")


def check_model_folder(folder: str) -> Path:
    """The model folder as an absolute path. Raises BackendError where it cannot be loaded."""
    path = _folder(folder, "model")
    if not (path / "config.json").is_file():
        raise BackendError(f"{path.name} is not a model folder: it has no config.json.")
    _json(path / "config.json")
    if not (path / "tokenizer_config.json").is_file() and not (path / "tokenizer.json").is_file():
        raise BackendError(f"{path.name} has no tokenizer (tokenizer.json, tokenizer_config.json).")
    _check_weights(path, "model")
    return path


def check_adapter_folder(folder: str) -> Path:
    """The adapter folder as an absolute path. Raises BackendError where it cannot be loaded."""
    path = _folder(folder, "adapter")
    if not (path / "adapter_config.json").is_file():
        raise BackendError(
            f"{path.name} is not a PEFT adapter folder: it has no adapter_config.json."
        )
    _json(path / "adapter_config.json")
    _check_weights(path, "adapter_model")
    return path


def _folder(folder: str, what: str) -> Path:
    if "\x00" in folder:
        raise BackendError(f"The {what} folder's name holds a NUL character.")
    path = Path(folder).expanduser().resolve()
    if not path.is_dir():
        raise BackendError(
            f"There is no {what} folder {path.name!r}. Give a folder on this machine; a model from the "
            "Hugging Face Hub must be downloaded first (hf download NAME --local-dir FOLDER)."
        )
    return path


def _check_weights(path: Path, stem: str) -> None:
    index = path / f"{stem}.safetensors.index.json"
    if (path / f"{stem}.safetensors").is_file():
        return
    if not index.is_file():
        pickles = sorted(file.name for pattern in PICKLES for file in path.glob(pattern))
        if pickles:
            raise BackendError(
                f"{path.name} has its weights as pickle files ({', '.join(pickles[:3])}), which can "
                "run code when loaded. Save them as safetensors (save_pretrained does) and retry."
            )
        raise BackendError(f"{path.name} has no weights: {stem}.safetensors is missing.")
    files = set(_json(index).get("weight_map", {}).values())
    for name in files:
        if not isinstance(name, str) or not name.endswith(".safetensors") or "/" in name:
            raise BackendError(
                f"{index.name} of {path.name} names {name!r}, which is no safetensors file beside it."
            )
        if not (path / name).is_file():
            raise BackendError(f"{path.name} lacks {name}, which its index names.")
    if not files:
        raise BackendError(f"{index.name} of {path.name} names no weights.")


def _json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BackendError(
            f"{_shown(path)} cannot be read as JSON: {_reason(error, path)}"
        ) from error
    if not isinstance(data, dict):
        raise BackendError(f"{_shown(path)} must hold a JSON object.")
    return data


def _shown(path: Path) -> str:
    return f"{path.name} of {path.parent.name}"


def _reason(error: Exception, path: Path) -> str:
    return str(error).replace(str(path), path.name)
