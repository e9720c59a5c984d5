"""A person reads an answer that the scorers misread: it counts at once, and is a case ever after."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from curation.projects.models import Project, User
from curation.questions.models import Question
from curation.rationales.models import Rationale, ReadingCase, Score
from curation.rationales.scoring.scores import store_scores, to_score_again, waiting_groups
from curation.reviews.decisions.rule import apply_rule
from curation.reviews.deletion.orders import delete_one, order_restore
from curation.reviews.models import Decision, QueueItem
from curation.reviews.queue.items import set_overlap
from curation.reviews.submission.readings import read_as
from tests.conftest import signed_in
from tests.curation.api.api_calls import Caller
from tests.curation.rationales.scoring_rows import score_all
from tests.curation.reviews.benching import post

Make = Callable[..., list[Any]]
# Nobody's rules read this; people do.
HIDDEN = "She had an egg, and hens laid a pair.\nWhoever counts them comes to a trio."


def at(name: str, *more: Any) -> str:
    return reverse(name, args=["eggs", *more])


@pytest.fixture
def question(make_questions: Make) -> Question:
    return make_questions(1)[0]


@pytest.fixture
def hidden(question: Question, make_rationales: Make) -> Rationale:
    made = make_rationales(question, ["right", HIDDEN])[1]
    assert Score.objects.get(pk=made.pk).verdict == "not_read"
    return made


def rescored(project: Project) -> None:
    to_score_again(project.groups.all())
    score_all(project)


def test_it_counts_at_once_and_after_each_scoring(
    project: Project, hidden: Rationale, reviewer: User
) -> None:
    read_as(project, reviewer, hidden, " a  trio ", "right")
    for _ in range(2):
        score = Score.objects.get(pk=hidden.pk)
        assert (score.answer, score.verdict, score.unread) == ("a trio", "right", "")
        assert HIDDEN[score.detail["answer_start"] : score.detail["answer_end"]] == "a trio"
        rescored(project)
    assert score.conciseness is not None and score.detail["own"]["verdict"] == "not_read"
    case = ReadingCase.objects.get()
    assert (case.was_answer, case.was_verdict) == (None, "not_read")
    assert (case.found_answer, case.found_verdict, case.passes) == (None, "not_read", False)


def test_a_case_passes_when_the_scorers_read_it_so_in_whatever_form(
    project: Project, question: Question, make_rationales: Make, reviewer: User
) -> None:
    (same,) = make_rationales(question, ["So it is 6/2.\nAnswer: 6/2"])
    (other,) = make_rationales(question, ["wrong"])
    read_as(project, reviewer, same, "3", "right")
    read_as(project, reviewer, other, "88", "wrong")
    rescored(project)
    told = dict(ReadingCase.objects.values_list("rationale", "passes"))
    assert told == {same.pk: True, other.pk: False}
    assert Score.objects.get(pk=other.pk).answer == "88"


def test_there_may_be_no_answer_in_it(
    project: Project, question: Question, make_rationales: Make, reviewer: User
) -> None:
    (wrong,) = make_rationales(question, ["wrong"])
    read_as(project, reviewer, wrong, "", "none")
    rescored(project)
    score = Score.objects.get(pk=wrong.pk)
    assert (score.answer, score.verdict, score.unread) == (None, "not_read", "nothing_found")


@pytest.mark.parametrize(
    ("answer", "said"), [("", "right"), ("7", "none"), ("7", "maybe"), ("7" * 501, "wrong")]
)
def test_words_that_make_no_sense_are_refused(
    answer: str, said: str, hidden: Rationale, reviewer: User
) -> None:
    body = {"answer": answer, "said": said}
    Caller(reviewer).call("PUT", f"rationales/{hidden.pk}/answer", body, status=400)
    assert not ReadingCase.objects.exists()


def test_the_rules_word_on_a_misread_answer_is_undone_and_peoples_stays(
    project: Project, question: Question, make_rationales: Make, reviewer: User
) -> None:
    (right,) = make_rationales(question, ["right"])
    apply_rule(project)
    assert Decision.objects.get(rationale=right).rule_id
    read_as(project, reviewer, right, "99", "wrong")
    assert not Decision.objects.exists()
    assert QueueItem.objects.get(question=question).status == "waiting"


def test_the_bench_tells_the_new_grade(hidden: Rationale, reviewer_client: Client) -> None:
    page = reviewer_client.get(at("review")).content.decode()
    assert 'data-do="read"' in page and f"/rationales/{hidden.pk}/answer/" in page
    told = post(
        reviewer_client,
        "review_read",
        {"rationale": hidden.pk, "answer": "a trio", "said": "wrong"},
    ).json()
    assert told == {
        "grade": "wrong",
        "words": "a trio, not 3",
        "why": "",
        "answer": "a trio",
        "suggest": ["wrong_answer"],
    }


def test_scores_that_were_on_their_way_do_not_overwrite_it(
    project: Project, hidden: Rationale, reviewer: User
) -> None:
    to_score_again(project.groups.all())
    groups = waiting_groups(project.pk, 10)
    late = {hidden.pk: {"answer": "1", "verdict": "wrong", "unread": None, "steps": [], "flags": []}
            | dict.fromkeys(("conciseness", "structure", "similarity", "consistency", "validity",
                             "redundancy", "overall"))}  # fmt: skip
    read_as(project, reviewer, hidden, "a trio", "right")
    store_scores(groups, late, "old")
    assert Score.objects.get(pk=hidden.pk).verdict == "right"


def test_the_page_shows_where_the_answer_stands_and_what_was_compared(
    project: Project, question: Question, make_rationales: Make, reviewer: User
) -> None:
    text = "<think>\nPerhaps 5?\n</think>\n\nShe has <b>1</b> + 2 = 3.\nAnswer: 3"
    (one,) = make_rationales(question, [text])
    client = signed_in(reviewer)
    page = client.get(at("answer", one.pk)).content.decode()
    assert "<mark>3</mark>" in page and "&lt;b&gt;1&lt;/b&gt;" in page
    assert '<span class="thought">&lt;think&gt;' in page
    for words in ("begins with “A:”", "after the mark", "the answer is"):
        if words in page:
            break
    else:
        raise AssertionError("the rule is not said in words")
    told = Caller(reviewer).get(f"rationales/{one.pk}/answer")
    assert (told["answer"], told["verdict"], told["reference"]) == ("3", "right", "3")
    assert text[told["start"] : told["end"]] == "3" and told["rule_words"] and told["read"] == "3"


def test_the_form_of_the_page_corrects_and_drops(
    project: Project, hidden: Rationale, reviewer_client: Client, third: User
) -> None:
    form = {"answer": "a trio", "said": "right"}
    page = reviewer_client.post(at("answer_read", hidden.pk), form, follow=True).content.decode()
    assert "<mark>a trio</mark>" in page and "Read by rudi" in page
    assert signed_in(third).post(at("answer_drop", hidden.pk)).status_code == 403
    reviewer_client.post(at("answer_drop", hidden.pk))
    assert not ReadingCase.objects.exists()
    score_all(project)
    assert Score.objects.get(pk=hidden.pk).verdict == "not_read"


def test_the_cases_are_listed_filtered_and_handed_out(
    project: Project,
    hidden: Rationale,
    question: Question,
    make_rationales: Make,
    reviewer: User,
    admin_client: Client,
) -> None:
    (right,) = make_rationales(question, ["right"])
    read_as(project, reviewer, hidden, "a trio", "right")
    read_as(project, reviewer, right, "3", "right")
    page = admin_client.get(at("reading_cases")).content.decode()
    assert "2 not scored again yet" in page
    rescored(project)
    page = admin_client.get(at("reading_cases")).content.decode()
    assert "1 of 2 are read right" in page and "a trio" in page and "✓ passes" in page
    for passes, kept in {"yes": right, "no": hidden}.items():
        (row,) = admin_client.get(at("reading_cases"), {"passes": passes}).context["page"].rows
        assert row.rationale_id == kept.pk
        (told,) = Caller(reviewer).get(f"reading-cases?passes={passes}")["items"]
        assert (told["rationale"], told["passes"]) == (kept.pk, passes == "yes")
    file = b"".join(admin_client.get(at("reading_cases_file")))
    lines = [json.loads(line) for line in file.splitlines()]
    assert [line["read_as"] for line in lines] == ["a trio", "3"]
    assert lines[0]["rationale"] == HIDDEN and lines[0]["passes"] is False


def test_the_file_is_what_the_scorers_command_reads(
    project: Project, hidden: Rationale, reviewer: User, admin_client: Client
) -> None:
    from workers.scoring.contract import item_from

    read_as(project, reviewer, hidden, "a trio", "right")
    file = b"".join(admin_client.get(at("reading_cases_file")))
    item = item_from(json.loads(file))
    assert (item.rationale, item.references) == (HIDDEN, ("3",))


def test_what_another_reviewer_wrote_is_not_reached_by_its_reading(
    project: Project,
    hidden: Rationale,
    admin_user: User,
    reviewer_client: Client,
    question: Question,
) -> None:
    set_overlap(project, 2)
    mine = Rationale.objects.create(
        project=project,
        question=question,
        source="person",
        author=admin_user,
        text="So 3.",
        text_hash="x",
    )
    assert reviewer_client.get(at("answer", mine.pk)).status_code == 404
    assert (
        reviewer_client.post(
            at("answer_read", mine.pk), {"answer": "3", "said": "right"}
        ).status_code
        == 404
    )


def test_a_case_goes_with_its_rationale_and_comes_back(
    project: Project, hidden: Rationale, reviewer: User, admin_user: User, admin_client: Client
) -> None:
    read_as(project, reviewer, hidden, "a trio", "right")
    gone = delete_one(project, admin_user, "rationales", hidden.pk)
    assert Caller(admin_user).get("reading-cases")["items"] == []
    assert "No answer was corrected yet" in admin_client.get(at("reading_cases")).content.decode()
    order_restore(gone, admin_user)
    assert len(Caller(admin_user).get("reading-cases")["items"]) == 1
