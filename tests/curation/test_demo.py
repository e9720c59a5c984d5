"""The demo project comes once: what people did to it since stays."""

import pytest

from curation.demo import make_demo_project, order_first_rationales
from curation.projects.deletion import delete_project
from curation.projects.models import Project, User
from curation.projects.services import create_project
from curation.questions.models import Question

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo(admin_user: User, reviewer: User) -> Project:
    project = make_demo_project(admin_user, reviewer)
    assert project is not None and project.questions.count() == 2100
    return project


def test_starting_again_changes_nothing(demo: Project, admin_user: User, reviewer: User) -> None:
    assert make_demo_project(admin_user, reviewer) == demo
    assert (demo.questions.count(), demo.teachers.count()) == (2100, 2)
    Question.objects.filter(project=demo).delete()
    assert make_demo_project(admin_user, reviewer) == demo
    assert not demo.questions.exists()  # what was deleted does not come again
    assert order_first_rationales(demo) is None


def test_a_deleted_demo_stays_deleted_and_nothing_stops_the_start(
    demo: Project, admin_user: User, reviewer: User
) -> None:
    delete_project(demo, admin_user)
    assert make_demo_project(admin_user, reviewer) is None
    assert not Project.objects.exists()


def test_a_project_of_ones_own_at_that_address_is_left_alone(
    admin_user: User, reviewer: User
) -> None:
    own = create_project(admin_user, "Demo", "demo")
    assert make_demo_project(admin_user, reviewer) is None
    assert not own.questions.exists() and not own.teachers.exists()
