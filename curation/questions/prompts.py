"""How a question stands before a student: what it learns from, and what it is measured with."""

import re

from curation.questions.models import Question

_LABEL = re.compile(r"^\s*\(?([A-Za-z]{1,2})\s*[).:]\s*")


def prompt_of(question: Question) -> str:
    """The question, with its choices as lettered lines below it: the bytes of the generator's style
    `plain`, which every student is asked in (a test holds the two against each other; the web does
    not import the generator)."""
    lines = [question.text]
    for place, choice in enumerate(question.choices):
        letter, label = _letter(place), _LABEL.match(choice)
        text = choice[label.end() :] if label and label[1].upper() == letter else choice
        lines.append(f"{letter}) {text.strip()}")
    return "\n".join(lines)


def _letter(place: int) -> str:
    """0 is A, 25 Z, 26 AA."""
    return (_letter(place // 26 - 1) if place > 25 else "") + chr(ord("A") + place % 26)
