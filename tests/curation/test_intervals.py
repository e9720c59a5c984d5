"""Intervals of shares over rationales count questions; figures are rounded in one way."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from scipy.stats import t
from statsmodels.stats.proportion import proportion_confint

from curation.dashboard.selectors import counts_of
from curation.figures.intervals import (
    Clusters,
    clustered,
    clusters_of,
    mean_interval,
    student,
    wilson,
)
from curation.figures.rounding import half_up, in_percent, span
from curation.projects.models import Project, User
from curation.questions.models import Question
from curation.rationales.generation.status import run_state
from curation.rationales.listing.leaderboard import leaderboard, teacher_lines
from curation.rationales.models import GenerationRun, Rationale, Slot, SlotStatus, Teacher
from curation.rationales.scoring import clusters as sampling
from curation.reviews.models import Review
from curation.reviews.reports.my_work import met_lately
from curation.reviews.reports.progress import progress_of
from curation.templatetags.look import hundred, percent
from tests.conftest import score_now
from tests.curation.reviews.reviewing import review
from workers.evaluation import rounding

Make = Callable[..., list[Any]]
QUESTIONS = 12


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def alike(make_questions: Make, make_rationales: Make) -> list[Question]:
    """12 questions with four rationales each that are all right (nine questions) or all wrong."""
    questions = make_questions(QUESTIONS)
    for place, question in enumerate(questions):
        for _ in range(4):
            make_rationales(question, ["wrong" if place % 4 == 0 else "right"], scored=False)
    score_now(Project.objects.get(slug="eggs"))
    return questions


#: 36 of 48 are right; as far as is known these are 12 outcomes, nine of them right.
AS_TWELVE = wilson(9, QUESTIONS, student(QUESTIONS - 1))


def test_students_quantiles_are_those_of_scipy() -> None:
    for df in (*range(1, 41), 60, 100, 1000, 10**6):
        assert student(df) == pytest.approx(t.ppf(0.975, df), abs=3e-6)


def test_the_variance_is_the_cluster_robust_one_of_statsmodels() -> None:
    rng = np.random.default_rng(1)
    sizes = rng.integers(1, 9, 60)
    group = np.repeat(np.arange(60), sizes)
    values = (rng.random(len(group)) < rng.beta(2, 1, 60)[group]).astype(float)
    rows = [(0, int(sizes[k]), float(values[group == k].sum())) for k in range(60)]
    found = clusters_of(rows)[0]
    fitted = sm.OLS(values, np.ones(len(values))).fit(
        cov_type="cluster", cov_kwds={"groups": group}
    )
    assert found.mean == pytest.approx(values.mean())
    assert found.variance() == pytest.approx(float(fitted.cov_params()[0, 0]), rel=1e-9)
    half = t.ppf(0.975, 59) * fitted.bse[0]
    assert mean_interval(found.mean, found.n, found) == pytest.approx(
        (values.mean() - half, values.mean() + half), abs=1e-6
    )
    # And the interval of the share is Wilson's of as many as that variance is worth.
    worth = values.mean() * (1 - values.mean()) / found.variance()
    low, high = clustered(values.sum(), len(values), found)
    z = t.ppf(0.975, 59)
    for end in (low, high):  # where the score is z
        spread = np.sqrt(end * (1 - end) / worth)
        assert abs(values.mean() - end) / spread == pytest.approx(z, abs=1e-5)


def test_one_rationale_a_question_has_wilsons_interval() -> None:
    rows = [(0, 1, float(n < 30)) for n in range(40)]
    wanted = proportion_confint(30, 40, method="wilson")
    assert clustered(30, 40, clusters_of(rows)[0]) == pytest.approx(wanted, abs=1e-12)
    assert clustered(0, 0, None) is None


def test_questions_of_one_outcome_are_no_more_than_so_many_outcomes() -> None:
    same = Clusters(10, 80, 80, 640, 640, 640)  # ten questions, eight right rationales each
    assert clustered(80, 80, same) == pytest.approx(wilson(10, 10, student(9)))
    low, high = clustered(8, 8, Clusters(1, 8, 8, 64, 64, 64))
    assert low < 0.01 and high == 1


def test_every_page_that_shows_a_share_of_rationales_counts_questions(
    project: Project, teacher: Teacher, alike: list[Question], admin_client: Client
) -> None:
    assert AS_TWELVE is not None
    shown = span(AS_TWELVE)
    (row,) = leaderboard(project)
    assert row.right_interval == row.passing_interval == pytest.approx(AS_TWELVE)
    assert row.validity is not None and row.validity.interval is not None
    (line,) = teacher_lines(project)
    assert line.right_interval == pytest.approx(AS_TWELVE)
    (line,) = counts_of(project, project.rubric).teachers
    assert line.interval == shown
    for name in ("leaderboard", "teachers", "dashboard"):
        assert shown in admin_client.get(reverse(name, args=["eggs"])).content.decode(), name


def test_a_run_counts_questions_by_teacher_and_temperature(
    project: Project, teacher: Teacher, alike: list[Question]
) -> None:
    run = GenerationRun.objects.create(
        project=project, temperatures=[0.5], samples=4, slot_count=48
    )
    for number, one in enumerate(Rationale.objects.order_by("pk")):
        Slot.objects.create(
            run=run, question=one.question, teacher=teacher, temperature=0.5, sample=number,
            status=SlotStatus.FILLED, rationale=one,
        )  # fmt: skip
    (row,) = run_state(run).by_teacher
    assert (row["right"], row["graded"]) == (36, 48)
    assert row["right_interval"] == row["passing_interval"] == pytest.approx(AS_TWELVE)


def test_what_a_person_approves_counts_questions(
    project: Project, reviewer: User, admin_user: User, alike: list[Question]
) -> None:
    for place, question in enumerate(alike):
        review(project, reviewer, question, *(["reject" if place % 4 == 0 else "approve"] * 4))
    (line,) = progress_of(project).people
    assert (line.approved, line.rationales) == (36, 48)
    assert line.interval == pytest.approx(AS_TWELVE)
    assert counts_of(project, project.rubric, fresh=True).decided == Clusters(
        12, 48, 36, 192, 144, 144
    )


def test_what_met_the_others_counts_questions(
    project: Project, reviewer: User, make_questions: Make, make_rationales: Make, admin_user: User
) -> None:
    project.overlap = 2
    project.save()
    for question in make_questions(5):
        make_rationales(question, ["right", "wrong"])
        for person in (reviewer, admin_user):
            review(project, person, question, "approve", "reject")
    assert Review.objects.count() == 20
    met = met_lately(reviewer, [project.pk])
    assert (met.n, met.same) == (10, 10)
    assert met.interval == pytest.approx(wilson(5, 5, student(4)))


def test_of_many_questions_some_are_read_and_of_a_rare_teacher_all(
    project: Project,
    teacher: Teacher,
    make_questions: Make,
    make_rationales: Make,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: Any,
) -> None:
    rare = Teacher.objects.create(project=project, name="rare", model="demo:strong")
    questions = make_questions(40)
    for place, question in enumerate(questions):
        kind = "wrong" if place % 3 == 0 else "right"
        make_rationales(question, [kind] * 3, scored=False)
        if place == 7:
            make_rationales(question, ["right"] * 2, scored=False, by=rare)
    score_now(project)
    monkeypatch.setattr(sampling, "SAMPLED", 10)
    monkeypatch.setattr(sampling, "FEW", 5)
    with django_assert_num_queries(7):
        rows = {row.teacher.pk: row for row in leaderboard(project)}
    low, high = rows[teacher.pk].right_interval
    # About as wide as of 40 questions, though ten were read.
    wide = wilson(26, 40)
    assert high - low == pytest.approx(wide[1] - wide[0], rel=0.15)
    low, high = rows[rare.pk].right_interval
    assert low < 0.01 and high == 1  # two rationales of one question


@pytest.mark.parametrize(
    ("share", "digits", "shown"),
    [
        (0.125, 0, "13"),
        (0.135, 0, "14"),
        (0.145, 0, "15"),
        (0.125, 1, "12.5"),
        (0.88249999, 1, "88.2"),
        (0.8825, 1, "88.3"),
        (0.00049, 1, "0.0"),
        (-0.0004, 1, "0.0"),
        (-0.125, 0, "-13"),
        (1.0, 0, "100"),
        (0.0, 1, "0.0"),
        (1 / 3, 1, "33.3"),
    ],
)
def test_halves_are_rounded_up_on_pages_and_in_reports_alike(
    share: float, digits: int, shown: str
) -> None:
    assert in_percent(share, digits) == rounding.in_percent(share, digits) == shown
    assert percent(share, digits) == f"{shown}%"
    if not digits:
        assert hundred(share) == shown


def test_points_carry_their_sign_and_nothing_is_minus_zero() -> None:
    for module in (half_up, rounding.half_up):
        assert module(0.025, 2) == "0.03" and module(-0.0) == "0"
        assert module(0.0, 1, sign="+") == module(-0.04, 1, sign="+") == "+0.0"
        assert module(0.25, 1, sign="+") == "+0.3" and module(-0.25, 1, sign="+") == "-0.3"
