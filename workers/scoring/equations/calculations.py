"""Finds the calculation that stands on each side of an equals sign, among words and units."""

from dataclasses import dataclass
from fractions import Fraction

from workers.scoring.equations.tokens import Token, is_unit_of_number, token_gap

MAX_SIDE = 80  # tokens of one side


@dataclass(frozen=True, slots=True)
class Side:
    """One side of an equality: tokens for `arithmetic.value_of`, its text, and its unit words."""

    tokens: list
    text: str
    start: int
    end: int
    words: tuple[str, ...] = ()
    loose: bool = False

    @property
    def calculates(self) -> bool:
        """Whether there is something to compute: an operator, or numbers multiplied by brackets."""
        return any(kind in "+-*/^" for kind, _ in self.tokens[1:]) or (
            len(self.tokens) > 3 and self.tokens[0][0] == "n" and self.tokens[1][0] == "("
        )


# Words before a calculation that are part of it: it cannot be checked without them.
_PART_OF_IT = frozenset(
    "half third thirds quarter quarters fourth fourths fifth fifths sixth tenth twice"
    " double triple thrice times plus minus by over root mod modulo squared cubed log"
    " percent sqrt ln sin cos tan less dozen".split()
)


_NUMBERED = frozenset(
    "day days week weeks month months step page chapter grade number no year years".split()
)


def left_side(tokens: list[Token], equals: int) -> Side | None:
    """The calculation that ends before the equals sign, or None where it is not plain."""
    taken: list[Token] = []
    words: list[str] = []
    i, depth = equals - 1, 0
    floor = max(-1, equals - MAX_SIDE)
    want_operand = True  # reading backwards, an operand comes next
    while i > floor:
        token = tokens[i]
        if want_operand:
            after_units = _skip_units(tokens, i, words)
            if after_units is None:
                return None
            i = after_units
            if i <= floor:
                return None
            token = tokens[i]
            if token.kind in "n%":
                taken.append(token)
                want_operand = False
            elif token.text == ")":
                taken.append(token)
                depth += 1
            else:
                return None
        elif token.kind == "op" and token.text == "(" and depth:
            taken.append(token)
            depth -= 1
        elif token.kind == "op" and token.text == ")" and taken and taken[-1].text == "(":
            taken.append(token)  # (2)(3)
            depth += 1
            want_operand = True
        elif token.kind in "n%" and taken[-1].text == "(" and not token_gap(token, taken[-1]):
            taken.append(token)  # 2(3 + 4)
        elif token.kind == "op" and token.text not in "()":
            if _is_sign(tokens, i):
                taken.append(token)
                i -= 1
                break
            taken.append(token)
            want_operand = True
        else:
            break
        i -= 1
    return _finish_left(tokens, i, taken, words, depth, want_operand)


def _finish_left(tokens, i, taken, words, depth, want_operand) -> Side | None:
    if want_operand or depth or not taken:
        # "x + 4": the calculation goes on in what is no number
        return None
    if i >= 0:
        before, first = tokens[i], taken[-1]
        if before.kind == "bad" or (before.kind == "op" and before.text != "("):
            return None
        if (
            before.text == "("
            and i
            and (tokens[i - 1].kind in "w%n" and not token_gap(tokens[i - 1], before))
        ):
            return None  # f(2 + 3 = 5
        if before.kind == "w" and not token_gap(before, first):
            return None  # x2
        if before.kind in "n%":
            return None
        if before.text == "(" and i and tokens[i - 1].kind == "op":
            return None  # "100 + (100 * 2 = 300"
        if before.text == "," and i and tokens[i - 1].kind in "n%" and len(first.text) > 2:
            return None  # 16,0000 and 14, 400
        if before.kind == "w" and _belongs(tokens, i):
            return None
        if before.text == ":" and i and tokens[i - 1].kind == "n" and not token_gap(before, first):
            return None  # 2:30
    taken.reverse()
    if (
        i >= 0
        and tokens[i].kind == "w"
        and len(taken) > 3
        and taken[0].text == "("
        and taken[2].text == ")"
    ):
        return None  # "Shonda (1) + 2"
    if taken[0].text in "+-" and len(taken) > 1 and token_gap(taken[0], taken[1]) and i < 0:
        taken = taken[1:]  # a bullet
    return _side(taken, words)


