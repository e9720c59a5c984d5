"""What a run has taken so far, and how many more rationales its budget allows.

A worker takes no more slots than the rest of the budget is good for, by what a rationale has taken
on average, counting those that others are writing. So a run ends beside its limit, not far above it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Sum
from django.utils import timezone

from curation.rationales.models import GenerationRun, Slot, SlotStatus, Teacher, TeacherPart

LEASE = timedelta(seconds=45)  # a batch that was not renewed for so long is nobody's
GUESSED_PROMPT = 200  # tokens, before a teacher has written anything


@dataclass(frozen=True)
class Spent:
    """What a run has taken: rationales, tokens (prompts and answers), money."""

    rationales: int
    tokens: int
    money: float


def spent_by(run: GenerationRun) -> Spent:
    return spent_in(run.parts.defer("log"))


def spent_in(parts: Iterable[TeacherPart]) -> Spent:
    """What the teachers' parts of a run have taken together."""
    parts = list(parts)
    return Spent(
        rationales=sum(one.rationales for one in parts),
        tokens=sum(one.prompt_tokens + one.completion_tokens for one in parts),
        money=sum(one.cost for one in parts),
    )


def has_budget(run: GenerationRun) -> bool:
    return any(
        limit is not None for limit in (run.budget_money, run.budget_tokens, run.budget_rationales)
    )


def what_is_spent(run: GenerationRun) -> str:
    """Which limit of the run has been reached, as a sentence; "" while none has."""
    spent = spent_by(run)
    if run.budget_rationales is not None and spent.rationales >= run.budget_rationales:
        return f"The budget of {run.budget_rationales:,} rationales is spent."
    if run.budget_tokens is not None and spent.tokens >= run.budget_tokens:
        return f"The budget of {run.budget_tokens:,} tokens is spent ({spent.tokens:,} taken)."
    if run.budget_money is not None and spent.money >= run.budget_money:
        return f"The budget of {run.budget_money:,.2f} is spent ({spent.money:,.4g} taken)."
    return ""


def affordable(run: GenerationRun, teacher: Teacher) -> int | None:
    """How many slots of the teacher may be taken now; None where the run has no budget."""
    if not has_budget(run):
        return None
    if what_is_spent(run):
        return 0
    spent, flying = spent_by(run), in_flight(run)
    tokens, money = _each(run, teacher)
    left = []
    if run.budget_rationales is not None:
        left.append(run.budget_rationales - spent.rationales - flying)
    if run.budget_tokens is not None:
        left.append(int((run.budget_tokens - spent.tokens) / tokens) - flying)
    if run.budget_money is not None and money > 0:
        left.append(int((run.budget_money - spent.money) / money) - flying)
    if not left:
        return None  # money is the only limit, and this teacher costs none
    # The last one may go a little over; without it the rest of a budget would never be used.
    return max(min(left), 0 if flying else 1)


def in_flight(run: GenerationRun) -> int:
    """Slots that a worker writes now."""
    held = Slot.objects.filter(run=run, status=SlotStatus.EMPTY)
    return held.filter(batch__renewed_at__gte=timezone.now() - LEASE).count()


def _each(run: GenerationRun, teacher: Teacher) -> tuple[float, float]:
    """Tokens and money of one rationale of the teacher: of this run, of earlier ones, or at most."""
    parts = TeacherPart.objects.filter(teacher=teacher, rationales__gt=0)
    for known in (parts.filter(run=run), parts.order_by("-id")[:5]):
        sums = known.aggregate(
            n=Sum("rationales"), read=Sum("prompt_tokens"), wrote=Sum("completion_tokens")
        )
        if sums["n"]:
            read, wrote = sums["read"] / sums["n"], sums["wrote"] / sums["n"]
            return max(read + wrote, 1.0), price(teacher, read, wrote)
    most = run.max_tokens or teacher.max_tokens
    return GUESSED_PROMPT + most, price(teacher, GUESSED_PROMPT, most)


def price(teacher: Teacher, prompt_tokens: float, completion_tokens: float) -> float:
    """What so many tokens cost, in the currency of the teacher's prices (those of a million)."""
    return (prompt_tokens * teacher.price_in + completion_tokens * teacher.price_out) / 1e6
