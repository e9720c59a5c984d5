r"""Finds the answer that a chain of thought gives: the text, where it stands and how it was found.

Explicit marks come first (`\boxed{}`, `#### n`, `A: n`, "The answer is ..."), the last one that
really gives an answer wins, and text after it ("I did this in 3 steps") is never looked at. Without
a mark, the concluding sentence is read in plain words, and only of a rationale that concluded: a number
out of a rationale that was cut off is not its answer.
"""

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from workers.scoring.extract.conclusion import find_in_conclusion
from workers.scoring.extract.phrases import Phrase, cut_phrase, reduce_phrase
from workers.scoring.numbers.normalize import closing

MAX_CHARS = 200_000  # what is longer is read from its end
MAX_MARKS = 60  # the last ones are looked at
LETTER = r"[A-Ja-j]"


@dataclass(frozen=True, slots=True)
class Found:
    """The answer of a rationale.

    answer: its text, None where the rationale says nothing; start, end: its span in the rationale
    (-1 where there is none); method: "boxed", "hash", "a-line", "answer-is", "choice",
    "conclusion", "bare", or "none", "cut-off", "empty" where there is no answer.
    """

    answer: str | None
    start: int = -1
    end: int = -1
    method: str = "none"

    @property
    def explicit(self) -> bool:
        """Whether the rationale marked its answer, rather than having it read from a sentence."""
        return self.method in ("boxed", "hash", "a-line", "answer-is", "choice")


