"""Cuts the words after "the answer is" down to the answer itself: the whole expression, or nothing."""

import re
from collections.abc import Sequence

from workers.scoring.extract.formulas import expression_end, formulas
from workers.scoring.extract.options import read_choice
from workers.scoring.extract.phrase import Phrase
from workers.scoring.extract.truth import leading_polarity, polar_words, polarity
from workers.scoring.numbers import latex
from workers.scoring.numbers.dates import IN_TEXT
from workers.scoring.numbers.normalize import clean
from workers.scoring.numbers.numerals import Number, parse_number, read_unit
from workers.scoring.numbers.values import Equation, Expression, Parts, Words, parse_value

MAX_PHRASE = 400
PROSE, DENIED = "prose", "denied"  # a sentence to be read as one; "not 9" and nothing else

# A sentence ends at a stop that is no decimal point, or at a line's end.
_STOP = re.compile(
    r"(?<!\\)[.!?](?=[\s*_\"')\]]|\Z)(?!\s*+\d++$)|[。．！？।॥؟۔]|\n|(?<=\s)\#{4}|<\||</"
    r"|(?<=\d)\.(?=[A-Z][a-z])"
)
_LEAD = re.compile(
    r"(?:[\s:：*_→⇒➜]|[-=]{1,2}>|=(?![<>=]))*(?:(?:therefore|thus|so|hence|that|then|actually"
    r"|approximately|about|likely"
    r"|most likely|probably|definitely|certainly|clearly|indeed|still|now"
    r"|just|simply|equal to|option|choice|letter)\b[\s:,*_]*)*",
    re.I,
)
_TAIL = re.compile(r"(?<![\s*_.;,!?。।])(?:[\s*_.;,!?。।])++$")
_TAIL_BUT_FACTORIAL = re.compile(r"(?<![\s*_.;,?。।])[\s*_.;,?。।]++$")
_CLAUSE = re.compile(
    r"(?<!\s)\s++(?:because|since|as|which|so|but|where|when|if|given|after|i\.e\.|that is"
    r"|by|using|obtained|based|weil|car|porque|так как|потому)\b|[,;]\s+(?:because|since|as|which"
    r"|so|but|where"
    r"|when|not|given|after|i\.e\.|that|with|therefore|hence|rounded|including|the same|they|he|she|we|it|i"
    r"|and (?:this|that|it|we|he|she|they|i)\b)"
    r"|\s[-–—]{1,2}\s(?=[a-z]{2})|\s\((?=[a-z]{2,}\s)|\s(?=\*\*|\(or\b)",
    re.I,
)
_NOT = re.compile(r"^(?:not|n't|never|neither)\b", re.I)
_NOT_ANSWER = re.compile(
    r"^(?:in|to|of|at(?!\s+(?:least|most))|rounded|correct|right|wrong|incorrect|clear"
    r"|obvious|simple|given|found|obtained|expressed|obviously|below|above|as|the"
    r" same|what|unknown|reasonable|consistent|required|verified|complete|ready|straightforward)\b"
    r"(?!\s*(?:\d|than\s|[$€£]))",
    re.I,
)
_AFTER_ALL = re.compile(
    r"\bbut\s+(?:rather\s+)?|:\s+(?=\S)|\binstead\b[\s,:]*(?:it is\s+)?|\brather\b[\s,:]*", re.I
)
_ROUNDS = re.compile(
    r"\bround(?:s|ed|ing)?\s+(?:it\s+)?(?:(?:up|down|off)\s+)?to\s+(?:about\s+)?(?=[$€£]?\d)", re.I
)
_DISPLAY = re.compile(r"\\[\[(](.*)\\[\])]", re.S)
NUMBER_TOKEN = re.compile(
    r"(?<![A-Za-z_\d.,])(?<!\d:(?=\d\d(?!\d)))[-−+]?(?:US\s?)?\\?[$€£¥₹]?\s?[-−]?(?:\d++(?:[.,'’\u00a0\u202f٫٬]\d++)*+|\.\d++)"
    r"(?:(?<=\d)\s?/\s?\d+|(?<=\d)\s\d+\s?/\s?\d+(?!\d))?(?:(?<=\d)\s?(?:\\?%|percent\b))?"
    r"(?<=[\d%t])(?![A-Za-z0-9_])(?!\.\d)(?!:\d\d(?!\d))|[½⅓⅔¼¾⅕⅛]"
)
# What goes on behind a number so that this alone is not the answer: "9 to 10", "5 minutes + 3 minutes".
_GOES_ON = re.compile(
    r"\s*(?:[a-zA-Z.]{1,15}\s*){0,3}[-+*/×÷=^<>:±]\s*[\d$\\(a-zA-Z]|\s*(?:to|through)\s+[$€£]?\d"
    r"|\s*(?:out of|in)\s+\d[\d,.]*\s*$|\s*(?:more|less|fewer|greater) than\s+(?:[\d$\\]"
    r"|[a-zA-Z]\b)|\s*(?:or|and) (?:more|less|fewer|above|below|greater|up)\b"
    r"|\s*(?:remainder|rem\.?|r)\s{0,3}\d|\s*(?:factorial|squared|cubed|pi|plus|minus|times (?:\d"
    r"|[b-hj-z]\b)|divided|mod|choose|to "
    r"the (?:power|[a-z]\b|\d|[a-z]+(?:th|rd|nd)\b))"
    r"|\s*(?:percent\s+)?of\s+[$€£]?\d|\s*(?:of|times)\s+(?:\$?\\?[a-zA-Z]\b|\$|\\)"
    r"|\s*(?:[a-zA-Z]{1,15}\s){0,2}(?:and|or)\s+(?:[$€£\\]|\d)|\s*,\s*[$€£]?\d",
    re.I,
)
_LIST = re.compile(
    r"\s*(?:[a-zA-Z.]{1,15}\s?){0,3}(?:,|\band\b|\bor\b)\s*(?:and\s+|or\s+)?[$€£\\]?\(?-?\d", re.I
)
_UNIT_TAIL = re.compile(r"\s?[a-zA-Z°][a-zA-Z]*\.?(?:\s?\^\s?\{?[23]\}?)?")
_HALF = re.compile(r"\s*(?:[ap]\.?\s?m\b\.?|o'?clock)", re.I)
CLOCK = re.compile(
    r"(?<![\d:])\d{1,2}(?::\d{2}){1,2}(?:\s*[ap]\.?\s?m\b\.?)?|\b\d{1,2}\s*[ap]\.?\s?m\b\.?"
    r"|\b(?:noon|midnight)\b",
    re.I,
)
_ABBREVIATION = re.compile(
    r"(?:\b[ap]|[ap]\.m|\bvs|\bapprox|\bMr|\bMrs|\bMs|\bDr|\bNo|\bSt|\bsq|\bft|\bin|\bRs|\bRp"
    r"|\blbs?|\b[A-Z])$"
)
_EXPLAINED = re.compile(r"([-+]?[$€£]?\d[\d.,]{0,30}%?)\s\(([^()=]{3,80})\)")
_LEADING_WORDS = re.compile(r"(?:[^\W\d_]{2,}\s+){2,}(?=[$\\\d])")
_CLOSERS = (
    (("\\[",), re.compile(r"\\\]")),
    (("$$",), re.compile(r"\$\$")),
    (
        (
            "\\begin",
            "$\\begin",
            "$\\left[\\begin",
            "\\left[\\begin",
            "$\\left(\\begin",
            "\\left(\\begin",
        ),
        re.compile(r"\\end\{[a-z]*\}(?:\s?\\right[\])|.])?\$?"),
    ),
)


