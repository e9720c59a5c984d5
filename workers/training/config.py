"""What a training needs to know, and the rules that each field must keep.

A configuration is one JSON object (see :class:`TrainingConfig`). It holds no secrets: a key for a
model hub comes from the environment. Unknown keys are refused, so that a misspelt one is not
silently ignored.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from workers.model_paths import HUB_NAME
from workers.training.errors import ConfigError

SCHEDULERS = ("cosine", "linear", "constant", "constant_with_warmup")
DTYPES = ("float32", "bfloat16")
ROLES = ("system", "user", "assistant")
_MODULE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SECRET = re.compile(r"token$|key$|secret|password|credential", re.IGNORECASE)


def _rule(default: Any, *, low: float | None = None, high: float | None = None, choices=None):
    return field(default=default, metadata={"low": low, "high": high, "choices": choices})


@dataclass(frozen=True)
class Recipe:
    """The hyper-parameters of a LoRA training. Names follow PEFT and TRL where they have one.

    ``batch_size`` is the number of examples behind one step of the optimizer, whatever the number
    of processes: it is split into processes x accumulation x ``micro_batch`` (0: as large as fits
    the split). ``max_steps`` decides where it is above 0, ``epochs`` otherwise.
    """

    rank: int = _rule(16, low=1, high=1024)
    alpha: int = _rule(32, low=1, high=4096)
    dropout: float = _rule(0.0, low=0.0, high=0.9)
    target: str = "all-linear"
    learning_rate: float = _rule(2e-4, low=1e-8, high=1.0)
    scheduler: str = _rule("cosine", choices=SCHEDULERS)
    warmup_ratio: float = _rule(0.05, low=0.0, high=0.9)
    weight_decay: float = _rule(0.0, low=0.0, high=1.0)
    max_grad_norm: float = _rule(1.0, low=0.0, high=1000.0)
    batch_size: int = _rule(16, low=1, high=65536)
    micro_batch: int = _rule(0, low=0, high=65536)
    epochs: float = _rule(3.0, low=0.01, high=1000.0)
    max_steps: int = _rule(0, low=0, high=100_000_000)
    max_length: int = _rule(1024, low=8, high=1_048_576)
    too_long: str = _rule("refuse", choices=("refuse", "leave_out"))
    seed: int = _rule(0, low=0, high=2**31 - 1)
    dtype: str = _rule("float32", choices=DTYPES)
    gradient_checkpointing: bool = False
    group_by_length: bool = True
    eos_token: str = ""
    threads: int = _rule(1, low=1, high=1024)
    logging_steps: int = _rule(10, low=1, high=1_000_000)
    eval_steps: int = _rule(0, low=0, high=100_000_000)
    samples_every: int = _rule(0, low=0, high=100_000_000)
    sample_tokens: int = _rule(192, low=1, high=8192)
    checkpoint_steps: int = _rule(0, low=0, high=100_000_000)
    checkpoint_seconds: float = _rule(60.0, low=0.0, high=86_400.0)

    @property
    def targets(self) -> str | list[str]:
        """What PEFT's ``target_modules`` takes: "all-linear" or a list of module names."""
        if self.target == "all-linear":
            return self.target
        return self.target.split(",")

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Recipe:
        """Read a recipe; ``{"preset": NAME, ...}`` starts from that preset and overrides it."""
        from workers.training.presets import PRESETS  # presets are made of recipes

        _expect_object("recipe", data)
        data = dict(data)
        base: dict[str, Any] = {}
        if "preset" in data:
            name = data.pop("preset")
            if name not in PRESETS:
                known = ", ".join(PRESETS)
                raise ConfigError(
                    f"recipe.preset is {name!r}, which is unknown. Use one of {known}."
                )
            base = dataclasses.asdict(PRESETS[name].recipe)
        _refuse_unknown(cls, data, "recipe.")
        values = {**base, **data}
        for item in dataclasses.fields(cls):
            if item.name in values:
                values[item.name] = _checked(item, values[item.name], f"recipe.{item.name}")
        recipe = cls(**values)
        recipe._check()
        return recipe

    def _check(self) -> None:
        if self.target != "all-linear":
            bad = [name for name in self.targets if not _MODULE_NAME.fullmatch(name)]
            if bad:
                raise ConfigError(
                    f"recipe.target is {self.target!r}: {bad[0]!r} is no module name. Use "
                    '"all-linear", or names such as "q_proj,v_proj".'
                )
        if self.micro_batch > self.batch_size:
            raise ConfigError(
                f"recipe.micro_batch is {self.micro_batch}, larger than recipe.batch_size "
                f"({self.batch_size}). Use at most the batch size, or 0."
            )
        if len(self.eos_token) > 100:
            raise ConfigError("recipe.eos_token is longer than 100 characters. Name one token.")

    def split_batch(self, processes: int) -> tuple[int, int]:
        """``(examples a process and forward pass, accumulation steps)`` that give ``batch_size``.

        The effective batch stays the same when the number of processes changes; a split that does
        not come out even is refused, never rounded.
        """
        if self.batch_size % processes:
            raise ConfigError(
                f"recipe.batch_size is {self.batch_size} and cannot be split over {processes} "
                f"processes. Use a multiple of {processes}."
            )
        share = self.batch_size // processes
        micro = min(self.micro_batch or share, share)
        if share % micro:
            raise ConfigError(
                f"recipe.micro_batch is {micro}, which does not divide the {share} examples of one "
                f"process (batch size {self.batch_size}, {processes} processes). Use a divisor."
            )
        return micro, share // micro


