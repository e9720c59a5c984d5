"""One training from its configuration to the saved adapter."""

from __future__ import annotations

import dataclasses
import json
import logging
import math
import os
import shutil
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
import transformers
from datasets import disable_progress_bars
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, PrinterCallback

from workers.training import checks
from workers.training.callbacks import SampleWriter, Watch, complete_checkpoint
from workers.training.card import model_card
from workers.training.config import TrainingConfig
from workers.training.data import file_sha256, load_dataset
from workers.training.errors import Cancelled, CheckFailed, ConfigError, TrainingError, explain
from workers.training.events import EventWriter
from workers.training.folder import (
    ORIGIN_FILE,
    RunFolder,
    dataset_hash,
    identity,
    require_safe_model,
)
from workers.training.stopping import StopRequest
from workers.training.trainer import RationaleTrainer, sft_config

log = logging.getLogger("workers.training")
CHECKED_ROWS = 64  # rows besides the first that the end token and the template are checked on


def run(config: TrainingConfig, stop: StopRequest | None = None) -> dict:
    """Train as ``config`` says; returns the ``end`` event's fields.

    Events go to ``OUTPUT_DIR/events.jsonl``. Raises TrainingError or Cancelled after their event
    has been written; any other exception is written as an ``error`` event and raised again.
    """
    stop = stop or StopRequest()
    is_main = int(os.environ.get("RANK", "0")) == 0
    folder = RunFolder(config) if is_main else None
    job = None
    writer = EventWriter(config.output_dir)
    try:
        job = Job(config, stop, writer, folder)
        return job.go()
    except Cancelled as error:
        step, path = job.checkpoint() if job else (0, None)
        if is_main:
            writer.write("cancelled", reason=str(error), step=step, checkpoint=path and str(path))
        raise
    except Exception as error:
        code, reason = explain(error)
        try:
            writer.write("error", code=code, reason=reason)
        except OSError as second:  # the disk is full for the event as well: the log has it
            log.error("cannot write the error event: %s", second)
        raise
    finally:
        writer.close()
        if folder:
            folder.close()


