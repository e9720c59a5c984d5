"""Values of columns as texts: contexts in all their forms, verdicts, metadata, the parts of an answer."""

import json
import re
from typing import Any

from curation.questions.rows import MAX_TEXT, RowError, plain_number, storable
from curation.questions.shapes.columns import normal, texts_in
from curation.questions.shapes.finals import final_answer, last_boxed, split_worked_answer

MISSING = {"", "nan", "null", "<na>", "#n/a"}
RIGHT = {"correct", "right", "true", "yes", "pass", "passed", "1", "1.0", "solution", "verified"}
WRONG = {"incorrect", "wrong", "false", "no", "fail", "failed", "0", "0.0", "found_error"}
MAX_ANSWERS = 50
MAX_METADATA = 20_000
LONG = 300


def is_nothing(value: Any) -> bool:
    return value is None or value == "" or value == [] or value == {}


def long_text(value: Any, name: str) -> str:
    """A text, or texts in lists and objects one under the other: passages with their titles."""
    if isinstance(value, str):
        return storable(value, name).strip()
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return plain_number(value, name)
    if isinstance(value, dict):
        keys = {normal(str(k)): v for k, v in value.items()}
        titles, sentences = keys.get("title"), keys.get("sentences")
        if isinstance(titles, list) and isinstance(sentences, list):
            parts = [
                f"{t}\n{' '.join(texts_in(s))}" for t, s in zip(titles, sentences, strict=False)
            ]
            return storable("\n\n".join(parts), name)
        if isinstance(keys.get("contexts"), list):
            return storable("\n\n".join(texts_in(keys["contexts"])), name)
    if isinstance(value, list) and value and all(isinstance(one, list) for one in value):
        parts = ["\n".join(long_text(inner, name) for inner in one) for one in value]
        return storable("\n\n".join(parts), name)
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        return storable("\n\n".join("\n".join(texts_in(one)) for one in value), name)
    return storable("\n".join(texts_in(value)).strip(), name)


def verdict_of(value: Any) -> bool | None:
    """True, False, or None where a file says neither."""
    if isinstance(value, bool):
        return value
    if value is None:
        return None
    word = str(value).strip().lower()
    return True if word in RIGHT else False if word in WRONG else None


def answer_in(value: dict[str, Any]) -> Any:
    """The answer in {"text": …, "answer_start": …} and its like; None where it says none."""
    keys = ("text", "answer", "value", "answer_text")
    return next((value[k] for k in keys if isinstance(value.get(k), str | int | float)), None)


def check_own_list(value: list[Any]) -> None:
    """Our own `reference_answer` says what it means: an empty or nested list is a mistake there."""
    if not value or len(value) > MAX_ANSWERS:
        raise RowError(f"reference_answer must hold 1 to {MAX_ANSWERS} answers")
    if any(isinstance(one, list | dict | bool) or one == "" for one in value):
        raise RowError("reference_answer must be a list of texts, none of them empty")


def answers_of(value: Any, name: str) -> tuple[str | None, list[str], str]:
    """(the answer, others that are as right, the work that led to it) of a reference's value."""
    if isinstance(value, list):
        flat = [one for inner in value for one in (inner if isinstance(inner, list) else [inner])]
        if len(flat) > MAX_ANSWERS:
            raise RowError(f"{name} must hold 1 to {MAX_ANSWERS} answers")
        found = [answers_of(one, name)[0] for one in flat if one is not None]
        if any(not one for one in found):
            raise RowError(f"an answer in {name} is empty")
        unique = list(dict.fromkeys(one for one in found if one))
        return (unique[0] if unique else None), unique[1:], ""
    if value is None:
        return None, [], ""
    if isinstance(value, bool):
        return ("yes" if value else "no"), [], ""
    if isinstance(value, dict):
        inner = answer_in(value)
        if inner is None:
            raise RowError(f"{name} must be a text, not a dict")
        return answers_of(inner, name)
    if isinstance(value, int | float):
        return plain_number(value, name), [], ""
    text = storable(value, name)
    if text and not text.strip():
        raise RowError("the answer is empty")
    text = text.strip()
    if text.lower() in MISSING:
        return None, [], ""
    worked, answer = split_worked_answer(text)
    if worked or answer != text:
        return answer.strip() or None, [], worked
    if len(text) > LONG or ("\n" in text and len(text) > LONG // 3):
        return final_answer(text) or None, [], text
    if "\\boxed" in text or "\\fbox" in text:
        boxed = last_boxed(text)
        work = "" if re.fullmatch(r"[\s$.]*\\f?boxed\s*\{.*\}[\s$.]*", text, re.DOTALL) else text
        return boxed or text, [], work
    return text, [], ""


def metadata_of(value: Any) -> Any:
    """A value that JSON can hold and a database takes; long ones are shortened, and say so."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        value = "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in value)
        return value if len(value) <= MAX_METADATA else value[:MAX_METADATA] + " … (shortened)"
    shown = json.dumps(value, ensure_ascii=True, default=str)
    if len(shown) > MAX_METADATA or "\\u0000" in shown or "\\ud8" in shown:
        return shown[:MAX_METADATA].replace("\\u0000", "\ufffd") + " … (shortened)"
    return value


def shortened_name(value: str, most: int) -> str:
    return value[:most].strip()


def too_long(text: str) -> bool:
    return len(text) > MAX_TEXT
