"""The look through a recipe's examples before they are frozen."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status
from pydantic import Field

from curation.api.core.auth import ADMIN, ADMIN_READ
from curation.api.core.schemas import MAX_INTEGER, Body, WorkOut, work_out
from curation.api.routes.datasets import FreezeIn
from curation.datasets.gates import runs
from curation.datasets.models import GateRun

router = Router(tags=["datasets"])
P = "/projects/{slug:slug}/looks"
ONE = f"{P}/{{int:look_id}}"
PAGE = 200


class LookOut(WorkOut):
    recipe: dict[str, Any]
    funnel: dict[str, Any]
    examples: int
    counts: dict[str, int] = Field(description="Findings of each gate.")
    notes: list[str]
    blocks: int = Field(description="Findings that stop the freezing until somebody acted on them.")


class FindingOut(Schema):
    id: int
    gate: str
    rationale_id: int
    detail: str
    other_question_id: int | None
    other_rationale_id: int | None
    action: str
    reason: str
    acted_at: datetime | None


class ActIn(Body):
    action: str = Field(description="leave_out, keep (takes a reason), or empty to take back.")
    findings: list[int] = Field(default_factory=list, max_length=10_000)
    gate: str = Field("", description="Instead of findings: all of a gate that nobody acted on.")
    reason: str = Field("", max_length=300)


def _look(request: HttpRequest, look_id: int) -> GateRun:
    rows = GateRun.objects.select_related("created_by", "project")
    return get_object_or_404(rows, project=request.project, pk=look_id)


def _out(run: GateRun) -> dict[str, Any]:
    plain = ("recipe", "funnel", "examples", "counts", "notes")
    told = {name: getattr(run, name) for name in plain}
    return {**work_out(run), **told, "blocks": runs.open_blocks(run).count()}


@router.post(P, auth=ADMIN, response={202: LookOut}, summary="Look through a recipe's examples")
def look_order(request: HttpRequest, slug: str, body: FreezeIn) -> Status[dict[str, Any]]:
    """A worker looks for questions like held-out ones, doubles, wrong and ungraded answers, personal data,
    control tokens and other languages. Act on what it found, then freeze with `look`."""
    how = body.dict(exclude={"look"})
    return Status(202, _out(runs.order_gates(request.project, request.user, **how)))


@router.get(ONE, auth=ADMIN_READ, response=LookOut, summary="One look and its counts")
def look_detail(request: HttpRequest, slug: str, look_id: int) -> dict[str, Any]:
    return _out(_look(request, look_id))


@router.get(f"{ONE}/findings", auth=ADMIN_READ, response=list[FindingOut], summary="Its findings")
def look_findings(
    request: HttpRequest, slug: str, look_id: int, gate: str = "", after: int = 0
) -> list[dict[str, Any]]:
    """200 at a time, in order of their ids: go on `after` the last one's."""
    rows = _look(request, look_id).findings.filter(pk__gt=min(max(after, 0), MAX_INTEGER))
    rows = rows.filter(gate=gate) if gate else rows
    return list(rows.order_by("pk").values(*FindingOut.model_fields)[:PAGE])


@router.post(f"{ONE}/act", auth=ADMIN, response=dict[str, int], summary="Leave out or keep")
def look_act(request: HttpRequest, slug: str, look_id: int, body: ActIn) -> dict[str, int]:
    run = _look(request, look_id)
    count = runs.act(
        run, request.user, body.action, ids=body.findings, gate=body.gate, reason=body.reason
    )
    return {"acted": count, "blocks": runs.open_blocks(run).count()}
