"""What the sentences say for students that plainly reach, barely reach and miss their targets."""

import json
from dataclasses import replace

import pytest

from workers.evaluation.config import EvaluationConfig, ModelEntry
from workers.evaluation.curation import compare_curation
from workers.evaluation.measure import (
    Outcome,
    References,
    compare,
    measure,
    share_of_teacher,
    standing,
)
from workers.evaluation.run import summary, with_judgement
from workers.evaluation.types import CurationPair, Estimate, EvaluationError, Report, Share
from workers.evaluation.verdict import points, verdict
from workers.generation.types import ModelSpec

SPEC = ModelSpec("transformers", "model")
N = 200


def answers(
    right: int, *, tokens: int = 40, validity: float = 0.95, ended: bool = True, n: int = N
):
    """``n`` outcomes of which the first ``right`` are right."""
    return [
        Outcome(f"rationale {i}", True, i < right, True, validity, ended, tokens + i % 3 - 1)
        for i in range(n)
    ]


def report(models: dict[str, tuple[str, list[Outcome]]], cosine: float = 0.9) -> Report:
    """A report over one group, through the same functions as a real one."""
    groups = {("eval", ""): list(range(N))}
    found = {name: rows for name, (_, rows) in models.items()}
    teachers = [name for name, (role, _) in models.items() if role == "teacher"]
    best = max(teachers, key=lambda name: sum(row.right for row in found[name]), default="")
    references = None
    if best:
        rationales = [[row.text] if row.right else [] for row in found[best]]
        tokens = [[row.tokens] if row.right else [] for row in found[best]]
        references = References(best, rationales, tokens)
    cosines = [cosine + 0.0001 * (i % 7) for i in range(N)]
    results = [
        measure(
            ModelEntry(name, role, SPEC),
            rows,
            groups,
            references,
            None if name == best else cosines,
        )
        for name, (role, rows) in models.items()
    ]
    students = [name for name, (role, _) in models.items() if role == "student"]
    shares = [
        Share(name, best, share_of_teacher(found[name], found[best], range(N)))
        for name in students
        if best
    ]
    pairs = compare(list(models), found, groups)
    made = Report("eval", "", best, tuple(results), tuple(pairs), (), ())
    return with_judgement(made, shares)


def usual(student, **changes):
    models = {
        "untrained": ("base", answers(14, tokens=4)),
        "trained": ("student", student),
        "strong": ("teacher", answers(178, tokens=60)),
        "weak": ("teacher", answers(90, tokens=80)),
    }
    return report({**models, **changes})


def test_a_student_that_reaches_everything_is_told_so():
    found = usual(answers(180, tokens=36))
    assert {target.status for target in found.targets} == {"met"}
    text = " ".join(found.verdict)
    assert "trained answers 90.0% (85.1 to 93.4) of 200 questions right" in text
    assert "points more than its base, untrained" in text
    assert "of the accuracy of strong, the better teacher" in text
    assert "Length against the teacher: 0.60 (0.60 to 0.60), target at most 0.70: met" in text
    assert "Next: every target is met" in text


def test_ten_right_answers_beside_ten_right_answers_do_not_meet_a_target():
    few, every = answers(10, n=10), {("eval", ""): list(range(10))}
    share = share_of_teacher(few, few, range(10))
    assert share.value == 1.0 and share.low < 0.9 < share.high
    assert standing(share, 0.9, True) == "met_by_estimate"
    more = answers(100, n=100)
    assert standing(share_of_teacher(more, more, range(100)), 0.9, True) == "met"
    assert compare(["a", "b"], {"a": few, "b": few}, every)[0].difference.low < 0


def test_the_accuracy_target_is_a_share_of_the_better_teacher():
    found = usual(answers(150))
    target = next(target for target in found.targets if target.name == "accuracy")
    assert found.better_teacher == "strong"
    assert target.bar == pytest.approx(0.9 * 0.89)
    assert target.status == "missed"
    assert "Next: approve more rationales" in " ".join(found.verdict)


def test_a_student_near_the_target_is_met_or_missed_by_the_estimate_only():
    teacher = answers(180)
    mixed = [replace(row, right=(i * 7) % 100 < 82) for i, row in enumerate(answers(0))]
    found = report({"trained": ("student", mixed), "strong": ("teacher", teacher)})
    target = next(target for target in found.targets if target.name == "accuracy")
    assert target.status == "met_by_estimate"
    assert "met by the estimate only" in " ".join(found.verdict)
    less = [replace(row, right=(i * 7) % 100 < 80) for i, row in enumerate(answers(0))]
    found = report({"trained": ("student", less), "strong": ("teacher", teacher)})
    target = next(target for target in found.targets if target.name == "accuracy")
    assert target.status == "missed_by_estimate"


@pytest.mark.parametrize(
    ("low", "value", "high", "larger", "status"),
    [
        (0.86, 0.9, 0.94, True, "met"),
        (0.80, 0.86, 0.91, True, "met_by_estimate"),
        (0.80, 0.84, 0.88, True, "missed_by_estimate"),
        (0.70, 0.75, 0.80, True, "missed"),
        (0.70, 0.75, 0.80, False, "met"),
        (0.80, 0.86, 0.91, False, "missed_by_estimate"),
        (None, 0.9, None, True, "met_by_estimate"),
        (None, None, None, True, "unknown"),
    ],
)
def test_where_a_figure_stands_to_its_bar(low, value, high, larger, status):
    assert standing(Estimate(value, low, high, 100), 0.85, larger) == status


def test_a_student_like_its_base_is_said_to_be_so():
    found = usual(answers(16))
    text = " ".join(found.verdict)
    assert "It and its base, untrained, cannot be told apart" in text
    assert "has not shown an effect" in text


