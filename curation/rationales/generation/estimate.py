"""What an order will take, from what its teachers have taken before."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Max, QuerySet, Sum

from curation.projects.models import Project
from curation.rationales.generation.budgets import price
from curation.rationales.generation.prompt_styles import HINT
from curation.rationales.generation.question_filter import Choice
from curation.rationales.models import Teacher, TeacherPart

LATEST = 5  # runs that a teacher's figures are taken from


@dataclass(frozen=True)
class Measured:
    """What one rationale of a teacher has taken on average, over its latest runs."""

    prompt_tokens: float
    completion_tokens: float
    seconds: float
    start_seconds: float
    over: int  # rationales


@dataclass(frozen=True)
class Line:
    """One teacher's share of an order. The figures are None while it has never written."""

    teacher: Teacher
    slots: int
    tokens: float | None = None
    cost: float | None = None
    seconds: float | None = None
    measured: Measured | None = None
    most_tokens: int = 0
    most_cost: float = 0.0


@dataclass(frozen=True)
class Estimate:
    """How many rationales an order means, and what they will take: at most, if it is adaptive."""

    questions: int
    teachers: int
    temperatures: int
    samples: int
    slots: int
    lines: list[Line] = field(default_factory=list)

    @property
    def unknown(self) -> list[str]:
        return [line.teacher.name for line in self.lines if line.measured is None]

    @property
    def tokens(self) -> float | None:
        return self._sum("tokens")

    @property
    def cost(self) -> float | None:
        return self._sum("cost")

    @property
    def seconds(self) -> float | None:
        """Teachers write in turn, so their times add up."""
        return self._sum("seconds")

    @property
    def most_tokens(self) -> int:
        return sum(line.most_tokens for line in self.lines)

    @property
    def most_cost(self) -> float:
        return sum(line.most_cost for line in self.lines)

    def _sum(self, name: str) -> float | None:
        values = [getattr(line, name) for line in self.lines]
        return None if None in values or not values else sum(values)


def estimate(
    project: Project,
    teachers: Iterable[Teacher],
    temperatures: Sequence[float],
    samples: int,
    choice: Choice,
    *,
    prompt_style: str = "",
    max_tokens: int | None = None,
) -> Estimate:
    """Slots, tokens, cost and time of an order. At temperature 0 there is one sample."""
    teachers = list(teachers)
    rows = choice.questions(project)
    if prompt_style == HINT:
        rows = rows.exclude(reference_answer=None).exclude(reference_answer="")
    questions = rows.count()
    each = questions * sum(samples if heat > 0 else 1 for heat in temperatures)
    lines = [_line(one, each, prompt_style, max_tokens) for one in teachers]
    return Estimate(
        questions, len(teachers), len(temperatures), samples, each * len(teachers), lines
    )


def _line(teacher: Teacher, slots: int, style: str, max_tokens: int | None) -> Line:
    most = max_tokens or teacher.max_tokens
    told = measured(teacher, style)
    if told is None:
        return Line(
            teacher,
            slots,
            most_tokens=slots * most,
            most_cost=slots * price(teacher, 0, most),
        )
    wrote = min(told.completion_tokens, most)
    # A prompt that is shorter or an answer that is cut takes less; the rate of tokens stays.
    share = wrote / told.completion_tokens if told.completion_tokens else 1.0
    return Line(
        teacher,
        slots,
        tokens=slots * (told.prompt_tokens + wrote),
        cost=slots * price(teacher, told.prompt_tokens, wrote),
        seconds=slots * told.seconds * share + (told.start_seconds if slots else 0.0),
        measured=told,
        most_tokens=slots * most,
        most_cost=slots * price(teacher, told.prompt_tokens, most),
    )


def measured(teacher: Teacher, style: str = "") -> Measured | None:
    """The teacher's own figures, of runs that asked in the same style where there are any."""
    parts = TeacherPart.objects.filter(teacher=teacher, rationales__gt=0).order_by("-id")
    asked_so = parts.filter(run__prompt_style=style)
    return _measured(asked_so) or (_measured(parts) if style else None)


def _measured(parts: QuerySet[TeacherPart]) -> Measured | None:
    latest = TeacherPart.objects.filter(pk__in=list(parts.values_list("pk", flat=True)[:LATEST]))
    sums = latest.aggregate(
        n=Sum("rationales"),
        read=Sum("prompt_tokens"),
        wrote=Sum("completion_tokens"),
        seconds=Sum("seconds"),
        start=Max("start_seconds"),
    )
    if not sums["n"]:
        return None
    n = sums["n"]
    return Measured(sums["read"] / n, sums["wrote"] / n, sums["seconds"] / n, sums["start"], n)
