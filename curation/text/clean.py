"""How a text is stored, whatever way it comes in: forms, the API, files, teachers, the bench.

One function for every door, so that two spellings that look alike are one text everywhere: in search, in
comparing an edit with what it edits, in finding a question again, in what a dataset holds.

- Unicode in its composed form (NFC): "é" is one character, not "e" with an accent after it.
- Lines end in "\\n", and no line ends in blanks.
- No empty lines at the beginning and the end. Blanks before the first line go, too, unless they indent the
  first line of a block of code.
- A text in which nothing can be seen (`curation.text.invisible`) is empty.

`static/clean.js` says the same to whoever types.
"""

import re
import unicodedata

from curation.text.invisible import UNSEEN

LINE_ENDS = re.compile(r"\r\n?")
# An indented block of code in Markdown: four blanks or a tab, and something below it.
CODE_FIRST = re.compile(r"(?: {4}|\t)[^\n]*\n")


def clean(text: str) -> str:
    """The text as it is stored; "" where nothing in it can be seen."""
    text = unicodedata.normalize("NFC", text)
    if "\r" in text:
        text = LINE_ENDS.sub("\n", text)
    text = "\n".join([line.rstrip() for line in text.split("\n")]).strip("\n")
    if not CODE_FIRST.match(text):
        text = text.lstrip()
    return "" if is_empty(text) else text


def clean_line(text: str) -> str:
    """The same for what has one line, such as a name: blanks inside, and line ends, are one blank each."""
    return " ".join(clean(text).split())


def is_empty(text: str) -> bool:
    """Whether nothing of the text can be seen: it holds blanks and invisible characters alone."""
    if any(sign.isascii() and sign.isalnum() for sign in text[:40]):  # as nearly all begin
        return False
    return not UNSEEN.sub("", text).strip()


def alike(text: str) -> str:
    """What texts have in common that count as the same rationale: without empty lines and blanks at line
    ends. Blanks that begin a line stay: in code they mean something."""
    return "\n".join(line for line in clean(text).split("\n") if line)
