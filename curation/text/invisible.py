"""Characters that nobody sees, made visible in pages; and text from right to left, kept to itself.

U+202E turns "42" into "24" for whoever reads it, and a zero width space hides in a name. Texts come from
models and from people, and are on nearly every page, so pages are not asked to do this one by one:
`shown` goes over the finished HTML, in which such a character can only have come from a text. What scripts
write into a page, `static/invisible.js` treats alike; both read their rule from `static/invisible_rule.js`.

- In a text, each run becomes a small mark with its code and name. It holds the characters themselves, so
  that copying gives the original, in a box of its own, so that they turn nothing around them.
- Where only plain text is shown (titles, tooltips, labels, options, drawings) it is written "[U+202E]".
- Fields of forms stay as they are, and `static/invisible.js` names such characters in a line below the
  field. Data for scripts and everything that is not HTML (exports, the API) stay as they are, too.
- Joiners and selectors stay where they are meant: in emoji, Arabic, the Indic scripts and the like.
"""

import json
import re
from collections.abc import Iterator
from html import escape

from django.conf import settings

_FILE = settings.BASE_DIR / "static" / "invisible_rule.js"
RULE = json.loads(_FILE.read_text(encoding="utf-8").partition("export default ")[2])
UNSEEN = re.compile(f"[{RULE['unseen']}]")
# Is there anything to do on a page?
_SUSPECT = re.compile(f"[{RULE['unseen']}{RULE['rtl']}]")
_KINDS = [(re.compile(f"[{signs}]"), words) for signs, words in RULE["kinds"]]

_KEPT = "|".join(
    (
        # the flags of regions: a black flag, a few tags that spell the region, the closing tag
        "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f",
        "[0-9#*]\ufe0f?\u20e3",
        f"[{RULE['pictures']}][\ufe0e\ufe0f]?(?:\u200d[{RULE['pictures']}][\ufe0e\ufe0f]?)*",
        f"[{RULE['ideographs']}][\ufe00-\ufe02\U000e0100-\U000e01ef]",
        f"[{RULE['mongolian']}][\u180b-\u180d\u180f]",
        f"(?<=[{RULE['joining']}])[\u200c\u200d](?=[{RULE['joining']}])",
    )
)
_PARTS = re.compile(f"(?P<kept>{_KEPT})|(?P<unseen>[{RULE['unseen']}]+)")
# From a letter to the last one before a letter of a script from left to right, or the end of the line.
_RTL = re.compile(f"[{RULE['rtl']}](?:[^\n{RULE['ltr']}]*[{RULE['rtl']}])?")

_HTML = re.compile(
    r"(?P<raw><(?P<name>script|style|textarea|math)\b.*?(?:</(?P=name)\s*>|\Z)|<!--.*?(?:-->|\Z))"
    r"|(?P<tag></?(?P<of>[a-zA-Z][a-zA-Z0-9-]*+)(?:[^<>\"']++|\"[^\"]*\"|'[^']*')*+>)"
    r"|(?P<text>[^<]+|<)",
    re.DOTALL,
)
# Attributes that people read, or that scripts show to them.
_ATTRIBUTE = re.compile(
    r"(?<=\s)((?:title|aria-label|aria-description|alt|placeholder|label|data-confirm|data-graded)=)"
    r"(\"[^\"]*\"|'[^']*')"
)
_PLAIN = frozenset({"title", "option", "svg"})  # elements whose text cannot hold elements of HTML
MAX_MARKS = 1000  # of one page; what is beyond is written as in plain text, which is shorter
MAX_LOOKS = 20_000  # at runs and pictures of one page, each of which costs microseconds
_CODES = 3
_LOOKED_AT = 1000
_RANGES = re.findall("(.)(?:-(.))?", RULE["unseen"], re.DOTALL)
_CODES_OF = {
    sign: f"[U+{sign:04X}]"
    for first, last in _RANGES
    for sign in range(ord(first), ord(last or first) + 1)
}
_ORDINARY = bytes(byte for byte in range(128) if byte not in _CODES_OF)


def name_of(sign: str) -> str:
    """ "U+202E right-to-left override"."""
    code = f"{ord(sign):04X}"
    kind = next((words for signs, words in _KINDS if signs.match(sign)), RULE["other"])
    return f"U+{code} {RULE['names'].get(code, kind)}"


def plain(text: str) -> str:
    """The text for where no element can be: invisible characters as "[U+202E]", what is written from right
    to left between isolates."""
    if len(text) > MAX_LOOKS:
        return text.translate(_CODES_OF)
    return _RTL.sub("\u2068\\g<0>\u2069", _PARTS.sub(_plain_part, text))


def _plain_part(found: re.Match[str]) -> str:
    return found["kept"] or "".join(f"[U+{ord(sign):04X}]" for sign in found["unseen"])


def shown(html: str) -> str:
    """The HTML with what nobody sees made visible, see above. Takes a page or a piece of one, as our
    templates make them: well formed, with all texts escaped."""
    # Nearly every page has nothing of the kind, and this finds that out in a few microseconds.
    if not _SUSPECT.search(html.encode().translate(None, _ORDINARY).decode()):
        return html
    return "".join(_Page().parts(html))


class _Page:
    """One page on its way. A text may be hostile: what is looked at one by one is bounded."""

    def __init__(self) -> None:
        self.plain_in = ""  # the open element whose text is plain
        self.marks = 0
        self.looks = 0

    def parts(self, html: str) -> Iterator[str]:
        for piece in _HTML.finditer(html):
            if piece["raw"]:
                yield piece["raw"]
            elif piece["tag"]:
                yield self.tag(piece["tag"], piece["of"].lower())
            elif self.plain_in:
                yield plain(piece["text"])
            else:
                yield from self.text(piece["text"])

    def tag(self, tag: str, name: str) -> str:
        closes = tag.startswith("</")
        if closes and self.plain_in == name:
            self.plain_in = ""
        elif not closes and not self.plain_in and name in _PLAIN:
            self.plain_in = name
        return _ATTRIBUTE.sub(lambda one: one[1] + plain(one[2]), tag)

    def text(self, text: str) -> Iterator[str]:
        place = 0
        for found in _RTL.finditer(text):
            self.looks += 1
            if self.looks > MAX_LOOKS:
                break
            yield from self.marked(text[place : found.start()])
            yield '<span class="rtl">'
            yield from self.marked(found[0])
            yield "</span>"
            place = found.end()
        yield from self.marked(text[place:])

    def marked(self, text: str) -> Iterator[str]:
        place = 0
        for found in _PARTS.finditer(text):
            self.looks += 1
            if self.looks > MAX_LOOKS or self.marks >= MAX_MARKS:
                yield text[place : found.start()]
                yield text[found.start() :].translate(_CODES_OF)
                return
            if found["unseen"]:
                self.marks += 1
                yield text[place : found.start()]
                yield _mark(found["unseen"])
                place = found.end()
        yield text[place:]


def _mark(signs: str) -> str:
    names = [name_of(sign) for sign in dict.fromkeys(signs[:_LOOKED_AT])][:8]
    codes = " ".join(f"U+{ord(sign):04X}" for sign in signs[:_CODES])
    if len(signs) > _CODES:
        codes += f" … ({len(signs)})"
    words = escape(", ".join(names))
    return (
        f'<span class="unseen" role="img" title="{words}" aria-label="{words}" data-codes="{codes}">'
        f"{signs}</span>"
    )
