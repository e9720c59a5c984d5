"""`for_user`, the second lock behind the one at each project's door: a queryset gives nobody the rows of
a project that they are no member of. Read off the models, so that a new one cannot be forgotten."""

from typing import Any

from django.apps import apps

from curation.datasets.models import DatasetVersion, Example, Finding, GateRun
from curation.evaluations.models import Answer, Evaluation
from curation.projects.models import Project, User
from curation.projects.services import remove_member
from curation.rationales.models import GenerationRun, Rationale, Slot
from curation.reviews.models import Review
from tests.curation.api.test_api_rights import ids
from tests.curation.reviews.reviewing import review

__all__ = ["ids"]  # a fixture: “eggs” with rows of most kinds

MANAGERS = {
    f"{model._meta.label}.{manager.name}": manager
    for model in apps.get_models()
    if model.__module__.startswith("curation.")
    for manager in model._meta.managers
    if hasattr(manager, "for_user")
}
# Of these no row is made below; they are found by the same queryset and the same path as others are.
WITHOUT_ROWS = {
    "datasets.DatasetCheck", "datasets.HeldOutList", "questions.SavedMapping",
    "rationales.Embedding", "rationales.Judge", "rationales.ReadingCase",
    "rationales.ScoringRun", "rationales.TeacherTry", "reviews.AgreementCount", "reviews.Control",
}  # fmt: skip


def test_a_queryset_gives_a_person_the_rows_of_their_own_projects_alone(
    project: Project, reviewer: User, stranger: User, ids: dict[str, Any]
) -> None:
    rationale = Rationale.objects.get(pk=ids["rationale_id"])
    review(project, reviewer, rationale.question, "approve", "reject")
    Example.objects.create(version=DatasetVersion.objects.get(), position=0, rationale=rationale)
    Finding.objects.create(
        run=GateRun.objects.get(), gate="wrong", rationale=rationale, detail="no"
    )
    Answer.objects.create(
        evaluation=Evaluation.objects.get(), model="strong", question=rationale.question, text="3."
    )
    Slot.objects.create(
        run=GenerationRun.objects.get(), question=rationale.question, teacher=rationale.teacher,
        temperature=0.5, sample=0,
    )  # fmt: skip
    assert Review.objects.exists()
    everything = {name: _keys(manager.all()) for name, manager in MANAGERS.items()}
    empty = {name for name, rows in everything.items() if not rows}
    assert {name.rpartition(".")[0] for name in empty} == WITHOUT_ROWS
    for name in empty:
        assert MANAGERS[name].none().project_path == "project", name
    for name, manager in MANAGERS.items():
        theirs = _keys(manager.for_user(stranger))
        assert _keys(manager.for_user(reviewer)) == everything[name] - theirs, name
        whose = "pk" if name.startswith("projects.Project.") else "project__slug"
        if theirs:  # their own project comes with itself, their membership and its rubric
            assert name.split(".")[1] in ("Project", "Membership", "Rubric"), name
            own = Project.objects.get(slug="elsewhere").pk if whose == "pk" else "elsewhere"
            assert not manager.filter(pk__in=theirs).exclude(**{whose: own}).exists(), name
    remove_member(project, reviewer.pk)
    for name, manager in MANAGERS.items():
        assert not manager.for_user(reviewer).exists(), name


def _keys(rows: Any) -> set[Any]:
    return set(rows.values_list("pk", flat=True))
