import io

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from curation.projects.models import Membership, Project, User


def test_a_made_account_signs_in_and_is_no_superuser(project: Project) -> None:
    out = io.StringIO()
    call_command("add_person", "rita", project="eggs", stdout=out, stderr=io.StringIO())
    user = User.objects.get(username="rita")
    assert not user.is_superuser and not user.is_staff
    assert Membership.objects.get(user=user).role == "reviewer"
    asked = Client().post(
        reverse("sign_in"), {"username": "rita", "password": out.getvalue().strip()}
    )
    assert asked.status_code == 302


@pytest.mark.parametrize(("name", "said"), [("rudi", "already"), ("a b", "no name")])
def test_a_name_that_cannot_be_given_is_one_clear_line(
    reviewer: User, name: str, said: str
) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("add_person", name)
    assert User.objects.count() == 1


def test_an_unknown_project_makes_no_account(db: None) -> None:
    with pytest.raises(CommandError, match="no project"):
        call_command("add_person", "rita", project="nowhere")
    assert not User.objects.exists()
