r"""Reads an expression of school algebra, plain or in LaTeX, and evaluates it with floats.

`parse(r"\frac{x}{2} + 180(7-2)")` is a small tree; `value` puts numbers in for its letters. Only
+ - * / ^ ! roots, fractions and binomials are known, letters stand for unknowns, and i for the
imaginary unit. What is not surely one of these gives None: words, functions, sets, sums. Nothing is
ever evaluated as code; depth, length and the size of numbers are bounded.
"""

import math
import re
from dataclasses import dataclass, field

MAX_CHARS = 300
MAX_DEPTH = 40
MAX_SIZE = 1e30
MAX_COUNTED = 150  # of a factorial or a binomial

_TOKEN = re.compile(
    r"\s+|(?P<n>\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|\d+(?:\.\d+)?|\.\d+)|(?P<c>\\[a-zA-Z]+|\\.)"
    r"|(?P<word>[A-Za-z]{3,})|(?P<letter>[A-Za-z])|(?P<sign>.)",
    re.S,
)
_NOTHING = frozenset(
    rf"\{name}"
    for name in (
        *("left", "right", ",", ";", "!", ":", " ", "quad", "qquad", "displaystyle", "$", "limits"),
        *("big", "Big", "bigl", "bigr", "Bigl", "Bigr"),
    )
)
_GREEK = frozenset(
    rf"\{g}" for g in "alpha beta gamma delta theta phi lambda mu sigma tau rho varphi".split()
)
_SAME = {
    r"\cdot": "*",
    r"\times": "*",
    r"\ast": "*",
    r"\div": "/",
    r"\dfrac": r"\frac",
    r"\tfrac": r"\frac",
    r"\cfrac": r"\frac",
}
_DEGREES = re.compile(r"\^\s?\{?\s?\\circ\s?\}?|°")
_UNIT = re.compile(r"\\(?:text|mathrm|textbf|mbox)\s?\{[^{}]{0,60}\}\s?(?:\^\s?\{?[23]\}?)?\s*$")
_SIGNS = (("−", "-"), ("×", "*"), ("·", "*"), ("÷", "/"), ("π", r"\pi "), ("²", "^2"), ("³", "^3"))
_BRACKETS = {"(": ")", "{": "}", "[": "]"}
_FUNCTIONS = frozenset("fghPpQFGT")  # before a bracket these are hardly factors


class _NotKnown(Exception):
    """Something that is no school algebra, or not surely."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A parsed expression: its tree, its unknowns, and whether it is a number as it stands."""

    tree: tuple
    unknowns: frozenset[str]

    @property
    def is_plain_number(self) -> bool:
        """Whether there is nothing to work out."""
        tree = self.tree[1] if self.tree[0] == "neg" else self.tree
        return tree[0] == "n"


def parse(text: str, mixed: bool = False) -> Formula | None:
    r"""The expression of a text, None where it is none.

    mixed: read a number before a fraction as a mixed number, `2\frac{1}{3}` as 7/3.
    """
    if len(text) > MAX_CHARS:
        return None
    try:
        tokens = _tokens(text)
        while tokens and tokens[-1][1] in (".", ",", ";", ":"):
            tokens.pop()
        parser = _Parser(tokens, mixed)
        tree = parser.sum()
    except _NotKnown:
        return None
    if parser.at < len(tokens):
        return None
    return Formula(tree, frozenset(parser.unknowns - {"i"}))


def _tokens(text: str) -> list[tuple[str, str]]:
    text = _UNIT.sub("", _DEGREES.sub("", text))
    if not text.isascii():
        for sign, plain in _SIGNS:
            text = text.replace(sign, plain)
    out = []
    for m in _TOKEN.finditer(text):
        kind, token = m.lastgroup, m.group()
        if kind is None or token in _NOTHING or token in ("&", "$"):
            continue
        if kind == "word" or token in (r"\{", r"\}"):
            raise _NotKnown
        token = _SAME.get(token, token)
        out.append(("sign" if token in "*/" else kind, token))
    return out


