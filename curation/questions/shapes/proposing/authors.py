"""Which columns hold rationales, who wrote them, what was thought before, and how they were judged."""

import re
from typing import TYPE_CHECKING

from curation.questions.shapes.columns import Column
from curation.questions.shapes.finals import final_answer
from curation.questions.shapes.names import known

if TYPE_CHECKING:
    from curation.questions.shapes.proposing.propose import Proposal

_MODEL = re.compile(
    r"(?:^|_)(?:gpt|claude|deepseek|gemini|llama|qwen|mistral|r1|o1|gemma|phi|palm|bard|student|model|llm|ai|bot"
    r"|prediction|baseline|ours|finetuning|verification|\d+b)(?:_|$|\d)"
)
_TAIL = re.compile(
    r"(?:^|_)(solution|attempt|response|output|completion|generation|answer|cot|reasoning|rationale|text)s?(?:_\d+)?$"
)
_THOUGHT = re.compile(
    r"(?:^|_)(?:thinking|thought|reasoning|thinking_trajectory|trajectory)(?:s|_content|ies)?$"
)
_VERDICT_TAIL = re.compile(
    r"(?:^|[_.])(?:is_correct|correct|correctness|verdict|verified|label|grade|passed|agrees|score)$"
)
_WORDS = {
    "correct",
    "incorrect",
    "right",
    "wrong",
    "true",
    "false",
    "yes",
    "no",
    "pass",
    "fail",
    "passed",
    "failed",
}
LONG = 25


def propose_rationales(proposal: "Proposal") -> None:
    _native(proposal)
    texts = _columns(proposal, only_inner=True)
    for column in proposal.named("worked_solution"):
        if column.kind in ("text", "texts") and column.last not in ("rationale", "explanation"):
            proposal.roles[column.name] = "worked_solution"
    texts += _columns(proposal)
    others = [c for c in proposal.named("worked_solution") if c.kind in ("text", "texts")]
    judged = bool(_verdicts(proposal)) or bool(proposal.named("predicted_answer"))
    for column in others:
        if column.last == "rationale" and judged and not texts and not proposal.has("steps"):
            texts.append(column)
            proposal.roles[column.name] = "rationale"
        else:
            proposal.roles[column.name] = "worked_solution"
    _thoughts(proposal, texts)
    if texts or proposal.has("rationale") or proposal.has("steps") or proposal.has("messages"):
        _about_them(proposal)


def _native(proposal: "Proposal") -> None:
    """Our own list of {teacher, text}, and lists of {model, response}."""
    for column in proposal.free():
        if column.kind == "objects" and known("rationale", column.last) is not None:
            proposal.roles[column.name] = "rationales"


def _columns(proposal: "Proposal", *, only_inner: bool = False) -> list[Column]:
    found: list[Column] = []
    for column in list(proposal.free()):
        rank = known("rationale", column.last)
        is_model = bool(_MODEL.search(column.last) and _TAIL.search(column.last))
        # {"6b": {"solution": …, "is_correct": …}}: the object's name is the teacher's.
        inner = column.name.rpartition(".")
        is_inner = bool(inner[1]) and inner[2] in (
            "solution",
            "response",
            "rationale",
            "output",
            "text",
        )
        judged = is_inner and any(
            c.name.rpartition(".")[0] == inner[0] and _VERDICT_TAIL.search(c.key)
            for c in proposal.columns.values()
        )
        # The same beside a ground truth, where nobody judged it.
        judged = judged or (inner[1:] == (".", "solution") and proposal.has("reference_answer"))
        if only_inner and not judged:
            continue
        if any(one.last.split("_step")[0] == column.last for one in proposal.of("steps")):
            proposal.roles[column.name] = "unused"  # its steps say the same, with their labels
            continue
        if rank is None and not is_model and not judged and not is_inner:
            continue
        if is_inner and not judged and rank is None and not is_model and inner[2] != "solution":
            continue
        if column.kind not in ("text", "texts"):
            continue
        if column.kind == "text" and not _is_long(column) and not judged:
            continue
        found.append(column)
        proposal.roles[column.name] = (
            f"rationale:{_teacher(column)}" if is_inner or is_model else "rationale"
        )
    generated = [c for c in found if c.kind == "texts" and c.last != "rationales"]
    for column in [c for c in found if c.last == "rationales" and c.kind == "texts" and generated]:
        found.remove(column)  # what a judge said of each
        proposal.roles[column.name] = "unused"
    if len([c for c in found if proposal.roles[c.name] == "rationale"]) > 1:
        for column in found:
            if proposal.roles[column.name] == "rationale":
                proposal.roles[column.name] = f"rationale:{column.name.rsplit('.', 1)[-1]}"
    return found


