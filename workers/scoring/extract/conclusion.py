"""Reads the answer from a concluding sentence in plain words, where nothing marks it."""

import re
from collections.abc import Sequence

from workers.scoring.extract.options import AMBIGUOUS
from workers.scoring.extract.phrase import Phrase
from workers.scoring.extract.phrases import reduce_phrase
from workers.scoring.extract.sections import ended_early, seems_cut_off
from workers.scoring.extract.sentence import read_sentence

_SENTENCE = re.compile(
    r"[^.!?。！？।॥؟۔\n]*(?:(?:(?<=\\)!|[.!?](?=\d|[a-z]|\S[.!?]|\s?\\[\])]|\$))"
    r"[^.!?。！？।॥؟۔\n]*)*(?:[.!?。！？।॥؟۔]+[\"')\]*_”」]*|\n|\Z)"
)
_DISPLAY = re.compile(
    r"\\\[[^\[\]]{0,600}(?:\[[^\[\]]{0,300}\][^\[\]]{0,300})?\\\]|\$\$[^$]{1,600}\$\$"
)
_CONCLUDES = re.compile(
    r"^[\s*_\-•>\d.)]*(?:so|therefore|thus|hence|in (?:total|all|conclusion|summary|the end)|overall|"
    r"altogether|all in all|finally|as a result|consequently|this means|that means|this leaves|"
    r"that leaves|it follows|we conclude|to conclude|∴|conclusion|total|in sum|solution)\b"
    r"|^\s*(?:因此|所以|故|总共|一共|したがって|よって|따라서|그러므로|итак|следовательно|значит"
    r"|всего|also|somit|daher|"
    r"insgesamt|donc|ainsi|au total|por lo tanto|entonces|en total|portanto|logo|no total|kwa hivyo|jumla|"
    r"इसलिए|कुल|সুতরাং|অতএব|মোট|ดังนั้น|รวม|لذلك|إذن|المجموع|కాబట్టి|మొత్తం)",
    re.I,
)
_ASIDE = re.compile(
    r"\b(?:i|we) (?:did|used|have used|hope|checked|verified|solved|took|got this|double)|^\W*done in\b|"
    r"\bin \d+ steps?\b|let me know|hope (?:this|that)|any (?:other )?questions|good luck|\bnote\b|"
    r"^\W*(?:check|verif|let me (?:check|verify)|to (?:check|verify)|double.?check|proof|step \d+ )|"
    r"\bconfidence\b|\bsteps? (?:were|was|taken)\b|that'?s (?:it|all)|\bdifficulty\b|\bpowered by\b|"
    r"^\W*(?:great|nice|well done|thanks?|thank you|cheers|easy|q\.?e\.?d)|(?:is|was) (?:fun|easy|hard)",
    re.I,
)
_OPEN_END = re.compile(
    r"^[\s*_\-•>\d.)]*(?:let|suppose|assume|we (?:need|have|must|want) to)\b",
    re.I,
)
_DOUBTS = re.compile(r"^[\s*_\-•>\d.)]*(?:wait|hmm|maybe|perhaps)\b", re.I)
_RESULT = re.compile(r"\d\s*=\s*[$€£]?\d")
_UNFINISHED = re.compile(r"^[\s*_\-•>\d.)]*(?:first|second|third|next|then|step \d|now)\b", re.I)
_REFUSAL = re.compile(
    r"\b(?:i(?:'m| am) (?:sorry|unable|not able)|i (?:can ?not|can't|won't|will not|do not|don't"
    r"|have no)\s+"
    r"(?:help|assist|answer|comply|provide|do that|know|have an|continue|fulfil)|as an ai\b|i have "
    r"no answer"
    r"|i (?:must|have to) (?:decline|refuse)|cannot assist with)",
    re.I,
)
MAX_SENTENCES = 12  # how far back from the end a conclusion may stand


def find_in_conclusion(
    text: str,
    start: int,
    stop: int,
    answer_type: str | None,
    choices: Sequence[str],
    finish_reason: str | None = None,
) -> tuple[Phrase, str] | str:
    """(phrase, method) of the answer in the concluding sentence, or the reason why there is none.

    The reason is "cut-off" where the text ends before it concluded, "refusal", "ambiguous", else "none".
    """
    body = text[start:stop].rstrip()
    stop = start + len(body)
    early = ended_early(finish_reason)
    if early:
        return "cut-off"
    if len(body) <= 60 and "\n" not in body.strip():
        bare = _bare(text, start, stop, answer_type, choices)
        if bare:
            return bare, "bare"
    if early is None and seems_cut_off(text, start, stop):
        return "cut-off"
    sentences = _sentences(text, max(start, stop - 4_000), stop)
    is_last = True
    for a, b in reversed(sentences[-MAX_SENTENCES:]):
        sentence = text[a:b]
        if _REFUSAL.search(sentence):
            return "refusal"
        if _ASIDE.search(sentence):
            continue
        concludes = _CONCLUDES.match(sentence)
        if not concludes and _DOUBTS.match(sentence):
            return "none"
        is_open = sentence.rstrip().endswith(("?", "？")) or _OPEN_END.match(sentence)
        if not concludes and is_open and not _RESULT.search(sentence):
            return "none"
        if not concludes and not is_last and _UNFINISHED.match(sentence):
            return "none"
        phrase = read_sentence(_stripped(text, a, b), answer_type, choices)
        if phrase == AMBIGUOUS:
            return "ambiguous"
        if isinstance(phrase, Phrase):
            return phrase, "conclusion"
        if concludes or re.search(r"\d", sentence):
            return "none"
        is_last = False
    return "none"


def _stripped(text: str, a: int, b: int) -> Phrase:
    return Phrase(text[a:b], a, b)


def _bare(text, start, stop, answer_type, choices) -> Phrase | None:
    """A rationale that is nothing but an answer: "18", "$5.50", "(B)", "5 apples"."""
    lead = len(text[start:stop]) - len(text[start:stop].lstrip())
    body = text[start + lead : stop].rstrip(" .。।")
    if len(body.split()) > 6 or not body or re.search(r"[.!?]\s", body):
        return None
    if re.search(r"=|\b(?:is|are|has|have|so)\b", body, re.I):
        return None
    phrase = Phrase(body, start + lead, start + lead + len(body))
    if choices or answer_type in ("choice", "text", "yes_no", "undetermined"):
        found = reduce_phrase(phrase, answer_type, choices, strict=False)
        return found if isinstance(found, Phrase) else None
    if len(body.split()) > 1 and not re.match(r"[-−+$€£\\(\d]", body):
        return None
    if not re.search(r"\d|\\", body) and len(body.split()) > 1:
        return None
    found = reduce_phrase(phrase, answer_type, choices, strict=True)
    return found if isinstance(found, Phrase) else None


def _sentences(text: str, start: int, stop: int) -> list[tuple[int, int]]:
    spans = []
    displays = []
    if "\\[" in text or "$$" in text:
        for m in _DISPLAY.finditer(text, start, stop):
            lead = text[start : m.start()].rstrip()  # the line that leads to a formula goes with it
            displays.append((start + max(lead.rfind("\n"), lead.rfind(". "), 0), m.end()))
    for m in _SENTENCE.finditer(text, start, stop):
        if spans and any(a < m.start() < b for a, b in displays):
            spans[-1] = (spans[-1][0], m.end())  # a displayed formula is not taken apart
        elif m.group().strip():
            spans.append((m.start(), m.end()))
        if m.end() >= stop:
            break
    return spans
