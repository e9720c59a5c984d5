"""Who may create projects, and how much one person may have: by page, by API, and at the same moment."""

import io
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from curation import artifacts
from curation.errors import ServiceError
from curation.jobs import Status
from curation.projects.models import Project, User
from curation.projects.services import create_own_project
from curation.questions.models import QuestionImport
from curation.questions.services import order_import
from curation.web import rate_limit
from tests.conftest import person
from tests.curation.api.api_calls import ROOT, Caller, no_brake, token
from workers.requeue import put_back

__all__ = ["no_brake"]

LINE = b'{"question": "How many?", "reference_answer": "3"}\n'
NEW = reverse("project_new")


@pytest.fixture
def ada(project: Project, admin_user: User) -> Caller:
    return Caller(admin_user)


def upload_by_page(client: Client, content: bytes = LINE) -> Any:
    return client.post(
        reverse("import_new", args=["eggs"]), {"file": io.BytesIO(content), "split": "train"}
    )


def upload_by_api(who: Caller, content: bytes = LINE) -> Any:
    file = io.BytesIO(content)
    file.name = "a.jsonl"
    place = f"{ROOT}/projects/eggs/imports"
    return who.client.post(place, {"file": file}, headers=who.headers)


def at_once(works: list[Callable[[], Any]]) -> list[Any]:
    """Each in a thread of its own, begun together; what it gave, or the error that it raised."""
    begin = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        try:
            begin.wait()
            return work()
        except ServiceError as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def test_who_is_not_marked_creates_no_project_and_is_told_whom_to_ask(
    project: Project, reviewer: User, reviewer_client: Client
) -> None:
    for answer in (reviewer_client.get(NEW), reviewer_client.post(NEW, {"name": "Mine"})):
        assert answer.status_code == 403
        assert "Ask the person who runs this Chainwright" in answer.content.decode()
    rudi = Caller(reviewer)
    assert "Ask the person" in rudi.post("/projects", {"name": "Mine"}, status=403)["detail"]
    assert rudi.get("/me")["may_create_projects"] is False
    assert Project.objects.count() == 1


def test_the_button_is_shown_to_those_who_may_alone(
    project: Project, admin_client: Client, reviewer_client: Client
) -> None:
    assert NEW in admin_client.get("/").content.decode()
    assert NEW not in reviewer_client.get("/").content.decode()
    lonely = Client()
    lonely.force_login(person("lonely"))
    html = lonely.get("/").content.decode()
    assert NEW not in html and "Ask an admin of a project" in html


def test_an_installation_may_let_everybody_create_projects(
    project: Project, reviewer: User, reviewer_client: Client, settings: Any
) -> None:
    settings.WHO_CREATES_PROJECTS = "everybody"
    assert NEW in reviewer_client.get("/").content.decode()
    assert reviewer_client.post(NEW, {"name": "Mine"}).status_code == 302
    Caller(reviewer).post("/projects", {"name": "Mine too"}, status=201)
    assert Project.objects.filter(created_by=reviewer).count() == 2


def test_the_operator_marks_people(project: Project, reviewer: User) -> None:
    out = {"stdout": io.StringIO(), "stderr": io.StringIO()}
    call_command("change_person", "rudi", "--may-create-projects", **out)
    Caller(reviewer).post("/projects", {"name": "Mine"}, status=201)
    call_command("change_person", "rudi", "--no-may-create-projects", **out)
    Caller(reviewer).post("/projects", {"name": "More"}, status=403)
    call_command("add_person", "rita", may_create_projects=True, **out)
    assert User.objects.get(username="rita").may_create_projects
    with pytest.raises(CommandError, match="Nobody signs in"):
        call_command("change_person", "nobody", "--may-create-projects", **out)


def test_the_admin_of_the_quickstart_may_create_projects(db: None) -> None:
    from curation.management.commands.quickstart import Command

    Command().people()
    assert User.objects.get(username="admin").may_create_projects
    assert not User.objects.get(username="reviewer").may_create_projects


def test_a_person_has_so_many_projects(
    project: Project, ada: Caller, admin_client: Client, admin_user: User, settings: Any
) -> None:
    settings.PROJECTS_PER_PERSON = 2
    assert admin_client.post(NEW, {"name": "Two"}).status_code == 302
    refused = admin_client.post(NEW, {"name": "Three"})
    assert refused.status_code == 400
    assert "ada has created 2 projects" in refused.content.decode()
    assert "PROJECTS_PER_PERSON" in ada.post("/projects", {"name": "Three"}, status=409)["detail"]
    # Nobody fills it up for them: what others made, they may lead.
    boss = person("boss", may_create_projects=True)
    create_own_project(boss, "Theirs").memberships.create(user=admin_user, role="admin")
    Project.objects.get(slug="theirs").memberships.filter(user=boss).delete()
    admin_client.post(reverse("project_delete", args=["two"]), {"slug": "two"})
    assert admin_client.post(NEW, {"name": "Three"}).status_code == 302
    # A deleted one comes back only where there is room.
    restore = reverse("project_restore", args=["two"])
    assert admin_client.post(restore).status_code == 409
    assert not Project.objects.filter(slug="two").exists()
    Project.objects.get(slug="three").delete()
    assert admin_client.post(restore).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_of_two_projects_at_once_only_as_many_are_made_as_one_may_have(
    admin_user: User, settings: Any
) -> None:
    settings.PROJECTS_PER_PERSON = 2
    made = at_once([lambda n=n: create_own_project(admin_user, f"P {n}") for n in range(6)])
    assert sum(isinstance(one, Project) for one in made) == 2 == Project.objects.count()


