"""Carry out an import: the questions of a file and the rationales that came with them."""

import itertools
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from typing import TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest

from curation.errors import Invalid, ServiceError
from curation.jobs import Status, begin, ending, finish, give_way, still_mine
from curation.projects.models import Project
from curation.questions.correcting.changing import change_questions
from curation.questions.correcting.known import Inspector, Is, Seen, clean_rows, taken_over
from curation.questions.formats import BadRow, Refused, Row, open_questions, rows_of
from curation.questions.models import Question, QuestionImport
from curation.questions.reading import Table
from curation.questions.services import add_questions
from curation.questions.shapes.convert import Converter
from curation.questions.shapes.mapping import Mapping
from curation.questions.wizard.drafts import source_of_job, understood
from curation.questions.wizard.report import Report, about_file, settled
from curation.rationales.models import Rationale, Source, Teacher, text_hash
from curation.rationales.scoring.scores import mark_stale, order_scoring
from curation.rationales.teachers.services import refuse_more_teachers
from curation.text.clean import clean
from curation.text.storable import mended

BATCH = 200
SHOWN_BAD_ROWS = 1_000
SHOWN_DIFFERING = 200

T = TypeVar("T")


def run_import(
    import_id: int, *, score: bool = True, is_over: Callable[[], bool] = lambda: False
) -> QuestionImport | None:
    """Read the file twice: first every line is checked, then the good rows are written in batches.

    With a bad row and without `keep_good_rows` nothing is written. A batch is counted in the transaction
    that writes it, so whoever goes on after a worker that died begins with the first row not written. So
    does the job's own next turn, after `is_over` said between two batches that others are to have the
    worker: it waits then.
    """
    job = begin(QuestionImport, import_id)
    if job is None:
        return None
    with ending(job):
        try:
            written = (job.rows_written or _check(job)) and _write(job, is_over)
            if written and finish(job, Status.DONE) and score:
                order_scoring(job.project, None)
        except (OSError, ServiceError, Refused) as error:
            finish(job, Status.FAILED, error=str(error))
    job.refresh_from_db()
    return job


def _check(job: QuestionImport) -> bool:
    """Look at all rows; False when the import ended here: because of bad rows, or because that was all
    that was asked for. How the file names its right choices is decided over all of it: where that is not
    what its first rows said, they are looked at once more."""
    table, mapping, sample = understood(job)
    while True:
        look = _Look(job)
        converter = Converter(mapping)
        if not look.at(table, converter):
            return False
        if not settled(mapping, converter.tallies):
            break
    look.shown.sort(key=lambda one: int(str(one["line"])))
    read, bad, shown = look.read, look.bad, look.shown
    if not still_mine(
        job,
        rows_read=read,
        rows_bad=bad,
        bad_rows=shown,
        questions_differ=look.inspector.counts[Is.DIFFERS],
        differing=look.differing,
        read_as=mapping.as_json(),
        report={**look.report.as_json(), **about_file(table, mapping, sample)},
    ):
        return False
    job.read_as = mapping.as_json()
    if read == 0:
        finish(job, Status.FAILED, error="The file holds no rows, only blank lines.")
        return False
    if job.dry_run:
        finish(job, Status.DONE)
        return False
    if bad and (not job.keep_good_rows or bad == read):
        first = f"line {shown[0]['line']}: {shown[0]['message']}"
        error = f"{bad:,} of {read:,} rows cannot be read ({first}). Nothing was imported."
        if bad < read:
            error += " Mend them, or import again and keep the good rows."
        finish(job, Status.FAILED, error=error)
        return False
    return True


class _Look:
    """One look at all rows of a file: what each is to the project, which are bad, what they do in all."""

    def __init__(self, job: QuestionImport) -> None:
        self.job = job
        self.read = self.bad = 0
        self.shown: list[dict[str, object]] = []
        self.differing: list[dict[str, object]] = []
        self.inspector = Inspector(job.project, job.split, job.take_over)
        self.names = _NewTeachers(job.project)
        self.report = Report()

    def at(self, table: Table, converter: Converter) -> bool:
        """False where the import is no longer this worker's."""
        rows = clean_rows(rows_of(table, converter), self.job.id_prefix)
        for batch in _batched(rows):
            self.read += len(batch)
            for row in batch:
                if isinstance(row, BadRow):
                    self._note(row.line, row.message, row.raw)
            for seen in self.inspector.look([row for row in batch if isinstance(row, Row)]):
                self.report.take(seen.row, seen.status)
                if seen.status == Is.ID_TAKEN:
                    self._note(seen.row.line, seen.why, seen.row.question[:200])
                    continue
                self.names.take(seen.row)
                if seen.status == Is.DIFFERS and len(self.differing) < SHOWN_DIFFERING:
                    self.differing.append(seen.shown())
            # What a worker that died had read is not taken back while it is read again.
            if self.read % 5000 < BATCH and not still_mine(
                self.job,
                rows_read=Greatest("rows_read", self.read),
                rows_bad=Greatest("rows_bad", self.bad),
            ):
                return False
        self.report.counts["twice"] = self.inspector.counts["twice"]
        return True

    def _note(self, line: int, message: str, raw: str) -> None:
        self.bad += 1
        if len(self.shown) < SHOWN_BAD_ROWS:
            shown = {"line": line, "message": mended(message), "row": mended(raw)}
            self.shown.append(shown)


