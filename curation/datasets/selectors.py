"""Reads of frozen datasets."""

from django.db.models import Q, QuerySet

from curation.datasets.models import DatasetVersion, Example
from curation.projects.models import Project, SavedView, User
from curation.questions.correcting.changing import as_they_stood
from curation.rationales.models import Teacher
from curation.reviews.visibility import Viewer

FIRST_EXAMPLES = 5
MOST_DOMAINS = 40


def versions_of(project: Project, user: User) -> QuerySet[DatasetVersion]:
    """The project's datasets, the newest first, without their cards."""
    return (
        DatasetVersion.objects.for_user(user)
        .for_project(project)
        .select_related("created_by")
        .defer("card")
        .order_by("-number")
    )


def first_examples(version: DatasetVersion, viewer: Viewer) -> list[Example]:
    """The first ones, in the order of the file; without those of questions that are silent to the viewer:
    that they are in it says what was decided."""
    examples = list(
        Example.objects.filter(version=version)
        .exclude(rationale__question__queue_item__status__in=viewer.silent)
        .select_related("rationale__question", "rationale__teacher", "rationale__author")
        .order_by("position")[:FIRST_EXAMPLES]
    )
    as_they_stood([one.rationale.question for one in examples], version.changes_until)
    return examples


def teachers_with_rationales(project: Project) -> list[Teacher]:
    """Teachers of the project, those without rationales left aside."""
    found = project.teachers.order_by("id")
    return [teacher for teacher in found if teacher.rationales.exists()]


def same_bytes(version: DatasetVersion) -> DatasetVersion | None:
    """The first dataset of the project that has the very same bytes, if there is an earlier one."""
    if not version.sha256:
        return None
    same = DatasetVersion.objects.filter(project=version.project_id, sha256=version.sha256)
    return same.filter(number__lt=version.number, status="done").order_by("number").first()


def domains_of(project: Project) -> list[str]:
    """The domains of the project's training questions, the first MOST_DOMAINS by name."""
    rows = project.questions.filter(split="train").exclude(domain="").order_by("domain")
    return list(rows.values_list("domain", flat=True).distinct()[:MOST_DOMAINS])


def view_names(project: Project, user: User) -> list[str]:
    """Saved views of the list of rationales that the person may use."""
    rows = SavedView.objects.filter(
        Q(user=user) | Q(is_shared=True), project=project, page="rationales"
    )
    return sorted(set(rows.values_list("name", flat=True)))
