"""What happens beside the steps: events, samples, checkpoints by the clock, the end on a signal."""

from __future__ import annotations

import json
import math
import shutil
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from transformers import StoppingCriteria, StoppingCriteriaList, TrainerCallback
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from workers.training.checks import prompt_ids
from workers.training.config import Recipe
from workers.training.events import EventWriter
from workers.training.stopping import StopRequest

COMPLETE = "complete.json"  # stands in a checkpoint folder once every file of it is written
QUIET_SECONDS = 5.0  # a progress event at least this often, however slow a step is


@dataclass(frozen=True)
class Before:
    """What a training had taken when its checkpoint was written: tokens that it learned from, seconds
    in all and seconds of its steps, and its first loss."""

    tokens: int = 0
    seconds: float = 0.0
    train_seconds: float = 0.0
    first_loss: float | None = None

    @classmethod
    def read(cls, checkpoint: Path) -> Before:
        """As `Watch.on_save` left it there; nothing of a checkpoint that is older than this."""
        known = json.loads((checkpoint / COMPLETE).read_text())
        return cls(**{one.name: known[one.name] for one in fields(cls) if one.name in known})


class Watch(TrainerCallback):
    """Writes the events of a running training and ends it when asked.

    ``trainer`` is set once it exists. In many processes all ranks agree on stopping and saving
    after each step, so that none waits for the others in a save.
    """

    def __init__(self, writer: EventWriter, stop: StopRequest, recipe: Recipe, folder: Path):
        self.writer, self.stop, self.recipe, self.folder = writer, stop, recipe, folder
        self.trainer: Any = None
        self.samples: SampleWriter | None = None
        self.last_loss: float | None = None
        self.first_loss: float | None = None
        self.eval_loss: float | None = None
        self.cancelled = False
        self.before = Before()  # of a resumed training
        self.began = time.monotonic()
        self._times: deque[tuple[float, int, int]] = deque(maxlen=50)
        self._last_save = self._last_event = time.monotonic()
        self._train_began: float | None = None

    def go_on_from(self, checkpoint: Path) -> None:
        """Count on from where the training was at this checkpoint."""
        self.before = Before.read(checkpoint)
        self.first_loss = self.before.first_loss

    @property
    def tokens(self) -> int:
        """Tokens that it has learned from, over all its resumptions."""
        return self.before.tokens + (self.trainer._total_train_tokens if self.trainer else 0)

    @property
    def seconds(self) -> float:
        """What the training has taken, loading included, over all its resumptions."""
        return self.before.seconds + time.monotonic() - self.began

    @property
    def train_seconds(self) -> float:
        """What its steps have taken, evaluations among them, over all its resumptions."""
        here = time.monotonic() - self._train_began if self._train_began else 0.0
        return self.before.train_seconds + here

    def on_train_begin(self, args, state, control, **kwargs):
        self._train_began = time.monotonic()
        self._last_save = self._last_event = time.monotonic()
        self._times.append((time.monotonic(), state.global_step, self.tokens))
        if self.samples and state.global_step == 0:
            self.samples.write(0)

    def on_step_end(self, args, state, control, **kwargs):
        now = time.monotonic()
        self._times.append((now, state.global_step, self.tokens))
        due = self.recipe.checkpoint_seconds
        late = bool(due) and now - self._last_save >= due
        stop, save = self._agree(self.stop.requested, late)
        if state.global_step >= state.max_steps:
            control.should_log = True  # the last step is a point of the curve, whatever the rhythm
        if stop and state.global_step < state.max_steps:
            self.cancelled = control.should_training_stop = control.should_save = True
        elif save and state.global_step < state.max_steps:
            control.should_save = True
        if now - self._last_event > QUIET_SECONDS and not control.should_log:
            self._progress(state, None)
        if self.samples and not stop and self.samples.is_due(state.global_step, state.max_steps):
            self.samples.write(state.global_step)
        return control

    def _agree(self, *flags: bool) -> tuple[bool, ...]:
        if self.trainer.args.world_size == 1:
            return flags
        tensor = torch.tensor([int(flag) for flag in flags], device=self.trainer.args.device)
        torch.distributed.all_reduce(tensor, op=torch.distributed.ReduceOp.MAX)
        return tuple(bool(item) for item in tensor.tolist())

    def on_prediction_step(self, args, state, control, **kwargs):
        if args.world_size == 1:  # many processes would wait for the one that left
            self.stop.check()

    def on_log(self, args, state, control, logs=None, **kwargs):
        if logs and "loss" in logs:
            self.last_loss = float(logs["loss"])
            if self.first_loss is None:
                self.first_loss = self.last_loss
            self._progress(state, self.last_loss, logs.get("learning_rate"), logs.get("grad_norm"))

    def on_evaluate(self, args, state, control, metrics=None, **kwargs):
        if metrics and "eval_loss" in metrics:
            self.eval_loss = float(metrics["eval_loss"])
            self.writer.write("eval", step=state.global_step, loss=_round(self.eval_loss))

    def on_save(self, args, state, control, **kwargs):
        self._last_save = time.monotonic()
        if not args.should_save:
            return
        path = self.folder / f"{PREFIX_CHECKPOINT_DIR}-{state.global_step}"
        (path / COMPLETE).write_text(
            json.dumps({"step": state.global_step, **asdict(self._so_far())})
        )
        self.writer.write("checkpoint", step=state.global_step)

    def _so_far(self) -> Before:
        return Before(self.tokens, self.seconds, self.train_seconds, self.first_loss)

    def _progress(self, state, loss, rate=None, grad_norm=None) -> None:
        self._last_event = time.monotonic()
        seconds, tokens_a_second = self._pace(state)
        self.writer.write(
            "progress",
            step=state.global_step,
            total=state.max_steps,
            epoch=round(state.epoch or 0.0, 3),
            loss=_round(loss),
            lr=rate,
            grad_norm=_round(grad_norm),
            tokens=self.tokens,
            tokens_per_second=_round(tokens_a_second, 1),
            seconds_left=_round(seconds, 1),
        )

    def _pace(self, state) -> tuple[float | None, float | None]:
        """Seconds left and tokens a second, from the last 50 steps (evaluations count as time)."""
        (start, first_step, first_tokens), (end, last_step, last_tokens) = (
            self._times[0],
            self._times[-1],
        )
        if last_step == first_step or end <= start:
            return None, None
        per_step = (end - start) / (last_step - first_step)
        left = (state.max_steps - state.global_step) * per_step
        return left, (last_tokens - first_tokens) / (end - start)


