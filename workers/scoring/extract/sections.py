"""Where the answer of a rationale may stand: its final text.

Thoughts (`<think>`, `[THINK]`, gpt-oss channels), control tokens of chat formats and a run-on next
question or turn are left out. What stands only in a thought that was never closed is no answer.
"""

import re
from dataclasses import dataclass

from workers.scoring.extract.phrase import last_of

MAX_CHARS = 200_000  # what is longer is read from its end

_NAMES = (
    "think|thinking|thought|thoughts|reasoning|reason|scratchpad|analysis|reflection|seed:think"
    "|inner_monologue|cot_think"
)
_OPEN = re.compile(
    rf"<(?:{_NAMES})>|\[THINK\]|<\|(?:begin_of_thought|START_THINKING|think|thinking)\|>|◁think▷",
    re.I,
)
_CLOSE = re.compile(
    rf"</(?:{_NAMES})>|\[/THINK\]|<\|(?:end_of_thought|END_THINKING|/think|/thinking)\|>|◁/think▷",
    re.I,
)
_CHANNEL = re.compile(r"<\|channel\|>[ \t]*(\w{1,20})[^<\n]{0,60}<\|message\|>")
_CONTROL = re.compile(
    r"<\|[\w/:. -]{1,40}\|>|<｜[^｜<>\n]{1,40}｜>|</?s>|<(?:eos|bos|pad|unk|end_of_turn|start_of_turn"
    r"|end_of_utterance|EOT|/?final|/?response|/?output)>|\[/?(?:INST|EOS|BOS|PAD|SYS)\]"
    r"|<</?SYS>>|<\|endoftext\|>"
)
_ROLE = re.compile(
    r"[ \t]*+(?:(?:assistant|model|final|chatbot)\b[ \t]*+)?(?=\n|<|\Z)|[ \t]++", re.I
)
_SPECIAL = re.compile(r"<[|｜/a-zA-Z<]|\[/?[A-Z]{3}|◁|\Aanalysis")
_PROMPT = re.compile(
    r"\s*(?:<\|im_start\|>(?:user|system)|<\|user\|>|<\|start_header_id\|>(?:user|system)"
    r"|<start_of_turn>user|(?:<s>\s*)?\[INST\])"
)
_REPLY = re.compile(
    r"<\|im_start\|>assistant|<\|assistant\|>|\[/INST\]|<start_of_turn>model"
    r"|<\|start_header_id\|>assistant<\|end_header_id\|>"
)
_SQUEEZED_CHANNEL = re.compile(r"assistant[ \t]?final(?=\S|\s)")
_RUN_ON = re.compile(
    r"\n[ \t>*#]*(?:(?:Human|User|Student|Customer|Question|Q|Problem|Exercise|Instruction|Input"
    r"|Prompt|Task"
    r"|Example|Frage|Aufgabe|Pregunta|Problema|Pergunta|Exercice|Вопрос|Задача|Swali|Domanda|Soru)\b"
    r"|问题|問題|题目|題目|질문|문제|प्रश्न|প্রশ্ন|سؤال|السؤال|คำถาม|โจทย์|ప్రశ్న)"
    r"[ \t]*(?:\#?\d{1,3}[ \t]*)?[*]{0,2}[:：.)]"
)


@dataclass(frozen=True, slots=True)
class Body:
    """The final text: rationale[start:stop].

    is_open: a thought began in it, or before it, and never ended; turn: where a run-on next question or turn
    begins, -1 where none does.
    """

    start: int
    stop: int
    is_open: bool = False
    turn: int = -1


def final_text(text: str) -> Body:
    """The part of a rationale in which its answer may stand."""
    start, stop, is_open = 0, len(text), False
    if _SPECIAL.search(text):
        start, stop, is_open = _marked_up(text)
    start = max(start, stop - MAX_CHARS)
    lead = len(text[start : start + 2_000]) - len(text[start : start + 2_000].lstrip())
    turn = _RUN_ON.search(text, start + lead + 1, stop)
    return Body(start, stop, is_open, turn.start() if turn else -1)


