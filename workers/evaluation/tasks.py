"""Run an evaluation: launch its process on the `gpu` queue, follow it, store what it found.

Teachers at addresses answer before, on the `network` queue: their answers lie in the evaluation's folder
when the process begins, which asks only what is missing.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from django.conf import settings

from curation import artifacts
from curation.celery_app import EVALUATE, EVALUATE_ADDRESSES, send
from curation.evaluations.models import Answer, Evaluation
from curation.evaluations.services import addresses_asked, finish_evaluation, held_out
from curation.jobs import Status, begin, ending, finish, still_mine
from curation.questions.models import Question
from curation.rationales.models import Backend, Teacher
from curation.text.storable import mended
from curation.training.models import TrainingJob
from workers.authorization import refuse_without_rights
from workers.child_environment import without_secrets
from workers.evaluation.answers import AnswerFile, ask, kept_answers, kept_of_others
from workers.evaluation.config import EvaluationConfig, ModelEntry, read_questions
from workers.evaluation.control import CONTROL, NONE_SHARED, first_words
from workers.evaluation.types import SCORES_FILE, CurationPair, EvaluationError, Report
from workers.generation.chat.endpoint import parse_endpoint
from workers.generation.tasks import ADDRESSES, close_warm, spec_of
from workers.generation.types import BackendError, ModelSpec
from workers.heartbeat import Pulse
from workers.model_keys import environment_of_keys, key_for
from workers.model_paths import find_model
from workers.training.events import read_events
from workers.turns import in_turns

POLL_SECONDS = 0.5
CONTROL_EXAMPLES = 2000
QUESTIONS_FILE = "questions.jsonl"
WEAK_DOMAINS = 5
WEAK_QUESTIONS = 5  # a kind with fewer held-out questions says nothing


@in_turns(EVALUATE_ADDRESSES, Evaluation)
def ask_addresses(evaluation_id: int) -> None:
    """Ask the teachers at addresses. What one of them does not answer now the process asks again."""
    if refuse_without_rights(Evaluation, evaluation_id):
        return
    evaluation = begin(Evaluation, evaluation_id)
    if evaluation is None:
        return
    with ending(evaluation):
        try:
            is_done = _ask(evaluation, artifacts.local_folder(_place(evaluation)))
        except (EvaluationError, ValueError, OSError) as error:
            finish(evaluation, Status.FAILED, error=str(error))
            return
        if is_done:
            artifacts.upload_folder(_place(evaluation))
            addresses_asked(evaluation)


def _place(evaluation: Evaluation) -> str:
    return f"evaluations/{evaluation.pk}"


def _ask(evaluation: Evaluation, folder: Path) -> bool:
    """Keep the answers of all teachers at addresses, one after the other; False when it was cancelled
    or taken over."""
    write_questions(evaluation, folder)
    questions, lost = read_questions(folder / QUESTIONS_FILE), threading.Event()
    teachers = teachers_of(evaluation).filter(backend=Backend.OPENAI)
    entries = [ModelEntry.from_dict(teacher_entry(one), one.name) for one in teachers]
    asked = {"max_tokens": max_tokens(evaluation), "seed": EvaluationConfig.seed}
    file = AnswerFile(folder)
    # What is kept from before is not asked again, and counts from the beginning.
    done = {one.name: kept_answers(one, questions, file, **asked) for one in entries}
    done[""] = kept_of_others(file, questions, done)
    failed: dict[str, int] = {}

    def emit(event: str, **fields: Any) -> None:
        if event == "progress":
            done[fields["model"]], failed[fields["model"]] = fields["done"], fields["failed"]
        came = _came({"event": event, **fields}, done, failed)
        if lost.is_set() or not still_mine(evaluation, **came):
            raise Lost

    try:
        emit("start")
        with Pulse(evaluation, on_lost=lost.set):
            for entry in entries:
                ask(
                    entry,
                    questions,
                    file,
                    **asked,
                    emit=emit,
                    allowed_hosts=settings.MODEL_HOSTS,
                    pool=ADDRESSES,
                )
    except Lost:
        return False
    finally:
        file.close()
    return True


class Lost(Exception):
    """The evaluation is no longer this worker's."""


