"""Loading a model, its adapter and its tokenizer. Imported by the child process only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from workers.generation.engine.model_files import check_adapter_folder, check_model_folder
from workers.generation.jobs import Limits
from workers.generation.types import BackendError, ModelSpec

CPU_CACHE_BYTES = 1 << 30
GPU_CACHE_SHARE = 0.6


@dataclass
class Loaded:
    """A model ready to answer."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    eos: frozenset[int]
    context: int  # tokens the model can take, prompt and answer together
    template_options: dict[str, Any]

    def prompts(
        self, conversations: list[list[dict[str, Any]]], begins: Sequence[str] = ()
    ) -> list[tuple[int, ...]]:
        """Token ids of each conversation, up to where the assistant's answer begins, and of the words
        that it is made to begin with.

        What stands in a message can never open or close a turn: where it holds the text of a
        special token (``<|im_end|>``), that text is broken up by a space.
        """
        texts: list[Any] = [  # strings, since `tokenize` is off
            self.tokenizer.apply_chat_template(
                self._plain(conversation),
                tokenize=False,
                add_generation_prompt=True,
                **self.template_options,
            )
            for conversation in conversations
        ]
        if any(begins):
            texts = [text + begin for text, begin in zip(texts, begins, strict=True)]
        # The template writes every special token itself.
        encoded = self.tokenizer(texts, add_special_tokens=False)["input_ids"]
        return [tuple(ids) for ids in encoded]

    def text(self, tokens: list[int]) -> str:
        """The answer's text without its special tokens."""
        return str(
            self.tokenizer.decode(
                tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False
            )
        )

    def _plain(self, conversation: list[dict[str, Any]]) -> list[dict[str, Any]]:
        special = self._special_pattern()
        if special is None:
            return conversation
        return [
            {**message, "content": special.sub(_break_up, message["content"])}
            for message in conversation
        ]

    def _special_pattern(self) -> re.Pattern | None:
        if not hasattr(self, "_special"):
            added = self.tokenizer.added_tokens_decoder.values()
            marks = {token.content for token in added if token.special}
            words = {w for w in marks.union(self.tokenizer.all_special_tokens) if len(w) > 1}
            ordered = sorted(words, key=len, reverse=True)
            self._special = re.compile("|".join(map(re.escape, ordered))) if ordered else None
        return self._special


def _break_up(match: re.Match) -> str:
    return match[0][0] + " " + match[0][1:]


def load(spec: ModelSpec) -> Loaded:
    """Load what the spec names. Raises BackendError with a reason that a person understands."""
    folder = check_model_folder(spec.model)
    adapter = check_adapter_folder(spec.adapter) if spec.adapter else None
    device = pick_device(spec.options.get("device", "auto"))
    tokenizer = _tokenizer(folder, adapter)
    model: Any = _model(folder, spec.dtype)
    if adapter:
        model = _with_adapter(model, adapter)
    rows = model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > rows:
        raise BackendError(
            f"The tokenizer has {len(tokenizer)} tokens, the model only {rows}: they do not "
            "belong together."
        )
    model = model.to(device).eval()
    return Loaded(
        model=model,
        tokenizer=tokenizer,
        eos=_end_tokens(model, tokenizer),
        context=_context(model),
        template_options=dict(spec.options.get("chat_template_kwargs", {})),
    )


def pick_device(wanted: str) -> torch.device:
    """A device by name, or the best there is: an NVIDIA or AMD GPU, Apple's, then the CPU."""
    if wanted == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        return torch.device(wanted)
    except RuntimeError as error:
        raise BackendError(f"There is no device {wanted!r}.") from error


def limits_for(loaded: Loaded, options: dict[str, Any]) -> Limits:
    """How many rows at once, and how many tokens their keys and values may take together."""
    model = loaded.model
    config = model.config.get_text_config(decoder=True)
    heads = getattr(config, "num_key_value_heads", None) or getattr(
        config, "num_attention_heads", 1
    )
    size = getattr(config, "head_dim", None) or (
        config.hidden_size // getattr(config, "num_attention_heads", 1)
    )
    a_token = 2 * config.num_hidden_layers * heads * size * model.dtype.itemsize
    room = CPU_CACHE_BYTES
    if model.device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(model.device)
        room = int(free * GPU_CACHE_SHARE)
    return Limits(
        rows=int(options.get("batch_rows", 128)),
        tokens=int(options.get("batch_tokens", max(1, room // a_token))),
        prefill_tokens=int(options.get("prefill_tokens", 8192)),
    )


def _tokenizer(folder: Path, adapter: Path | None) -> PreTrainedTokenizerBase:
    # Training saves the tokenizer, with the template it used, beside the adapter: serving must
    # use the same bytes.
    source = folder
    if adapter is not None and (adapter / "tokenizer_config.json").is_file():
        source = adapter
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            source, trust_remote_code=False, local_files_only=True
        )
    except Exception as error:
        raise BackendError(
            f"The tokenizer in {source.name} cannot be loaded: {_reason(error, source)}"
        ) from error
    if not tokenizer.chat_template:
        raise BackendError(
            f"The tokenizer in {source.name} has no chat template. Put one there as chat_template.jinja."
        )
    return tokenizer


def _model(folder: Path, dtype: str) -> PreTrainedModel:
    try:
        return AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=dtype if dtype == "auto" else getattr(torch, dtype),
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
        )
    except MemoryError as error:
        raise BackendError(f"The model in {folder.name} does not fit into memory.") from error
    except Exception as error:
        raise BackendError(
            f"The model in {folder.name} cannot be loaded: {_reason(error, folder)}"
        ) from error


def _with_adapter(model: PreTrainedModel, adapter: Path) -> PreTrainedModel:
    from peft import PeftModel

    try:
        tuned = PeftModel.from_pretrained(
            model, adapter, is_trainable=False, local_files_only=True, use_safetensors=True
        )
        # Merged, because an unmerged adapter doubles the number of matrix products a token.
        return tuned.merge_and_unload(safe_merge=True)
    except Exception as error:
        raise BackendError(
            f"The adapter in {adapter.name} cannot be put on this model: {_reason(error, adapter)}"
        ) from error


def _reason(error: Exception, folder: Path) -> str:
    """What a library says, with the folder by its name: people read this who must not know where it
    lies."""
    return str(error).replace(str(folder), folder.name)


def _end_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    ends: set[int] = set()
    for value in (
        model.generation_config.eos_token_id,
        model.config.get_text_config(decoder=True).eos_token_id,
        tokenizer.eos_token_id,
    ):
        if value is not None:
            ends.update(value if isinstance(value, (list, tuple)) else [value])
    if not ends:
        raise BackendError("Neither the model nor its tokenizer names an end token.")
    return frozenset(ends)


def _context(model: PreTrainedModel) -> int:
    config = model.config.get_text_config(decoder=True)
    # Models without a fixed limit (recurrent ones, ALiBi) get a bound that a mistake cannot pass.
    return int(getattr(config, "max_position_embeddings", None) or 1 << 17)
