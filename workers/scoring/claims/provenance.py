"""Where the numbers and names of a rationale come from: the question, an earlier step, or common knowledge.

What none of them yields comes from nowhere. Only the terms of calculations are asked, so that a remark in
passing
costs nothing.
"""

import re
from collections.abc import Iterator
from fractions import Fraction

from workers.scoring.claims.lexicon import AFTER_STRANGER, BEGINNERS, STOPS, stem
from workers.scoring.claims.mentions import Mention
from workers.scoring.claims.tokens import Tokens, number_of

# Common knowledge, with where each is written down: SI Brochure (9th edition, tables 4 and 8: minute, hour,
# day),
# ISO 8601 (days of a week, months and days of a year), NIST Handbook 44 appendix C (inches, feet, yards,
# miles,
# ounces, pounds, cups, pints, quarts, gallons), United States Mint (cents in coins). Small counts (hands,
# wheels,
# legs) are known to everybody.
CONSTANTS = {
    "counts": (0, 1, 2, 3, 4, 5, 6, 8, 10, 20, 100, 1_000, 10_000, 1_000_000),
    "time": (
        7,
        12,
        24,
        28,
        29,
        30,
        31,
        48,
        52,
        60,
        90,
        120,
        180,
        365,
        366,
        1_440,
        3_600,
        604_800,
        86_400,
    ),
    "calendar": (
        2_000,
        1_900,
        52,
        26,
        13,
        14,
        21,
        22,
        16,
        18,
    ),  # weeks of months, school days of a month
    "length": (12, 36, 3, 5_280, 1_760, 1_000, Fraction("2.54"), Fraction("1.6"), Fraction("0.62")),
    "weight": (16, 14, 2_000, Fraction("2.2"), Fraction("0.45")),
    "volume": (2, 4, 8, 16, 32, 128, 231),
    "money": (
        1,
        5,
        10,
        25,
        50,
        100,
        Fraction("0.05"),
        Fraction("0.1"),
        Fraction("0.25"),
        Fraction("0.5"),
    ),
    "angles": (90, 180, 360, Fraction("3.14"), Fraction("3.1416"), Fraction(22, 7)),
    "parts": (
        Fraction(1, 2),
        Fraction(1, 3),
        Fraction(2, 3),
        Fraction(1, 4),
        Fraction(3, 4),
        Fraction(1, 100),
    ),
    "temperature": (32, 212, Fraction(5, 9), Fraction(9, 5)),
    "cards and dice": (52, 13, 6, 36, 54),
}
COMMON = frozenset(value for values in CONSTANTS.values() for value in values)
_WORDS = {
    "half": Fraction(1, 2), "halve": Fraction(1, 2), "twice": 2, "double": 2, "triple": 3, "thrice": 3,
    "quadruple": 4, "third": Fraction(1, 3), "quarter": Fraction(1, 4), "fourth": Fraction(1, 4),
    "fifth": Fraction(1, 5), "sixth": Fraction(1, 6), "eighth": Fraction(1, 8), "tenth": Fraction(1, 10),
    "dozen": 12, "score": 20, "decade": 10, "century": 100, "hundred": 100, "thousand": 1_000, "gross": 144,
    "couple": 2, "pair": 2, "nickel": 5, "dime": 10, "quarters": 25, "square": 4, "hexagon": 6, "pentagon": 5,
    "octagon": 8, "triangle": 3,
}  # fmt: skip
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_CAPITAL = re.compile(r"(?<![\w.'’])[A-Z][a-z]{2,15}(?:['’]s)?(?![\w'’])")
_NEXT_WORD = re.compile(r"\s([a-z]+)")
MAX_KNOWN = 2_000


def given_values(question: str, tokens: Tokens, mentions: list[Mention]) -> set:
    """What the question gives, with what follows at once: 20% also gives 0.2, 0.8 and 1.2."""
    known = {m.value for m in mentions}
    known.update([value for value in tokens.values if value is not None])
    known.update([number_of(shown) for shown in _NUMBER.findall(question) if len(shown) < 20])
    lower = question.lower()
    known.update([value for word, value in _WORDS.items() if word in lower])
    for m in mentions:
        if m.kind == "%":
            known.update((m.value / Fraction(100), 100 - m.value, 100 + m.value))
    for value in list(known)[:MAX_KNOWN]:
        if 0 < value < 1:
            known.update((1 - value, 1 + value, 1 / Fraction(value)))
        known.update((value - 1, value + 1))  # one of a group beside the others
        if isinstance(value, int) and value < 1_000:
            known.add(Fraction(value, 100))
    return known


def from_nowhere(
    known: set, steps: list[list[Mention]]
) -> Iterator[tuple[int, Mention, int | Fraction]]:
    """(step, result, term) for each term of a calculation that nothing yields. `known` grows."""
    for at, mentions in enumerate(steps):
        here = {m.value for m in mentions if not m.operands}
        for one in mentions:
            for term in one.operands:
                if (
                    term not in known
                    and term not in COMMON
                    and term not in here
                    and not _rounded(term, known)
                ):
                    yield at, one, term
            known.add(one.value)
            known.update(one.operands)


def _rounded(term, known: set) -> bool:
    """Whether a known value with decimals is this one, rounded."""
    return any(
        v.denominator != 1 and abs(term - v) < Fraction(1, 2) for v in list(known)[:MAX_KNOWN]
    )


def circular(given: set, steps: list[list[Mention]]) -> Iterator[tuple[int, Mention]]:
    """Results that their own step takes as known before it works them out."""
    known = set(given)
    for at, mentions in enumerate(steps):
        for i, one in enumerate(mentions):
            if one.operands or one.value in known or one.value <= 4 or one.kind in ("-", "x"):
                continue
            for later in mentions[i + 1 :]:
                if (
                    later.operands
                    and later.value == one.value
                    and one.value not in later.operands
                    and (not one.unit or one.unit == later.unit)
                ):
                    yield at, one
                    break
        for one in mentions:
            known.add(one.value)
            known.update(one.operands)


def strangers(question: str, texts: list[str]) -> Iterator[tuple[int, int, str]]:
    """(step, place in its text, name) of names that are not the question's."""
    small = {word.strip(".,;:!?()\"'’") for word in question.lower().split()}
    stems = {stem(word) for word in small}
    joined = question.lower()
    for at, text in enumerate(texts):
        for m in _CAPITAL.finditer(text, 0, 4_000):
            name = m.group()
            word = name.removesuffix("'s").removesuffix("’s").lower()
            if word in STOPS or word in BEGINNERS or word in joined or stem(word) in stems:
                continue
            before = text[: m.start()].rstrip(" *_\"'(")
            if not before or before[-1] in ".!?:\n-•*":
                following = _NEXT_WORD.match(text, m.end())
                owns = name.endswith(("'s", "’s"))
                if not owns and not (following and following[1] in AFTER_STRANGER):
                    continue
                if word.endswith(("ing", "ly", "s")) or any(f" {word}" in one for one in texts):
                    continue
            elif not before[-1].isalnum() and before[-1] not in ",":
                continue
            yield at, m.start(), name
