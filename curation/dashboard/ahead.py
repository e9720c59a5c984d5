"""What stands before a piece of work that waits for a worker."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Model, Q

from curation.dashboard.selectors import Running, running_in
from curation.datasets.models import DatasetVersion
from curation.evaluations.models import Evaluation
from curation.projects.models import Project
from curation.questions.models import QuestionImport
from curation.queue import CPU, GPU
from curation.rationales.models import GenerationRun, ScoringRun
from curation.training.models import TrainingJob
from curation.work import Status

KINDS: dict[str, tuple[type[Model], ...]] = {
    CPU: (QuestionImport, ScoringRun, DatasetVersion),
    GPU: (GenerationRun, TrainingJob, Evaluation),
}


@dataclass(frozen=True)
class Ahead:
    """Work of the project that runs or was ordered before, and how much of other projects does."""

    mine: list[Running]
    others: int

    @property
    def is_empty(self) -> bool:
        return not self.mine and not self.others


def ahead_of(project: Project, queue: str, since: datetime) -> Ahead:
    """What runs on the queue now, and what waits there since before `since`.

    Of other projects only the number: their names are nobody's here. Runs of teachers take turns with
    what comes after them, so what stands before is not always done first.
    """
    mine = [
        one
        for one in running_in(project)
        if isinstance(one.work, KINDS[queue])
        and (one.work.status == Status.RUNNING or one.work.created_at < since)
    ]
    before = Q(status=Status.RUNNING) | Q(status=Status.WAITING, created_at__lt=since)
    others = sum(
        kind.objects.filter(before).exclude(project=project).count() for kind in KINDS[queue]
    )
    return Ahead(mine, others)
