"""Rows that hold several questions (a passage with its questions, Label Studio's tasks): one row each."""

from collections.abc import Iterator
from typing import Any

from curation.questions.shapes.chats import is_chat
from curation.questions.shapes.columns import normal
from curation.questions.shapes.names import known

Record = dict[str, Any]
HOLDERS = {
    *(
        "qas",
        "paragraphs",
        "questions",
        "qa_pairs",
        "qa",
        "examples",
        "problems",
        "items",
        "question_list",
    ),
    *("data", "rows", "instances", "sub_questions", "test_example", "qapairs"),
}
MAX_HELD = 10_000


def spread(record: Record, depth: int = 0) -> Iterator[Record]:
    """The rows that a record stands for: itself, unless it holds several questions."""
    if not isinstance(record, dict):
        return
    if "data" in record and (
        "annotations" in record or "predictions" in record or "completions" in record
    ):
        yield label_studio(record)
        return
    if depth < 4:
        for key, value in record.items():
            if not isinstance(value, list) or normal(key) not in HOLDERS or is_chat(value):
                continue
            if value and all(isinstance(one, dict) for one in value[:50]):
                rest = {k: v for k, v in record.items() if k != key}
                if parallel := _parallel(rest, value):
                    yield from parallel
                    return
                for one in value[:MAX_HELD]:
                    yield from spread({**rest, **one}, depth + 1)
                return
            if value and normal(key) == "questions" and all(isinstance(q, str) for q in value):
                yield from _lists(record, key, len(value))
                return
    yield record


def holds_several(record: Record) -> bool:
    """Would `spread` make other rows of it?"""
    found = spread(record)
    first = next(found, record)
    return first is not record


def _lists(record: Record, key: str, length: int) -> Iterator[Record]:
    """RACE's form: lists of the same length, an element for each question."""
    along = [k for k, v in record.items() if isinstance(v, list) and len(v) == length]
    for place in range(length):
        yield {
            (_singular(k) if k in along else k): (v[place] if k in along else v)
            for k, v in record.items()
        }


def _parallel(rest: Record, value: list[Record]) -> list[Record]:
    """CoQA's form: questions and answers as two lists of objects."""
    other = next(
        (
            (k, v)
            for k, v in rest.items()
            if normal(k) == "answers" and isinstance(v, list) and len(v) == len(value) and v
            if all(isinstance(one, dict) for one in v)
        ),
        None,
    )
    text = next((k for k in ("input_text", "text", "question") if k in value[0]), None)
    if other is None or text is None:
        return []
    base = {k: v for k, v in rest.items() if k != other[0]}
    said = [one.get("input_text", one.get("text", one.get("answer"))) for one in other[1]]
    return [
        {**base, "question": one.get(text), "answer": a} for one, a in zip(value, said, strict=True)
    ]


def _singular(name: str) -> str:
    return name[:-1] if name.endswith("s") and name != "options" else name


def label_studio(task: Record) -> Record:
    """A task of Label Studio's JSON export: its data, and what the first annotation (and prediction) says
    under each name of the labelling page."""
    data = task.get("data")
    made: Record = dict(data) if isinstance(data, dict) else {"text": data}
    made.setdefault("id", task.get("id"))
    kept = [
        one
        for one in task.get("annotations") or task.get("completions") or ()
        if isinstance(one, dict) and not one.get("was_cancelled")
    ]
    for one in kept[:1]:
        for name, value in _results(one).items():
            taken = name in made and made[name] not in (None, "")
            made[f"annotation {name}" if taken else name] = value
    if len(kept) > 1:
        made["annotations"] = [_results(one) for one in kept]
    for n, one in enumerate(p for p in task.get("predictions") or () if isinstance(p, dict)):
        for name, value in _results(one).items():
            made[f"prediction{n or ''} {name}"] = value
        if one.get("model_version"):
            made.setdefault("model", one["model_version"])
    if isinstance(task.get("meta"), dict) and task["meta"]:
        made.setdefault("meta", task["meta"])
    return made


def _results(annotation: Record) -> Record:
    found: Record = {}
    for one in annotation.get("result") or ():
        value = one.get("value") if isinstance(one, dict) else None
        if not isinstance(value, dict):
            continue
        name = str(one.get("from_name") or one.get("type") or "label")
        kind = one.get("type")
        said = value.get(kind) if isinstance(kind, str) and kind in value else None
        if said is None:
            said = next((v for k, v in value.items() if k not in ("start", "end")), None)
        if isinstance(said, list) and len(said) == 1:
            said = said[0]
        if name in found and isinstance(said, str) and isinstance(found[name], str):
            said = f"{found[name]}\n{said}"
        found[name] = said
    return found


def has_question(record: Record) -> bool:
    """Is some text in it named as a question is, or a conversation?"""
    for key, value in record.items():
        rank = known("question", normal(key).rsplit(".", 1)[-1])
        if is_chat(value) or (
            rank is not None and rank < 300 and value and isinstance(value, str | list)
        ):
            return True
    return False
