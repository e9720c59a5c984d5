"""Score the groups of a project that wait, on the `cpu` queue."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.db.models import F

from curation.celery_app import CHECK_TEXT, CPU, SCORE_PROJECT, app
from curation.jobs import Status, begin, ending, finish, give_way, still_mine
from curation.projects.models import Project
from curation.questions.models import Question
from curation.questions.services import set_reference_problems
from curation.rationales.generation.adaptive import wake_adaptive
from curation.rationales.models import (
    Group,
    Judge,
    Rationale,
    ReadingCase,
    ScoringRun,
    Source,
    TextCheck,
)
from curation.rationales.scoring import text_checks
from curation.rationales.scoring.scores import (
    SCORES,
    note_tries,
    order_scoring,
    store_scores,
    waiting_groups,
    weights_of,
)
from curation.reviews.decisions.rule import apply_rule, take_rejections_back
from curation.reviews.queue.changed import decide_again
from curation.reviews.queue.items import enqueue, open_again
from workers.authorization import refuse_nobodys
from workers.generation.types import BackendError
from workers.heartbeat import Pulse
from workers.model_paths import Place, find_model
from workers.scoring import SCORER_VERSION, Item, score_items
from workers.scoring.checking import check_item
from workers.scoring.grade.references import ANSWER_TYPES
from workers.scoring.isolation.process import Failure, TextError, TextProcess
from workers.scoring.judge import Judge as Asker
from workers.scoring.judge import JudgeServer
from workers.scoring.metrics.conciseness import StudentLimit
from workers.scoring.metrics.similarity import SentenceEmbedder
from workers.scoring.student import student_limit
from workers.turns import Turn, in_turns

GROUPS_AT_ONCE = 50
REFERENCES_AT_ONCE = 500
MAX_TRIES = 3  # of a question at which the worker was lost each time
FAILED = "scorer_failed"  # the code of the flag of a rationale without a score
AS_CUT = {"content_filter": "abort"}  # a filter that let a part through cut the rest off
JUDGE_PATIENCE = 5.0  # seconds: scores do not wait for a judge that is down
log = logging.getLogger(__name__)

# What other tasks of this queue have for `answer_who_waits`.
BETWEEN: list[Callable[[], None]] = []
_embedder: SentenceEmbedder | None = None
# Texts are read in processes of their own, so that none stalls this worker. What somebody waits for
# has one to itself, and is answered while the other is busy.
_texts_of_runs = TextProcess(while_waiting=lambda: answer_who_waits())
_texts_of_people = TextProcess()


def embedder() -> SentenceEmbedder:
    """The sentence embedder, loaded once in this worker's process."""
    global _embedder
    if _embedder is None:
        made = SentenceEmbedder()
        made.encode(["loads"])  # what cannot be loaded fails the run here, not each question later
        _embedder = made
    return _embedder


@in_turns(SCORE_PROJECT, ScoringRun)
def score(run_id: int) -> None:
    """Score until no group of the project waits, or others wait for this worker. A group that changes
    meanwhile waits again."""
    if refuse_nobodys(ScoringRun, run_id):
        return
    run = begin(ScoringRun, run_id)
    if run is None:
        return
    with ending(run):
        score_all(run, Turn(CPU, (ScoringRun, run_id)))


def score_all(run: ScoringRun, turn: Turn) -> None:
    """Score as this attempt of the run, until nothing waits, the turn is over, or somebody else took the
    run over."""
    with Pulse(run, on_lost=lambda: None) as pulse, ExitStack() as open_until_done:
        check_references(run.project_id)
        how = how_to_score(run)
        if "judge" in how:
            open_until_done.enter_context(how["judge"])
        at_first = True
        while groups := waiting_groups(run.project_id, GROUPS_AT_ONCE):
            if not at_first and turn.over():
                break
            at_first = False
            score_groups(run, groups, how)
            if pulse.lost.is_set() or not still_mine(run, note=run.note, total=run.counted().total):
                return
            answer_who_waits()  # somebody sits before it, and this may take hours
        if not groups:
            decide_by_rule(run.project)
    if groups:
        give_way(run)
        return
    finish(run, Status.DONE, total=F("done"))
    wake_adaptive(run.project)
    # A rationale that came between the last look and the end would find this run still active.
    order_scoring(run.project, None)


def decide_by_rule(project: Project) -> None:
    """What the rule rejected unread and what was read now waits for people again, or for the rule."""
    if back := take_rejections_back(project):
        open_again(project, back)
    if project.rule_approves:
        apply_rule(project)


