"""Splits a chain of thought into steps, each with its place in the text.

`text[step.start:step.end] == step.text` holds for every step, and steps neither overlap nor leave
out anything but white space, bullets' own line ends and `<think>` tags. Linear in the text.
"""

import re
from dataclasses import dataclass

MAX_STEPS = 10_000  # the rest of a longer rationale is its last step
LONG_LINE = 280  # a line longer than this is split into sentences


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its text and its span [start, end) in the rationale, in characters."""

    text: str
    start: int
    end: int


_TAG = re.compile(
    r"(?:(?<![ \t])[ \t]++)?</?(?:think(?:ing)?|answer|solution|reasoning)>[ \t]*", re.I
)
_ITEM = re.compile(
    r"[ \t]*+(?:[#>]+[ \t]*+)?(?:(?:\*\*|__)[ \t]*+)?(?:(?:step|part|case)[ \t]*+)?"
    r"(?:\(?\d{1,3}[.):](?!\d)|(?<=step )\d{1,3}\b|[-*•‣–][ \t])",
    re.I,
)
_OPENERS = ("\\[", "$$", "\\begin{", "```")
_SENTENCE_END = re.compile(
    r"[.!?][\"')\]*_]*(?=\s+[\"'(\[*_$\\]*[A-Z0-9$\\(]|\s*\Z)|[;:](?=\s+[A-Z])"
)
_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|St|vs|No|Fig|Eq|approx|i\.e|e\.g|a\.m|p\.m|sq|ft"
    r"|[A-Z])|^\s*\(?\d{1,3})$"
)


def split_steps(text: str) -> list[Step]:
    """Steps of a rationale: lines (with their displayed formulas) or, in running text, sentences."""
    lines = _lines(text)
    if not lines:
        return []
    spans: list[tuple[int, int]] = []
    for start, end in lines:
        if len(lines) == 1 or end - start > LONG_LINE:
            spans.extend(_sentences(text, start, end))
        else:
            spans.append((start, end))
    if len(spans) > MAX_STEPS:
        spans[MAX_STEPS - 1 :] = [(spans[MAX_STEPS - 1][0], spans[-1][1])]
    return [Step(text[a:b], a, b) for a, b in spans]


def _lines(text: str) -> list[tuple[int, int]]:
    """Spans of lines without white space at their ends; displayed formulas join their line."""
    spans: list[tuple[int, int]] = []
    open_until = ""
    pos = 0
    for raw in text.split("\n"):
        start, end = pos, pos + len(raw)
        pos = end + 1
        if "<" in raw:
            for tag in _TAG.finditer(raw):
                if tag.start() == 0:
                    start = start + tag.end()
                elif tag.end() == len(raw):
                    end = pos - 1 - (len(raw) - tag.start())
        stripped = text[start:end].strip()
        if open_until and spans:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
            if open_until in stripped:
                open_until = ""
            continue
        if not stripped:
            continue
        a = start + len(text[start:end]) - len(text[start:end].lstrip())
        b = a + len(stripped)
        opener = _opens(stripped)
        if spans and (
            stripped.startswith(("\\[", "$$", "\\begin{", "=", "\\]", "\\end{"))
            and not _ITEM.match(stripped)
        ):
            spans[-1] = (spans[-1][0], b)
        else:
            spans.append((a, b))
        open_until = opener
    return [(a, b) for a, b in spans if _says_something(text, a, b)]


def _says_something(text: str, a: int, b: int) -> bool:
    return any(ch.isalnum() for ch in text[a : min(b, a + 400)])


def _opens(line: str) -> str:
    """What closes a displayed formula that this line leaves open, "" where it leaves none."""
    if line.count("$$") % 2:
        return "$$"
    if line.count("\\[") > line.count("\\]"):
        return "\\]"
    if line.count("```") % 2:
        return "```"
    if line.count("\\begin{") > line.count("\\end{"):
        return "\\end{"
    return ""


def _sentences(text: str, start: int, end: int) -> list[tuple[int, int]]:
    spans, at = [], start
    for m in _SENTENCE_END.finditer(text, start, end):
        stop = m.end()
        abbreviated = m.group() == "." and _ABBREVIATION.search(
            text[max(at, m.start() - 8) : m.start()]
        )
        if abbreviated and (
            len(text[at : m.start()].split()) < 2 or not text[m.start() - 1].isdecimal()
        ):
            continue
        if _inside_formula(text, at, stop):
            continue
        spans.append((at, stop))
        at = stop
        while at < end and text[at].isspace():
            at += 1
    if at < end:
        spans.append((at, end))
    return [(a, b) for a, b in spans if b > a and _says_something(text, a, b)]


def _inside_formula(text: str, a: int, b: int) -> bool:
    if b - a > 2_000:
        return False
    piece = text[a:b]
    return (piece.count("$") % 2 == 1 and "\\" in piece) or piece.count("\\[") > piece.count("\\]")


_PREFIX = re.compile(
    r"^(?:[ \t]*(?:[#>*_•‣–-]+[ \t]*)*(?:\*\*|__)?(?:step|part|case)?[ \t]*"
    r"\(?\d{0,3}[.):]?[ \t]*(?:\*\*|__|:)?[ \t]*)",
    re.I,
)


def body_of(step: str) -> str:
    """A step's text without its number or bullet."""
    m = re.match(
        r"[ \t]*+(?:[#>*_•‣–-]++[ \t]++)*+(?:[*_]{2})*+(?:(?:step|part|case)[ \t]*\d{1,3}[*_]*[ \t]*[:.)-]?"
        r"|\(?\d{1,3}[.):](?!\d))?[*_]*[ \t]*",
        step,
        re.I,
    )
    return step[m.end() :] if m else step
