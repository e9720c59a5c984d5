"""Files in and out (imports, datasets) on the `files` queue; what is done to many rationales at once on
the `quick` one. All of it works in turns."""

from curation.celery_app import (
    CHECK_DATASET,
    CHECK_REFERENCES,
    FILES,
    FREEZE_DATASET,
    QUICK,
    RUN_BULK,
    RUN_DELETION,
    RUN_GATES,
    RUN_IMPORT,
    app,
    send,
)
from curation.datasets.gates.runs import run_gates
from curation.datasets.models import DatasetCheck, DatasetVersion, GateRun
from curation.datasets.services import freeze
from curation.datasets.verification import run_check
from curation.jobs import Status
from curation.projects.models import Project
from curation.questions.models import Deletion, QuestionImport
from curation.rationales.importing import run_import
from curation.reviews.bulk.orders import run_bulk
from curation.reviews.deletion.orders import run_deletion
from curation.reviews.models import BulkAction
from curation.training.services import wake_trainings
from workers.authorization import refuse_without_rights
from workers.scoring.tasks import check_references
from workers.turns import Turn, in_turns


@in_turns(RUN_IMPORT, QuestionImport)
def run_import_task(import_id: int) -> None:
    if refuse_without_rights(QuestionImport, import_id):
        return
    job = run_import(import_id, is_over=Turn(FILES, (QuestionImport, import_id)).over)
    if job is not None and job.status != Status.WAITING:
        send(CHECK_REFERENCES, job.project_id)


@app.task(name=CHECK_REFERENCES)
def check_references_task(project_id: int) -> None:
    """Look at references that nobody has looked at. Where this gets lost the next scoring does it."""
    if not check_references(project_id, Turn(FILES).over) and Project.objects.filter(pk=project_id):
        send(CHECK_REFERENCES, project_id)


@in_turns(FREEZE_DATASET, DatasetVersion)
def freeze_dataset(version_id: int) -> None:
    if refuse_without_rights(DatasetVersion, version_id):
        wake_trainings(DatasetVersion.objects.get(pk=version_id))
        return
    version = freeze(version_id)
    if version is not None:
        wake_trainings(version)


@in_turns(RUN_BULK, BulkAction)
def run_bulk_task(action_id: int) -> None:
    # It asks for its owner's rights itself, also where it runs in the web.
    run_bulk(action_id, Turn(QUICK, (BulkAction, action_id)).over)


@in_turns(CHECK_DATASET, DatasetCheck)
def check_dataset(check_id: int) -> None:
    if not refuse_without_rights(DatasetCheck, check_id):
        run_check(check_id)


@in_turns(RUN_GATES, GateRun)
def run_gates_task(run_id: int) -> None:
    if not refuse_without_rights(GateRun, run_id):
        run_gates(run_id)


@in_turns(RUN_DELETION, Deletion)
def run_deletion_task(deletion_id: int) -> None:
    run_deletion(deletion_id, Turn(QUICK, (Deletion, deletion_id)).over)  # it asks itself, too
