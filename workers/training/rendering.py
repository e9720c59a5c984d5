"""One example as a student's own chat template renders it, before anything is frozen for it or trained.

    python -m workers.training.rendering STUDENT DATASET.jsonl

shows the first example, what the loss counts between ⟦ and ⟧, and ends with 1 where the student would not
learn the rationale: its template drops a field that it does not know, or the thinking, or the prompt ends
with `<think>` and the completion does not go on from there, or no end token is among what counts.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_OPENED = re.compile(r"<think>\s*$")
FIELDS = ("reasoning_content", "thinking")


@dataclass(frozen=True)
class Rendered:
    """`pieces`: runs of text and whether the loss counts them; `problems`: sentences, none where the student
    learns what was approved."""

    pieces: tuple[tuple[str, bool], ...]
    problems: tuple[str, ...]


def render(
    tokenizer: Any, prompt: Sequence[dict[str, str]], completion: Sequence[dict[str, str]]
) -> Rendered:
    """Render as TRL does: the prompt with the turn opened for the student, then all of it; what comes after
    the prompt counts. Messages may have their thoughts in `reasoning_content` or `thinking`."""
    before = tokenizer.apply_chat_template(list(prompt), tokenize=False, add_generation_prompt=True)
    whole = tokenizer.apply_chat_template([*prompt, *completion], tokenize=False)
    problems: list[str] = []
    if not whole.startswith(before):
        at = next(
            (n for n, (a, b) in enumerate(zip(before, whole, strict=False)) if a != b), len(whole)
        )
        problems.append(_other_beginning(before[at:]))
        before = before[:at]
    learned = whole[len(before) :]
    last = completion[-1]
    opened = _OPENED.search(
        before
    )  # a <think> that the prompt opens is the first word of the completion
    problems += _missing(last, f"{opened[0]}{learned}" if opened else learned)
    end = tokenizer.eos_token or ""
    if not end or not learned.rstrip().endswith(end):
        problems.append(
            f"The end token {end or '(there is none)'} does not close what is learned: the student would "
            "not stop. Choose a template that writes it after the answer, or set the tokenizer's eos_token."
        )
    return Rendered(((before, False), (learned, True)), tuple(problems))


def _other_beginning(rest: str) -> str:
    if "<think>" in rest:
        return (
            "The template opens <think> itself at the prompt's end, and renders the completion without "
            "it: what is asked and what is learned differ. Keep the thoughts in the field that the "
            "template renders, or use a template that leaves <think> to the completion."
        )
    return (
        f"The prompt alone ends with {rest[:40]!r}, which is not there once the answer follows: what is "
        "asked and what is learned differ. Use a template whose prompt is the beginning of the whole."
    )


def _missing(message: dict[str, str], learned: str) -> list[str]:
    """What of the message is not among what is learned."""
    told = []
    for name in FIELDS:
        thoughts = (message.get(name) or "").strip()
        if thoughts and thoughts not in learned:
            told.append(
                f"The template drops the field {name} without a word: the student would learn bare "
                "answers. Freeze with the thoughts inline, in the field that it knows, or cut."
            )
    content = message["content"].strip()
    if content in learned:
        return told
    _, closed, final = content.partition("</think>")
    if closed and final.strip() and final.strip() in learned:
        told.append(
            "The template removes the <think> part of the text: the student would learn the final part "
            "alone. Freeze with the thoughts cut, or use a template that keeps them."
        )
    else:
        told.append(
            "The rationale is not among what is learned, word for word: the template changes or drops it. "
            "Use another template."
        )
    return told


def coloured(rendered: Rendered) -> str:
    """For a terminal: what is learned between ⟦ and ⟧."""
    return "".join(f"⟦{text}⟧" if learned else text for text, learned in rendered.pieces)


def main(arguments: Sequence[str] | None = None) -> int:
    import json
    from pathlib import Path

    from transformers import AutoTokenizer

    parser = argparse.ArgumentParser(
        prog="python -m workers.training.rendering", description=__doc__
    )
    parser.add_argument("student", help="folder or name of the student's model")
    parser.add_argument("dataset", type=Path, help="JSONL with prompt and completion as messages")
    options = parser.parse_args(arguments)
    tokenizer = AutoTokenizer.from_pretrained(options.student, trust_remote_code=False)
    if not tokenizer.chat_template:
        print("The student has no chat template: set one first.", file=sys.stderr)
        return 1
    problems: dict[str, int] = {}
    with options.dataset.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            row = json.loads(line)
            rendered = render(tokenizer, row["prompt"], row["completion"])
            if number == 1:
                print(coloured(rendered))
            for problem in rendered.problems:
                problems.setdefault(problem, number)
    for problem, number in problems.items():
        print(f"line {number}: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
