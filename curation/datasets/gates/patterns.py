"""What an example shows by itself: personal data, control tokens, another language than its question."""

import re
import unicodedata
from collections import Counter

# Cheap patterns: no names are looked for, and what word problems hold (prices, years) is no hit.
_MAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}")
_DIGITS = re.compile(r"(?<![\d.,])\+?(?:\d[ \-/]?){8,14}\d(?![\d]|[.,]\d)")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b")
# A grouped number (1 000 000 000) is a quantity; so is one that is calculated with.
_GROUPED = re.compile(r"\d{1,3}(?:[ ,.]\d{3})+$")
_CALCULATED = re.compile(r"[=+*/×÷^$€£%]\s*$")

_CONTROL = re.compile(
    r"<\|[^|<>\n]{1,40}\|>|<[｜|][^<>\n]{1,40}[｜|]>|</?s>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>"
    r"|<(?:bos|eos|pad|unk|mask)>|\[(?:BOS|EOS|PAD|UNK|MASK|SEP|CLS)\]|</?think>|</?tool_(?:call|response)>"
)

WORDS = {
    "English": "the and of to is are that how many so has she he each what which with then was",
    "German": "der die das und ist sind ein eine wie viele nicht mit dann hat sie er auf den von zu",
    "French": "le la les des de en et est sont une un combien que qui avec elle donc dans pour pas du",
    "Spanish": "el la los las de en es son una un cuantos que con ella entonces para del cuantas su se cada",
    "Italian": "il la le gli di sono una un quanti che con lei quindi della del non quante ogni nel",
    "Portuguese": "os as de em são uma um quantos que com ela então para da do não quantas ele tem cada",
    "Dutch": "de het een en is zijn hoeveel dat met zij hij dan van op niet heeft voor die ze er",
}
_WORD_OF = {name: frozenset(words.split()) for name, words in WORDS.items()}
SURE = 4  # words of a language that must be there, twice as many as of the second


def personal(text: str) -> str:
    """What looks like personal data, with its kind; "" where nothing does."""
    if "@" in text and (found := _MAIL.search(text)):
        return f"an address of mail: {found[0][:60]}"
    for found in _IBAN.finditer(text):
        if _is_iban(found[0].replace(" ", "")):
            return f"an account number: {found[0][:40]}"
    for found in _DIGITS.finditer(text):
        number = found[0].strip()
        plain = number.lstrip("+").isdigit()
        if _GROUPED.match(number) or _CALCULATED.search(text[: found.start()]):
            continue
        follows = text[found.end() : found.end() + 3].lstrip()
        if follows[:1] in tuple("=+*×÷^%") or (plain and int(number.lstrip("+")) % 1000 == 0):
            continue
        if "/" in number or (not plain and number.count(" ") + number.count("-") > 5):
            continue  # a fraction, or a row of small numbers
        return f"a long number, as of a telephone: {number[:40]}"
    return ""


def _is_iban(code: str) -> bool:
    if not 15 <= len(code) <= 34:
        return False
    turned = code[4:] + code[:4]
    return int("".join(str(int(c, 36)) for c in turned)) % 97 == 1


def control_token(text: str) -> str:
    """A token by which templates steer models, as text; "" where there is none."""
    found = _CONTROL.search(text)
    return found[0] if found else ""


def language(text: str) -> str:
    """The script of most letters, and for Latin ones the language if its usual words show it; "" where
    there are few letters."""
    letters = [c for c in text[:4000] if c.isalpha()]
    if len(letters) < 12:
        return ""
    kinds = Counter(unicodedata.name(c, "?").split(" ", 1)[0].split("-", 1)[0] for c in letters)
    kinds["CJK"] += kinds.pop("HIRAGANA", 0) + kinds.pop("KATAKANA", 0)
    script, count = kinds.most_common(1)[0]
    if count < 0.6 * len(letters):
        return ""
    if script != "LATIN":
        return "Chinese or Japanese" if script == "CJK" else f"{script.title()} script"
    words = Counter(re.findall(r"[^\W\d_]+", text[:4000].casefold()))
    told = sorted(((sum(words[w] for w in known), name) for name, known in _WORD_OF.items()))
    (second, _), (most, name) = told[-2:]
    return name if most >= SURE and most >= 2 * second else "Latin script"


def other_language(question: str, rationale: str) -> str:
    """ "German instead of English" where both are known and differ; "" else."""
    asked, given = language(question), language(rationale)
    if not asked or not given or asked == given:
        return ""
    latin = {"Latin script", *WORDS}
    if "Latin script" in (asked, given) and asked in latin and given in latin:
        return ""  # one of them is not known well enough
    return f"{given} instead of {asked}"