def cut_phrase(text: str, at: int, stop: int) -> Phrase | None:
    """The rest of the sentence after a mark; of the next line where this one is empty."""
    lead = _LEAD.match(text, at, min(stop, at + MAX_PHRASE))
    start = lead.end()
    if start >= stop:
        return None
    end = _sentence_end(text, start, min(stop, start + MAX_PHRASE))
    body = text[start:end]
    if text[end : end + 1] == "!" and text[end - 1].isdigit():
        body += "!"  # a factorial, or joy: whoever compares knows
    trimmed = (_TAIL_BUT_FACTORIAL if re.search(r"\d!", body) else _TAIL).sub("", body)
    if not trimmed:
        return None
    return Phrase(trimmed, start, start + len(trimmed))


def _sentence_end(text: str, start: int, limit: int) -> int:
    """End of the sentence; a matrix or a set may run over several lines."""
    for openings, closer in _CLOSERS:
        if text.startswith(openings, start):
            close = closer.search(text, start + 2, limit)
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


def _inside_number_or_word(text: str, dot: int) -> bool:
    nxt = text[dot + 1 : dot + 3]
    if nxt[:1].isdecimal():
        return True
    if not _ABBREVIATION.search(text, max(0, dot - 8), dot):
        return False
    return not re.match(r"\s+[A-Z]|\s*$", text[dot + 1 : dot + 12])


