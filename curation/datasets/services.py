"""Freeze approved rationales into a numbered, hashed dataset and hand it out in several formats."""

import hashlib
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet

from curation import artifacts, celery_app
from curation.datasets import formats
from curation.datasets.models import DatasetVersion, Example
from curation.errors import Conflict, Invalid
from curation.jobs import (
    Status,
    Superseded,
    begin,
    ending,
    finish,
    go_on,
    ordered_before,
    ordered_by,
    take_order,
)
from curation.projects.models import Project, User
from curation.questions.models import Split
from curation.rationales.models import Rationale, Source
from curation.reviews.models import Decision, Outcome

SELECTIONS = ("approved", "unfiltered")
ROWS_AT_ONCE = 1000


def order_freeze(
    project: Project,
    user: User | None,
    *,
    selection: str = "approved",
    teachers: list[str] | None = None,
    limit: int | None = None,
    seed: int = 0,
    order_key: str | None = None,
    enqueue: bool = True,
) -> DatasetVersion:
    """Order a new dataset version. The examples are chosen and frozen by a worker.

    selection: `approved` takes approved rationales; `unfiltered` takes rationales as the teachers wrote them,
    whatever was decided, for comparing the two. teachers: only rationales of these. limit: so many,
    spread over as many questions as possible, drawn with `seed`. enqueue False: the caller freezes.
    """
    earlier = ordered_before(DatasetVersion, project, user, order_key)
    if earlier:
        return earlier
    if selection not in SELECTIONS:
        raise Invalid(f"{selection!r} is no selection: choose one of {', '.join(SELECTIONS)}.")
    if limit is not None and limit < 1:
        raise Invalid("A dataset has at least one example.")
    names = sorted(set(teachers or []))
    unknown = set(names) - set(
        project.teachers.filter(name__in=names).values_list("name", flat=True)
    )
    if unknown:
        raise Invalid(f"This project has no teacher {', '.join(sorted(unknown))}.")
    recipe = {
        "selection": selection,
        "teachers": names,
        "limit": limit,
        "seed": seed,
        "rubric": project.rubric.version,
    }
    if not candidates(project, recipe).exists():
        raise Conflict(
            "No rationale is approved yet: review some, or turn on the rule that approves what passes."
            if selection == "approved"
            else "There is no rationale yet: order rationales first."
        )
    with transaction.atomic():
        # Takes the project's row, the lock under which its numbers are given out.
        if earlier := take_order(DatasetVersion, project, user, order_key):
            return earlier
        last = project.dataset_versions.aggregate(last=Max("number"))["last"] or 0
        version = DatasetVersion.objects.create(
            project=project, number=last + 1, recipe=recipe, order_key=order_key, **ordered_by(user)
        )
        if enqueue:
            celery_app.send(celery_app.FREEZE_DATASET, version.pk)
    return version


def candidates(project: Project, recipe: dict[str, Any]) -> QuerySet[Rationale]:
    """The rationales that the recipe may choose from: of training questions, not empty."""
    rationales = Rationale.objects.filter(project=project, question__split=Split.TRAIN).exclude(
        text=""
    )
    if recipe["teachers"]:
        rationales = rationales.filter(teacher__name__in=recipe["teachers"])
    if recipe["selection"] == "approved":
        return rationales.filter(decision__outcome=Outcome.APPROVED)
    # As the teachers wrote them, so without what people wrote or edited.
    return rationales.exclude(source=Source.PERSON)


