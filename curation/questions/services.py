"""Writes to questions and imports."""

from collections.abc import Mapping, Sequence
from typing import IO

from django.conf import settings
from django.db import transaction

from curation import artifacts, celery_app
from curation.errors import Conflict, Invalid
from curation.jobs import ACTIVE, Status, move, ordered_before, ordered_by, take_order
from curation.projects.models import Project, User
from curation.questions.correcting.known import TAKE_OVER, clean_row
from curation.questions.correcting.sameness import content_hash, text_key
from curation.questions.formats import PRESETS, BadRow, Row
from curation.questions.models import Question, QuestionImport, Split
from curation.questions.shapes.types import type_of_answer
from curation.questions.uploads import refuse_beyond_share, store
from curation.text.clean import clean
from curation.web import rate_limit

MAX_PREFIX = 60


def add_questions(
    project: Project, rows: Sequence[Row], split: str, known_as: Mapping[int, int] | None = None
) -> tuple[list[Question], int]:
    """Add the questions of `rows`; one that stands in the project already is not added again.

    known_as: by the place of a row, the id of the question that it is, whatever its text.
    Returns the question of every row, in order, and how many were new. Raises Invalid for a row in which
    nothing can be seen.
    """
    rows = [_cleaned(row) for row in rows]
    hashes = [content_hash(row.question, row.choices) for row in rows]
    known_as = known_as or {}
    known = set(
        project.questions.filter(content_hash__in=hashes).values_list("content_hash", flat=True)
    )
    fresh: dict[str, Question] = {}
    for n, (row, digest) in enumerate(zip(rows, hashes, strict=True)):
        if n not in known_as and digest not in known and digest not in fresh:
            fresh[digest] = Question(
                project=project,
                external_id=row.id,
                text=row.question,
                reference_answer=row.reference_answer,
                other_answers=list(row.other_answers),
                reference_problem=None if row.reference_answer else "",
                worked_solution=row.worked_solution,
                answer_type=row.answer_type
                or type_of_answer(row.reference_answer, has_choices=bool(row.choices)),
                choices=list(row.choices),
                domain=row.domain,
                difficulty=row.difficulty,
                split=row.split or split,
                subset=row.subset,
                metadata=row.metadata,
                content_hash=digest,
                text_key=text_key(row.question),
            )
    Question.objects.bulk_create(fresh.values(), batch_size=500, ignore_conflicts=True)
    stored = {q.content_hash: q for q in project.questions.filter(content_hash__in=hashes)}
    of_id = project.questions.in_bulk(known_as.values()) if known_as else {}
    return [
        of_id[known_as[n]] if n in known_as else stored[digest] for n, digest in enumerate(hashes)
    ], len(fresh)


def _cleaned(row: Row) -> Row:
    made = clean_row(row)
    if isinstance(made, BadRow):
        raise Invalid(f"Line {made.line:,}: {made.message}.")
    return made


def set_reference_problems(problems: Mapping[int, str]) -> None:
    """Note for each question (by id) why its reference cannot be compared with; "" where it can."""
    for problem in set(problems.values()):
        ids = [pk for pk, one in problems.items() if one == problem]
        Question.objects.filter(pk__in=ids).update(reference_problem=problem[:300])


def order_import(
    project: Project,
    user: User | None,
    file: IO[bytes],
    file_name: str,
    *,
    preset: str = "",
    split: str = Split.TRAIN,
    keep_good_rows: bool = False,
    take_over: str = "",
    id_prefix: str = "",
    mapping: Mapping[str, str] | None = None,
    dry_run: bool = False,
    draft: bool = False,
    order_key: str | None = None,
    enqueue: bool = True,
) -> QuestionImport:
    """Store the upload and order its import (`enqueue` False: the caller carries it out itself).

    mapping: what columns become, where the proposal is not right; dry_run: look at every row and write none;
    draft: only store the file, for a person to look at (`wizard.drafts`).
    Raises Invalid for an unknown preset, a huge file, or more bytes than the person may have stored;
    Conflict where they have too many imports under way, TooMany where they order them too fast.
    """
    earlier = ordered_before(QuestionImport, project, user, order_key)
    if earlier:
        return earlier
    if preset and preset not in PRESETS:
        raise Invalid(f"{preset!r} is no preset: choose one of {', '.join(PRESETS)}.")
    if split not in Split.values:
        raise Invalid(f"{split!r} is no split: choose one of {', '.join(Split.values)}.")
    if take_over not in TAKE_OVER:
        raise Invalid(f"{take_over!r} cannot be taken over by: choose id or text, or leave it out.")
    id_prefix = clean(id_prefix)
    if len(id_prefix) > MAX_PREFIX:
        raise Invalid(f"A prefix for ids has at most {MAX_PREFIX} characters.")
    if user is not None:
        rate_limit.spend(rate_limit.IMPORTS, user.pk)
    refuse_beyond_share(user, getattr(file, "size", None) or 1)
    artifact, size = store(file, file_name)
    try:
        with transaction.atomic():
            most = settings.IMPORTS_UNDER_WAY
            earlier = take_order(QuestionImport, project, user, order_key, most)
            if earlier is None:
                refuse_beyond_share(user, size)
                job = QuestionImport.objects.create(
                    project=project,
                    **ordered_by(user),
                    file_name=file_name[-200:],
                    preset=preset,
                    split=split,
                    keep_good_rows=keep_good_rows,
                    take_over=take_over,
                    id_prefix=id_prefix,
                    mapping=dict(mapping or {}),
                    dry_run=dry_run,
                    status=Status.PAUSED if draft else Status.WAITING,
                    order_key=order_key,
                    artifact=artifact,
                    size=size,
                )
                if enqueue and not draft:
                    celery_app.send(celery_app.RUN_IMPORT, job.pk)
    except BaseException:
        artifacts.remove(artifact)
        raise
    if earlier:
        artifacts.remove(artifact)
        return earlier
    return job


def import_again(
    job: QuestionImport,
    user: User | None,
    *,
    keep_good_rows: bool,
    take_over: str | None = None,
    id_prefix: str | None = None,
    order_key: str | None = None,
) -> QuestionImport:
    """Order an import of the file that an earlier one stored; what is None is as it was there. Raises
    Conflict while that one runs, and where its file is there no more."""
    if job.is_active:
        raise Conflict("This import has not ended: wait, or cancel it.")
    if not job.artifact or not artifacts.exists(job.artifact):
        raise Conflict("The file of this import is not stored any more: send it again.")
    with artifacts.open_artifact(job.artifact) as file:
        return order_import(
            job.project,
            user,
            file,
            job.file_name,
            preset=job.preset,
            split=job.split,
            keep_good_rows=keep_good_rows,
            take_over=job.take_over if take_over is None else take_over,
            id_prefix=job.id_prefix if id_prefix is None else id_prefix,
            mapping=job.mapping,
            order_key=order_key,
        )


def cancel_import(job: QuestionImport) -> None:
    """Stop an import; batches that it wrote stay, and importing again adds only what is missing."""
    move(QuestionImport, job.pk, (*ACTIVE, Status.PAUSED), Status.CANCELLED)
