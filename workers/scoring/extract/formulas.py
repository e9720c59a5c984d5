r"""Finds formulas in running text: `$...$`, `\(...\)`, and expressions that stand there as they are."""

import re
from collections.abc import Iterator

_DELIMITED = re.compile(
    r"\\\((?P<a>.{1,600}?)\\\)|\\\[(?P<b>.{1,600}?)\\\]|\$\$(?P<c>[^$]{1,600})\$\$", re.S
)
_DOLLAR = re.compile(r"(?<!\\)\$")
_TEXT = re.compile(r"\\(?:text|mathrm|mbox|textbf|operatorname)\s?\{[^{}]*\}|\\[a-zA-Z]+")
_PROSE = re.compile(r"(?<![a-zA-Z])[a-zA-Z]{3,}+[\s,]{1,5}[a-zA-Z]{2}|[.!?]\s{1,5}[A-Z][a-z]")
_NAMES = "sqrt|pi|sin|cos|tan|log|ln|exp|infinity|arcsin|arccos|arctan|mod"
# Letters and signs that belong to an expression; a word ends it.
_TOKEN = re.compile(
    rf"\s+|[\d½⅓⅔¼¾⅕⅛⅙⅚⅜⅝⅞]+(?:[.,'’]\d+)*|\\[a-zA-Z]+\s?|\\.|(?:{_NAMES})\b"
    rf"|[a-zA-Z](?![a-zA-Z'’])(?!\.[a-zA-Z])"
    r"|[a-zA-Z]{2,3}(?=[\^_])|(?<=[=+*/^}])[a-zA-Z]{2}(?![a-zA-Z])"
    r"|[-+*/^_=<>≤≥×÷·:!|%°√π∞∪±~(){}\[\]$€£¥₹−–⁰¹²³⁴⁵⁶⁷⁸⁹∈θαβ]"
)
_SEPARATOR = re.compile(
    r"\s*(?:[,;&]\s*(?:and\b|or\b)?|\band\b|\bor\b|\\text\{\s*(?:and|or)\s*\})\s*"
)
_TEXT_GROUP = re.compile(r"\\(?:text|mathrm|mbox|textbf)\s?\{[^{}]*\}")
_NEXT = re.compile(r"[-+−]?[$€£\\(\[{]?[-−]?(?:\d|\\|[a-zA-Z]\b(?:\s?[=^<>]))|[$({\[]")
_ARTICLE = re.compile(r"[aAI]\s+[a-zA-Z]{2,}")


def formulas(text: str) -> list[tuple[int, int, int, int]]:
    """(start, end, start inside, end inside) of each delimited formula, in order."""
    found = []
    for m in _DELIMITED.finditer(text):
        group = m.lastgroup
        found.append((m.start(), m.end(), m.start(group), m.end(group)))
    if "$" in text:
        found.extend(_by_dollars(text, found))
        found.sort()
    return found


def _by_dollars(text: str, taken: list) -> Iterator[tuple[int, int, int, int]]:
    """Pairs of single dollar signs that hold mathematics; other dollars are money."""
    places = [
        m.start()
        for m in _DOLLAR.finditer(text)
        if not any(a <= m.start() < b for a, b, *_ in taken)
    ]
    i = 0
    while i + 1 < len(places):
        a, b = places[i], places[i + 1]
        if is_formula(text[a + 1 : b]):
            yield a, b + 1, a + 1, b
            i += 2
        else:
            i += 1


def is_formula(inner: str) -> bool:
    """Whether what stands between two dollar signs is mathematics, not "5 and " of "$5 and $6"."""
    if not inner.strip() or len(inner) > 600 or "\n\n" in inner:
        return False
    if inner[-1].isspace() and not inner[0].isspace():
        return False
    if "\\" not in inner and re.search(r"[-+*/=,(<>]\s*$", inner):
        return False
    return not _PROSE.search(_TEXT.sub(" ", inner))


def expression_end(text: str) -> int:
    """Where the expression with which a text begins ends: before the first word; 0 where it begins "
    "with one."""
    at = end = 0
    while at < len(text):
        separator = _SEPARATOR.match(text, at)
        if separator and end:
            if not _NEXT.match(text, separator.end()):
                break
            at = separator.end()
            continue
        group = _TEXT_GROUP.match(text, at)
        m = group or _TOKEN.match(text, at)
        if not m or (text[at] in "aAI" and _ARTICLE.match(text, at)):
            break
        at = m.end()
        if not m.group().isspace():
            end = at
    return end