def _marked_up(text: str) -> tuple[int, int, bool]:
    """(start, stop, whether a thought is open) of a text with tags or control tokens."""
    start, stop, is_open, inside = 0, len(text), False, None
    if _PROMPT.match(text) and (reply := _REPLY.search(text)):
        start = reply.end()
    channels = list(_CHANNEL.finditer(text, start))
    if channels:
        final = [m for m in channels if m[1] == "final"]
        if not final:
            return stop, stop, True
        start = final[-1].end()
    elif text.startswith("analysis") and (squeezed := _SQUEEZED_CHANNEL.search(text)):
        start = squeezed.end()
    for closed in _CLOSE.finditer(text, start):
        opened = last_of(_OPEN.finditer(text, start, closed.start()))
        inside = (opened.end() if opened else start, closed.start())
        start = closed.end()
    opened = _OPEN.search(text, start)
    if opened:
        is_open, stop = True, opened.start()
    start = _after_control(text, start, stop)
    if inside and not _CONTROL.sub("", text[start:stop]).strip():
        if is_open:
            return stop, stop, True
        return _after_control(text, *inside), inside[1], False  # all that was said was thought
    end = _CONTROL.search(text, start, stop)
    return start, end.start() if end else stop, is_open


def _after_control(text: str, start: int, stop: int) -> int:
    """Behind the control tokens, and the role that they name, with which a text begins."""
    while True:
        at = start
        while at < stop and text[at].isspace():
            at += 1
        control = _CONTROL.match(text, at, stop)
        if not control:
            return start
        role = _ROLE.match(text, control.end(), stop)
        start = role.end() if role else control.end()


# What generation says of its end, where it was not the model's own.
ENDED_EARLY = frozenset(
    {"length", "max_tokens", "max_length", "error", "abort", "aborted", "cancelled", "timeout",
     "content_filter", "incomplete"}
)  # fmt: skip
_BROKEN = re.compile(
    r"(?:[-+*/×÷=(\[{,<^_&\\]|<<[^<>]*|\b(?:and|or|the|an|of|is|are|was|were|to|for|with|by|from|than|"
    r"then|that|which|has|have|had|will|per|because|if|when|so|we|he|she|they|I|its|their|his|"
    r"und|oder|der|die|das|et|ou|le|la|les|y|el|los|и|или))\s*\Z"
)
_BEGUN = re.compile(
    r"=[^=\n.]{1,40}\band\s\d{1,9}\Z"
)  # "3*4 = 12 apples and 5": a clause just begins
_EMPHASIS = re.compile(r"(?<=[^\s*_`])[*_`]{1,3}\Z")
_LOOP = re.compile(r"\d{60}\Z")


def ended_early(finish_reason: str | None) -> bool | None:
    """Whether generation says that the text was cut off; None where it says nothing."""
    reason = (finish_reason or "").strip().lower()
    if not reason or reason in ("unknown", "none", "null"):
        return None
    return reason in ENDED_EARLY


def seems_cut_off(text: str, start: int, stop: int) -> bool:
    """Strong signs that a text ends before its end, where nothing else says so; never punctuation alone."""
    tail_start = max(start, stop - 1_500)
    tail = _EMPHASIS.sub("", text[tail_start:stop].rstrip())
    if not tail:
        return False
    if _BEGUN.search(tail) or _BROKEN.search(tail, max(0, len(tail) - 200)) or _LOOP.search(tail):
        return True
    line = tail[tail.rfind("\n") + 1 :]
    if line.rfind("<<") > line.rfind(">>"):
        return True
    for opening, close in (("\\(", "\\)"), ("\\[", "\\]"), ("\\begin{", "\\end{")):
        at = tail.rfind(opening)
        if at >= 0 and tail.find(close, at) < 0:
            return True
    box = max(tail.rfind("\\boxed{"), tail.rfind("\\frac{"), tail.rfind("\\sqrt{"))
    return box >= 0 and tail.count("{", box) > tail.count("}", box)
