"""The word problems of the demo project: seeded, right, bounded, and held out where they must be."""

import json
import re
import subprocess
import sys
from collections import Counter
from random import Random

import pytest

from tools.demo import corpus
from tools.demo.build import MODELS
from tools.demo.problems import (
    DEV_SEED,
    FINAL_SEED,
    FLOOR_KINDS,
    KINDS,
    PROJECT_SIZES,
    SUBSETS,
    demo_project_questions,
    demo_questions,
    draw,
    held_out_hashes,
    project_split,
    question_hash,
)
from tools.demo.rationales import short_rationale, slipped, wordy_rationale
from tools.demo.story import NAMES, NEW_NAMES, NEW_THINGS, THINGS

EQUATION = re.compile(r"(\d+) ([-+*/]) (\d+) = (\d+)")
ALL_PARTS = tuple(PROJECT_SIZES)


def recompute(rationale: str) -> list[tuple[int, int, int, int]]:
    """(a, b, the result that stands there, the result worked out again) for each equation."""
    found = []
    for a, op, b, result in EQUATION.findall(rationale):
        a, b, result = int(a), int(b), int(result)
        right = {"+": a + b, "-": a - b, "*": a * b, "/": a / b}[op]
        found.append((a, b, result, right))
    return found


def test_the_same_seed_gives_the_same_problems_in_another_process():
    code = (
        "from tools.demo.problems import demo_questions as d;"
        "print(d('train', 40, 5)); print(d('ood', 40, 5, subset='paraphrase'))"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    }
    assert len(runs) == 1
    assert demo_questions("train", 40, 5) != demo_questions("train", 40, 6)


@pytest.mark.parametrize("part", ALL_PARTS)
def test_every_answer_is_right_when_worked_out_again(part):
    limit = 1000 if part == "floor" else 100
    for problem in project_split(part, DEV_SEED):
        equations = recompute(problem.rationale)
        assert len(equations) == problem.difficulty
        for a, b, result, right in equations:
            assert result == right, problem.rationale
            assert all(1 <= n <= limit for n in (a, b, result)), problem.rationale
        assert problem.rationale.endswith(f"\nAnswer: {equations[-1][2]}")
        assert problem.reference_answer == str(equations[-1][2])


