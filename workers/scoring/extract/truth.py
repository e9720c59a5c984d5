"""Yes or no: which of them a phrase says, in the languages that answers come in."""

import re
from collections.abc import Iterator

from workers.scoring.extract.phrase import last_of

_YES = (
    "yes yeah yep yup true correct right affirmative oui vrai sí si verdadero cierto ja wahr richtig sim "
    "verdadeiro да верно правда ndiyo kweli vero evet 是 是的 对 对的 正确 真 はい 正しい 예 네 "
    "맞다 참 हाँ हां सही "
    "হ্যাঁ ใช่ ถูก نعم صحيح అవును"
)
_NO = (
    "no nope false incorrect wrong untrue negative non faux falso nein falsch não nao нет неверно "
    "ложь hapana uongo "
    "hayır 否 不 不是 错 错误 假 不对 いいえ 아니요 아니오 거짓 नहीं না ไม่ ไม่ใช่ ผิด لا خطأ కాదు"
)
POLAR = dict.fromkeys(_YES.split(), True) | dict.fromkeys(_NO.split(), False)
PLAIN = {"yes": True, "no": False, "true": True, "false": False}  # what a reference says
_WORD = re.compile(
    r"\b(?:(not|isn't|isn’t|wasn't|is\s+n't|never)\s+(?:\w+\s+)?)?"
    r"(yes|no|true|false|untrue|incorrect|correct)\b(?!\s+(?:or|nor)\s+(?:yes|no|true|false|not)\b)",
    re.I,
)
_BRACKETED = re.compile(r"\((?:yes|no|true|false)\s*(?:or|/|,|\|)\s*(?:yes|no|true|false)\)", re.I)
_CHOICE = re.compile(
    r"\b(?:yes|true)\s*(?:/|\||or|,)\s*(?:no|false)\b|\b(?:no|false)\s*(?:/|\||or|,)\s*(?:yes|true)\b", re.I
)  # fmt: skip
_FIRST = re.compile(r"[\s\"'“”*_`$({\[:,.\-]*+(?:\\text(?:bf)?\{)?([^\W\d_]+(?:'\w+)?)")
# Words after which "correct" and "no" are no verdict: "the correct answer", "no more than".
_OTHER_USE = re.compile(
    r"\s*(?:answer|option|choice|statement|one|order|way|value|more|less|fewer|other|\d)\b",
    re.I,
)


def polarity(text: str) -> bool | None:
    """True for yes and true, False for no and false, None where a text says neither."""
    last = last_of(polar_words(text))
    if last is not None:
        return last[2]
    word = _FIRST.match(text)
    return POLAR.get(word[1].lower()) if word else POLAR.get(text.strip(" .。।!"))


def leading_polarity(text: str) -> bool | None:
    """What a phrase begins with, "no, because yes would mean ..."; None where it begins otherwise."""
    word = _FIRST.match(text)
    if not word or (_CHOICE.match(text, word.start(1))):
        return None
    found = POLAR.get(word[1].lower())
    return None if found is None or _OTHER_USE.match(text, word.end()) else found


def polar_words(text: str) -> Iterator[tuple[int, int, bool]]:
    """(start, end, yes or no) of each word that says one of them; "not true" says no."""
    skipped = [m.span() for m in _BRACKETED.finditer(text)] + [
        m.span() for m in _CHOICE.finditer(text)
    ]
    for m in _WORD.finditer(text):
        if any(a <= m.start(2) < b for a, b in skipped):
            continue
        word = m[2].lower()
        if word in ("no", "correct", "true", "false") and _OTHER_USE.match(text, m.end()):
            continue
        says = POLAR[word]
        yield m.start(), m.end(), (not says if m[1] else says)
