"""Texts that went wrong as texts: loops, one character for ever, another language, a restated prompt,
refusals,
words of the prompt, control tokens. Each is a flag with its place, and what is waste counts against
conciseness.

Everything here asks cheap questions first: nearly every text is none of this.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from workers.scoring.contract import Flag
from workers.scoring.steps.facts import RationaleFacts

MAX_CHARS = 200_000
LEAST_LOOP = 60  # characters that a loop must have
LEAST_TURNS = 4  # how often a piece comes in a loop
LONGEST_PIECE = 400  # characters of what a loop repeats
LEAST_RESTATED = 60  # characters of a question that count as the question restated

_ONE_CHARACTER = re.compile(r"([^\s\d.·…_=\-*])\1{39}")
_CONTROL = re.compile(
    r"<\|[\w/:. -]{1,40}\|>|<｜[^｜<>\n]{1,40}｜>|</?s>|<(?:eos|bos|pad|unk|end_of_turn|start_of_turn)>"
    r"|\[/?INST\]|<</?SYS>>"
)
_REFUSAL = re.compile(
    r"\s{0,20}(?:I(?:'|’)?m (?:very |really )?sorry,? (?:but )?I|I (?:can(?:'|’)t|cannot|can not|"
    r"am unable to|am not able to|won(?:'|’)t) "
    r"(?:help|assist|answer|provide|comply|do that|fulfil)|As an AI\b|"
    r"As a (?:large )?language model\b|Sorry,? (?:but )?I can)",
    re.I,
)
_PROMPT = re.compile(
    r"(?m)^[ \t#*]{0,8}(?:(?:system|instruction|instructions|response|input|output)[ \t*]{0,4}:|"
    r"you are (?:a|an) (?:helpful|expert|careful|brilliant|math)\b|answer the following question|"
    r"solve the following (?:problem|question)|let(?:'|’)s think step by step\.?[ \t]*$|"
    r"put your final answer (?:in|within)|do not reveal|below is an instruction)",
    re.I,
)
_NOT_LATIN = re.compile("[\u0370-\u1fff\u3040-\ud7ff]")
_SCRIPTS = (
    ("Cyrillic", "\u0400", "\u052f"), ("Arabic", "\u0600", "\u06ff"), ("Devanagari", "\u0900", "\u097f"),
    ("Bengali", "\u0980", "\u09ff"), ("Telugu", "\u0c00", "\u0c7f"), ("Thai", "\u0e00", "\u0e7f"),
    ("Japanese", "\u3040", "\u30ff"), ("Chinese", "\u4e00", "\u9fff"), ("Korean", "\uac00", "\ud7af"),
    ("Greek", "\u0370", "\u03ff"), ("Hebrew", "\u0590", "\u05ff"),
)  # fmt: skip
# The commonest short words of languages that share a script; each list is of words that the others do not
# have.
_LANGUAGES = {
    "English": frozenset(
        "the and of is are that this with how many has have she they each for was".split()
    ),
    "German": frozenset(
        "der die das und ist sind nicht ein eine einen wie viele hat haben mit für".split()
    ),
    "French": frozenset(
        "le les des et est sont une du dans pour avec combien il elle chaque qui".split()
    ),
    "Spanish": frozenset(
        "el los las y es son una del para con cuántos cuántas cada por tiene más".split()
    ),
    "Portuguese": frozenset(
        "o os as e é são uma do da para com quantos quantas cada tem não mais".split()
    ),
    "Italian": frozenset(
        "il gli e è sono una della per con quanti quante ogni ha non più che".split()
    ),
    "Swahili": frozenset("na ya wa kwa ni za katika kila ana ngapi yake moja watu kama".split()),
}
LEAST_WORDS = 12  # of a text whose language is told
OWN = 0.1  # share of a text's words that are common ones of the question's language, where it surely is in it
SURE = 2.5  # how many times more common words the other language must have


@dataclass(frozen=True, slots=True)
class Degenerate:
    """What is wrong with a text as a text. waste: the share of it that says nothing."""

    flags: tuple[Flag, ...] = ()
    waste: float = 0.0


def look(question: str, text: str, rationale: RationaleFacts) -> Degenerate:
    """The flags of a degenerate text, none for nearly every text."""
    text = text[:MAX_CHARS]
    flags: list[Flag] = []
    waste = 0
    if run := _ONE_CHARACTER.search(text):
        end = run.end()
        while end < len(text) and text[end] == run[1]:
            end += 1
        waste = end - run.start()
        message = f"{run[1]!r} {waste:,} times."
        flags.append(Flag("one_character", message, "error", run.start(), end))
    elif loop := _loop(text, rationale):
        start, end, piece = loop
        waste = end - start - len(piece)
        message = f"The text goes round and round: {piece.strip()[:60]!r}."
        flags.append(Flag("loop", message, "error", start, end))
    if ("<" in text or "[" in text) and (token := _CONTROL.search(text)):
        message = f"A control token of a chat format, {token.group()}, stands in the text."
        flags.append(Flag("control_token", message, "warning", *token.span()))
    if (refusal := _REFUSAL.match(text)) and not rationale.checkable:
        flags.append(Flag("refusal", "The model refused to answer.", "error", *refusal.span()))
    if (prompt := _PROMPT.search(text)) and prompt.group().strip().lower() not in question.lower():
        message = "Words of a prompt stand in the text: it may show what the model was told."
        flags.append(Flag("prompt_leak", message, "warning", *prompt.span()))
    if (found := _restated(question, text)) is not None:
        waste += found[1] - found[0]
        flags.append(Flag("restates_prompt", "The question stands here once more.", "info", *found))
    if language := _other_language(question, text, rationale):
        flags.append(Flag("other_language", f"The question is in {language[0]}, this in {language[1]}.",
                          "warning", 0, min(len(text), 200)))  # fmt: skip
    return Degenerate(tuple(flags), min(1.0, waste / len(text))) if flags else _NONE


_NONE = Degenerate()


def _loop(text: str, rationale: RationaleFacts) -> tuple[int, int, str] | None:
    """(start, end, piece) of a piece that comes again and again to the end, or nearly."""
    if len(text) < LEAST_LOOP:
        return None
    tail = text.rstrip()
    # What loops ends as it goes on: the last piece is looked for before itself.
    for size in (8, 24, 80):
        ending = tail[-size - 40 : -40] if len(tail) > size + 40 else tail[-size:]
        at = tail.rfind(ending, max(0, len(tail) - LONGEST_PIECE - size - 40), len(tail) - 41)
        if len(ending) < size or at < 0:
            continue
        period = (len(tail) - 40 - size if len(tail) > size + 40 else len(tail) - size) - at
        if period < 1:
            continue
        start = _begin_of(tail, period)
        piece = tail[start : start + period]
        if len(tail) - start >= max(LEAST_LOOP, LEAST_TURNS * period) and any(
            map(str.isalnum, piece)
        ):
            return start, len(tail), piece
    repeated = [i for i, step in enumerate(rationale.steps) if step.repeats >= 0]
    if len(repeated) >= 4 and 2 * len(repeated) >= len(rationale.steps):
        first, last = rationale.steps[repeated[0]].step, rationale.steps[repeated[-1]].step
        return first.start, last.end, first.text[:LONGEST_PIECE]
    return None


def _begin_of(text: str, period: int) -> int:
    """Where the part of a text that is its own repetition, `period` characters apart, begins."""
    at = len(text) - period - 1
    while at >= 0 and text[at] == text[at + period]:
        at -= 1
    start = at + 1
    while start < len(text) - period and not text[start].isalnum():
        start += 1
    return start


def _restated(question: str, text: str) -> tuple[int, int] | None:
    """The place of the whole question in the text, None where it does not stand there."""
    question = question.strip()
    if len(question) < LEAST_RESTATED or len(text) < len(question):
        return None
    at = text.find(question)
    return None if at < 0 else (at, at + len(question))


def _other_language(question: str, text: str, rationale: RationaleFacts) -> tuple[str, str] | None:
    """(language or script of the question, of the text) where they differ beyond doubt."""
    if _NOT_LATIN.search(text) or _NOT_LATIN.search(question):
        asked, said = _script(question[:2_000]), _script(text[:2_000])
        if asked and said and asked != said:
            return asked, said
        if asked not in (None, "Latin") or said not in (None, "Latin"):
            return None
    asked = _language(question)
    if asked is None:
        return None
    words = [word for step in rationale.steps[:6] for word in step.words[:40]]
    known = _LANGUAGES[asked]
    mine = sum(word in known for word in words)
    if len(words) < LEAST_WORDS or mine >= OWN * len(words):  # as nearly always
        return None
    counts = {name: sum(word in some for word in words) for name, some in _LANGUAGES.items()}
    best = max(counts, key=lambda name: counts[name])
    if (
        best == asked
        or counts[best] < max(4, 0.12 * len(words), SURE * max(1, mine))
        or len(_LANGUAGES[best].intersection(words)) < 3
    ):
        return None
    return asked, best


@lru_cache(maxsize=256)
def _language(question: str) -> str | None:
    """The language of most of a question's common words, None where it has few."""
    words = question.lower().split()[:200]
    counts = {name: sum(word in known for word in words) for name, known in _LANGUAGES.items()}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] >= 3 else None


def _script(text: str) -> str | None:
    """The script of most letters of a text; None where it has few letters or no script has most."""
    counts: dict[str, int] = {}
    letters = 0
    for character in text:
        if not character.isalpha():
            continue
        letters += 1
        if character < "\u0250":
            counts["Latin"] = counts.get("Latin", 0) + 1
            continue
        for name, low, high in _SCRIPTS:
            if low <= character <= high:
                counts[name] = counts.get(name, 0) + 1
                break
    if letters < LEAST_WORDS:
        return None
    if counts.get("Japanese", 0) > letters // 10:  # kana among Chinese signs
        return "Japanese"
    best = max(counts, key=lambda name: counts[name], default="")
    return best if counts.get(best, 0) > 0.6 * letters else None