def _belongs(tokens: list[Token], i: int) -> bool:
    """Whether the word before a calculation is part of it: "half of 30 + 2"."""
    word = tokens[i].text.lower()
    if word in _PART_OF_IT:
        return True
    if word in _NUMBERED and tokens[i + 1].kind == "n":
        return True  # "on day 1 * 2"
    if word == "and" and i:
        return tokens[i - 1].kind in "n%"  # "1 and 1/4"
    if word == "of" and i:
        before = tokens[i - 1]
        return (
            before.kind == "%" or before.text.lower() in _PART_OF_IT or before.text in ("%", "root")
        )
    if len(word) == 1 and word not in "ai":
        return i > 0 and tokens[i - 1].kind == "op"
    return False


def _is_sign(tokens: list[Token], i: int) -> bool:
    """Whether a minus is a sign: nothing that could be an operand stands before it."""
    if tokens[i].text not in "+-":
        return False
    if i == 0:
        return True
    before = tokens[i - 1]
    if before.kind in ("=", ".") or before.text == "(":
        return before.text not in ("%",)
    if (
        before.kind == "w"
        and token_gap(before, tokens[i])
        and not token_gap(tokens[i], tokens[i + 1])
    ):
        return not is_unit_of_number(tokens, i - 1) and len(before.text) > 2
    return False


def _skip_units(tokens: list[Token], i: int, words: list[str]) -> int | None:
    """Index of the number whose unit words end at `i`; None where they are no unit words."""
    count = 0
    while i >= 0 and (
        tokens[i].kind == "w"
        or (tokens[i].text == "/" and count and i and tokens[i - 1].kind == "w")
    ):
        token = tokens[i]
        if token.kind == "w":
            count += 1
            if len(token.text) == 1 and token.text not in "¢°#":
                return None  # an unknown
            words.append(token.text.lower())
        i -= 1
    if count > 6 or i < 0:
        return None
    if count and tokens[i].text == "." and i and tokens[i - 1].kind == "w":
        return None
    if count and tokens[i].kind not in "n%" and tokens[i].text not in (")", "/"):
        return None
    if count and tokens[i].text == "/":
        return i - 1 if i and tokens[i - 1].kind in "n%" else None  # 5/person
    return i


_SCALE_WORDS = ("remainder", "rem", "r", "R")


def right_side(tokens: list[Token], equals: int) -> Side | None:
    """The number or calculation that follows the equals sign, or None where it is not plain."""
    i, size = equals + 1, min(len(tokens), equals + MAX_SIDE)
    loose = tokens[equals].text == "~"
    while i < size and tokens[i].text == "~":
        loose, i = True, i + 1
    taken: list[Token] = []
    words: list[str] = []
    depth, want_operand = 0, True
    good = 0  # how many tokens make a complete calculation
    while i < size:
        token = tokens[i]
        if want_operand:
            if token.text == "(":
                depth += 1
            elif token.kind in "n%":
                want_operand = False
            elif not (token.text in ("+", "-") and (not taken or taken[-1].text == "(")):
                break
            taken.append(token)
        elif token.text == ")" and depth:
            depth -= 1
            taken.append(token)
        elif token.text == "(" and not token_gap(tokens[i - 1], token):
            depth += 1
            taken.append(token)
            want_operand = True
        elif token.kind == "op" and token.text not in "()":
            if token.text == "/" and i + 1 < size and tokens[i + 1].kind == "w":
                if len(tokens[i + 1].text) == 1 and tokens[i + 1].text.isupper():
                    return None  # "= 8 bags / Y"
                i = _skip_units_forward(tokens, i + 1, words)
                if i is None:
                    return None
                if i < size and tokens[i].kind == "op" and _continues(tokens, i):
                    continue
                break
            if _ends_here(tokens, i):
                break
            taken.append(token)
            want_operand = True
        elif token.kind == "w":
            i = _skip_units_forward(tokens, i, words)
            if i is None:
                return None
            if i < size and tokens[i].kind == "op" and _continues(tokens, i):
                continue
            break
        else:
            break
        if not want_operand and not depth:
            good = len(taken)
        i += 1
    return _finish_right(tokens, i, taken[:good], words, loose, len(taken) > good)


