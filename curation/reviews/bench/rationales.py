"""One rationale of a question as pages show it: its steps with their flags, its grade in words."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from string import ascii_uppercase
from typing import Any

from curation.questions.models import Question
from curation.rationales.models import Rationale, Score, Source
from curation.reviews.models import Decision, Outcome

MAX_STEPS = 120
MAX_STEP_TEXT = 4_000
IDLE_FLAGS = {"repeats", "restates_question", "nothing_new"}


@dataclass
class StepView:
    number: int
    text: str
    flags: list[dict[str, Any]]
    thought: bool = False
    cut: int = 0


@dataclass
class RationaleView:
    """One rationale as the bench shows it. `grade` is right, wrong or unknown."""

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
        return [
            ("Valid", score and score.validity, "How likely it is that no step is wrong"),
            ("Concise", score and score.conciseness, "How short it is, for what it says"),
            ("Structure", score and score.structure, "How well its steps are built"),
            ("Agree", score and score.consistency, "Share of the rationales with the same answer"),
            *([(judge["name"], judge["validity"], told)] if judge else []),
        ]

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


def rationale_view(question: Question, rationale: Rationale) -> RationaleView:
    score: Score | None = getattr(rationale, "score", None)
    detail = score.detail if score else {}
    steps, hidden = _steps(rationale, detail)
    grade, words, why = grade_of(question, score, detail)
    checked = detail.get("equations_checked")
    return RationaleView(
        letter="",
        rationale=rationale,
        score=score,
        decision=getattr(rationale, "decision", None),
        steps=steps,
        hidden_steps=hidden,
        # The scorer names a twin by its id; the page names it by its letter, see `name_in_order`.
        flags=[flag for flag in detail.get("flags", []) if flag.get("code") != "duplicate"],
        grade=grade,
        grade_words=words,
        grade_why=why,
        tokens=rationale.completion_tokens or detail.get("length") or len(rationale.text.split()),
        sums=None if checked is None else (checked - detail.get("equations_failed", 0), checked),
        suggested=_suggested(grade, steps),
    )


def grade_of(
    question: Question, score: Score | None, detail: dict[str, Any]
) -> tuple[str, str, str]:
    """(grade, the words of its chip, why) of a rationale's answer."""
    if score is None:
        return "unknown", "not scored yet", "The scorers have not come to this rationale yet."
    if score.correctness == 1:
        return "right", "right", "The answer is the reference answer."
    if score.correctness == 0:
        if score.answer is None:
            return "wrong", "no answer", "No answer was found in the rationale."
        reference = question.reference_answer or ""
        if len(score.answer) + len(reference) > 20:
            return "wrong", "wrong answer", f"{score.answer}, not {reference}"
        return "wrong", f"{score.answer}, not {reference}", ""
    if question.reference_answer is None:
        return "unknown", "no reference", "This question has no reference answer to compare with."
    return "unknown", "cannot be graded", detail.get("reason") or "The answer cannot be compared."


def _suggested(grade: str, steps: Sequence[StepView]) -> list[str]:
    """Reasons that the scores speak for, ticked when a person rejects the rationale."""
    reasons = ["wrong_answer"] if grade == "wrong" else []
    codes = {(flag.get("code"), flag.get("severity")) for step in steps for flag in step.flags}
    if any(severity == "error" for _, severity in codes):
        reasons.append("wrong_step")
    if not reasons and any(code in IDLE_FLAGS for code, _ in codes):
        reasons.append("redundant")
    return reasons


def all_steps(rationale: Rationale, detail: dict[str, Any]) -> list[dict[str, Any]]:
    """Every step as scored, the first is what people label as 1; the text's lines without a score."""
    return detail.get("steps") or [
        {"text": line, "start": None, "flags": []}
        for line in rationale.text.splitlines()
        if line.strip()
    ]


def _steps(rationale: Rationale, detail: dict[str, Any]) -> tuple[list[StepView], int]:
    """The steps as scored; the text's lines where it has not been scored. At most MAX_STEPS."""
    found = all_steps(rationale, detail)
    thinking_ends = rationale.text.find("</think>")
    steps = []
    for number, step in enumerate(found[:MAX_STEPS], 1):
        body = step["text"].replace("<think>", "").replace("</think>", "").strip()
        start = step.get("start")
        steps.append(
            StepView(
                number,
                body[:MAX_STEP_TEXT],
                step.get("flags", []),
                thought=start is not None and start < thinking_ends,
                cut=max(0, len(body) - MAX_STEP_TEXT),
            )
        )
    return steps, max(0, len(found) - MAX_STEPS)