@in_turns(EVALUATE, Evaluation)
def evaluate(evaluation_id: int) -> None:
    """Measure until the process has ended, or the evaluation was cancelled or taken over."""
    if Evaluation.objects.filter(pk=evaluation_id, asks_addresses=True).exists():
        send(EVALUATE_ADDRESSES, evaluation_id)
        return
    if refuse_without_rights(Evaluation, evaluation_id):
        return
    evaluation = begin(Evaluation, evaluation_id)
    if evaluation is None:
        return
    with ending(evaluation):
        _evaluate(evaluation)


def _evaluate(evaluation: Evaluation) -> None:
    close_warm()
    folder = artifacts.fetch_folder(_place(evaluation))
    try:
        config = write_config(evaluation, folder)
    except (EvaluationError, ValueError, OSError) as error:
        finish(evaluation, Status.FAILED, error=str(error))
        return
    error = _follow(evaluation, config, folder)
    if error is None:
        return  # cancelled or taken over
    if error:
        finish(evaluation, Status.FAILED, error=error)
        return
    _store(evaluation, folder)


def write_questions(evaluation: Evaluation, folder: Path) -> list[Question]:
    """Lay the questions into the folder, and note how many answers there will be."""
    questions = held_out(evaluation.project, evaluation.options)
    if not questions:
        raise EvaluationError("There is no held-out question with an answer any more.")
    with (folder / QUESTIONS_FILE).open("w", encoding="utf-8") as file:
        for question in questions:
            row = {
                "id": str(question.pk),
                "question": question.text,
                "reference_answer": question.reference_answer,
                "other_answers": question.other_answers,
                "answer_type": question.answer_type,
                "choices": question.choices,
                "split": question.split,
                "subset": question.subset,
            }
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    controls = sum(bool(words) for _, words in controls_of(evaluation))
    trained = len(students_of(evaluation)) + controls
    models = 1 + trained + teachers_of(evaluation).count()
    Evaluation.objects.filter(pk=evaluation.pk).update(total=len(questions) * models)
    return questions


def write_config(evaluation: Evaluation, folder: Path) -> Path:
    """Lay the questions and the configuration into the folder."""
    first = write_questions(evaluation, folder)[0]
    values = {
        "questions": str(folder / QUESTIONS_FILE),
        "output_dir": str(folder),
        "models": models_of(evaluation),
        "student_tokenizer": _student(evaluation.project.student),
        "primary_split": first.split,
        "primary_subset": first.subset,
        "max_tokens": max_tokens(evaluation),
        "threads": 1,
    }
    config = EvaluationConfig.from_dict(values)
    path = folder / "config.json"
    path.write_text(json.dumps(config.to_dict(), ensure_ascii=False, indent=1))
    return path


def max_tokens(evaluation: Evaluation) -> int:
    """As long as the longest-winded teacher may write."""
    return max([256, *teachers_of(evaluation).values_list("max_tokens", flat=True)])


def teachers_of(evaluation: Evaluation) -> Any:
    return evaluation.project.teachers.filter(writes=True)


