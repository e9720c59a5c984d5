"""The control beside a training: the base student with a rationale's first words in its mouth."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from curation import artifacts
from curation.datasets.models import Example
from curation.evaluations import reports
from curation.evaluations.services import order_evaluation
from curation.projects.models import Project
from curation.rationales.models import Rationale
from tests.curation.training.training_rows import frozen, training
from tools.demo.problems import demo_questions
from workers.evaluation import statistics
from workers.evaluation.answers import model_mark
from workers.evaluation.config import EvaluationConfig
from workers.evaluation.control import CONTROL, control_result, first_words
from workers.evaluation.run import evaluate
from workers.evaluation.tasks import student_name, write_config
from workers.evaluation.types import Estimate, EvaluationError, Report
from workers.evaluation.verdict import _share
from workers.generation.chat.backend import OpenAIBackend
from workers.generation.types import BackendError, ModelSpec, Request

STUDENT = Path(__file__).parents[3] / "workers" / "demo" / "models" / "student"


@pytest.mark.parametrize(
    ("rationales", "words"),
    [
        (
            [f"Step 1: {name} has {n}." for n, name in enumerate(["Ann", "Bo", "Cy", "Di"])],
            "Step 1:",
        ),
        (["Step 1: a b", "Step 1: c d", "Let me think: e"], "Step 1:"),
        (["The sum is 5.", "The rest is 4.", "Take 3."], "The"),
        (["Ann has 3.", "Bo has 4.", "Bo eats 2.", "Cy runs.", "Di sits."], ""),
        (["Ann has 3.", "Bo has 4.", "Cy runs."], ""),
        (["one two three four five six seven eight"] * 3, "one two three four five six"),
        (["", "  "], ""),
        ([], ""),
    ],
)
def test_the_first_words_are_those_that_half_of_the_rationales_share(
    rationales: list[str], words: str
) -> None:
    assert first_words(rationales) == words
    assert first_words(reversed(rationales)) == words


def entry(name: str, role: str, **more: object) -> dict:
    spec = {"backend": "transformers", "model": str(STUDENT)}
    return {"name": name, "role": role, "spec": spec, **more}


def config(folder: Path, models: list[dict]) -> EvaluationConfig:
    questions = folder / "questions.jsonl"
    with questions.open("w") as file:
        for one in demo_questions("eval", 16, 5):
            row = {"id": one.id, "question": one.question, "reference_answer": one.reference_answer}
            file.write(json.dumps(row) + "\n")
    values = {"questions": str(questions), "output_dir": str(folder / "out"), "models": models}
    return EvaluationConfig.from_dict(values | {"embeddings": False, "max_tokens": 90})


def test_the_shipped_student_reasons_when_its_answers_begin_with_the_first_words(
    tmp_path: Path,
) -> None:
    """No training: the figure that the demo's headline has to be read beside."""
    made = config(
        tmp_path,
        [
            entry("base student", "base"),
            entry(CONTROL, "control", begin="Step 1:"),
            entry("as good as untrained", "student"),
        ],
    )
    report = evaluate(made)
    base, control = (report.model(name).group("eval") for name in ("base student", CONTROL))
    assert base.accuracy.value < 0.3 < 0.6 < control.accuracy.value
    scores = [json.loads(line) for line in (tmp_path / "out" / "scores.jsonl").open()]
    texts = [row["text"] for row in scores if row["model"] == CONTROL]
    assert len(texts) == 16 and all(text.startswith("Step 1: ") for text in texts)
    # The student is the base here, so it has gained nothing and there is nothing to take a share of.
    (found,) = report.controls
    assert (found.student, found.begin) == ("as good as untrained", "Step 1:")
    assert found.gain.value is None
    said = next(line for line in report.verdict if line.startswith("Control: "))
    assert "begin its answers with “Step 1:”" in said and "of the gain" not in said
    assert Report.from_dict(json.loads(json.dumps(report.to_dict()))) == report
    earlier = report.to_dict()
    del earlier["controls"]
    assert Report.from_dict(earlier).controls == ()


