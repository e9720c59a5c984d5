"""A key is named by its environment variable. What is no such name, a pasted key, gets in nowhere."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from curation.errors import Invalid
from curation.projects.models import Project, User
from curation.rationales.models import Judge, Teacher, TeacherTry
from curation.rationales.teachers.services import save_teacher
from curation.rationales.teachers.trial import order_try
from tests.conftest import REPOSITORY
from tests.curation.api.api_calls import Caller

PASTED = [
    "sk-proj-abc123DEF456",
    "hf_abcdefghijkl",
    "AKIAIOSFODNN7EXAMPLE",
    "PATH",
    "SECRET_KEY",
    "DATABASE_URL",
    "AWS_SECRET_ACCESS_KEY",
    "far_api_key",
    "$FAR_API_KEY",
    "FAR_API_KEY=sk-abc",
    "FAR_API_KEY\n",
    "_API_KEY",
]
FAR = {"name": "far", "backend": "openai", "model": "m", "base_url": "https://example.org/v1"}
FORM = {**FAR, "prompt_style": "plain", "max_tokens": "300", "top_p": "1", "price_in": "0",
        "price_out": "0"}  # fmt: skip


def assert_refused(answer: Any, pasted: str) -> None:
    """Refused with what to do, and what was pasted is not shown again."""
    said = answer.content.decode()
    assert "SOMETHING_API_KEY" in said and f'value="{pasted}"' not in said
    assert pasted in "SOMETHING_API_KEY" or pasted not in said
    assert not Teacher.objects.exists() and not Judge.objects.exists()
    assert not TeacherTry.objects.exists()


@pytest.mark.parametrize("pasted", [one for one in PASTED if one.strip() == one])
def test_no_page_takes_it(project: Project, admin_client: Client, pasted: str) -> None:
    for address, status in (("teacher_new", 400), ("teacher_try", 200), ("judge", 400)):
        form = FORM | {"api_key_env": pasted, "kind": "chat", "question": "1 + 1?"}
        answer = admin_client.post(reverse(address, args=[project.slug]), form)
        assert answer.status_code == status
        assert_refused(answer, pasted)


@pytest.mark.parametrize("pasted", [one for one in PASTED if one.strip() == one])
def test_the_api_does_not_take_it(project: Project, admin_user: User, pasted: str) -> None:
    caller = Caller(admin_user)
    said = caller.post("teachers", FAR | {"api_key_env": pasted}, status=400)
    assert "SOMETHING_API_KEY" in str(said) and not Teacher.objects.exists()
    made = caller.post("teachers", FAR, status=201)
    said = caller.call("PATCH", f"teachers/{made['id']}", {"api_key_env": pasted}, status=400)
    assert "SOMETHING_API_KEY" in str(said) and Teacher.objects.get().api_key_env == ""


@pytest.mark.parametrize("pasted", PASTED)
def test_no_service_and_no_row_takes_it(project: Project, admin_user: User, pasted: str) -> None:
    with pytest.raises(Invalid, match="SOMETHING_API_KEY"):
        save_teacher(project, Teacher(**FAR, api_key_env=pasted))
    with pytest.raises(Invalid, match="SOMETHING_API_KEY"):
        order_try(project, admin_user, Teacher(**FAR, api_key_env=pasted), "")
    teacher = save_teacher(project, Teacher(**FAR, api_key_env="FAR_API_KEY"))
    judge = Judge.objects.create(
        project=project, name="j", model="m", base_url="https://example.org",
        api_key_env="CHAINWRIGHT_KEY_J",
    )  # fmt: skip
    for row, name in (
        (teacher, "a_teacher_names_its_key_and_holds_none"),
        (judge, "a_judge_names_its_key_and_holds_none"),
    ):
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            type(row).objects.filter(pk=row.pk).update(api_key_env=pasted)


@pytest.mark.parametrize(
    "address",
    [
        "https://sk-proj-abc123@example.org/v1",
        "https://user:sk-proj-abc123@example.org/v1",
        "sk-proj-abc123@example.org/v1",
        "https://example.org/v1?api_key=sk-proj-abc123",
        "https://example.org/v1#sk-proj-abc123",
        "https://sk-proj-abc123@",
    ],
)
def test_no_address_holds_one(project: Project, admin_user: User, address: str) -> None:
    browser = Client()
    browser.force_login(admin_user)
    form = FORM | {"base_url": address, "kind": "chat", "question": "1 + 1?"}
    for page, status in (("teacher_new", 400), ("teacher_try", 200), ("judge", 400)):
        answer = browser.post(reverse(page, args=[project.slug]), form)
        said = answer.content.decode()
        assert answer.status_code == status and "sk-proj" not in said, page
        assert "a key is never part of it" in said or "valid URL" in said
    caller = Caller(admin_user)
    said = str(caller.post("teachers", FAR | {"base_url": address}, status=400))
    assert "base_url" in said and "sk-proj" not in said
    for refused in (
        lambda: save_teacher(project, Teacher(**FAR | {"base_url": address})),
        lambda: order_try(project, admin_user, Teacher(**FAR | {"base_url": address}), ""),
    ):
        with pytest.raises(Invalid) as error:
            refused()
        assert "sk-proj" not in str(error.value)
    assert not (Teacher.objects.exists() or Judge.objects.exists() or TeacherTry.objects.exists())
    made = caller.post("teachers", FAR, status=201)
    caller.call("PATCH", f"teachers/{made['id']}", {"base_url": address}, status=400)
    assert Teacher.objects.get().base_url == FAR["base_url"]


STEPS = """
import django
django.setup()
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

