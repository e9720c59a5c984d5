"""Choices in all forms that files have, and which of them is right."""

import ast
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from curation.questions.shapes.columns import is_labelled, kind_of, normal

# Bounded repeats, so that a long run of blanks cannot be cut up in many ways.
_MARK = re.compile(r"^\s{0,9}[(\[]?\s{0,3}([A-Za-z]|\d{1,2})\s{0,3}[)\].:、．]\s*(?=\S)")
# Labels in one line or on lines of their own: "A) 1 B) 2", "a ) 38 , b ) 27".
_INSIDE = re.compile(r"(?:^|(?<=[\s,;|\n]))[(\[]?\s?([A-Za-z])\s?[)\].:、．](?=\s|\S)")
_LETTER = re.compile(
    r"^\s{0,9}(?:option|choice|answer|选项)?\s{0,3}[(\[\"'`*]{0,6}\s{0,3}([A-Za-z])"
    r"\s{0,3}[)\]\"'`*]{0,6}\s{0,3}[.):：]?\s*$",
    re.IGNORECASE,
)
_LEADING = re.compile(r"^\s*[(\[]?([A-Z])[)\].:]\s*\S")
TEXT_KEYS = ("text", "content", "value", "answer", "choice", "option", "body", "title")
# A line of a block of options at the end of a question's text, and the line above such a block.
_OPTION_LINE = re.compile(r"[ \t]{0,9}[(\[]?[A-Za-z][)\].:、．][ \t]{0,9}\S")
_OPTIONS_HEAD = re.compile(r"\s{0,9}(?:answer )?(?:options|choices)\s{0,3}:?\s{0,9}", re.IGNORECASE)
INTERPRETATIONS = ("label", "text", "0", "1", "score")


@dataclass(frozen=True, slots=True)
class Choices:
    """texts: the choices as they are stored; labels: what the file calls them, letters where it does not
    say; scores: where the choices come with which is right (1) or wrong (0)."""

    texts: tuple[str, ...]
    labels: tuple[str, ...]
    scores: tuple[float, ...] = ()