def choose(project: Project, recipe: dict[str, Any]) -> list[int]:
    """The ids of the chosen rationales, in the dataset's order.

    Every question gives its first rationale before any gives its second; which is first is drawn by a
    hash of the seed and the rationale's text, so the same rows give the same choice anywhere.
    """
    by_question: dict[str, list[tuple[str, int]]] = {}
    rows = candidates(project, recipe).values_list("id", "question__content_hash", "text_hash")
    seen: set[tuple[str, str]] = set()
    for pk, question, text in rows.order_by("id").iterator(chunk_size=5000):
        if (question, text) in seen:
            continue  # the same rationale twice teaches nothing more
        seen.add((question, text))
        draw = hashlib.sha256(f"{recipe['seed']}|{question}|{text}".encode()).hexdigest()
        by_question.setdefault(question, []).append((draw, pk))
    ranked = [
        (place, draw, pk)
        for rationales in by_question.values()
        for place, (draw, pk) in enumerate(sorted(rationales))
    ]
    ranked.sort()
    return [pk for _, _, pk in ranked[: recipe["limit"]]]


def freeze(version_id: int) -> DatasetVersion | None:
    """Choose, freeze, write the files and the card. Does nothing when another worker has it."""
    version = begin(DatasetVersion, version_id)
    if version is None:
        return None
    with ending(version):
        try:
            choose_examples(version)
            write_files(version)
        except Superseded:
            return None
        except OSError as error:
            if finish(version, Status.FAILED, error=f"The files could not be written: {error}"):
                formats.remove_files(version)  # on a full disk they are in the way
    version.refresh_from_db()
    return version


def choose_examples(version: DatasetVersion) -> None:
    """Choose the rationales and lay them down as rows.

    One query chooses, so a rationale approved meanwhile is in or out, never half. The rows are written
    in short transactions: a million in one would hold SQLite's only write lock for a minute, and
    nobody reads the rows of a dataset that is not done.
    """
    ids = choose(version.project, version.recipe)
    who = _deciders(version.project)
    with transaction.atomic():
        go_on(version)
        version.examples.all().delete()
    for start in range(0, len(ids), ROWS_AT_ONCE):
        with transaction.atomic():
            go_on(version)
            some = ids[start : start + ROWS_AT_ONCE]
            wrote = {
                pk: {"teacher": teacher, "author": author}
                for pk, teacher, author in Rationale.objects.filter(pk__in=some).values_list(
                    "pk", "teacher__name", "author__username"
                )
            }
            Example.objects.bulk_create(
                Example(
                    version=version,
                    position=n,
                    rationale_id=pk,
                    approved_by=who.get(pk, "")[:160],
                    **wrote[pk],
                )
                for n, pk in enumerate(some, start)
            )


def _deciders(project: Project) -> dict[int, str]:
    rows = Decision.objects.filter(project=project, outcome=Outcome.APPROVED).values_list(
        "rationale_id",
        "review__reviewer__username",
        "bulk__created_by__username",
        "rule__version",
    )
    return {
        pk: f"person {person}"
        if person
        else f"person {many}, with others"
        if many
        else f"rule, rubric {rule}"
        for pk, person, many, rule in rows
    }


def write_files(version: DatasetVersion) -> None:
    """Write the dataset's files, with signs of life, and end the freezing. Raises Superseded before
    a file is put in place that belongs to a newer attempt."""
    digest = hashlib.sha256()
    count = 0
    with artifacts.writing(formats.place(version, "jsonl")) as file:
        for line in formats.jsonl_lines(version, lambda: go_on(version)):
            digest.update(line)
            file.write(line)
            count += 1
        go_on(version)
    if count == 0:
        finish(version, Status.FAILED, error="No rationale was left to freeze when the work began.")
        return
    formats.write_parquet(version, lambda: go_on(version))
    version.sha256, version.example_count = digest.hexdigest(), count
    version.question_count = version.examples.values("rationale__question").distinct().count()
    version.card = formats.card(version)
    with artifacts.writing(formats.place(version, "md")) as file:
        file.write(version.card.encode())
        go_on(version)
    finish(
        version,
        Status.DONE,
        sha256=version.sha256,
        example_count=count,
        question_count=version.question_count,
        card=version.card,
    )


def verify(version: DatasetVersion) -> bool:
    """Make the canonical JSONL again from the rows and compare its SHA-256 with the frozen one."""
    digest = hashlib.sha256()
    for line in formats.jsonl_lines(version):
        digest.update(line)
    return digest.hexdigest() == version.sha256