def _round(value, digits: int = 5):
    return None if value is None or not math.isfinite(value) else round(float(value), digits)


class _StopWhenAsked(StoppingCriteria):
    def __init__(self, stop: StopRequest):
        self.stop = stop

    def __call__(self, input_ids, scores, **kwargs):
        done = self.stop.requested
        return torch.full((input_ids.shape[0],), done, dtype=torch.bool, device=input_ids.device)


class SampleWriter:
    """Lets the model answer the sample prompts greedily and writes what it says."""

    def __init__(
        self,
        trainer,
        prompts: Sequence[Sequence[dict[str, Any]]],
        stop: StopRequest,
        recipe: Recipe,
    ):
        self.trainer, self.prompts, self.stop, self.recipe = trainer, prompts, stop, recipe
        self.writer: EventWriter

    def is_due(self, step: int, total: int) -> bool:
        """After every ``samples_every`` steps; the last step is left to the end of the run."""
        return step < total and step % self.recipe.samples_every == 0

    def write(self, step: int) -> list[dict[str, Any]]:
        """Answer every prompt and write one ``sample`` event; returns the samples."""
        samples = [self._answer(prompt) for prompt in self.prompts if not self.stop.requested]
        if samples and not self.stop.requested:
            self.writer.write("sample", step=step, samples=samples)
        return samples

    def _answer(self, prompt: Sequence[dict[str, Any]]) -> dict[str, Any]:
        tokenizer, model = self.trainer.processing_class, self.trainer.model
        ids = torch.tensor([prompt_ids(tokenizer, prompt)], device=model.device)
        training = model.training
        model.eval()
        try:
            with torch.no_grad():
                out = model.generate(
                    input_ids=ids,
                    attention_mask=torch.ones_like(ids),
                    do_sample=False,
                    temperature=None,
                    top_p=None,
                    top_k=None,
                    max_new_tokens=self.recipe.sample_tokens,
                    stopping_criteria=StoppingCriteriaList([_StopWhenAsked(self.stop)]),
                )
        finally:
            model.train(training)
        new = out[0, ids.shape[1] :].tolist()
        return {
            "prompt": prompt[-1]["content"],
            "text": tokenizer.decode(new, skip_special_tokens=True),
            "tokens": len(new),
            "ended": len(new) < self.recipe.sample_tokens or new[-1] == tokenizer.eos_token_id,
        }


def complete_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint that was written to its end, or None.

    Checkpoints that a kill left half written are removed, so that rotation never keeps one of
    them in place of a whole one.
    """
    found = []
    for path in folder.glob(f"{PREFIX_CHECKPOINT_DIR}-*"):
        number = path.name.removeprefix(f"{PREFIX_CHECKPOINT_DIR}-")
        if not number.isdigit() or path.is_symlink() or not path.is_dir():
            continue
        if (path / COMPLETE).is_file():
            found.append((int(number), path))
        else:
            shutil.rmtree(path)
    return max(found)[1] if found else None
