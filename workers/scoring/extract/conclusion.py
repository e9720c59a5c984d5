"""Reads the answer from a concluding sentence in plain words, where nothing marks it."""

import re
from collections.abc import Sequence

from workers.scoring.extract.phrases import NUMBER_TOKEN, Phrase, reduce_phrase

_TERMINAL = re.compile(r"[.!?:][\"')\]*_`$]*\s*\Z|[\])}$]\s*\Z|✓\s*\Z")
_SENTENCE = re.compile(
    r"[^.!?\n]*(?:[.!?](?=\d|[a-z]|\S[.!?])[^.!?\n]*)*(?:[.!?]+[\"')\]*_]*|\n|\Z)"
)
_CONCLUDES = re.compile(
    r"^[\s*_\-•>\d.)]*(?:so|therefore|thus|hence|in (?:total|all|conclusion|summary|the end)|overall|"
    r"altogether|all in all|finally|as a result|consequently|this means|that means|this leaves|"
    r"that leaves|it follows|we conclude|to conclude|∴|conclusion|total|in sum|solution)\b",
    re.I,
)
_STRONG = re.compile(
    r"^[\s*_\-•>\d.)]*(?:therefore|thus|hence|in conclusion|in the end|to conclude|we conclude|"
    r"conclusion|∴|finally)\b",
    re.I,
)
_ASIDE = re.compile(
    r"\b(?:i|we) (?:did|used|have used|hope|checked|verified|solved|took|got this|double)|\bdone in\b|"
    r"\bin \d+ steps?\b|let me know|hope (?:this|that)|any (?:other )?questions|good luck|\bnote\b|"
    r"^\W*(?:check|verif|let me (?:check|verify)|to (?:check|verify)|double.?check|proof|step \d+ )|"
    r"\bconfidence\b|\bsteps? (?:were|was|taken)\b|that'?s (?:it|all)|\bdifficulty\b|\bpowered by\b|"
    r"^\W*(?:great|nice|well done|thanks?|thank you|cheers|easy|q\.?e\.?d)|(?:is|was) (?:fun|easy|hard)",
    re.I,
)
_UNFINISHED = re.compile(
    r"^[\s*_\-•>\d.)]*(?:first|second|third|next|then|let|step \d|now|suppose|assume|we (?:need|have to|"
    r"must|want|know)|to (?:find|solve|get)|start|begin|given|wait|hmm|but|however|maybe|perhaps)\b",
    re.I,
)
_DANGLING = re.compile(
    r"(?:[-+*/×÷=(,<]|\b(?:and|or|the|of|so|is|are|in|to|for|with|by|a|an|at|from|"
    r"then|that|which|has|have|will|per|each|because|if))\s*\Z",
    re.I,
)
_ADJUNCT = re.compile(
    r"\b(?:not|out of|of|in|for|after|from|than|on|at|over|by|with|per|every|each|between|during|within|"
    r"until|before|since|if|when|all|those|these|both|step|day|week|year|page|row|chapter|grade|age|"
    r"number|no\.?|the (?:first|last|next|other|remaining)|and the other)\s+"
    r"(?:(?:the|his|her|their|its|our|these|those|all|a|an|about|only|another|other|first|last|next|"
    r"remaining|original|initial|total|same)\s+){0,3}$",
    re.I,
)
_VERB = re.compile(
    r"\b(?:is|are|was|were|be|equals?|has|have|had|makes?|made|earn(?:s|ed)?|needs?|needed|costs?|pays?|"
    r"paid|gets?|got|leaves?|left|spen[dt]s?|takes?|took|sold|sells?|buys?|bought|eats?|ate|gives?|gave|"
    r"runs?|ran|walks?|reads?|uses?|used|saves?|saved|weighs?|contains?|holds?|requires?|required|"
    r"produces?|received?s?|receives?|collects?|total(?:s|ed|ing)?|only|exactly|remain(?:s|ing)?|drives?|"
    r"drove|travels?|travell?ed|cover(?:s|ed)?|lasts?|works?|worked|wins?|won|lost|loses?|baked?s?|"
    r"approximately|about|≈|can|will|should|must|ends? up with|finish(?:es|ed)? with)\s+(?:\w+\s+){0,2}$",
    re.I,
)
# "x = 5 or x = -3": every part belongs to the answer.
_SEVERAL = re.compile(
    r"(?<![\w+*/=-])(\$?[a-z]\s*=\s*[^\s,;=]+\s*(?:,|or|and)\s*(?:(?:or|and)\s*)?"
    r"[a-z]\s*=\s*[^\s,;=]*[^\s,;=.])",
    re.I,
)
MAX_SENTENCES = 12  # how far back from the end a conclusion may stand