def test_the_control_says_how_much_of_the_gain_it_reaches_with_an_interval(tmp_path: Path) -> None:
    class Named:
        def __init__(self, name: str) -> None:
            self.name = name

    # Of 100 questions: 5 right before, 88 with the first words, 91 after the training.
    rights = [(i < 5, i < 88, 3 <= i < 94) for i in range(100)]
    found = control_result("trained", Named("base"), Named("control"), "Step 1:", rights, True)
    assert found.gain.value == pytest.approx(83 / 86)
    assert 0.85 < found.gain.low < 83 / 86 < found.gain.high < 1.1
    unknown = control_result("trained", Named("base"), Named("control"), "Step 1:", rights, False)
    assert unknown.gain == statistics.NOTHING


def test_fiellers_interval_is_where_the_t_of_the_difference_is_the_quantile() -> None:
    from scipy.stats import t

    gains = [(int(i < 40), int(10 <= i < 90)) for i in range(100)]
    found = statistics.share_of_gain(gains)
    for ratio in (found.low, found.high):
        rest = [a - ratio * b for a, b in gains]
        mean = sum(rest) / 100
        error = (sum((one - mean) ** 2 for one in rest) / 99 / 100) ** 0.5
        assert abs(mean) / error == pytest.approx(t.ppf(0.975, 99), rel=1e-6)
    assert statistics.share_of_gain([(0, 0)] * 20) == statistics.NOTHING
    assert statistics.share_of_gain([(0, 1), (0, 0), (0, -1), (1, 1)] * 5).low is None


def test_the_verdict_sets_each_student_beside_its_own_control(tmp_path: Path) -> None:
    """One has a control, one another, one none, and the reason is said."""
    made = config(
        tmp_path,
        [
            entry("base student", "base"),
            entry(CONTROL, "control", begin="Step 1:", students=["a"]),
            entry(f"{CONTROL} (2)", "control", begin="First,", students=["b"]),
            *(entry(name, "student") for name in "ab"),
            entry("c", "student", no_control="its rationales begin in many ways"),
        ],
    )
    report = evaluate(replace(made, max_tokens=8))
    found = {one.student: (one.control, one.begin, one.why) for one in report.controls}
    assert found == {
        "a": (CONTROL, "Step 1:", ""),
        "b": (f"{CONTROL} (2)", "First,", ""),
        "c": ("", "", "its rationales begin in many ways"),
    }
    said = [line for line in report.verdict if line.startswith("Control: ")]
    assert len(said) == 3 and said[2] == (
        "Control: there is none for c: its rationales begin in many ways."
    )
    assert Report.from_dict(json.loads(json.dumps(report.to_dict()))) == report
    page = reports.controls(json.loads(json.dumps(report.to_dict())))
    assert [(one.student, one.why) for one in page][2] == ("c", found["c"][2])


def test_a_share_of_the_gain_that_shows_no_spread_claims_no_certainty() -> None:
    for gains, value in (([(1, 1)] * 10, 1.0), ([(0, 1)] * 20 + [(0, 0)] * 5, 0.0)):
        found = statistics.share_of_gain(gains)
        assert found.value == value and found.low < value - 0.15 and found.high > value + 0.15
    few, many = (statistics.share_of_gain([(1, 1)] * n) for n in (10, 1000))
    assert many.high - many.low < 0.01 < few.high - few.low


@pytest.mark.parametrize(
    ("low", "interval", "sentence"),
    [(-0.05, "−5.0 to 40.0", "(−5.0 to 40.0)"), (0.05, "5.0–40.0", "(5.0 to 40.0)")],
)
def test_page_and_verdict_give_a_share_of_the_gain_the_same_ends(
    low: float, interval: str, sentence: str
) -> None:
    gain = {"value": 0.2, "low": low, "high": 0.4, "n": 40}
    assert reports.figure("gain", gain).interval == interval
    assert sentence in _share(Estimate(**gain))
    assert _share(Estimate(0.2, None, None, 40)) == "20.0% (no interval can be given)"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"begin": ""}, "needs `begin`"),
        ({"begin": "  "}, "Use the words"),
        ({"role": "base"}, "only a control"),
        ({"students": "a"}, "students must be a list"),
        ({"no_control": "so"}, "only of a student"),
        (
            {"spec": {"backend": "openai", "model": "x", "base_url": "https://example.org/v1"}},
            "only a model folder",
        ),
    ],
)
def test_a_control_that_cannot_be_is_refused(tmp_path: Path, changes: dict, says: str) -> None:
    with pytest.raises(EvaluationError, match=says):
        config(tmp_path, [entry("control", "control", begin="Step 1:") | changes])


