"""Attacks on every address at once, read off the address list so that a new one cannot be forgotten.

What each page's own tests try beside this stands in that page's file. The numbers are those of the
list of attacks that the project keeps: A access, B injection, E loses nothing.
"""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, NamedTuple

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.urls import get_resolver, reverse

from curation import celery_app
from curation.datasets.models import GateRun, HeldOutList
from curation.evaluations.models import Evaluation
from curation.projects.models import Membership, Project, User
from curation.projects.saved_views import save_view
from curation.projects.services import add_member, remove_member
from curation.questions.models import Deletion, Question, QuestionImport
from curation.rationales.models import GenerationRun, MeaningSearch, Rationale, Teacher, TeacherTry
from curation.reviews.adjudication.adjudicate import flag_question
from curation.reviews.models import BulkAction, Decision, QueueItem, Review
from curation.reviews.queue.claims import next_item
from curation.webhooks.services import add_hook, send_test
from tests.conftest import person, signed_in
from tests.curation.training.training_rows import frozen, report, training

Make = Callable[..., list[Any]]
VERBS = ("get", "post", "put", "patch", "delete")
BELOW_A_PROJECT = "projects/<slug:slug>/"
# What a reviewer may send; every other address below a project is an admin's to post to.
REVIEWERS_WRITES = {
    "review_read",
    "answer_read",
    "answer_drop",
    "review_submit",
    "review_renew",
    "review_skip",
    "review_undo",
    "review_release",
    "review_ahead",
    "review_flag",
    "review_check",
    *("rationales_save", "questions_save", "view_drop"),  # their own views of a list
    *("meaning", "meaning_like"),  # asks a worker, changes nothing
    "agreement_count",  # figures from reviews, changes nothing else
}


class Address(NamedTuple):
    name: str
    names: tuple[str, ...]


def walk(patterns: Any, before: str = "") -> Iterator[Address]:
    for pattern in patterns:
        place = before + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from walk(pattern.url_patterns, place)
        elif place.startswith(BELOW_A_PROJECT):
            yield Address(pattern.name, tuple(pattern.pattern.converters))


ADDRESSES = tuple(walk(get_resolver().url_patterns))
OBJECTS = tuple(address for address in ADDRESSES if set(address.names) - {"slug"})


@pytest.fixture
def question(make_questions: Make, make_rationales: Make) -> Question:
    (made,) = make_questions(1)
    make_rationales(made, ["right", "wrong"])
    return made


@pytest.fixture
def ids(project: Project, question: Question, teacher: Teacher, reviewer: User) -> Any:
    """For the first word of each address's name: the numbers of a real object in “eggs”."""
    version = frozen(project)
    job = training(project, version, points=1)
    found = report(f"training {job.pk} (approved)")
    evaluation = Evaluation.objects.create(
        project=project, job=job, status="done", report=found, verdict=found["verdict"]
    )
    order = QuestionImport.objects.create(project=project, file_name="rows.jsonl", status="done")
    run = GenerationRun.objects.create(project=project, temperatures=[0.5], samples=1)
    tried = TeacherTry.objects.create(project=project, settings={}, question="How many?")
    flag = flag_question(project, reviewer, question, "ambiguous")
    view = save_view(project, reviewer, "rationales", "wrong ones", {"answer": "wrong"}, True)
    hook = add_hook(project, reviewer, "https://example.org/told")
    many = BulkAction.objects.create(
        project=project, kind="approve", filters={}, until=1, status="done"
    )
    gone = Deletion.objects.create(project=project, kind="questions", until=1, status="done")
    search = MeaningSearch.objects.create(project=project, user=reviewer, text="ducks")
    by_number = {"number": version.number}
    return Ids(
        {
            "member": {"user_id": reviewer.pk},
            "import": {"pk": order.pk},
            "run": {"pk": run.pk},
            "teacher": {"pk": teacher.pk},
            "tried": {"pk": tried.pk},
            "question": {"pk": question.pk},
            "review": {"pk": question.pk},
            "adjudicate": {"pk": question.pk},
            "flag": {"pk": flag.pk},
            "seat": {"pk": question.queue_item.seats.get().pk},
            "view": {"pk": view.pk},
            "bulk": {"pk": many.pk},
            "deletion": {"pk": gone.pk},
            "rationale": {"pk": question.rationales.first().pk},
            "meaning": {"pk": search.pk},
            "liked": {"pk": question.rationales.first().pk},
            "answer": {"pk": question.rationales.first().pk},
            "dataset": by_number,
            "look": {"pk": GateRun.objects.create(project=project, recipe={}, status="done").pk},
            "list": {"pk": HeldOutList.objects.create(project=project, name="b", count=0).pk},
            "download": {**by_number, "form": "jsonl"},
            "training": {"pk": job.pk},
            "waiting": {"kind": "trainingjob", "pk": job.pk},
            "evaluation": {"pk": evaluation.pk},
            "measured": {"pk": job.pk},
            "webhook": {"pk": hook.pk},
            "delivery": {"pk": hook.pk, "delivery_id": send_test(hook).pk},
        }
    )


