"""Whole evaluations: a random Llama on this machine, and models behind a real HTTP address."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.workers.generation.generation_server import Server, chat
from tests.workers.training.training_tiny import make_model
from workers.evaluation.answers import Answer
from workers.evaluation.config import EvaluationConfig, ModelEntry
from workers.evaluation.run import evaluate, scored
from workers.evaluation.types import EvaluationError, Question, Report
from workers.generation.types import ModelSpec

ROOT = Path(__file__).resolve().parents[3]
HOST = "127.0.0.1"


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("base") / "model")


@pytest.fixture(scope="module")
def embedder():
    from workers.scoring.metrics.similarity import SentenceEmbedder

    return SentenceEmbedder()


def write_questions(folder: Path, held_out: int = 24, new_words: int = 12) -> Path:
    path = folder / "questions.jsonl"
    with path.open("w") as file:
        for i in range(held_out + new_words):
            row = {
                "id": f"q{i}",
                "question": f"Ben has {i + 3} pens and buys {i + 4} more. How many has he now?",
                "reference_answer": str(2 * i + 7),
                "answer_type": "number",
                "split": "eval" if i < held_out else "ood",
                "subset": "" if i < held_out else "new words",
            }
            file.write(json.dumps(row) + "\n")
    return path


def right_rationale(i: int) -> str:
    return f"Step 1: He has {i + 3} pens.\nStep 2: {i + 3} + {i + 4} = {2 * i + 7}.\nAnswer: {2 * i + 7}"


def speak(model: str, i: int):
    """What the model called so says to question i, as a real server would send it."""
    if model == "strong":
        return chat(right_rationale(i) if i % 12 else "Step 1: I do not know.\nAnswer: 0")
    if model == "student":
        short = f"Step 1: {i + 3} + {i + 4} = {2 * i + 7}.\nAnswer: {2 * i + 7}"
        return chat(short) if i % 4 else chat("Step 1: 3 + 4 = 7 and 7 + 7", finish="length")
    return chat("Answer: 1")


@pytest.fixture
def server():
    def behave(number, received):
        text = received.body["messages"][-1]["content"]
        return speak(received.body["model"], int(text.split()[2]) - 3)

    made = Server(behave)
    yield made
    made.close()


def config(folder: Path, base: Path, url: str, **changes) -> EvaluationConfig:
    def remote(name, role):
        spec = {"backend": "openai", "model": name, "base_url": url, "options": {"backoff": 0.01}}
        return {"name": name, "role": role, "spec": spec}

    values = {
        "questions": str(write_questions(folder)),
        "output_dir": str(folder / "out"),
        "student_tokenizer": str(base),
        "models": [
            remote("untrained", "base"),
            remote("student", "student"),
            remote("strong", "teacher"),
        ],
    }
    return EvaluationConfig.from_dict({**values, **changes})


def test_an_evaluation_from_questions_to_the_verdict(tmp_path, base, server, embedder):
    events = []
    made = config(tmp_path, base, server.url)
    report = evaluate(
        made,
        lambda event, **fields: events.append((event, fields)),
        allowed_hosts=[HOST],
        embedder=embedder,
    )
    student, strong = (report.model(n).group("eval") for n in ("student", "strong"))
    assert student.accuracy.value == 18 / 24 and strong.accuracy.value == 22 / 24
    assert report.model("untrained").group("eval").accuracy.value == 0
    assert report.model("student").group("ood", "new words").accuracy.n == 12
    assert student.ended.value == 18 / 24
    assert 0.3 < student.length_ratio.value < 0.8 and student.length_ratio.n == 18
    assert 0.5 < student.similarity.value < 1 and student.similarity.n == 22
    assert strong.similarity.value is None
    pair = report.pair("student", "untrained")
    assert pair.apart and pair.difference.low > 0.4
    assert report.shares[0].estimate.value == pytest.approx(18 / 22)
    assert report.verdict[0].startswith("student answers 75.0%")
    kinds = [event for event, _ in events]
    assert kinds[0] == "start" and kinds[-1] == "end" and "progress" in kinds
    scores = (tmp_path / "out" / "scores.jsonl").read_text().splitlines()
    assert len(scores) == 3 * 36 and "score" in json.loads(scores[0])
    report.save(tmp_path / "report.json")
    assert Report.load(tmp_path / "report.json") == report


def test_run_again_it_asks_nothing_and_finds_the_same(tmp_path, base, server):
    made = config(tmp_path, base, server.url, embeddings=False)
    first = evaluate(made, allowed_hosts=[HOST])
    asked = len(server.received)
    assert asked == 3 * 36
    second = evaluate(made, allowed_hosts=[HOST])
    assert len(server.received) == asked
    assert second.models == first.models and second.verdict == first.verdict
    evaluate(replace(made, max_tokens=99), allowed_hosts=[HOST])
    assert len(server.received) == 2 * asked  # asked otherwise: other answers


def test_killed_in_the_middle_it_asks_only_what_is_missing(tmp_path, base):
    stuck = threading.Event()

    def behave(number, received):
        if number >= 50 and not stuck.is_set():
            stuck.wait(300)
        text = received.body["messages"][-1]["content"]
        return speak(received.body["model"], int(text.split()[2]) - 3)

    server = Server(behave)
    made = config(tmp_path, base, server.url, embeddings=False)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(made.to_dict()))
    command = [sys.executable, "-m", "workers.evaluation", str(path)]
    command += ["-o", str(tmp_path / "report.json"), "--allow-host", HOST]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    answers = tmp_path / "out" / "answers.jsonl"
    end = time.monotonic() + 200
    while time.monotonic() < end and (not answers.exists() or count(answers) < 40):
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGTERM)
    out, _ = process.communicate(timeout=90)
    assert process.returncode == 143
    assert json.loads(out.splitlines()[-1])["event"] == "cancelled"
    assert not (tmp_path / "report.json").exists()
    kept = count(answers)
    with answers.open("a") as file:
        file.write('{"model": "student", "mark": "x", "quest')  # what a kill -9 leaves
    stuck.set()
    before = len(server.received)
    report = evaluate(made, allowed_hosts=[HOST])
    assert len(server.received) - before == 3 * 36 - kept
    assert report.model("strong").group("eval").n_failed == 0
    server.close()


def count(path: Path) -> int:
    return path.read_bytes().count(b"\n")


def test_models_on_this_machine_are_measured_and_a_new_adapter_is_asked_anew(tmp_path, base):
    made = EvaluationConfig.from_dict(
        {
            "questions": str(write_questions(tmp_path, 8, 0)),
            "output_dir": str(tmp_path / "out"),
            "max_tokens": 8,
            "embeddings": False,
            "models": [
                {
                    "name": "random",
                    "role": "base",
                    "spec": {"backend": "transformers", "model": str(base)},
                }
            ],
        }
    )
    report = evaluate(made)
    group = report.model("random").group("eval")
    assert (group.n, group.n_failed, group.accuracy.value) == (8, 0, 0)
    assert group.accuracy.high == pytest.approx(0.3244, abs=1e-4)  # Wilson, 0 of 8
    assert report.facts["tokenizer"] == str(base)
    from workers.evaluation.answers import model_mark

    mark = model_mark(made.models[0], 8, 0)
    os.utime(base / "model.safetensors")
    assert model_mark(made.models[0], 8, 0) != mark


def test_an_adapter_of_another_base_is_refused_before_it_talks_nonsense(tmp_path, base):
    from workers.evaluation.answers import check_adapter
    from workers.training.folder import ORIGIN_FILE, weights_mark

    other = make_model(tmp_path / "other", seed=5)
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / ORIGIN_FILE).write_text(json.dumps({"base_mark": weights_mark(base)}))
    spec = ModelSpec("transformers", str(base), adapter=str(adapter))
    check_adapter(ModelEntry("student", "student", spec))
    with pytest.raises(EvaluationError, match="student: its adapter was trained on other weights"):
        check_adapter(ModelEntry("student", "student", replace(spec, model=str(other))))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"id": "a"}', 'line 1: "question" is missing'),
        ('{"id": "a", "question": "x"}', '"reference_answer" is missing'),
        ("[]", "line 1: not a JSON object"),
        ("{", "line 1:"),
        ("", "holds no question"),
        ('{"id": 1, "question": "x", "reference_answer": "2"}\n' * 2, "stands there twice"),
        (
            '{"id": 1, "question": "x", "reference_answer": "2", "split": "ood"}',
            "primary_split 'eval'",
        ),
    ],
)
def test_broken_questions_are_refused_before_a_long_run(tmp_path, base, line, says):
    path = tmp_path / "questions.jsonl"
    path.write_text(line)
    made = config(tmp_path, base, "http://127.0.0.1:9/v1")
    path.write_text(line)
    with pytest.raises(EvaluationError) as caught:
        evaluate(made, allowed_hosts=[HOST])
    assert says in str(caught.value)


def test_an_address_that_the_operator_did_not_allow_is_refused(tmp_path, base, server):
    with pytest.raises(EvaluationError, match="untrained answered none of the questions"):
        evaluate(config(tmp_path, base, server.url))
    assert not server.received


def test_every_answer_that_the_question_calls_right_is_right():
    row = {"id": "q", "question": "A root of x^2 = 4?", "reference_answer": "2"}
    question = Question.from_dict(row | {"other_answers": ["-2"], "answer_type": "number"})
    said = [answer_of("Answer: -2"), answer_of("Answer: 3")]
    found = [scored([question], [one])[0]["correctness"] for one in said]
    assert found == [1.0, 0.0]
    with pytest.raises(ValueError, match="other_answers"):
        Question.from_dict(row | {"other_answers": "-2"})


def answer_of(text: str) -> Answer:
    return Answer("m", "0", "q", text, "stop", 1, 1, 0.1)
