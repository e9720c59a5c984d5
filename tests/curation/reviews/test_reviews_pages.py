"""The bench and what it talks to: who may, what is shown, what is never lost."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from curation.projects.models import Project, User
from curation.questions.models import Question
from curation.rationales.models import Rationale, Score
from curation.reviews.decisions.rule import apply_rule
from curation.reviews.models import Review
from curation.reviews.queue.claims import claim
from tests.curation.reviews.benching import approve_all, at, begin, post

Make = Callable[..., list[Any]]
READS = ("review", "review_next", "my_reviews")
WRITES = ("review_submit", "review_renew", "review_skip", "review_undo", "review_release")


@pytest.fixture
def question(make_questions: Make, make_rationales: Make) -> Question:
    (made,) = make_questions(1)
    make_rationales(made, ["right", "wrong"])
    return made


@pytest.fixture
def second(question: Question, make_questions: Make, make_rationales: Make) -> Question:
    (made,) = make_questions(1)
    make_rationales(made, ["right", "wrong", "right"])
    return made


@pytest.mark.parametrize("name", READS)
def test_a_stranger_finds_nothing(
    name: str, project: Project, question: Question, stranger_client: Client
) -> None:
    assert stranger_client.get(at(name)).status_code == 404


@pytest.mark.parametrize("name", WRITES)
def test_a_stranger_changes_nothing(
    name: str, project: Project, question: Question, stranger_client: Client
) -> None:
    item = question.queue_item
    assert post(stranger_client, name, {"item": item.pk}).status_code == 404
    assert not item.seats.filter(holder__isnull=False).exists()


@pytest.mark.parametrize("name", WRITES)
def test_unsafe_addresses_want_post(name: str, project: Project, reviewer_client: Client) -> None:
    assert reviewer_client.get(at(name)).status_code == 405


@pytest.mark.parametrize("name", ["review_renew", "review_skip"])
def test_an_item_of_another_project_is_not_there(
    name: str, question: Question, project: Project, stranger_client: Client, stranger: User
) -> None:
    # The stranger is a member of "elsewhere" and names the item of "eggs" (A2).
    answer = post(stranger_client, name, {"item": question.queue_item.pk}, "elsewhere")
    assert answer.status_code == 404


def test_a_question_of_another_project_is_not_there(
    question: Question, project: Project, stranger_client: Client
) -> None:
    for name in ("review_question", "question"):
        address = reverse(name, args=["elsewhere", question.pk])
        assert stranger_client.get(address).status_code == 404


def test_the_bench_shows_the_question_its_rationales_and_why_it_is_in_front(
    question: Question, reviewer_client: Client
) -> None:
    page = reviewer_client.get(at("review")).content.decode()
    assert question.text in page
    assert "teachers disagree" in page
    assert "✓ right" in page and "likely best" in page
    assert "5, not 3" in page  # the second rationale's answer beside the reference
    assert page.count('class="sheet rationale') == 2


def test_the_bench_takes_few_queries_whatever_the_number_of_rationales(
    make_questions: Make,
    make_rationales: Make,
    reviewer_client: Client,
    django_assert_max_num_queries: Any,
) -> None:
    (made,) = make_questions(1)
    make_rationales(made, ["right", "wrong"] * 15)
    with django_assert_max_num_queries(
        16
    ):  # one, which meters tell nothing, is asked once a minute
        reviewer_client.get(at("review"))
    with django_assert_max_num_queries(15):
        reviewer_client.get(at("review"))


def test_submitting_takes_few_queries_and_brings_the_next_question(
    question: Question,
    second: Question,
    reviewer_client: Client,
    django_assert_max_num_queries: Any,
) -> None:
    first = begin(reviewer_client)["state"]
    with django_assert_max_num_queries(45):
        answer = post(reviewer_client, "review_submit", approve_all(first))
    assert answer.json()["state"]["item"] not in (None, first["item"])
    assert Review.objects.count() == len(first["texts"])


def test_nothing_is_left_after_the_last_question(
    question: Question, reviewer_client: Client
) -> None:
    answer = post(reviewer_client, "review_submit", approve_all(begin(reviewer_client)["state"]))
    assert answer.json()["state"]["item"] is None
    assert "nothing waits for review" in answer.json()["html"]


def test_what_others_hold_is_told_with_its_time_and_looked_for_again(
    question: Question, reviewer_client: Client, admin_client: Client
) -> None:
    begin(admin_client)
    answer = begin(reviewer_client)
    assert "Others hold what is left" in answer["html"]
    assert answer["state"]["poll"]


def test_a_project_without_rationales_says_what_to_do(
    project: Project, reviewer_client: Client, admin_client: Client
) -> None:
    assert "No rationales yet" in reviewer_client.get(at("review")).content.decode()
    assert at("import_new") in admin_client.get(at("review")).content.decode()


def test_rationales_without_scores_are_told_to_be_on_their_way(
    make_questions: Make, make_rationales: Make, reviewer_client: Client
) -> None:
    make_rationales(make_questions(1)[0], ["right"], scored=False)
    assert "Nothing is scored yet" in begin(reviewer_client)["html"]


@pytest.mark.parametrize(
    "body",
    [
        "not json",
        "[]",
        '{"item": "1", "says": []}',
        '{"item": 1, "says": [{"rationale": 1, "verdict": "approve", "decided_by": 3}]}',
        '{"item": 1, "says": [{"rationale": true, "verdict": "approve"}]}',
        '{"item": 1, "says": [{"rationale": 1, "verdict": "approve", "step_labels": {"1": true}}]}',
        '{"item": 1, "says": [{"rationale": 1, "verdict": ["approve"]}]}',
        '{"item": 1, "says": {}, "seconds": 1}',
        '{"item": 1, "says": [], "seconds": "long"}',
        '{"item": 99999999999999999999, "says": []}',
        "[" * 100_000,
    ],
)
def test_what_is_no_decision_is_refused_in_words(
    body: str, project: Project, reviewer_client: Client
) -> None:
    answer = reviewer_client.post(at("review_submit"), body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_given_question_is_claimed_or_its_holder_named(
    question: Question,
    reviewer: User,
    reviewer_client: Client,
    admin_client: Client,
    project: Project,
) -> None:
    address = reverse("review_question", args=["eggs", question.pk])
    assert reviewer_client.get(address).status_code == 200
    taken = admin_client.get(address)
    assert taken.status_code == 409 and "rudi works on this question" in taken.content.decode()


def test_a_decided_rationale_is_shown_and_cannot_be_decided_again(
    question: Question,
    project: Project,
    reviewer_client: Client,
    admin_user: User,
    admin_client: Client,
) -> None:
    body = approve_all(begin(reviewer_client)["state"])
    post(reviewer_client, "review_submit", body | {"says": body["says"][:1]})
    page = admin_client.get(reverse("review_question", args=["eggs", question.pk])).content.decode()
    assert "Approved by rudi" in page
    pk = body["says"][0]["rationale"]
    body = {"item": question.queue_item.pk, "says": [{"rationale": pk, "verdict": "approve"}]}
    answer = post(admin_client, "review_submit", body)
    assert answer.status_code == 409 and "rudi has decided this already" in answer.json()["error"]


def test_a_question_whose_rationales_are_all_decided_is_not_handed_out(
    question: Question, reviewer_client: Client, admin_client: Client
) -> None:
    post(reviewer_client, "review_submit", approve_all(begin(reviewer_client)["state"]))
    answer = admin_client.get(reverse("review_question", args=["eggs", question.pk]))
    assert answer.status_code == 409 and "is decided" in answer.content.decode()


def test_what_the_rule_approved_is_told_and_can_be_overruled(
    question: Question, second: Question, project: Project, reviewer: User, reviewer_client: Client
) -> None:
    assert apply_rule(project, rubric=project.rubric)
    claim(project, reviewer, question)
    page = reviewer_client.get(reverse("review_question", args=["eggs", question.pk]))
    assert "approved by the rule" in page.content.decode()
    rationale = question.rationales.get(decision__rule__isnull=False)
    says = [{"rationale": rationale.pk, "verdict": "reject", "reasons": ["unclear"]}]
    body = {"item": question.queue_item.pk, "says": says}
    assert post(reviewer_client, "review_submit", body).status_code == 200
    rationale.decision.refresh_from_db()
    assert (rationale.decision.outcome, rationale.decision.rule) == ("rejected", None)


HOSTILE = (
    "</script><script>alert(1)</script> $<img src=x onerror=alert(1)>$ "
    "\\(\\href{javascript:alert(1)}{x}\\) \u202e"
)


def test_hostile_text_is_shown_as_text(
    make_questions: Make, make_rationales: Make, reviewer_client: Client
) -> None:
    (made,) = make_questions(1, question=HOSTILE)
    make_rationales(made, [HOSTILE, "a" * 30_001])
    for address in (at("review"), reverse("question", args=["eggs", made.pk]), at("review_next")):
        page = reviewer_client.get(address)
        text = page.json()["html"] if address == at("review_next") else page.content.decode()
        assert "<script>alert" not in text and "<img src=x" not in text
        assert 'href="javascript' not in text


def test_a_rationale_of_very_many_steps_makes_a_bounded_page(
    make_questions: Make, make_rationales: Make, reviewer_client: Client
) -> None:
    (made,) = make_questions(1)
    make_rationales(made, ["\n".join(f"Step {n}: {n} + 1 = {n + 1}." for n in range(100_000))])
    html = begin(reviewer_client)["html"]
    assert html.count('class="step') < 130 and '"total": 10000' in html


def test_my_reviews_show_what_i_said_and_took_back_and_nobody_elses(
    question: Question, second: Question, reviewer_client: Client, admin_client: Client
) -> None:
    post(reviewer_client, "review_submit", approve_all(begin(reviewer_client)["state"]))
    post(reviewer_client, "review_undo", {})
    mine = reviewer_client.get(at("my_reviews")).content.decode()
    assert "taken back" in mine and "Ann has" in mine
    assert "decided nothing here yet" in admin_client.get(at("my_reviews")).content.decode()


def test_a_question_tells_the_life_of_its_rationales(
    question: Question, reviewer_client: Client, django_assert_max_num_queries: Any
) -> None:
    state = begin(reviewer_client)["state"]
    wrong = Score.objects.get(verdict="wrong", rationale__question=question).rationale_id
    says = [{"rationale": wrong, "verdict": "edit", "edited_text": "1 + 2 = 3.\nAnswer: 3"}]
    post(reviewer_client, "review_submit", {"item": state["item"], "says": says})
    post(reviewer_client, "review_undo", {})
    with django_assert_max_num_queries(10):
        page = reviewer_client.get(reverse("question", args=["eggs", question.pk])).content.decode()
    for words in ("edited and approved by rudi", "taken back by rudi", "written: strong at 0.5"):
        assert words in page


def test_rationales_of_one_question_do_not_reach_into_another(
    question: Question, second: Question, reviewer_client: Client
) -> None:
    state = begin(reviewer_client)["state"]
    other = Rationale.objects.exclude(question__queue_item=state["item"]).first()
    says = [{"rationale": other.pk, "verdict": "approve"}]
    answer = post(reviewer_client, "review_submit", {"item": state["item"], "says": says})
    assert answer.status_code == 400 and Review.objects.count() == 0


def test_what_was_cut_off_or_told_the_answer_says_so(
    question: Question, reviewer_client: Client, project: Project
) -> None:
    Rationale.objects.update(finish_reason="length", prompt_style="hint@1")
    for address in (at("review"), reverse("question", args=["eggs", question.pk])):
        page = reviewer_client.get(address).content.decode()
        assert page.count(">cut off<") == page.count(">told the answer<") == 2
    Project.objects.update(is_blind=True)  # how it was prompted could tell who wrote it
    page = reviewer_client.get(at("review")).content.decode()
    assert ">cut off<" in page and ">told the answer<" not in page
