"""The filters of the list of rationales in words, for whoever reads what they were used for."""

from curation.projects.models import Project, User
from curation.rationales.listing.selectors import (
    ANSWERS,
    BANDS,
    DECISIONS,
    FLAGS,
    ORDERS,
    range_words,
)
from curation.rationales.models import Teacher

NAMES = {
    "teacher": "teacher",
    "temperature": "temperature",
    "answer": "answer",
    "band": "score",
    "range": "score",
    "valid_from": "valid steps from",
    "valid_to": "valid steps to",
    "decision": "decision",
    "flag": "flags",
    "reviewer": "reviewed by",
    "since": "written since",
    "until": "written until",
    "q": "words",
    "sort": "order",
}
VALUES = {"band": BANDS, "decision": DECISIONS, "sort": ORDERS}


def in_words(project: Project, filters: dict[str, str]) -> list[str]:
    """Each filter as "name: value", such as "teacher: strong"; filters were checked before."""
    return [
        f"{NAMES.get(name, name)}: {_value(project, name, value)}"
        for name, value in filters.items()
        if name != "after"
    ]


def _value(project: Project, name: str, value: str) -> str:
    if name in ("teacher", "reviewer"):
        rows = (
            Teacher.objects.filter(project=project)
            if name == "teacher"
            else User.objects.filter(memberships__project=project)
        )
        found = rows.filter(pk=value).first() if value.isdigit() else None
        return str(found) if found else "somebody who is gone"
    if name == "range":
        return range_words(value)
    if name == "flag":
        return FLAGS.get(value, value.replace("_", " "))
    if name == "answer":
        return ANSWERS.get(value, value)
    return VALUES.get(name, {}).get(value, value)
