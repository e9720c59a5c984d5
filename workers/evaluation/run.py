"""One evaluation: ask every model, score every answer, sum up, judge."""

from __future__ import annotations

import dataclasses
import hashlib
import time
from collections.abc import Callable, Collection, Sequence
from importlib.metadata import version
from pathlib import Path

from workers.evaluation import measure, statistics
from workers.evaluation.answers import Answer, AnswerFile, Emit, ask, kept_answers
from workers.evaluation.config import EvaluationConfig, read_questions, read_worked_solutions
from workers.evaluation.control import control_result
from workers.evaluation.types import (
    SCORES_FILE,
    ControlResult,
    EvaluationError,
    ModelResult,
    Question,
    Report,
    Share,
)
from workers.evaluation.verdict import verdict
from workers.json_lines import json_line
from workers.scoring import SCORER_VERSION, Item, score_items
from workers.scoring.contract import BadLine, Flag, item_from
from workers.scoring.isolation.process import TextError, TextProcess
from workers.scoring.metrics.similarity import DEFAULT_MODEL, SentenceEmbedder


def evaluate(
    config: EvaluationConfig,
    emit: Emit | None = None,
    *,
    allowed_hosts: Collection[str] = (),
    embedder=None,
) -> Report:
    """Run the evaluation and return its report.

    emit           called as ``emit(event, **fields)``: start (with what
                   is ``kept`` from before, by model), progress, answered, scored, end.
    allowed_hosts  hosts of model servers that are not public; the operator's.
    embedder       anything with ``encode(texts) -> unit vectors``; by default the packaged MiniLM.

    Answers stand in ``OUTPUT_DIR/answers.jsonl`` as they come; run again, only what is missing is
    asked. Raises EvaluationError with the reason.
    """
    emit = emit or _silent
    began = time.monotonic()
    questions = read_questions(config.questions)
    _require_primary(config, measure.group_questions(questions))
    answers = _ask_all(config, questions, emit, allowed_hosts)
    count = _token_counter(config.tokenizer_source())
    scores = {name: scored(questions, rows) for name, rows in answers.items()}
    _write_scores(Path(config.output_dir) / SCORES_FILE, questions, answers, scores)
    found = {name: measure.outcomes(rows, scores[name], count) for name, rows in answers.items()}
    emit("scored", answers=sum(len(rows) for rows in answers.values()))
    if config.embeddings and embedder is None:
        embedder = SentenceEmbedder(config.embedding_model or DEFAULT_MODEL, threads=config.threads)
    report = _report(config, questions, found, count, embedder if config.embeddings else None)
    report.facts["seconds"] = round(time.monotonic() - began, 1)
    emit("end", verdict=list(report.verdict), seconds=report.facts["seconds"])
    return report


def _require_primary(config: EvaluationConfig, groups: measure.Groups) -> None:
    """Before hours of asking: the group that the targets are judged on has questions."""
    primary = (config.primary_split, config.primary_subset)
    if primary not in groups:
        have = ", ".join(" / ".join(filter(None, name)) for name in groups)
        raise EvaluationError(
            f"No question is in primary_split {primary[0]!r}, primary_subset {primary[1]!r}; there "
            f"are: {have}. Name one of these."
        )


def _silent(event: str, **fields) -> None:
    """The emitter of a caller that wants no events."""


def _ask_all(config, questions, emit, allowed_hosts) -> dict[str, list[Answer]]:
    file = AnswerFile(config.output_dir)
    answers = {}
    asked = {"max_tokens": config.max_tokens, "seed": config.seed}
    try:
        kept = {one.name: kept_answers(one, questions, file, **asked) for one in config.models}
        emit("start", questions=len(questions), models=list(kept), kept=kept)
        for entry in config.models:
            answers[entry.name] = ask(
                entry,
                questions,
                file,
                **asked,
                emit=emit,
                allowed_hosts=allowed_hosts,
            )
            failed = sum(not row.came_back for row in answers[entry.name])
            emit("answered", model=entry.name, answers=len(questions) - failed, failed=failed)
    finally:
        file.close()
    return answers


