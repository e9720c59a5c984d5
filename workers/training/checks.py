"""What is looked at before a training starts, on the very batches that the trainer will see.

A model that never stops, one that is trained on another template than it is served with, and
examples that were cut without a word are the failures that cost people days (trl#1623, trl#2059,
QwenLM/Qwen3#112): each is refused here, before the first step.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from workers.generation.engine.loading import Loaded
from workers.training.errors import DataError

IGNORED = -100  # the label that torch's cross entropy leaves out


@dataclass(frozen=True)
class Check:
    """One line of "Before it started": a label, a value in words, and whether it is as it must be.

    ``message`` says what is wrong and what to do where ``ok`` is false.
    """

    code: str
    label: str
    ok: bool
    value: str
    message: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


def stop_tokens(tokenizer, generation_config=None) -> set[int]:
    """Ids at which generation ends: the tokenizer's end token and the generation config's."""
    found: set[int] = set()
    ids = getattr(generation_config, "eos_token_id", None)
    for item in [tokenizer.eos_token_id, *(ids if isinstance(ids, list | tuple) else [ids])]:
        if item is not None:
            found.add(int(item))
    return found


def _ends_right(labels: Sequence[int], tokenizer, stops: set[int]) -> tuple[bool, int | None]:
    """Whether the last label that is not masked is a stop token, and that label.

    Templates such as ChatML put a line break after the end token: white space after it is passed
    over, since a server has stopped by then.
    """
    last = None
    for label in reversed([int(item) for item in labels]):
        if label == IGNORED:
            continue
        last = label if last is None else last
        if label in stops:
            return True, label
        if tokenizer.decode([label]).strip():
            return False, last
    return False, last


def check_end_token(
    collate: Callable[[list[dict[str, Any]]], dict[str, Any]],
    rows: Sequence[dict[str, Any]],
    tokenizer,
    stops: set[int],
) -> Check:
    """The last label that counts is the end token, seen through the collator that will be used.

    ``rows`` are tokenised examples (``input_ids``, ``labels``). Each is put into a batch beside
    the longest one, so that padding takes part: where padding and end are one token, a collator
    that masks padding by its id hides the end as well, and the model never learns to stop.
    """
    label = "First example ends with the end token"
    longest = max(rows, key=lambda row: len(row["input_ids"]))
    for number, row in enumerate(rows):
        batch = collate([_inputs(row), _inputs(longest)])
        good, last = _ends_right(batch["labels"][0].tolist(), tokenizer, stops)
        if good:
            continue
        names = ", ".join(repr(tokenizer.decode([item])) for item in sorted(stops)) or "none"
        if last is None:
            seen = "no token of it counts for the loss"
        else:
            seen = f"it ends with {tokenizer.decode([last])!r} instead of {names}"
        why = (
            " The padding token is the end token, which hides the end from the loss: give the "
            "tokenizer a padding token of its own."
            if tokenizer.pad_token_id == tokenizer.eos_token_id
            else " Set recipe.eos_token to the token with which the chat template ends an answer."
        )
        where = f"Line {row['line']}" if "line" in row else f"Example {number + 1}"
        return Check("end_token", label, False, "no", f"{where}: {seen}.{why}")
    return Check("end_token", label, True, "yes")


def _inputs(row: dict[str, Any]) -> dict[str, Any]:
    return {"input_ids": list(row["input_ids"]), "labels": list(row["labels"])}


def prompt_ids(tokenizer, messages: Sequence[dict[str, Any]]) -> list[int]:
    """The tokens that serving feeds for these messages, by the very code that serves."""
    no_model: Any = None  # rendering a prompt needs none
    serving = Loaded(no_model, tokenizer, frozenset(), 0, {})
    return list(serving.prompts([list(messages)])[0])


def check_special_tokens(rows: Iterable[dict[str, Any]], tokenizer) -> Check:
    """No text holds a special token: ``<|end|>`` inside a rationale would end it there for the model.

    A model writes what it likes, and so may whoever wrote a question: such a text is refused, not
    taught.
    """
    label = "No control token inside a text"
    added = tokenizer.added_tokens_decoder.values()
    marks = {str(token) for token in added if token.special} | set(tokenizer.all_special_tokens)
    marks = {mark for mark in marks if len(mark) > 1}
    if not marks:
        return Check("special_tokens", label, True, "yes")
    pattern = re.compile("|".join(re.escape(mark) for mark in sorted(marks, key=len, reverse=True)))
    for row in rows:
        for message in (*row["prompt"], *row["completion"]):
            if found := pattern.search(message["content"]):
                return Check(
                    "special_tokens",
                    label,
                    False,
                    "no",
                    f"Line {row['line']}: the {message['role']} text holds {found[0]!r}, which is a "
                    "control token of this model. Edit or reject that rationale, then freeze again.",
                )
    return Check("special_tokens", label, True, "yes")


def template_hash(tokenizer) -> str:
    """SHA-256 of the chat template's text."""
    return hashlib.sha256((tokenizer.chat_template or "").encode()).hexdigest()