def test_other_first_words_are_asked_again_and_answers_without_stay_valid(tmp_path: Path) -> None:
    plain, one, other = config(
        tmp_path,
        [
            entry("a", "base"),
            entry("b", "control", begin="Step 1:"),
            entry("c", "control", begin="Step"),
        ],
    ).models
    marks = {model_mark(each, 9, 0) for each in (plain, one, other)}
    assert len(marks) == 3
    assert model_mark(replace(one, begin=""), 9, 0) == model_mark(plain, 9, 0)


def test_an_address_refuses_to_put_words_into_a_models_mouth() -> None:
    spec = ModelSpec("openai", "x", base_url="http://127.0.0.1:9/v1")
    asked = Request("1", ({"role": "user", "content": "?"},), 0.0, seed=0, begin="Step 1:")
    with (
        OpenAIBackend(spec, allowed_hosts=["127.0.0.1"]) as backend,
        pytest.raises(BackendError, match="begin its answers"),
    ):
        list(backend.generate([asked]))


@pytest.mark.django_db
def test_an_evaluation_of_a_training_has_the_control_of_its_rationales(
    project: Project, make_questions, make_rationales, settings, tmp_path: Path
) -> None:
    make_questions(3, split="eval")
    for question in make_questions(4):
        make_rationales(
            question, [f"Step 1: {question.pk} + 2 = 3.\nAnswer: {question.reference_answer}"]
        )
    Project.objects.filter(pk=project.pk).update(student="demo:student")
    project.refresh_from_db()
    version = frozen(project)
    for place, one in enumerate(Rationale.objects.order_by("pk")):
        Example.objects.create(version=version, position=place, rationale=one)
    job = training(project, version, points=0)
    artifacts.local_folder(job.folder)
    evaluation = order_evaluation(project, None, job)
    made = EvaluationConfig.load(write_config(evaluation, tmp_path))
    control = next(one for one in made.models if one.role == "control")
    assert (control.name, control.begin) == (CONTROL, "Step 1:")
    assert control.spec == next(one.spec for one in made.models if one.role == "base")
    assert not any(one.role == "control" for one in _without(project, tmp_path).models)


@pytest.mark.django_db
def test_each_compared_student_has_the_control_of_its_own_rationales_or_the_reason_why_not(
    project: Project, make_questions, make_rationales, settings, tmp_path: Path
) -> None:
    make_questions(3, split="eval")
    Project.objects.filter(pk=project.pk).update(student="demo:student")
    project.refresh_from_db()
    jobs = []
    openings = (["Step 1: {}"] * 4, ["First, {}"] * 4, ["Step 1: {}"] * 4, list("abcd"))
    for number, texts in enumerate(openings):
        version = frozen(project, number + 1)
        for place, (text, question) in enumerate(zip(texts, make_questions(4), strict=True)):
            make_rationales(question, [text.format(f"{place} {number}")])
            (rationale,) = Rationale.objects.filter(question=question)
            Example.objects.create(version=version, position=place, rationale=rationale)
        jobs.append(training(project, version, points=0))
        artifacts.local_folder(jobs[-1].folder)
    evaluation = order_evaluation(project, None, jobs[3], compared=jobs[:3])
    made = EvaluationConfig.load(write_config(evaluation, tmp_path))
    names = {job.pk: student_name(job) for job in jobs}
    controls = {one.name: (one.begin, one.students) for one in made.models if one.role == "control"}
    assert controls == {
        CONTROL: ("Step 1:", (names[jobs[0].pk], names[jobs[2].pk])),
        f"{CONTROL} (2)": ("First,", (names[jobs[1].pk],)),
    }
    without = {one.name: one.no_control for one in made.models if one.no_control}
    assert (
        list(without) == [names[jobs[3].pk]]
        and "begin with the same word" in without[names[jobs[3].pk]]
    )
    evaluation.refresh_from_db()
    assert evaluation.total == 3 * len(made.models)


def _without(project: Project, folder: Path) -> EvaluationConfig:
    """Without a training there is nothing to control for."""
    return EvaluationConfig.load(write_config(order_evaluation(project, None), folder))
