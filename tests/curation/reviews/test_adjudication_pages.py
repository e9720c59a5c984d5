"""Where reviews disagree: the list, the reviews side by side, the last word, and flags on questions."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from curation.projects.models import Project, User
from curation.projects.services import add_member
from curation.rationales.models import Rationale
from curation.reviews.adjudication.adjudicate import flag_question
from curation.reviews.bench.open_rationales import to_review
from curation.reviews.bench.text_diff import differences
from curation.reviews.models import Decision, Outcome, QueueItem, QueueStatus, Review
from curation.reviews.queue.claims import claim
from curation.reviews.queue.items import set_overlap
from curation.reviews.submission.submit import ReviewInput, submit
from tests.conftest import person

Make = Callable[..., list[Any]]
LIST = "/projects/eggs/adjudicate/"


@pytest.fixture
def third(project: Project) -> User:
    made = person("tina")
    add_member(project, "tina", "reviewer")
    return made


@pytest.fixture
def question(project: Project, make_questions: Make, make_rationales: Make) -> Any:
    (made,) = make_questions(1)
    make_rationales(made, ["right", "wrong"])
    set_overlap(project, 2)
    return made


def say(
    project: Project, user: User, question: Any, first: ReviewInput, second: ReviewInput
) -> None:
    seat = claim(project, user, question)
    submit(project, user, seat.item_id, [first, second])


@pytest.fixture
def rationales(question: Any) -> list[Rationale]:
    return to_review(question.queue_item)


@pytest.fixture
def disputed(
    project: Project, question: Any, rationales: list[Rationale], reviewer: User, third: User
) -> Any:
    """On the first rationale: rudi approves, tina edits. On the second: rudi rejects, tina approves."""
    first, second = rationales
    say(
        project,
        reviewer,
        question,
        ReviewInput(first.pk, "approve", comment="reads well", is_best=True),
        ReviewInput(second.pk, "reject", ["wrong_answer"], step_labels={"2": -1}),
    )
    edit = first.text.replace("starts with", "begins with")
    say(
        project,
        third,
        question,
        ReviewInput(first.pk, "edit", edited_text=edit),
        ReviewInput(second.pk, "approve", step_labels={"2": 1}),
    )
    question.queue_item.refresh_from_db()
    assert question.queue_item.status == QueueStatus.ADJUDICATE
    return question


def place(question: Any) -> str:
    return reverse("adjudicate_question", args=["eggs", question.pk])


def status_of(question: Any) -> str:
    return QueueItem.objects.get(question=question).status


def outcomes(question: Any) -> dict[int, str]:
    rows = Decision.objects.filter(rationale__question=question)
    return dict(rows.values_list("rationale", "outcome"))


def test_the_list_shows_what_people_disagree_on(disputed: Any, admin_client: Client) -> None:
    page = admin_client.get(LIST).content.decode()
    assert "rudi, tina" in page
    assert "2 approved" in page and "1 rejected" in page and "1 edited" in page
    assert place(disputed) in page


def test_the_page_shows_the_reviews_side_by_side(disputed: Any, admin_client: Client) -> None:
    page = admin_client.get(place(disputed)).content.decode()
    assert "“reads well”" in page and "wrong answer" in page and "★ best" in page
    assert "rudi: bad" in page and "tina: good" in page
    assert "<del>starts " in page and "<ins>begins " in page
    assert "Take tina’s edit" in page
    assert "You are one of those who disagree" not in page


def test_a_blind_project_hides_the_teachers_from_who_decides(
    project: Project, disputed: Any, admin_client: Client
) -> None:
    assert "strong at 0.5" in admin_client.get(place(disputed)).content.decode()
    Project.objects.filter(pk=project.pk).update(is_blind=True)
    page = admin_client.get(place(disputed)).content.decode()
    assert "strong" not in page and "rudi" in page


def test_an_admin_takes_an_edit_and_rejects_the_other_rationale(
    disputed: Any, rationales: list[Rationale], admin_user: User, admin_client: Client
) -> None:
    first, second = rationales
    edit = Rationale.objects.get(parent=first)
    answer = admin_client.post(
        place(disputed),
        {
            f"verdict-{first.pk}": f"take-{edit.pk}",
            f"verdict-{second.pk}": "reject",
            f"reasons-{second.pk}": ["wrong_answer", "wrong_step"],
            f"comment-{second.pk}": "5 is not 3",
        },
    )
    assert answer.status_code == 302 and answer.url == LIST  # nothing else waits
    assert status_of(disputed) == QueueStatus.DONE
    assert outcomes(disputed) == {
        first.pk: Outcome.SUPERSEDED,
        edit.pk: Outcome.APPROVED,
        second.pk: Outcome.REJECTED,
    }
    last = Review.objects.get(rationale=second, is_adjudication=True)
    assert (last.reviewer, last.reasons) == (admin_user, ["wrong_answer", "wrong_step"])
    assert last.comment == "5 is not 3"


def test_what_is_left_open_waits_on_and_the_page_says_so(
    disputed: Any, rationales: list[Rationale], admin_client: Client
) -> None:
    first, second = rationales
    answer = admin_client.post(
        place(disputed), {f"verdict-{first.pk}": "approve", f"verdict-{second.pk}": ""}, follow=True
    )
    page = answer.content.decode()
    assert "1 rationale decided; the others of this question still wait." in page
    assert f'data-dispute="{second.pk}"' in page and f'data-dispute="{first.pk}"' not in page
    assert status_of(disputed) == QueueStatus.ADJUDICATE


def test_the_next_disagreement_follows(
    project: Project,
    disputed: Any,
    rationales: list[Rationale],
    reviewer: User,
    third: User,
    admin_client: Client,
    make_questions: Make,
    make_rationales: Make,
) -> None:
    (other,) = make_questions(1)
    make_rationales(other, ["right", "wrong"])
    a, b = to_review(other.queue_item)
    why = ["unclear"]
    say(project, reviewer, other, ReviewInput(a.pk, "approve"), ReviewInput(b.pk, "approve"))
    say(project, third, other, ReviewInput(a.pk, "reject", why), ReviewInput(b.pk, "reject", why))
    both = {f"verdict-{one.pk}": "approve" for one in rationales}
    assert admin_client.post(place(disputed), both).url == place(other)


def test_a_decision_that_is_refused_keeps_what_was_typed(
    disputed: Any, rationales: list[Rationale], admin_client: Client
) -> None:
    first, _ = rationales
    form = {
        f"verdict-{first.pk}": "edit",
        f"text-{first.pk}": first.text,  # an edit that changes nothing
        f"comment-{first.pk}": "a long thought",
    }
    answer = admin_client.post(place(disputed), form)
    page = answer.content.decode()
    assert answer.status_code == 400 and "The edit changes nothing" in page
    assert "a long thought" in page
    assert f'name="verdict-{first.pk}" value="edit" data-act="edit" checked' in page
    assert not Review.objects.filter(is_adjudication=True).exists()


def test_a_rejection_needs_a_reason_and_a_form_needs_a_verdict(
    disputed: Any, rationales: list[Rationale], admin_client: Client
) -> None:
    bare = admin_client.post(place(disputed), {f"verdict-{rationales[0].pk}": "reject"})
    assert bare.status_code == 400 and "at least one reason" in bare.content.decode()
    none = admin_client.post(place(disputed), {f"verdict-{rationales[0].pk}": ""})
    assert none.status_code == 400 and "at least one rationale" in none.content.decode()
    odd = admin_client.post(place(disputed), {"verdict-x": "approve"})
    assert odd.status_code == 400
    foreign = admin_client.post(place(disputed), {"verdict-999999": "approve"})
    assert foreign.status_code == 400
    assert not Review.objects.filter(is_adjudication=True).exists()


def test_the_second_admin_is_told_who_was_first(
    project: Project,
    disputed: Any,
    rationales: list[Rationale],
    admin_client: Client,
    client: Client,
) -> None:
    olga = person("olga")
    add_member(project, "olga", "admin")
    client.force_login(olga)
    first, _ = rationales
    approve = {f"verdict-{first.pk}": "approve", f"comment-{first.pk}": "mine"}
    assert admin_client.post(place(disputed), approve).status_code == 302
    answer = client.post(place(disputed), approve)
    assert answer.status_code == 409
    assert "ada has decided this already: approved" in answer.content.decode()
    assert Review.objects.filter(rationale=first, is_adjudication=True).count() == 1


def test_an_admin_does_not_decide_on_their_own_edit(
    project: Project,
    question: Any,
    rationales: list[Rationale],
    admin_user: User,
    reviewer: User,
    admin_client: Client,
) -> None:  # A7
    first, second = rationales
    keep = ReviewInput(second.pk, "approve")
    say(project, reviewer, question, ReviewInput(first.pk, "approve"), keep)
    say(project, admin_user, question, ReviewInput(first.pk, "edit", edited_text="so: 3"), keep)
    edit = Rationale.objects.get(parent=first)
    page = admin_client.get(place(question)).content.decode()
    assert f'value="take-{edit.pk}" data-act="take" disabled' in page
    assert 'value="edit" data-act="edit" disabled' in page
    # One of those who disagree looks: the page and the list say so.
    assert "You are one of those who disagree here" in page and "You are the only admin" in page
    assert ">you<" in page and "you too" in admin_client.get(LIST).content.decode()
    add_member(project, "rudi", "admin")
    assert "is the better judge" in admin_client.get(place(question)).content.decode()
    answer = admin_client.post(place(question), {f"verdict-{first.pk}": f"take-{edit.pk}"})
    assert answer.status_code == 409 and "You wrote this rationale" in answer.content.decode()
    # Nor do they write it once more and have it their way.
    again = {f"verdict-{first.pk}": "edit", f"text-{first.pk}": "so: 3"}
    answer = admin_client.post(place(question), again)
    assert (
        answer.status_code == 409 and "Your edit of this rationale waits" in answer.content.decode()
    )
    assert status_of(question) == QueueStatus.ADJUDICATE
    assert Rationale.objects.filter(parent=first).count() == 1
    assert admin_client.post(place(question), {f"verdict-{first.pk}": "approve"}).status_code == 302


def test_a_rationale_of_ones_own_is_for_another_admin(
    project: Project,
    question: Any,
    rationales: list[Rationale],
    admin_user: User,
    reviewer: User,
    admin_client: Client,
) -> None:
    first, second = rationales
    seat = claim(project, reviewer, question)
    both = [ReviewInput(first.pk, "approve"), ReviewInput(second.pk, "approve")]
    submit(project, reviewer, seat.item_id, both)
    seat = claim(project, admin_user, question)
    own = ReviewInput(None, "approve", edited_text="Mine.\nAnswer: 3")
    submit(project, admin_user, seat.item_id, [*both, own])
    page = admin_client.get(place(question)).content.decode()
    assert "You wrote this rationale: another admin of the project decides on it." in page
    assert "wrote it" in page


def test_a_last_word_can_be_taken_back(
    disputed: Any, rationales: list[Rationale], admin_client: Client
) -> None:
    admin_client.post(place(disputed), {f"verdict-{one.pk}": "approve" for one in rationales})
    assert status_of(disputed) == QueueStatus.DONE
    undo = reverse("adjudicate_undo", args=["eggs", disputed.pk])
    assert undo in admin_client.get(LIST).content.decode()
    assert admin_client.post(undo).url == place(disputed)
    assert status_of(disputed) == QueueStatus.ADJUDICATE and not outcomes(disputed)
    assert admin_client.post(undo).status_code == 409


def test_a_decided_question_sends_the_admin_to_its_history(
    question: Any, admin_client: Client
) -> None:
    answer = admin_client.get(place(question))
    assert answer.status_code == 302 and answer.url.endswith(f"/questions/{question.pk}/")


def test_an_admin_settles_a_flag(
    project: Project, question: Any, reviewer: User, admin_client: Client
) -> None:
    flag = flag_question(project, reviewer, question, "wrong_reference", "it is 4")
    page = admin_client.get(reverse("flags", args=["eggs"])).content.decode()
    assert "wrong reference answer" in page and "“it is 4”" in page
    settle = reverse("flag_settle", args=["eggs", flag.pk])
    assert admin_client.post(settle, {"settlement": " "}).status_code == 400
    assert admin_client.post(settle, {"settlement": "kept as it is"}).status_code == 302
    flag.refresh_from_db()
    assert (flag.settlement, flag.settled_by.username) == ("kept as it is", "ada")
    assert admin_client.post(settle, {"settlement": "again"}).status_code == 404
    assert "No flag waits" in admin_client.get(reverse("flags", args=["eggs"])).content.decode()


def test_text_of_people_and_models_stays_text(
    project: Project,
    question: Any,
    rationales: list[Rationale],
    reviewer: User,
    third: User,
    admin_client: Client,
) -> None:  # B2
    evil = "<script>alert(1)</script>"
    first, second = rationales
    keep = ReviewInput(second.pk, "approve")
    say(project, reviewer, question, ReviewInput(first.pk, "approve", comment=evil), keep)
    say(project, third, question, ReviewInput(first.pk, "edit", edited_text=evil), keep)
    flag_question(project, third, question, "other", evil)
    for page in (place(question), reverse("flags", args=["eggs"])):
        assert evil not in admin_client.get(page).content.decode()


@pytest.mark.parametrize(("overlap", "words"), [(1, "one review here"), (2, "gets 2 reviews")])
def test_an_empty_list_says_why(
    overlap: int, words: str, project: Project, admin_client: Client
) -> None:
    set_overlap(project, overlap)
    assert words in admin_client.get(LIST).content.decode()


def test_reviewers_and_strangers_stay_outside(
    disputed: Any, reviewer_client: Client, stranger_client: Client
) -> None:
    for page in (LIST, place(disputed), reverse("flags", args=["eggs"])):
        assert reviewer_client.get(page).status_code == 403
        assert stranger_client.get(page).status_code == 404


def test_the_pages_take_a_bounded_number_of_queries(
    disputed: Any, admin_client: Client, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(8):
        admin_client.get(LIST)
    with django_assert_max_num_queries(15):  # with the keys, what follows, and what was last
        admin_client.get(place(disputed))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a b c", "a x c"),
        ("", "new"),
        ("  two\n lines ", "  two\n other lines "),
        ("same", "same"),
        ("word " * 4000, "word " * 3999 + "end"),
        ("a\n" * 9000, "b\n" * 9000),
    ],
)
def test_differences_give_both_texts_again(before: str, after: str) -> None:
    pieces = differences(before, after)
    assert "".join(p.text for p in pieces if p.kind != "in") == before
    assert "".join(p.text for p in pieces if p.kind != "out") == after