def _token_counter(source: str) -> Callable[[Sequence[str]], list[int]]:
    """Counts tokens with the student's own tokenizer, special tokens left out."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(
            source, trust_remote_code=False, local_files_only=Path(source).is_dir()
        )
    except (OSError, ValueError) as error:
        # What a library says names the folder, which is nobody's business who reads the error.
        name = Path(source).name if Path(source).is_dir() else source
        reason = str(error).replace(source, name)
        raise EvaluationError(f"student_tokenizer: {name} does not load: {reason}") from error

    def count(texts: Sequence[str]) -> list[int]:
        if not texts:
            return []
        return [len(ids) for ids in tokenizer(list(texts), add_special_tokens=False)["input_ids"]]

    return count


def scored(questions: Sequence[Question], answers: Sequence[Answer]) -> list[dict | None]:
    """The contract's score of each answer, None where no answer came back.

    An answer that the scorer fails at is one that was not read: its only score is a flag with the reason.
    """
    places = [i for i, answer in enumerate(answers) if answer.came_back]
    try:
        items = [item_from(_item(questions[i], answers[i])) for i in places]
    except BadLine as error:
        raise EvaluationError(f"A question cannot be scored: {error}.") from error
    found: dict[int, dict] = {}  # by the item's identity: two answers may have one name

    def failed(item: Item, error: Exception) -> None:
        reason = error.args[0] if isinstance(error, TextError) else type(error).__name__
        flag = Flag("scorer_failed", f"The scorer failed at this answer: {reason}.", "error")
        found[id(item)] = {"correctness": None, "steps": [], "flags": [flag.to_dict()]}

    process = TextProcess()  # models wrote these texts: none may hold up the others
    try:
        for score in score_items(items, on_error=failed, process=process):
            found[id(score.item)] = score.to_dict()
    finally:
        process.close()
    scores: list[dict | None] = [None] * len(answers)
    for place, item in zip(places, items, strict=True):
        scores[place] = found[id(item)]
    return scores


def _item(question: Question, answer: Answer) -> dict:
    return {
        "id": question.id,
        "question": question.question,
        "reference_answer": [question.reference_answer, *question.other_answers],
        "answer_type": question.answer_type or None,
        "choices": list(question.choices) or None,
        "rationale": answer.text,
        "group": question.id,
        "teacher": answer.model,
        "finish_reason": answer.finish_reason or None,
    }


def _write_scores(path: Path, questions, answers, scores) -> None:
    """scores.jsonl: one line an answer, for the page that shows what went wrong."""
    with path.open("w", encoding="utf-8", errors="replace") as file:
        for name, rows in answers.items():
            for question, answer, score in zip(questions, rows, scores[name], strict=True):
                row = {
                    "model": name,
                    "question_id": question.id,
                    "split": question.split,
                    "subset": question.subset,
                    "text": answer.text,
                    "finish_reason": answer.finish_reason,
                    "came_back": answer.came_back,
                    "tokens": answer.completion_tokens,
                    "score": score,
                }
                file.write(json_line(row) + "\n")


def _report(config: EvaluationConfig, questions, found, count, embedder) -> Report:
    groups = measure.group_questions(questions)
    primary = (config.primary_split, config.primary_subset)
    teacher = _better_teacher(config, found, groups[primary])
    references = _references(config, questions, found, teacher, count)
    models = []
    for entry in config.models:
        rows, cosines = found[entry.name], None
        if references and embedder is not None and entry.name != references.teacher:
            cosines = measure.similarities(rows, references, embedder)
        models.append(measure.measure(entry, rows, groups, references, cosines))
    names = [entry.name for entry in config.models]
    report = Report(
        primary_split=primary[0],
        primary_subset=primary[1],
        better_teacher=teacher,
        models=tuple(models),
        pairs=tuple(measure.compare(names, found, groups)),
        targets=(),
        shares=(),
        target_values=config.targets,
        facts=_facts(config, questions, embedder),
    )
    report = dataclasses.replace(report, controls=_controls(config, report, found, groups[primary]))
    return with_judgement(report, _shares(report, found, groups[primary]))


def _controls(config: EvaluationConfig, report: Report, found, places) -> tuple[ControlResult, ...]:
    """Each student beside its control, or with the reason why it has none."""
    made = []
    controls = [one for one in config.models if one.role == "control"]
    for student in (one for one in config.models if one.role == "student"):
        if student.no_control:
            made.append(
                ControlResult(student.name, "", "", "", statistics.NOTHING, student.no_control)
            )
        for control in controls:
            if student.name in (control.students or [student.name]) and (
                student.spec.model == control.spec.model
            ):
                made.append(_control(config, report, found, places, control, student))
    return tuple(made)


def _control(config, report: Report, found, places, control, student) -> ControlResult:
    base = next(
        (one for one in config.models if one.role == "base" and one.spec == control.spec), None
    )
    rights, pair = [], None
    if base is not None:
        rows = [found[one.name] for one in (base, control, student)]
        both = [i for i in places if all(row[i].came_back for row in rows)]
        rights = [tuple(row[i].right for row in rows) for i in both]
        pair = report.pair(student.name, base.name)
    return control_result(
        student.name,
        report.model(base.name) if base else None,
        report.model(control.name),
        control.begin,
        rights,
        pair is not None and pair.apart and (pair.difference.value or 0) > 0,
    )


def with_judgement(report: Report, shares: Sequence[Share]) -> Report:
    """The report with its targets judged and its verdict written."""
    primary = (report.primary_split, report.primary_subset)
    teacher = report.model(report.better_teacher)
    group = teacher.group(*primary) if teacher else None
    accuracy = group.accuracy.value if group else None
    targets = []
    for student in report.by_role("student"):
        share = next((share for share in shares if share.model == student.name), None)
        targets += measure.judge(student, share, accuracy, primary, report.target_values)
    judged = dataclasses.replace(report, targets=tuple(targets), shares=tuple(shares))
    return dataclasses.replace(judged, verdict=tuple(verdict(judged)))


def _shares(report: Report, found, places) -> list[Share]:
    teacher = report.better_teacher
    if not teacher:
        return []
    return [
        Share(
            model.name, teacher, measure.share_of_teacher(found[model.name], found[teacher], places)
        )
        for model in report.by_role("student")
    ]


def _better_teacher(config: EvaluationConfig, found, places) -> str:
    if config.reference_teacher:
        return config.reference_teacher
    teachers = [entry.name for entry in config.models if entry.role == "teacher"]
    if not teachers:
        return ""
    return max(teachers, key=lambda name: sum(found[name][i].right for i in places))


def _references(config, questions, found, teacher, count) -> measure.References | None:
    """Rationales from the file, or the better teacher's own right answers here."""
    if config.worked_solutions:
        by_id = read_worked_solutions(config.worked_solutions)
        rationales = [by_id.get(question.id, []) for question in questions]
        teacher = ""
    elif teacher:
        rationales = [[row.text] if row.right else [] for row in found[teacher]]
    else:
        return None
    return measure.References(teacher, rationales, [count(texts) for texts in rationales])


