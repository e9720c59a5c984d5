"""The unattended way on projects that are not the demo's: its stages as a person's data meets them."""

from collections.abc import Callable

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from curation import supervisor
from curation.management.commands.pipeline import Command
from curation.projects.models import Project
from curation.questions.models import Question
from curation.rationales.models import Rationale, Teacher

Questions = Callable[..., list[Question]]
Rationales = Callable[..., list[Rationale]]


def test_a_project_of_imported_rationales_alone_needs_no_teacher_that_writes(
    project: Project, make_questions: Questions, make_rationales: Rationales, teacher: Teacher
) -> None:
    """It goes on to the next stage that needs somebody: here the review, for nothing is right."""
    Teacher.objects.filter(pk=teacher.pk).update(writes=False)
    make_rationales(*make_questions(1), ["wrong"])
    with pytest.raises(CommandError, match="No rationale is approved yet"):
        call_command("pipeline", project=project.slug)


def test_a_teacher_without_one_approved_rationale_is_passed_over_in_the_comparison(
    project: Project, make_questions: Questions, make_rationales: Rationales, teacher: Teacher
) -> None:
    make_rationales(*make_questions(1), ["wrong"])
    command = Command()
    said: list[str] = []
    command.say = said.append
    command.began, command.seconds = 0.0, {}
    assert command.compare(project, "demo", 600) is None
    assert said == ["strong has no approved rationale: nothing to compare."]


def test_the_web_listens_on_an_address_of_version_6() -> None:
    web = supervisor.programs("::1", 8000)["web"]
    assert web[web.index("--bind") + 1] == "[::1]:8000"
