r"""Sets of numbers said by a relation: $-2 \le x < 7$, $x \in [-2, 7)$, $\{x \mid x > 5\}$, "at least 9".

Gives the text of what stands on each side; `values` makes intervals of them.
"""

import re
from dataclasses import dataclass

_SIGN = re.compile(r"\\(?:leqslant|geqslant|leq|geq|le|ge|lt|gt)(?![a-zA-Z])|<=|>=|<|>|=<|≤|≥|⩽|⩾")
_MEANING = {
    **dict.fromkeys((r"\leqslant", r"\leq", r"\le", "<=", "=<", "≤", "⩽"), "<="),
    **dict.fromkeys((r"\geqslant", r"\geq", r"\ge", ">=", "≥", "⩾"), ">="),
    r"\lt": "<",
    r"\gt": ">",
    "<": "<",
    ">": ">",
}
_NAME = re.compile(r"\s*\\?[a-zA-Z]+(?:_\{?\w+\}?)?(?:\s*\([a-z]\))?\s*")
_IN = re.compile(r"\\in(?![a-zA-Z])|∈")
_OR = re.compile(r"\sor\s|\\text\s?\{\s?or\s?\}|\\lor\b|\sOR\s")
_BUILDER = re.compile(
    r"\\?\{\s?([a-zA-Z])\s?(?:\\in\s?(?:\\mathbb\s?\{?\s?R\s?\}?|R)\s?)?(?:\\mid|\\vert|\\middle\s?\||\||:)(.*?)\\?\}\s?$",
    re.S,
)
_REAL = re.compile(r",?\s?[a-zA-Z]\s?(?:\\in|∈)\s?(?:\\mathbb\s?\{?\s?[RQ]\s?\}?|\\R\b|R)\s?,?")
_BOUND = re.compile(
    r"(?:(?P<low>at\s+least|no\s+(?:less|fewer)\s+than|not\s+less\s+than|a\s+minimum\s+of)"
    r"|(?P<over>more\s+than|greater\s+than|larger\s+than|over|above|higher\s+than)"
    r"|(?P<high>at\s+most|no\s+more\s+than|not\s+more\s+than|up\s+to|a\s+maximum\s+of)"
    r"|(?P<under>less\s+than|fewer\s+than|smaller\s+than|under|below|lower\s+than))\s+(?P<value>\S.{0,60})$",
    re.I | re.S,
)
_RANGE = re.compile(
    r"(?:(?:between|from)\s+)?([$€£]?\d[\d.,]{0,20}%?)\s*(?:to|and|through|\bor\b|–|—)\s+([$€£]?\d[\d.,]{0,20}%?)"
    r"(?P<unit>(?:\s+[a-zA-Z]{1,20}){0,3})$",
    re.I,
)  # fmt: skip
_OR_MORE = re.compile(
    r"([-+]?[$€£]?\d[\d.,]{0,20}%?(?:\s[a-zA-Z]{1,20}){0,3})\s(?:or|and)\s"
    r"(more|less|fewer|above|below|over|under|higher|lower|greater|up)$",
    re.I,
)
_MORE = frozenset(("more", "above", "over", "higher", "greater", "up"))
_RATIO = re.compile(r"([-+\w.\\{}^/ ]{1,40}):([-+\w.\\{}^/ ]{1,40})(?::([-+\w.\\{}^/ ]{1,40}))?$")
INFINITY = r"\infty"


@dataclass(frozen=True, slots=True)
class Span:
    """Texts of an interval's two ends, and whether each belongs to it."""

    low: str
    high: str
    low_closed: bool
    high_closed: bool


def relation(text: str) -> list[Span] | str | None:
    r"""The spans that an inequality says (several: their union), or the text of the set in $x \in S$.

    None where the text is none of these.
    """
    if not any(sign in text for sign in ("<", ">", "\\l", "\\g", "\\in", "∈", "≤", "≥", "⩽", "⩾")):
        return None
    builder = _BUILDER.match(text)
    if builder:
        text = _REAL.sub("", builder[2]).strip()
    inside = _IN.split(text)
    if len(inside) == 2 and _NAME.fullmatch(inside[0]):
        return inside[1].strip()
    parts = [p for p in _OR.split(text) if p.strip()]
    spans = [_span(part) for part in parts]
    return None if None in spans or not spans else spans


def _span(text: str) -> Span | None:
    signs = [_MEANING[m.group()] for m in _SIGN.finditer(text)]
    sides = [s.strip(" ,.") for s in _SIGN.split(text)]
    if len(signs) == 1 and not sides[0] and sides[1]:  # "> 7"
        return half_line(sides[1], is_above=signs[0][0] == ">", is_closed="=" in signs[0])
    if not all(sides):
        return None
    if len(signs) == 2 and signs[0][0] == signs[1][0] and _NAME.fullmatch(sides[1]):
        low, high = (sides[0], sides[2]) if signs[0][0] == "<" else (sides[2], sides[0])
        ends = signs if signs[0][0] == "<" else signs[::-1]
        return Span(low, high, "=" in ends[0], "=" in ends[1])
    if len(signs) != 1:
        return None
    sign = signs[0]
    if _NAME.fullmatch(sides[0]):
        bound = sides[1]
    elif _NAME.fullmatch(sides[1]):
        bound, sign = sides[0], {"<": ">", ">": "<"}[sign[0]] + sign[1:]
    else:
        return None
    return half_line(bound, is_above=sign[0] == ">", is_closed="=" in sign)


def half_line(bound: str, is_above: bool, is_closed: bool) -> Span:
    """All numbers on one side of a bound."""
    if is_above:
        return Span(bound, INFINITY, is_closed, False)
    return Span("-" + INFINITY, bound, False, is_closed)


def bound_in_words(text: str) -> Span | None:
    """ "at least 9", "more than 9", "9 to 10": a set of numbers, not one number."""
    m = _BOUND.match(text)
    if m and any(ch.isdigit() for ch in m["value"]):
        closed = bool(m["low"] or m["high"])
        return half_line(m["value"], is_above=bool(m["low"] or m["over"]), is_closed=closed)
    m = _OR_MORE.match(text)
    if m:
        return half_line(m[1], is_above=m[2].lower() in _MORE, is_closed=True)
    m = _RANGE.match(text)
    if not m or (not text[:1].isalpha() and re.search(r"\d\s+(?:and|or)\s", text)):
        return None  # "2 and 3" are two answers
    return Span(m[1] + m["unit"], m[2] + m["unit"], True, True)


def ratio(text: str) -> list[str] | None:
    """The members of a ratio, ["3", "5"] of "3:5"; None where it is none."""
    if ":" not in text:
        return None
    m = _RATIO.match(text)
    if not m or not any(ch.isdigit() for ch in m[1]) or not any(ch.isdigit() for ch in m[2]):
        return None
    members = [one.strip() for one in m.groups() if one is not None]
    return None if any(re.search(r"[a-zA-Z]{3,}", one.replace("\\sqrt", "").replace("\\frac", ""))
                       for one in members) else members  # fmt: skip