def _facts(config: EvaluationConfig, questions, embedder) -> dict:
    digest = hashlib.sha256(Path(config.questions).read_bytes()).hexdigest()
    packages = ("torch", "transformers", "peft", "scipy", "statsmodels")
    return {
        "questions": len(questions),
        "questions_sha256": digest,
        "reference": config.worked_solutions or "the better teacher's right answers here",
        "teacher_chosen_by": "name" if config.reference_teacher else "accuracy on these questions",
        "tokenizer": config.tokenizer_source(),
        "embedding_model": "" if embedder is None else config.embedding_model or DEFAULT_MODEL,
        "max_tokens": config.max_tokens,
        "seed": config.seed,
        "scorer_version": SCORER_VERSION,
        "versions": {name: version(name) for name in packages},
        "models": {
            entry.name: {"model": entry.spec.model, "adapter": entry.spec.adapter}
            for entry in config.models
        },
    }


def summary(report: Report) -> dict[str, dict]:
    """Accuracy, validity, length ratio and similarity by model on the primary group, for tables."""
    return {model.name: _line(report, model) for model in report.models}


def _line(report: Report, model: ModelResult) -> dict:
    group = model.group(report.primary_split, report.primary_subset)
    if group is None:
        return {"role": model.role}
    names = ("accuracy", "validity", "length_ratio", "similarity")
    figures = {
        name: {"value": found.value, "interval": [found.low, found.high], "n": found.n}
        for name in names
        if (found := getattr(group, name))
    }
    return {"role": model.role, **figures}
