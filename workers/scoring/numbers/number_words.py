"""Numbers in English words: "twenty-one", "a hundred and five", "two and a half"."""

import re
from fractions import Fraction

from workers.scoring.numbers.word_lists import foreign_number_word

_ONES = {
    w: i
    for i, w in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen seventeen eighteen nineteen".split()
    )
}
_TENS = {
    w: 10 * i
    for i, w in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)
}
_SCALES = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9}
_PARTS = {
    "half": 2,
    "halves": 2,
    "third": 3,
    "thirds": 3,
    "quarter": 4,
    "quarters": 4,
    "fourth": 4,
    "fourths": 4,
    "fifth": 5,
    "fifths": 5,
    "sixth": 6,
    "sixths": 6,
    "eighth": 8,
    "eighths": 8,
    "ninth": 9,
    "ninths": 9,
    "tenth": 10,
    "tenths": 10,
    "seventh": 7,
    "sevenths": 7,
}
_SPECIAL = {"none": 0, "nothing": 0, "twice": 2, "dozen": 12}
NUMBER_WORDS = frozenset({*_ONES, *_TENS, *_SCALES})
# "no apples", but not "no solutions".
_NO_THINGS = re.compile(
    r"no\s+(?!solution|answer|root|number|integer|value|real|such|way|idea|information|option|choice|one\b)"
    r"(?:[a-z]+\s+){0,2}[a-z]+s(?:\s+(?:left|remain(?:ing)?|remain))?\s*$",
    re.I,
)
_TOKEN = re.compile(r"[\s-]*([A-Za-z]+)")


def number_from_words(text: str) -> tuple[Fraction | None, str]:
    """Reads a number in words at the start of a text: (value or None, the rest of the text).

    >>> number_from_words("two and a half hours")
    (Fraction(5, 2), ' hours')
    """
    tokens, pos = [], 0
    sign = 1
    m = re.match(r"(?:minus|negative)\s+", text, re.I)
    if m:
        sign, pos = -1, m.end()
    pos0 = pos
    while (m := _TOKEN.match(text, pos)) and len(tokens) < 24:
        tokens.append((m[1].lower(), m.end()))
        pos = m.end()
    value, used = _whole(tokens)
    fraction, used = _fraction(tokens, value, used)
    if fraction is not None:
        value = fraction
    if value is None:
        first = tokens[0] if tokens else ("", 0)
        if first[0] in ("none", "nothing"):
            if len(tokens) > 1 and tokens[1][0] in ("of", "other", "else"):
                return None, text  # "none of the above" is no number
            return Fraction(0), text[first[1] :]
        if first[0] == "no" and _NO_THINGS.match(text):
            return Fraction(0), text[first[1] :]
        value, rest = foreign_number_word(text[pos0:])
        return (None, text) if value is None else (sign * value, rest)
    return sign * Fraction(value), text[tokens[used - 1][1] :]


def _whole(tokens) -> tuple[int | None, int]:
    total, current, seen, used = 0, 0, False, 0
    for i, (word, _) in enumerate(tokens):
        nxt = tokens[i + 1][0] if i + 1 < len(tokens) else ""
        if (
            word in _ONES
            and (current % 10 == 0 or current == 0)
            and not (current % 100 and _ONES[word] > 9)
        ):
            current, seen, used = current + _ONES[word], True, i + 1
        elif word in _TENS and current % 100 == 0:
            current, seen, used = current + _TENS[word], True, i + 1
        elif word == "hundred" and (seen or i) and current < 100:
            current, seen, used = max(current, 1) * 100, True, i + 1
        elif word in _SCALES and word != "hundred" and (seen or i):
            total += max(current, 1) * _SCALES[word]
            current, seen, used = 0, True, i + 1
        elif word in ("a", "one") and not seen and nxt in (*_SCALES, "dozen"):
            current, seen, used = 1, True, i + 1
        elif word == "dozen" and seen:
            current, used = current * 12, i + 1
        elif not (
            word == "and"
            and seen
            and (nxt in _ONES or nxt in _TENS)
            and current % 100 == 0
            and (current or total)
        ):
            break
    return (total + current, used) if seen else (None, 0)


def _fraction(tokens, value, used) -> tuple[Fraction | None, int]:
    words = [w for w, _ in tokens]
    rest = words[used:]
    if value is not None and rest[:1] and rest[0] in _PARTS and value:
        return Fraction(value, _PARTS[rest[0]]), used + 1
    if value is not None and rest[:1] == ["and"] and len(rest) > 2 and rest[2] in _PARTS:
        top = 1 if rest[1] in ("a", "an") else _ONES.get(rest[1])
        if top:
            return value + Fraction(top, _PARTS[rest[2]]), used + 3
    if value is None and words[:1] and words[0] in ("half", "quarter"):
        return Fraction(1, _PARTS[words[0]]), 1
    if value is None and words[:1] == ["a"] and words[1:2] and words[1] in _PARTS:
        return Fraction(1, _PARTS[words[1]]), 2
    return None, used