class _NewTeachers:
    """The teachers that a file brings: a column of texts taken for names would make thousands."""

    def __init__(self, project: Project) -> None:
        self.known = set(Teacher.objects.filter(project=project).values_list("name", flat=True))
        self.there = len(self.known)

    def take(self, row: Row) -> None:
        """Raises Invalid where the row names more than the project may have."""
        most = settings.TEACHERS_PER_PROJECT
        for one in row.rationales:
            if one.teacher in self.known:
                continue
            if len(self.known) >= most:
                raise Invalid(
                    f"Line {row.line:,} names the teacher {one.teacher[:80]!r}, one more than the {most:,} "
                    f"that a project may have; {self.there:,} were there before this file. Nothing was "
                    "imported. Give all rationales of one model the same teacher, or ask the operator "
                    "(TEACHERS_PER_PROJECT)."
                )
            self.known.add(one.teacher)


def _write(job: QuestionImport, is_over: Callable[[], bool]) -> bool:
    """Write the good rows that are not written yet; False when some are left, or the import is no longer
    this worker's."""
    inspector = Inspector(job.project, job.split, job.take_over)
    table = open_questions(source_of_job(job))
    converter = Converter(Mapping.from_json(job.read_as))
    rows = clean_rows(rows_of(table, converter), job.id_prefix)
    left = (row for row in rows if isinstance(row, Row) and row.line > job.last_line)
    with closing(left):
        for n, rows in enumerate(_batched(left)):
            if n and is_over() and give_way(job):
                return False
            with transaction.atomic():
                seen = [one for one in inspector.look(rows) if one.status != Is.ID_TAKEN]
                changed = _take_over(job, seen) if job.take_over else 0
                batch = [one.row for one in seen]
                known = {n: one.question_id for n, one in enumerate(seen) if one.question_id}
                questions, new = add_questions(job.project, batch, job.split, known)
                rationales = add_imported(job.project, zip(questions, batch, strict=True))
                if not still_mine(
                    job,
                    last_line=rows[-1].line,
                    questions_changed=F("questions_changed") + changed,
                    questions_added=F("questions_added") + new,
                    questions_known=F("questions_known") + len(batch) - new,
                    rationales_added=F("rationales_added") + rationales,
                ):
                    transaction.set_rollback(True)
                    return False
    return True


def _take_over(job: QuestionImport, seen: Sequence[Seen]) -> int:
    """Give known questions what the file says of them; how many changed."""
    made, _ = change_questions(job.project, job.created_by, taken_over(seen), job=job)
    return len(made)


def _batched(rows: Iterable[T]) -> Iterable[tuple[T, ...]]:
    """itertools.batched for Python 3.11."""
    rows = iter(rows)
    while batch := tuple(itertools.islice(rows, BATCH)):
        yield batch


def add_imported(project: Project, pairs: Iterable[tuple[Question, Row]]) -> int:
    """Add the rationales that came with rows; returns how many were new."""
    pairs = list(pairs)
    names = sorted({r.teacher for _, row in pairs for r in row.rationales})
    if not names:
        return 0
    teachers = _teachers(project, names)
    wanted = [
        Rationale(
            project=project,
            question=question,
            source=Source.IMPORT,
            teacher=teachers[one.teacher],
            text=one.text if one.step_labels else clean(one.text),
            text_hash=text_hash(one.text),
            step_labels=[list(label) for label in one.step_labels],
            reasoning=one.reasoning,
            temperature=one.temperature,
            labelled_right=one.labelled_right,
            finish_reason=one.finish_reason,
        )
        for question, row in pairs
        for one in row.rationales
    ]
    # A question that was deleted since its row was read takes no rationale; a rationale that was deleted does
    # not come back by its file.
    alive = Question.objects.select_for_update(no_key=True, of=("self",)).order_by("pk")
    here = set(alive.filter(pk__in={q.pk for q, _ in pairs}).values_list("pk", flat=True))
    before = set(
        Rationale.all_objects.filter(
            question__in={q.pk for q, _ in pairs}, source=Source.IMPORT
        ).values_list("question_id", "teacher_id", "text_hash")
    )
    fresh = {}
    for one in wanted:
        key = (one.question_id, one.teacher_id, one.text_hash)
        if key not in before and one.question_id in here:
            fresh.setdefault(key, one)
    Rationale.objects.bulk_create(fresh.values(), batch_size=500, ignore_conflicts=True)
    mark_stale(project, {key[0] for key in fresh})
    return len(fresh)


def _teachers(project: Project, names: Sequence[str]) -> dict[str, Teacher]:
    """The teachers of these names; unknown ones become names that only stand on imported rationales."""
    rows = Teacher.objects.filter(project=project, name__in=names)
    if more := set(names) - set(rows.values_list("name", flat=True)):
        refuse_more_teachers(project, len(more))  # another import may have brought some meanwhile
        Teacher.objects.bulk_create(
            [Teacher(project=project, name=name, writes=False) for name in sorted(more)],
            ignore_conflicts=True,
        )
    return {t.name: t for t in rows.all()}
