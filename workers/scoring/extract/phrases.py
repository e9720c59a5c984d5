"""Cuts the words after "the answer is" down to the answer itself."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from workers.scoring.numbers.normalize import clean
from workers.scoring.numbers.numerals import Number, parse_number
from workers.scoring.numbers.values import Equation, Expression, Words, parse_value

MAX_PHRASE = 400


@dataclass(frozen=True, slots=True)
class Phrase:
    """A piece of the rationale: text == rationale[start:end] up to cut-away marks."""

    text: str
    start: int
    end: int


# A sentence ends at a stop that is no decimal point, or at a line's end.
_STOP = re.compile(r"[.!?](?=[\s*_\"')\]]|\Z)(?!\s*+\d++$)|\n|(?<=\s)\#{4}|<\|")
_LEAD = re.compile(
    r"[\s:*_>=→⇒➜]*(?:(?:therefore|thus|so|hence|that|then|actually|approximately|about"
    r"|just|simply|equal to|option|choice|letter)\b[\s:,*_]*)*",
    re.I,
)
_TAIL = re.compile(r"(?<![\s*_.;,!?])[\s*_.;,!?]++$")
_CLAUSE = re.compile(
    r"(?<!\s)\s++(?:because|since|as|which|so|but|where|when|if|given|after|i\.e\.|that is"
    r"|by|using|obtained|based)\b|[,;]\s+(?:because|since|as|which|so|but|where|when"
    r"|not|given|after|i\.e\.|that|with|and (?:this|that|it|we|he|she|they|i)\b)"
    r"|\s[-–—]{1,2}\s(?=[a-z])|\s\((?=[a-z]{2,}\s)",
    re.I,
)
_NOT_ANSWER = re.compile(
    r"^(?:not|n't|never|in|to|of|at|rounded|correct|right|wrong|incorrect|clear"
    r"|obvious|simple|given|found|obtained|expressed|obviously|below|above|as|the"
    r" same|what|unknown|reasonable|consistent|required|verified)\b",
    re.I,
)
NUMBER_TOKEN = re.compile(
    r"(?<![\w.,])[-−+]?(?:US\s?)?\\?[$€£¥₹]?\s?[-−]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?"
    r"(?:(?<=\d)\s?/\s?\d+|(?<=\d)\s\d+\s?/\s?\d+(?!\d))?(?:(?<=\d)\s?(?:\\?%|percent\b))?"
    r"(?<=[\d%t])(?![\w])(?!\.\d)|[½⅓⅔¼¾⅕⅛]"
)
_DISPLAY = re.compile(r"\\[\[(](.*)\\[\])]", re.S)
_AFTER_ALL = re.compile(r"\bbut\s+(?:rather\s+)?|:\s+(?=\S)")
_LETTER = re.compile(
    r"[\s(\[*_\"'$]*(?:\\text(?:bf)?\{\s*)?[(\[]?([A-Ja-j])[)\]]?(?:\}|[)\].:,;*_\"'$\s]|$)"
)


def cut_phrase(text: str, at: int, stop: int) -> Phrase | None:
    """The rest of the sentence after a mark; of the next line where this one is empty."""
    lead = _LEAD.match(text, at, min(stop, at + MAX_PHRASE))
    start = lead.end()
    if start >= stop:
        return None
    end = _sentence_end(text, start, min(stop, start + MAX_PHRASE))
    body = text[start:end]
    trimmed = _TAIL.sub("", body)
    if not trimmed:
        return None
    return Phrase(trimmed, start, start + len(trimmed))


def _sentence_end(text: str, start: int, limit: int) -> int:
    """End of the sentence; a matrix or a set may run over several lines."""
    if text.startswith(("\\begin", "$\\begin", "\\[", "$$"), start):
        close = re.compile(r"\\end\{[a-z]*\}\$*|\\\]|(?<!^)\$\$").search(text, start + 2, limit)
        if close:
            return close.end()
    pos = start
    while True:
        m = _STOP.search(text, pos, limit)
        if not m:
            return limit
        if m.group() == "." and _inside_number_or_word(text, m.start()):
            pos = m.end()
            continue
        return m.start()


_ABBREVIATION = re.compile(
    r"(?:\b[ap]|[ap]\.m|\bvs|\bapprox|\bMr|\bMrs|\bDr|\bNo|\bsq|\bft|\bin|\blbs?)$"
)


def _inside_number_or_word(text: str, dot: int) -> bool:
    nxt = text[dot + 1 : dot + 3]
    if nxt[:1].isdecimal():
        return True
    if not _ABBREVIATION.search(text, max(0, dot - 8), dot):
        return False
    return not re.match(r"\s+[A-Z]|\s*$", text[dot + 1 : dot + 12])


def reduce_phrase(
    phrase: Phrase, answer_type: str | None, choices: Sequence[str], strict: bool
) -> Phrase | None:
    """The answer inside a phrase: option letter, number with its unit, or the phrase itself.

    strict: the mark was the words "the answer is", which also begin other sentences ("the answer is
    rounded"); then what follows must look like an answer.
    """
    if choices or answer_type == "choice":
        return _choice(phrase, choices)
    phrase = _unwrapped(phrase)
    text = phrase.text
    if strict and _NOT_ANSWER.match(text):
        late = _AFTER_ALL.search(text)
        if not late:
            return None
        phrase = Phrase(text[late.end() :], phrase.start + late.end(), phrase.end)
        return reduce_phrase(phrase, answer_type, choices, strict)
    clause = _CLAUSE.search(text)
    if (
        clause
        and clause.start() > 0
        and (answer_type != "text" or clause.group().strip()[:1] in ",;")
    ):
        text = _TAIL.sub("", text[: clause.start()])
        phrase = Phrase(text, phrase.start, phrase.start + len(text))
    value = parse_value(text)
    if answer_type == "text":
        return phrase
    if isinstance(value, Equation) and answer_type in ("number", None):
        equal = _after_equals(phrase)
        if equal:
            return equal
    if isinstance(value, Number):
        return _number_only(phrase) if answer_type in ("number", None) else phrase
    if not isinstance(value, (Words, Expression)):
        return _wordy_parts(phrase, value)
    if answer_type in ("number", None):
        equal = _after_equals(phrase)
        if equal:
            return equal
    if answer_type == "number" or (isinstance(value, Expression) and _has_prose(text)):
        number = _first_number(phrase)
        if number or answer_type == "number":
            return number
    if isinstance(value, Words) and strict and answer_type is None and len(text.split()) > 6:
        return _first_number(phrase)
    return phrase


def _unwrapped(phrase: Phrase) -> Phrase:
    r"""Without the signs of a displayed formula: \\[ x \\] is x."""
    m = _DISPLAY.fullmatch(phrase.text)
    if not m:
        return phrase
    start = phrase.start + m.end(1) - len(m[1].lstrip())
    text = m[1].strip()
    return Phrase(text, start, start + len(text))


def _has_prose(text: str) -> bool:
    words = re.findall(r"(?<![\\\w])[A-Za-z]{2,}", re.sub(r"\\text\{[^}]*\}", "", text))
    return len(words) >= 2


def _wordy_parts(phrase: Phrase, value) -> Phrase | None:
    """A list of values stays whole; a sentence with a comma in it is cut at its first number."""
    items = getattr(value, "items", ())
    bad = [i for i in items if isinstance(i, Words) and len(i.text.split()) > 3]
    if bad and isinstance(items, tuple):
        return _first_number(phrase) or phrase
    return phrase


def _after_equals(phrase: Phrase) -> Phrase | None:
    """ "2 + 3 = 5 apples" says 5."""
    at = max(phrase.text.rfind("="), phrase.text.rfind("≈"))
    if at < 0 or not re.search(r"\d\s*[-+*/×÷]\s*\$?\d", phrase.text[:at]):
        return None
    tail = phrase.text[at + 1 :]
    offset = phrase.start + at + 1 + len(tail) - len(tail.lstrip())
    return _first_number(Phrase(tail.strip(), offset, offset + len(tail.strip())))


def _number_only(phrase: Phrase) -> Phrase:
    """ "5 apples left" is 5; "5 cm" and "2 hours 30 minutes" keep their unit."""
    value = parse_number(clean(phrase.text))
    if value is None or value.unit is not None or value.percent:
        cut = re.match(
            r"[^\s]+(?:\s?%|\s+(?!per\b|an?\b|each\b)[A-Za-z]+(?:\s+\d+\s+[A-Za-z]+)?)?",
            phrase.text,
        )
        short = parse_number(clean(cut.group())) if cut else None
        if value is not None and short is not None and short == value:
            return Phrase(cut.group(), phrase.start, phrase.start + cut.end())
        return phrase
    return _first_number(phrase, value) or phrase


def _first_number(phrase: Phrase, value: Number | None = None) -> Phrase | None:
    for m in NUMBER_TOKEN.finditer(phrase.text):
        token = m.group().strip()
        if not token:
            continue
        if value is not None and (read := parse_number(clean(token))) and read.value != value.value:
            return None
        start = phrase.start + m.start() + len(m.group()) - len(m.group().lstrip())
        return Phrase(token, start, start + len(token))
    if value is None:
        return _first_word_number(phrase)
    return None


def _first_word_number(phrase: Phrase) -> Phrase | None:
    from workers.scoring.numbers.number_words import NUMBER_WORDS, number_from_words

    for m in re.finditer(r"[A-Za-z]+(?:-[A-Za-z]+)*", phrase.text):
        if m.group().split("-")[0].lower() in NUMBER_WORDS:
            found, rest = number_from_words(phrase.text[m.start() :])
            if found is not None:
                end = len(phrase.text) - len(rest)
                return Phrase(
                    phrase.text[m.start() : end], phrase.start + m.start(), phrase.start + end
                )
    return None


def _choice(phrase: Phrase, choices: Sequence[str]) -> Phrase | None:
    """An option's letter at the start of the phrase, or the phrase where it is an option's text."""
    m = _LETTER.match(phrase.text)
    if m:
        word = m[1]
        article = word == "a" and re.match(r"\s+[a-z]{2}", phrase.text[m.end(1) :])
        if not article and (not choices or ord(word.upper()) - 65 < len(choices)):
            return Phrase(word.upper(), phrase.start + m.start(1), phrase.start + m.end(1))
    inner = re.search(r"[(\[]([A-J])[)\]]", phrase.text)
    if inner:
        return Phrase(inner[1], phrase.start + inner.start(1), phrase.start + inner.end(1))
    return phrase