before = [("rationales", "0012_order_keys_of_a_person")]
call_command("migrate", *before[0], verbosity=0)
old = MigrationExecutor(connection).loader.project_state(before).apps.get_model
project = old("projects", "Project").objects.create(slug="eggs", name="Eggs")
question = old("questions", "Question").objects.create(project=project, text="How many?")
for number, key in enumerate(("", "FAR_API_KEY", "sk-pasted", "FAR_KEY")):
    teacher = old("rationales", "Teacher").objects.create(
        project=project, name=f"t{number}", api_key_env=key
    )
    old("rationales", "TeacherTry").objects.create(
        project=project, settings={"name": "t", "api_key_env": key}, question="?",
        error="'sk-pasted' cannot name a key: the variable must be called so." if number == 2 else "",
    )
old("rationales", "Judge").objects.create(project=project, name="j", api_key_env="sk-pasted")
run = old("rationales", "GenerationRun").objects.create(project=project, temperatures=[0.5])
old("rationales", "Slot").objects.create(
    run=run, question=question, teacher=teacher, temperature=0.5, sample=0, status="failed",
    error="'sk-pasted' cannot name a key: the variable must be called so.",
)
call_command("migrate", verbosity=0)
call_command("migrate", *before[0], verbosity=0)  # and back
call_command("migrate", verbosity=0)

from curation.rationales.models import Judge, Slot, Teacher, TeacherTry
assert list(Teacher.objects.values_list("api_key_env", flat=True)) == ["", "FAR_API_KEY", "", ""]
assert [one.settings["api_key_env"] for one in TeacherTry.objects.order_by("id")] == [
    "", "FAR_API_KEY", "", ""
]
assert Judge.objects.get().api_key_env == ""
for said in (Slot.objects.get().error, TeacherTry.objects.order_by("id")[2].error):
    assert "sk-pasted" not in said and "name of an environment variable" in said
print("cleaned")
"""


def test_the_migration_empties_what_was_pasted_and_says_so_without_it(tmp_path: Path) -> None:
    own = {
        "DJANGO_SETTINGS_MODULE": "curation.settings",
        "CHAINWRIGHT_HOME": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
    }
    done = subprocess.run(
        [sys.executable, "-c", STEPS], env=os.environ | own, cwd=REPOSITORY, capture_output=True,
        text=True, timeout=300,
    )  # fmt: skip
    assert done.stdout.strip() == "cleaned", done.stderr[-3000:]
    assert "Teacher “t2” of project eggs" in done.stderr and "sk-pasted" not in done.stderr
