"""Cuts a normalised text into numbers, operators, words and signs."""

import re
from typing import NamedTuple


class Token(NamedTuple):
    """A piece of text. kind: "n", "%", "op", "=", "~", "w" (word), "." (punctuation), "bad"."""

    kind: str
    text: str
    start: int
    end: int


_TOKEN = re.compile(
    r"(?P<n>(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)(?P<p>\s?(?:%|percent\b))?"
    r"|(?P<op>\*\*|[-+*/^()])"
    r"|(?P<eq>(?<![<>!=:])=(?![=>])|~)"
    r"|(?P<w>[^\W\d_]+(?:['’-][^\W\d_]+)*|¢|°|#)"
    r"|(?P<bad>[\\{}_!|<>&])"
    r"|(?P<pt>[^\s\w])"
    r"|(?P<nl>\n)"
)
_KINDS = {"n": "n", "p": "%", "op": "op", "eq": "=", "w": "w", "bad": "bad", "pt": ".", "nl": "."}


def tokenise(text: str) -> list[Token]:
    """Tokens of a normalised text; " x " between numbers is a multiplication sign."""
    out: list[Token] = []
    may_multiply: list[int] = []
    new, kinds = tuple.__new__, _KINDS
    for m in _TOKEN.finditer(text):
        group, shown = m.lastgroup, m.group()
        start = m.start()
        if group == "w" and (shown == "x" or shown == "of" or shown == "X"):
            may_multiply.append(len(out))
        # As Token(...), in less than half the time.
        out.append(new(Token, (kinds[group], shown, start, start + len(shown))))
    for i in may_multiply:
        if 0 < i < len(out) - 1:
            token = out[i]
            if (
                _times(out, i)
                if token.text != "of"
                else (out[i - 1].kind in "n%" and out[i + 1].kind in "n%")
            ):
                out[i] = Token("op", "*", token.start, token.end)
    return out


def _times(tokens: list[Token], i: int) -> bool:
    """Whether an x stands for a multiplication: something before it and a number after it."""
    before, after = tokens[i - 1], tokens[i + 1]
    if after.kind not in "n%" and after.text != "(":
        return False
    if before.kind in "n%" or before.text == ")":
        return True
    spaced = token_gap(before, tokens[i]) and token_gap(tokens[i], after)
    return before.kind == "w" and spaced and i > 1 and is_unit_of_number(tokens, i - 1)


def token_gap(a: Token, b: Token) -> bool:
    """Whether white space stands between two tokens."""
    return a.end < b.start


def is_unit_of_number(tokens: list[Token], i: int) -> bool:
    """Whether the word at `i` stands, with other words, behind a number: "16 big eggs"."""
    for j in range(i, max(-1, i - 6), -1):
        if tokens[j].kind in "n%" or tokens[j].text == ")":
            return True
        if tokens[j].kind != "w" and tokens[j].text != "/":
            return False
    return False
