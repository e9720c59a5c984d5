"""The demo project: made-up word problems and the shipped small models, ready to work with.

Not a stage: it calls the stages' services as an admin would.
"""

from django.conf import settings

from curation.errors import Invalid
from curation.jobs import Status
from curation.projects.models import Project, User
from curation.projects.services import add_member, create_project
from curation.questions.services import order_import
from curation.rationales.generation.orders import order_run
from curation.rationales.importing import run_import
from curation.rationales.models import GenerationRun, Teacher
from curation.rationales.teachers.services import save_teacher

SLUG = "demo"
QUESTIONS = settings.BASE_DIR / "workers" / "demo" / "questions.jsonl"  # tools/demo writes it
TEMPERATURES = [0.3, 0.5, 0.7]
FIRST_QUESTIONS = 100

GUIDELINES = """\
Approve a rationale that a pupil could learn from: the answer is right, every step follows from the
question or from an earlier step, every sum is right, and no step is there for nothing.

Reject a rationale with a wrong step even when its answer is right, and say why.

Edit a good rationale that has one slip: mend the slip and approve.

These questions are made up, and the models that answered them are tiny. It is a demonstration.
"""


def make_demo_project(admin: User, reviewer: User) -> Project | None:
    """The demo project with its questions and teachers; what is there already is left as it is. None
    where somebody has deleted it, or made a project of their own at its address."""
    project = Project.all_objects.filter(slug=SLUG).first()
    if project is not None and (project.deleted_at or not project.is_demo):
        return None
    if project is None:
        project = create_project(
            admin,
            "Word problems",
            SLUG,
            description="A demonstration with made-up word problems and very small models.",
            guidelines=GUIDELINES,
            is_demo=True,
            student="demo:student",
        )
        add_member(project, reviewer.username, "reviewer")
    if not project.teachers.filter(writes=True).exists():
        for name in ("strong", "wordy"):
            save_teacher(project, Teacher(name=name, model=f"demo:{name}", max_tokens=192))
    if not project.imports.filter(status=Status.DONE).exists():
        import_demo_questions(project)
    return project


def import_demo_questions(project: Project) -> None:
    with QUESTIONS.open("rb") as file:
        job = order_import(project, None, file, "demo questions.jsonl", enqueue=False)
    job = run_import(job.pk, score=False)
    if job is None or job.status != Status.DONE:
        raise Invalid(f"The demo questions were not imported: {job and job.error}")


def order_first_rationales(project: Project) -> GenerationRun | None:
    """The first rationales of the demo project, so that there is something to look at at once."""
    if project.runs.exists():
        return None
    first = project.questions.filter(split="train").order_by("id").values("id")[:FIRST_QUESTIONS]
    if not first:  # they were deleted
        return None
    return order_run(
        project,
        None,
        teachers=project.teachers.filter(writes=True),
        temperatures=TEMPERATURES,
        questions=project.questions.filter(id__in=list(first.values_list("id", flat=True))),
    )
