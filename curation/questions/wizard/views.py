"""The page on which a person sees a file before it is stored, and says what its columns become."""

import json
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from curation.errors import Conflict, Invalid
from curation.projects.access import project_view
from curation.projects.models import Role
from curation.questions.formats import Refused, open_questions
from curation.questions.models import QuestionImport, SavedMapping, Split
from curation.questions.shapes.choices import letters, without_mark
from curation.questions.shapes.columns import Column, profile, shortened
from curation.questions.shapes.names import ROLES
from curation.questions.shapes.proposing.propose import propose
from curation.questions.shapes.understand import first_records
from curation.questions.wizard.drafts import (
    Look,
    change_draft,
    look,
    save_mapping,
    source_of_job,
    start,
)
from curation.questions.wizard.report import READS, counted

OF_RATIONALES = ("rationales", "right", "wrong", "labelled_steps")


def _job(request: HttpRequest, pk: int) -> QuestionImport:
    return get_object_or_404(QuestionImport, project=request.project, pk=pk)


def wizard_page(
    request: HttpRequest, job: QuestionImport, status: int = 200, error: str = ""
) -> HttpResponse:
    """The draft of an import, for admins; others see only that there is one."""
    context: dict[str, Any] = {"job": job, "error": error, "splits": Split.choices}
    if request.membership.role == Role.ADMIN:
        try:
            context |= shown(look(job), job)
        except (Refused, Invalid) as refused:
            context["refused"] = str(refused)
            context |= _columns_anyway(job)
        context["saved"] = SavedMapping.objects.for_project(request.project)
    name = "questions/_wizard.html" if request.htmx else "questions/wizard.html"
    return render(request, name, context, status=status)


def shown(seen: Look, job: QuestionImport) -> dict[str, Any]:
    """A look as the page shows it."""
    counts = seen.report["counts"]
    most = max((n for _, n in seen.report["lengths"]), default=0) or 1
    first = seen.rows[0] if seen.rows else None
    return {
        "seen": seen,
        "columns": [_column(one, seen) for one in seen.columns],
        "what": [one for one in counted(counts) if one["name"] not in OF_RATIONALES],
        "counts": counts,
        "new": counts.get("new", 0),
        "lengths": [(end, n, round(100 * n / most)) for end, n in seen.report["lengths"]],
        "types": seen.report["types"],
        "first": first,
        "choices": _choices(first) if first else [],
        "others": seen.rows[1:],
        "warnings": seen.report["warnings"],
    }


def _choices(row: Any) -> list[tuple[str, str, bool]]:
    """(letter, text without its own letter, whether it is right) of each choice."""
    named = letters(len(row.choices))
    right = {
        part for one in (row.reference_answer or "", *row.other_answers) for part in one.split(", ")
    }
    return [
        (letter, without_mark(text), letter in right)
        for letter, text in zip(named, row.choices, strict=True)
    ]


def _column(column: Column, seen: Look) -> dict[str, Any]:
    role = seen.mapping.roles.get(column.name, "unused")
    note = ""
    if column.name in seen.mapping.reads and role == "right_choice":
        how = seen.mapping.reads[column.name]
        note = f"Read as {READS[how]}."
        if column.name in seen.mapping.ambiguous:
            other = READS["1" if how == "0" else "0"]
            note = f"Read as {READS[how]}; also fits {other}: compare with row 1."
    return {
        "name": column.name,
        "role": role,
        "options": options_for(role),
        "examples": [shortened(v, 90) for v in column.values[:2]],
        "note": note,
        "ambiguous": column.name in seen.mapping.ambiguous,
        "empty": not column.seen,
    }


def options_for(role: str) -> list[tuple[str, str]]:
    """What a column can become; its own role with its argument (a teacher's name) is one of them."""
    kind, _, argument = role.partition(":")
    words = {
        "rationale": f"rationale of the teacher “{argument}”",
        "verdict": f"verdict of “{argument}”, kept beside ours",
        "reasoning": f"reasoning before “{argument}”",
    }
    return [
        (role, words.get(kind, ROLES[kind])) if argument and name == kind else (name, says)
        for name, says in ROLES.items()
    ]


def _columns_anyway(job: QuestionImport) -> dict[str, Any]:
    """The columns of a file of which none is known to be the question: the person says it."""
    try:
        sample = first_records(open_questions(source_of_job(job)))
    except (Refused, OSError):
        return {}
    roles = {**propose(sample), **job.mapping}
    return {
        "columns": [
            {
                "name": one.name,
                "role": roles.get(one.name, "unused"),
                "options": options_for(roles.get(one.name, "unused")),
                "examples": [shortened(v, 90) for v in one.values[:2]],
                "empty": not one.seen,
            }
            for one in profile(sample).values()
        ]
    }


@require_POST
@project_view(admin=True)
def columns(request: HttpRequest, pk: int) -> HttpResponse:
    """Take what the form says of the columns, and do what its button says."""
    job = _job(request, pk)
    names, roles = request.POST.getlist("column"), request.POST.getlist("role")
    if len(names) != len(roles):
        raise Invalid("A mapping names each column once. Load the page again.")
    try:
        change_draft(job, dict(zip(names, roles, strict=True)), request.POST.get("split", ""))
    except Conflict as error:
        messages.error(request, str(error))
        return redirect("import_detail", request.project.slug, job.pk)
    what = request.POST.get("do", "look")
    if what in ("store", "count"):
        start(
            job,
            keep_good_rows=request.POST.get("keep_good_rows") == "on",
            dry_run=what == "count",
        )
        return redirect("import_detail", request.project.slug, job.pk)
    if what == "save":
        try:
            saved = save_mapping(job, request.user, request.POST.get("name", ""), look(job))
        except (Invalid, Conflict, Refused) as error:
            return wizard_page(request, job, 400, str(error))
        messages.success(
            request, f"The mapping “{saved.name}” is kept: a file with these columns uses it."
        )
        return redirect("import_detail", request.project.slug, job.pk)
    return wizard_page(request, job)


@require_GET
@project_view(admin=True)
def bad_rows(request: HttpRequest, pk: int) -> HttpResponse:
    """The rows that could not be read, with the reason: JSON Lines, to be mended and sent again."""
    job = _job(request, pk)
    lines = [
        json.dumps(
            {"line": one["line"], "reason": one["message"], "row": one.get("row", "")},
            ensure_ascii=True,
        )
        for one in job.bad_rows
    ]
    left = job.rows_bad - len(job.bad_rows)
    if left > 0:
        lines.append(
            json.dumps({"reason": f"{left} more rows cannot be read; these are the first."})
        )
    answer = HttpResponse("\n".join(lines) + "\n", content_type="application/x-ndjson")
    answer["Content-Disposition"] = f'attachment; filename="bad-rows-of-import-{job.pk}.jsonl"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
