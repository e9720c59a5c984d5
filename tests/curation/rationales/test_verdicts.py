"""Right, wrong and not read are three: what was not read is nowhere counted, voted or rejected as wrong."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from curation.dashboard.selectors import counts_of
from curation.datasets.services import freeze, order_freeze
from curation.projects.models import Project, User
from curation.projects.services import change_rubric
from curation.questions.models import Question
from curation.rationales.generation.question_filter import Choice
from curation.rationales.listing.leaderboard import leaderboard
from curation.rationales.models import Rationale, Score, ScoreFlag, Teacher
from curation.rationales.scoring.scores import teacher_worth, to_score_again
from curation.reviews.models import Decision, QueueItem
from tests.curation.api.api_calls import Caller
from tests.curation.rationales.scoring_rows import score_all

Make = Callable[..., list[Any]]
UNSAID = "She thinks of ducks.\nShe goes to the market."


def at(name: str, *more: Any) -> str:
    return reverse(name, args=["eggs", *more])


@pytest.fixture
def question(make_questions: Make) -> Question:
    return make_questions(1)[0]


@pytest.fixture
def three(question: Question, make_rationales: Make) -> list[Rationale]:
    """One right, one wrong, one that says no answer."""
    return make_rationales(question, ["right", "wrong", UNSAID])


def verdicts(rationales: list[Rationale]) -> list[str]:
    found = dict(Score.objects.values_list("pk", "verdict"))
    return [found[one.pk] for one in rationales]


def test_an_answer_that_is_not_found_is_not_read_and_says_why(three: list[Rationale]) -> None:
    assert verdicts(three) == ["right", "wrong", "not_read"]
    unread = Score.objects.get(pk=three[2].pk)
    assert (unread.unread, unread.correctness, unread.answer) == ("nothing_found", None, None)
    assert set(Score.objects.exclude(pk=unread.pk).values_list("unread", flat=True)) == {""}


def test_a_question_without_a_reference_has_a_verdict_of_its_own(
    make_questions: Make, make_rationales: Make
) -> None:
    (open_one,) = make_questions(1, reference_answer=None)
    assert verdicts(make_rationales(open_one, ["She has 3.\nAnswer: 3", UNSAID])) == [
        "no_reference",
        "no_reference",
    ]


def test_the_database_takes_no_verdict_that_is_none(three: list[Rationale]) -> None:
    for change in ({"verdict": "maybe"}, {"unread": "nothing_found"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Score.objects.filter(pk=three[0].pk).update(**change)


@pytest.mark.parametrize(
    ("answer", "places"),
    [("right", [0]), ("wrong", [1]), ("not_read", [2]), ("no_reference", [3]), ("unknown", [2, 3])],
)
def test_the_list_and_the_api_filter_by_each(
    answer: str,
    places: list[int],
    three: list[Rationale],
    make_questions: Make,
    make_rationales: Make,
    reviewer: User,
    reviewer_client: Client,
) -> None:
    made = [*three, *make_rationales(make_questions(1, reference_answer=None)[0], [UNSAID])]
    wanted = {made[place].pk for place in places}
    page = reviewer_client.get(at("rationales"), {"answer": answer})
    assert {row.pk for row in page.context["page"].rows} == wanted
    rows = Caller(reviewer).get(f"rationales?answer={answer}")["items"]
    assert {row["id"] for row in rows} == wanted
    for row in rows:
        score = row["score"]
        assert score["verdict"] == answer or answer == "unknown"
        assert score["correctness"] == {"right": 1, "wrong": 0}.get(answer)
        assert bool(score["unread"]) == (score["verdict"] == "not_read")


def test_the_list_says_how_many_have_which_and_shows_no_cross_at_what_was_not_read(
    three: list[Rationale], reviewer_client: Client
) -> None:
    assert at("rationales_verdicts") in reviewer_client.get(at("rationales")).content.decode()
    part = reviewer_client.get(at("rationales_verdicts"), {"answer": "wrong"})
    assert part.context["verdicts"] == [
        ("right", "right", 1),
        ("wrong", "wrong", 1),
        ("not_read", "not read", 1),
    ]
    only = reviewer_client.get(at("rationales"), {"answer": "not_read"}).content.decode()
    table = only.partition("<tbody>")[2].partition("</tbody>")[0]
    assert "? not read" in table and "✕" not in table and "chip bad" not in table


def test_the_dashboard_counts_it_apart_and_leads_there(
    project: Project, three: list[Rationale], admin_client: Client
) -> None:
    counts = counts_of(project, project.rubric, fresh=True)
    (line,) = counts.teachers
    assert (line.graded, line.right, line.not_read, line.accuracy) == (2, 1, 1, 0.5)
    page = admin_client.get(at("dashboard")).content.decode()
    assert "1 scored answer could not be read" in page
    assert f"{at('rationales')}?answer=not_read" in page


def test_teachers_are_measured_by_what_was_read(
    project: Project, teacher: Teacher, three: list[Rationale], admin_user: User
) -> None:
    assert teacher_worth(project) == {"strong": pytest.approx(2 / 4)}
    (row,) = leaderboard(project)
    assert (row.written, row.graded, row.right, row.not_read) == (3, 2, 1, 1)
    (told,) = Caller(admin_user).get("teachers")["items"]
    assert (told["graded"], told["right"], told["not_read"]) == (2, 1, 1)


def test_it_votes_for_nothing_and_against_nothing(three: list[Rationale]) -> None:
    shares = [Score.objects.get(pk=one.pk).consistency for one in three]
    assert shares == [0.5, 0.5, None]


def test_a_question_is_not_all_wrong_while_an_answer_was_not_read(
    project: Project, make_questions: Make, make_rationales: Make
) -> None:
    wrong, unread = make_questions(2)
    make_rationales(wrong, ["wrong", "wrong"])
    make_rationales(unread, ["wrong", UNSAID])
    assert list(Choice(which="all_wrong").questions(project)) == [wrong]
    assert set(Choice(which="no_right").questions(project)) == {wrong, unread}


def test_the_bench_marks_it_and_suggests_no_wrong_answer(
    three: list[Rationale], reviewer_client: Client
) -> None:
    page = reviewer_client.get(at("review")).content.decode()
    card = page.partition(f'data-rationale="{three[2].pk}"')[2].partition("</article>")[0]
    assert 'data-grade="not_read"' in card and "? not read<" in card
    assert "wrong_answer" not in card and "✕" not in card and "Not read: no answer found" in card
    assert "not read × 1" in page


def test_by_default_people_decide_on_it(project: Project, three: list[Rationale]) -> None:
    Project.objects.filter(pk=project.pk).update(rule_approves=True)
    rescore(project)
    assert dict(Decision.objects.values_list("rationale", "outcome")) == {three[0].pk: "approved"}
    assert QueueItem.objects.get().status == "waiting"


def rescore(project: Project) -> None:
    to_score_again(project.groups.all())
    score_all(project)


def test_a_rubric_may_have_the_rule_reject_it_and_takes_that_back_once_it_is_read(
    project: Project, admin_user: User, three: list[Rationale], question: Question
) -> None:
    change_rubric(project, admin_user, unread="reject", right_answer=False, min_validity=0.0,
                  min_structure=0.0, min_conciseness=0.0, max_redundancy=1.0)  # fmt: skip
    Project.objects.filter(pk=project.pk).update(rule_approves=True)
    rescore(project)
    said = dict(Decision.objects.values_list("rationale", "outcome"))
    assert said == {three[0].pk: "approved", three[1].pk: "approved", three[2].pk: "rejected"}
    assert Decision.objects.get(rationale=three[2]).rule == project.rubric
    # A better scorer, as it were: the text says its answer now.
    Rationale.objects.filter(pk=three[2].pk).update(text="She has 3.\nAnswer: 77")
    change_rubric(project, admin_user, right_answer=True)
    rescore(project)
    assert verdicts(three) == ["right", "wrong", "wrong"]
    assert not Decision.objects.filter(rationale=three[2]).exists()
    assert QueueItem.objects.get(question=question).status == "waiting"


def test_the_rubric_is_set_by_page_and_api(
    project: Project, admin_user: User, admin_client: Client
) -> None:
    page = admin_client.get(at("settings_rubric")).content.decode()
    assert "people decide on it, before all others" in page
    told = Caller(admin_user).call("PUT", "rubric", {"unread": "first"})
    assert told["unread"] == "first" and project.rubric.unread == "first"
    assert (
        "unread"
        in Caller(admin_user).call("PUT", "rubric", {"unread": "burn"}, status=400)["detail"]
    )


def test_a_dataset_counts_it_apart_and_says_it_at_each_example(
    project: Project, three: list[Rationale], admin_client: Client, admin_user: User
) -> None:
    for one in three:
        Decision.objects.create(
            rationale=one, project=project, outcome="approved", rule=project.rubric
        )
    version = order_freeze(project, None, enqueue=False)
    freeze(version.pk)
    version.refresh_from_db()
    assert version.verdicts == {"right": 1, "wrong": 1, "not_read": 1}
    assert "answers, as the scorers read them: right 1, wrong 1, not read 1" in version.card
    file = b"".join(admin_client.get(at("dataset_download", version.number, "jsonl")))
    told = {
        row["completion"][0]["content"]: row["verdict"]
        for row in map(json.loads, file.splitlines())
    }
    assert told == {
        one.text: v for one, v in zip(three, ("right", "wrong", "not_read"), strict=True)
    }
    page = admin_client.get(at("dataset_detail", version.number)).content.decode()
    assert "right 1, wrong 1, not read 1" in page
    assert Caller(admin_user).get(f"datasets/{version.number}")["verdicts"] == version.verdicts


def test_a_dataset_of_before_keeps_its_bytes(project: Project, three: list[Rationale]) -> None:
    from curation.datasets.services import verify

    version = order_freeze(project, None, selection="unfiltered", enqueue=False)
    ScoreFlag.objects.all().delete()
    Score.objects.all().delete()  # then no example says a verdict, as in older datasets
    freeze(version.pk)
    version.refresh_from_db()
    assert version.verdicts == {"": 3} and verify(version)
    three_again = version.examples.all()
    assert {one.verdict for one in three_again} == {""}
