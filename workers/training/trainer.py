"""TRL's SFTTrainer as this project uses it: seeded length buckets, no step on a loss of NaN.

What makes it fast on small models, measured by workers.training.bench: examples of like length in a
batch, no gradient checkpointing unless asked for, no workers for loading, no reporting,
and the model's own loss where the vocabulary is small.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch.utils.data import Sampler
from transformers import Trainer
from transformers.trainer_pt_utils import get_length_grouped_indices
from trl import SFTConfig, SFTTrainer

from workers.training.config import TrainingConfig
from workers.training.errors import TrainingError

SMALL_VOCABULARY = 8192  # tokens; logits of 16 x 512 positions are then at most 270 MB


class LengthBuckets(Sampler):
    """Batches of like length, in an order that only seed and epoch decide.

    transformers' own sampler draws from the global random state, so a resumed run would see
    another order, and leaves the batches sorted from long to short. Here the order comes from a
    generator of its own, and whole batches are shuffled; the short rest stays last.
    """

    def __init__(self, lengths: list[int], batch_size: int, seed: int):
        self.lengths = lengths
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by the trainer before each epoch, also on resuming."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        order = get_length_grouped_indices(self.lengths, self.batch_size, generator=generator)
        size = self.batch_size
        batches = [order[i : i + size] for i in range(0, len(order), size)]
        rest = batches.pop() if len(batches[-1]) < size else []
        shuffled = torch.randperm(len(batches), generator=generator).tolist()
        for number in shuffled:
            yield from batches[number]
        yield from rest


class RationaleTrainer(SFTTrainer):
    """SFTTrainer with length buckets and a stop at the first loss that is no number."""

    def _get_train_sampler(self, train_dataset=None):
        dataset = self.train_dataset if train_dataset is None else train_dataset
        if self.args.train_sampling_strategy != "group_by_length":
            return super()._get_train_sampler(dataset)
        lengths = [len(ids) for ids in dataset["input_ids"]]
        batch = self.args.train_batch_size * self.args.gradient_accumulation_steps
        return LengthBuckets(lengths, batch * self.args.world_size, self.args.seed)

    def training_step(self, *args, **kwargs):
        loss = super().training_step(*args, **kwargs)
        if not torch.isfinite(loss):
            raise TrainingError(
                f"The loss is not a number at step {self.state.global_step + 1}. Lower "
                "recipe.learning_rate (try a third of it) or use float32, then start anew.",
                "nan",
            )
        return loss

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        """TRL's loss; where the vocabulary is small, the same number from the model's own forward.

        TRL's fused head saves the memory of the logits and measures entropy beside; for a few
        thousand tokens of vocabulary it costs a fifth of a step and saves nothing.
        """
        if self.model.config.get_text_config().vocab_size > SMALL_VOCABULARY:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        inputs["use_cache"] = False
        if self.model.training:
            tokens = self.accelerator.gather_for_metrics(inputs["attention_mask"].sum())
            self._total_train_tokens += int(tokens.sum())
        return Trainer.compute_loss(self, model, inputs, return_outputs, num_items_in_batch)

    def save_now(self) -> None:
        """Write a checkpoint outside the usual rhythm (a cancel in the middle of an evaluation)."""
        self._save_checkpoint(self.model, trial=None)
        self.control = self.callback_handler.on_save(self.args, self.state, self.control)


def sft_config(config: TrainingConfig, processes: int, eval_steps: int) -> SFTConfig:
    """The recipe in TRL's words. ``eval_steps`` 0: no evaluation."""
    recipe = config.recipe
    micro, accumulation = recipe.split_batch(processes)
    has_gpu = torch.cuda.is_available()
    return SFTConfig(
        output_dir=str(config.output_dir),
        per_device_train_batch_size=micro,
        per_device_eval_batch_size=max(micro, min(32, recipe.batch_size)) if not has_gpu else micro,
        gradient_accumulation_steps=accumulation,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type=recipe.scheduler,
        warmup_steps=recipe.warmup_ratio,  # below 1 it is a share of all steps
        weight_decay=recipe.weight_decay,
        max_grad_norm=recipe.max_grad_norm,
        num_train_epochs=recipe.epochs,
        max_steps=recipe.max_steps or -1,
        max_length=None,  # lengths are checked before; nothing may be cut silently
        packing=False,
        completion_only_loss=True,
        eos_token=recipe.eos_token or None,
        bf16=recipe.dtype == "bfloat16",
        fp16=False,
        use_cpu=not has_gpu,
        gradient_checkpointing=recipe.gradient_checkpointing,
        train_sampling_strategy="group_by_length" if recipe.group_by_length else "random",
        optim="adamw_torch_fused",
        seed=recipe.seed,
        data_seed=recipe.seed,
        logging_strategy="steps",
        logging_steps=recipe.logging_steps,
        logging_first_step=True,
        logging_nan_inf_filter=False,  # a loss that is no number must be seen, not averaged away
        eval_strategy="steps" if eval_steps else "no",
        eval_steps=eval_steps or None,
        prediction_loss_only=True,
        save_strategy="steps" if recipe.checkpoint_steps else "no",
        save_steps=recipe.checkpoint_steps or 500,
        save_total_limit=2,
        report_to="none",
        disable_tqdm=True,
        dataloader_num_workers=0,
        dataloader_pin_memory=has_gpu,
        push_to_hub=False,
    )