def _ends_here(tokens: list[Token], i: int) -> bool:
    """Whether an operator after a number is a dash or a "per" instead: "= 5 - he", "= 20/hour"."""
    if i + 1 >= len(tokens):
        return True
    after = tokens[i + 1]
    return tokens[i].text in ("-", "/") and after.kind == "w" and len(after.text) > 1


def _continues(tokens: list[Token], i: int) -> bool:
    after = tokens[i + 1] if i + 1 < len(tokens) else None
    return (
        after is not None
        and (after.kind in "n%" or after.text == "(")
        and tokens[i].text not in "()"
    )


def _skip_units_forward(tokens: list[Token], i: int, words: list[str]) -> int | None:
    first = tokens[i]
    attached = not token_gap(tokens[i - 1], first)
    unknown = attached or (first.text != "x" and (first.text.islower() or first.text in "RXYZ"))
    if len(first.text) == 1 and first.text not in "¢°#aI" and unknown:
        return None
    if first.text.lower() in ("remainder", "rem", "r"):
        return None
    count = 0
    while i < len(tokens) and (
        tokens[i].kind == "w"
        or (tokens[i].text == "/" and i + 1 < len(tokens) and tokens[i + 1].kind == "w")
    ):
        if tokens[i].kind == "w":
            count += 1
            if tokens[i].text.lower() in ("remainder", "rem") and count < 5:
                return None
            words.append(tokens[i].text.lower())
            if count > 1 and len(tokens[i].text) == 1 and tokens[i - 1].text == "/":
                return None
        i += 1
        if count > 5:
            break
    return i


def _finish_right(tokens, i, taken, words, loose, cut) -> Side | None:
    if not taken:
        return None
    if cut:
        return None  # "= 5 + x"
    if i < len(tokens):
        after = tokens[i]
        if after.kind == "bad" or (after.text in ("^", "*", "+") and after.kind == "op"):
            return None
        if (
            after.text in (":",)
            and i + 1 < len(tokens)
            and tokens[i + 1].kind == "n"
            and not token_gap(after, tokens[i + 1])
        ):
            return None
        if after.text == "." and [t.text for t in tokens[i : i + 4]] == [".", ".", ".", "%"]:
            words.append("percent")  # 8.333...%
        if after.kind in "n%" and not words:
            return None  # a mixed number, or digits in groups
        if [t.text for t in tokens[i : i + 3 : 2]] == ["(", ")"] and tokens[i + 1].kind in "n%":
            return None  # "= 4 (4)": goes on with a factor
    return _side(taken, words, loose)


def _side(taken: list[Token], words: list[str], loose: bool = False) -> Side | None:
    tokens, shown = [], []
    for token in taken:
        if token.kind in "n%":
            digits = token.text.replace(",", "").replace("percent", "").rstrip("% ").strip()
            if len(digits) > 60 or (digits[0] == "0" and len(digits) > 1 and digits[1] != "."):
                return None  # no number to compute with: 0900 is a time
            # Whole numbers stay ints: they are much faster than fractions and equal to them.
            tokens.append((token.kind, int(digits) if digits.isdecimal() else Fraction(digits)))
        else:
            tokens.append(("^" if token.text == "**" else token.text, None))
        shown.append(token.text)
    return Side(tokens, _display(shown), taken[0].start, taken[-1].end, tuple(words), loose)


def _display(pieces: list[str]) -> str:
    """Operators with a space on each side, brackets and signs without: "2 * (3 + 4)"."""
    out = ""
    for i, piece in enumerate(pieces):
        binary = (
            piece in ("+", "-", "*", "/", "**")
            and i > 0
            and pieces[i - 1] not in ("(", "+", "-", "*", "/")
        )
        out += f" {piece} " if binary else piece
    return out.strip()
