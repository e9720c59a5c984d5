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
_KINDS = {"op": "op", "eq": "=", "w": "w", "bad": "bad", "pt": ".", "nl": "."}


def tokenise(text: str) -> list[Token]:
    """Tokens of a normalised text; " x " between numbers is a multiplication sign."""
    out: list[Token] = []
    for m in _TOKEN.finditer(text):
        group = m.lastgroup
        if group in ("n", "p"):
            out.append(Token("%" if group == "p" else "n", m.group(), m.start(), m.end()))
        else:
            out.append(Token(_KINDS[group], m.group(), m.start(), m.end()))
    for i, token in enumerate(out):
        if token.kind == "w" and 0 < i < len(out) - 1:
            multiplies = (
                _times(out, i)
                if token.text in ("x", "X")
                else (token.text == "of" and out[i - 1].kind in "n%" and out[i + 1].kind in "n%")
            )
            if multiplies:
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
