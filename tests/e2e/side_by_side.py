"""Five kinds of work ordered at once in one project of a whole Chainwright, and how they go on.

The stub of a model's server answers in its own time; all else is real.
"""

import time
from dataclasses import dataclass, field

from tests.e2e.conftest import Stack
from tests.e2e.running import rows
from tests.workers.generation.generation_server import Received, Reply, Server, chat

KINDS = ("training", "run", "import", "freeze", "scoring")
ANSWER_SECONDS = 0.4

PREPARE = """
import time
from curation.celery_app import listeners
from curation.datasets.services import freeze, order_freeze
from curation.projects.models import User
from curation.projects.services import create_project
from curation.questions.formats import Row
from curation.questions.services import add_questions
from curation.rationales.models import Group, Rationale, Source, Teacher, text_hash
from curation.rationales.scoring.scores import mark_stale

admin = User.objects.get(username="admin")
project = create_project(admin, "Eggs", "eggs", use_embeddings=False, student="demo:student")
near = Teacher.objects.create(project=project, name="strong", model="demo:strong")
Teacher.objects.create(
    project=project, name="far", backend="openai", model="m", base_url={url!r}, concurrency=2
)
asked = [
    Row(line=n, question=f"Ann has {{n}} eggs and buys 2 more. How many eggs has she?",
        reference_answer=str(n + 2), domain="shop", difficulty="1")
    for n in range({questions})
]
found = []
for start in range(0, len(asked), 500):
    found += add_questions(project, asked[start : start + 500], "train")[0]
made = []
for place, question in enumerate(found):
    for sample in range({each}):
        said = place + 2 + (sample == 3)
        text = (
            f"She starts with {{place}} eggs.\\nStep {{sample + 1}}: {{place}} + 2 = {{said}}.\\n"
            f"Answer: {{said}}"
        )
        made.append(Rationale(
            project=project, question=question, source=Source.TEACHER, teacher=near, text=text,
            text_hash=text_hash(text), temperature=0.5, sample=sample, finish_reason="stop",
            completion_tokens=20,
        ))
Rationale.objects.bulk_create(made, batch_size=1000)
version = order_freeze(project, admin, selection="unfiltered", limit=400, enqueue=False)
freeze(version.pk)
while not all((listeners() or {{"": 0}}).values()):
    time.sleep(0.5)
print(json.dumps(len(made)))
"""
ORDER = """
import io
from curation.datasets.models import DatasetVersion
from curation.datasets.services import order_freeze
from curation.projects.models import Project, User
from curation.questions.services import order_import
from curation.rationales.generation.question_filter import Choice
from curation.rationales.models import Teacher
from curation.rationales.scoring.scores import mark_stale, order_scoring
from curation.rationales.generation.orders import order_run
from curation.training.services import order_training

project, admin = Project.objects.get(slug="eggs"), User.objects.get(username="admin")
mark_stale(project, list(project.questions.values_list("pk", flat=True)))
far = Teacher.objects.get(name="far")
first = Choice(which="first", limit={asked}).questions(project)
file = io.BytesIO(b"".join(
    json.dumps({{"question": f"What is {{n}} + {{n}}?", "reference_answer": str(2 * n)}}).encode() + b"\\n"
    for n in range({imported})
))
order_training(
    project, admin, DatasetVersion.objects.get(number=1), evaluate_after=False, preset="demo",
    recipe={{"max_steps": 100_000}},
)
order_scoring(project, admin)
order_run(project, admin, teachers=[far], temperatures=[0.5], questions=first)
order_import(project, admin, file, "more.jsonl")
order_freeze(project, admin, selection="unfiltered", limit=2000)
print(json.dumps(True))
"""
# Of each kind: its status, how far it is, and its age in seconds.
AGE = "(julianday('now') - julianday(created_at)) * 86400"
LOOK = {
    "training": f"select status, step + (status = 'running'), {AGE} from training_trainingjob",
    "run": "select status, (select count(*) from rationales_slot s where s.run_id = r.id and "
    f"s.status = 'filled'), {AGE} from rationales_generationrun r",
    "import": f"select status, questions_added, {AGE} from questions_questionimport",
    "freeze": "select status, (select count(*) from datasets_example e where e.version_id = v.id), "
    f"{AGE} from datasets_datasetversion v where number = 2",
    "scoring": f"select status, done, {AGE} from rationales_scoringrun",
}


def slow_server() -> Server:
    """A model's server that takes its time for each answer."""

    def behave(number: int, received: Received) -> Reply:
        time.sleep(ANSWER_SECONDS)
        return chat("She has some.\nAnswer: 5")

    return Server(behave)


def prepare(stack: Stack, server: Server, *, questions: int, each: int = 5) -> None:
    """A project with so many rationales that no score was ordered for, and a worker on each queue."""
    stack.ask(PREPARE.format(url=server.url, questions=questions, each=each))


def order(stack: Stack, *, asked: int, imported: int) -> None:
    """Order all five at once: a run for `asked` questions, an import of `imported` rows."""
    stack.ask(ORDER.format(asked=asked, imported=imported))


@dataclass
class Seen:
    """When each kind was first seen to go on (seconds after its order), and what was unfinished as each
    kind ended."""

    first: dict[str, float] = field(default_factory=dict)
    unfinished: dict[str, set[str]] = field(default_factory=dict)
    state: dict[str, tuple[str, int]] = field(default_factory=dict)


def watch(stack: Stack, until: tuple[str, ...], seconds: float) -> Seen:
    """Look at the rows until these kinds have ended and all have gone on."""
    seen, end = Seen(), time.monotonic() + seconds
    while time.monotonic() < end:
        for kind in KINDS:
            status, done, age = rows(stack, LOOK[kind])[0]
            seen.state[kind] = status, done
            if done and kind not in seen.first:
                seen.first[kind] = age
        ended = {kind for kind, (status, _) in seen.state.items() if status == "done"}
        for kind in ended - seen.unfinished.keys():
            seen.unfinished[kind] = set(KINDS) - ended
        if ended >= set(until) and len(seen.first) == len(KINDS):
            return seen
        time.sleep(0.05)
    raise AssertionError(f"{seen} after {seconds} s")