def models_of(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Base, controls, trained students and teachers, as entries of the evaluation's configuration."""
    project = evaluation.project
    base = ModelSpec("transformers", _student(project.student))
    entries = [_entry("base student", "base", base)]
    controls = controls_of(evaluation)
    for (model, words), jobs in controls.items():
        if words:
            name = CONTROL if len(entries) == 1 else f"{CONTROL} ({len(entries)})"
            entry = _entry(name, "control", ModelSpec("transformers", _student(model)))
            entries.append(
                entry | {"begin": words, "students": [student_name(one) for one in jobs]}
            )
    without = [one.pk for (_, words), jobs in controls.items() if not words for one in jobs]
    for job in students_of(evaluation):
        adapter = artifacts.fetch_folder(job.folder) / "out" / "adapter"
        spec = ModelSpec("transformers", _student(job.base_model), adapter=str(adapter))
        entry = _entry(student_name(job), "student", spec)
        entries.append(entry | {"no_control": NONE_SHARED if job.pk in without else ""})
    for teacher in teachers_of(evaluation):
        entries.append(teacher_entry(teacher))
    return entries


def _student(name: str) -> str:
    """The student's folder. One of the hub is fetched where it is not here yet, as its training did."""
    place = find_model(name, settings.MODEL_ROOTS, hub=True)
    return place.where if place.is_folder else hub_folder(place.name)


def hub_folder(name: str) -> str:
    """The folder in the hub's cache. Raises EvaluationError where it is not there and cannot be fetched."""
    from huggingface_hub import snapshot_download

    wanted = ["*.json", "*.safetensors", "*.model", "*.jinja", "*.txt"]
    try:
        return snapshot_download(name, allow_patterns=wanted)
    except Exception as error:  # the hub's, and those of whatever the network broke with
        raise EvaluationError(
            f"The student {name} is a model of the Hugging Face hub and cannot be fetched from there "
            f"({type(error).__name__}): put its folder below the models folder of the worker "
            "(MODEL_ROOTS), or try again when the hub can be reached."
        ) from error


def students_of(evaluation: Evaluation) -> list[TrainingJob]:
    """The trainings whose students are measured."""
    jobs = [evaluation.job] if evaluation.job else []
    return [*jobs, *evaluation.compared_jobs.select_related("dataset").order_by("id")]


def controls_of(evaluation: Evaluation) -> dict[tuple[str, str], list[TrainingJob]]:
    """The controls: by base student and the first words that its answers begin with, the trainings that
    each is for. The words are "" where the rationales of these trainings share none: they have no control."""
    found: dict[tuple[str, str], list[TrainingJob]] = {}
    for job in students_of(evaluation):
        found.setdefault((job.base_model, first_words(trained_on(job))), []).append(job)
    return found


def teacher_entry(teacher: Teacher) -> dict[str, Any]:
    spec = spec_of(teacher)
    _require_key(teacher.name, spec)
    return _entry(teacher.name, "teacher", spec, teacher.prompt_style)


def _require_key(name: str, spec: ModelSpec) -> None:
    """Before hours of asking: the teacher's key is there, and may be sent to its address."""
    if spec.backend == "openai":
        try:
            key_for(spec.api_key_env, parse_endpoint(spec.base_url, settings.MODEL_HOSTS))
        except BackendError as error:
            raise EvaluationError(f"{name} cannot be asked: {error}") from error


def trained_on(job: TrainingJob) -> list[str]:
    """The rationales that a student learned from, the first 2,000."""
    examples = job.dataset.examples.order_by("position")
    return list(examples.values_list("rationale__text", flat=True)[:CONTROL_EXAMPLES])


def _entry(name: str, role: str, spec: ModelSpec, style: str = "plain") -> dict[str, Any]:
    return {"name": name, "role": role, "spec": spec.to_dict(), "style": style}


def student_name(job: TrainingJob) -> str:
    """How a trained student is called in a report."""
    recipe = job.dataset.recipe
    of = f", {', '.join(recipe['teachers'])}" if recipe["teachers"] else ""
    return f"training {job.pk} ({recipe['selection']}{of})"


def _follow(evaluation: Evaluation, config: Path, folder: Path) -> str | None:
    """Watch the process. Returns "" after a good end, the reason after a bad one, None when lost."""
    events_path, log_path = folder / f"events-{evaluation.attempt}.jsonl", folder / "evaluation.log"
    command = [sys.executable, "-m", "workers.evaluation", str(config)]
    command += ["-o", str(folder / "report.json"), "--parent", str(os.getpid()), "--nice", "5"]
    for host in settings.MODEL_HOSTS:
        command += ["--allow-host", host]
    with events_path.open("wb") as out, log_path.open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=settings.BASE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=log,
            start_new_session=True,
            env=without_secrets() | _keys(evaluation),
        )
    offset, done, failed, error = 0, {}, {}, ""
    try:
        with Pulse(evaluation, on_lost=process.terminate) as pulse:
            while True:
                status = process.poll()
                events, offset = read_events(events_path, offset)
                for event in events:
                    error = event.get("reason", error) if event["event"] == "error" else error
                    if event["event"] == "start":
                        done = dict(event["kept"])
                    elif event["event"] == "progress":
                        done[event["model"]] = event["done"]
                        failed[event["model"]] = event["failed"]
                if events and not still_mine(evaluation, **_came(events[-1], done, failed)):
                    break
                if status is not None and not events:
                    break
                time.sleep(0.05 if events else POLL_SECONDS)
    finally:
        # Whatever ended the watching: a child left behind would write beside the next attempt's.
        if process.poll() is None:
            process.terminate()
        status = process.wait()
    if pulse.lost.is_set():
        return None
    return "" if status == 0 else error or f"It ended with status {status}; see its log."


