"""What an evaluation says of two models and of their references, through whole evaluations of models
behind a real HTTP address."""

import json
from pathlib import Path
from typing import Any

import pytest

from curation.evaluations.reports import differences
from tests.workers.generation.generation_server import Reply, Server, chat
from tests.workers.training.training_tiny import make_model
from workers.evaluation.config import EvaluationConfig
from workers.evaluation.run import evaluate
from workers.evaluation.types import Report

HOST = "127.0.0.1"
QUESTIONS = 40
#: how many of the questions each model gets right, the first ones
RIGHT = {"untrained": 20, "student": 25, "careless": 28, "strong": 38, "far": 34, "ill": 15}


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("base") / "model", hidden=16, layers=1)


@pytest.fixture
def measured(tokenizer: Path, tmp_path: Path) -> Any:
    """measured({"strong": "teacher", …}, …): the report on these models, asked over HTTP."""

    def behave(number: int, received: Any) -> Any:
        i = int(received.body["messages"][-1]["content"].split()[2])
        if received.body["model"] == "ill" and i >= 30:
            return Reply(400, b"no")
        answer = i + 2 if i < RIGHT[received.body["model"]] else 99
        return chat(f"Step 1: {i} + 2 = {answer}.\nAnswer: {answer}")

    server = Server(behave)

    def measure(roles: dict[str, str], **changes: Any) -> Report:
        spec = {"backend": "openai", "base_url": server.url}
        questions = tmp_path / "questions.jsonl"
        questions.write_text(
            "".join(
                json.dumps(
                    {
                        "id": f"q{i}",
                        "question": f"Ann has {i} eggs and buys 2 more. How many has she?",
                        "reference_answer": str(i + 2),
                        "answer_type": "number",
                    }
                )
                + "\n"
                for i in range(QUESTIONS)
            )
        )
        values = {
            "questions": str(questions),
            "output_dir": str(tmp_path / "out"),
            "student_tokenizer": str(tokenizer),
            "embeddings": False,
            "models": [
                {"name": name, "role": role, "spec": spec | {"model": name}}
                for name, role in roles.items()
            ],
        }
        return evaluate(EvaluationConfig.from_dict(values | changes), allowed_hosts=[HOST])

    yield measure
    server.close()


def test_the_better_teacher_is_the_one_that_is_right_more_often_wherever_it_stands(
    measured: Any,
) -> None:
    roles = {"student": "student", "careless": "teacher", "strong": "teacher", "far": "teacher"}
    report = measured(roles)
    assert report.better_teacher == "strong"
    assert [share.teacher for share in report.shares] == ["strong"]
    assert report.shares[0].estimate.value == pytest.approx(25 / 38)
    bar = next(one.bar for one in report.targets if one.name == "accuracy")
    assert bar == pytest.approx(0.9 * 38 / 40)


def test_two_models_are_apart_only_where_mcnemars_test_says_so_as_well(measured: Any) -> None:
    """Five questions more and none less: the interval leaves zero out, the exact test does not."""
    report = measured({"untrained": "base", "student": "student", "far": "teacher"})
    near = report.pair("student", "untrained")
    assert (near.only_a, near.only_b) == (5, 0)
    assert near.difference.low > 0 and near.p_value == pytest.approx(2 / 2**5)
    assert not near.apart
    assert any("cannot be told apart" in sentence for sentence in report.verdict)
    far = report.pair("far", "untrained")
    assert far.difference.low > 0 and far.p_value < 0.001 and far.apart
    (_, shown), *_ = differences(report.to_dict())
    apart = {(one.a, one.b): one.apart for one in shown}
    assert apart == {
        ("student", "untrained"): False, ("student", "far"): True, ("far", "untrained"): True,
    }  # fmt: skip


def test_a_length_is_measured_against_the_mean_of_the_references_not_their_sum(
    measured: Any, tmp_path: Path
) -> None:
    rationale = "Step 1: {0} + 2 = {1}.\nAnswer: {1}"
    lines = [
        json.dumps({"question_id": f"q{i}", "text": rationale.format(i, i + 2)})
        for i in range(QUESTIONS)
        for _ in range(3)
    ]
    path = tmp_path / "references.jsonl"
    path.write_text("\n".join(lines))
    report = measured({"student": "student"}, worked_solutions=str(path))
    found = report.model("student").group("eval").length_ratio
    assert found.n == 25 and found.value == pytest.approx(1.0)


def test_a_question_that_got_no_answer_is_told_and_counts_for_nobody(measured: Any) -> None:
    report = measured({"ill": "student", "strong": "teacher"})
    group = report.model("ill").group("eval")
    assert (group.n, group.n_failed) == (40, 10)
    assert (group.accuracy.value, group.accuracy.n) == (0.5, 30)
    assert report.shares[0].estimate.value == pytest.approx(15 / 30)  # of the 30 that both answered
    assert report.pair("strong", "ill").difference.n == 30
    assert any("10 questions got no answer from ill" in one for one in report.verdict)
