"""Prompt styles: versioned templates with plain replacement.

A template is replaced in one pass, placeholder by placeholder; what is put in is never read
again. So nothing that stands in a question, a choice, an example or a reference answer is ever
evaluated, formatted or replaced: ``{question}``, ``{x.__class__}``, ``{{ 7*7 }}`` and ``%s`` in
a question reach the model as they are.

The templates stand in templates/prompts/styles.json. Whoever changes one raises its version: a
rationale keeps the style and version that asked for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_CHOICE_LABEL = re.compile(r"^\s*\(?([A-Za-z]{1,2})\s*[).:]\s*")


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


def _read(path: Path) -> dict[str, Style]:
    styles = {}
    for row in json.loads(path.read_text(encoding="utf-8")):
        row["NAME"], row["needs"] = row.pop("name"), tuple(row["needs"])
        styles[row["NAME"]] = Style(**row)
    return styles


# The web lists the same file; neither may import the other.
STYLES = _read(Path(__file__).resolve().parents[2] / "templates" / "prompts" / "styles.json")


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
) -> list[dict[str, Any]]:
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