@dataclass(frozen=True)
class TrainingConfig:
    """One training: where the model and the data lie, where the result goes, and the recipe.

    ``base_model_name`` is how people know the base model; adapter, card and events carry that name, so
    that no folder of this machine is in what is downloaded. By default the hub's name, or the last part
    of the folder's. ``dataset`` and ``eval_dataset`` are JSONL files in TRL's conversational
    prompt-completion form. ``sample_prompts`` are lists of messages that the model answers while it trains.
    """

    base_model: str
    dataset: str
    output_dir: str
    recipe: Recipe = Recipe()
    eval_dataset: str = ""
    dataset_sha256: str = ""
    sample_prompts: tuple[tuple[dict[str, Any], ...], ...] = ()
    resume: bool = False
    base_model_name: str = ""

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> TrainingConfig:
        """Check and build; raises :class:`ConfigError` that names the field and what to do."""
        _expect_object("the configuration", data)
        _refuse_unknown(cls, data, "")
        for name in ("base_model", "dataset", "output_dir"):
            if not data.get(name):
                raise ConfigError(f"{name} is missing. Every training needs it.")
        values = dict(data)
        values["recipe"] = Recipe.from_dict(values.get("recipe", {}))
        for name in ("dataset", "output_dir", "eval_dataset"):
            if values.get(name):
                values[name] = _checked_path(name, values[name])
        values["base_model"] = _checked_model(values["base_model"])
        values["base_model_name"] = _checked_name(values.get("base_model_name", ""))
        sha = values.get("dataset_sha256", "")
        if sha and not (isinstance(sha, str) and re.fullmatch(r"[0-9a-f]{64}", sha)):
            raise ConfigError(
                f"dataset_sha256 is {sha!r}. Use 64 hexadecimal digits, or leave it out."
            )
        values["sample_prompts"] = _checked_prompts(values.get("sample_prompts", []))
        if not isinstance(values.get("resume", False), bool):
            raise ConfigError(f"resume is {values['resume']!r}. Use true or false.")
        return cls(**values)

    @classmethod
    def load(cls, path: str | Path) -> TrainingConfig:
        """Read a JSON file."""
        path = Path(path)
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(f"Cannot read the configuration {path}: {error.strerror}.") from error
        except ValueError as error:
            raise ConfigError(f"The configuration {path} is not JSON: {error}.") from error
        return cls.from_dict(data)

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values; ``from_dict`` gives the same configuration again."""
        data = dataclasses.asdict(self)
        data["sample_prompts"] = [list(prompt) for prompt in self.sample_prompts]
        return data

    def save(self, path: str | Path) -> None:
        """Write as JSON."""
        text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False)
        Path(path).write_text(text + "\n", encoding="utf-8")

    @property
    def model_is_folder(self) -> bool:
        """True where the base model is a folder here, false where it is a hub name."""
        return Path(self.base_model).is_dir()

    @property
    def shown_model(self) -> str:
        """The base model's name for people, never a path of this machine."""
        if self.base_model_name:
            return self.base_model_name
        return Path(self.base_model).resolve().name if self.model_is_folder else self.base_model