@dataclass(slots=True)
class _Parser:
    """Recursive descent over the tokens; raises _NotKnown."""

    tokens: list[tuple[str, str]]
    mixed: bool
    at: int = 0
    depth: int = 0
    unknowns: set[str] = field(default_factory=set)

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def next(self) -> tuple[str, str]:
        token = self.peek()
        self.at += 1
        return token

    def sum(self) -> tuple:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _NotKnown
        tree = self.product()
        while self.peek()[1] in ("+", "-"):
            tree = (self.next()[1], tree, self.product())
        self.depth -= 1
        return tree

    def product(self) -> tuple:
        tree = self.signed()
        while True:
            kind, token = self.peek()
            if token in ("*", "/"):
                self.next()
                tree = (token, tree, self.signed())
            elif self.begins_factor(kind, token):
                if kind == "n" and self.tokens[self.at - 1][0] == "n":
                    raise _NotKnown  # two numbers side by side
                factor = self.power()
                is_mixed = self.mixed and tree[0] == "n" and factor[0] == "/"
                tree = ("+" if is_mixed else "*", tree, factor)
            else:
                return tree

    @staticmethod
    def begins_factor(kind: str, token: str) -> bool:
        return (
            kind in ("n", "letter")
            or token in (r"\frac", r"\sqrt", r"\pi", r"\binom", *_BRACKETS)
            or token in _GREEK
        )

    def signed(self) -> tuple:
        negative = False
        while self.peek()[1] in ("+", "-"):
            negative ^= self.next()[1] == "-"
        return ("neg", self.power()) if negative else self.power()

    def power(self) -> tuple:
        tree = self.atom()
        while True:
            token = self.peek()[1]
            if token == "^":
                self.next()
                tree = ("^", tree, self.exponent())
            elif token == "!":
                self.next()
                tree = ("!", tree)
            elif token in ("%", r"\%"):
                self.next()
                tree = ("/", tree, ("n", 100.0))
            else:
                return tree

    def exponent(self) -> tuple:
        if self.peek()[1] == "-":
            self.next()
            return ("neg", self.atom())
        return self.atom()

    def atom(self) -> tuple:
        kind, token = self.next()
        if kind == "n":
            return ("n", float(token.replace(",", "")))
        if kind == "letter" or token in _GREEK:
            return self.unknown(token)
        if token in _BRACKETS:
            tree = self.sum()
            if self.next()[1] != _BRACKETS[token]:
                raise _NotKnown
            return tree
        if token == r"\frac":
            return ("/", self.argument(), self.argument())
        if token == r"\binom":
            return ("binom", self.argument(), self.argument())
        if token == r"\sqrt":
            degree = self.atom() if self.peek()[1] == "[" else ("n", 2.0)
            return ("root", self.argument(), degree)
        if token == r"\pi":
            return ("n", math.pi)
        raise _NotKnown

    def argument(self) -> tuple:
        r"""What stands behind \frac: a group in braces, or one sign: \frac12."""
        kind, token = self.peek()
        if kind == "n" and len(token) > 1:
            self.tokens[self.at] = ("n", token[1:])
            return ("n", float(token[0])) if token[0].isdecimal() else self.fail()
        if token == "{" or kind in ("n", "letter"):
            return self.atom()
        return self.fail()

    def unknown(self, name: str) -> tuple:
        if self.peek()[1] == "_":
            self.next()
            kind, token = self.next()
            if token == "{":
                parts = []
                while (part := self.next())[1] != "}":
                    if part[0] == "end":
                        self.fail()
                    parts.append(part[1])
                token = "".join(parts)
            elif kind not in ("n", "letter"):
                self.fail()
            name = f"{name}_{token}"
        elif name in _FUNCTIONS and self.peek()[1] == "(":
            self.fail()
        self.unknowns.add(name)
        return ("unknown", name)

    @staticmethod
    def fail() -> tuple:
        raise _NotKnown


def value(formula: Formula, unknowns: dict[str, complex]) -> complex | float | None:
    """Its value for numbers put in for its unknowns, None where it has none that floats can hold."""
    try:
        found = _value(formula.tree, unknowns)
    except (ZeroDivisionError, OverflowError, ValueError):
        return None
    return found if abs(found) < MAX_SIZE else None


def _value(tree: tuple, unknowns: dict[str, complex]) -> complex | float:
    kind = tree[0]
    if kind == "n":
        return tree[1]
    if kind == "unknown":
        return 1j if tree[1] == "i" else unknowns[tree[1]]
    one = _value(tree[1], unknowns)
    if kind == "neg":
        return -one
    if kind == "!":
        return float(math.factorial(_count(one)))
    two = _value(tree[2], unknowns)
    if kind == "root":
        if not isinstance(one, complex) and one < 0 and two == 3:
            return -((-one) ** (1 / 3))
        return one ** (1 / two)
    if kind == "binom":
        return float(math.comb(_count(one), _count(two)))
    return _OPERATIONS[kind](one, two)


_OPERATIONS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "^": lambda a, b: a**b,
}


def _count(number: complex | float) -> int:
    if isinstance(number, complex) or number != int(number) or not 0 <= number <= MAX_COUNTED:
        raise ValueError(number)
    return int(number)


_SHOWN = (
    (re.compile(r"(?<=\d)(?=\\[dtc]?frac)"), " "),
    (re.compile(r"\\[dtc]?frac\s?\{([^{}]*)\}\s?\{([^{}]*)\}"), r"(\1)/(\2)"),
    (re.compile(r"\\binom\s?\{([^{}]*)\}\s?\{([^{}]*)\}"), r"C(\1, \2)"),
    (re.compile(r"\\sqrt\s?\{([^{}]*)\}"), r"√(\1)"),
    (re.compile(r"\\(?:cdot|times)\b\s?"), "· "),
    (re.compile(r"\\div\b\s?"), "÷ "),
    (re.compile(r"\\(?:left|right|displaystyle)(?![a-zA-Z])|\\[,;!: $]"), ""),
    (_DEGREES, "°"),
    (re.compile(r"\\(?:text|mathrm|textbf|mbox)\s?\{([^{}]*)\}"), r"\1"),
    (re.compile(r"\(([\w.]+)\)(?=/)|(?<=[/√])\(([\w.]+)\)"), lambda m: m[1] or m[2]),
    (re.compile(r"\^\{([\w.]+)\}"), r"^\1"),
    (re.compile(r"\\(?=[a-zA-Z%])"), ""),
)


def shown(text: str) -> str:
    r"""LaTeX as people write it in a sentence: `\frac{x}{2}` as x/2."""
    if "\\" in text or "{" in text:
        for pattern, plain in _SHOWN:
            text = pattern.sub(plain, text)
    return " ".join(text.split()).rstrip(".,;:")
