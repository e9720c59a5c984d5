"""The bench and what it talks to: who may, what is shown, what is never lost."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from curation.projects.models import Project, User
from curation.questions.models import Question
from curation.rationales.models import Rationale, Score
from curation.reviews.claims import GRACE, claim
from curation.reviews.models import Review, Seat
from curation.reviews.queueing import set_overlap
from curation.reviews.services import apply_rule
from curation.templatetags.maths import formula, maths

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


def at(name: str, project: str = "eggs", **kwargs: Any) -> str:
    return reverse(name, args=[project], **kwargs) if not kwargs else reverse(name, kwargs=kwargs)


def post(client: Client, name: str, body: Any, project: str = "eggs") -> Any:
    return client.post(at(name, project), json.dumps(body), content_type="application/json")


def begin(client: Client) -> dict[str, Any]:
    answer = client.get(at("review_next"))
    assert answer.status_code == 200
    return answer.json()


def approve_all(state: dict[str, Any], item: int | None = None) -> dict[str, Any]:
    says = [{"rationale": int(pk), "verdict": "approve"} for pk in state["texts"]]
    return {"item": item or state["item"], "says": says, "seconds": 12}


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


def test_the_bench_shows_the_question_its_chains_and_why_it_is_in_front(
    question: Question, reviewer_client: Client
) -> None:
    page = reviewer_client.get(at("review")).content.decode()
    assert question.text in page
    assert "teachers disagree" in page
    assert "✓ right" in page and "likely best" in page
    assert "5, not 3" in page  # the second chain's answer beside the reference
    assert page.count('class="sheet chain') == 2


def test_the_bench_takes_few_queries_whatever_the_number_of_chains(
    make_questions: Make,
    make_rationales: Make,
    reviewer_client: Client,
    django_assert_max_num_queries: Any,
) -> None:
    (made,) = make_questions(1)
    make_rationales(made, ["right", "wrong"] * 15)
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


def test_a_project_without_chains_says_what_to_do(
    project: Project, reviewer_client: Client, admin_client: Client
) -> None:
    assert "No chains yet" in reviewer_client.get(at("review")).content.decode()
    assert at("import_new") in admin_client.get(at("review")).content.decode()


def test_chains_without_scores_are_told_to_be_on_their_way(
    make_questions: Make, make_rationales: Make, reviewer_client: Client
) -> None:
    make_rationales(make_questions(1)[0], ["right"], scored=False)
    assert "Nothing is scored yet" in begin(reviewer_client)["html"]


def test_the_same_decisions_twice_are_a_conflict_and_one_review_a_chain(
    question: Question, second: Question, reviewer_client: Client
) -> None:
    body = approve_all(begin(reviewer_client)["state"])
    assert post(reviewer_client, "review_submit", body).status_code == 200
    again = post(reviewer_client, "review_submit", body)
    assert again.status_code == 409
    assert "another tab" in again.json()["error"]
    assert Review.objects.count() == len(body["says"])


def test_a_retry_whose_first_answer_got_lost_goes_on(
    question: Question, second: Question, reviewer_client: Client
) -> None:
    body = approve_all(begin(reviewer_client)["state"])
    post(reviewer_client, "review_submit", body)
    again = post(reviewer_client, "review_submit", {**body, "again": True})
    assert again.status_code == 200
    assert again.json()["state"]["item"] not in (None, body["item"])
    assert Review.objects.count() == len(body["says"])


def test_a_retry_that_says_something_else_is_a_conflict(
    question: Question, second: Question, reviewer_client: Client
) -> None:
    body = approve_all(begin(reviewer_client)["state"])
    post(reviewer_client, "review_submit", body)
    body["says"][0] |= {"verdict": "reject", "reasons": ["unclear"]}
    assert post(reviewer_client, "review_submit", {**body, "again": True}).status_code == 409


def test_who_comes_second_is_told_who_was_first(
    question: Question, reviewer_client: Client, admin_client: Client
) -> None:
    state = begin(reviewer_client)["state"]
    Seat.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    assert (
        post(admin_client, "review_submit", approve_all(begin(admin_client)["state"])).status_code
        == 200
    )
    late = post(reviewer_client, "review_submit", approve_all(state))
    assert late.status_code == 409
    assert "ada was first" in late.json()["error"]
    assert [one["what"] for one in late.json()["meanwhile"]] == ["approved"] * 2
    assert not any(one["pieces"] for one in late.json()["meanwhile"])
    assert Review.objects.count() == 2


def test_who_edits_second_is_told_what_differs_from_the_edit_that_stands(
    question: Question, reviewer_client: Client, admin_client: Client
) -> None:
    chain = question.rationales.first()
    mine, theirs = (f"{chain.text}\n{words}" for words in ("<b>Mine</b> is new.", "Theirs is new."))

    def edit(client: Client, text: str) -> dict[str, Any]:
        said = {"rationale": chain.pk, "verdict": "edit", "edited_text": text, "comment": "clearer"}
        return {"item": begin(client)["state"]["item"], "says": [said]}

    body = edit(reviewer_client, mine)
    Seat.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    assert post(admin_client, "review_submit", edit(admin_client, theirs)).status_code == 200
    late = post(reviewer_client, "review_submit", body)
    (told,) = late.json()["meanwhile"]
    assert late.status_code == 409 and (told["who"], told["what"], told["why"]) == (
        "ada",
        "edited and approved",
        "clearer",
    )
    kept = [text for kind, text in told["pieces"] if kind != "out"]
    stands = [text for kind, text in told["pieces"] if kind != "in"]
    assert "".join(kept) == mine and "".join(stands) == theirs
    assert ["in", "<b>Mine</b> "] in told["pieces"] and ["out", "Theirs "] in told["pieces"]


def test_words_that_come_too_late_tell_a_reviewer_nothing_while_others_are_asked(
    project: Project, question: Question, reviewer_client: Client, admin_client: Client
) -> None:
    state = begin(reviewer_client)["state"]
    set_overlap(project, 2)
    post(admin_client, "review_submit", approve_all(begin(admin_client)["state"]))
    Seat.objects.filter(done_at=None).update(holder=None, held_until=None)
    late = post(reviewer_client, "review_submit", approve_all(state))
    assert late.status_code == 409 and late.json()["meanwhile"] == []


def test_a_claim_that_somebody_else_has_names_them(
    question: Question, reviewer_client: Client, admin_client: Client
) -> None:
    state = begin(reviewer_client)["state"]
    Seat.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    begin(admin_client)
    for name in ("review_renew", "review_submit"):
        answer = post(reviewer_client, name, approve_all(state))
        assert answer.status_code == 409 and "ada" in answer.json()["error"]


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


def test_undo_brings_the_question_back_with_what_was_said(
    question: Question, reviewer_client: Client
) -> None:
    state = begin(reviewer_client)["state"]
    body = approve_all(state)
    body["says"][1] |= {"verdict": "reject", "reasons": ["wrong_step"], "comment": "Why 5?"}
    body["says"][1]["step_labels"] = {"2": -1}
    post(reviewer_client, "review_submit", body)
    back = post(reviewer_client, "review_undo", {}).json()["state"]
    assert back["item"] == state["item"]
    said = back["prefill"][str(body["says"][1]["rationale"])]
    assert said == {
        "verdict": "reject",
        "reasons": ["wrong_step"],
        "comment": "Why 5?",
        "labels": {"2": -1},
        "edited": "",
        "best": False,
    }


def test_undo_brings_back_what_was_skipped_last(
    question: Question, second: Question, reviewer_client: Client
) -> None:
    state = begin(reviewer_client)["state"]
    after = post(reviewer_client, "review_skip", {"item": state["item"]}).json()["state"]
    assert after["item"] != state["item"]
    assert post(reviewer_client, "review_undo", {}).json()["state"]["item"] == state["item"]


def test_a_skip_sent_twice_skips_once(
    question: Question, second: Question, reviewer_client: Client
) -> None:
    item = begin(reviewer_client)["state"]["item"]
    first = post(reviewer_client, "review_skip", {"item": item})
    again = post(reviewer_client, "review_skip", {"item": item})
    assert first.json()["state"]["item"] == again.json()["state"]["item"] == second.queue_item.pk


def test_an_undo_whose_answer_got_lost_is_not_done_twice(
    question: Question, second: Question, reviewer_client: Client
) -> None:
    first = begin(reviewer_client)["state"]
    later = post(reviewer_client, "review_submit", approve_all(first)).json()["state"]
    shown = post(reviewer_client, "review_submit", approve_all(later)).json()["state"]["item"]
    for said in ({}, {"again": True}, {"again": True}):
        back = post(reviewer_client, "review_undo", {"shown": shown} | said)
        assert back.json()["state"]["item"] == later["item"]
    assert Review.objects.filter(withdrawn_at__isnull=True).count() == len(first["texts"])


def test_a_retried_undo_that_never_came_through_is_done(
    question: Question, second: Question, reviewer_client: Client
) -> None:
    first = begin(reviewer_client)["state"]
    shown = post(reviewer_client, "review_submit", approve_all(first)).json()["state"]["item"]
    back = post(reviewer_client, "review_undo", {"shown": shown, "again": True})
    assert back.json()["state"]["item"] == first["item"]


def test_with_nothing_to_undo_the_page_says_so(question: Question, reviewer_client: Client) -> None:
    answer = post(reviewer_client, "review_undo", {})
    assert answer.status_code == 409 and "nothing to undo" in answer.json()["error"]


def test_a_closed_page_gives_its_question_back_soon_but_a_reload_keeps_it(
    question: Question, reviewer_client: Client
) -> None:
    item = begin(reviewer_client)["state"]["item"]
    assert reviewer_client.post(at("review_release"), {"item": item}).status_code == 204
    held = Seat.objects.get(item=item)
    assert held.holder.username == "rudi"
    assert timezone.now() < held.held_until <= timezone.now() + GRACE
    assert begin(reviewer_client)["state"]["item"] == item
    assert Seat.objects.get(item=item).held_until > timezone.now() + GRACE


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


def test_a_decided_chain_is_shown_and_cannot_be_decided_again(
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


def test_a_question_whose_chains_are_all_decided_is_not_handed_out(
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
    chain = question.rationales.get(decision__rule__isnull=False)
    says = [{"rationale": chain.pk, "verdict": "reject", "reasons": ["unclear"]}]
    body = {"item": question.queue_item.pk, "says": says}
    assert post(reviewer_client, "review_submit", body).status_code == 200
    chain.decision.refresh_from_db()
    assert (chain.decision.outcome, chain.decision.rule) == ("rejected", None)


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


def test_a_chain_of_very_many_steps_makes_a_bounded_page(
    make_questions: Make, make_rationales: Make, reviewer_client: Client
) -> None:
    (made,) = make_questions(1)
    make_rationales(made, ["\n".join(f"Step {n}: {n} + 1 = {n + 1}." for n in range(5_000))])
    html = begin(reviewer_client)["html"]
    assert html.count('class="step') < 130 and "more steps are not shown" in html


def test_my_reviews_show_what_i_said_and_took_back_and_nobody_elses(
    question: Question, second: Question, reviewer_client: Client, admin_client: Client
) -> None:
    post(reviewer_client, "review_submit", approve_all(begin(reviewer_client)["state"]))
    post(reviewer_client, "review_undo", {})
    mine = reviewer_client.get(at("my_reviews")).content.decode()
    assert "taken back" in mine and "Ann has" in mine
    assert "decided nothing here yet" in admin_client.get(at("my_reviews")).content.decode()


def test_a_question_tells_the_life_of_its_chains(
    question: Question, reviewer_client: Client, django_assert_max_num_queries: Any
) -> None:
    state = begin(reviewer_client)["state"]
    wrong = Score.objects.get(correctness=0, rationale__question=question).rationale_id
    says = [{"rationale": wrong, "verdict": "edit", "edited_text": "1 + 2 = 3.\nAnswer: 3"}]
    post(reviewer_client, "review_submit", {"item": state["item"], "says": says})
    post(reviewer_client, "review_undo", {})
    with django_assert_max_num_queries(10):
        page = reviewer_client.get(reverse("question", args=["eggs", question.pk])).content.decode()
    for words in ("edited and approved by rudi", "taken back by rudi", "written: strong at 0.5"):
        assert words in page


@pytest.mark.parametrize(
    "text",
    [
        "costs $5 and sells for $10 each",
        "3*$5=$<<3*5=15>>15 and $4",
        "from $5-$10, or ($5)+($6)",
        "she has 15% * $1000=$150",
        "$16 is half of $32.",
    ],
)
def test_prices_are_no_formulas(text: str) -> None:
    assert "<math" not in maths(text)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**So: $x^2$**", "<strong>So: <math"),
        ("use `x < y`", "use <code>x &lt; y</code>"),
        ("## The end", "<strong>The end</strong>"),
        ("**<script>** #1", "<strong>&lt;script&gt;</strong> #1"),
        ("2**3**4 and 2 * 3 * 4 and ** a **", "2**3**4 and 2 * 3 * 4 and ** a **"),
        ("**a `b** c`", "**a <code>b** c</code>"),
        # Private signs that the filter itself uses, also once the inner ones are taken out.
        ("\ue000\ue0000\ue0010\ue001 $x$", "00 <math"),
    ],
)
def test_markdown_is_drawn_and_sums_stay_sums(text: str, html: str) -> None:
    assert maths(text).startswith(html)


@pytest.mark.parametrize(
    "text",
    ["$x^2$", r"\(a \le b\)", r"\[\frac{1}{2}\]", "$$x_1$$", r"$(3, \frac{\pi}{2})$", "$7,$"],
)
def test_formulas_are_drawn_as_mathml(text: str) -> None:
    assert maths(text).startswith("<math")


@pytest.mark.parametrize(
    "source",
    [
        r"\newcommand{\a}{\b\b}\a",
        r"\def\a{x}",
        r"\href{javascript:alert(1)}{x}",
        r"\style{x}{y}",
        "{" * 500,
        r"\frac{",
        "x" * 1001,
        r"\sqrt" * 200,
    ],
)
def test_what_must_not_be_drawn_shows_its_source(source: str) -> None:
    assert formula(source) == ""
    assert maths(f"\\({source}\\)") == maths(f"\\({source}\\)").replace("<math", "")


def test_what_latex_carries_is_rebuilt_from_allowed_parts() -> None:
    drawn = maths(r"\(\text{<img src=x onerror=a>} \color{red}{x} <script>\)")
    assert "<img" not in drawn and "<script" not in drawn
    assert "<math" in drawn and "mathcolor" not in drawn


def test_calculator_marks_are_folded_behind_a_class() -> None:
    assert maths("16 - 3 = <<16-3=13>>13") == (
        '16 - 3 = <span class="calc">&lt;&lt;16-3=13&gt;&gt;</span>13'
    )


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