def _expect_object(name: str, data: Any) -> None:
    if not isinstance(data, dict):
        raise ConfigError(f"{name} must be a JSON object, not {type(data).__name__}.")


def _refuse_unknown(cls, data: dict[str, Any], prefix: str) -> None:
    known = [item.name for item in dataclasses.fields(cls)]
    for key in data:
        if key in known:
            continue
        if isinstance(key, str) and _SECRET.search(key):
            raise ConfigError(
                f"{prefix}{key} looks like a secret, and a training configuration holds none. "
                "Put it into the environment of the worker (HF_TOKEN for the model hub)."
            )
        raise ConfigError(f"{prefix}{key} is unknown. Known are: {', '.join(known)}.")


def _checked(item: dataclasses.Field, value: Any, name: str) -> Any:
    """One field of a recipe against its type, range and choices."""
    kind, rule = item.type, item.metadata
    if kind == "bool":
        if not isinstance(value, bool):
            raise ConfigError(f"{name} is {value!r}. Use true or false.")
        return value
    if kind == "str":
        if not isinstance(value, str) or _CONTROL.search(value):
            raise ConfigError(f"{name} is {value!r}. Use plain text on one line.")
        choices = rule.get("choices")
        if choices and value not in choices:
            raise ConfigError(f"{name} is {value!r}. Use one of {', '.join(choices)}.")
        return value
    wanted = "a whole number" if kind == "int" else "a number"
    allowed = int if kind == "int" else (int, float)
    if isinstance(value, bool) or not isinstance(value, allowed) or not math.isfinite(value):
        raise ConfigError(f"{name} is {value!r}. Use {wanted}.")
    low, high = rule.get("low"), rule.get("high")
    if (low is not None and value < low) or (high is not None and value > high):
        raise ConfigError(f"{name} is {value!r}. Use {wanted} from {low:g} to {high:g}.")
    return value if kind == "int" else float(value)


def _checked_path(name: str, value: Any) -> str:
    if not isinstance(value, str) or _CONTROL.search(value):
        raise ConfigError(f"{name} is {value!r}. Use a path on one line.")
    if value.startswith("-") or ".." in PurePath(value).parts:
        raise ConfigError(f"{name} is {value!r}. Use a path without '..' and no leading '-'.")
    return value


def _checked_name(value: Any) -> str:
    if not isinstance(value, str) or _CONTROL.search(value) or value.startswith("/"):
        raise ConfigError(f"base_model_name is {value!r}. Use a name on one line that is no path.")
    return value


def _checked_model(value: Any) -> str:
    value = _checked_path("base_model", value)
    if not Path(value).is_dir() and not HUB_NAME.fullmatch(value):
        raise ConfigError(
            f"base_model is {value!r}: no such folder here, and not a hub name such as "
            "owner/model. Give the folder of a model or its name."
        )
    return value


def _checked_prompts(value: Any) -> tuple[tuple[dict[str, Any], ...], ...]:
    if not isinstance(value, list | tuple) or len(value) > 8:
        raise ConfigError("sample_prompts must be a list of at most 8 lists of messages.")
    for number, prompt in enumerate(value):
        if not isinstance(prompt, list | tuple) or not prompt:
            raise ConfigError(f"sample_prompts[{number}] must be a list of messages.")
        for message in prompt:
            check_message(message, f"sample_prompts[{number}]", ConfigError)
    return tuple(tuple(prompt) for prompt in value)


def check_message(message: Any, where: str, error: type[Exception], roles=ROLES) -> None:
    """Raise ``error`` unless ``message`` is ``{"role": one of roles, "content": text}``."""
    if not isinstance(message, dict) or set(message) != {"role", "content"}:
        raise error(
            f'{where}: a message must be {{"role": ..., "content": ...}}, not {message!r:.80}.'
        )
    if message["role"] not in roles:
        raise error(f"{where}: the role {message['role']!r} is not one of {', '.join(roles)}.")
    if not isinstance(message["content"], str) or not message["content"].strip():
        raise error(f"{where}: the content of the {message['role']} message is empty or no text.")
