"""Where an admin has the last word: questions on which reviews disagree, and flags on questions."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from curation.errors import Conflict, Invalid, ServiceError
from curation.projects.access import project_view
from curation.projects.models import Role
from curation.projects.selectors import members_of
from curation.reviews.adjudication import adjudicate, disputes
from curation.reviews.bench import shortcuts
from curation.reviews.models import QueueItem, QueueStatus, Reason, Verdict
from curation.reviews.submission.submit import ReviewInput
from curation.text.clean import clean
from curation.web.pagination import number, only, page_of

PAGE = 50
TAKE = "take-"  # the verdict that puts a reviewer's edit in its rationale's place


@require_GET
@project_view(admin=True)
def adjudication_list(request: HttpRequest) -> HttpResponse:
    """What waits for an admin, and what this admin decided last."""
    filters = only(request.GET, ("after",))
    page = page_of(disputes.waiting_disputes(request.project), filters, PAGE)
    context = {
        "page": page,
        "lines": disputes.lines_of(page.rows),
        "mine": disputes.decided_lately(request.project, request.user),
    }
    return render(request, "reviews/adjudication.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@project_view(admin=True)
def adjudicate_question(request: HttpRequest, pk: int) -> HttpResponse:
    """One question with what everybody said; posting decides the rationales that were chosen."""
    item = get_object_or_404(
        QueueItem.objects.select_related("question"), project=request.project, question=pk
    )
    item.project = request.project
    error: ServiceError | None = None
    if request.method == "POST":
        try:
            says = says_of(request.POST)
            adjudicate.adjudicate(request.project, request.user, item.pk, says)
        except ServiceError as refused:
            error = refused
        else:
            return _after(request, item, len(says))
    if item.status != QueueStatus.ADJUDICATE and error is None:
        messages.info(request, "This question does not wait for an admin (any more).")
        return redirect("question", request.project.slug, pk)
    return _case_page(request, item, error)


def _case_page(request: HttpRequest, item: QueueItem, error: ServiceError | None) -> HttpResponse:
    """With an error the page keeps all that was chosen and typed."""
    case = disputes.case_of(item, request.user)
    for dispute in case.disputes:
        rationale = dispute.rationale.rationale.pk
        dispute.chosen = request.POST.get(f"verdict-{rationale}", "")
        dispute.ticked = request.POST.getlist(f"reasons-{rationale}")
        dispute.comment = request.POST.get(f"comment-{rationale}", "")
        dispute.text = request.POST.get(f"text-{rationale}") or dispute.rationale.rationale.text
    context = {
        "case": case,
        "error": error,
        "reasons": Reason.choices,
        "keys": shortcuts.table_of(request.user),
        "following": disputes.next_dispute(request.project, item.pk),
        "last": next(iter(disputes.decided_lately(request.project, request.user, 1)), None),
        "others_lead": case.is_disputant
        and members_of(request.project).filter(role=Role.ADMIN).exclude(user=request.user).exists(),
        "waiting": disputes.waiting_disputes(request.project).count(),
    }
    status = 200 if error is None else 409 if isinstance(error, Conflict) else 400
    return render(request, "reviews/adjudicate.html", context, status=status)


def _after(request: HttpRequest, item: QueueItem, decided: int) -> HttpResponse:
    item.refresh_from_db()
    rationales = f"{decided} rationale{'s' if decided > 1 else ''}"
    if item.status == QueueStatus.ADJUDICATE:
        messages.success(request, f"{rationales} decided; the others of this question still wait.")
        return redirect("adjudicate_question", request.project.slug, item.question_id)
    messages.success(request, f"Question {item.question_id}: {rationales} decided.")
    following = disputes.next_dispute(request.project, item.pk)
    if following is None:
        return redirect("adjudication", request.project.slug)
    return redirect("adjudicate_question", request.project.slug, following.question_id)


def says_of(form: QueryDict) -> list[ReviewInput]:
    """What the form says of each rationale that was decided on. Raises Invalid for what no form sends."""
    says = []
    for name in form:
        if not name.startswith("verdict-") or not form[name]:
            continue
        rationale = number("The rationale", name.removeprefix("verdict-"))
        verdict, comment = form[name], form.get(f"comment-{rationale}", "")
        if verdict.startswith(TAKE):
            edit = number("The edit", verdict.removeprefix(TAKE))
            says.append(ReviewInput(edit, Verdict.APPROVE, comment=comment))
            continue
        says.append(
            ReviewInput(
                rationale,
                verdict,
                form.getlist(f"reasons-{rationale}") if verdict == Verdict.REJECT else (),
                comment,
                edited_text=form.get(f"text-{rationale}", "") if verdict == Verdict.EDIT else "",
            )
        )
    if not says:
        raise Invalid("Choose a verdict for at least one rationale.")
    return says


@require_POST
@project_view(admin=True)
def adjudicate_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back what this admin decided on a question, and show it again."""
    item = get_object_or_404(QueueItem, project=request.project, question=pk)
    adjudicate.undo_adjudication(request.project, request.user, item.pk)
    messages.success(request, "Taken back: decide again.")
    return redirect("adjudicate_question", request.project.slug, pk)


@require_GET
@project_view(admin=True)
def flags(request: HttpRequest) -> HttpResponse:
    """What reviewers said of the questions themselves."""
    filters = only(request.GET, ("after",))
    page = page_of(disputes.open_flags(request.project), filters, PAGE)
    return render(request, "reviews/flags.html", {"page": page})


@require_POST
@project_view(admin=True)
def flag_settle(request: HttpRequest, pk: int) -> HttpResponse:
    flag = get_object_or_404(disputes.open_flags(request.project), pk=pk)
    settlement = clean(request.POST.get("settlement", ""))
    if not settlement:
        raise Invalid("Say what came of it: one line is enough.")
    adjudicate.settle_flag(request.project, request.user, flag.pk, settlement)
    messages.success(request, f"Settled: {settlement[:80]}")
    back: dict[str, Any] = {"case": ("adjudicate_question", flag.question_id), "list": ("flags",)}
    name, *rest = back.get(request.POST.get("back", "list"), ("flags",))
    return redirect(name, request.project.slug, *rest)
