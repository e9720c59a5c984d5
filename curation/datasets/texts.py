"""How a rationale stands before the student: its thoughts, and whether the answer comes last or first."""

import re
from dataclasses import dataclass
from typing import Any

_THINK = re.compile(r"\s*<think>(.*?)</think>\s*", re.DOTALL)
# The line with the answer, as teachers are asked to end: "Answer: 8", "**Final answer:** 8", "#### 8".
_ANSWER = re.compile(
    r"(?:[*_#>\s]*(?:final\s+)?answer\s*[:：=]|\s*####|.*\\boxed\{)", re.IGNORECASE
)


@dataclass(frozen=True)
class Arranged:
    """`thoughts` is "" where there are none; `reason`: why it cannot stand in the dataset, else ""."""

    text: str
    thoughts: str
    reason: str = ""


def arranged(text: str, reasoning: str | None, recipe: dict[str, Any]) -> Arranged:
    """The text and the thoughts of a rationale as the recipe wants them.

    Thoughts come from the field beside the text or from a <think> part at its beginning; both are the
    same to a student, so both are treated alike.
    """
    thoughts = reasoning or ""
    if (recipe.get("form") or 1) > 1 and text.lstrip()[:7] == "<think>":
        found = _THINK.match(text)
        if found:
            thoughts = thoughts or found[1].strip()
            text = text[found.end() :]
        else:  # cut off while it thought: there is no final part
            return Arranged(text, thoughts or text, "no_final")
    if thoughts and recipe.get("thoughts") == "none":
        return Arranged(text, thoughts, "thoughts")
    if recipe.get("style") == "answer_first":
        turned = answer_first(text)
        if turned is None:
            return Arranged(text, thoughts, "no_answer")
        text = turned
    return Arranged(text, thoughts)


def answer_first(text: str) -> str | None:
    """The text with the line of its answer before the rest; None where its last line is no answer."""
    body, _, last = text.rstrip().rpartition("\n")
    if not _ANSWER.match(last) or not body.strip():
        return None
    return f"{last.strip()}\n\n{body.strip()}"


def message(text: str, reasoning: str | None, recipe: dict[str, Any]) -> dict[str, Any]:
    """The assistant's message of a rationale. A recipe that keeps thoughts in a field gives it to every
    message, empty where there are none: a column is there for all rows or for none."""
    if (recipe.get("form") or 1) < 2:
        return {"role": "assistant", "content": text}
    told = arranged(text, reasoning, recipe)
    how = recipe.get("thoughts", "final")
    content = told.text
    if how == "inline" and told.thoughts:
        content = f"<think>\n{told.thoughts}\n</think>\n\n{content}"
    made = {"role": "assistant", "content": content}
    if how in ("reasoning_content", "thinking"):
        made[how] = told.thoughts
    return made
