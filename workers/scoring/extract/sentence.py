"""Reads the answer out of one sentence in plain words, "So she has 5 apples left out of 12"."""

import re
from collections.abc import Sequence

from workers.scoring.extract.formulas import formulas
from workers.scoring.extract.options import choice_in_sentence
from workers.scoring.extract.phrase import Phrase, last_of
from workers.scoring.extract.phrases import CLOCK, NUMBER_TOKEN, reduce_phrase
from workers.scoring.extract.truth import leading_polarity, polar_words
from workers.scoring.numbers.dates import IN_TEXT

ADJUNCT = re.compile(
    r"\b(?:not|out of|(?<!total )(?<!sum )(?<!maximum )(?<!minimum )of|in|for|after|from|than|on|at"
    r"|over|by|with|per|every|each|between|during|within|"
    r"until|before|since|if|when|all|those|these|both|step|day|week|year|page|row|chapter|grade|age|"
    r"number|no\.?|the (?:first|last|next|other|remaining)|and the other)\s+"
    r"(?:(?:the|his|her|their|its|our|these|those|all|a|an|about|only|another|other|first|last|next|"
    r"remaining|original|initial|total|same)\s+){0,3}$",
    re.I,
)
VERB = re.compile(
    r"\b(?:is|are|was|were|be|equals?|has|have|had|makes?|made|earn(?:s|ed)?|needs?|needed|costs?|pays?|"
    r"paid|gets?|got|leaves?|left|spen[dt]s?|takes?|took|sold|sells?|buys?|bought|eats?|ate|gives?|gave|"
    r"runs?|ran|walks?|reads?|uses?|used|saves?|saved|weighs?|contains?|holds?|requires?|required|"
    r"produces?|received?s?|receives?|collects?|total(?:s|ed|ing)?|only|exactly|remain(?:s|ing)?|drives?|"
    r"drove|travels?|travell?ed|cover(?:s|ed)?|lasts?|works?|worked|wins?|won|lost|loses?|baked?s?|"
    r"approximately|about|≈|can|will|should|must|ends? up with|finish(?:es|ed)? with)\s+(?:\w+\s+){0,2}$",
    re.I,
)
_PREDICATE = re.compile(
    r"(?:\b(?:is|are|was|were|be|equals?|becomes?|gives?|obtain|get|yields?|has|have|called|named"
    r"|lies in|namely)"
    r"(?:[ \t]+(?:then|therefore|thus|exactly|only|simply|just|equal to|also))?|:)[ \t]+(?!(?:then"
    r"|that)\b)",
    re.I,
)
# "x = 5 or x = -3": every part belongs to the answer.
_SEVERAL = re.compile(
    r"(?<![\w+*/=-])(\$?[a-z]\s*=\s*[^\s,;=]+\s*(?:,|or|and)\s*(?:(?:or|and)\s*)?"
    r"\$?[a-z]\s*=\s*[^\s,;=]*[^\s,;=.])",
    re.I,
)
_PLAIN_VERB = re.compile(
    r"\b(?:is|are|has|have|had|equals|makes|left|gets|needs|pays|earns|costs|takes)\s+", re.I
)
_LIST = re.compile(
    r"\b(?:are|is|were|be"
    r"|:)\s{1,3}([-−]?[$€£]?\d{1,30}(?:[./]\d{1,30})?(?:(?:\s{0,3},\s{0,3}(?:(?:and|or)\s{1,3})?"
    r"|\s{1,3}(?:and|or)\s{1,3})"
    r"[-−]?[$€£]?\d{1,30}(?:[./]\d{1,30})?){1,20}+)\s{0,3}[.!]?\s{0,3}$"
)
_IF_THEN = re.compile(r"\s*(?:so |and |thus |therefore )?if\b[^.\n]{1,200}?,? then\b", re.I)
_ENGLISH = re.compile(r"[a-zA-Z]")


def read_sentence(
    phrase: Phrase, answer_type: str | None, choices: Sequence[str]
) -> Phrase | str | None:
    """The answer that a sentence gives, AMBIGUOUS where it gives two options, None where it gives none."""
    text = phrase.text
    if choices or answer_type == "choice":
        return choice_in_sentence(phrase, choices)
    if answer_type == "yes_no":
        return _yes_no(phrase)
    if answer_type in ("date", "time"):
        found = last_of((IN_TEXT if answer_type == "date" else CLOCK).finditer(text))
        if found:
            return phrase.part(*found.span())
    if answer_type in ("text", "undetermined"):
        return _predicate_in_words(phrase)
    several = _SEVERAL.search(text)
    if several:
        return phrase.part(*several.span(1))
    listed = _LIST.search(text)
    if listed:
        return phrase.part(*listed.span(1))
    found = formulas(text) if "$" in text or "\\" in text else []
    if found or re.search(r"\\[a-zA-Z]{2}", text):
        return _mathematics(phrase, found, answer_type)
    return _plain(phrase, answer_type)


def _yes_no(phrase: Phrase) -> Phrase | None:
    said = list(polar_words(phrase.text))
    if said:
        return phrase.part(*said[-1][:2])
    if leading_polarity(phrase.text) is not None:
        return phrase.part(0, re.match(r"\W*[^\W\d_]+", phrase.text).end())
    return None


def _predicate_in_words(phrase: Phrase) -> Phrase | None:
    """ "So it is a parabola": what stands behind the last verb, where it is short."""
    last = last_of(_PREDICATE.finditer(phrase.text))
    if last is None:
        return None
    part = phrase.part(last.end(), len(phrase.text.rstrip(" .!?*\"'`)。")))
    return part if part.text and len(part.text.split()) <= 6 else None