class Ids(dict):
    """The numbers by address, with the names whose first word says less than the whole."""

    WHOLE = {
        "teacher_tried": "tried",
        "meaning_like": "liked",
        "dataset_download": "download",
        "evaluation_of_training": "measured",
        "webhook_again": "delivery",
    }

    def place(self, address: Address, slug: str = "eggs") -> str:
        given = {}
        if set(address.names) - {"slug"}:
            given = self[self.WHOLE.get(address.name, address.name.split("_")[0])]
        return reverse(address.name, kwargs={**given, "slug": slug})


def all_rows() -> dict[str, list[Any]]:
    """Every row of every app of ours, to see that an attack changed none."""
    return {
        model._meta.label: list(model._base_manager.order_by("pk").values())
        for model in apps.get_models()
        if model.__module__.startswith("curation.")
    }


def test_the_address_list_is_really_walked() -> None:
    assert len(ADDRESSES) > 60 and len(OBJECTS) > 20


@pytest.mark.parametrize("verb", VERBS)
def test_a_stranger_finds_nothing_at_any_address_and_changes_no_row(
    verb: str, ids: Ids, stranger_client: Client, wake_ups: Callable[[str], int]
) -> None:  # A1, A3
    before, woken = all_rows(), [wake_ups(name) for name in celery_app.QUEUES]
    for address in ADDRESSES:
        answer = getattr(stranger_client, verb)(ids.place(address))
        assert answer.status_code in (404, 405), (verb, address.name, answer.status_code)
    assert all_rows() == before
    assert [wake_ups(name) for name in celery_app.QUEUES] == woken


@pytest.mark.parametrize("verb", VERBS)
def test_an_object_of_another_project_is_not_below_ones_own(
    verb: str, ids: Ids, stranger_client: Client, wake_ups: Callable[[str], int]
) -> None:  # A2: the stranger is an admin of “elsewhere” and names what stands in “eggs”
    before, woken = all_rows(), [wake_ups(name) for name in celery_app.QUEUES]
    for address in OBJECTS:
        answer = getattr(stranger_client, verb)(ids.place(address, "elsewhere"))
        refused = (404, 405, 409) if address.name == "member_remove" else (404, 405)
        assert answer.status_code in refused, (verb, address.name, answer.status_code)
    assert all_rows() == before
    assert [wake_ups(name) for name in celery_app.QUEUES] == woken


@pytest.mark.parametrize("address", ADDRESSES, ids=lambda address: address.name)
def test_every_address_lets_some_verb_of_a_stranger_reach_the_404(
    address: Address, ids: Ids, stranger_client: Client
) -> None:
    # An address that answered 405 to everything would pass the tests above without a check.
    found = {
        getattr(stranger_client, verb)(ids.place(address)).status_code for verb in ("get", "post")
    }
    assert 404 in found


def test_nobody_gets_in_without_signing_in(ids: Ids, client: Client) -> None:
    before = all_rows()
    for address in ADDRESSES:
        for verb in ("get", "post"):
            answer = getattr(client, verb)(ids.place(address))
            assert answer.status_code == 302 and answer.url.startswith("/sign-in/"), address.name
    assert all_rows() == before


