"""Reads which option of a multiple-choice question a phrase names: by letters or by an option's text."""

import re
from collections.abc import Sequence

from workers.scoring.extract.phrase import Phrase

_LABEL = re.compile(r"^\s*[(\[]?([A-Za-z]|\d{1,2})[)\].:、．]\s*|^\s*\(?([A-Z])\)?\s+(?=\S)")
_LETTER = re.compile(
    r"[\s(\[*_\"'$`:]*(?:\\(?:text(?:bf)?|mathrm|mathbf)\{\s*)?[(\[（【]?([A-Za-z])[)\]）】]?"
    r"(?:\}|[)\].:,;*_\"'$`\s]|--|[-–—]|$|(?=[^\x00-\x7f]))"
)
_HEDGES = re.compile(
    r"[\s:*_]*(?:(?:most|more)?\s*(?:likely|probably|possibly|certainly|definitely|clearly|actually"
    r"|indeed|either"
    r"|simply|just|still|thus|therefore|option|choice|answer|letter|number|the|that|is|be|to "
    r"be)\b[\s:*_]*){0,6}",
    re.I,
)
_BUT = re.compile(r"\b(?:but|rather|instead|it(?:'s| is| must be)|so)\b[\s,:]*(?:rather\s+)?", re.I)
_NOT = re.compile(r"\s*(?:not|n't|never|neither)\b", re.I)
_LATER = re.compile(r"(?<![\w(\[])[(\[（]?([A-Z])[)\]）]?(?![\w'])")
_SEVERAL = re.compile(
    r"[(\[]?([A-Z])[)\]]?(?:\s*(?:,|、|;|&|\+|and|und|et|y|,\s*and)\s*[(\[]?([A-Z])[)\]]?)+(?![\w'])"
)
_EITHER = re.compile(r"[(\[]?([A-Z])[)\]]?[\s,]*(?:\bor\b|/)\s*[(\[]?([A-Z])[)\]]?(?![\w'])")
_RUN = re.compile(r"([A-Z]{2,8})(?![\w'])")
_IN_SENTENCE = re.compile(
    r"[(\[（]([A-Z])[)\]）]|\b(?:[Oo]ption|[Cc]hoice|[Aa]nswer|[Ll]etter)\s+[(\[]?([A-Z])\b"
    r"|\b(?:is|be|but|so|[Cc]hoose|[Pp]ick|[Ss]elect|with)\s+([B-HJ-Z])(?=[.,;:*!]|\s*$)"
    r"|^[\s*_\"'$]*([A-Z])[\s.*_\"'$。]*$"
    r"|\b([A-Z])\s+is\s+(?:the\s+)?(?:only\s+)?(?:correct|right|best|answer|true)\b"
)
_ALL_RIGHT = re.compile(
    r"\b([A-Z](?:,\s?[A-Z]){0,8}(?:,?\s(?:and|&)\s[A-Z])) are (?:(?:both|all) )?(?:the )?(?:correct"
    r"|right|true|answers)\b"
)
_DENIES = re.compile(r"\bnot\s+(?:(?:be|option|choice)\s+)?[(\[]?$")
_LETTERS = re.compile(
    r"[(\[]?[A-Z][)\]]?(?:[\s,;&+]{0,4}+(?:and\b\s{0,3}+)?[(\[]?[A-Z][)\]]?){1,25}+"
)
AMBIGUOUS = "or"


def option_text(choice: str) -> str:
    """ "A) 5.5" is "5.5"."""
    return _LABEL.sub("", choice, count=1).strip() or choice.strip()


def label_of(choice: str, place: int) -> str:
    """The letter that an option has: its own label, else that of its place."""
    m = _LABEL.match(choice)
    label = (m[1] or m[2]).upper() if m else ""
    return label if label.isalpha() else chr(65 + place) if place < 26 else ""


