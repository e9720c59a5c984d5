"""Compares answers in words: case, articles, yes and no, "cannot be determined"."""

import re

from workers.scoring.extract.truth import POLAR, leading_polarity, polarity
from workers.scoring.grade.cannot_compare import CannotCompare
from workers.scoring.numbers.values import Words, squeeze

_BUT = re.compile(r"\b(?:not|never|neither|no|isn't|cannot|can't|un\w+)\b")


def same_words(a: Words, b: Words, asked=None, hard=None) -> bool | CannotCompare:
    if a.text == b.text or squeeze(a.text) == squeeze(b.text):
        return True
    if a.text.startswith("no ") and a.text.removesuffix("s") == b.text.removesuffix("s"):
        return True
    gold, answer = a.text.split(), b.text.split()
    wanted = polarity(a.text) if len(gold) == 1 and gold[0] in POLAR else None
    if wanted is not None:
        said = leading_polarity(b.text)
        said = polarity(b.text) if said is None else said
        return (
            CannotCompare("the answer says neither yes nor no") if said is None else said is wanted
        )
    names = sorted(a.text.split(" and "))
    if len(names) > 1 and names == sorted(b.text.split(" and ")):
        return True
    if is_undetermined(a.text) and is_undetermined(b.text):
        return True
    return _other_words(gold, answer)


_UNDETERMINED = re.compile(
    r"\b(?:cannot|can ?not|can't|could not|couldn't|impossible to|unable to|not possible to)\b.{0,30}"
    r"\b(?:determine|determined|tell|be told|know|known|answer|answered|say|find|found|conclude|decide)"
    r"|\b(?:not enough|insufficient|not sufficient) (?:information|data|info)|\bundetermined\b|\bunknown\b"
    r"|\bindeterminate\b|无法确定|不能确定|निर्धारित नहीं",
    re.I,
)


def is_undetermined(text: str) -> bool:
    """Whether a text says that the question cannot be answered from what is given."""
    return bool(_UNDETERMINED.search(text))


_FILLERS = frozenset(
    "color colour city country town state day month year called named name person man woman boy "
    "girl it is was its "
    "he she they mr mrs ms dr sir king queen president of in on at s called object animal "
    "word letter shape".split()
)


def _other_words(gold: list[str], answer: list[str]) -> bool | CannotCompare:
    """Texts that differ are told apart where neither is a part of the other; else rules cannot say."""
    short, long = sorted((gold, answer), key=len)
    inside = any(long[i : i + len(short)] == short for i in range(len(long) - len(short) + 1))
    if not inside or len(short) == len(long):
        return False
    extra = [word for word in long if word not in short]
    if _BUT.search(" ".join(extra)) or (len(extra) <= 3 and not _FILLERS.issuperset(extra)):
        return False  # "dark red" and "Tom and Jerry" are not red and Tom
    return CannotCompare("one is a part of the other, and whether it says the same is for people")