class Job:
    """The stages of :func:`run`, each a method, in the order in which they are called."""

    def __init__(self, config, stop: StopRequest, writer: EventWriter, folder: RunFolder | None):
        self.config, self.recipe, self.stop = config, config.recipe, stop
        self.folder = folder  # None in all processes but the first
        # an error of any process is written, all else by the first only
        self.writer = writer if folder else EventWriter(config.output_dir, enabled=False)
        self.processes = int(os.environ.get("WORLD_SIZE", "1"))
        self.path = Path(config.output_dir)
        self.trainer: Any = None  # a RationaleTrainer; TRL types its parts as anything or nothing
        self.began = time.monotonic()

    def go(self) -> dict:
        """All stages; returns the fields of the ``end`` event."""
        if not self.prepare():
            self.writer.write("note", message="This training was finished before; nothing is left.")
            return self._end(already=True)
        self._train()
        self._save()
        return self._end()

    def prepare(self) -> bool:
        """Everything before the first step; False where the training was finished before."""
        torch.set_num_threads(self.recipe.threads)
        transformers.utils.logging.disable_progress_bar()
        disable_progress_bars()
        self.recipe.split_batch(self.processes)
        require_safe_model(self.config)
        self.sha = dataset_hash(self.config)
        mark = identity(self.config, self.sha)
        self.base_mark = mark["base_model"]
        self._write_start(self.folder is not None and self.folder.begin(self.config, mark))
        if self.folder and self.folder.finished():
            return False
        self._load()
        self._check()
        return True

    def _write_start(self, resumed: bool) -> None:
        self.writer.write(
            "start",
            base_model=self.config.shown_model,
            dataset=Path(self.config.dataset).name,
            dataset_sha256=self.sha,
            recipe=dataclasses.asdict(self.recipe),
            resume=resumed,
            processes=self.processes,
            device="cuda" if torch.cuda.is_available() else "cpu",
            pid=os.getpid(),
            versions={name: version(name) for name in ("torch", "transformers", "trl", "peft")},
        )

    def _load(self) -> None:
        """Data, tokenizer, model, and the trainer, which tokenises."""
        config, recipe = self.config, self.recipe
        data = load_dataset(config.dataset)
        held_out = load_dataset(config.eval_dataset) if config.eval_dataset else None
        self.total_steps = recipe.max_steps or self._steps(len(data))
        eval_steps = recipe.eval_steps or max(1, self.total_steps // 10)
        options = {"trust_remote_code": False, "local_files_only": config.model_is_folder}
        try:
            tokenizer = AutoTokenizer.from_pretrained(config.base_model, **options)
            model = AutoModelForCausalLM.from_pretrained(
                config.base_model,
                dtype=getattr(torch, recipe.dtype),
                use_safetensors=True,
                **options,
            )
        except (OSError, ValueError) as error:
            reason = str(error).replace(config.base_model, config.shown_model)
            raise TrainingError(
                f"The base model {config.shown_model} does not load: {reason}"
            ) from error
        if not tokenizer.chat_template:
            raise CheckFailed(
                f"The tokenizer of {config.shown_model} has no chat template. Use an instruction-"
                "tuned model, or add a chat template to its folder."
            )
        if recipe.eos_token and recipe.eos_token not in tokenizer.get_vocab():
            raise ConfigError(
                f"recipe.eos_token is {recipe.eos_token!r}, which the tokenizer of "
                f"{config.shown_model} does not know. Use one of its tokens, or leave it out."
            )
        self.watch = Watch(self.writer, self.stop, recipe, self.path)
        self.watch.began = self.began
        self.trainer = RationaleTrainer(
            model=model,
            args=sft_config(config, self.processes, eval_steps if held_out is not None else 0),
            train_dataset=data,
            eval_dataset=held_out,
            processing_class=tokenizer,
            peft_config=self._lora(),
            callbacks=[self.watch],
        )
        # PEFT would note the folder of this machine in adapter_config.json, of checkpoints as well.
        for one in self.trainer.model.peft_config.values():
            one.base_model_name_or_path = config.shown_model
        self.trainer.remove_callback(PrinterCallback)  # the events say it already
        self.watch.trainer = self.trainer
        self._prepare_samples(held_out if held_out is not None else data)

    def _steps(self, examples: int) -> int:
        micro, accumulation = self.recipe.split_batch(self.processes)
        batches = math.ceil(examples / (micro * self.processes))
        return math.ceil(self.recipe.epochs * math.ceil(batches / accumulation))

    def _lora(self) -> LoraConfig:
        return LoraConfig(
            task_type="CAUSAL_LM",
            r=self.recipe.rank,
            lora_alpha=self.recipe.alpha,
            lora_dropout=self.recipe.dropout,
            target_modules=self.recipe.targets,
        )

    def _prepare_samples(self, rows) -> None:
        if not self.recipe.samples_every or not self.folder:
            return
        if self.trainer.is_fsdp_enabled or self.trainer.is_deepspeed_enabled:
            self.writer.write("note", message="No samples: the weights are spread over processes.")
            return
        prompts = self.config.sample_prompts or [
            row["prompt"] for row in rows.select(range(min(2, len(rows))))
        ]
        samples = SampleWriter(self.trainer, prompts, self.stop, self.recipe)
        samples.writer = self.writer
        self.watch.samples = samples

    def _check(self) -> None:
        """Everything of "Before it started", written as one event; raises at the first failure."""
        trainer, recipe = self.trainer, self.recipe
        tokenizer, rows = trainer.processing_class, trainer.train_dataset
        lengths = [len(ids) for ids in rows["input_ids"]]
        found = [checks.check_lengths(lengths, rows["line"], recipe.max_length, recipe.too_long)]
        if found[0].ok and max(lengths) > recipe.max_length:
            kept = [i for i, length in enumerate(lengths) if length <= recipe.max_length]
            trainer.train_dataset = rows = rows.select(kept)
            lengths = [lengths[i] for i in kept]
            self.total_steps = recipe.max_steps or self._steps(len(kept))
        looked_at = [rows[i] for i in checks.spread(len(rows), CHECKED_ROWS)]
        stops = checks.stop_tokens(tokenizer, trainer.model.generation_config)
        found.append(checks.check_end_token(trainer.data_collator, looked_at, tokenizer, stops))
        serving = AutoTokenizer.from_pretrained(self.config.base_model, trust_remote_code=False)
        found.append(checks.check_template(looked_at, tokenizer, serving))
        found.append(checks.check_special_tokens(rows, tokenizer))
        counts = checks.parameter_counts(trainer.model)
        self.facts = {
            "examples": len(rows),
            "tokens": sum(lengths),
            "dataset_sha256": self.sha,
            "template_sha256": checks.template_hash(tokenizer),
            **counts,
        }
        self.writer.write(
            "checks",
            checks=[check.to_dict() for check in found],
            first_example=checks.segments(looked_at[0], tokenizer),
            held_out_examples=len(trainer.eval_dataset) if trainer.eval_dataset is not None else 0,
            longest=max(lengths),
            max_length=recipe.max_length,
            total_steps=self.total_steps,
            **self.facts,
        )
        for check in found:
            if not check.ok:
                raise CheckFailed(check.message)
        if self.folder:
            self.folder.require_space(counts["trained"])

    def _train(self) -> None:
        start = complete_checkpoint(self.path) if self.config.resume else None
        if self.config.resume:
            step = int(start.name.rpartition("-")[2]) if start else 0
            self.writer.write("resumed", step=step, checkpoint=start and str(start))
            if start:
                self.watch.go_on_from(start)
        with self.stop.deferred():
            self.stop.check()
            self.trainer.train(resume_from_checkpoint=str(start) if start else None)
            if self.watch.cancelled:
                raise Cancelled(self.stop.reason)
            if self.trainer.eval_dataset is not None and not self._evaluated_last():
                self.trainer.evaluate()
            if self.watch.samples:
                self.watch.samples.write(self.trainer.state.global_step)

    def _evaluated_last(self) -> bool:
        state = self.trainer.state
        return any(
            "eval_loss" in row and row["step"] == state.global_step for row in state.log_history
        )

    def checkpoint(self) -> tuple[int, Path | None]:
        """Step and folder of the newest whole checkpoint; writes one if steps would be lost."""
        if self.trainer is None or self.folder is None:
            return 0, None
        step = self.trainer.state.global_step
        path = complete_checkpoint(self.path)
        done = int(path.name.rpartition("-")[2]) if path else 0
        if step > done and self.processes == 1:
            with self.stop.deferred():
                self.trainer.save_now()
            path, done = complete_checkpoint(self.path), step
        return done, path

    def _save(self) -> None:
        """Adapter, tokenizer and card into ``adapter.tmp``, checked, then renamed into place."""
        bad = [
            n
            for n, p in self.trainer.model.named_parameters()
            if p.requires_grad and not p.isfinite().all()
        ]
        if bad:
            raise TrainingError(
                f"The trained weights are no numbers ({bad[0]}). Lower the learning rate.", "nan"
            )
        unfinished = self.path / "adapter.tmp"
        with self.stop.deferred():
            if self.folder and unfinished.exists():
                shutil.rmtree(unfinished)
            self.trainer.accelerator.wait_for_everyone()
            self.trainer.save_model(str(unfinished))
            self.trainer.accelerator.wait_for_everyone()
            if not self.folder:
                return
            (unfinished / "training_args.bin").unlink(missing_ok=True)  # a pickle: nobody needs it
            self._check_saved(unfinished)
            origin = {
                "base_model": self.config.shown_model,
                "base_mark": self.base_mark,
                "dataset_sha256": self.sha,
                "template_sha256": self.facts["template_sha256"],
            }
            (unfinished / ORIGIN_FILE).write_text(json.dumps(origin, indent=2) + "\n")
            card = model_card(self.config, {**self.facts, **self._result()})
            (unfinished / "README.md").write_text(card, encoding="utf-8")
            unfinished.replace(self.folder.adapter)
            self.writer.write(
                "saved",
                adapter=str(self.folder.adapter),
                sha256=file_sha256(self.folder.adapter / "adapter_model.safetensors"),
            )
            self.folder.drop_checkpoints()

    def _check_saved(self, folder: Path) -> None:
        """What was saved is served with the same template: tokenise one prompt from the folder."""
        saved = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        check = checks.check_template(
            [self.trainer.train_dataset[0]], self.trainer.processing_class, saved
        )
        if not check.ok:
            raise CheckFailed(f"The saved folder does not render as in training. {check.message}")

    def _result(self) -> dict:
        return {
            "steps": self.trainer.state.global_step,
            "first_loss": self.watch.first_loss,
            "loss": self.watch.last_loss,
            "eval_loss": self.watch.eval_loss,
            "seconds": round(self.watch.seconds, 1),
            "tokens_learned": self.watch.tokens,
            "tokens_per_second": round(self.watch.tokens / max(self.watch.train_seconds, 1e-6), 1),
        }

    def _end(self, already: bool = False) -> dict:
        fields = {"adapter": str(self.path / "adapter"), "already": already}
        if not already:
            fields |= self._result()
        self.writer.write("end", **fields)
        return fields