def _keys(evaluation: Evaluation) -> dict[str, str]:
    """The keys of the teachers' servers, which the child's clean environment leaves out, each with
    its list of hosts: the child decides once more where they may go."""
    far = teachers_of(evaluation).filter(backend="openai").exclude(api_key_env="")
    return environment_of_keys(far.values_list("api_key_env", flat=True))


def _came(event: dict[str, Any], done: dict[str, int], failed: dict[str, int]) -> dict[str, Any]:
    """What the row says from now on; before the child has looked, what it said before."""
    stage = {"stage": _stage(event)}
    if not done:
        return stage
    return stage | {"done": sum(done.values()), "failed": sum(failed.values())}


def _stage(event: dict[str, Any]) -> str:
    if event["event"] in ("progress", "answered"):
        return f"{event['model']} answers"
    return {"start": "starting", "scored": "comparing", "end": "done"}.get(event["event"], "")


def _store(evaluation: Evaluation, folder: Path) -> None:
    # Imported with the first report: SciPy, pandas and statsmodels take a second and 130 MB, which a
    # worker that never measures does not spend.
    from workers.evaluation.curation import compare_curation

    report = Report.load(folder / "report.json")
    answers = [_answer(evaluation, json.loads(line)) for line in (folder / SCORES_FILE).open()]
    values = without_paths(report.to_dict())
    pairs = curation_pairs(evaluation)
    rows = compare_curation(report, pairs)
    values["curation"] = [row.to_dict() for row in rows]
    verdict = [*report.verdict, *(row.sentence for row in rows)]
    student = student_name(evaluation.job) if evaluation.job else ""
    finish_evaluation(
        evaluation, values, verdict, answers, weak_domains(evaluation, student, answers)
    )


def without_paths(report: dict[str, Any]) -> dict[str, Any]:
    """The report as it is stored: where models lie on this worker's disk is nobody else's business,
    and says nothing on another machine."""
    facts = {k: v for k, v in report["facts"].items() if k not in ("models", "tokenizer")}
    return report | {"facts": facts}


def _answer(evaluation: Evaluation, row: dict[str, Any]) -> Answer:
    score = row["score"] or {}
    correctness = score.get("correctness")
    return Answer(
        evaluation=evaluation,
        model=row["model"],
        question_id=int(row["question_id"]),
        text=mended(row["text"]),
        answer=mended(score.get("answer") or "")[:500] or None,
        right=None if correctness is None else correctness == 1.0,
        validity=score.get("validity"),
        tokens=row.get("tokens") or 0,
        finish_reason=row["finish_reason"],
    )


def curation_pairs(evaluation: Evaluation) -> list[CurationPair]:
    """Pairs of students of one teacher's rationales, approved and unfiltered, same number of examples."""
    found: dict[tuple[str, int], dict[str, str]] = defaultdict(dict)
    for job in evaluation.compared_jobs.select_related("dataset"):
        recipe = job.dataset.recipe
        if len(recipe["teachers"]) == 1:
            key = (recipe["teachers"][0], job.dataset.example_count)
            found[key][recipe["selection"]] = student_name(job)
    return [
        CurationPair(teacher, names["approved"], names["unfiltered"])
        for (teacher, _), names in sorted(found.items())
        if len(names) == 2
    ]


def weak_domains(evaluation: Evaluation, student: str, answers: list[Answer]) -> list[str]:
    """The kinds of held-out questions at which the student does clearly worse than on the whole."""
    domains = dict(
        evaluation.project.questions.filter(split="eval")
        .exclude(domain="")
        .values_list("id", "domain")
    )
    by_domain: dict[str, list[bool]] = defaultdict(list)
    for answer in answers:
        is_read = answer.right is not None  # else it says nothing of what the student can do
        if answer.model == student and answer.question_id in domains and is_read:
            by_domain[domains[answer.question_id]].append(bool(answer.right))
    rights = [right for found in by_domain.values() for right in found]
    if not rights:
        return []
    overall = sum(rights) / len(rights)
    shares = {
        domain: sum(found) / len(found)
        for domain, found in by_domain.items()
        if len(found) >= WEAK_QUESTIONS
    }
    weak = sorted((share, domain) for domain, share in shares.items() if share < overall - 0.1)
    return [domain for _, domain in weak[:WEAK_DOMAINS]]
