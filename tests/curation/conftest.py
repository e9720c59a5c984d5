"""What the tests of reviewing begin with; a file with other needs has fixtures of its own."""

from collections.abc import Callable

import pytest

from curation.projects.models import Project, User
from curation.projects.services import add_member
from curation.questions.models import Question
from curation.rationales.models import Rationale
from curation.reviews.queue.items import set_overlap
from tests.conftest import person

Rationales = Callable[..., list[Rationale]]
Questions = Callable[..., list[Question]]


@pytest.fixture
def third(project: Project) -> User:
    made = person("tina")
    add_member(project, "tina", "reviewer")
    return made


@pytest.fixture
def questions(make_questions: Questions, make_rationales: Rationales) -> list[Question]:
    made = make_questions(3)
    for question in made:
        make_rationales(question, ["right", "wrong"])
    return made


@pytest.fixture
def two_reviews(project: Project, questions: list[Question]) -> Project:
    set_overlap(project, 2)
    return project
