"""What one person did, over all their projects: for their own page, nobody else's."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Avg, Count, Exists, F, OuterRef
from django.db.models.functions import TruncDate
from django.utils import timezone

from curation.figures.intervals import Interval, clustered, clusters_of
from curation.projects.models import User
from curation.reviews.models import Control, Outcome, Review, Seat, Verdict

SHOWN_DAYS = 14
PACE_DAYS = 7
LOOKED_BACK = 366  # days
COMPARED = 50  # the last decisions that can be compared with others
# Told in whole tens, the newest ones left out: a count that grew with each question would tell a
# control question, which is known at once, from one that waits for others.
LUMP = 10
LOOKED_AT = 400  # the last decisions of all, among which those are looked for

SAME = {
    Verdict.APPROVE: Outcome.APPROVED,
    Verdict.REJECT: Outcome.REJECTED,
    Verdict.EDIT: Outcome.SUPERSEDED,
}


@dataclass(frozen=True)
class Met:
    """How many of the last `n` decisions that can be compared said the same as what came of it: what
    all others said, an admin's last word, or what is known of a control. `run`: the newest in a row;
    `interval`: of the share, by question."""

    n: int
    same: int
    run: int
    interval: Interval | None = None


@dataclass(frozen=True)
class Work:
    """Questions finished: `days` with the last two weeks, `streak` days in a row (a weekend off does
    not end it), `pace` seconds a question in the last week."""

    days: list[tuple[date, int]]
    week: int
    pace: float | None
    streak: int
    met: Met

    @property
    def today(self) -> int:
        return self.days[-1][1]

    @property
    def total(self) -> int:
        return sum(n for _, n in self.days)


def work_of(user: User, project_ids: Collection[int]) -> Work:
    """Five queries, however much there is."""
    today = timezone.localdate()
    filled = Seat.objects.filter(holder=user, project__in=project_ids).order_by()
    by_day = dict(
        filled.filter(done_at__gte=_midnight(today - timedelta(days=LOOKED_BACK)))
        .values_list(TruncDate("done_at"))
        .annotate(n=Count("pk"))
    )
    since = _midnight(today - timedelta(days=PACE_DAYS - 1))
    pace = filled.filter(done_at__gte=since).aggregate(pace=Avg("seconds"))["pace"]
    shown = [today - timedelta(days=back) for back in range(SHOWN_DAYS - 1, -1, -1)]
    days = [(day, by_day.get(day, 0)) for day in shown]
    week = sum(n for _, n in days[-PACE_DAYS:])
    return Work(days, week, pace, streak_of(set(by_day), today), met_lately(user, project_ids))


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def streak_of(days: Collection[date], today: date) -> int:
    """How many of the days up to today are worked in a row. Today may still be empty, and so may
    Saturdays and Sundays: they are not counted then, and do not end it."""
    count, day = 0, today
    while day in days or day == today or day.weekday() >= 5:
        count += day in days
        day -= timedelta(days=1)
        if (today - day).days > LOOKED_BACK:
            break
    return count


def met_lately(user: User, project_ids: Collection[int]) -> Met:
    """Of the person's last decisions. What is not settled yet is not compared, so nobody learns here
    what others said of a question before its time."""
    others = (
        Review.objects.standing()
        .filter(
            rationale=OuterRef("rationale"),
            is_control=False,
            is_adjudication=False,
        )
        .exclude(reviewer=user)
        .order_by()
    )
    rows = list(
        Review.objects.standing()
        .filter(
            reviewer=user,
            project__in=project_ids,
            is_adjudication=False,
        )
        .exclude(rationale__author=user)  # an own rationale is no judgement of another's
        .order_by("-id")
        .values(
            "verdict",
            "is_control",
            "rationale",
            question=F("rationale__question"),
            outcome=F("rationale__decision__outcome"),
            settled=F("rationale__decision__review__is_adjudication"),
            by=F("rationale__decision__review__reviewer"),
            compared=Exists(others),
        )[:LOOKED_AT]
    )
    known = _known({row["question"] for row in rows if row["is_control"]})
    compared = [
        (row["question"], same) for row in rows if (same := _same(row, user, known)) is not None
    ]
    compared = compared[len(compared) % LUMP :][:COMPARED]
    verdicts = [same for _, same in compared]
    run = verdicts.index(False) if False in verdicts else len(verdicts)
    by_question: dict[int, list[bool]] = {}
    for question, same in compared:
        by_question.setdefault(question, []).append(same)
    clusters = clusters_of((0, len(one), sum(one)) for one in by_question.values()).get(0)
    same, n = sum(verdicts), len(verdicts)
    return Met(n, same, run, clustered(same, n, clusters))


def _known(questions: set[int]) -> dict[int, str]:
    """The verdicts of control questions, by rationale."""
    controls = Control.objects.filter(item__question__in=questions) if questions else []
    return {int(pk): verdict for one in controls for pk, verdict in one.verdicts.items()}


def _same(row: dict[str, Any], user: User, known: dict[int, str]) -> bool | None:
    """Whether a decision met what came of its rationale; None where there is nothing to compare it with."""
    if row["is_control"]:
        verdict = known.get(row["rationale"])
        said = Verdict.REJECT if row["verdict"] == Verdict.EDIT else row["verdict"]
        return None if verdict is None else said == verdict
    by_others = row["compared"] or (row["settled"] and row["by"] != user.pk)
    if row["by"] is None or not by_others:
        return None
    return row["outcome"] == SAME[row["verdict"]]
