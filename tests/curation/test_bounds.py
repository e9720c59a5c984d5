"""What one member can make is bounded: teachers, flags, what they write, and what they keep."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from curation.errors import Conflict, Invalid, TooMany
from curation.jobs import Status
from curation.projects import saved_views
from curation.projects.models import Project, Role, Rubric, User
from curation.projects.saved_views import save_view
from curation.projects.services import change_rubric
from curation.questions.models import Question, QuestionImport
from curation.questions.services import order_import
from curation.rationales.importing import run_import
from curation.rationales.models import GenerationRun, Rationale, Teacher
from curation.rationales.semantic_search import searches
from curation.rationales.teachers import trial
from curation.reviews.adjudication import adjudicate
from curation.reviews.models import QuestionFlag
from curation.reviews.queue.claims import next_item
from curation.reviews.submission import submit
from curation.reviews.submission.undo import undo
from curation.web import rate_limit
from curation.webhooks import services as webhooks
from tests.conftest import person
from tests.curation.api.api_calls import Caller, no_brake
from tests.curation.test_shares import at_once

__all__ = ["no_brake"]
Make = Callable[..., list[Any]]


@pytest.fixture
def rudi(project: Project, reviewer: User) -> Caller:
    return Caller(reviewer)


def row(n: int, *teachers: str) -> dict[str, Any]:
    rationales = [{"teacher": name, "text": f"{n} is it.\nAnswer: {n}"} for name in teachers]
    return {"question": f"Which is {n}?", "reference_answer": str(n), "rationales": rationales}


def import_rows(project: Project, user: User | None, *rows: dict[str, Any]) -> QuestionImport:
    file = io.BytesIO("\n".join(json.dumps(one) for one in rows).encode())
    job = order_import(project, user, file, "rows.jsonl", preset="chainwright")
    return run_import(job.pk, score=False)


def test_one_row_makes_no_more_teachers_than_a_project_may_have(
    project: Project, teacher: Teacher, admin_client: Client, settings: Any
) -> None:
    settings.TEACHERS_PER_PROJECT = 5
    many = [f"name {n}" for n in range(5000)]
    job = import_rows(project, None, row(1, "strong", "a"), row(2, *many))
    assert job.status == Status.FAILED
    for words in (
        "Line 2",
        "'name 3'",
        "5 that a project may have",
        "1 were there",
        "same teacher",
    ):
        assert words in job.error
    assert project.teachers.count() == 1 and not project.questions.exists()
    page = admin_client.get(reverse("import_detail", args=["eggs", job.pk])).content.decode()
    assert "Line 2 names the teacher" in page
    assert import_rows(project, None, row(1, "strong", "a", "b", "c", "d")).status == Status.DONE


def test_a_question_of_the_api_is_bounded_alike(
    project: Project, admin_user: User, settings: Any
) -> None:
    settings.TEACHERS_PER_PROJECT = 2
    ada = Caller(admin_user)
    job = ada.post("questions", {"questions": [row(1, "a", "b", "c")]}, status=202)
    run_import(job["id"])
    assert "Line 1 names the teacher 'c'" in ada.get(f"imports/{job['id']}")["error"]


@pytest.mark.django_db(transaction=True)
def test_imports_at_once_make_no_more_teachers_together(project: Project, settings: Any) -> None:
    settings.TEACHERS_PER_PROJECT = 4
    jobs = at_once(
        [lambda n=n: import_rows(project, None, row(n, f"{n} a", f"{n} b")) for n in range(4)]
    )
    assert sum(job.status == Status.DONE for job in jobs) == 2
    assert project.teachers.count() == 4
    assert all("teachers" in job.error or "teacher" in job.error for job in jobs if job.error)


def test_teachers_by_page_and_api_are_bounded(
    project: Project, teacher: Teacher, admin_user: User, admin_client: Client, settings: Any
) -> None:
    settings.TEACHERS_PER_PROJECT = 1
    ada = Caller(admin_user)
    refused = ada.post("teachers", {"name": "b", "model": "demo:wordy"}, status=409)
    assert "at most 1 teachers" in refused["detail"]
    assert project.teachers.count() == 1
    teacher.max_tokens = 99  # one that is there can still be changed
    from curation.rationales.teachers.services import save_teacher

    save_teacher(project, teacher)
    with pytest.raises(Conflict):
        save_teacher(project, Teacher(name="b", model="demo:wordy"))


def test_a_run_asks_for_no_more_than_it_may(
    project: Project, make_questions: Make, teacher: Teacher, admin_user: User, settings: Any
) -> None:
    settings.SLOTS_PER_RUN = 10
    make_questions(2)
    ada = Caller(admin_user)
    order = {"teachers": ["strong"], "temperatures": [0.0, 0.5], "samples": 5}
    assert "would ask for 12" in ada.post("runs", order, status=400)["detail"]
    assert not GenerationRun.objects.exists()
    ada.post("runs", {**order, "samples": 4}, status=201)


def flag_by_page(client: Client, question: Question, **fields: str) -> Any:
    return client.post(
        reverse("review_flag", args=["eggs"]),
        json.dumps({"item": question.queue_item.pk, **fields}),
        content_type="application/json",
    )


def test_flags_of_a_person_on_a_question_are_bounded(
    questions: list[Question],
    rudi: Caller,
    reviewer_client: Client,
    admin_client: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(adjudicate, "MAX_FLAGS_OF_A_QUESTION", 3)
    place = f"questions/{questions[0].pk}/flags"
    for _ in range(3):  # taken back each time: the rows stay
        made = rudi.post(place, {"kind": "ambiguous"}, status=201)
        rudi.call("DELETE", f"flags/{made['id']}", status=204)
    refused = rudi.post(place, {"kind": "other", "comment": "x"}, status=409)
    assert "flagged this question 3 times" in refused["detail"]
    page = flag_by_page(reviewer_client, questions[0], kind="ambiguous")
    assert page.status_code == 409 and "3 times" in page.json()["error"]
    assert flag_by_page(reviewer_client, questions[1], kind="ambiguous").status_code == 200
    assert flag_by_page(admin_client, questions[0], kind="ambiguous").status_code == 200
    assert QuestionFlag.objects.count() == 5


def test_open_flags_of_a_person_their_pace_and_their_text_are_bounded(
    questions: list[Question],
    rudi: Caller,
    reviewer_client: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(adjudicate, "MAX_OPEN_FLAGS", 1)
    assert flag_by_page(reviewer_client, questions[0], kind="ambiguous").status_code == 200
    assert (
        flag_by_page(reviewer_client, questions[0], kind="ambiguous", comment="a").status_code
        == 200
    )
    page = flag_by_page(reviewer_client, questions[1], kind="ambiguous")
    assert page.status_code == 409 and "wait for an admin" in page.json()["error"]
    long = {"kind": "other", "comment": "x" * 2001}
    rudi.post(f"questions/{questions[0].pk}/flags", long, status=400)
    assert flag_by_page(reviewer_client, questions[0], **long).status_code == 400
    monkeypatch.setattr(rate_limit.FLAGS, "most", 1)
    monkeypatch.setattr(rate_limit.FLAGS, "window", 24 * 3600)
    flag_by_page(reviewer_client, questions[0], kind="ambiguous")
    assert flag_by_page(reviewer_client, questions[0], kind="ambiguous").status_code == 429
    rudi.post(f"questions/{questions[0].pk}/flags", {"kind": "ambiguous"}, status=429)


def test_what_a_person_writes_for_a_question_and_takes_back_is_bounded(
    project: Project, questions: list[Question], reviewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submit, "MAX_WRITTEN", 2)
    own = submit.ReviewInput(None, "approve", edited_text="She has 3 eggs.\nAnswer: 3")
    item = next_item(project, reviewer).item
    for _ in range(2):
        submit.submit(project, reviewer, item.pk, [own])
        undo(project, reviewer)
    with pytest.raises(Conflict, match="written 2 rationales"):
        submit.submit(project, reviewer, item.pk, [own])
    assert Rationale.all_objects.filter(author=reviewer).count() == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["view", "token", "webhook", "try", "search"])
def test_what_is_kept_is_bounded_also_for_those_who_come_at_once(
    kind: str, project: Project, admin_user: User, teacher: Teacher, monkeypatch: pytest.MonkeyPatch
) -> None:
    from curation.api.core import tokens as api_tokens

    monkeypatch.setattr(saved_views, "MOST", 2)
    monkeypatch.setattr(api_tokens, "MAX_TOKENS", 2)
    monkeypatch.setattr(webhooks, "MAX_HOOKS", 2)
    monkeypatch.setattr(trial, "OPEN_AT_ONCE", 2)
    monkeypatch.setattr(searches, "OPEN_AT_ONCE", 2)
    make = {
        "view": lambda n: save_view(project, admin_user, "questions", f"v{n}", {"q": "a"}, False),
        "token": lambda n: api_tokens.make_token(admin_user, f"t{n}", scope="read", days=1),
        "webhook": lambda n: webhooks.add_hook(project, admin_user, f"https://example.org/{n}"),
        "try": lambda n: trial.order_try(project, admin_user, teacher, "How many?"),
        "search": lambda n: searches.order_search(project, admin_user, text="eggs"),
    }[kind]
    made = at_once([lambda n=n: make(n) for n in range(6)])
    refused = [one for one in made if isinstance(one, Conflict | Invalid)]
    assert len(refused) == 4, made


def test_rows_that_stay_for_good_have_a_pace(
    project: Project, admin_user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from curation.api.core import tokens as api_tokens

    for limit in (rate_limit.NEW_TOKENS, rate_limit.NEW_WEBHOOKS, rate_limit.NEW_RUBRICS):
        monkeypatch.setattr(limit, "most", 2)
        monkeypatch.setattr(limit, "window", 24 * 3600)
    for n in range(2):
        api_tokens.revoke(
            admin_user, api_tokens.make_token(admin_user, "t", scope="read", days=1)[0].pk
        )
        webhooks.remove_hook(webhooks.add_hook(project, admin_user, "https://example.org/a"))
        change_rubric(project, admin_user, min_validity=0.1 * (n + 1))
    with pytest.raises(TooMany):
        api_tokens.make_token(admin_user, "t", scope="read", days=1)
    with pytest.raises(TooMany):
        webhooks.add_hook(project, admin_user, "https://example.org/a")
    with pytest.raises(TooMany):
        change_rubric(project, admin_user, min_validity=0.9)
    assert Rubric.objects.filter(project=project).count() == 3
    other = person("olga")  # nobody else is held up
    project.memberships.create(user=other, role=Role.ADMIN)
    change_rubric(project, other, min_validity=0.9)