def reduce_phrase(
    phrase: Phrase, answer_type: str | None, choices: Sequence[str], strict: bool
) -> Phrase | str | None:
    """The answer inside a phrase: option letters, an expression with its unit, or the phrase itself.

    strict: the mark was words, which also begin other sentences ("the answer is rounded"); then what follows
    must look like an answer. PROSE where it is a sentence, DENIED where it only says what the answer is not,
    `AMBIGUOUS` where it names two, None where it is no answer.
    """
    if choices or answer_type == "choice":
        return _choice(phrase, choices)
    phrase = _unwrapped(phrase)
    if answer_type == "yes_no":
        return _yes_no(phrase)
    text = phrase.text
    if strict and (_NOT.match(text) or _NOT_ANSWER.match(text)):
        late = _AFTER_ALL.search(text)
        if not late:
            return DENIED if _NOT.match(text) else None
        return reduce_phrase(phrase.part(late.end(), len(text)), answer_type, choices, strict)
    rounds = _ROUNDS.search(text)
    if rounds:
        phrase = phrase.part(rounds.end(), len(text))
        text = phrase.text
    clause = _CLAUSE.search(text)
    if clause and clause.start() > 0 and not _in_formula(text, clause.start()):
        is_cut = answer_type != "text" or clause.group().strip()[:1] in ",;("
        phrase = _trimmed(phrase.part(0, clause.start())) if is_cut else phrase
        text = phrase.text
    if answer_type in ("text", "undetermined"):
        return phrase
    if answer_type == "date" and (m := IN_TEXT.search(text)):
        return phrase.part(*m.span())
    if answer_type == "time" and (m := CLOCK.search(text)):
        return phrase.part(*m.span())
    return _expression(phrase, answer_type, strict)


def _choice(phrase: Phrase, choices: Sequence[str]) -> Phrase | str | None:
    return read_choice(phrase, choices) or DENIED


def _yes_no(phrase: Phrase) -> Phrase | str | None:
    """The word that says yes or no; "not true" stays whole."""
    if leading_polarity(phrase.text) is not None:
        end = re.match(r"\W*[^\W\d_]+", phrase.text).end()
        return phrase.part(0, end)
    said = list(polar_words(phrase.text))
    if said:
        return phrase.part(said[-1][0], said[-1][1])
    return phrase if polarity(phrase.text) is not None else PROSE


def _trimmed(phrase: Phrase) -> Phrase:
    return phrase.part(0, len(_TAIL.sub("", phrase.text)))


def _in_formula(text: str, at: int) -> bool:
    return ("$" in text or "\\" in text) and any(a < at < b for a, b, *_ in formulas(text))


