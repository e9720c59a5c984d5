"""Exact arithmetic on the text of a plain calculation: numbers, + - * / ^ and brackets.

Never Python's own evaluation: a small parser over `fractions.Fraction`, with limits on digits,
powers and depth, so that `9**9**9**9` costs nothing.
"""

import re
from fractions import Fraction

MAX_TOKENS = 200
MAX_POWER = 64
MAX_BITS = 4_000  # numbers beyond this size are not computed with

TOKEN = re.compile(
    r"(?P<num>(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)(?P<pct>\s?(?:\\?%|percent\b))?"
    r"|(?P<op>\*\*|[-+*/^()])"
)


class NotArithmetic(ValueError):
    """The text is no calculation that this module can or should compute."""


def tokens_of(text: str) -> list[tuple[str, Fraction | None]]:
    """Tokens of a normalised calculation; NotArithmetic on anything else."""
    out: list[tuple[str, Fraction | None]] = []
    pos, size = 0, len(text)
    while pos < size:
        if text[pos] == " ":
            pos += 1
            continue
        m = TOKEN.match(text, pos)
        if not m or len(out) > MAX_TOKENS:
            raise NotArithmetic(text)
        op = m["op"]
        if op:
            out.append(("^" if op == "**" else op, None))
        else:
            if m.end() - pos > 60:
                raise NotArithmetic(text)
            value = Fraction(m["num"].replace(",", ""))
            if m["pct"]:
                out.append(("%", value))
            else:
                out.append(("n", value))
        pos = m.end()
    return out


def evaluate(text: str, percent_as_number: bool = False) -> Fraction:
    """The exact value of a calculation; two things side by side are multiplied: 2(3 + 4).

    percent_as_number: read "20%" as 20 instead of 1/5 (people write both).
    Raises NotArithmetic, or ZeroDivisionError.
    """
    return value_of(tokens_of(text), percent_as_number)


def value_of(tokens: list, percent_as_number: bool = False) -> Fraction:
    """The value of tokens, see `evaluate`."""
    parser = _Parser(tokens, percent_as_number)
    value = parser.sum(0)
    if parser.at != len(tokens):
        raise NotArithmetic("something is left over")
    return value


class _Parser:
    def __init__(self, tokens: list, percent_as_number: bool):
        self.tokens, self.at, self.plain = tokens, 0, percent_as_number
        self.size = len(tokens)

    def peek(self) -> str:
        return self.tokens[self.at][0] if self.at < self.size else ""

    def sum(self, depth: int) -> Fraction:
        value = self.product(depth)
        while self.at < self.size:
            op = self.tokens[self.at][0]
            if op == "+":
                self.at += 1
                value = value + self.product(depth)
            elif op == "-":
                self.at += 1
                value = value - self.product(depth)
            else:
                break
        return value

    def product(self, depth: int) -> Fraction:
        value = self.signed(depth)
        while self.at < self.size:
            op = self.tokens[self.at][0]
            if op == "*":
                self.at += 1
                value = value * self.signed(depth)
            elif op == "/":
                self.at += 1
                value = Fraction(value) / self.signed(depth)
            elif op == "(":
                value = value * self.power(depth)
            else:
                break
            if value.numerator.bit_length() > MAX_BITS or value.denominator.bit_length() > MAX_BITS:
                raise NotArithmetic("too large")
        return value

    def signed(self, depth: int) -> Fraction:
        op = self.peek()
        if op == "-":
            self.at += 1
            return -self.signed(depth + 1)
        if op == "+":
            self.at += 1
            return self.signed(depth + 1)
        return self.power(depth)

    def power(self, depth: int) -> Fraction:
        base = self.atom(depth)
        if self.peek() != "^":
            return base
        self.at += 1
        exponent = self.signed(depth + 1)
        if exponent.denominator != 1 or abs(exponent) > MAX_POWER or (exponent < 0 and not base):
            raise NotArithmetic("a power that is not computed")
        size = max(base.numerator.bit_length(), base.denominator.bit_length())
        if size * abs(int(exponent)) > MAX_BITS:
            raise NotArithmetic("too large")
        return Fraction(base) ** int(exponent)

    def atom(self, depth: int) -> Fraction:
        if depth > 40 or self.at >= self.size:
            raise NotArithmetic("nothing to compute")
        kind, value = self.tokens[self.at]
        self.at += 1
        if kind == "n":
            return value
        if kind == "%":
            return value if self.plain else Fraction(value) / 100
        if kind == "(":
            inner = self.sum(depth + 1)
            if self.peek() != ")":
                raise NotArithmetic("a bracket is not closed")
            self.at += 1
            return inner
        raise NotArithmetic("an operator without its number")