def find_in_conclusion(
    text: str, start: int, stop: int, answer_type: str | None, choices: Sequence[str]
) -> tuple[Phrase, str] | str:
    """(phrase, method) of the answer in the concluding sentence, or the reason why there is none.

    The reason is "cut-off" where the text ends before it concluded and "none" otherwise.
    """
    body = text[start:stop].rstrip()
    stop = start + len(body)
    if len(body) <= 60 and "\n" not in body:
        bare = _bare(text, start, stop, answer_type, choices)
        if bare:
            return bare, "bare"
    sentences = _sentences(text, max(start, stop - 4_000), stop)
    if not sentences:
        return "none"
    ended = bool(_TERMINAL.search(text, max(start, stop - 6), stop))
    last_a, last_b = sentences[-1]
    last = text[last_a:last_b]
    if "<<" in last and last.rfind("<<") > last.rfind(">>"):
        return "cut-off"  # in the middle of a calculator mark
    if not ended and (_DANGLING.search(last) or not _STRONG.match(last)):
        return "cut-off"
    for a, b in reversed(sentences[-MAX_SENTENCES:]):
        sentence = text[a:b]
        if _ASIDE.search(sentence):
            continue
        concludes = _CONCLUDES.match(sentence)
        if not concludes and (_UNFINISHED.match(sentence) or sentence.rstrip().endswith("?")):
            return "none"
        phrase = _from_sentence(text, a, b, answer_type, choices)
        if phrase:
            return phrase, "conclusion"
        if concludes or re.search(r"\d", sentence):
            return "none"
    return "none"


def _bare(text, start, stop, answer_type, choices) -> Phrase | None:
    """A rationale that is nothing but an answer: "18", "$5.50", "(B)", "5 apples"."""
    lead = len(text[start:stop]) - len(text[start:stop].lstrip())
    body = text[start + lead : stop].rstrip(" .")
    if len(body.split()) > 6 or not body or re.search(r"[.!?]\s", body):
        return None
    if re.search(r"=|\b(?:is|are|has|have|so)\b", body, re.I):
        return None
    phrase = Phrase(body, start + lead, start + lead + len(body))
    if choices or answer_type in ("choice", "text"):
        return reduce_phrase(phrase, answer_type, choices, strict=False)
    if len(body.split()) > 1 and not re.match(r"[-−+$€£\\(\d]", body):
        return None
    if not re.search(r"\d|\\", body) and len(body.split()) > 1:
        return None
    return reduce_phrase(phrase, answer_type, choices, strict=True)


def _sentences(text: str, start: int, stop: int) -> list[tuple[int, int]]:
    spans = []
    for m in _SENTENCE.finditer(text, start, stop):
        if m.group().strip():
            spans.append((m.start(), m.end()))
        if m.end() >= stop:
            break
    return spans


def _from_sentence(text, a, b, answer_type, choices) -> Phrase | None:
    sentence = text[a:b]
    if choices or answer_type == "choice":
        return _choice_in(text, a, b, choices)
    if answer_type == "text":
        return _yes_no(sentence, a)
    several = _SEVERAL.search(sentence)
    if several:
        return Phrase(several[1], a + several.start(1), a + several.end(1))
    equals = max(sentence.rfind("="), sentence.rfind("≈"))
    if equals >= 0:
        after = sentence[equals + 1 :].strip().rstrip(".!")
        offset = a + equals + 1 + len(sentence[equals + 1 :]) - len(sentence[equals + 1 :].lstrip())
        return reduce_phrase(
            Phrase(after, offset, offset + len(after)), answer_type, (), strict=False
        )
    numbers = [m for m in NUMBER_TOKEN.finditer(sentence) if m.group().strip()]
    if not numbers:
        return _words_number(sentence, a)
    free = [m for m in numbers if not _ADJUNCT.search(sentence, max(0, m.start() - 120), m.start())]
    pool = free or numbers
    if len(pool) > 1:
        after_verb = [m for m in pool if _VERB.search(sentence[max(0, m.start() - 40) : m.start()])]
        pool = after_verb or pool
    if not free and len(numbers) > 1:
        return None
    m = pool[0]
    token = m.group().strip()
    start = a + m.start() + m.group().index(token)
    return Phrase(token, start, start + len(token))


_PLAIN_VERB = re.compile(
    r"\b(?:is|are|has|have|had|equals|makes|left|gets|needs|pays|earns|costs|takes)\s+", re.I
)


def _words_number(sentence: str, a: int) -> Phrase | None:
    verbs = list(_PLAIN_VERB.finditer(sentence))
    if not verbs:
        return None
    verb = verbs[-1]
    rest = sentence[verb.end() :].rstrip(" .!\n")
    found = reduce_phrase(
        Phrase(rest, a + verb.end(), a + verb.end() + len(rest)), "number", (), strict=True
    )
    return found


def _choice_in(text, a, b, choices) -> Phrase | None:
    found = None
    for m in re.finditer(r"[(\[]([A-J])[)\]]|\b(?:option|choice|answer)\s+([A-J])\b", text[a:b]):
        group = 1 if m[1] else 2
        found = Phrase(m[group], a + m.start(group), a + m.end(group))
    if found or not choices:
        return found
    named = []
    sentence = text[a:b].lower()
    for choice in choices:
        option = re.sub(r"^\s*[(\[]?[A-J][)\].:]\s*", "", choice).strip()
        at = sentence.rfind(option.lower()) if option else -1
        if (
            at >= 0
            and not re.match(r"[\w.]\d|\w", sentence[at + len(option) : at + len(option) + 2])
            and not re.match(r"[\d.\w]", sentence[at - 1 : at])
        ):
            named.append((at, option))
    if len(named) == 1:
        at, option = named[0]
        return Phrase(text[a + at : a + at + len(option)], a + at, a + at + len(option))
    return None


def _yes_no(sentence: str, a: int) -> Phrase | None:
    m = re.search(r"\b(yes|no|true|false)\b", sentence, re.I)
    return Phrase(m[1], a + m.start(1), a + m.end(1)) if m else None
