"""Rows as flat columns, and what the first rows say of each."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

Record = dict[str, Any]
MAX_DEPTH = 5
# An object under such a name is one value: it is kept, or read as a whole.
WHOLE = re.compile(
    r"^(metadata|meta|meta_info|extra_info|extra|info|tags|context|contexts|distilabel_metadata|other"
    r"|usage|config|.*target_scores|value_counts|solution_type)$"
)
_KEY = re.compile(r"^(?:option[_ ]?|choice[_ ]?)?(?:[A-Za-z]|[A-Za-z]?\d{1,2})$")


def normal(name: str) -> str:
    """`answerKey`, `Answer Key` and `answer-key` are `answer_key`."""
    name = name.replace("CoT", "Cot")
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name.strip())
    return re.sub(r"[^\w.]+|_+", "_", name.casefold()).strip("_")


def is_options(value: dict[str, Any]) -> bool:
    """{"A": …, "B": …}: an option for each letter or number."""
    return (
        len(value) >= 2
        and all(_KEY.match(str(key)) for key in value)
        and all(isinstance(one, str | int | float | None) for one in value.values())
    )


def is_labelled(value: dict[str, Any]) -> bool:
    """{"text": […], "label": […]}: options as two lists."""
    lists = [one for one in value.values() if isinstance(one, list)]
    keys = {normal(str(key)) for key in value}
    return (
        len(lists) >= 2
        and bool(keys & {"label", "labels"})
        and bool(keys & {"text", "texts", "choices", "options"})
    )


def is_scored(name: str, value: dict[str, Any]) -> bool:
    """{"Yes": 1, "No": 0}: an option with its score for each."""
    return "target_scores" in normal(name) and all(
        isinstance(v, int | float) for v in value.values()
    )


def flat(record: Record) -> Record:
    """The row with the fields of its inner objects as columns of dotted names. An object that is one value
    (options, metadata) stays as it is."""
    for value in record.values():
        if type(value) is dict:
            break
    else:
        return record
    made: Record = {}
    _flatten(record, "", made, 0)
    return made


def _flatten(value: Record, prefix: str, made: Record, depth: int) -> None:
    for key, one in value.items():
        name = f"{prefix}{key}"
        if (
            type(one) is dict
            and one
            and depth < MAX_DEPTH
            and not WHOLE.match(normal(str(key)))
            and not is_options(one)
            and not is_labelled(one)
            and not is_scored(str(key), one)
        ):
            _flatten(one, f"{name}.", made, depth + 1)
        else:
            made[name] = one


@dataclass
class Column:
    """What the first rows say of a column. seen: rows that have it with a value; kinds: how often each
    Python type; values: the first ones; lengths: characters of each text."""

    name: str
    seen: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    values: list[Any] = field(default_factory=list)
    distinct: set[Any] = field(default_factory=set)
    lengths: list[int] = field(default_factory=list)

    def take(self, value: Any) -> None:
        if value is None or value == "" or (value == [] or value == {}):
            return
        self.seen += 1
        self.kinds[kind_of(value)] += 1
        self.values.append(value)
        if isinstance(value, str):
            self.lengths.append(len(value))
        if isinstance(value, str | int | float | bool) and len(self.distinct) < 5000:
            self.distinct.add(value)

    @property
    def kind(self) -> str:
        """The commonest type: text, number, bool, texts, numbers, bools, objects, lists, object."""
        return self.kinds.most_common(1)[0][0] if self.kinds else "nothing"

    @property
    def key(self) -> str:
        return normal(self.name)

    @property
    def last(self) -> str:
        """The name without what it stands in."""
        return self.key.rsplit(".", 1)[-1].strip("_")

    @property
    def median_length(self) -> int:
        return sorted(self.lengths)[len(self.lengths) // 2] if self.lengths else 0

    @property
    def is_constant(self) -> bool:
        return self.seen > 1 and len(self.distinct) == 1

    def example(self) -> str:
        """Its first value, shortened."""
        return shortened(self.values[0]) if self.values else ""


def shortened(value: Any, most: int = 80) -> str:
    text = " ".join(str(value).split()) if isinstance(value, str) else repr(value)
    return text if len(text) <= most else text[: most - 1] + "…"


def kind_of(value: Any) -> str:
    if isinstance(value, str):
        return "text"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, dict):
        return "object"
    if isinstance(value, list):
        inner = {type(one) for one in value if one is not None}
        if inner <= {str}:
            return "texts"
        if inner <= {bool}:
            return "bools"
        if inner <= {int, float}:
            return "numbers"
        if inner <= {dict}:
            return "objects"
        return "lists"
    return "text"


def profile(records: Iterable[Record]) -> dict[str, Column]:
    """The columns of flat rows, in the order in which they first come."""
    found: dict[str, Column] = {}
    for record in records:
        for name, value in record.items():
            column = found.get(name)
            if column is None:
                column = found[name] = Column(name)
            column.take(value)
    return found


def texts_in(value: Any) -> Iterator[str]:
    """All texts inside of a value, in order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from texts_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts_in(one)
