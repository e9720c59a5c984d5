"""`for_user`, the second lock behind the one at each project's door: a queryset gives nobody the rows of
a project that they are no member of. Read off the models, so that a new one cannot be forgotten."""

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db.models import Manager

from curation.projects.models import Membership, Project, User
from curation.projects.services import add_member, remove_member
from tests.conftest import person
from tests.curation.test_api_rights import ids

__all__ = ["ids"]  # a fixture: a project with a row of nearly every kind

MANAGERS = [
    (f"{model._meta.label}.{manager.name}", manager)
    for model in apps.get_models()
    if model.__module__.startswith("curation.")
    for manager in model._meta.managers
    if hasattr(manager, "for_user")
]
WITH_MANY_PROJECTS = {"projects.Project", "projects.Membership"}
# Of these the project below has none.
EMPTY = {
    "rationales.Batch",
}


@pytest.mark.parametrize(("name", "manager"), MANAGERS, ids=[name for name, _ in MANAGERS])
def test_a_queryset_gives_a_person_the_rows_of_their_projects_alone(
    name: str, manager: Manager, project: Project, reviewer: User, stranger: User, world: Any
) -> None:
    world()
    everything = manager.all().count()
    own = manager.for_user(stranger)
    mine = manager.for_user(reviewer)
    assert mine.count() + own.count() == everything, name
    assert not mine.filter(pk__in=own.values("pk")).exists()
