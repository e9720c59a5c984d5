"""One rationale of a question as pages show it: its steps with their flags, its grade in words."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from string import ascii_uppercase
from typing import Any

from curation.questions.models import Question
from curation.rationales.models import AnswerVerdict, Rationale, Score, Source
from curation.reviews.bench.reading_order import (
    FIRST,
    IDLE_FLAGS,
    WHOLE,
    Outline,
    Part,
    outline_of,
    parts_of,
)
from curation.reviews.models import Decision, Outcome
from curation.text.blocks import SUSPECT, parse

# Why an answer was not read (`Score.unread`), in a few words; the scorer's own sentence says more.
UNREAD = {
    "nothing_found": "no answer found",
    "cut_off": "cut off",
    "empty": "nothing written",
    "refusal": "refused",
    "ambiguous": "more than one answer",
    "not_understood": "not understood",
    "type_mismatch": "another kind of answer",
    "bad_reference": "the reference is unusable",
}


@dataclass
class StepView:
    """One step; `doubt` is None, or what doubts_in says of it."""

    number: int
    text: str
    flags: list[dict[str, Any]]
    thought: bool = False
    cut: int = 0
    doubt: str | None = None
    # A row of a table: how its columns are set.
    columns: list[str] = field(default_factory=list)
    is_head: bool = False
    # A line of indented code: its blanks, four at least.
    indent: int = 0


@dataclass
class RationaleView:
    """One rationale as pages show it. `grade` is a verdict (`AnswerVerdict`), or unscored. `outline`: of all
    its steps, at the bench alone; elsewhere the first ones are shown."""

    letter: str
    rationale: Rationale
    score: Score | None
    decision: Decision | None
    steps: list[StepView]
    hidden_steps: int
    flags: list[dict[str, Any]]
    grade: str
    grade_words: str
    grade_why: str
    tokens: int
    sums: tuple[int, int] | None
    likely_best: bool = False
    is_blind: bool = False
    same_as: str = ""
    twin_of: str = ""
    suggested: list[str] = field(default_factory=list)
    outline: Outline | None = None

    @property
    def parts(self) -> list[list[StepView]]:
        """The steps that come with the question, part by part as they are drawn."""
        thought = self.outline.thought if self.outline else 0
        found = parts_of(self.outline.total, thought) if self.outline else []
        by_number = {step.number: step for step in self.steps}
        parts = [
            [by_number[n] for n in range(part.first, part.last + 1) if n in by_number]
            for part in found
        ]
        return [part for part in parts if part]

    @property
    def locked(self) -> bool:
        """Decided by a person, or replaced: the bench shows it and takes nothing more."""
        return self.decision is not None and (
            self.decision.review_id is not None or self.decision.outcome == Outcome.SUPERSEDED
        )

    @property
    def by_rule(self) -> bool:
        return self.decision is not None and self.decision.rule_id is not None

    @property
    def meters(self) -> list[tuple[str, float | None, str]]:
        score = self.score
        judge = score and score.detail.get("judge")
        told = f"What the judge {judge['name']} says of the worst step" if judge else ""
        if judge and judge["reason"]:
            told = f"{judge['name']} gave no score: {judge['reason']}"
        valid = ("Valid", score and score.validity, "How likely it is that no step is wrong")
        if self.grade == "wrong":  # then one is, and a bar of that would say little
            valid = ("Valid", None, self.first_wrong or "A step is wrong: the answer is")
        return [
            valid,
            ("Concise", score and score.conciseness, "How short it is, for what it says"),
            ("Structure", score and score.structure, "How well its steps are built"),
            ("Agree", score and score.consistency, "Share of the rationales with the same answer"),
            *([(judge["name"], judge["validity"], told)] if judge else []),
        ]

    @property
    def first_wrong(self) -> str:
        """Where a wrong answer likely went wrong, in a few words."""
        step = self.score.detail.get("first_wrong_step") if self.score else None
        return f"Step {step} is most likely the first wrong step" if step else ""

    @property
    def checked(self) -> str:
        """In how many steps something could be recomputed: a step without a flag need not be checked."""
        unchecked = self.score.detail.get("unchecked_steps") if self.score else None
        if unchecked is None or not self.sums:
            return ""
        count = len(self.score.detail["steps"])
        return f"{count - len(unchecked)} of {count} step{'s' * (count != 1)} checked"

    @property
    def wrote(self) -> str:
        """Who wrote it, in a few words; nothing where the project reviews blind."""
        one = self.rationale
        if self.is_blind:
            return ""
        if one.source == Source.PERSON:
            return f"{'edited' if one.parent_id else 'written'} by {one.author}"
        heat = "" if one.temperature is None else f" at {one.temperature:g}"
        return f"{one.teacher}{heat}" if one.teacher_id else "imported"


def letter(place: int) -> str:
    """A, B, … Z, AA, AB, … for the places 0, 1, …"""
    name = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        name = ascii_uppercase[rest] + name
    return name


def name_in_order(rationales: Sequence[RationaleView]) -> None:
    """Give the rationales their letters, and name the first of those that have the same text."""
    seen: dict[str, str] = {}
    for place, rationale in enumerate(rationales):
        rationale.letter = letter(place)
        first = seen.setdefault(rationale.rationale.text_hash, rationale.letter)
        rationale.same_as = "" if first == rationale.letter else first


def rationale_view(
    question: Question, rationale: Rationale, *, outlined: bool = False
) -> RationaleView:
    """`outlined`: in reading order, with the outline of all steps, for a page that asks for the others."""
    score: Score | None = getattr(rationale, "score", None)
    detail = score.detail if score else {}
    found = all_steps(rationale, detail)
    told = outline(rationale, found) if outlined else None
    steps = _first_steps(rationale, found, told)
    grade, words, why = grade_of(question, score, detail)
    checked = detail.get("equations_checked")
    return RationaleView(
        letter="",
        rationale=rationale,
        score=score,
        decision=getattr(rationale, "decision", None),
        steps=steps,
        hidden_steps=len(found) - len(steps),
        # The scorer names a twin by its id; the page names it by its letter, see `name_in_order`.
        flags=[flag for flag in detail.get("flags", []) if flag.get("code") != "duplicate"],
        grade=grade,
        grade_words=words,
        grade_why=why,
        tokens=rationale.completion_tokens or detail.get("length") or len(rationale.text.split()),
        sums=None if checked is None else (checked - detail.get("equations_failed", 0), checked),
        suggested=_suggested(grade, found),
        outline=told,
    )


def grade_of(
    question: Question, score: Score | None, detail: dict[str, Any]
) -> tuple[str, str, str]:
    """(grade, the words of its chip, why) of a rationale's answer."""
    if score is None:
        return "unscored", "not scored yet", "The scorers have not come to this rationale yet."
    verdict = AnswerVerdict(score.verdict)
    if verdict == AnswerVerdict.RIGHT:
        return verdict, "right", "The answer is the reference answer."
    if verdict == AnswerVerdict.NO_REFERENCE:
        why = "This question has no reference answer to compare with."
        return verdict, "no reference", why
    if verdict == AnswerVerdict.NOT_READ:
        why = detail.get("reason") or "The answer could not be read."
        return verdict, f"not read: {unread_words(score.unread)}", why
    answer, reference = score.answer or "", question.reference_answer or ""
    if len(answer) + len(reference) > 20:
        return verdict, "wrong answer", f"{answer}, not {reference}"
    return verdict, f"{answer}, not {reference}", ""


