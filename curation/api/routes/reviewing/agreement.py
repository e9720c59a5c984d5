"""How far reviewers agree."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from curation.api.core.auth import READ, REVIEW
from curation.api.core.schemas import WorkOut, work_out
from curation.api.routes.rationales import is_admin
from curation.reviews.models import AgreementCount
from curation.reviews.reports import agreement

router = Router(tags=["reviews"])
P = "/projects/{slug:slug}"
Figure = dict[str, Any] | None


class PairOut(Schema):
    a: str
    b: str
    decisions: Figure
    steps: Figure


class MetOut(Schema):
    username: str
    figure: dict[str, Any]


class AgreementOut(Schema):
    counted_at: datetime | None = Field(description="Null where nothing was counted yet.")
    is_stale: bool = Field(description="People reviewed since; order a new count.")
    decisions: Figure = Field(description="Krippendorff's alpha and shares, with 95% intervals.")
    steps: Figure
    pairs: list[PairOut] = Field(description="Reviewers see the pairs in which they stand.")
    controls: list[MetOut] = Field(description="Each person against control questions.")


@router.get(f"{P}/agreement", auth=READ, response=AgreementOut, summary="Agreement of reviewers")
def agreement_detail(request: HttpRequest, slug: str) -> dict[str, Any]:
    count = agreement.newest_count(request.project)
    told = {
        "counted_at": count and count.finished_at,
        "is_stale": agreement.is_stale(request.project, count),
    }
    if count is None:
        return {**told, "decisions": None, "steps": None, "pairs": [], "controls": []}
    found = agreement.figures_for(count, request.user, all_people=is_admin(request))
    return {
        **told,
        "decisions": found.decisions,
        "steps": found.steps,
        "pairs": [
            {
                "a": pair.a.username,
                "b": pair.b.username,
                "decisions": pair.decisions,
                "steps": pair.steps,
            }
            for pair in found.pairs
        ],
        "controls": [
            {"username": person.username, "figure": figure} for person, figure in found.met
        ],
    }


@router.post(f"{P}/agreement", auth=REVIEW, response={202: WorkOut}, summary="Count agreement anew")
def agreement_count(request: HttpRequest, slug: str) -> Status[dict[str, Any]]:
    """By a worker; ordered twice while one is at it, it is one."""
    made: AgreementCount = agreement.order_agreement(request.project, request.user)
    return Status(202, work_out(made))