def check_template(rows: Sequence[dict[str, Any]], tokenizer, serving_tokenizer) -> Check:
    """What stands before the first trained token equals what a server sends, byte for byte.

    ``rows`` need ``prompt``, ``input_ids`` and ``labels``. ``serving_tokenizer`` is loaded afresh
    from the folder that a server reads.
    """
    label = "Template equals the one of serving"
    if template_hash(tokenizer) != template_hash(serving_tokenizer):
        return Check(
            "template",
            label,
            False,
            "no",
            "The chat template in training is not the one that the saved model is served with. "
            "Load both from the same folder.",
        )
    for row in rows:
        trained = _trained_prompt(row)
        served = prompt_ids(serving_tokenizer, row["prompt"])
        if trained != served:
            return Check(
                "template",
                label,
                False,
                "no",
                f"Line {row.get('line', '?')}: in training the model reads "
                f"{_tail(tokenizer, trained)} before its answer, in serving "
                f"{_tail(serving_tokenizer, served)}. Use a chat template that writes the prompt "
                "the same way with and without an answer after it.",
            )
    return Check("template", label, True, "yes")


def _trained_prompt(row: dict[str, Any]) -> list[int]:
    ids = list(row["input_ids"])
    for position, item in enumerate(row["labels"]):
        if item != IGNORED:
            return ids[:position]
    return ids


def _tail(tokenizer, ids: list[int]) -> str:
    text = tokenizer.decode(ids)
    return repr(text if len(text) <= 60 else "…" + text[-60:])


def check_lengths(lengths: Sequence[int], lines: Sequence[int], limit: int, too_long: str) -> Check:
    """The longest example against ``limit`` tokens. Nothing is ever cut.

    With ``too_long="refuse"`` the check fails and names the lines; with ``"leave_out"`` the caller
    leaves them out, and the value says how many.
    """
    longest = max(lengths)
    over = [line for line, length in zip(lines, lengths, strict=True) if length > limit]
    label, value = "Longest example", f"{longest:,} of {limit:,} tokens"
    if not over:
        return Check("longest", label, True, value)
    named = ", ".join(str(line) for line in over[:5]) + (", …" if len(over) > 5 else "")
    few = "example is" if len(over) == 1 else "examples are"
    if too_long == "leave_out" and len(over) < len(lengths):
        return Check("longest", label, True, f"{value}, {len(over)} left out")
    return Check(
        "longest",
        label,
        False,
        value,
        f"{len(over)} {few} longer than recipe.max_length ({limit:,} tokens), the longest has "
        f"{longest:,}: line {named}. Nothing is cut silently: raise recipe.max_length, leave the "
        'rationales out, or set recipe.too_long to "leave_out".',
    )


def segments(row: dict[str, Any], tokenizer) -> list[dict[str, Any]]:
    """The example as the model sees it: runs of text, each with whether the loss counts it."""
    parts: list[tuple[bool, list[int]]] = []
    for token, label in zip(row["input_ids"], row["labels"], strict=True):
        trained = label != IGNORED
        if not parts or parts[-1][0] != trained:
            parts.append((trained, []))
        parts[-1][1].append(int(token))
    return [{"text": tokenizer.decode(ids), "trained": trained} for trained, ids in parts]


def spread(count: int, wanted: int) -> list[int]:
    """At most ``wanted`` row numbers, first and last among them, evenly apart."""
    if count <= wanted:
        return list(range(count))
    return sorted({round(i * (count - 1) / (wanted - 1)) for i in range(wanted)})


def parameter_counts(model) -> dict[str, Any]:
    """How many weights are trained, of how many, and the share (0 to 1)."""
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    total = sum(p.numel() for p in model.parameters())
    if not trained:
        raise DataError("No weight would be trained: recipe.target matches no module of the model.")
    return {"trained": trained, "total": total, "share": trained / total}