def test_imports_under_way_are_bounded_on_page_and_api(
    ada: Caller, admin_client: Client, settings: Any
) -> None:
    settings.IMPORTS_UNDER_WAY = 2
    assert upload_by_page(admin_client).status_code == 302
    assert upload_by_api(ada).status_code == 202
    before = artifacts.files_in("imports")
    page, api = upload_by_page(admin_client), upload_by_api(ada)
    assert page.status_code == 400 and api.status_code == 409
    assert "You have 2 imports under way" in page.content.decode()
    assert "You have 2 imports under way" in api.json()["detail"]
    ada.post("questions", {"questions": [{"question": "How many?"}]}, status=409)
    assert artifacts.files_in("imports") == before
    QuestionImport.objects.update(status=Status.DONE)
    assert upload_by_page(admin_client).status_code == 302


def test_stored_bytes_are_bounded_on_page_and_api(
    ada: Caller, admin_client: Client, admin_user: User, settings: Any
) -> None:
    settings.UPLOAD_BYTES_PER_PERSON = 2 * len(LINE) + 10
    assert upload_by_page(admin_client).status_code == 302
    assert upload_by_api(ada).status_code == 202
    assert QuestionImport.objects.first().size == len(LINE)
    before = artifacts.files_in("imports")
    page, api = upload_by_page(admin_client), upload_by_api(ada)
    assert page.status_code == api.status_code == 400
    for text in (page.content.decode(), api.json()["detail"]):
        assert "does not fit" in text and "7 days" in text
    done = QuestionImport.objects.first()
    QuestionImport.objects.update(status=Status.DONE, finished_at=timezone.now())
    ada.post(f"imports/{done.pk}/again", {}, status=400)  # a copy of the file counts, too
    assert artifacts.files_in("imports") == before
    # Another person, and the operator by a command, have their own.
    order_import(Project.objects.get(slug="eggs"), None, io.BytesIO(LINE), "a.jsonl")


def test_files_of_ended_imports_make_room_after_some_days(
    ada: Caller, admin_client: Client, settings: Any
) -> None:
    settings.UPLOAD_BYTES_PER_PERSON = 2 * len(LINE)
    for _ in range(2):
        upload_by_api(ada)
    old, new = QuestionImport.objects.order_by("id")
    long_ago = timezone.now() - timedelta(days=8)
    QuestionImport.objects.filter(pk=old.pk).update(status=Status.DONE, finished_at=long_ago)
    QuestionImport.objects.filter(pk=new.pk).update(
        created_at=long_ago, heartbeat_at=timezone.now()
    )
    put_back()
    assert not artifacts.exists(old.artifact) and artifacts.exists(new.artifact)
    old.refresh_from_db()
    assert old.artifact == ""
    assert upload_by_api(ada).status_code == 202
    gone = ada.post(f"imports/{old.pk}/again", {}, status=409)
    assert "send it again" in gone["detail"]
    assert admin_client.get(reverse("import_detail", args=["eggs", old.pk])).status_code == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("bound", ["IMPORTS_UNDER_WAY", "UPLOAD_BYTES_PER_PERSON"])
def test_of_imports_at_once_only_as_many_are_ordered_as_one_may_have(
    project: Project, admin_user: User, settings: Any, bound: str
) -> None:
    setattr(settings, bound, 2 if bound == "IMPORTS_UNDER_WAY" else 2 * len(LINE))
    before = len(artifacts.files_in("imports"))
    made = at_once(
        [lambda: order_import(project, admin_user, io.BytesIO(LINE), "a.jsonl") for _ in range(6)]
    )
    assert (
        sum(isinstance(one, QuestionImport) for one in made) == 2 == QuestionImport.objects.count()
    )
    assert len(artifacts.files_in("imports")) == before + 2


def test_imports_have_a_pace_on_page_and_api_together(
    ada: Caller, admin_client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.IMPORTS_PER_HOUR = 2
    monkeypatch.setattr(rate_limit.IMPORTS, "window", 24 * 3600)
    assert upload_by_page(admin_client).status_code == 302
    assert upload_by_api(ada).status_code == 202
    page, api = upload_by_page(admin_client), upload_by_api(ada)
    assert page.status_code == api.status_code == 429
    assert int(page["Retry-After"]) > 0 and int(api["Retry-After"]) > 0
    assert (
        "Too many imports" in page.content.decode() and "Too many imports" in api.json()["detail"]
    )
    body = json.dumps({"questions": [{"question": "How many?"}]})
    headers = {"authorization": f"Bearer {token(User.objects.get(username='ada'))}"}
    answer = Client().post(
        f"{ROOT}/projects/eggs/questions", body, content_type="application/json", headers=headers
    )
    assert answer.status_code == 429
    assert QuestionImport.objects.count() == 2
