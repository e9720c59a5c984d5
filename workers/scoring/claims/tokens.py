"""Cuts a text into numbers, words and signs, and finds the calculations in it. Linear in the text."""

import re
from fractions import Fraction
from functools import lru_cache
from itertools import islice

from workers.scoring.claims.lexicon import BREAKS, NUMBERS

MAX_TOKENS = 2_000  # of one step; what follows is not read
MAX_CHARS = 8_000
REACH = 80  # tokens that the left side of a calculation may have

_TOKEN = re.compile(
    r"(?P<n>\d{1,3}(?: \d{3}){1,4}(?!\d)|\d+(?:,\d+)*(?:\.\d+)?|\.\d+)|(?P<w>[^\W\d_]+(?:['’-][^\W\d_]+)*)"
    r"|(?P<o>[-+*/×÷=^−·])|(?P<m>[$€£])|(?P<p>%)|(?P<s>[.,;:!?()\n])"
)
_NONE: frozenset = frozenset()
_JOINS = frozenset("x times plus minus".split())


@lru_cache(maxsize=8_192)
def number_of(text: str) -> int | Fraction | None:
    """The value of a number as written; None where it is too long to be one."""
    if len(text) > 24:
        return None
    text = text.replace(",", "").replace(" ", "").rstrip(".")
    if text.isdecimal():
        return int(text)
    value = Fraction(text) if text else None
    return value.numerator if value is not None and value.denominator == 1 else value


@lru_cache(maxsize=1_024)
def _hyphened(word: str) -> int | None:
    """ "forty-two", and the fifty of "fifty-dollar"."""
    known = [NUMBERS.get(part) for part in word.split("-")]
    if known[0] is None or len(known) > 3:
        return None
    return known[0] + known[1] if known[0] >= 20 and len(known) > 1 and known[1] else known[0]


class Tokens:
    """The tokens of a text as lists of the same length.

    kinds: "n" number, "q" fraction such as 2/3 (its other two tokens are "f"), "w" word, "o" operator, "m"
    money,
    "p" per cent, "s" punctuation; texts: in small letters; starts: where they begin; values: what a number
    or a
    number word says, else None; capitals: places of the words with capital letters; calculations: (first
    token,
    last "=", result) of each; inside: the places within calculations.
    """

    __slots__ = ("calculations", "capitals", "inside", "kinds", "starts", "texts", "values")

    def __init__(self, text: str):
        found = [
            (m.lastgroup, m.group(), m.start())
            for m in islice(_TOKEN.finditer(text, 0, MAX_CHARS), MAX_TOKENS)
        ]
        kinds, texts, starts = map(list, zip(*found, strict=True)) if found else ([], [], [])
        self.kinds, self.texts, self.starts = kinds, texts, starts
        self.values = values = [None] * len(kinds)
        self.capitals = capitals = set()
        for i, kind in enumerate(kinds):
            if kind == "w":
                shown = texts[i]
                if not shown.islower():
                    capitals.add(i)
                    texts[i] = shown = shown.lower()
                if shown in NUMBERS:
                    values[i] = NUMBERS[shown]
                elif "-" in shown:
                    values[i] = _hyphened(shown)
            elif kind == "n":
                values[i] = number_of(texts[i])
        if "/" in texts:
            self._join_fractions()
        self.calculations, self.inside = (), _NONE
        if "=" in texts:
            self.calculations = self._find_calculations()
            self.inside = frozenset(
                [i for left, _, result in self.calculations for i in range(left, result + 1)]
            )

    def end(self, i: int) -> int:
        """Where the token at `i` ends."""
        return self.starts[i] + len(self.texts[i])

    def _join_fractions(self) -> None:
        """ "2/3" without spaces is one number."""
        kinds, values = self.kinds, self.values
        for i in range(1, len(kinds) - 1):
            if (
                self.texts[i] == "/"
                and kinds[i - 1] == kinds[i + 1] == "n"
                and values[i - 1] is not None
                and values[i + 1]
                and self.end(i - 1) == self.starts[i]
                and self.end(i) == self.starts[i + 1]
                and values[i - 1] < values[i + 1] < 1_000
                and self.texts[i + 2 : i + 3] != ["/"]
            ):
                values[i - 1] = Fraction(values[i - 1]) / values[i + 1]
                values[i + 1] = None
                kinds[i - 1], kinds[i], kinds[i + 1] = "q", "f", "f"

    def _find_calculations(self) -> list[tuple[int, int, int]]:
        texts, kinds = self.texts, self.kinds
        out: list[tuple[int, int, int]] = []
        size, i, floor = len(kinds), 0, 0
        while i < size:
            if texts[i] != "=":
                i += 1
                continue
            left, equals, result = self._left_of(i, floor), i, self._result_of(i)
            while result is not None:
                after = self._operator_behind(result)
                if after is None:
                    break
                if texts[after] != "=":  # "= 2 * 3 = 6": the result comes later, or is never said
                    after = next(
                        (j for j in range(after, min(size, after + 40)) if texts[j] == "="), None
                    )
                if after is None:
                    result = None
                    break
                equals, result = after, self._result_of(after)
            if left is not None and result is not None:
                out.append((left, equals, result))
                floor = result + 1
                i = result
            else:
                i = equals
            i += 1
        return out

    def _result_of(self, equals: int) -> int | None:
        """The place of the number behind an equals sign."""
        i, kinds = equals + 1, self.kinds
        while i < len(kinds) and (kinds[i] == "m" or self.texts[i] in "-−"):
            i += 1
        return i if i < len(kinds) and kinds[i] in "nq" and self.values[i] is not None else None

    def _operator_behind(self, result: int) -> int | None:
        """An operator behind a number, with at most three words of unit between."""
        kinds = self.kinds
        for i in range(result + 1, min(len(kinds), result + 5)):
            kind = kinds[i]
            if kind == "o":
                word_next = kinds[i + 1 : i + 2] == ["w"]
                if word_next and (self.texts[i] == "/" or self.starts[i] == self.end(i - 1)):
                    return None  # "10 miles/hour", "4-year"
                return i
            if kind not in "wpf":
                return None
        return None

    def _left_of(self, equals: int, floor: int) -> int | None:
        """The first token of the calculation that ends before an equals sign."""
        kinds, texts = self.kinds, self.texts
        i, first, want, gap = equals - 1, None, True, 0
        while i >= floor and equals - i < REACH:
            kind, text = kinds[i], texts[i]
            if want:  # a number, perhaps with words of its unit behind it
                if kind in "nq":
                    first, want, gap = i, False, 0
                elif kind in "wpf" or text in "/)":
                    gap += 1
                    if gap > 6 or text in BREAKS:
                        break
                else:
                    break
            elif kind == "m" or text == "(":
                first = i
            elif text == ")" or kind == "o" or text in _JOINS:
                want = True
            else:
                break
            i -= 1
        return first
