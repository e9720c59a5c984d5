"""The review tab of the settings: overlap and blindness, control questions, assignments."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from curation.projects.models import Project, User
from curation.projects.services import add_member, remove_member
from curation.reviews.adjudication.adjudicate import flag_question
from curation.reviews.bench.open_rationales import to_review
from curation.reviews.models import Control, QueueStatus, Seat
from curation.reviews.queue.assignments import assign
from curation.reviews.queue.claims import claim, next_item
from curation.reviews.submission.submit import ReviewInput, submit
from tests.conftest import person
from workers.requeue import put_back

Make = Callable[..., list[Any]]
PAGE = "/projects/eggs/settings/review/"
FORM = {"overlap": 2, "is_blind": "on", "hides_reference": "on", "control_percent": 10}


@pytest.fixture
def questions(make_questions: Make, make_rationales: Make) -> list[Any]:
    made = make_questions(3) + make_questions(2, domain="travel", difficulty="2")
    for question in made:
        make_rationales(question, ["right", "wrong"])
    return made


def at(name: str, *rest: Any) -> str:
    return reverse(name, args=["eggs", *rest])


def decide(project: Project, user: User, question: Any) -> None:
    seat = claim(project, user, question)
    first, second = to_review(seat.item)
    says = [ReviewInput(first.pk, "approve"), ReviewInput(second.pk, "reject", ["wrong_answer"])]
    submit(project, user, seat.item_id, says)


def test_the_settings_take_force_at_once(
    project: Project, questions: list[Any], admin_client: Client
) -> None:
    assert admin_client.post(PAGE, FORM).status_code == 302
    project.refresh_from_db()
    assert (project.overlap, project.is_blind, project.is_shuffled) == (2, True, False)
    assert (project.hides_reference, project.control_percent) == (True, 10)
    assert questions[0].queue_item.seats.count() == 2
    assert 'value="2"' in admin_client.get(PAGE).content.decode()


@pytest.mark.parametrize("wrong", [{"overlap": 0}, {"overlap": 11}, {"control_percent": 51}])
def test_a_value_out_of_range_is_refused_in_place(
    wrong: dict[str, int], project: Project, admin_client: Client
) -> None:
    answer = admin_client.post(PAGE, {**FORM, **wrong})
    assert answer.status_code == 400 and "errorlist" in answer.content.decode()
    project.refresh_from_db()
    assert (project.overlap, project.control_percent) == (1, 0)


def test_a_decided_question_becomes_a_control_by_its_number_and_is_dropped_again(
    project: Project, questions: list[Any], admin_user: User, admin_client: Client
) -> None:
    question = questions[0]
    refused = admin_client.post(at("control_add"), {"question": f"#{question.pk}"})
    assert refused.status_code == 409 and "decided" in refused.content.decode()
    decide(project, admin_user, question)
    answer = admin_client.post(at("control_add"), {"question": f"#{question.pk}", "note": "sums"})
    assert answer.url == PAGE
    page = admin_client.get(PAGE).content.decode()
    assert "1 approved" in page and "1 rejected" in page and "sums" in page
    assert "None is mixed in: the rate above is 0." in page
    assert "No control any more" in admin_client.get(at("question", question.pk)).content.decode()
    assert admin_client.post(at("question_control_drop", question.pk)).url == PAGE
    question.queue_item.refresh_from_db()
    assert question.queue_item.status == QueueStatus.DONE and not Control.objects.exists()


def test_the_button_of_a_questions_page_makes_a_control(
    project: Project, questions: list[Any], admin_user: User, admin_client: Client
) -> None:
    question = questions[0]
    button = at("question_control", question.pk)
    assert button not in admin_client.get(at("question", question.pk)).content.decode()
    decide(project, admin_user, question)
    assert button in admin_client.get(at("question", question.pk)).content.decode()
    assert admin_client.post(button).url == at("question", question.pk)
    assert Control.objects.get().item.question == question


@pytest.mark.parametrize("number", ["", "x", "999999", "9" * 40])
def test_a_number_that_is_no_question_is_refused(
    number: str, project: Project, admin_client: Client
) -> None:
    assert admin_client.post(at("control_add"), {"question": number}).status_code in (400, 409)
    assert not Control.objects.exists()


def preview(client: Client, **fields: Any) -> str:
    return " ".join(client.get(at("assign_preview"), fields).content.decode().split())


def test_the_preview_counts_what_the_filters_keep(
    project: Project, questions: list[Any], reviewer: User, admin_client: Client
) -> None:
    who = {"person": reviewer.pk}
    assert '<b class="num">5</b> questions would' in preview(admin_client, **who)
    assert '<b class="num">2</b>' in preview(admin_client, **who, domain="travel")
    assert '<b class="num">2</b>' in preview(admin_client, **who, difficulty="2")
    assert '<b class="num">0</b>' in preview(admin_client, **who, flagged="on")
    flag_question(project, reviewer, questions[1], "ambiguous")
    assert '<b class="num">1</b>' in preview(admin_client, **who, flagged="on")
    assert '<b class="num">3</b>' in preview(admin_client, **who, most=3)
    assert '<b class="num">1</b>' in preview(admin_client, **who, q=f"#{questions[0].pk}")
    assert "errorlist" in preview(admin_client, **who, domain="nowhere")
    assert "errorlist" in preview(admin_client, person="")


def test_what_is_set_aside_comes_first_to_that_person_and_to_nobody_else(
    project: Project,
    questions: list[Any],
    admin_user: User,
    reviewer: User,
    admin_client: Client,
) -> None:
    answer = admin_client.post(
        at("assign"), {"person": reviewer.pk, "domain": "travel", "most": 1}, follow=True
    )
    assert "1 question set aside for rudi." in answer.content.decode()
    (seat,) = Seat.objects.filter(assigned_to=reviewer)
    assert next_item(project, reviewer).item_id == seat.item_id
    for _ in range(4):
        decide(project, admin_user, next_item(project, admin_user).item.question)
    assert next_item(project, admin_user) is None
    page = admin_client.get(PAGE).content.decode()
    assert at("unassign") in page
    again = admin_client.post(at("assign"), {"person": reviewer.pk}, follow=True)
    assert "0 questions set aside" in again.content.decode()


def test_what_is_set_aside_can_be_taken_back(
    project: Project, questions: list[Any], reviewer: User, admin_client: Client
) -> None:
    admin_client.post(at("assign"), {"person": reviewer.pk})
    assert Seat.objects.filter(assigned_to=reviewer).count() == 5
    answer = admin_client.post(at("unassign"), {"person": reviewer.pk}, follow=True)
    assert "5 questions are anybody’s again." in answer.content.decode()
    assert not Seat.objects.filter(assigned_to__isnull=False).exists()
    assert admin_client.post(at("unassign"), {"person": reviewer.pk}).status_code == 404


def test_nothing_is_set_aside_for_somebody_outside(
    project: Project, questions: list[Any], stranger: User, admin_client: Client
) -> None:
    assert admin_client.post(at("assign"), {"person": stranger.pk}).status_code == 400
    assert not Seat.objects.filter(assigned_to__isnull=False).exists()


def test_what_is_set_aside_for_somebody_who_left_comes_back(
    project: Project, questions: list[Any], reviewer: User, admin_user: User
) -> None:
    tina = person("tina")
    add_member(project, "tina", "reviewer")
    everything = project.questions.all()
    assert assign(project, tina, everything, most=2) == 2
    assert assign(project, reviewer, everything) == 3
    remove_member(project, tina.pk)
    put_back()
    assert not Seat.objects.filter(assigned_to=tina).exists()
    assert Seat.objects.filter(assigned_to=reviewer).count() == 3


def test_many_questions_are_set_aside_at_once(
    project: Project, reviewer: User, make_questions: Make
) -> None:
    from curation.reviews.models import QueueItem

    made = make_questions(1200)
    items = QueueItem.objects.bulk_create(QueueItem(project=project, question=q) for q in made)
    Seat.objects.bulk_create(Seat(project=project, item=item, number=1) for item in items)
    assert assign(project, reviewer, project.questions.all()) == 1200


def test_reviewers_and_strangers_stay_outside(
    project: Project, questions: list[Any], reviewer_client: Client, stranger_client: Client
) -> None:
    for page in (PAGE, at("assign_preview")):
        assert reviewer_client.get(page).status_code == 403
        assert stranger_client.get(page).status_code == 404
    for name in ("assign", "unassign", "control_add"):
        assert reviewer_client.post(at(name)).status_code == 403
        assert stranger_client.post(at(name)).status_code == 404


def test_the_page_takes_a_bounded_number_of_queries(
    project: Project,
    questions: list[Any],
    admin_user: User,
    admin_client: Client,
    django_assert_max_num_queries: Any,
) -> None:
    for question in questions[:3]:
        decide(project, admin_user, question)
        admin_client.post(at("question_control", question.pk))
    admin_client.post(at("assign"), {"person": admin_user.pk})
    with django_assert_max_num_queries(12):
        admin_client.get(PAGE)
