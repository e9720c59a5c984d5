"""Asks the models, and keeps every answer on disk as soon as it is there."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from workers.evaluation.config import ModelEntry
from workers.evaluation.types import EvaluationError, Question
from workers.generation.backends import open_backend
from workers.generation.chat.address_pool import AddressPool
from workers.generation.prompts import build_messages, get_style
from workers.generation.types import Backend, BackendError, Completion, Request
from workers.json_lines import json_line
from workers.training.folder import ORIGIN_FILE, weights_mark

ANSWERS_FILE = "answers.jsonl"
Emit = Callable[..., None]


@dataclass(frozen=True)
class Answer:
    """What one model said to one question; ``mark`` names its weights and the way of asking."""

    model: str
    mark: str
    question_id: str
    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    error: str = ""

    @property
    def came_back(self) -> bool:
        """Whether there is an answer. One that its server broke off in the middle is one."""
        return not self.error and (self.finish_reason != "error" or bool(self.text.strip()))


class AnswerFile:
    """answers.jsonl: appended line by line, read again on resuming.

    An answer counts as there only if model, weights, prompt style, length limit and question are
    the same; failed ones are asked again.
    """

    def __init__(self, folder: str | Path):
        self.path = Path(folder) / ANSWERS_FILE
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.found: dict[tuple[str, str, str], Answer] = {}
        for line in self.path.read_bytes().splitlines() if self.path.exists() else ():
            try:
                answer = Answer(**json.loads(line))
            except (ValueError, TypeError):
                continue  # a line that a kill cut short: that question is asked again
            self.found[answer.model, answer.mark, answer.question_id] = answer
        self._file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")

    def get(self, model: str, mark: str, question_id: str) -> Answer | None:
        """An answer that came back, None where there is none or it failed."""
        answer = self.found.get((model, mark, question_id))
        return answer if answer is not None and answer.came_back else None

    def add(self, answer: Answer) -> None:
        """Keep an answer: on disk at once."""
        self.found[answer.model, answer.mark, answer.question_id] = answer
        line = json_line(asdict(answer)).encode("utf-8", "replace") + b"\n"
        os.write(self._file, line)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def model_mark(entry: ModelEntry, max_tokens: int, seed: int) -> str:
    """Changes with the model's weights, adapter, address, style, length limit or seed."""
    digest = hashlib.sha256()
    style = get_style(entry.style).label
    asked = [entry.spec.key, style, max_tokens, seed, *([entry.begin] if entry.begin else [])]
    digest.update(json.dumps(asked).encode())
    for folder in (entry.spec.model, entry.spec.adapter):
        if not folder or not Path(folder).is_dir():
            continue
        for path in sorted(Path(folder).iterdir()):
            if path.suffix == ".safetensors":
                state = path.stat()
                digest.update(f"{path.name}:{state.st_size}:{state.st_mtime_ns};".encode())
    return digest.hexdigest()[:20]


def check_adapter(entry: ModelEntry) -> None:
    """Raise where an adapter was trained on other weights than it would be put on.

    Nothing else notices: shapes fit, and the model talks nonsense.
    """
    path = Path(entry.spec.adapter, ORIGIN_FILE)
    if not entry.spec.adapter or not path.is_file() or not Path(entry.spec.model).is_dir():
        return
    trained_on = json.loads(path.read_text(encoding="utf-8"))["base_mark"]
    if "/" not in trained_on and trained_on != weights_mark(entry.spec.model):
        raise EvaluationError(
            f"{entry.name}: its adapter was trained on other weights than those of "
            f"{Path(entry.spec.model).name} now. The base model was changed since: train again, or put the "
            "old base model back."
        )


def question_key(question: Question) -> str:
    """The question's id, and a mark of its text: a changed question is asked again."""
    text = json.dumps([question.question, question.choices])
    return f"{question.id}#{hashlib.sha256(text.encode()).hexdigest()[:10]}"


def kept_answers(
    entry: ModelEntry,
    questions: Sequence[Question],
    file: AnswerFile,
    *,
    max_tokens: int,
    seed: int,
) -> int:
    """How many answers of the model are there from before."""
    mark = model_mark(entry, max_tokens, seed)
    return sum(file.get(entry.name, mark, question_key(one)) is not None for one in questions)