def _expression(phrase: Phrase, answer_type: str | None, strict: bool) -> Phrase | str | None:
    text = phrase.text
    value = parse_value(text)
    explained = _EXPLAINED.fullmatch(text)
    if explained and same_calculation(explained[1], explained[2]):
        return phrase.part(*explained.span(1))  # "7 (3 + 4)"
    if isinstance(value, Number):
        return _with_unit(phrase, value)
    if text.startswith("\\begin{"):
        return phrase
    if isinstance(value, Equation):
        return _right_side(phrase, answer_type)
    if isinstance(value, Words):
        if answer_type is None and (not strict or len(text.split()) <= 6):
            return phrase
        return PROSE
    if isinstance(value, Parts) and value.kind == "list" and _LEADING_WORDS.match(text):
        return PROSE
    wordy = [
        i
        for i in getattr(value, "items", ())
        if isinstance(i, (Words, Expression)) and _is_prose(i.text)
    ]
    if not isinstance(value, Expression) and not wordy:
        return phrase
    found = formulas(text)
    if found and found[0][0] == 0:
        return _from_formula(phrase, found)
    end = expression_end(text)
    if end == len(text):
        return phrase
    end = _without_operator(text, end)
    if end and any(ch.isdigit() or ch == "\\" for ch in text[:end]):
        return _from_prefix(phrase, end)
    return PROSE if _has_words(text) else phrase


def same_calculation(number: str, calculation: str) -> bool:
    """Whether what stands in brackets behind a number works it out."""
    value, formula = parse_number(clean(number)), latex.parse(clean(calculation))
    if value is None or formula is None or formula.unknowns or formula.is_plain_number:
        return False
    return latex.value(formula, {}) == float(value.value)


def _is_prose(text: str) -> bool:
    if len(_WORDS.findall(text)) > 1 and len(text.split()) > 3:
        return True
    if text.isascii():
        return False
    letters = sum(ch.isalpha() and ch > "\u0300" for ch in text)
    return letters > 5 or bool(_LEADING_SCRIPT.match(text))


_LEADING_SCRIPT = re.compile(
    r"[\u0900-\u0dff\u0e00-\u0eff\u3040-\u9fff\uac00-\ud7af]{2,20}\D{0,20}\d"
)
_WORDS = re.compile(r"(?<![\\a-zA-Z{])[a-zA-Z]{2,}")


def _has_words(text: str) -> bool:
    return bool(
        re.search(
            r"(?<![\\\w])[^\W\d_]{3,}|[\u0900-\u0dff\u0e00-\u0e7f\u3040-\u9fff\uac00-\ud7af]{2,}",
            text,
        )
    )


def _without_operator(text: str, end: int) -> int:
    """Before an operator that has nothing behind it: "7200" of "7200/year"."""
    while end and text[end - 1] in "+*/×÷=<>:- ^–":
        end -= 1
    return end


def _from_formula(phrase: Phrase, found: list[tuple[int, int, int, int]]) -> Phrase | str:
    """The formula with which a phrase begins, with its unit, or the list that it begins."""
    text = phrase.text
    first = found[0]
    tail = text[first[1] :]
    last = first
    for one in found[1:]:
        between = text[last[1] : one[0]]
        if not re.fullmatch(r"[\s,;]*+(?:(?:and|or|&)[\s,;]*+)?", between):
            break
        last = one
    if last is not first:
        return phrase.part(0, last[1])
    if _GOES_ON.match(tail):
        return phrase.part(0, len(text)) if _LIST.match(tail) else phrase
    return phrase.part(0, first[1] + _unit_length(tail))


def _from_prefix(phrase: Phrase, end: int) -> Phrase | str:
    """The expression with which a phrase begins and its unit; the whole where the phrase goes on "
    "with it."""
    text = phrase.text
    tail = text[end:]
    if _GOES_ON.match(tail):
        return phrase
    half = _HALF.match(tail)
    if half:
        return phrase.part(0, end + half.end())
    return phrase.part(0, end + _unit_length(tail))


