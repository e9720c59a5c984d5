"""An import while somebody looks at it: what the file is, what its columns become, its first rows."""

import itertools
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from typing import Any

from curation import artifacts, celery_app
from curation.errors import Conflict, Invalid
from curation.jobs import Status, move
from curation.projects.models import Project, User
from curation.questions.correcting.known import Inspector, clean_rows
from curation.questions.formats import BadRow, Refused, Row, open_questions, rows_of
from curation.questions.models import QuestionImport, SavedMapping, Split
from curation.questions.reading import Source, Table
from curation.questions.shapes.columns import Column, Record, profile
from curation.questions.shapes.convert import Converter
from curation.questions.shapes.mapping import Mapping, role_problem
from curation.questions.shapes.names import ROLES
from curation.questions.shapes.understand import first_records, understand
from curation.questions.wizard.report import Report, about_file, settled
from curation.text.clean import clean_line

LOOKED_AT = 2_000  # rows that are counted while a person waits
SHOWN_ROWS = 5
SHOWN_BAD = 20
MAX_SAVED = 100


def source_of_job(job: QuestionImport) -> Source:
    """The stored file of an import."""
    return Source(job.file_name, lambda: artifacts.open_artifact(job.artifact))


def understood(job: QuestionImport) -> tuple[Table, Mapping, list[Record]]:
    """The file of an import, its mapping and its first rows. Raises Refused for a file that cannot be
    read, and where no column is the question."""
    table = open_questions(source_of_job(job))
    sample = first_records(table)
    return table, understand(table, sample, job.mapping, job.preset), sample


@dataclass
class Look:
    """What a person sees before they store a file. `is_whole`: all of its rows were counted."""

    mapping: Mapping
    about: dict[str, Any]
    report: dict[str, Any]
    rows: list[Row]
    bad: list[BadRow]
    columns: list[Column]
    is_whole: bool
    counted: int
    saved: str = ""


def look(job: QuestionImport, most: int = LOOKED_AT) -> Look:
    """Look at the first rows of an import's file. Raises Refused."""
    table, mapping, sample = understood(job)
    converter = Converter(mapping)
    list(itertools.islice(rows_of(table, converter), most))
    settled(mapping, converter.tallies)
    report, inspector = Report(), Inspector(job.project, job.split, job.take_over)
    good: list[Row] = []
    bad: list[BadRow] = []
    rows = clean_rows(rows_of(table, Converter(mapping)), job.id_prefix)
    counted = 0
    for row in itertools.islice(rows, most):
        counted += 1
        if isinstance(row, BadRow):
            bad.append(row)
        else:
            good.append(row)
    for seen in inspector.look(good):
        report.take(seen.row, seen.status)
    report.counts["twice"] = inspector.counts["twice"]
    report.counts["bad"] = len(bad)
    return Look(
        mapping,
        about_file(table, mapping, sample),
        report.as_json(),
        good[:SHOWN_ROWS],
        bad[:SHOWN_BAD],
        list(profile(sample).values()),
        is_whole=counted < most,
        counted=counted,
    )


def saved_for(project: Project, columns: list[str]) -> SavedMapping | None:
    """The newest saved mapping of a file with exactly these columns."""
    wanted = sorted(columns)
    rows = SavedMapping.objects.for_project(project).order_by("-id")[:MAX_SAVED]
    return next((one for one in rows if one.columns == wanted), None)


def choose_saved(job: QuestionImport) -> str:
    """Give a new draft the mapping that was saved for files of its columns; its name, "" for none."""
    try:
        columns = list(profile(first_records(open_questions(source_of_job(job)))))
    except Refused:
        return ""
    found = saved_for(job.project, columns)
    if found is None:
        return ""
    QuestionImport.objects.filter(pk=job.pk, status=Status.PAUSED).update(mapping=found.roles)
    job.mapping = found.roles
    return found.name


def checked_roles(roles: AnyMapping[str, Any]) -> dict[str, str]:
    """What a form or a request says of columns. Raises Invalid for what is none of our roles."""
    made: dict[str, str] = {}
    for name, role in roles.items():
        if not isinstance(role, str) or len(role) > 200 or len(str(name)) > 300:
            raise Invalid("A mapping is an object of columns and what they become.")
        if problem := role_problem(role):
            raise Invalid(problem)
        made[str(name)] = role
    if len(made) > 2_000:
        raise Invalid("A mapping names at most 2,000 columns.")
    return made


def by_roles(given: list[str]) -> dict[str, str]:
    """`role=column` of a command as a mapping of columns. Raises Invalid."""
    made: dict[str, str] = {}
    for one in given:
        role, sign, column = one.partition("=")
        if not sign or not column:
            raise Invalid(f"--map {one!r} must be ROLE=COLUMN, such as question=prompt.")
        made[column] = role.strip()
    return checked_roles(made)


def change_draft(job: QuestionImport, roles: AnyMapping[str, Any], split: str = "") -> None:
    """Say what columns of a draft become. Raises Conflict where it is stored already."""
    changes: dict[str, Any] = {"mapping": checked_roles(roles), "report": {}}
    if split:
        if split not in Split.values:
            raise Invalid(f"{split!r} is no split: choose one of {', '.join(Split.values)}.")
        changes["split"] = split
    drafts = QuestionImport.objects.filter(pk=job.pk, status=Status.PAUSED)
    if not drafts.update(**changes):
        raise Conflict("This file is stored already, or its import was cancelled: send it again.")
    job.refresh_from_db()


def save_mapping(job: QuestionImport, user: User | None, name: str, seen: Look) -> SavedMapping:
    """Keep what a draft's columns become under a name; one of the same name is replaced."""
    name = clean_line(name)[:80]
    if not name:
        raise Invalid("Give the mapping a name, such as the team's export.")
    mine = SavedMapping.objects.for_project(job.project)
    if not mine.filter(name=name).exists() and mine.count() >= MAX_SAVED:
        raise Conflict(
            f"A project keeps at most {MAX_SAVED} mappings: save it under a name that is there."
        )
    saved, _ = SavedMapping.objects.update_or_create(
        project=job.project,
        name=name,
        defaults={
            "columns": sorted(one.name for one in seen.columns),
            "roles": seen.mapping.roles,
            "created_by": user,
        },
    )
    return saved


def start(job: QuestionImport, *, keep_good_rows: bool = False, dry_run: bool = False) -> None:
    """Order what a draft says: store it, or count all of its rows. Raises Conflict for no draft."""
    move(
        QuestionImport,
        job.pk,
        (Status.PAUSED,),
        Status.WAITING,
        keep_good_rows=keep_good_rows,
        dry_run=dry_run,
    )
    celery_app.send(celery_app.RUN_IMPORT, job.pk)


ROLE_CHOICES = list(ROLES.items())
