"""How far reviewers agree: counted by the worker's own code from real reviews, shown by who asks."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from curation.jobs import Status
from curation.projects.models import Project, User
from curation.rationales.models import Score
from curation.reviews.adjudication.adjudicate import adjudicate
from curation.reviews.bench.open_rationales import to_review
from curation.reviews.models import AgreementCount, Review
from curation.reviews.queue.claims import claim, next_item
from curation.reviews.queue.controls import make_control
from curation.reviews.queue.items import set_overlap
from curation.reviews.reports import agreement
from curation.reviews.reports.agreement import order_agreement
from curation.reviews.submission.submit import ReviewInput, submit
from curation.reviews.submission.undo import undo
from workers.agreement.tasks import count_agreement
from workers.requeue import put_back

Make = Callable[..., list[Any]]
PAGE = "/projects/eggs/agreement/"


@pytest.fixture
def questions(project: Project, make_questions: Make, make_rationales: Make) -> list[Any]:
    made = make_questions(12)
    for question in made:
        make_rationales(question, ["right", "wrong"])
    set_overlap(project, 2)
    return made


def say(project: Project, user: User, question: Any, *verdicts: str, labels: Any = None) -> None:
    seat = claim(project, user, question)
    rationales = to_review(seat.item)
    says = [
        ReviewInput(
            rationale.pk,
            verdict,
            ["unclear"] if verdict == "reject" else [],
            step_labels=labels or {},
            edited_text=f"by {user}" if verdict == "edit" else "",
        )
        for rationale, verdict in zip(rationales, verdicts, strict=True)
    ]
    submit(project, user, seat.item_id, says)


def counted(project: Project, user: User) -> AgreementCount:
    made = order_agreement(project, user)
    count_agreement(made.pk)
    made.refresh_from_db()
    assert made.status == Status.DONE, made.error
    return made


def say_so_a_day_ago(said: QuerySet[Review]) -> None:
    """Reviews cannot be changed: older ones that say the same take the place of these."""
    older = list(said)
    said.filter(withdrawn_at=None).update(withdrawn_at=timezone.now())
    for one in older:
        one.pk, one.created_at = None, one.created_at - timedelta(days=1)
    Review.objects.bulk_create(older)


@pytest.fixture
def reviewed(project: Project, questions: list[Any], admin_user: User, reviewer: User) -> None:
    """Both say the same of 12 first rationales and of 10 of 12 second ones."""
    for place, question in enumerate(questions):
        say(project, admin_user, question, "approve", "reject", labels={"1": 1, "2": -1})
        last = "approve" if place < 2 else "reject"
        say(project, reviewer, question, "approve", last, labels={"1": 1, "2": 0})


def test_the_figures_follow_from_what_people_said(
    project: Project, reviewed: None, admin_user: User, reviewer: User, admin_client: Client
) -> None:
    figures = counted(project, admin_user).figures
    (pair,) = figures["decisions"]["pairs"]
    assert {pair["a"], pair["b"]} == {admin_user.pk, reviewer.pk}
    assert (pair["n"], pair["same"]) == (24, 22)
    # Agreement 22/24; by chance 12/24 * 14/24 + 12/24 * 10/24 = 1/2.
    assert pair["value"] == pytest.approx((22 / 24 - 0.5) / 0.5)
    assert pair["low"] < pair["value"] < pair["high"]
    assert figures["decisions"]["all"]["n"] == 24
    assert figures["steps"]["all"]["n"] == 48 and figures["steps"]["all"]["same"] == 24
    page = admin_client.get(PAGE).content.decode()
    assert "0.83" in page and "ada" in page and "rudi" in page and "Krippendorff" in page


def test_what_was_taken_back_and_an_admins_last_word_count_for_nothing(
    project: Project, questions: list[Any], admin_user: User, reviewer: User, third: User
) -> None:
    say(project, third, questions[0], "approve", "reject")
    say(project, reviewer, questions[0], "approve", "reject")
    assert counted(project, admin_user).reviews == 4
    undo(project, reviewer)
    assert counted(project, admin_user).reviews == 0
    say(project, reviewer, questions[0], "approve", "approve")
    item = questions[0].queue_item
    second = to_review(item)[1]
    adjudicate(project, admin_user, item.pk, [ReviewInput(second.pk, "approve")])
    assert counted(project, admin_user).reviews == 4  # not five


def test_a_person_is_measured_by_control_questions(
    project: Project,
    questions: list[Any],
    admin_user: User,
    reviewer: User,
    admin_client: Client,
) -> None:
    set_overlap(project, 1)
    say(project, admin_user, questions[0], "approve", "reject")
    make_control(project, admin_user, questions[0])
    project.control_percent = 50
    project.save()
    for _ in range(4):
        seat = next_item(project, reviewer)
        says = [ReviewInput(rationale.pk, "approve") for rationale in to_review(seat.item)]
        submit(project, reviewer, seat.item_id, says)
    # Today's do not count yet: nobody shall see by a figure that moves which question was a control.
    assert counted(project, admin_user).figures["controls"] == []
    say_so_a_day_ago(Review.objects.filter(is_control=True))
    (met,) = counted(project, admin_user).figures["controls"]
    assert (met["person"], met["n"], met["same"]) == (reviewer.pk, 2, 1)
    page = admin_client.get(PAGE).content.decode()
    # Two rationales of one question say next to nothing of other questions.
    assert "50%" in page and "0% to 100%" in page


def test_a_control_that_was_answered_again_counts_once(
    project: Project, questions: list[Any], admin_user: User, reviewer: User
) -> None:
    set_overlap(project, 1)
    say(project, admin_user, questions[0], "approve", "reject")
    make_control(project, admin_user, questions[0])
    project.control_percent = 50
    project.save()
    while (seat := next_item(project, reviewer)).item.status != "control":
        submit(
            project, reviewer, seat.item_id, [ReviewInput(to_review(seat.item)[0].pk, "approve")]
        )
    good, bad = to_review(seat.item)
    submit(project, reviewer, seat.item_id, [ReviewInput(good.pk, "reject", ["unclear"])])
    assert undo(project, reviewer).item == seat.item
    submit(
        project,
        reviewer,
        seat.item_id,
        [ReviewInput(good.pk, "approve"), ReviewInput(bad.pk, "reject", ["unclear"])],
    )
    assert Review.objects.filter(is_control=True).exclude(withdrawn_at=None).count() == 1
    say_so_a_day_ago(Review.objects.filter(is_control=True))
    (met,) = counted(project, admin_user).figures["controls"]
    assert (met["person"], met["n"], met["same"]) == (reviewer.pk, 2, 2)


def test_a_reviewer_sees_their_own_lines_and_an_admin_sees_all(
    project: Project,
    questions: list[Any],
    admin_user: User,
    reviewer: User,
    third: User,
    admin_client: Client,
    reviewer_client: Client,
) -> None:
    say(project, admin_user, questions[0], "approve", "reject")
    say(project, third, questions[0], "approve", "reject")
    say(project, admin_user, questions[1], "approve", "reject")
    say(project, reviewer, questions[1], "approve", "reject")
    counted(project, admin_user)
    assert "tina" in admin_client.get(PAGE).content.decode()
    page = reviewer_client.get(PAGE).content.decode()
    assert "tina" not in page and "rudi" in page and "ada" in page


def test_too_little_data_says_what_is_missing(
    project: Project, admin_client: Client, reviewer_client: Client
) -> None:
    page = admin_client.get(PAGE).content.decode()
    assert "Nothing to compare yet" in page and "one review here" in page
    set_overlap(project, 3)
    assert "0 questions have two reviews or more" in admin_client.get(PAGE).content.decode()
    assert "An admin can" not in admin_client.get(PAGE).content.decode()


def test_few_questions_get_a_figure_without_an_interval_and_the_reason(
    project: Project, questions: list[Any], admin_user: User, reviewer: User, admin_client: Client
) -> None:
    for question in questions[:3]:
        say(project, admin_user, question, "approve", "reject")
        say(project, reviewer, question, "approve", "reject")
    counted(project, admin_user)
    page = admin_client.get(PAGE).content.decode()
    assert "1.00" in page and "Fewer than 10 questions: no interval." in page


def test_the_page_orders_a_count_when_people_reviewed_since_and_only_one(
    project: Project,
    reviewed: None,
    questions: list[Any],
    reviewer: User,
    reviewer_client: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    count = reverse("agreement_count", args=["eggs"])
    assert f'hx-post="{count}"' in reviewer_client.get(PAGE).content.decode()
    for _ in range(2):
        assert reviewer_client.post(count).status_code == 302
    made = AgreementCount.objects.get()
    assert 'hx-trigger="every 2s"' in reviewer_client.get(PAGE).content.decode()
    count_agreement(made.pk)
    assert 'hx-trigger="load"' not in live(reviewer_client)
    # It may be counted anew at once now; but nobody has reviewed since. Then somebody does.
    monkeypatch.setattr(agreement, "FRESH_FOR", timedelta(0))
    assert 'hx-trigger="load"' not in live(reviewer_client)
    undo(project, reviewer)
    say(project, reviewer, questions[-1], "approve", "reject")
    assert 'hx-trigger="load"' in live(reviewer_client)


def live(client: Client) -> str:
    page = client.get(PAGE, headers={"hx-request": "true"}).content.decode()
    assert page.lstrip().startswith('<div class="live-part"')
    return page


def test_old_counts_are_forgotten(
    project: Project, admin_user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agreement, "KEPT", 2)
    made = [counted(project, admin_user).pk for _ in range(4)]
    assert list(AgreementCount.objects.values_list("pk", flat=True)) == made[-2:]


def test_a_count_whose_worker_went_silent_is_put_back(
    project: Project,
    admin_user: User,
    wake_ups: Callable[[str], int],
    django_capture_on_commit_callbacks: Any,
) -> None:
    made = order_agreement(project, admin_user)
    long_ago = timezone.now() - timedelta(hours=1)
    AgreementCount.objects.filter(pk=made.pk).update(
        status=Status.RUNNING, attempt=1, heartbeat_at=long_ago
    )
    with django_capture_on_commit_callbacks(execute=True):
        put_back()
    assert wake_ups("cpu") == 1
    count_agreement(made.pk)
    made.refresh_from_db()
    assert (made.status, made.attempt) == (Status.DONE, 2)


def test_the_page_takes_a_bounded_number_of_queries(
    project: Project,
    reviewed: None,
    admin_user: User,
    admin_client: Client,
    django_assert_max_num_queries: Any,
) -> None:
    counted(project, admin_user)
    with django_assert_max_num_queries(10):
        admin_client.get(PAGE)


def test_a_stranger_finds_nothing_and_orders_nothing(
    project: Project, stranger_client: Client
) -> None:
    assert stranger_client.get(PAGE).status_code == 404
    assert stranger_client.post(reverse("agreement_count", args=["eggs"])).status_code == 404
    assert not AgreementCount.objects.exists()


def test_admins_see_by_rule_how_often_reviewers_confirm_the_scorers_flags(
    project: Project, reviewed: None, admin_client: Client, reviewer_client: Client
) -> None:
    flag = {"code": "other_value", "message": "Not what the question says.", "severity": "warning"}
    for score in Score.objects.filter(project=project, verdict="wrong"):
        steps = [{"text": text, "flags": own} for text, own in (("a", []), ("b", [flag]))]
        score.detail = score.detail | {"steps": steps}
        score.save(update_fields=["detail"])
    page = admin_client.get(PAGE).content.decode()
    # Of the 24 labels of second steps of the wrong ones 12 say that they are wrong.
    assert "other_value" in page and ">50%<" in page
    assert "other_value" not in reviewer_client.get(PAGE).content.decode()
