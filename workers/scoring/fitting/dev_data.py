"""The labelled dev files as rationales with their features: what the models of scoring are fitted on.

The files are read from the folder of the dev data and never copied. Every rationale knows its question, so
that no question is on both sides of a split, whatever file it comes from.
"""

import json
import os
import random
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from workers.scoring.metrics.topic import topic_features
from workers.scoring.steps.facts import RationaleFacts, analyse
from workers.scoring.steps.features import rationale_features, step_features
from workers.scoring.steps.split import Step, split_steps

GSM8K_SAMPLE = 400
TEACHER_QUESTIONS = 350
TOPIC_GSM8K, TOPIC_SUMS = 300, 200  # rationales of the GSM8K kind from which the topic is learnt
TOPIC_OTHERS = 2  # rationales of other questions that are put to each question


def default_data() -> Path:
    """Where the dev files are: $CHAINWRIGHT_DEV_DATA, or the folder beside the checkout."""
    beside = Path(__file__).resolve().parents[4] / "shared" / "data"
    return Path(os.environ.get("CHAINWRIGHT_DEV_DATA", beside))


@dataclass(slots=True)
class Rationale:
    """One rationale of the dev files: its question, features, and labels (None where there are none)."""

    question: str
    rows: np.ndarray
    features: np.ndarray
    kind: str
    wrong: bool | None = None
    wrong_steps: frozenset | None = None
    ratings: list[int] = field(default_factory=list)
    text: str = ""
    topic: tuple[float, ...] | None = None
    cosine: float | None = None


@dataclass(slots=True)
class TopicPair:
    """A question and a rationale that was written for it, or (`off`) for the question `owner`."""

    question: str
    owner: str
    text: str
    topic: tuple[float, ...]
    off: bool
    source: str
    cosine: float | None = None

    def row(self, embedded: bool) -> tuple[float, ...]:
        """The features, with the cosine as the last one where embeddings are on."""
        return (*self.topic, self.cosine) if embedded else self.topic


def as_steps(texts: list) -> list[Step]:
    """Steps given as a list of texts, as they would lie in one rationale."""
    out, at = [], 0
    for text in texts:
        text = text[0] if isinstance(text, list) else text
        out.append(Step(text, at, at + len(text)))
        at += len(text) + 1
    return out


def _rationale(question: str, steps: list[Step], kind: str, **labels) -> Rationale:
    facts: RationaleFacts = analyse(question, "", steps)
    rows = step_features(facts)
    return Rationale(
        question,
        np.array(rows),
        np.array(rationale_features(facts, rows, False)),
        kind,
        text="\n".join(step.text for step in steps),
        topic=topic_features(question, facts),
        **labels,
    )


def _read(path: Path) -> list[dict]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def load(folder: Path) -> dict[str, list]:
    """The dev files as rationales: {"pairs": [(reference, perturbed)], "validity": [...], ...}."""
    pairs = []
    for row in _read(folder / "step_perturbation_dev.jsonl"):
        kind, tags = row["error_type"], row["tags"]
        planted = frozenset(tags if isinstance(tags, list) else [tags])
        tagged = planted if kind in ("random number", "random operation", "swap steps") else None
        pairs.append(
            (
                _rationale(row["question"], as_steps(row["reference_steps"]), kind, wrong=False,
                       wrong_steps=frozenset()),
                _rationale(row["question"], as_steps(row["hypothesis_steps"]), kind, wrong=True,
                       wrong_steps=tagged),
            )
        )  # fmt: skip
    validity, whole = [], []
    for row in _read(folder / "step_validity_dev.jsonl"):
        first = row["model_output_solution_first_error_step"]
        steps = as_steps(row["model_output_step_format"])
        wrong = row["model_output_solution_correctness"] != "correct"
        labels = frozenset([int(first) - 1]) if wrong and isinstance(first, int) else frozenset()
        validity.append(
            _rationale(row["question"], steps, "validity", wrong=wrong, wrong_steps=labels)
        )
        # The file's list of steps leaves out what stands between their headings; the label is of all.
        whole.append(
            _rationale(row["question"], split_steps(row["model_output"]), "whole", wrong=wrong)
        )
    redundancy = [
        _rationale(
            row["question"],
            as_steps(row["model_output_step_format"]),
            "redundancy",
            ratings=row["rating"],
        )
        for row in _read(folder / "step_redundancy_dev.jsonl")
    ]
    gsm8k = _changed_results(_read(folder / "gsm8k_train.jsonl"))
    teachers = _teachers(_read(folder / "gsm8k_teachers_dev.jsonl"))
    topic = _topic_pairs(folder, apart_from={reference.question for reference, _ in pairs})
    return {"pairs": pairs, "validity": validity, "redundancy": redundancy, "gsm8k": gsm8k,
            "teachers": teachers, "topic": topic, "whole": whole}  # fmt: skip