def _teacher(column: Column) -> str:
    above, dot, last = column.name.rpartition(".")
    if dot:
        return above.rsplit(".", 1)[-1]
    stem = _TAIL.sub("", column.name)
    return stem if stem and stem != column.name else last


def _is_long(column: Column) -> bool:
    texts = [v for v in column.values if isinstance(v, str)]
    if column.last in ("chosen", "rejected", "cot", "chain_of_thought"):
        return True
    long = [t for t in texts if len(t) >= LONG or len(t.split()) >= 5 or _reads_on(t)]
    return bool(texts) and len(long) >= 0.5 * len(texts)


def _reads_on(text: str) -> bool:
    return "\n" in text or text.rstrip().endswith(".") or bool(final_answer(text))


def _thoughts(proposal: "Proposal", texts: list[Column]) -> None:
    thoughts = [c for c in proposal.named("reasoning") if c.kind in ("text", "texts")]
    thoughts += [
        c for c in proposal.free()
        if c not in thoughts and c.kind in ("text", "texts") and _THOUGHT.search(c.last)
    ]  # fmt: skip
    for column in thoughts:
        target = _closest(column, texts)
        if target is not None:
            proposal.roles[column.name] = f"reasoning:{target.name}"
        elif proposal.has("messages"):
            proposal.roles[column.name] = "reasoning"
        elif column.kind == "text" or column.last.startswith(("thinking", "reasoning")):
            proposal.roles[column.name] = "rationale"
            texts.append(column)


def _closest(column: Column, texts: list[Column]) -> Column | None:
    """The rationale that a column speaks of: the one whose name begins as its own does, or the only one."""
    if len(texts) == 1:
        other = texts[0]
        ours, theirs = _stem(column), _stem(other)
        # deepseek_thinking beside gemini_attempt speaks of somebody else.
        return None if ours and theirs and ours != theirs else other
    for other in texts:
        if _stem(other) and _stem(other) == _stem(column):
            return other
    return None


def _stem(column: Column) -> str:
    above, _, last = column.key.rpartition(".")
    if above:
        return above
    stem = _THOUGHT.sub("", _TAIL.sub("", _VERDICT_TAIL.sub("", last)))
    return stem.strip("_")


def _verdicts(proposal: "Proposal") -> list[Column]:
    found = [c for c in proposal.named("verdict") if is_verdict(c)]
    found += [
        c
        for c in proposal.free()
        if c not in found and _VERDICT_TAIL.search(c.key) and is_verdict(c)
    ]
    return found


def is_verdict(column: Column) -> bool:
    """True, false, 1, 0, "correct", "wrong": single or as a list."""
    if column.kind in ("bool", "bools"):
        return True
    if column.kind == "numbers":
        return all(v in (0, 1, None) for value in column.values[:50] for v in value)
    if column.kind == "number":
        return all(v in (0, 1) for v in column.values)
    if column.kind == "text":
        return all(str(v).strip().lower() in _WORDS for v in column.distinct)
    return False


def _about_them(proposal: "Proposal") -> None:
    rationales = proposal.of("rationale")
    for column in _verdicts(proposal):
        if column.name in proposal.roles:
            continue
        target = next((c for c in rationales if _stem(c) and _stem(c) == _stem(column)), None)
        taken = [r for r in proposal.roles.values() if r.startswith("verdict")]
        if target is not None:
            proposal.roles[column.name] = f"verdict:{target.name}"
        elif not taken:
            proposal.roles[column.name] = "verdict"
        else:
            proposal.roles[column.name] = "metadata"
    for role in ("teacher", "temperature", "finish_reason"):
        for column in proposal.named(role):
            good = (
                column.kind == "number"
                if role == "temperature"
                else column.kind in ("text", "texts")
            )
            if good and not proposal.has(role):
                proposal.roles[column.name] = role
    for column in proposal.named("predicted_answer"):
        if column.kind in ("text", "number") and not proposal.has("predicted_answer"):
            proposal.roles[column.name] = "predicted_answer"