def unread_words(code: str) -> str:
    """A reason of `Score.unread` in a few words."""
    return UNREAD.get(code, code.replace("_", " ") or "not understood")


def _suggested(grade: str, steps: Sequence[dict[str, Any]]) -> list[str]:
    """Reasons that the scores speak for, ticked when a person rejects the rationale."""
    reasons = ["wrong_answer"] if grade == "wrong" else []
    codes = {
        (flag.get("code"), flag.get("severity"))
        for step in steps
        for flag in step.get("flags") or ()
    }
    if any(severity == "error" for _, severity in codes):
        reasons.append("wrong_step")
    if not reasons and any(code in IDLE_FLAGS for code, _ in codes):
        reasons.append("redundant")
    return reasons


def all_steps(rationale: Rationale, detail: dict[str, Any]) -> list[dict[str, Any]]:
    """Every step as scored, the first is what people label as 1; the text's lines without a score."""
    found = detail.get("steps") or _lines(rationale.text)
    looks = _looks(rationale.text)
    if not looks:
        return found
    return [{**step, "look": looks.get(step.get("start"))} for step in found]


def _lines(text: str) -> list[dict[str, Any]]:
    """Each line is a step, and each block of fenced code, as the scorers cut them."""
    found: list[dict[str, Any]] = []
    place, fence = 0, ""
    for line in text.split("\n"):
        bare = line.strip()
        if fence and found:
            found[-1]["text"] += f"\n{line}"
        elif bare:
            start = place + line.index(bare)
            found.append({"text": bare, "start": start, "flags": []})
        if bare.startswith("```"):
            fence = "" if fence else "```"
        place += len(line) + 1
    return found


