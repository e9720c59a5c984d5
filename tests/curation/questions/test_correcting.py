"""The same question with better data: seen, taken over, corrected in place, undone; and what follows."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from curation.datasets.services import freeze, order_freeze, verify
from curation.errors import Conflict
from curation.jobs import Status
from curation.projects.models import Project, User
from curation.questions.correcting.changing import change_question, undo_change, version_of
from curation.questions.models import Question, QuestionChange, QuestionImport
from curation.questions.services import order_import
from curation.rationales.importing import run_import
from curation.rationales.models import Group, Rationale, Score, ScoringRun
from curation.reviews.decisions.rule import apply_rule
from curation.reviews.models import Decision, DecisionLog, QueueItem
from curation.reviews.queue.claims import claim, next_item
from curation.reviews.submission.submit import ReviewInput, submit
from tests.curation.api.api_calls import Caller
from tests.curation.rationales.scoring_rows import score_all
from tests.curation.reviews.reviewing import review

Make = Callable[..., list[Any]]
OLD = {"id": "d1", "question": "What is 6*7?", "reference_answer": "41"}
NEW = OLD | {"reference_answer": "42", "domain": "fixed", "split": "eval"}
TALK = {
    "question": "Combien de cafe\u0301s ?",
    "reference_answer": "3",
    "rationales": [{"teacher": "t", "text": "1 + 2 = 3.\r\nThe answer is 3."}],
}


def imported(project: Project, *rows: dict[str, Any], **options: Any) -> QuestionImport:
    text = "\n".join(json.dumps(row) for row in rows).encode()
    return run_import(order_import(project, None, io.BytesIO(text), "f.jsonl", **options).pk)


# ---- an import that says something else


def test_a_known_question_that_differs_is_listed_with_both_values_and_stays(
    project: Project,
) -> None:
    imported(project, OLD)
    job = imported(project, NEW)
    assert (job.status, job.questions_known, job.questions_differ) == (Status.DONE, 1, 1)
    assert job.differing[0]["fields"] == {
        "reference answer": ["41", "42"],
        "domain": ["", "fixed"],
        "split": ["train", "eval"],
    }
    assert job.questions_changed == 0
    assert project.questions.get().reference_answer == "41"


@pytest.mark.parametrize("how", ["text", "id"])
def test_it_is_taken_over_when_asked_and_can_be_undone(
    project: Project, admin_user: User, how: str
) -> None:
    imported(project, OLD)
    job = imported(project, NEW, take_over=how)
    assert job.questions_changed == 1
    found = project.questions.get()
    assert (found.reference_answer, found.domain, found.split) == ("42", "fixed", "eval")
    assert found.reference_problem is None  # looked at anew
    change = found.changes.get()
    assert change.job == job and change.before["reference_answer"] == "41"
    undo_change(project, admin_user, change.pk)
    found.refresh_from_db()
    assert (found.reference_answer, found.domain, found.split) == ("41", "", "train")
    assert imported(project, OLD).questions_differ == 0


def test_what_a_row_leaves_out_is_not_taken_over(project: Project) -> None:
    imported(project, NEW)
    job = imported(project, {"question": NEW["question"]}, take_over="text")
    assert (job.questions_differ, job.questions_changed) == (0, 0)
    assert project.questions.get().reference_answer == "42"


def test_by_id_the_text_and_the_choices_are_corrected_too(project: Project) -> None:
    imported(project, {**OLD, "choices": ["41", "42"], "reference_answer": "B"})
    better = {**OLD, "question": "What is 6·7?", "choices": ["40", "42"], "reference_answer": "B"}
    job = imported(project, better, take_over="id")
    assert (job.questions_added, job.questions_changed) == (0, 1)
    found = project.questions.get()
    assert (found.text, found.choices) == ("What is 6·7?", ["40", "42"])
    assert imported(project, better).questions_known == 1


def test_a_question_of_the_same_text_with_other_choices_is_another_one_unless_asked(
    project: Project,
) -> None:
    one = {"question": "Which of these is true?", "choices": ["a", "b"], "reference_answer": "A"}
    imported(project, one)
    assert imported(project, one | {"choices": ["c", "d"]}).questions_added == 1
    # Two have this text by now: which one is meant cannot be said.
    assert imported(project, one | {"choices": ["e", "f"]}, take_over="text").questions_added == 1


def test_an_id_of_two_questions_is_a_bad_row_that_says_so_and_a_prefix_helps(
    project: Project,
) -> None:
    first, second = OLD, {"id": "d1", "question": "What is 1+1?", "reference_answer": "2"}
    job = imported(project, first, second)
    assert job.status == Status.FAILED and "line 1" in job.bad_rows[0]["message"]
    imported(project, first)
    job = imported(project, second)
    assert job.status == Status.FAILED
    assert f"#{project.questions.get().pk}" in job.error and "prefix" in job.error
    assert imported(project, second, id_prefix="sums-").status == Status.DONE
    assert set(project.questions.values_list("external_id", flat=True)) == {"d1", "sums-d1"}


def test_an_import_that_goes_on_after_its_worker_died_doubles_and_loses_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("curation.rationales.importing.BATCH", 2)
    rows = [{"id": str(n), "question": f"What is {n}+1?"} for n in range(5)]
    rows[2] |= {"id": "0"}  # a bad row in the middle
    text = "\n".join(json.dumps(row) for row in rows).encode()
    job = order_import(project, None, io.BytesIO(text), "f.jsonl", keep_good_rows=True)
    turns = iter([True])
    run_import(job.pk, is_over=lambda: next(turns, False))
    assert project.questions.count() == 2
    job = run_import(job.pk)
    assert (job.status, job.questions_added, job.questions_known) == (Status.DONE, 4, 0)
    assert project.questions.count() == 4


# ---- a question corrected in place


@pytest.fixture
def question(make_questions: Make, make_rationales: Make) -> Question:
    made = make_questions(1)[0]
    make_rationales(made, ["right", "wrong", "wrong"])
    return made


def other_answer(question: Question) -> str:
    return str(int(question.reference_answer) + 2)  # that of the first wrong rationale


def test_scores_are_made_again_and_the_rule_decides_again_by_the_new_ones(
    project: Project, question: Question, admin_user: User
) -> None:
    apply_rule(project)
    right, first, _ = question.rationales.order_by("id")
    assert Decision.objects.get().rationale == right
    change_question(project, admin_user, question.pk, {"reference_answer": other_answer(question)})
    assert not Decision.objects.exists()  # at once: nothing is frozen with it
    assert Group.objects.get().scored < Group.objects.get().revision
    score_all(project)
    assert Score.objects.get(rationale=right).verdict == "wrong"
    assert Score.objects.get(rationale=first).verdict == "right"
    log = DecisionLog.objects.order_by("id").values_list("rationale", "was", "outcome")
    assert list(log) == [(right.pk, "", "approved"), (right.pk, "approved", "")]
    assert not QuestionChange.objects.filter(rule__isnull=False).exists()


def test_what_still_passes_is_approved_by_the_same_rule_again(
    project: Project, question: Question, admin_user: User
) -> None:
    apply_rule(project)
    values = {"other_answers": [other_answer(question)]}
    change_question(project, admin_user, question.pk, values)
    assert not Decision.objects.exists()
    score_all(project)
    again = Decision.objects.get()
    assert again.rationale == question.rationales.order_by("id")[0] and again.rule_id


def test_what_people_decided_stays(
    project: Project, question: Question, admin_user: User, reviewer: User
) -> None:
    review(project, reviewer, question, "approve", "reject", "reject")
    before = list(Decision.objects.order_by("pk").values_list("pk", "outcome", "review"))
    change_question(project, admin_user, question.pk, {"reference_answer": other_answer(question)})
    score_all(project)
    assert list(Decision.objects.order_by("pk").values_list("pk", "outcome", "review")) == before


def test_whoever_holds_it_is_told_and_gets_it_as_it_is_now(
    project: Project, question: Question, admin_user: User, reviewer: User
) -> None:
    seat = next_item(project, reviewer)
    change_question(project, admin_user, question.pk, {"text": "Another question?"})
    says = [ReviewInput(question.rationales.first().pk, "approve")]
    with pytest.raises(Conflict, match=r"ada changed this question while you had it \(question\)"):
        submit(project, reviewer, seat.item_id, says)
    again = claim(project, reviewer, question)
    assert again.item.question.text == "Another question?"
    submit(project, reviewer, seat.item_id, says)


def test_a_question_leaves_the_queue_with_the_training_split_and_comes_back_with_it(
    project: Project, question: Question, admin_user: User, reviewer: User
) -> None:
    change_question(project, admin_user, question.pk, {"split": "eval"})
    assert next_item(project, reviewer) is None
    change_question(project, admin_user, question.pk, {"split": "train"})
    assert next_item(project, reviewer).item.question == question
    assert QueueItem.objects.get().status == "waiting"


def test_a_frozen_dataset_says_what_it_said(
    project: Project, question: Question, admin_user: User
) -> None:
    apply_rule(project)
    version = freeze(order_freeze(project, None).pk)
    values = {"text": "Another one?", "reference_answer": "17", "domain": "late", "split": "ood"}
    change_question(project, admin_user, question.pk, values)
    assert verify(version)
    undo_change(project, admin_user, QuestionChange.objects.get().pk)
    assert verify(version)


def test_a_text_or_an_id_that_another_question_has_is_refused(
    project: Project, make_questions: Make, admin_user: User
) -> None:
    one, other = make_questions(2)
    Question.objects.filter(pk=other.pk).update(external_id="x")
    with pytest.raises(Conflict, match=f"#{other.pk} has this text"):
        change_question(project, admin_user, one.pk, {"text": f" {other.text}\n"})
    with pytest.raises(Conflict, match=f"#{other.pk} has the id 'x'"):
        change_question(project, admin_user, one.pk, {"external_id": "x"})


# ---- by its page and by the API


def form_of(question: Question, **changed: Any) -> dict[str, Any]:
    names = ("text", "reference_answer", "answer_type", "domain", "difficulty", "split", "subset")
    form = {name: getattr(question, name) for name in names} | {"version": version_of(question)}
    return form | changed


def test_an_admin_edits_it_on_its_page_sees_the_history_and_undoes_it(
    project: Project, question: Question, admin_client: Client
) -> None:
    page = reverse("question", args=["eggs", question.pk])
    edit = reverse("question_edit", args=["eggs", question.pk])
    assert edit in admin_client.get(page).content.decode()
    answer = admin_client.post(edit, form_of(question, reference_answer="777", choices="a\nb"))
    assert answer.status_code == 302
    question.refresh_from_db()
    assert (question.reference_answer, question.choices) == ("777", ["a", "b"])
    shown = admin_client.get(page).content.decode()
    assert "What was changed" in shown and "777" in shown and "wait for new scores" in shown
    assert ScoringRun.objects.exists()
    undo = reverse("question_change_undo", args=["eggs", question.changes.get().pk])
    assert admin_client.post(undo).status_code == 302
    question.refresh_from_db()
    assert question.reference_answer != "777" and question.choices == []
    assert admin_client.post(undo).status_code == 409


def test_a_change_of_somebody_else_meanwhile_is_shown_and_what_was_typed_stays(
    project: Project, question: Question, admin_client: Client, admin_user: User
) -> None:
    edit = reverse("question_edit", args=["eggs", question.pk])
    mine = form_of(question, reference_answer="my answer")
    change_question(project, admin_user, question.pk, {"reference_answer": "their answer"})
    answer = admin_client.post(edit, mine)
    shown = answer.content.decode()
    assert answer.status_code == 409
    assert "my answer" in shown and "their answer" in shown
    question.refresh_from_db()
    assert question.reference_answer == "their answer"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [({"text": "\u200b \u2060"}, "empty"), ({"choices": "[1, 2]"}, "list of texts")],
)
def test_what_cannot_be_is_said_in_the_form_which_keeps_the_rest(
    project: Project, question: Question, admin_client: Client, wrong: dict[str, str], why: str
) -> None:
    edit = reverse("question_edit", args=["eggs", question.pk])
    answer = admin_client.post(edit, form_of(question, domain="typed here", **wrong))
    assert answer.status_code == 400 and why in answer.content.decode()
    assert "typed here" in answer.content.decode()
    assert not QuestionChange.objects.exists()


def test_a_reviewer_may_read_the_history_and_change_nothing(
    project: Project, question: Question, reviewer_client: Client
) -> None:
    edit = reverse("question_edit", args=["eggs", question.pk])
    assert reviewer_client.get(edit).status_code == 403
    assert (
        edit
        not in reviewer_client.get(reverse("question", args=["eggs", question.pk])).content.decode()
    )


def test_the_api_changes_lists_and_undoes(
    project: Project, question: Question, admin_user: User
) -> None:
    caller = Caller(admin_user)
    was = caller.get(f"questions/{question.pk}")
    body = {"reference_answer": "5", "other_answers": ["five"], "version": was["version"]}
    now = caller.call("PATCH", f"questions/{question.pk}", body)
    assert (now["reference_answer"], now["other_answers"]) == ("5", ["five"])
    assert now["scores_wait"] and now["version"] > was["version"]
    caller.call("PATCH", f"questions/{question.pk}", body)  # a retry: nothing is left to do
    caller.call("PATCH", f"questions/{question.pk}", {**body, "domain": "late"}, status=409)
    caller.call("PATCH", f"questions/{question.pk}", {"split": "nowhere"}, status=400)
    (change,) = caller.get(f"questions/{question.pk}/changes")["items"]
    assert change["after"] == {"reference_answer": "5", "other_answers": ["five"]}
    assert (change["by"], change["undone"]) == ("ada", False)
    caller.post(f"question-changes/{change['id']}/undo")
    assert caller.get(f"questions/{question.pk}")["reference_answer"] == was["reference_answer"]
    caller.post(f"question-changes/{change['id']}/undo", status=409)


def test_a_null_takes_the_reference_away_and_nothing_is_graded(
    project: Project, question: Question, admin_user: User
) -> None:
    Caller(admin_user).call("PATCH", f"questions/{question.pk}", {"reference_answer": None})
    score_all(project)
    assert set(Score.objects.values_list("verdict", flat=True)) == {"no_reference"}


def test_the_import_page_lists_what_differs_and_takes_it_over_by_a_button(
    project: Project, admin_client: Client
) -> None:
    imported(project, OLD)
    job = imported(project, NEW)
    shown = admin_client.get(reverse("import_detail", args=["eggs", job.pk])).content.decode()
    assert "Known questions that differ" in shown and "Take them over" in shown
    again = admin_client.post(reverse("import_again", args=["eggs", job.pk]), {"take_over": "text"})
    run_import(int(again["Location"].rstrip("/").rsplit("/", 1)[1]))
    assert project.questions.get().reference_answer == "42"


# ---- one spelling


def test_two_spellings_of_one_text_are_one_question_and_one_rationale(project: Project) -> None:
    other = json.loads(json.dumps(TALK))
    other["question"] = "Combien de caf\u00e9s ?"
    other["rationales"][0]["text"] = "1 + 2 = 3.  \n\nThe answer is 3. "
    job = imported(project, TALK, other)
    assert (job.questions_added, job.questions_known, job.rationales_added) == (1, 1, 1)
    assert project.questions.get().text == "Combien de caf\u00e9s ?"
    assert Rationale.objects.get().text == "1 + 2 = 3.\nThe answer is 3."
