"""Takes wrappers, LaTeX spacing and typographic variants of signs off the text of an answer."""

import re
import unicodedata

from workers.scoring.numbers.locales import DIGITS

_WRAPPERS = (
    ("$$", "$$"),
    ("$", "$"),
    (r"\(", r"\)"),
    (r"\[", r"\]"),
    ("**", "**"),
    ("__", "__"),
    ("`", "`"),
    ('"', '"'),
    ("“", "”"),
    ("'", "'"),
    ("「", "」"),
    ("«", "»"),
    ("„", "“"),
    ("*", "*"),
)
_TRANSLATE = str.maketrans(
    {
        **dict.fromkeys("\u2212\u2013\u2014\u2010\u2011\ufe63\uff0d", "-"),
        **dict.fromkeys("\u00a0\u2007\u2009\u200a\u202f\u3000\u2002\u2003", " "),
        **dict.fromkeys("\u200b\u200e\u200f\ufeff\u2060\u202a\u202c\u00ad", ""),
        **dict.fromkeys("\u2044\u2215\u00f7", "/"),
        **dict.fromkeys("✓✔✅☑∎", ""),
        **{"×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "π": r"\pi ", "∞": r"\infty "},
        **{"√": r"\sqrt", "≈": "~", "∪": r"\cup ", "≤": r"\le ", "≥": r"\ge "},
        **{
            "％": "%",
            "＄": "$",
            "，": ",",
            "：": ":",
            "’": "'",
            "、": ",",
            "；": ";",
            "（": "(",
            "）": ")",
        },
        **{
            "［": "[",
            "］": "]",
            "＝": "=",
            "＋": "+",
            "＜": "<",
            "＞": ">",
            "∶": ":",
            "〜": "~",
            "～": "~",
        },
        **{
            "∈": r"\in ",
            "⩽": r"\le ",
            "⩾": r"\ge ",
            "∅": r"\emptyset ",
            "℃": " degrees C",
            "‰": " per mille",
        },
    }
    | DIGITS
)
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_VULGAR = {
    "½": "1/2",
    "⅓": "1/3",
    "⅔": "2/3",
    "¼": "1/4",
    "¾": "3/4",
    "⅕": "1/5",
    "⅖": "2/5",
    "⅗": "3/5",
    "⅘": "4/5",
    "⅙": "1/6",
    "⅚": "5/6",
    "⅐": "1/7",
    "⅛": "1/8",
    "⅜": "3/8",
    "⅝": "5/8",
    "⅞": "7/8",
    "⅑": "1/9",
    "⅒": "1/10",
}
_VULGAR_RE = re.compile("(" + "|".join(_VULGAR) + ")")
_SUPER_RE = re.compile("[⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_TEXT_CMD = re.compile(
    r"\\(?:text(?:bf|it|rm|tt)?|mathrm|mathbf|mathit|mbox|operatorname|bm|rm)"
    r"\s*\{([^{}]*)\}"
)
_SPACING = re.compile(
    r"(?<!\\)\\[!,;: ]|\\q?quad\b|~(?=\d)|\\(?:left|right|[bB]igg?[lr]?|displaystyle)"
    r"(?![a-zA-Z])|\\(?:left|right)(?=[\[\](){}|.])"
)
_DOLLAR = "\ue000"  # stands for an escaped dollar sign while formula signs are taken off
_DEGREE = re.compile(r"(?<!\s)\s*+\^\s*+(?:\{\s*\\circ\s*\}|\\circ)|°")
_FRAC = re.compile(r"\\[dtc]?frac")
_TICKS = re.compile(r"(?:\$|\\\()?\s?\\(?:checkmark|blacksquare|square|Box|qed)\s?(?:\$|\\\))?\s*$")
_CIRCLED = re.compile(r"\\textcircled\s?\{\s?(?:\\[a-z]+\s?\{?\s?)?(\d{1,2})\s?\}?\s?\}")

_AT_END = ".;,?。．！？।॥؟۔" + "".join(filter(str.isspace, map(chr, range(0x3001))))


def clean(text: str) -> str:
    """The answer text without wrappers, LaTeX spacing and typographic variants of signs."""
    text = text.strip()
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
        text = _VULGAR_RE.sub(lambda m: " " + _VULGAR[m.group(1)] + " ", text)
        text = _SUPER_RE.sub(lambda m: "^{" + m.group().translate(_SUPERSCRIPT) + "}", text)
        text = text.translate(_TRANSLATE)
    if "\\" in text:
        text = text.replace(r"\$", _DOLLAR).replace(r"\%", "%").replace(r"\colon", ":")
        text = _TICKS.sub("", text)
        text = _CIRCLED.sub(
            lambda m: chr(0x2460 + int(m[1]) - 1) if 0 < int(m[1]) < 21 else m[0], text
        )
        for _ in range(3):
            text = _TEXT_CMD.sub(r" \1 ", text)
        text = _FRAC.sub(r"\\frac", text)
        text = _DEGREE.sub(" degrees ", text)
        text = _SPACING.sub("", text)
        text = text.replace(r"\lbrace", r"\{").replace(r"\rbrace", r"\}")
    elif "°" in text or "^" in text:
        text = _DEGREE.sub(" degrees ", text)
    text = text.replace("{,}", ",").strip()
    return _unwrap(text).replace(_DOLLAR, "$")


def _unwrap(text: str) -> str:
    if text and text[0].isalnum() and text[-1].isalnum():
        return text
    changed = True
    while changed and text:
        changed = False
        stripped = text.strip().rstrip(_AT_END)
        if stripped != text:
            text, changed = stripped, True
        for left, right in _WRAPPERS:
            inner = text[len(left) : -len(right)]
            if (
                len(text) > len(left) + len(right) - 1
                and text.startswith(left)
                and text.endswith(right)
                and left not in inner
                and right not in inner
            ):
                text, changed = inner.strip(), True
                break
        box = re.match(r"\\(?:boxed|fbox)\s*\{", text)
        if box and closing(text, box.end() - 1) == len(text) - 1:
            text, changed = text[box.end() : -1].strip(), True
    return text


def closing(text: str, start: int) -> int:
    """Index of the bracket that closes the one at `start`, or -1; linear in the text."""
    pairs = {"{": "}", "(": ")", "[": "]"}
    opener, closer = text[start], pairs[text[start]]
    depth = 0
    for i in range(start, len(text)):
        ch = text[i]
        if ch == opener and not (i and text[i - 1] == "\\" and ch == "{"):
            depth += 1
        elif ch == closer and not (text[i - 1] == "\\" and ch == "}"):
            depth -= 1
            if depth == 0:
                return i
    return -1


def split_top(text: str, separators: str = ",;") -> list[str]:
    """Splits at separators outside brackets; thousands commas ("1,000") do not split."""
    parts, depth, last = [], 0, 0
    for i, ch in enumerate(text):
        if ch in "([{":
            depth += 1
        elif ch in ")]}":
            depth = max(0, depth - 1)
        elif ch in separators and depth == 0:
            parts.append(text[last:i])
            last = i + 1
    parts.append(text[last:])
    return [p.strip() for p in parts]