def letters_in(text: str, count: int) -> str:
    """The letters of several right options, sorted, "" where a text is none of that kind: "A and "
    "C" is "AC"."""
    text = text.strip().strip("$.*{}[]()\\ ")
    if not _LETTERS.fullmatch(text):
        return ""
    letters = re.findall(r"[A-Z]", text)
    if len(set(letters)) != len(letters) or (
        count and any(ord(one) - 65 >= count for one in letters)
    ):
        return ""
    return "".join(sorted(letters))


def read_choice(phrase: Phrase, choices: Sequence[str]) -> Phrase | str | None:
    """The option that a phrase names; AMBIGUOUS where it names two; None where it denies one, or names none.

    A phrase that is no letter comes back as it is: it may be an option's text.
    """
    text = phrase.text
    lead = _HEDGES.match(text).end()
    if _NOT.match(text, lead):
        turn = _BUT.search(text, lead)
        if not turn:
            return None
        return read_choice(phrase.part(turn.end(), len(text)), choices)
    either = _EITHER.match(text, lead)
    if (
        either
        and _known(either[1], choices)
        and _known(either[2], choices)
        and either[1] != either[2]
    ):
        return AMBIGUOUS
    several = _SEVERAL.match(text, lead)
    if several and letters_in(several.group(), len(choices)):
        return phrase.part(lead, several.end())
    m = _LETTER.match(text, lead) or _LETTER.match(text)
    if m and _known(m[1].upper(), choices) and not _is_article(text, m):
        return phrase.part(m.start(1), m.end(1), m[1].upper())
    run = _RUN.match(text, lead)
    if (
        run
        and choices
        and len(set(run[1])) == len(run[1])
        and all(_known(one, choices) for one in run[1])
    ):
        return phrase.part(run.start(1), run.end(1))
    bracketed = re.search(r"[(\[（]([A-Z])[)\]）]", text)
    if bracketed and _known(bracketed[1], choices):
        return phrase.part(bracketed.start(1), bracketed.end(1))
    named = _named(text, choices)
    return phrase.part(*named) if named else phrase


def _known(letter: str, choices: Sequence[str]) -> bool:
    if not choices:
        return True
    return any(label_of(choice, place) == letter for place, choice in enumerate(choices))


def _is_article(text: str, m: re.Match) -> bool:
    """ "a dog" and "I think" are no letters."""
    after = text[m.end(1) : m.end(1) + 4]
    return m[1] in "aI" and bool(re.match(r"\s+[a-z]{2}", after))


def _named(text: str, choices: Sequence[str]) -> tuple[int, int] | None:
    """The place of the one option whose text a phrase says; the longest where one is in another."""
    low, found = text.lower(), []
    for choice in choices:
        option = option_text(choice).lower()
        at = low.rfind(option) if option else -1
        if at < 0 or (low[at - 1 : at].isalnum() and at) or low[at + len(option) :][:1].isalnum():
            continue
        if re.match(r"[.,:/]\d|\s?[-+*/^]\s?\d", low[at + len(option) :]) or low[:at].endswith(
            ("-", ".", "/")
        ):
            continue
        found.append((at, at + len(option)))
    whole = [a for a in found if not any(b != a and b[0] <= a[0] and a[1] <= b[1] for b in found)]
    return whole[0] if len(whole) == 1 else None


def choice_in_sentence(phrase: Phrase, choices: Sequence[str]) -> Phrase | str | None:
    """The option that a sentence ends on; AMBIGUOUS where it names two as one answer."""
    text = phrase.text
    either = list(_EITHER.finditer(text))
    all_of_them = _ALL_RIGHT.search(text)
    if all_of_them and letters_in(all_of_them[1], len(choices)):
        return phrase.part(*all_of_them.span(1))
    found = None
    for m in _IN_SENTENCE.finditer(text):
        group = m.lastindex
        if _known(m[group], choices) and not _DENIES.search(
            text, max(0, m.start(group) - 20), m.start(group)
        ):
            found = phrase.part(m.start(group), m.end(group))
    if found:
        if either and _known(either[-1][1], choices) and _known(either[-1][2], choices):
            return AMBIGUOUS
        return found
    named = _named(text, choices)
    return phrase.part(*named) if named else None
