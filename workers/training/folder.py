"""The folder of one training: who writes in it, what was started there, what is finished."""

from __future__ import annotations

import dataclasses
import fcntl
import hashlib
import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

from workers.training.config import TrainingConfig
from workers.training.data import file_sha256
from workers.training.errors import CheckFailed, ConfigError, TrainingError

ADAPTER = "adapter"
RUN_FILE = "run.json"
ORIGIN_FILE = "origin.json"  # beside an adapter: what it was trained on
TAKE_OVER_SECONDS = 60.0  # how long a resumed training waits for the one before to end
#: fields of a recipe that may change before a resumption: they do not move the result
FREE_FIELDS = frozenset(
    {
        "threads",
        "logging_steps",
        "eval_steps",
        "samples_every",
        "sample_tokens",
        "checkpoint_steps",
        "checkpoint_seconds",
        "gradient_checkpointing",
    }
)


class RunFolder:
    """``output_dir``, locked until :meth:`close`, so that two launches cannot mix.

    Raises TrainingError where another process writes there, and ConfigError where the folder holds
    a training and ``resume`` is off: neither leaves a trace in the events of the training there.
    """

    def __init__(self, config: TrainingConfig):
        self.path = Path(config.output_dir)
        self.adapter = self.path / ADAPTER
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        if not self._take(TAKE_OVER_SECONDS if config.resume else 0.0):
            os.close(self._lock)
            raise TrainingError(
                "Another training is writing to the output folder. Wait for its end, or cancel it.",
                "busy",
            )
        if (self.path / RUN_FILE).exists() and not config.resume:
            self.close()
            raise ConfigError(
                f"output_dir {self.path.name} holds a training already. Choose another folder, or set "
                "resume to true to go on with it."
            )

    def _take(self, patience: float) -> bool:
        """Lock the folder. Who resumes waits a while: the one before may still be writing its
        checkpoint, after its worker has gone."""
        end = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                if time.monotonic() >= end:
                    return False
                time.sleep(0.2)

    def close(self) -> None:
        """Give the folder free."""
        os.close(self._lock)

    def begin(self, config: TrainingConfig, identity: dict[str, Any]) -> bool:
        """Note what is started here; true where an earlier start goes on.

        Raises ConfigError where what is resumed is not what was started.
        """
        path = self.path / RUN_FILE
        if not path.exists():
            path.write_text(json.dumps(identity, indent=2) + "\n", encoding="utf-8")
            return False
        before = json.loads(path.read_text(encoding="utf-8"))
        for key, value in identity.items():
            if before.get(key) != value:
                raise ConfigError(
                    f"This cannot be resumed: {key} was {before.get(key)!r} at the start and is "
                    f"{value!r} now. Resume with the same, or start anew in another folder."
                )
        return True

    def finished(self) -> bool:
        """True once the adapter has been saved whole (it is renamed into place)."""
        return (self.adapter / "adapter_model.safetensors").is_file()

    def require_space(self, weights: int) -> None:
        """Refuse to start where adapter and checkpoints of so many trained weights do not fit."""
        need = weights * 4 * 3 * 3 + 20_000_000  # fp32, with both Adam moments, three of them
        free = shutil.disk_usage(self.path).free
        if free < need:
            raise TrainingError(
                f"{free / 1e6:,.0f} MB are free where trainings are written, and this training needs about "
                f"{need / 1e6:,.0f} MB for its checkpoints. Free some space.",
                "disk",
            )

    def drop_checkpoints(self) -> None:
        """Remove the checkpoints of a finished training; the adapter is what stays."""
        for path in self.path.glob("checkpoint-*"):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)


def identity(config: TrainingConfig, dataset_sha256: str) -> dict[str, Any]:
    """What must be the same for a resumption: recipe, data and base model by content."""
    recipe = {
        f"recipe.{key}": value
        for key, value in dataclasses.asdict(config.recipe).items()
        if key not in FREE_FIELDS
    }
    return {"base_model": model_mark(config), "dataset_sha256": dataset_sha256, **recipe}


def model_mark(config: TrainingConfig) -> str:
    """A mark of the base model: the hub name, or a hash over the folder's weights and config."""
    return weights_mark(config.base_model) if config.model_is_folder else config.base_model


def weights_mark(folder: str | Path) -> str:
    """SHA-256 over config.json and all safetensors of a model folder.

    An adapter put on other weights than its own gives nonsense without an error, and a folder can
    be rebuilt under its old name: so what an adapter belongs to is known by content.
    """
    digest = hashlib.sha256()
    for path in sorted([Path(folder) / "config.json", *Path(folder).glob("*.safetensors")]):
        digest.update(f"{path.name}:{file_sha256(path)};".encode())
    return digest.hexdigest()


def require_safe_model(config: TrainingConfig) -> None:
    """A model folder must hold config.json and safetensors weights; pickles are not loaded."""
    if not config.model_is_folder:
        return
    folder, name = Path(config.base_model), config.shown_model
    if not (folder / "config.json").is_file():
        raise CheckFailed(f"base_model {name} has no config.json: it is no model folder.")
    if not any(folder.glob("*.safetensors")):
        raise CheckFailed(
            f"base_model {name} has no safetensors weights. Pickled weights (.bin, .pt) can run "
            "code and are not loaded: convert them first."
        )


def dataset_hash(config: TrainingConfig) -> str:
    """SHA-256 of the data set, compared with the one that the configuration expects."""
    path = Path(config.dataset)
    if not path.is_file():
        raise TrainingError(
            f"The data set {path.name} is not there. Export it again, or correct the path.", "data"
        )
    found = file_sha256(path)
    if config.dataset_sha256 and config.dataset_sha256 != found:
        raise TrainingError(
            f"The data set {path.name} is not the frozen one: its SHA-256 is {found}, and "
            f"{config.dataset_sha256} was expected. It was cut off or changed: export it again.",
            "data",
        )
    return found