def answer_who_waits() -> None:
    """Short work of this queue whose answer somebody looks for, between two parts of a long one."""
    answer_checks(text_checks.waiting_checks())
    for answer in BETWEEN:
        try:
            answer()
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # no reason to end the scoring
            log.error("%s", answer.__name__, exc_info=error)


@app.task(name=CHECK_TEXT)
def check_text(check_id: int) -> None:
    """Say what the scorers think of a text that somebody is writing."""
    answer_checks(text_checks.waiting_checks(check_id))


def answer_checks(waiting: Iterable[TextCheck]) -> None:
    """Those that nobody waits for any more are not among them, see `waiting_checks`."""
    for check in waiting:
        question, project = check.question, check.project
        try:
            limit = _limit_if_known(project) if project.student else None
            item = item_of(question, str(check.pk), check.text)
            text_checks.answer(check, check_item(item, limit=limit, process=_texts_of_people))
        except TextError as error:
            message = f"The scorer failed at this text: {error.args[0]}."
            log.error("check %s: %s", check.pk, ", ".join(error.args))
            text_checks.answer(check, None, message)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # said at the text: the scorer must not stop who writes
            log.error("check %s", check.pk, exc_info=error)
            text_checks.answer(
                check, None, "The scorer failed at this text; the workers' log says why."
            )


def _limit_if_known(project: Project) -> StudentLimit | None:
    try:
        return limit_of(project)
    except ValueError as error:  # the run that scores the project says so to its people
        log.warning("a text is checked without the student's length: %s", error)
        return None


def limit_of(project: Project) -> StudentLimit:
    """The student's limit, whose tokenizer is loaded once for each state of its files. Raises ValueError,
    which is not kept: a student that is put there later is found."""
    place = find_model(project.student, settings.MODEL_ROOTS, hub=True)
    return _loaded(place, _state(place), project.max_rationale_tokens)


def _state(place: Place) -> tuple[tuple[int, int] | None, ...]:
    """Changes when what is read of the student does."""
    found: list[tuple[int, int] | None] = []
    for name in ("tokenizer.json", "config.json"):
        path = Path(place.where, name)
        known = path.stat() if place.is_folder and path.is_file() else None
        found.append(known and (known.st_mtime_ns, known.st_size))
    return tuple(found)


@lru_cache(maxsize=8)
def _loaded(
    place: Place, state: tuple[tuple[int, int] | None, ...], budget: int | None
) -> StudentLimit:
    return student_limit(place.where, budget, name=place.name)


def how_to_score(run: ScoringRun) -> dict[str, Any]:
    """The settings of `score_items` for this project. What is missing is said in the run's note."""
    project = run.project
    how: dict[str, Any] = {
        "embedder": embedder() if run.embeddings else None,
        "teacher_weights": weights_of(run),
        "process": _texts_of_runs,
    }
    run.note = ""
    if project.student:
        try:
            how["limit"] = limit_of(project)
        except ValueError as error:
            run.note = f"Rationales were not measured against the student's length. {error}"
            log.warning("project %s: %s", project.slug, error)
    judge = Judge.objects.filter(project=project).first()
    if judge is not None:
        try:
            how["judge"] = asker(judge)
        except BackendError as error:
            run.note = f"{run.note} The judge could not be asked. {error}".strip()
            log.warning("project %s: %s", project.slug, error)
    return how


def asker(judge: Judge) -> Asker:
    """The judge's server, ready to be asked. Raises BackendError where it cannot be."""
    server = JudgeServer(
        kind=judge.kind,
        name=judge.name,
        model=judge.model,
        base_url=judge.base_url,
        api_key_env=judge.api_key_env,
        allowed_hosts=tuple(settings.MODEL_HOSTS),
        options={"patience": JUDGE_PATIENCE},
    )
    return Asker(server)


def check_references(project_id: int, is_over: Callable[[], bool] = lambda: False) -> bool:
    """Note which references cannot be compared with: a fault of the data, not of a rationale. False
    when `is_over` said to stop before all were looked at."""
    unseen = Question.objects.filter(project_id=project_id, reference_problem__isnull=True)
    while questions := list(unseen.order_by("id")[:REFERENCES_AT_ONCE]):
        asked = [(one.right_answers, type_of(one), one.choices) for one in questions]
        found = _texts_of_people.map("references", asked)
        set_reference_problems(
            {one.pk: _problem(one, said) for one, said in zip(questions, found, strict=True)}
        )
        if is_over() and unseen.exists():
            return False
    return True


def _problem(question: Question, found: str | Failure) -> str:
    """Said at the question: one that is broken must not stop the others."""
    if isinstance(found, str):
        return found
    log.error("question %s cannot be read: %s %s", question.pk, found.reason, found.trace)
    return f"The question's answers cannot be read ({found.reason})."[:500]