def _mathematics(phrase: Phrase, found: list, answer_type: str | None) -> Phrase | None:
    """A sentence with formulas: what it is said to be, else the right side of its last formula."""
    text = phrase.text
    last = None
    for m in _PREDICATE.finditer(text):
        if not any(a < m.start() < b for a, b, *_ in found):
            last = m
    if last is not None and re.search(r"[\d\\]", text[last.end() :]):
        part = phrase.part(last.end(), len(text.rstrip(" .!*")))
        answer = reduce_phrase(part, answer_type, (), strict=True) if part.text else None
        if (isinstance(answer, Phrase) and answer.start == part.start) or _is_inside(
            answer, found, phrase
        ):
            return answer
    if not found:
        return None
    _, b, inner, end = found[-1]
    tail = text[b:]
    if re.search(r"\d", tail):
        return None
    part = phrase.part(inner, end)
    answer = reduce_phrase(part, answer_type, (), strict=False)
    return answer if isinstance(answer, Phrase) else None


def _is_inside(answer, found, phrase: Phrase) -> bool:
    """Whether an answer lies in the last formula: it is its right side."""
    if not isinstance(answer, Phrase) or not found:
        return False
    a, b, *_ = found[-1]
    return phrase.start + a <= answer.start and answer.end <= phrase.start + b


def _plain(phrase: Phrase, answer_type: str | None) -> Phrase | None:
    conditional = _IF_THEN.match(phrase.text)
    if conditional:
        phrase = phrase.part(conditional.end(), len(phrase.text))
    text = phrase.text
    equals = max(text.rfind("="), text.rfind("≈"))
    if equals >= 0:
        after = phrase.part(equals + 1, len(text.rstrip(" .!*_。।")))
        if re.fullmatch(r"\s*[a-zA-Z]\s*", after.text) and re.search(r"\d\s*$", text[:equals]):
            last = phrase.part(
                max(text.rfind(" or ", 0, equals), text.rfind("=", 0, equals), -1) + 1, equals
            )
            numbers = [m for m in NUMBER_TOKEN.finditer(last.text) if m.group().strip()]
            return last.part(*numbers[-1].span()) if numbers else None  # "20 = A"
        answer = reduce_phrase(after, answer_type, (), strict=False) if after.text else None
        return answer if isinstance(answer, Phrase) else None
    numbers = [m for m in NUMBER_TOKEN.finditer(text) if m.group().strip()]
    if not numbers:
        return _number_in_words(phrase)
    if not _ENGLISH.search(text):
        return _whole(phrase, numbers[-1], answer_type)
    free = [m for m in numbers if not ADJUNCT.search(text, max(0, m.start() - 120), m.start())]
    pool = free or numbers
    if len(pool) > 1:
        after_verb = [m for m in pool if VERB.search(text[max(0, m.start() - 40) : m.start()])]
        pool = after_verb or pool
    if not free and len(numbers) > 1:
        return None
    return _whole(phrase, pool[0], answer_type)


_BOUND = re.compile(
    r"(?:\b(?:at least|at most|(?:no |not )?(?:more|less|fewer|greater|larger|smaller|higher|lower) "
    r"than|up to"
    r"|over|under|above|below|between)|(?:\b[a-zA-Z]\s?)?[<>≤≥]=?)\s*\$?$",
    re.I,
)
# What makes another number, or none, of the one behind it: "not 7", "twice 7", "the square root of 7".
_TURNED = re.compile(
    r"\b(?:not|n't|never|cannot|can't|but|except|twice|double|triple|thrice|(?:half|third|quarter"
    r"|square|cube|root"
    r"|factorial|multiple|logarithm|power|inverse|reciprocal) of)\s+(?:be\s+|equal\s+to\s+)?\$?$"
    r"|n't\s+(?:be\s+)?$",
    re.I,
)


def _without_stop(text: str) -> str:
    """Without the end of the sentence; a factorial keeps its sign."""
    text = text.rstrip(" .*_。।")
    return text if text[-2:-1].isdigit() else text.rstrip("! ")


def _whole(phrase: Phrase, number: re.Match, answer_type: str | None) -> Phrase | None:
    """The number with what belongs to it: "4π" of "the area is 4π", not 4."""
    if _TURNED.search(phrase.text, max(0, number.start() - 40), number.start()):
        return None
    bound = _BOUND.search(phrase.text, max(0, number.start() - 40), number.start())
    if bound:
        return phrase.part(bound.start(), number.end())  # "at least 7" is a bound, and no 7
    rest = phrase.part(number.start(), len(_without_stop(phrase.text)))
    answer = reduce_phrase(rest, answer_type, (), strict=False)
    plain = phrase.part(number.start(), number.end())
    if (
        isinstance(answer, Phrase)
        and answer.start == rest.start
        and not _is_prose(answer.text, plain.text)
    ):
        return answer
    return plain


def _is_prose(text: str, number: str) -> bool:
    """Whether more than the number and its unit was kept because words go on: "5 for 3 of them"."""
    return len(text.split()) > len(number.split()) + 2 and not re.search(r"[-+*/^=\\]", text)


def _number_in_words(phrase: Phrase) -> Phrase | None:
    verb = last_of(_PLAIN_VERB.finditer(phrase.text))
    if verb is None:
        return None
    rest = phrase.part(verb.end(), len(phrase.text.rstrip(" .!\n")))
    found = reduce_phrase(rest, "number", (), strict=True) if rest.text else None
    return found if isinstance(found, Phrase) else None