def letter(place: int) -> str:
    """0 is A, 25 Z, 26 AA."""
    return (letter(place // 26 - 1) if place > 25 else "") + chr(ord("A") + place % 26)


def letters(count: int) -> tuple[str, ...]:
    return _LETTERS[count] if count < len(_LETTERS) else tuple(letter(n) for n in range(count))


_LETTERS = [tuple(letter(n) for n in range(count)) for count in range(30)]


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value).strip()


def read_choices(value: Any, name: str = "") -> Choices | None:
    """The choices that a value of the column `name` holds; None where it holds none."""
    if isinstance(value, str):
        return _from_text(value)
    if isinstance(value, dict):
        return _from_object(value, is_scored="score" in normal(name))
    if not isinstance(value, list) or not value:
        return None
    kind = kind_of(value)
    if kind == "texts" or kind in ("numbers", "bools"):
        return _plain(value)
    if kind == "objects":
        return _from_objects(value)
    if all(isinstance(one, list) and len(one) == 1 and isinstance(one[0], dict) for one in value):
        return _from_objects([one[0] for one in value])
    if all(isinstance(one, list) and len(one) == 2 for one in value):
        texts = [_shown(one[1]) for one in value]
        return Choices(tuple(texts), tuple(_shown(one[0]) for one in value))
    if all(isinstance(one, str | int | float | bool | None) for one in value):
        return _plain(value)
    return None


def _plain(value: Sequence[Any]) -> Choices:
    texts = tuple(_shown(one) for one in value)
    marks = [_MARK.match(one) for one in texts]
    labels = letters(len(texts))
    if all(marks):
        found = tuple(m[1].upper() for m in marks if m)
        if len(set(found)) == len(found):
            labels = found
    return Choices(texts, labels)


def _from_object(value: dict[str, Any], *, is_scored: bool = False) -> Choices | None:
    if is_labelled(value):
        keys = {normal(k): v for k, v in value.items()}
        texts = next(
            (keys[k] for k in ("text", "texts", "choices", "options") if keys.get(k)), None
        )
        labels = keys.get("label") or keys.get("labels")
        if not isinstance(texts, list) or not isinstance(labels, list) or len(texts) != len(labels):
            return None
        shown = tuple(_shown(one) for one in texts)
        if (
            all(isinstance(one, int | float) for one in labels)
            and set(labels) <= {0, 1}
            and len(labels) > 1
        ):
            return Choices(shown, letters(len(shown)), tuple(float(one) for one in labels))
        return Choices(shown, tuple(_shown(one) for one in labels))
    if len(value) < 2:
        return None
    if all(isinstance(one, int | float) and not isinstance(one, bool) for one in value.values()):
        texts_ = tuple(str(key) for key in value)
        if is_scored or not all(len(one) == 1 for one in texts_):
            return Choices(texts_, letters(len(texts_)), tuple(float(v) for v in value.values()))
    found = [(str(k), _shown(v)) for k, v in value.items() if v is not None]
    if len(found) < 2:
        return None
    labels = tuple(re.sub(r"^(?:option|choice)[_ ]?", "", k, flags=re.IGNORECASE) for k, _ in found)
    return Choices(tuple(v for _, v in found), labels)


def _from_objects(value: list[dict[str, Any]]) -> Choices | None:
    """A list of {label, text}: the key with short values that differ is the label."""
    if len(value) < 2 or not all(isinstance(one, dict) and one for one in value):
        return None
    keys = [k for k in value[0] if all(k in one for one in value)]
    plain = [k for k in keys if all(isinstance(one[k], str | int | float) for one in value)]
    is_right = [
        k
        for k in keys
        if all(isinstance(one[k], bool) for one in value) and any(one[k] for one in value)
    ]
    plain = [k for k in plain if k not in is_right]
    named = [k for k in plain if normal(k) in TEXT_KEYS or normal(k).endswith("_text")]

    def shortness(key: str) -> int:
        return max(len(_shown(one[key])) for one in value)

    text = named[0] if len(named) == 1 else max(named or plain, key=shortness, default=None)
    if text is None:
        return None
    label = next(
        (
            k
            for k in plain
            if k != text and shortness(k) <= 3 and len({one[k] for one in value}) == len(value)
        ),
        None,
    )
    texts = tuple(_shown(one[text]) for one in value)
    labels = tuple(_shown(one[label]) for one in value) if label else letters(len(texts))
    scores = tuple(float(one[is_right[0]]) for one in value) if is_right else ()
    return Choices(texts, labels, scores)


def _from_text(value: str) -> Choices | None:
    """Choices in one text: a list as Python or JSON writes it, or "A) 1 B) 2"."""
    text = value.strip()
    if text.startswith(("[", "{")) and len(text) < 20_000:
        found = _literal(text)
        if isinstance(found, list | dict):
            return read_choices(found)
    if found := options_in(text):
        return Choices(found, letters(len(found)))
    for mark in ("\n", " | ", "||", ";", "|"):
        parts = [part.strip() for part in text.split(mark) if part.strip()]
        if len(parts) >= 2:
            return _plain(parts)
    return None


def _literal(text: str) -> Any:
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    if text.startswith("["):  # NumPy's, without commas: ['x' 'y']
        found = re.findall(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"", text)
        return [a or b for a, b in found] or None
    return None


def options_in(text: str) -> tuple[str, ...]:
    """The options of a text that is nothing but options, lettered from A on; () where it is not."""
    places: list[tuple[int, int]] = []
    for found in _INSIDE.finditer(text):
        if found[1].upper() == letter(len(places)):
            places.append((found.start(), found.end()))
    if len(places) < 2 or text[: places[0][0]].strip(" ,;\n["):
        return ()
    ends = [start for start, _ in places[1:]] + [len(text)]
    parts = [text[start:end] for (_, start), end in zip(places, ends, strict=True)]
    return tuple(part.strip().rstrip(",;|").strip() for part in parts)


def cut_options(text: str) -> tuple[str, tuple[str, ...]]:
    """(the question, its options) of a text that ends with lettered options on lines of their own, or in
    one last line; (text, ()) where it does not."""
    lines = text.rstrip().split("\n")
    first = len(lines)
    while first and (not lines[first - 1].strip() or _OPTION_LINE.match(lines[first - 1])):
        first -= 1
    while first < len(lines) and not lines[first].strip():
        first += 1
    options = options_in("\n".join(lines[first:]).strip()) if 0 < first < len(lines) else ()
    if len(options) >= 2:
        return _without_head(lines[:first]), options
    options = options_in(lines[-1].strip()) if len(lines) > 1 else ()
    if len(options) >= 3:
        return _without_head(lines[:-1]), options
    return text, ()


def _without_head(lines: list[str]) -> str:
    """The question above its options, without the line "Options:"."""
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    if len(lines) > 1 and _OPTIONS_HEAD.fullmatch(lines[-1]):
        lines = lines[:-1]
    return "\n".join(lines).rstrip()


def squeezed(text: str) -> str:
    return " ".join(text.split()).casefold().rstrip(".")


def without_mark(text: str) -> str:
    return _MARK.sub("", text)


def by_label(value: Any, choices: Choices) -> int | None:
    """The place that a letter (or the file's own label) names."""
    shown = _shown(value)
    if not shown:
        return None
    for place, label in enumerate(choices.labels):
        if shown == label or shown.casefold() == label.casefold():
            return place
    found = _LETTER.match(shown) or _LEADING.match(shown)
    if found:
        wanted = found[1].upper()
        for place, label in enumerate(choices.labels):
            if wanted == label.upper():
                return place
        place = ord(wanted) - 65
        if place < len(choices.texts) and all(label.isdigit() for label in choices.labels):
            return place
    return None


def by_text(value: Any, choices: Choices) -> int | None:
    wanted = squeezed(_shown(value))
    if not wanted:
        return None
    hits = [n for n, one in enumerate(choices.texts) if squeezed(one) == wanted]
    if not hits:
        bare = squeezed(without_mark(_shown(value)))
        hits = [
            n
            for n, one in enumerate(choices.texts)
            if squeezed(without_mark(one)) in (wanted, bare)
        ]
    return hits[0] if hits else None


def by_index(value: Any, choices: Choices, base: int) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        found = re.search(
            r"^\s*(?:option|choice|answer|sol|ending)?[ _]?(\d{1,3})(?:\.0)?\s*$", value, re.I
        )
        if not found:
            return None
        value = int(found[1])
    if not isinstance(value, int | float) or value != int(value):
        return None
    place = int(value) - base
    return place if 0 <= place < len(choices.texts) else None


def by_scores(value: Any, choices: Choices) -> list[int] | None:
    """[0, 1, 0] or [0.1, 0.8]: the places of the best score; of ones and zeros all ones."""
    if not isinstance(value, list | tuple) or len(value) != len(choices.texts) or len(value) < 2:
        return None
    if not all(isinstance(one, int | float) for one in value):
        return None
    best = max(value)
    if min(value) == best:
        return None
    return [n for n, one in enumerate(value) if one == best]


def places(value: Any, choices: Choices, how: str) -> list[int] | None:
    """The right choices that a value names when it is read as `how` says (`INTERPRETATIONS`); None where
    it cannot be read so."""
    if how == "score":
        return by_scores(value, choices)
    if isinstance(value, list):
        found = [places(one, choices, how) for one in value]
        if not found or any(one is None for one in found):
            return None
        return list(dict.fromkeys(n for one in found for n in one or ()))
    if how in ("0", "1"):
        one = by_index(value, choices, int(how))
    elif how == "label":
        one = by_label(value, choices)
        if one is None and isinstance(value, str) and len(value) < 60:
            return _several(value, choices)
    else:
        one = by_text(value, choices)
    return None if one is None else [one]


def _several(value: str, choices: Choices) -> list[int] | None:
    """ "A, C" or "AC": several letters, each of which stands for a choice, in order and each once."""
    bare = value.strip().rstrip(".").strip().strip("()[]")
    words = [word for word in re.split(r"[\s,;/&、]", bare) if word and word.lower() != "and"]
    if len(words) == 1 and words[0].isupper():
        words = list(words[0])
    if len(words) < 2 or any(len(word) > 1 for word in words):
        return None
    found = [by_label(one, choices) for one in words]
    if any(one is None for one in found) or len(set(found)) < len(found):
        return None
    return [one for one in found if one is not None]


@dataclass
class Tally:
    """How a file names its right choice, counted over its rows: how many fit each reading; `only` the first
    line at which a reading alone did not fit."""

    rows: int = 0
    fits: Counter[str] = field(default_factory=Counter)
    fails_at: dict[str, int] = field(default_factory=dict)

    def take(self, value: Any, choices: Choices, line: int = 0) -> None:
        self.rows += 1
        for how in INTERPRETATIONS:
            if places(value, choices, how) is not None:
                self.fits[how] += 1
            elif how not in self.fails_at:
                self.fails_at[how] = line

    def best(self, first_number: int | None = None) -> str:
        """The reading that fits the most rows; "" where none fits half of them. Where numbers fit from 0 and
        from 1 alike, `first_number` (of the choices' own names) decides, else 0."""
        if not self.rows:
            return ""
        order = ["label", "text", "score", "0", "1"]
        if first_number == 1:
            order = ["label", "text", "score", "1", "0"]
        best = max(order, key=lambda how: (self.fits[how], -order.index(how)))
        if self.fits[best] * 2 < self.rows:
            return ""
        # A label or text that fits by chance in most rows loses to a number that fits all.
        return best

    @property
    def is_ambiguous(self) -> bool:
        """Do numbers from 0 and from 1 fit every row, and nothing else does?"""
        whole = self.rows
        return (
            bool(whole)
            and self.fits["0"] == self.fits["1"] == whole
            and not any(self.fits[how] == whole for how in ("label", "text", "score"))
        )
