"""Freeze approved rationales into a numbered, hashed dataset and hand it out in several formats."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import transaction
from django.db.models import Max

from curation import artifacts, celery_app
from curation.datasets import formats
from curation.datasets.choosing import (
    REASONS,
    candidates,
    choose,
    funnel_words,
    question_pieces,
)
from curation.datasets.gates.runs import recipe_through
from curation.datasets.laying import lay_down, unmapped
from curation.datasets.models import DatasetVersion
from curation.datasets.recipes import make_recipe
from curation.errors import Conflict
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
from curation.questions.models import QuestionChange
from curation.rationales.models import Score, Teacher

ROWS_AT_ONCE = 5000


def order_freeze(
    project: Project,
    user: User | None,
    *,
    order_key: str | None = None,
    enqueue: bool = True,
    gates: int | None = None,
    **how: Any,
) -> DatasetVersion:
    """Order a new dataset version. The examples are chosen and frozen by a worker.

    how: the recipe, see `make_recipe`. By default approved rationales; `selection="unfiltered"` takes them
    as the teachers wrote them, whatever was decided, for comparing the two. enqueue False: the caller
    freezes. gates: the id of a look through the examples (see `gates.runs`), whose recipe is taken, without
    what people left out; refused while a question that is like a held-out one is not acted on.
    """
    earlier = ordered_before(DatasetVersion, project, user, order_key)
    if earlier:
        return earlier
    run = None
    if gates is not None:
        run, recipe = recipe_through(project, gates)
    else:
        recipe = make_recipe(project, user, **how)
    if not candidates(project, recipe).exists():
        raise Conflict(
            "No rationale is approved yet: review some, or turn on the rule that approves what passes."
            if recipe["selection"] == "approved"
            else "There is no rationale yet: order rationales first."
        )
    with transaction.atomic():
        # Takes the project's row, the lock under which its numbers are given out.
        if earlier := take_order(DatasetVersion, project, user, order_key):
            return earlier
        last = project.dataset_versions.aggregate(last=Max("number"))["last"] or 0
        version = DatasetVersion.objects.create(
            project=project,
            number=last + 1,
            recipe=recipe,
            gates=run,
            order_key=order_key,
            **ordered_by(user),
        )
        if enqueue:
            celery_app.send(celery_app.FREEZE_DATASET, version.pk)
    return version


def freeze(version_id: int) -> DatasetVersion | None:
    """Choose, freeze, write the files and the card. Does nothing when another worker has it."""
    version = begin(DatasetVersion, version_id)
    if version is None:
        return None
    with ending(version), unmapped():
        try:
            choose_examples(version)
            write_files(version)
        except Superseded:
            return None
        except Conflict as error:
            finish(version, Status.FAILED, error=str(error))
        except OSError as error:
            if finish(version, Status.FAILED, error=f"The files could not be written: {error}"):
                formats.remove_files(version)  # on a full disk they are in the way
    version.refresh_from_db()
    return version


def choose_examples(version: DatasetVersion) -> None:
    """Choose the rationales and lay them down as rows; what was left out goes to `rejected.jsonl`.

    The rows are written in short transactions: a million in one would hold SQLite's only write lock for
    a minute, and nobody reads the rows of a dataset that is not done. Names are read once, so nobody
    stands in it under two.
    """
    # Read before the choice: what is corrected while it is frozen is in as it stood here.
    changes = QuestionChange.objects.for_project(version.project).order_by("-id")
    version.changes_until = changes.values_list("pk", flat=True).first() or 0
    with artifacts.writing(formats.place(version, "rejected.jsonl")) as file:

        def reject(rationale: int, question: int, reason: str) -> None:
            told = {"rationale_id": rationale, "question_row": question, "reason": reason}
            file.write(formats.to_line({**told, "words": REASONS[reason]}))

        pieces = _with_signs_of_life(version, question_pieces(version.project))
        picked, funnel = choose(version.project, version.recipe, pieces, reject)
        if version.gates and version.gates.chosen_hash != picked.chosen_hash:
            raise Conflict(
                "The rationales have changed since they were looked through: look through them again."
            )
        version.funnel, version.question_count = funnel.to_json(), picked.question_count
        go_on(
            version,
            funnel=version.funnel,
            question_count=version.question_count,
            changes_until=version.changes_until,
        )
    teachers = dict(Teacher.objects.filter(project=version.project).values_list("pk", "name"))
    people = _people(picked.values)
    with transaction.atomic():
        go_on(version)
        version.examples.all().delete()

    def name(of: tuple[str, int] | None) -> str | None:
        kind, pk = of or ("", 0)
        return teachers.get(pk) if kind == "teacher" else people.get(pk)

    who = {value: _decider_words(value, people) for value in (*picked.values, None)}
    for start in range(0, len(picked), ROWS_AT_ONCE):
        with transaction.atomic():
            go_on(version)
            some = list(picked.rows(start, start + ROWS_AT_ONCE))
            scored = Score.objects.filter(pk__in=[pk for pk, *_ in some])
            verdicts = dict(scored.values_list("pk", "verdict"))
            lay_down(
                version.pk,
                [
                    (n, pk, who[decider], name(teacher), name(author), verdicts.get(pk, ""))
                    for n, (pk, teacher, author, decider) in enumerate(some, start)
                ],
            )


def _with_signs_of_life(version: DatasetVersion, pieces: Iterable[Any]) -> Iterator[Any]:
    for piece in pieces:
        go_on(version)
        yield piece


def _people(values: list[Any]) -> dict[int, str]:
    ids = {pk for kind, pk in values if kind in ("author", "person", "bulk")}
    return dict(User.objects.filter(pk__in=ids).values_list("pk", "username"))


def _decider_words(value: tuple[str, int] | None, people: dict[int, str]) -> str:
    kind, pk = value or ("", 0)
    if kind == "person":
        return f"person {people[pk]}"[:160]
    if kind == "bulk":
        return f"person {people[pk]}, with others"[:160] if pk else "a command, with others"
    return f"rule, rubric {pk}" if kind == "rule" else ""


def write_files(version: DatasetVersion) -> None:
    """Write the dataset's files, with signs of life, and end the freezing. Raises Superseded before
    a file is put in place that belongs to a newer attempt."""
    digest, count = formats.write_canonical(version, lambda: go_on(version))
    if count == 0:
        finish(version, Status.FAILED, error=_nothing_left(version))
        return
    version.sha256, version.example_count = digest, count
    if not version.question_count:
        version.question_count = version.examples.values("rationale__question").distinct().count()
    version.verdicts = formats.verdict_counts(version)
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
        verdicts=version.verdicts,
        card=version.card,
    )


def _nothing_left(version: DatasetVersion) -> str:
    told = "No rationale was left to freeze when the work began."
    words = funnel_words(version.funnel)
    return f"{told} {words}. Ask for less in the recipe." if words else told


def verify(version: DatasetVersion) -> bool:
    """Make the canonical JSONL again from the rows and compare its SHA-256 with the frozen one."""
    digest = hashlib.sha256()
    for line in formats.jsonl_lines(version):
        digest.update(line)
    return digest.hexdigest() == version.sha256