def topic_gsm8k(folder: Path) -> list[dict]:
    """The rows of gsm8k_train from which the topic is learnt."""
    rows = _read(folder / "gsm8k_train.jsonl")
    return random.Random(22).sample(rows, TOPIC_GSM8K + TOPIC_SUMS)


def _topic_pairs(folder: Path, apart_from: set[str]) -> list[TopicPair]:
    """Rationales put to their own and to other questions, none of them a question of `apart_from`."""
    gsm8k = topic_gsm8k(folder)
    sources = {
        "redundancy": [(row["question"], as_steps(row["model_output_step_format"]))
                       for row in _read(folder / "step_redundancy_dev.jsonl")],
        "validity": [(row["question"], as_steps(row["model_output_step_format"]))
                     for row in _read(folder / "step_validity_dev.jsonl")],
        "aqua": [(row["question"], split_steps(row["rationale"]))
                 for row in _read(folder / "aqua_dev.jsonl")],
        "gsm8k": [(row["question"], split_steps(without_marks(row["answer"])))
                  for row in gsm8k[:TOPIC_GSM8K]],
        # Rationales that are hardly more than sums: few words, and yet about their question.
        "sums": [(row["question"], split_steps("\n".join(_MARK.findall(row["answer"]))))
                 for row in gsm8k[TOPIC_GSM8K:]],
    }  # fmt: skip
    out = []
    for source, all_rationales in sources.items():
        rationales = [(q, steps) for q, steps in all_rationales if q not in apart_from and steps]
        random.Random(23).shuffle(rationales)
        for turn in range(TOPIC_OTHERS + 1):
            for i, (question, _) in enumerate(rationales):
                owner, steps = rationales[(i + turn) % len(rationales)]
                found = topic_features(question, analyse(question, "", steps))
                if found is not None and (turn == 0 or owner != question):
                    text = "\n".join(step.text for step in steps)
                    out.append(TopicPair(question, owner, text, found, turn > 0, source))
    return out


def add_cosines(data: dict[str, list], embedder) -> None:
    """Sets the cosine of question and rationale wherever the topic is looked at."""
    entries = [*data["topic"], *data["validity"], *data["whole"], *data["teachers"]]
    entries += [rationale for pair in data["pairs"] + data["gsm8k"] for rationale in pair]
    texts = list(dict.fromkeys(t[:8_000] for one in entries for t in (one.question, one.text)))
    place = {text: i for i, text in enumerate(texts)}
    vectors = embedder.encode(texts)
    for one in entries:
        asked, said = (vectors[place[t[:8_000]]] for t in (one.question, one.text))
        one.cosine = float(asked @ said)


_MARK = re.compile(r"<<([^<>]*)>>")


def without_marks(solution: str) -> str:
    """A GSM8K solution without its calculator marks and its answer line."""
    return re.sub(r"<<[^<>]*>>|\n(?:A:|####)[^\n]*\Z", "", solution)


def _teachers(rows: list[dict]) -> list[Rationale]:
    """Teachers' solutions without calculator marks and answer line; wrong where the answer is."""
    out = []
    for row in random.Random(21).sample(rows, TEACHER_QUESTIONS):
        for one in row.values():
            if isinstance(one, dict):
                text = without_marks(one["solution"])[:4_000]
                if text.strip():
                    out.append(_rationale(row["question"], split_steps(text), "teachers",
                                      wrong=not one["is_correct"]))  # fmt: skip
    return out


def change_result(solution: str, rng: random.Random) -> tuple[str, int] | None:
    """A GSM8K solution with one calculator result changed and its marks taken off, and the place."""
    marks = [m for m in re.finditer(r"<<[^<>]*=([^<>=]*)>>(\d[\d,]*(?:\.\d+)?)", solution) if m[2]]
    if not marks:
        return None
    m = rng.choice(marks)
    shown = m[2].replace(",", "")
    step = rng.choice([-10, -3, -2, -1, 1, 2, 3, 10])
    digits = len(shown.split(".")[1]) if "." in shown else 0
    changed = f"{float(shown) + step:.{digits}f}"
    before = re.sub(r"<<[^<>]*>>", "", solution[: m.start()])
    after = re.sub(r"<<[^<>]*>>", "", solution[m.end() :])
    return before + changed + after, len(before)


def _changed_results(rows: list[dict]) -> list[tuple[Rationale, Rationale]]:
    rng = random.Random(20)
    out = []
    for row in rng.sample(rows, GSM8K_SAMPLE):
        changed = change_result(row["answer"], rng)
        if changed is None:
            continue
        text, at = changed
        right = re.sub(r"<<[^<>]*>>", "", row["answer"])
        steps = split_steps(text)
        wrong = frozenset(i for i, s in enumerate(steps) if s.start <= at < s.end)
        out.append(
            (
                _rationale(
                    row["question"],
                    split_steps(right),
                    "gsm8k",
                    wrong=False,
                    wrong_steps=frozenset(),
                ),
                _rationale(row["question"], steps, "gsm8k", wrong=True, wrong_steps=wrong),
            )
        )
    return out