def test_a_reviewer_posts_to_no_address_of_an_admin(
    ids: Ids, reviewer_client: Client, wake_ups: Callable[[str], int]
) -> None:  # A5
    before, woken = all_rows(), [wake_ups(name) for name in celery_app.QUEUES]
    for address in ADDRESSES:
        if address.name in REVIEWERS_WRITES:
            continue
        answer = reviewer_client.post(ids.place(address))
        assert answer.status_code in (403, 405), (address.name, answer.status_code)
    assert all_rows() == before
    assert [wake_ups(name) for name in celery_app.QUEUES] == woken


def test_a_member_who_is_taken_out_loses_every_address_at_once(
    ids: Ids, project: Project, reviewer: User, reviewer_client: Client
) -> None:  # A8
    assert reviewer_client.get(reverse("dashboard", args=["eggs"])).status_code == 200
    remove_member(project, reviewer.pk)
    for address in ADDRESSES:
        assert reviewer_client.get(ids.place(address)).status_code in (404, 405), address.name


def test_an_admin_made_a_reviewer_loses_an_admins_rights_at_once(
    project: Project, admin_user: User, reviewer: User, admin_client: Client
) -> None:  # A8
    assert admin_client.get(reverse("settings", args=["eggs"])).status_code == 200
    add_member(project, reviewer.username, "admin")
    add_member(project, admin_user.username, "reviewer")
    assert admin_client.get(reverse("settings", args=["eggs"])).status_code == 403


@pytest.mark.parametrize(
    "field", ["role", "is_staff", "project", "status", "score", "decided_by", "reviewer"]
)
def test_a_decision_with_a_field_that_is_not_offered_is_refused(
    field: str, question: Question, reviewer: User, reviewer_client: Client
) -> None:  # A6
    item = next_item(question.project, reviewer).item
    rationale = question.rationales.first()
    says = [{"rationale": rationale.pk, "verdict": "approve", field: "admin"}]
    assert submit(reviewer_client, item, says).status_code == 400
    assert not Review.objects.exists() and not Decision.objects.exists()


def submit(client: Client, item: QueueItem, says: list[dict[str, Any]]) -> Any:
    body = json.dumps({"item": item.pk, "says": says})
    place = reverse("review_submit", args=["eggs"])
    return client.post(place, body, content_type="application/json")


def test_settings_take_no_field_of_a_membership_or_person(
    project: Project, admin_user: User, admin_client: Client
) -> None:  # A6
    fields = {"name": "Eggs", "role": "admin", "is_staff": "on", "is_superuser": "on", "slug": "x"}
    admin_client.post(reverse("settings", args=["eggs"]), fields)
    admin_user.refresh_from_db()
    project.refresh_from_db()
    assert (admin_user.is_staff, admin_user.is_superuser, project.slug) == (False, False, "eggs")
    assert Membership.objects.filter(project=project).count() == 2


def test_a_superseded_rationale_and_a_second_approval_are_conflicts_with_one_row(
    question: Question, reviewer: User, reviewer_client: Client, admin_client: Client
) -> None:  # A7
    item = next_item(question.project, reviewer).item
    rationale = question.rationales.first()
    edit = {"rationale": rationale.pk, "verdict": "edit", "edited_text": "1 + 2 = 3\nAnswer: 3"}
    assert submit(reviewer_client, item, [edit]).status_code == 200
    approval = [{"rationale": rationale.pk, "verdict": "approve"}]
    assert submit(reviewer_client, item, approval).status_code == 409
    assert admin_client.get(reverse("review_question", args=["eggs", question.pk])).status_code in (
        200,
        409,
    )
    assert submit(admin_client, item, approval).status_code == 409
    assert Review.objects.filter(rationale=rationale).count() == 1


WALKS = (
    "project__slug=elsewhere",
    "question__project__memberships__user__password__startswith=p",
    "score__overall__gte=0",
    "text__regex=(a%2B)%2B%24",
    "order_by=author__password",
    "order=-id",
    "pk__in=1",
)


@pytest.mark.parametrize("walk", WALKS)
@pytest.mark.parametrize("name", ["questions", "rationales"])
def test_filters_walk_along_no_relation(
    name: str, walk: str, project: Project, reviewer_client: Client
) -> None:  # B1
    assert reviewer_client.get(f"{reverse(name, args=['eggs'])}?{walk}").status_code == 400