def _looks(text: str) -> dict[int, dict[str, Any]]:
    """By where a step begins: what `StepView` says of it, where it is a row of a table or a line of
    indented code."""
    if not SUSPECT.search(text):
        return {}
    looks: dict[int, dict[str, Any]] = {}
    for block in parse(text):
        for n, (line, start) in enumerate(zip(block.lines, block.starts, strict=True)):
            blanks = len(line) - len(line.lstrip())
            if block.kind == "table":
                looks[start + blanks] = {"columns": block.columns, "is_head": n == 0}
            elif block.kind == "code" and not block.is_fenced and line.strip():
                cut = 1 if text.startswith("\t", start) else 4
                looks[start + cut + blanks] = {"indent": 4 + len(line[:blanks].expandtabs(4))}
    return looks


MOST_KEPT = 64
_kept: dict[tuple[Any, ...], Outline] = {}


def outline(rationale: Rationale, found: Sequence[dict[str, Any]]) -> Outline:
    """The outline of all steps; this process keeps those of the last long rationales, since a page asks
    for their steps in several parts."""
    score: Score | None = getattr(rationale, "score", None)
    key = (rationale.pk, rationale.text_hash, score and score.scored_at, len(found))
    known = _kept.get(key)
    if known is None:
        known = outline_of(rationale.text, found)
        if known.is_long:
            while len(_kept) >= MOST_KEPT:
                _kept.pop(next(iter(_kept)), None)
            _kept[key] = known
    return known


def every_step(rationale: Rationale) -> list[StepView]:
    """All steps, whole, in the order of the text."""
    score: Score | None = getattr(rationale, "score", None)
    found = all_steps(rationale, score.detail if score else {})
    return [step_view(step, n, whole=len(rationale.text)) for n, step in enumerate(found, 1)]


def _first_steps(
    rationale: Rationale, found: Sequence[dict[str, Any]], outline: Outline | None
) -> list[StepView]:
    """The first steps in reading order; without an outline, in the order of the text."""
    if outline is None:
        ends = rationale.text.find("</think>")
        return [step_view(found[n - 1], n, ends) for n in range(1, min(len(found), FIRST) + 1)]
    steps: list[StepView] = []
    for part in parts_of(outline.total, outline.thought):
        if len(steps) >= FIRST:
            break
        steps += steps_of(part, found, outline.doubts)
    return steps


def steps_of(
    part: Part, found: Sequence[dict[str, Any]], doubts: dict[int, str], whole: int = WHOLE
) -> list[StepView]:
    return [
        step_view(found[n - 1], n, thought=part.thought, doubt=doubts.get(n), whole=whole)
        for n in range(part.first, part.last + 1)
    ]


def step_view(
    step: dict[str, Any],
    number: int,
    thinking_ends: int = -1,
    *,
    thought: bool | None = None,
    doubt: str | None = None,
    whole: int = WHOLE,
) -> StepView:
    body = step["text"].replace("<think>", "").replace("</think>", "").strip()
    start = step.get("start")
    if thought is None:
        thought = start is not None and start < thinking_ends
    return StepView(
        number,
        body[:whole],
        step.get("flags") or [],
        thought=thought,
        cut=max(0, len(body) - whole),
        doubt=doubt,
        **(step.get("look") or {}),
    )
