"""Files in and out (imports, the freezing of datasets), on the `cpu` queue; what is done to many chains
at once, and the checking of datasets, on the `quick` one."""

from curation.datasets.checking import run_check
from curation.datasets.models import DatasetCheck, DatasetVersion
from curation.datasets.services import freeze
from curation.questions.models import QuestionImport
from curation.queue import CHECK_DATASET, FREEZE_DATASET, RUN_BULK, RUN_DELETION, RUN_IMPORT, app
from curation.rationales.importing import run_import
from curation.reviews.bulk import run_bulk
from curation.reviews.deleting import run_deletion
from curation.training.services import wake_trainings
from workers.rights import refuse_without_rights
from workers.scoring.tasks import check_references


@app.task(name=RUN_IMPORT)
def run_import_task(import_id: int) -> None:
    if refuse_without_rights(QuestionImport, import_id):
        return
    job = run_import(import_id)
    if job is not None:
        check_references(job.project_id)


@app.task(name=FREEZE_DATASET)
def freeze_dataset(version_id: int) -> None:
    if refuse_without_rights(DatasetVersion, version_id):
        wake_trainings(DatasetVersion.objects.get(pk=version_id))
        return
    version = freeze(version_id)
    if version is not None:
        wake_trainings(version)


@app.task(name=RUN_BULK)
def run_bulk_task(action_id: int) -> None:
    run_bulk(action_id)  # it asks for its owner's rights itself, also where it runs in the web


@app.task(name=CHECK_DATASET)
def check_dataset(check_id: int) -> None:
    if not refuse_without_rights(DatasetCheck, check_id):
        run_check(check_id)


@app.task(name=RUN_DELETION)
def run_deletion_task(deletion_id: int) -> None:
    run_deletion(deletion_id)  # it asks itself, too