@pytest.mark.parametrize("part", ALL_PARTS)
def test_the_question_says_every_number_that_the_steps_start_from(part):
    known_words = {"half": 2, "a third": 3, "a quarter": 4, "a fifth": 5}
    for problem in project_split(part, DEV_SEED):
        said = {int(n) for n in re.findall(r"\d+", problem.question)}
        said |= {v for word, v in known_words.items() if word in problem.question}
        if "%" in problem.question:
            said |= {100 // n for n in said if n and 100 % n == 0}
        if problem.domain == "average":
            said.add(problem.difficulty)
        if problem.domain == "fence":
            said |= {2, 4}
        for step in problem.steps:
            assert step.a in said and step.b in said, (problem.question, step)
            said.add(step.result)


def test_no_placeholder_is_left_in_a_text_and_the_project_is_whole():
    rows = list(demo_project_questions())
    assert Counter(r["subset"] or r["split"] for r in rows) == PROJECT_SIZES
    assert len({r["id"] for r in rows}) == len({r["question"] for r in rows}) == 2100
    assert {r["domain"] for r in rows if r["split"] == "train"} == set(KINDS)
    for row in rows:
        keys = {"id", "question", "reference_answer", "answer_type"}
        keys |= {"domain", "difficulty", "split", "subset"}
        keys |= {"worked_solution"} if row["split"] == "eval" else set()
        assert set(row) == keys
        assert "{" not in row["question"] and row["question"][-1] in "?.", row


def test_the_file_that_ships_is_what_the_tool_writes():
    shipped = (MODELS.parent / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in shipped] == list(demo_project_questions())


def test_the_questions_come_without_a_model_library():
    code = (
        "import sys; from tools.demo.problems import demo_project_questions as d; list(d());"
        "assert not {'torch', 'transformers', 'tokenizers', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_held_out_questions_are_in_no_training_question_and_no_pre_training():
    held = held_out_hashes()
    final = {
        question_hash(r["question"]) for r in demo_project_questions() if r["split"] != "train"
    }
    dev = {
        question_hash(p.question) for n in ("eval", *SUBSETS) for p in project_split(n, DEV_SEED)
    }
    assert final <= held and dev <= held and not final & dev
    train = {question_hash(p.question) for p in demo_questions("train", 3000, FINAL_SEED)}
    assert not train & held
    rng = Random(1)
    raw = {question_hash(draw(rng).question) for _ in range(12_000)}
    assert raw & held, "chance alone would meet some: the filter is needed"
    rng = Random(1)
    for _ in range(12_000):
        assert question_hash(corpus.fresh(rng).question) not in held


def test_what_held_out_questions_share_with_training_once_names_things_and_numbers_are_masked():
    """No held-out question is a training question. But most of the `eval` part, and of the one with new
    words, are a training question's sentences with other names, things and numbers: they measure whether
    a model works out new numbers, not whether it understands new sentences. The paraphrases and the
    floor do; none of theirs is in training."""
    rows = list(demo_project_questions())
    train = {_masked(r["question"]) for r in rows if r["split"] == "train"}
    shared = Counter()
    for row in rows:
        if row["split"] != "train":
            shared[row["subset"] or row["split"]] += _masked(row["question"]) in train
    assert shared == {"eval": 350, "new words": 139, "paraphrase": 0, "floor": 0}


def _masked(question: str) -> str:
    """The question without its names, things and numbers, the usual and the new ones."""
    words = {w for w, _ in (*NAMES, *NEW_NAMES)} | {*THINGS, *NEW_THINGS}
    text = re.sub(r"\w+", lambda m: "X" if m[0] in words else m[0], question)
    return re.sub(r"\d+", "0", text)


def test_the_ood_subsets_differ_in_what_their_names_say():
    words = {n: Counter() for n in ALL_PARTS}
    for name in ALL_PARTS:
        for problem in project_split(name, DEV_SEED):
            words[name].update(re.findall(r"[A-Za-z]+", problem.question))
    usual = {w for w, _ in NAMES} | set(THINGS)
    new = {w for w, _ in NEW_NAMES} | set(NEW_THINGS)
    assert not new & set(words["train"]) and not usual & set(words["new words"])
    assert new & set(words["new words"]) and usual & set(words["paraphrase"])
    sentences = {s for p in project_split("train", FINAL_SEED) for s in _shape(p.sentences)}
    for problem in project_split("paraphrase", DEV_SEED):
        assert not set(_shape(problem.sentences)) & sentences, problem.question


def _shape(sentences) -> list[str]:
    """Sentences without their names, things and numbers."""
    usual = {w for w, _ in NAMES} | set(THINGS)
    return [
        re.sub(r"\d+", "0", re.sub(r"\w+", lambda m: "X" if m[0] in usual else m[0], s))
        for s in sentences
    ]


def test_the_floor_has_kinds_sizes_and_lengths_that_are_nowhere_else():
    floor = project_split("floor", FINAL_SEED)
    assert {p.domain for p in floor} == set(FLOOR_KINDS) and not set(FLOOR_KINDS) & set(KINDS)
    assert {p.difficulty for p in floor} == {4, 5}
    assert sum(max(s.result for s in p.steps) > 100 for p in floor) > 190
    assert {p.difficulty for p in project_split("train", FINAL_SEED)} == {1, 2, 3}


@pytest.mark.parametrize(
    ("split", "subset", "words"),
    [("test", None, "train, eval or ood"), ("ood", None, "subset"), ("eval", "floor", "subset")],
)
def test_an_unknown_part_is_refused_with_what_there_is(split, subset, words):
    with pytest.raises(ValueError, match=words):
        demo_questions(split, 1, 1, subset=subset)


def test_wordy_rationales_keep_the_steps_and_slips_make_them_wrong():
    rng, wrong = Random(4), 0
    for problem in demo_questions("train", 300, 9):
        wordy = wordy_rationale(rng, problem, problem.steps)
        assert all(result == right for *_, result, right in recompute(wordy))
        assert wordy.endswith(f"Answer: {problem.reference_answer}")
        assert "Answer" not in short_rationale(problem.steps, answer=False)
        steps = slipped(rng, problem.steps)
        bad = [r for *_, r, right in recompute(short_rationale(steps)) if r != right]
        assert bad, "a slip is a wrong equation"
        wrong += steps[-1].result != problem.steps[-1].result
    assert wrong > 250