def score_groups(run: ScoringRun, groups: list[Group], how: dict[str, Any]) -> int:
    """Score all rationales of these groups, store, and put the questions into the review queue.

    What fails, fails alone: after an error the groups are tried one by one, and the rationales of one that
    fails again, or at which workers were lost `MAX_TRIES` times, get a flag with the reason.
    Returns how many scores were written.
    """
    if groups[0].tries >= MAX_TRIES:  # then it comes alone, see `waiting_groups`
        return store_failure(
            run, groups, f"the worker was lost {groups[0].tries} times at this question"
        )
    note_tries(groups)
    try:
        scores = scores_of(groups, how)
        if any(score["flags"] and score["flags"][0]["code"] == FAILED for score in scores.values()):
            note_failures(run)
        stored = store_scores(groups, scores, SCORER_VERSION, run=run)
    except (OperationalError, InterfaceError):  # a database that is away says nothing of a group
        raise
    except Exception as error:
        if len(groups) > 1:
            return sum(score_groups(run, [group], how) for group in groups)
        log.error("question %s could not be scored", groups[0].question_id, exc_info=error)
        return store_failure(run, groups, f"{type(error).__name__} at this question")
    questions = [group.question_id for group in groups]
    decide_again(run.project, questions)
    enqueue(run.project, questions)
    return stored


def store_failure(run: ScoringRun, groups: list[Group], reason: str) -> int:
    """Say at every rationale of these groups why it has no score."""
    questions = [group.question_id for group in groups]
    rationales = Rationale.objects.filter(question_id__in=questions).values_list("pk", flat=True)
    note_failures(run)
    scores = {pk: failed_score(reason) for pk in rationales}
    stored = store_scores(groups, scores, SCORER_VERSION, run=run)
    enqueue(run.project, questions)
    return stored


def note_failures(run: ScoringRun) -> None:
    said = "Some rationales could not be scored: a flag at each of them says why."
    if said not in run.note:
        run.note = f"{run.note} {said}".strip()


def scores_of(groups: list[Group], how: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """The contract's score objects, with their details, by rationale id."""
    questions = [group.question_id for group in groups]
    rationales = (
        Rationale.objects.filter(question_id__in=questions)
        .exclude(edit_review__withdrawn_at__isnull=False)
        .select_related("question", "teacher", "reading_case")
        .order_by("question_id", "id")
    )
    failed: dict[int, dict[str, Any]] = {}

    def note_failure(item: Item, error: Exception) -> None:
        log.error("rationale %s could not be scored", item.id, exc_info=error)
        reason = error.args[0] if isinstance(error, TextError) else type(error).__name__
        failed[int(item.id)] = failed_score(f"{reason} at this rationale")

    scored = score_items(items(rationales), on_error=note_failure, **how)
    return {int(one.item.id): one.details() | one.to_dict() for one in scored} | failed


def failed_score(reason: str) -> dict[str, Any]:
    """The score of a rationale at which the scorer itself failed: nothing is known, and a flag says so."""
    message = f"The scorer failed ({reason}); judge the rationale by eye."
    flag = {"code": FAILED, "message": message, "severity": "error"}
    return {**dict.fromkeys(SCORES), "steps": [], "flags": [flag], "verdict": "not_read",
            "unread": "not_understood", "reason": "The scorer failed."}  # fmt: skip


def items(rationales: Iterable[Rationale]) -> Iterator[Item]:
    """The rationales as the scorers take them."""
    for rationale in rationales:
        yield item_of(
            rationale.question,
            str(rationale.pk),
            rationale.text,
            teacher=rationale.teacher.name if rationale.teacher_id else None,
            finish_reason=AS_CUT.get(rationale.finish_reason, rationale.finish_reason) or None,
            # What a reviewer wrote must not show in what the next one sees of the others.
            counts=rationale.source != Source.PERSON,
            reading=reading_of(rationale),
        )


def type_of(question: Question) -> str | None:
    """The question's answer type as the scorers know it; None: they read it from the reference."""
    return question.answer_type if question.answer_type in ANSWER_TYPES else None


def reading_of(rationale: Rationale) -> tuple[str | None, str] | None:
    """What a person read in it, where the scorers had misread it."""
    case: ReadingCase | None = getattr(rationale, "reading_case", None)
    return (case.answer, case.verdict) if case else None


def item_of(question: Question, name: str, text: str, **about: Any) -> Item:
    """A text as the scorers take it, as a rationale for this question."""
    return Item(
        id=name,
        question=question.text,
        rationale=text,
        references=question.right_answers,
        answer_type=type_of(question),
        choices=tuple(question.choices),
        group=str(question.pk),
        worked_solution=question.worked_solution,
        **about,
    )