def kept_of_others(file: AnswerFile, questions: Sequence[Question], names: Collection[str]) -> int:
    """How many answers of models beside `names` there are from before. What these models are now is
    not looked at: whoever asks them does that, see `kept_answers`."""
    keys = {question_key(one) for one in questions}
    return len(
        {
            (model, key)
            for (model, _, key), answer in file.found.items()
            if model not in names and key in keys and answer.came_back
        }
    )


def ask(
    entry: ModelEntry,
    questions: Sequence[Question],
    file: AnswerFile,
    *,
    max_tokens: int,
    seed: int,
    emit: Emit,
    allowed_hosts: Collection[str] = (),
    pool: AddressPool | None = None,
) -> list[Answer]:
    """Answers of one model to all questions, greedily, in the questions' order.

    ``emit`` gets ``progress`` events. ``allowed_hosts`` are the operator's, and ``pool`` holds
    the limits of addresses that others ask beside it, see open_backend.
    Raises EvaluationError where the model cannot answer at all, or answers none of the questions.
    """
    check_adapter(entry)
    mark = model_mark(entry, max_tokens, seed)
    keys = [question_key(question) for question in questions]
    missing = [
        (key, question)
        for key, question in zip(keys, questions, strict=True)
        if file.get(entry.name, mark, key) is None
    ]
    kept = len(questions) - len(missing)
    if missing:
        requests = [_request(entry, key, question, max_tokens, seed) for key, question in missing]
        backend = None
        try:
            backend = open_backend(entry.spec, allowed_hosts=allowed_hosts, pool=pool)
            _generate(
                backend,
                requests,
                lambda c: file.add(_answer(entry.name, mark, c)),
                _Progress(entry.name, kept, len(questions), emit),
            )
        except BackendError as error:
            raise EvaluationError(f"{entry.name} does not answer: {error}") from error
        finally:
            if backend is not None:
                backend.close()
    answers = [file.found[entry.name, mark, key] for key in keys]
    failed = [answer.error for answer in answers if not answer.came_back]
    if answers and len(failed) == len(answers):
        reason, _ = Counter(failed).most_common(1)[0]
        raise EvaluationError(f"{entry.name} answered none of the questions: {reason}")
    return answers


def _request(
    entry: ModelEntry, key: str, question: Question, max_tokens: int, seed: int
) -> Request:
    messages = build_messages(entry.style, question.question, question.choices)
    return Request(
        key,
        tuple(messages),
        temperature=0.0,
        seed=seed,
        max_tokens=max_tokens,
        begin=entry.begin,
    )


class _Progress:
    """Says once a second how far one model is: answers that came, and that did not."""

    def __init__(self, model: str, kept: int, total: int, emit: Emit):
        self.model, self.kept, self.total, self.emit = model, kept, total, emit
        self.done, self.failed, self.tokens = kept, 0, 0
        self.began, self.said = time.monotonic(), 0.0

    def add(self, completion: Completion) -> None:
        failed = bool(completion.error)
        self.failed += failed
        self.done += not failed
        self.tokens += completion.completion_tokens
        now, came = time.monotonic(), self.done + self.failed
        if now - self.said < 1.0 and came < self.total:
            return
        self.said = now
        seconds = max(now - self.began, 1e-6)
        left = (self.total - came) * seconds / (came - self.kept)
        self.emit(
            "progress",
            model=self.model,
            done=self.done,
            failed=self.failed,
            total=self.total,
            tokens_per_second=round(self.tokens / seconds, 1),
            seconds_left=round(left, 1),
        )


def _generate(
    backend: Backend, requests: list[Request], keep: Callable, progress: _Progress
) -> None:
    for completion in backend.generate(requests):
        keep(completion)
        progress.add(completion)


def _answer(model: str, mark: str, completion: Completion) -> Answer:
    return Answer(
        model=model,
        mark=mark,
        question_id=completion.id,
        text=completion.rationale,  # with the thought apart, as the scorer knows it
        finish_reason=completion.finish_reason,
        prompt_tokens=completion.prompt_tokens,
        completion_tokens=completion.completion_tokens,
        seconds=round(completion.seconds, 4),
        error=completion.error,
    )