def _unit_length(tail: str) -> int:
    """How many characters of what stands behind a number are its unit."""
    if not tail.strip():
        return 0
    percent = re.match(r"\s?(?:\\?%|percent\b)|\s?/\s?[a-zA-Z]{1,15}\b", tail)
    if percent:
        return percent.end()
    m = _UNIT_TAIL.match(tail)
    return m.end() if m and read_unit(tail.strip()) is not None else 0


def _right_side(phrase: Phrase, answer_type: str | None) -> Phrase | str | None:
    """ "2 + 3 = 5 apples" says 5; "x = 5" stays whole; "3 minutes + 2 minutes = 5 minutes" says 5 "
    "minutes."""
    text = phrase.text
    at = max(text.rfind("="), text.rfind("≈"))
    left = text[text.rfind("=", 0, at) + 1 : at]
    if _CALCULATION.search(left) and not _UNKNOWN.search(left.strip(" $")):
        after = phrase.part(at + 1, len(text))
        if after.text.endswith("$") and after.text.count("$") == 1:
            after = after.part(0, len(after.text) - 1)
        inner = _expression(after, answer_type, strict=False) if after.text else None
        if isinstance(inner, Phrase):
            return inner
    if _NAME_RIGHT.fullmatch(text[at + 1 :]) and re.search(r"\d\s*$", text[:at]):
        before = phrase.part(text.rfind("=", 0, at) + 1, at)
        inner = _expression(before, answer_type, strict=False) if before.text else None
        if isinstance(inner, Phrase):
            return inner
    end = expression_end(text)
    if end == len(text) or (formulas(text)[:1] and formulas(text)[0][:2] == (0, len(text))):
        return phrase
    if end > at > 0 and not _GOES_ON.match(text[end:]):
        return phrase.part(0, end + _unit_length(text[end:]))
    return PROSE if _has_words(text[:at]) else phrase


_NAME_RIGHT = re.compile(r"\s*[a-zA-Z]\s*")
_CALCULATION = re.compile(
    r"\d\s{0,4}(?:[a-zA-Z%]{1,15}\s{0,4})?(?:\\?[$€£])?[-+*/×÷^!]|\\(?:cdot|times|div|frac|sqrt|binom|tfrac"
    r"|dfrac)|\d\s{0,4}%?\s{0,4}(?:of|x)\s{0,4}\$?\d"
)
_UNKNOWN = re.compile(r"(?<![\\a-zA-Z])[a-wyzA-Z](?![a-zA-Z])|(?<![\d\s])\s?x|x(?!\s?\$?\d)")


def _with_unit(phrase: Phrase, value: Number) -> Phrase:
    """ "5 apples left" is 5; "5 cm" and "2 hours 30 minutes" keep their unit."""
    text = phrase.text
    if value.unit is not None or value.percent:
        cut = re.match(
            r"[^\s]+(?:\s?%|\s+(?!per\b|an?\b|each\b|in\b|of\b|for\b"
            r"|to\b)[A-Za-z]+(?:\s+\d+\s+[A-Za-z]+)?)?",
            text,
        )
        short = parse_number(clean(cut.group())) if cut else None
        if short is not None and short == value:
            return phrase.part(0, cut.end())
        return phrase
    for m in NUMBER_TOKEN.finditer(text):
        if m.group().strip():
            read = parse_number(clean(m.group()))
            if read is None or (read.value, read.percent) != (value.value, value.percent):
                return phrase
            return phrase.part(m.start(), m.end())
    return phrase


def _unwrapped(phrase: Phrase) -> Phrase:
    r"""Without the signs of a displayed formula: \\[ x \\] is x."""
    m = _DISPLAY.fullmatch(phrase.text)
    return phrase.part(m.start(1), m.end(1)) if m else phrase