def test_a_student_that_got_worse_is_said_to_be_so():
    text = " ".join(usual(answers(40), untrained=("base", answers(100))).verdict)
    assert "30.0 points fewer than its base, untrained" in text


def test_teachers_that_cannot_be_told_apart_are_named():
    text = " ".join(usual(answers(150), weak=("teacher", answers(176))).verdict)
    assert "strong is taken as the better teacher, but it and weak cannot be told apart" in text


def test_a_model_that_does_not_stop_is_the_first_thing_to_mend():
    found = usual(answers(150, ended=False))
    text = " ".join(found.verdict)
    assert "Only 0.0%" in text and "Next: see why answers do not end" in text


def test_answers_that_failed_are_left_out_and_said():
    rows = answers(150)
    rows[-20:] = [replace(row, came_back=False, graded=False) for row in rows[-20:]]
    found = usual(rows)
    group = found.model("trained").group("eval")
    assert (group.n, group.n_failed, group.accuracy.n) == (200, 20, 180)
    assert "20 questions got no answer from trained for technical reasons" in " ".join(
        found.verdict
    )


def test_without_teacher_or_student_the_verdict_says_what_is_missing():
    alone = report({"trained": ("student", answers(100))})
    assert "cannot be judged" in " ".join(alone.verdict)
    assert "add a teacher" in " ".join(alone.verdict)
    assert verdict(report({"strong": ("teacher", answers(100))}))[0].startswith(
        "No trained student"
    )


def test_the_teacher_is_not_compared_with_itself():
    strong = usual(answers(150)).model("strong").group("eval")
    assert strong.similarity.value is None
    assert strong.length_ratio.value == pytest.approx(1.0)


def test_rationales_without_a_step_have_no_validity():
    bare = [replace(row, validity=None) for row in answers(20)]
    group = usual(answers(150), untrained=("base", bare)).model("untrained").group("eval")
    assert group.validity.value is None and group.validity.n == 0


def test_a_report_survives_the_way_through_a_file(tmp_path):
    found = usual(answers(150))
    found.save(tmp_path / "report.json")
    assert Report.load(tmp_path / "report.json") == found
    assert json.dumps(summary(found))
    assert summary(found)["trained"]["accuracy"]["value"] == 0.75


def test_a_pair_can_be_asked_for_either_way_round():
    found = usual(answers(150))
    one, other = found.pair("trained", "untrained"), found.pair("untrained", "trained")
    assert one.difference.value == -other.difference.value > 0
    assert one.difference.low == -other.difference.high
    assert one.apart and other.apart


def test_a_loss_is_written_with_the_minus_sign_that_the_tables_have():
    assert points(Estimate(-0.02, -0.055, 0.015, 200)) == "−2.0 points, −5.5 to +1.5"
    assert points(Estimate(-0.0, None, None, 2)) == "+0.0 points, no interval can be given"


def test_curation_is_apart_for_one_teacher_and_not_for_the_other():
    found = report(
        {
            "weak approved": ("student", answers(92)),
            "weak all": ("student", answers(58)),
            "strong approved": ("student", answers(124)),
            "strong all": ("student", answers(122)),
            "strong": ("teacher", answers(178)),
        }
    )
    pairs = [
        CurationPair("weak", "weak approved", "weak all"),
        CurationPair("strong", "strong approved", "strong all"),
    ]
    weak, strong = compare_curation(found, pairs)
    assert weak.apart and weak.difference.value == pytest.approx(0.17)
    assert weak.sentence.startswith(
        "weak: Approved rationales taught more than unfiltered ones (+17.0 points"
    )
    assert not strong.apart
    assert "cannot be told apart (+1.0 points" in strong.sentence
    turned = compare_curation(found, [CurationPair("weak", "weak all", "weak approved")])[0]
    assert "Unfiltered rationales taught more than approved ones" in turned.sentence
    with pytest.raises(EvaluationError, match="no figures for 'nobody'"):
        compare_curation(found, [CurationPair("weak", "nobody", "weak all")])


GOOD = {
    "questions": "q.jsonl",
    "output_dir": "out",
    "models": [{"name": "a", "role": "base", "spec": {"backend": "transformers", "model": "m"}}],
}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"colour": 1}, "colour is unknown"),
        ({"models": []}, "models is missing"),
        ({"models": [{"name": "a", "role": "boss", "spec": {}}]}, r"models[0].role is 'boss'"),
        ({"models": [{"name": "a\nb", "role": "base", "spec": {}}]}, r"models[0].name is 'a\nb'"),
        ({"models": [{**GOOD["models"][0], "key": "sk-1"}]}, "models[0].key is unknown"),
        ({"models": GOOD["models"] * 2}, "Two models are called 'a'"),
        ({"models": [{**GOOD["models"][0], "style": "rude"}]}, "Unknown prompt style 'rude'"),
        ({"models": [{"name": "a", "role": "base", "spec": {"backend": "magic"}}]}, "models[0]"),
        ({"reference_teacher": "z"}, "which is none of the models"),
        ({"targets": {"speed": 1}}, "targets.speed is unknown"),
        ({"targets": {"validity": -1}}, "targets.validity is -1"),
        ({"max_tokens": 0}, "max_tokens is 0"),
        ({"embeddings": "no"}, "embeddings is 'no'"),
        ({"output_dir": "a\nb"}, "Use text on one line"),
    ],
)
def test_a_bad_configuration_names_the_field(changes, says):
    with pytest.raises(EvaluationError) as caught:
        EvaluationConfig.from_dict({**GOOD, **changes})
    assert says in str(caught.value)


def test_a_good_configuration_survives_the_way_through_json():
    made = EvaluationConfig.from_dict(GOOD)
    again = EvaluationConfig.from_dict(json.loads(json.dumps(made.to_dict())))
    assert again == made