_LAST_LINE = re.compile(r"(?:^|\n)(?:(A)[ \t]*:|(\#{4}))[ \t]*+([^\n]*\S)\s*\Z")
_MARK = re.compile(
    r"""
    (?P<boxed>\\(?:boxed|fbox)\s*\{)
    | ^[ \t]*(?P<hash>\#{4})[ \t]+(?=\S)
    | (?<=[.!?\s])(?P<inline_hash>\#{4})[ \t]+(?=\S)
    | ^[ \t]*(?P<aline>A)[ \t]*:(?=[ \t]*\S)
    | (?P<colon>\b(?:final[ \t]+|correct[ \t]+|right[ \t]+|my[ \t]+)?(?:answers?|ans|solution|result)
        \b[ \t]*+(?:\([^()\n]{0,40}\)[ \t]*+)?(?:[*_]++[ \t]*+)?
        (?:[:=➜→⇒]|-{1,2}>|[-–—](?=[ \t]))[ \t]*[*_]*)
    | (?P<is>\b(?:final|correct|right|best|required|desired|our|the|my|so|hence)?[ \t]*
        (?:answers?|final[ \t]+(?:solution|result)|(?:correct|right|best)[ \t]+(?:option|choice)
          |option|choice)
        [ \t]*+(?:(?:to|for)[ \t][^.\n]{1,80}?[ \t]*+)?(?:[*_]++[ \t]*+)?
        (?:is|are|was|would[ \t]be|will[ \t]be|should[ \t]be|must[ \t]be|comes[ \t](?:out[ \t])?to|=)
        (?:[ \t]+(?:then|therefore|thus|simply|just|clearly|indeed|now))?[ \t]*[:*_]*)
    | (?P<heading>^[ \t]*(?:\#{1,6}|\*\*)[ \t]*(?:final[ \t]+)?(?:answer|solution)[ \t]*+(?:[:*]++[ \t]*+)?$)
    | (?P<letter>\b(?:answer|ans|option|choice)[ \t]*+(?:[:\-][ \t]*+)?[(\[]?
        (?P<abc>[A-J]|(?<=[(\[])[a-j])
        [)\].]?(?=[\s.,;*)]|\Z))
    | (?P<given>\b(?:choose|pick|select|go[ \t]+with)[ \t]++(?:(?:option|choice|answer)[ \t]*+)?
        [(\[]?(?P<abc2>[A-J])[)\]]?(?=[\s.,;*]|\Z))
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
_HINT = re.compile(
    r"boxed|fbox|####|answer|\bans\b|solution|result|option|choice|^[ \t]*A[ \t]*:"
    r"|choose|pick|select|go with",
    re.IGNORECASE | re.MULTILINE,
)
_THINK_OPEN = re.compile(r"<think(?:ing)?>", re.I)
_THINK_CLOSE = re.compile(r"</think(?:ing)?>", re.I)


def find_answer(text: str, answer_type: str | None = None, choices: Sequence[str] = ()) -> Found:
    """Finds the answer that `text` gives.

    answer_type is one of "number", "expression", "choice", "text" or None (read from the text);
    choices are the options of a multiple-choice question ("A) 5.5").
    Returns a `Found`; `Found.answer` is None where the rationale gives no answer.
    """
    start, stop, closed = _body(text)
    if not text[start:stop].strip():
        return Found(None, method="empty")
    # The commonest case by far: the marked line is the last one.
    last = _LAST_LINE.search(text, max(start, stop - 400), stop)
    if last and not choices:
        found = _marked(
            text, last.start(3), last.end(3), "a-line" if last[1] else "hash", answer_type, choices
        )
        if found:
            return found
    best = None
    if _HINT.search(text, start, stop):
        best = _last_mark(text, start, stop, answer_type, choices)
    if best is None and not closed:
        return Found(None, method="cut-off")
    if best is None:
        best = _from_conclusion(text, start, stop, answer_type, choices)
    return best


def _body(text: str) -> tuple[int, int, bool]:
    """Where to look: after the last `</think>`; False where the thinking never ended."""
    start = 0
    for m in _THINK_CLOSE.finditer(text):
        start = m.end()
    opened = _THINK_OPEN.search(text, start)
    if start and not text[start:].strip():
        return max(0, start - MAX_CHARS), start - 8, True
    return max(start, len(text) - MAX_CHARS), len(text), opened is None


def _last_mark(text, start, stop, answer_type, choices) -> Found | None:
    marks = list(deque(_MARK.finditer(text, start, stop), maxlen=MAX_MARKS))
    for i in range(len(marks) - 1, -1, -1):
        m = marks[i]
        if m["boxed"]:
            found = _boxed(text, marks, i, stop)
        elif m.lastgroup in ("letter", "abc", "given", "abc2") or m["letter"] or m["given"]:
            group = "abc" if m["abc"] else "abc2"
            found = None
            if choices or answer_type == "choice":
                found = Found(m[group].upper(), m.start(group), m.end(group), "choice")
        else:
            method = "hash" if m["hash"] or m["inline_hash"] else "a-line" if m["aline"] else None
            found = _marked(text, m.end(), stop, method or "answer-is", answer_type, choices)
        if found:
            return found
    return None


def _boxed(text, marks, i, stop) -> Found | None:
    """The content of a box; boxes joined by "and", "or" or a comma are one answer of parts."""
    m = marks[i]
    end = closing(text, m.end() - 1)
    if end < 0 or end > stop:
        return None
    spans = [(m.end(), end)]
    for earlier in reversed(marks[:i]):
        if not earlier["boxed"]:
            break
        before = closing(text, earlier.end() - 1)
        between = text[before + 1 : marks[i].start()] if before >= 0 else "."
        between = (
            text[before + 1 : spans[0][0] - (m.end() - m.start())] if len(spans) > 1 else between
        )
        if before < 0 or not re.fullmatch(
            r"[\s$,]*+(?:(?:and|or|;|&)[\s$,]*+)?(?:\w\s*=[\s$]*)?", between
        ):
            break
        if text[earlier.end() : before].strip() != text[spans[0][0] : spans[0][1]].strip():
            spans.insert(0, (earlier.end(), before))
    parts = [text[a:b].strip() for a, b in spans]
    if not any(parts):
        return None
    return Found(", ".join(parts), spans[0][0], spans[-1][1], "boxed")


def _marked(text, at, stop, method, answer_type, choices) -> Found | None:
    """Reads the answer that follows a mark, or None when what follows is none."""
    phrase = cut_phrase(text, at, stop)
    if phrase is None:
        return None
    inner = _boxed_inside(text, phrase)
    if inner:
        return inner
    phrase = reduce_phrase(phrase, answer_type, choices, strict=method == "answer-is")
    if phrase is None:
        return None
    return Found(phrase.text, phrase.start, phrase.end, method)


def _boxed_inside(text: str, phrase: Phrase) -> Found | None:
    m = re.compile(r"\\(?:boxed|fbox)\s*\{").search(text, phrase.start, phrase.end)
    if not m:
        return None
    end = closing(text, m.end() - 1)
    if end < 0:
        return None
    return Found(text[m.end() : end].strip(), m.end(), end, "boxed")


def _from_conclusion(text, start, stop, answer_type, choices) -> Found:
    found = find_in_conclusion(text, start, stop, answer_type, choices)
    if isinstance(found, str):
        return Found(None, method=found)
    phrase, method = found
    return Found(phrase.text, phrase.start, phrase.end, method)
