"""Prompt styles: versioned templates with plain replacement.

A template is replaced in one pass, placeholder by placeholder; what is put in is never read
again. So nothing that stands in a question, a choice, an example or a reference answer is ever
evaluated, formatted or replaced: ``{question}``, ``{x.__class__}``, ``{{ 7*7 }}`` and ``%s`` in
a question reach the model as they are.

Whoever changes a template raises its version: a rationale keeps the style and version that
asked for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_CHOICE_LABEL = re.compile(r"^\s*\(?([A-Za-z]{1,2})\s*[).:]\s*")
_ANSWER_LINE = 'End with one last line "Answer: " followed by the final answer alone.'


@dataclass(frozen=True)
class Style:
    """One way to ask. ``needs`` names what build_messages must be given beside the question."""

    NAME: str
    version: int
    title: str
    description: str
    user: str
    system: str = ""
    needs: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Name and version, to store with a rationale: ``step-by-step@1``."""
        return f"{self.NAME}@{self.version}"


STYLES: dict[str, Style] = {
    style.NAME: style
    for style in (
        Style(
            NAME="plain",
            version=1,
            title="Question only",
            description="Sends the question as it is. For models trained to reason by themselves.",
            user="{question}",
        ),
        Style(
            NAME="step-by-step",
            version=1,
            title="Step by step",
            description="Asks for numbered steps and a last line with the answer.",
            user=(
                "{question}\n\nSolve this step by step. Write each step on a line of its own, "
                'beginning with "Step 1:", "Step 2:" and so on. ' + _ANSWER_LINE
            ),
        ),
        Style(
            NAME="plan-first",
            version=1,
            title="Plan first",
            description="Asks for a short plan, then the steps that carry it out.",
            user=(
                '{question}\n\nFirst write a plan of one or two lines, beginning with "Plan:". '
                "Then carry it out step by step, each step on a line of its own, beginning with "
                '"Step 1:", "Step 2:" and so on. ' + _ANSWER_LINE
            ),
        ),
        Style(
            NAME="answer-first",
            version=1,
            title="Answer first, then the reasons",
            description="Post-thinking: the answer stands first, the rationale explains it.",
            user=(
                '{question}\n\nBegin with one line "Answer: " followed by the final answer alone. '
                "Then explain step by step why it is right, each step on a line of its own, "
                'beginning with "Step 1:", "Step 2:" and so on.'
            ),
        ),
        Style(
            NAME="few-shot",
            version=1,
            title="Few-shot",
            description="Shows examples (approved rationales) as earlier turns, then the question.",
            user="{question}",
            needs=("examples",),
        ),
        Style(
            NAME="hint",
            version=1,
            title="With the answer as a hint (rationalisation)",
            description="Gives the reference answer, for questions that every sample got wrong.",
            user=(
                "{question}\n\nThe correct answer is: {reference_answer}\n\nWrite the reasoning "
                "that leads to this answer, as if you had not been told it: do not mention that "
                "it was given. Write each step on a line of its own, beginning with "
                '"Step 1:", "Step 2:" and so on. ' + _ANSWER_LINE
            ),
            needs=("reference_answer",),
        ),
    )
}


def list_styles() -> list[Style]:
    """All styles, in the order in which a page shows them."""
    return list(STYLES.values())


def get_style(name: str) -> Style:
    """The style of that name; also takes a stored label such as ``plain@1``.

    Raises ValueError for an unknown name or for a version that is no longer the current one.
    """
    bare, _, version = name.partition("@")
    style = STYLES.get(bare)
    if style is None:
        raise ValueError(f"Unknown prompt style {name!r}; known: {', '.join(STYLES)}.")
    if version and version != str(style.version):
        raise ValueError(f"Prompt style {bare!r} has version {style.version}, not {version!r}.")
    return style


def build_messages(
    style: str,
    question: str,
    choices: Sequence[str] = (),
    *,
    examples: Sequence[Mapping[str, Any]] = (),
    reference_answer: str = "",
) -> list[dict]:
    """The chat messages that ask ``question`` in a style.

    choices            shown as lettered lines under the question ("A) ...").
    examples           for "few-shot": mappings with "question", "rationale", optional "choices".
    reference_answer   for "hint".
    Raises ValueError where the style is unknown, or lacks what it needs.
    """
    chosen = get_style(style)
    given = {"examples": examples, "reference_answer": reference_answer}
    for name in chosen.needs:
        if not given[name]:
            raise ValueError(f"Prompt style {chosen.NAME!r} needs {name.replace('_', ' ')}.")
    messages = [{"role": "system", "content": chosen.system}] if chosen.system else []
    if "examples" in chosen.needs:
        for example in examples:
            shown = with_choices(example["question"], example.get("choices") or ())
            messages.append({"role": "user", "content": shown})
            messages.append({"role": "assistant", "content": example["rationale"]})
    values = {
        "question": with_choices(question, choices),
        "reference_answer": reference_answer,
    }
    messages.append({"role": "user", "content": fill(chosen.user, values)})
    return messages


def fill(template: str, values: Mapping[str, str]) -> str:
    """Replace each ``{name}`` of the template once; the values are never looked into."""
    return _PLACEHOLDER.sub(lambda match: values[match[1]], template)


def with_choices(question: str, choices: Sequence[str]) -> str:
    """The question with its choices as lettered lines below it.

    A label that a choice already carries ("A) 12", "(b) 12") is not written twice, as long as
    it is the right one for its place.
    """
    if not choices:
        return question
    lines = []
    for index, choice in enumerate(choices):
        letter = choice_letter(index)
        label = _CHOICE_LABEL.match(choice)
        text = choice[label.end() :] if label and label[1].upper() == letter else choice
        lines.append(f"{letter}) {text.strip()}")
    return question + "\n" + "\n".join(lines)


def choice_letter(index: int) -> str:
    """0 -> A, 25 -> Z, 26 -> AA, as columns of a spreadsheet are named."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
