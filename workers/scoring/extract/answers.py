r"""Finds the answer that a rationale gives: the text, where it stands and how it was found.

Explicit marks come first (`\boxed{}`, `#### n`, `A: n`, `<answer>`, "The answer is ..." and the same in other
languages), the last one that really gives an answer wins, and text after it ("I did this in 3 steps") is
never looked at. Without a mark, the concluding sentence is read in plain words, and only of a rationale that
concluded: a number out of a rationale that was cut off is not its answer.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from workers.scoring.extract.conclusion import find_in_conclusion
from workers.scoring.extract.marks import Mark, is_about, marks_of
from workers.scoring.extract.options import AMBIGUOUS
from workers.scoring.extract.phrase import Phrase
from workers.scoring.extract.phrases import DENIED, PROSE, cut_phrase, reduce_phrase
from workers.scoring.extract.sections import ended_early, final_text
from workers.scoring.extract.sentence import read_sentence
from workers.scoring.numbers.locales import writes_decimal_comma
from workers.scoring.numbers.normalize import closing

MAX_MARKS = 60  # the last ones are looked at
EXPLICIT = frozenset(("boxed", "hash", "a-line", "answer-is", "choice", "tag", "json", "denied"))
NOTHING = frozenset(("none", "cut-off", "empty", "refusal", "ambiguous"))


@dataclass(frozen=True, slots=True)
class Found:
    """The answer of a rationale.

    answer: its text, None where the rationale says nothing; start, end: its span in the rationale
    (-1 where there is none); method: the rule that found it: one of `EXPLICIT`, "conclusion", "bare", or one
    of `NOTHING` where there is no answer. "denied": the answer is what the rationale says it is not.
    decimal_comma: the rationale writes decimals with a comma, and the answer may be such a number.
    """

    answer: str | None
    start: int = -1
    end: int = -1
    method: str = "none"
    decimal_comma: bool = False

    @property
    def explicit(self) -> bool:
        """Whether the rationale marked its answer, rather than having it read from a sentence."""
        return self.method in EXPLICIT


_LAST_LINE = re.compile(r"(?:^|\n)(?:(A)[ \t]*:|(\#{4}))[ \t]*+([^\n]*\S)\s*\Z")
_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{")
_JOINED = re.compile(
    r"(?:[\s$,;&.]|\\(?:q?quad|[,;: ()\[\]])|\\text\s?\{\s?(?:and|or),?\s?\}|\b(?:and|or)\b)*+"
    r"(?:\\?[a-zA-Z]\w{0,3}\s*=[\s$]*)?"
)
_JSON_VALUE = re.compile(
    r"\s*(?:\"((?:[^\"\\\n]|\\.){0,400})\"|'([^'\n]{0,400})'|([-\d.eE+]{1,60})|(true|false|null)"
    r"|(\[[^\]\n]{0,400}\]))"
)
_PARTS = re.compile(r"\bthat\s|,\s|:\s")
_DIGIT = re.compile(r"\d")
_TAG_END = re.compile(r"</(?:final_?)?answer>|</solution>|\Z")
_ONE_GROUP = re.compile(r"\d[.,]\d{3}(?!\d)|\d,\d")


def find_answer(
    text: str,
    answer_type: str | None = None,
    choices: Sequence[str] = (),
    finish_reason: str | None = None,
) -> Found:
    """Finds the answer that `text` gives.

    answer_type is one of `references.ANSWER_TYPES` or None (read from the text); choices are the options of a
    multiple-choice question ("A) 5.5"); finish_reason is why the generation ended, None where not known.
    Returns a `Found`; `Found.answer` is None where the rationale gives no answer.
    """
    body = final_text(text)
    if not text[body.start : body.stop].strip():
        return Found(None, method="cut-off" if body.is_open else "empty")
    if body.turn >= 0:  # what the model went on with, a next question or turn, is not its answer
        found = _in_part(text, body.start, body.turn, answer_type, choices, "stop")
        if found.answer is not None:
            return _with_locale(text, found)
    reason = "length" if body.is_open else finish_reason
    found = _in_part(text, body.start, body.stop, answer_type, choices, reason)
    return _with_locale(text, found)


def _with_locale(text: str, found: Found) -> Found:
    if found.answer and _ONE_GROUP.search(found.answer) and writes_decimal_comma(text):
        return replace(found, decimal_comma=True)
    return found


def _in_part(text, start, stop, answer_type, choices, finish_reason) -> Found:
    # The commonest case by far: the marked line is the last one.
    last = _LAST_LINE.search(text, max(start, stop - 400), stop)
    best = None
    if last and not choices:
        method = "a-line" if last[1] else "hash"
        best = _marked(text, last.start(3), last.end(3), method, answer_type, choices)
    if best is None and (marks := marks_of(text, start, stop, MAX_MARKS)):
        best = _last_mark(marks, text, start, stop, answer_type, choices)
    if best is not None:
        if ended_early(finish_reason) and _touches_end(text, best, stop):
            return Found(None, method="cut-off")
        return best
    found = find_in_conclusion(text, start, stop, answer_type, choices, finish_reason)
    if isinstance(found, str):
        return Found(None, method=found)
    phrase, method = found
    return Found(phrase.text, phrase.start, phrase.end, method)


def _touches_end(text: str, found: Found, stop: int) -> bool:
    """Whether a text that was cut off ends with its answer, which may have been longer."""
    return found.method not in ("boxed", "tag", "json") and not text[found.end : stop].strip(" *_")


def _last_mark(marks: list[Mark], text, start, stop, answer_type, choices) -> Found | None:
    denied = None
    for i in range(len(marks) - 1, -1, -1):
        m = marks[i]
        found = _at_mark(text, marks, i, start, stop, answer_type, choices)
        if found is None:
            continue
        if found.method != "denied":
            return _with_forms(text, marks, i, found, stop, answer_type, choices)
        denied = denied or found
        if i and text[marks[i - 1].end() : m.start()].count("\n") > 1:
            break
    return denied


def _at_mark(text, marks, i, start, stop, answer_type, choices) -> Found | None:
    m = marks[i]
    match m.kind:
        case "boxed":
            return _boxed(text, marks, i, stop, answer_type, choices)
        case "letter" | "given":
            return _letter(text, m, stop, answer_type, choices)
        case "tag":
            end = _TAG_END.search(text, m.end(), stop)
            return _content(text, m.end(), end.start(), "tag", answer_type, choices)
        case "json":
            return _json(text, m.end(), stop, answer_type, choices)
        case "after":
            return _before(text, start, m.start(), answer_type, choices)
        case "colon" | "is" if is_about(text, m.start()):
            return None
    method = {"hash": "hash", "inline_hash": "hash", "aline": "a-line"}.get(m.kind, "answer-is")
    return _marked(text, m.end(), stop, method, answer_type, choices)


def _letter(text, m: Mark, stop, answer_type, choices) -> Found | None:
    if not choices and answer_type != "choice":
        return None
    at = m.match.start("abc" if m.kind == "letter" else "abc2")
    if not text[at].isupper() and text[at - 1] not in "([":
        return None
    if text[at - 1 : at] in ("(", "["):
        at -= 1
    return _marked(text, at, stop, "choice", answer_type, choices)


def _with_forms(text, marks, i, found: Found, stop, answer_type, choices) -> Found:
    """ "The answer (as a percentage) is 25%. The answer (as a fraction) is 1/4": one value in two forms."""
    m = marks[i]
    if not i or not all(
        one.kind == "is" and "(" in one.match.group() for one in marks[i - 1 : i + 1]
    ):
        return found
    if text.count("\n", marks[i - 1].start(), m.start()) or choices or answer_type == "yes_no":
        return found
    first = _marked(text, marks[i - 1].end(), m.start(), "answer-is", answer_type, choices)
    if first is None or first.method == "denied":
        return found
    return Found(f"{first.answer}, {found.answer}", first.start, found.end, "answer-is")


def _boxed(text, marks, i, stop, answer_type, choices) -> Found | None:
    """The content of a box; boxes joined by "and", "or" or a comma are one answer of parts."""
    m = marks[i]
    end = closing(text, m.end() - 1)
    if end < 0 or end > stop:
        return None
    spans, starts = [(m.end(), end)], m.start()
    for earlier in reversed(marks[:i]):
        if earlier.kind != "boxed":
            break
        before = closing(text, earlier.end() - 1)
        if before < 0 or not _JOINED.fullmatch(text, before + 1, starts):
            break
        starts = earlier.start()
        if text[earlier.end() : before].strip() != text[spans[0][0] : spans[0][1]].strip():
            spans.insert(0, (earlier.end(), before))
    parts = [text[a:b].strip() for a, b in spans]
    if not any(parts):
        return None
    if choices or answer_type == "choice":
        return _content(text, spans[0][0], spans[-1][1], "boxed", answer_type, choices)
    return Found(", ".join(parts), spans[0][0], spans[-1][1], "boxed")


def _content(text, start, end, method, answer_type, choices) -> Found | None:
    """What stands between two tags or in a box, as a whole."""
    piece = Phrase(text[start:end], start, end).part(0, end - start)
    if not piece.text:
        return None
    inner = _boxed_inside(text, piece)
    if inner:
        return inner
    if "\n" in piece.text and len(piece.text) > 80:
        return _in_part(text, start, end, answer_type, choices, "stop")
    phrase = reduce_phrase(piece, answer_type, choices, strict=False)
    return _found(text, phrase, piece, method, answer_type, choices)


def _json(text, at, stop, answer_type, choices) -> Found | None:
    m = _JSON_VALUE.match(text, at, stop)
    if not m or m[4] == "null":
        return None
    group = m.lastindex
    value = m[group]
    if group == 1 and "\\" in value:
        try:
            value = json.loads(f'"{value}"')
        except ValueError:
            pass  # LaTeX in it that is not escaped: as it stands
    elif group == 5:
        value = value[1:-1].replace('"', "")
    piece = Phrase(value.strip(), m.start(group), m.end(group))
    phrase = reduce_phrase(piece, answer_type, choices, strict=False)
    return _found(text, phrase, piece, "json", answer_type, choices)


def _before(text, start, at, answer_type, choices) -> Found | None:
    """ "Thus, 14 is our answer": what stands before the mark in its sentence."""
    begin = max(start, at - 200, text.rfind("\n", start, at) + 1)
    stops = [m.end() for m in re.finditer(r"[.!?]\s", text[begin:at])]
    begin += stops[-1] if stops else 0
    sentence = Phrase(text[begin:at], begin, at)
    if re.search(r"\b(?:what|which|this|that|it)\s*$", sentence.text, re.I):
        return None
    lead = re.match(
        r"\s*(?:(?:so|thus|hence|therefore|finally|then)\b[\s,]*)*", sentence.text, re.I
    )
    sentence = sentence.part(lead.end(), len(sentence.text))
    if not sentence.text:
        return None
    for stop in _PARTS.finditer(sentence.text):
        last = sentence.part(stop.end(), len(sentence.text))
    if _PARTS.search(sentence.text) and last.text:
        phrase = reduce_phrase(last, answer_type, choices, strict=True)
        if isinstance(phrase, Phrase) and phrase.start == last.start:
            return _found(text, phrase, last, "answer-is", answer_type, choices)
    phrase = reduce_phrase(sentence, answer_type, choices, strict=True)
    return _found(text, phrase, sentence, "answer-is", answer_type, choices)


def _marked(text, at, stop, method, answer_type, choices) -> Found | None:
    """Reads the answer that follows a mark, or None when what follows is none."""
    phrase = cut_phrase(text, at, stop)
    if phrase is None:
        return None
    inner = _boxed_inside(text, phrase)
    if inner:
        return inner
    reduced = reduce_phrase(phrase, answer_type, choices, strict=method == "answer-is")
    if reduced == PROSE and answer_type != "yes_no" and _DIGIT.search(text, phrase.end, stop):
        return None  # a heading: "Step-by-Step Answer: Leah had 32 chocolates. ..."
    return _found(text, reduced, phrase, method, answer_type, choices)


def _found(text, reduced, phrase: Phrase, method, answer_type, choices) -> Found | None:
    if reduced == PROSE:
        reduced = read_sentence(phrase, answer_type, choices)
    if reduced == AMBIGUOUS:
        return Found(None, phrase.start, phrase.end, "ambiguous")
    if reduced == DENIED:
        return Found(phrase.text, phrase.start, phrase.end, "denied")
    if not isinstance(reduced, Phrase):
        return None
    return Found(reduced.text, reduced.start, reduced.end, method)


def _boxed_inside(text: str, phrase: Phrase) -> Found | None:
    m = _BOX.search(text, phrase.start, phrase.end)
    if not m:
        return None
    end = closing(text, m.end() - 1)
    if end < 0:
        return None
    return Found(text[m.end() : end].strip(), m.end(), end, "boxed")