SCRIPT = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"


def test_a_script_in_any_text_is_text_on_every_page(
    ids: Ids, project: Project, teacher: Teacher, admin_client: Client
) -> None:  # B2
    Question.objects.update(text=SCRIPT, domain=SCRIPT[:60])
    Rationale.objects.update(text=SCRIPT)
    Teacher.objects.filter(pk=teacher.pk).update(name=SCRIPT[:60])
    Project.objects.filter(pk=project.pk).update(name=SCRIPT, description=SCRIPT, guidelines=SCRIPT)
    QuestionImport.objects.update(file_name=SCRIPT)
    GenerationRun.objects.update(error=SCRIPT)
    seen = 0
    for address in ADDRESSES:
        if address.name in ("dataset_download", "training_adapter"):
            continue  # attachments, no pages; the rows made here have no files
        answer = admin_client.get(ids.place(address))
        if answer.status_code != 200 or not answer["Content-Type"].startswith("text/html"):
            continue
        page = answer.content.decode()
        assert "<script>alert" not in page and "<img src=x" not in page, address.name
        assert "script-src 'self';" in answer["Content-Security-Policy"] + ";", address.name
        seen += 1
    assert seen > 20


@pytest.mark.parametrize(
    "text",
    ["a\0b", "\u202eevil\u2066", "\x1b[31mred\x1b[0m", "x" * 1_000_000],
    ids=["NUL", "bidi", "ANSI", "one line of 1 MB"],
)
def test_an_edit_with_strange_text_is_kept_or_refused_whole(
    text: str, question: Question, reviewer: User, reviewer_client: Client
) -> None:  # B3
    item = next_item(question.project, reviewer).item
    rationale = question.rationales.first()
    says = [{"rationale": rationale.pk, "verdict": "edit", "edited_text": text}]
    answer = submit(reviewer_client, item, says)
    if "\0" in text or len(text) > 200_000:
        assert answer.status_code == 400 and not Review.objects.exists()
    else:
        assert answer.status_code == 200
        assert Review.objects.get().edited.text == text
        shown = reviewer_client.get(reverse("question", args=["eggs", question.pk]))
        assert shown.status_code == 200


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    """The results of `work(0)` … `work(count - 1)`, begun in the same moment in threads."""
    gate = Barrier(count)

    def one(n: int) -> Any:
        try:
            gate.wait(20)
            return work(n)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


@pytest.mark.django_db(transaction=True)
def test_the_same_decision_sent_at_once_by_four_tabs_counts_once(
    question: Question, reviewer: User
) -> None:  # E1, A7
    item = next_item(question.project, reviewer).item
    says = [{"rationale": c.pk, "verdict": "approve"} for c in question.rationales.all()]
    clients = [signed_in(reviewer) for _ in range(4)]
    answers = at_once(4, lambda n: submit(clients[n], item, says).status_code)
    assert sorted(answers) == [200, 409, 409, 409]
    assert Review.objects.count() == Decision.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_ten_reviewers_who_draw_at_once_get_ten_questions(
    project: Project, make_questions: Make, make_rationales: Make
) -> None:  # E2
    for one in make_questions(12):
        make_rationales(one, ["right", "wrong"])
    people = [person(f"reviewer-{n}") for n in range(10)]
    for one in people:
        add_member(project, one.username, "reviewer")
    drawn = at_once(10, lambda n: next_item(project, people[n]).item_id)
    assert len(set(drawn)) == 10


def test_what_was_taken_back_stays_in_the_history_as_it_was(
    question: Question, reviewer: User, reviewer_client: Client
) -> None:  # E10
    item = next_item(question.project, reviewer).item
    rationale = question.rationales.first()
    submit(reviewer_client, item, [{"rationale": rationale.pk, "verdict": "approve"}])
    (said,) = Review.objects.values()
    reviewer_client.post(
        reverse("review_undo", args=["eggs"]), "{}", content_type="application/json"
    )
    (after,) = Review.objects.values()
    assert after.pop("withdrawn_at") is not None and said.pop("withdrawn_at") is None
    assert after == said and not Decision.objects.exists()
