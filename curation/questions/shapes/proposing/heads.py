"""Is a name one of a column of questions, and an object a question: what the reader of files asks."""

from typing import Any

from curation.questions.shapes.chats import is_chat
from curation.questions.shapes.columns import flat, normal
from curation.questions.shapes.names import RANKS, known
from curation.questions.shapes.nested import holds_several, spread
from curation.questions.shapes.proposing.propose import propose


def knows(name: str) -> bool:
    """Is it the name of a column that questions have?"""
    last = normal(name).rsplit(".", 1)[-1]
    if not last or last.isdigit():
        return False
    rank = known("question", last)
    if rank is not None:
        return rank < 300 or last in ("text", "task", "content")
    return any(
        last in names
        for role, names in RANKS.items()
        if role not in ("question", "metadata", "choices")
    ) or last in ("choices", "options")


def is_row(record: dict[str, Any]) -> bool:
    """Is an object a question itself, rather than one that holds them?"""
    values = list(record.values())
    if len(values) >= 2 and all(isinstance(v, dict) and len(v) > 1 for v in values):
        keys = [set(v) for v in values]
        if all(len(one & keys[0]) * 2 > len(one | keys[0]) for one in keys):
            return False  # an object of rows, each under its own key
    if holds_several(record) and not any(is_chat(v) for v in record.values()):
        return "data" in record and ("annotations" in record or "predictions" in record)
    found = [flat(one) for one in spread(record)]
    roles = propose(found[:1])
    return any(r in ("question", "messages") for r in roles.values())
