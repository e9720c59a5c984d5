"""Texts made to take a pattern, a parser or a tokenizer more than linear time.

Runs of every class of character and of what a mathematical text is made of, alone and in the places
where the scorer looks for something: in front of an answer, inside it, behind it, in a calculation.
"""

from collections.abc import Iterator
from itertools import islice, product

LONG = 200_000  # characters of one text

# What a run is made of. Single characters of every class first, then pieces of sentences and formulas.
UNITS = (
    *"-. 7aA{}()[]\\$\n\t\r,=+*/^_<>|!?:;'\"`~#%&@",
    *("\u4e2d", "\u00e9", "\u0301", "e\u0301", "\u200b", "\u202e", "\U0001f600", "\u2212", "\u00bd",
      "\u0663", "\u221a", "\u00a0", "\u2028", "\u0000", "\u200d", "\uac00"),
    *("wait, ", "no ", "so ", "a ", "1 ", "x = ", "= ", "1 + ", "1 = 1 ", "1/", "1/1/1", "1,", "1,000",
      "1.", "2:30 ", "$1", "$x$ ", "(1", "1)", "{1", "\\frac{", "\\frac{1}{2}", "\\frac12", "\\left(",
      "\\boxed{", "\\text{a}", "\\sqrt", "\\[", "$$", "```", "**", "<<1+1=2>>", "<<", ">>", "<think>",
      "</think>", "\\begin{pmatrix}", "\\\\", "& ", "\\pm ", "\\cup ", " is ", "the answer is ", "answer: ",
      "option A ", "A: ", "#### 5\n", "step 1: ", "1. ", "- ", "- \n", " \n", ". ", ".\n", "? ", "mr. ",
      "one hundred ", "and ", "of the ", "x^2 + ", "x_1", "a-", "it's ", "a,b;", "-1 - ", "+-", "%.",
      "\u00bd ", "<a href=", "![](", "[x](", "&amp;", "0.", "10^", "! ", "sqrt("),
)  # fmt: skip

# Where a run stands.
PLACES = (
    ("alone", "{}"),
    ("before the answer", "2 + 3 = 5\n{}\nThe answer is 5."),
    ("as the answer", "The answer is {}"),
    ("in a box", "So it is \\boxed{{{}}}."),
    ("in a calculation", "2 + 3 = {} = 5 so 5 = {} and 5"),
)


def hostile_texts(
    count: int = 500, length: int = LONG, units: tuple[str, ...] = UNITS
) -> Iterator[tuple[str, str]]:
    """(what it is, text): `count` different texts of about `length` characters, every unit alone first."""
    for (place, frame), unit in islice(product(PLACES, units), count):
        holes = frame.count("{}")
        run = unit * (length // len(unit) // holes)
        yield f"{unit!r} {place}", frame.format(*[run] * holes)
