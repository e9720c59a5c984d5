"""The pages that delete and restore, and what a deleted project is to everybody. E10, A1, A5."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from curation.api.core.tokens import make_token
from curation.dashboard.home import projects_of
from curation.errors import Conflict
from curation.projects.deletion import STOPPED, delete_project, deleted_projects, restore_project
from curation.projects.models import Membership, Project, User
from curation.projects.services import create_project
from curation.questions.models import Deletion, Question
from curation.rationales.models import GenerationRun, Rationale, ScoringRun
from curation.reviews.models import Seat
from curation.reviews.queue.assignments import unassign_those_who_left
from curation.reviews.queue.claims import claim
from tests.curation.test_attacks import all_rows

pytestmark = pytest.mark.django_db

AT = "/projects/eggs/"


def deletion_of(answer: Any) -> Deletion:
    assert answer.status_code == 302, answer.content
    return Deletion.objects.get(pk=answer["Location"].rstrip("/").rpartition("/")[2])


def test_a_question_is_deleted_on_its_page_and_restored_on_the_next(
    admin_client: Client, questions: list[Question]
) -> None:
    at = f"{AT}questions/{questions[0].pk}/"
    assert f"{at}delete" in admin_client.get(at).content.decode()
    deletion = deletion_of(admin_client.post(f"{at}delete"))
    assert admin_client.get(at).status_code == 404
    page = admin_client.get(f"{AT}deleted/{deletion.pk}/").content.decode()
    assert "Restore" in page and "Ann has 1 eggs" in page
    assert f"Question {questions[0].pk}" in admin_client.get(f"{AT}deleted/").content.decode()
    deletion_of(admin_client.post(f"{AT}deleted/{deletion.pk}/restore"))
    assert admin_client.get(at).status_code == 200
    again = admin_client.post(f"{AT}deleted/{deletion.pk}/restore")
    assert again.status_code == 409


def test_a_rationale_is_deleted_on_the_page_of_its_question(
    admin_client: Client, questions: list[Question]
) -> None:
    rationale = Rationale.objects.filter(question=questions[0]).first()
    at = f"{AT}questions/{questions[0].pk}/"
    assert f"rationale-{rationale.pk}" in admin_client.get(at).content.decode()
    deletion = deletion_of(admin_client.post(f"{AT}rationales/{rationale.pk}/delete"))
    assert f"rationale-{rationale.pk}" not in admin_client.get(at).content.decode()
    assert rationale.text[:20] in admin_client.get(f"{AT}deleted/{deletion.pk}/").content.decode()


def test_all_that_a_list_keeps_is_previewed_and_deleted(
    admin_client: Client, questions: list[Question], make_questions: Callable[..., Any]
) -> None:
    make_questions(1, domain="bakery")
    listed = admin_client.get(f"{AT}questions/?domain=shop").content.decode()
    assert 'action="/projects/eggs/deleted/new/"' in listed
    preview = admin_client.get(f"{AT}deleted/new/?kind=questions&domain=shop")
    told = preview.context["counted"]
    assert (told.total, told.rationales) == (3, 6) and "Delete 3 questions" in str(preview.content)
    order = {"kind": "questions", "domain": "shop", "newest": told.until, "why": "doubles"}
    deletion = deletion_of(admin_client.post(f"{AT}deleted/new/", order))
    assert (deletion.deleted, deletion.why) == (3, "doubles")
    one = {"one": questions[1].pk}
    deletion_of(admin_client.post(f"{AT}deleted/{deletion.pk}/restore", one))
    assert Question.objects.filter(project__slug="eggs").count() == 2
    page = admin_client.get(f"{AT}deleted/{deletion.pk}/").content.decode()
    assert "restored in part" in page and "Restore all 2" in page


@pytest.mark.parametrize(
    "query",
    [
        "",
        "kind=teachers",
        "kind=questions&teacher=1",
        "kind=questions&project=2",
        "kind=rationales&domain=a",
    ],
)
def test_what_no_list_has_is_refused(admin_client: Client, project: Project, query: str) -> None:
    assert admin_client.get(f"{AT}deleted/new/?{query}").status_code == 400


def test_only_admins_delete_and_nobody_in_other_projects(
    admin_client: Client,
    reviewer_client: Client,
    stranger_client: Client,
    questions: list[Question],
) -> None:
    rationale = Rationale.objects.filter(question=questions[0]).first()
    deletion = deletion_of(admin_client.post(f"{AT}questions/{questions[2].pk}/delete"))
    before = all_rows()
    posts = (
        f"questions/{questions[0].pk}/delete",
        f"rationales/{rationale.pk}/delete",
        "deleted/new/",
        *(f"deleted/{deletion.pk}/{what}" for what in ("restore", "cancel", "resume")),
        "settings/delete/",
    )
    gets = (
        "deleted/",
        "deleted/new/?kind=questions",
        f"deleted/{deletion.pk}/",
        "settings/delete/",
    )
    for client, code in ((reviewer_client, 403), (stranger_client, 404)):
        for place in posts:
            assert client.post(AT + place, {"slug": "eggs"}).status_code == code, place
        for place in gets:
            assert client.get(AT + place).status_code == code, place
    own = "/projects/elsewhere/"
    for place in posts[:2] + posts[3:6]:
        assert stranger_client.post(own + place).status_code == 404, place
    assert all_rows() == before
    shown = reviewer_client.get(f"{AT}questions/{questions[0].pk}/").content.decode()
    assert "/delete" not in shown


# A whole project


def test_a_deleted_project_is_gone_for_everybody(
    project: Project,
    admin_user: User,
    admin_client: Client,
    reviewer: User,
    reviewer_client: Client,
    questions: list[Question],
) -> None:
    _, secret = make_token(admin_user, "script", scope="admin", days=1, project=project)
    headers = {"authorization": f"Bearer {secret}"}
    claim(project, reviewer, questions[0])
    wrong = admin_client.post(f"{AT}settings/delete/", {"slug": "egg"})
    assert wrong.status_code == 400 and Project.objects.filter(slug="eggs")
    answer = admin_client.post(f"{AT}settings/delete/", {"slug": "eggs"})
    assert answer.status_code == 302 and answer["Location"] == "/deleted/"
    for client in (admin_client, reviewer_client):
        for place in ("", "questions/", "review/", "settings/", "deleted/", "datasets/"):
            assert client.get(AT + place).status_code == 404, place
    assert Client().get("/api/v1/projects/eggs", headers=headers).status_code == 404
    assert Client().get("/api/v1/projects", headers=headers).json()["items"] == []
    assert not projects_of(admin_user) and not projects_of(reviewer)
    assert not Project.objects.for_user(admin_user)
    assert not Question.objects.for_user(admin_user)


def test_who_led_a_project_restores_it_with_its_members_and_all_that_was_in_it(
    project: Project,
    admin_user: User,
    admin_client: Client,
    reviewer: User,
    reviewer_client: Client,
    stranger_client: Client,
    questions: list[Question],
) -> None:
    Seat.objects.update(assigned_to=reviewer)
    before = all_rows()
    delete_project(project, admin_user)
    unassign_those_who_left()  # the beat's
    assert "Eggs" in admin_client.get("/deleted/").content.decode()
    assert "/deleted/" in admin_client.get("/").content.decode()
    for client in (reviewer_client, stranger_client):
        assert "Eggs" not in client.get("/deleted/").content.decode()
        assert client.post("/deleted/eggs/restore").status_code == 404
    assert admin_client.post("/deleted/eggs/restore").status_code == 302
    assert all_rows() == before
    assert reviewer_client.get(f"{AT}questions/").status_code == 200
    assert admin_client.post("/deleted/eggs/restore").status_code == 404


def test_a_deleted_projects_work_is_stopped_and_its_address_stays_its_own(
    project: Project, admin_user: User
) -> None:
    run = GenerationRun.objects.create(project=project, temperatures=[0.5], status="running")
    scoring = ScoringRun.objects.create(project=project, status="waiting")
    delete_project(project, admin_user)
    for work in (run, scoring):
        work.refresh_from_db()
        assert (work.status, work.error) == ("cancelled", STOPPED)
    with pytest.raises(Conflict, match="taken"):
        create_project(admin_user, "Eggs", "eggs")
    assert restore_project(admin_user, "eggs") == project


def test_a_project_is_deleted_once_and_by_its_admins_alone(
    project: Project, admin_user: User, reviewer: User
) -> None:
    from django.core.exceptions import PermissionDenied

    with pytest.raises(PermissionDenied):
        delete_project(project, reviewer)
    delete_project(project, admin_user)
    with pytest.raises(PermissionDenied):  # nobody is its admin now
        delete_project(project, admin_user)
    assert list(deleted_projects(admin_user)) == [project]
    assert Membership.all_objects.filter(aside=project).count() == 2


def test_a_script_deletes_and_restores(
    project: Project, admin_user: User, questions: list[Question]
) -> None:
    _, secret = make_token(admin_user, "script", scope="admin", days=1)
    headers = {"authorization": f"Bearer {secret}"}

    def ask(verb: str, place: str, body: Any = None) -> Any:
        sent = {"data": body, "content_type": "application/json"} if body is not None else {}
        return getattr(Client(), verb)(f"/api/v1/{place}", headers=headers, **sent)

    one = ask("delete", f"projects/eggs/questions/{questions[0].pk}").json()
    assert (one["deleted"], one["rationales"], one["one"]) == (1, 2, questions[0].pk)
    assert len(ask("get", "projects/eggs/questions").json()["items"]) == 2
    assert len(ask("get", "projects/eggs/rationales").json()["items"]) == 4
    which = {"kind": "rationales", "of_rationales": {"answer": "wrong"}}
    told = ask("post", "projects/eggs/deletions/preview", which).json()
    assert told["total"] == 2
    many = ask("post", "projects/eggs/deletions", {**which, "newest": told["newest"]})
    assert many.status_code == 201 and many.json()["deleted"] == 2
    for made in (one, many.json()):
        back = ask("post", f"projects/eggs/deletions/{made['id']}/restore", {})
        assert back.status_code == 200, back.content
    assert [row["restored"] for row in ask("get", "projects/eggs/deletions").json()["items"]] == [
        2,
        1,
    ]
    assert len(ask("get", "projects/eggs/rationales").json()["items"]) == 6
    assert ask("delete", "projects/eggs").status_code == 204
    assert ask("get", "projects/eggs").status_code == 404
    assert [row["slug"] for row in ask("get", "deleted-projects").json()["items"]] == ["eggs"]
    assert ask("post", "deleted-projects/eggs/restore", {}).json()["role"] == "admin"
