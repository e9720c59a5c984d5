"""The records of a dataset in other shapes: one function a shape, each a stream of plain dicts.

Shapes that are made of the examples alone give the same bytes each time. Pairs, step labels and reviews
also hold what was not chosen, and are as people have reviewed until now.
"""

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

from curation.datasets.formats import records
from curation.datasets.models import DatasetVersion, Example
from curation.datasets.texts import message
from curation.questions.prompts import prompt_of
from curation.rationales.models import Rationale
from curation.reviews.bench.rationales import all_steps
from curation.reviews.models import Outcome, Review

Rows = Iterator[dict[str, Any]]
PIECE = 500  # questions, or reviews, at a time
THOUGHTS = ("reasoning_content", "thinking")


def _content(told: dict[str, Any]) -> str:
    """One text for shapes without a field for thoughts: they stand before it as <think>…</think>."""
    thoughts = next((told[name] for name in THOUGHTS if told.get(name)), "")
    return f"<think>\n{thoughts}\n</think>\n\n{told['content']}" if thoughts else told["content"]


def _pairs_of(version: DatasetVersion) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    for record in records(version):
        yield record["prompt"][0]["content"], record["completion"][0], record


def prompt_completion(version: DatasetVersion) -> Rows:
    """TRL's standard form: two strings."""
    for prompt, told, _ in _pairs_of(version):
        yield {"prompt": prompt, "completion": _content(told)}


def messages(version: DatasetVersion) -> Rows:
    """Chat JSONL, as OpenAI's fine-tuning, Axolotl (`type: chat_template`) and others read it."""
    for prompt, told, _ in _pairs_of(version):
        yield {"messages": [{"role": "user", "content": prompt}, told]}


def alpaca(version: DatasetVersion) -> Rows:
    for prompt, told, _ in _pairs_of(version):
        yield {"instruction": prompt, "input": "", "output": _content(told)}


def sharegpt(version: DatasetVersion) -> Rows:
    for prompt, told, _ in _pairs_of(version):
        turns = (("human", prompt), ("gpt", _content(told)))
        yield {"conversations": [{"from": who, "value": text} for who, text in turns]}


def distilling(version: DatasetVersion) -> Rows:
    """Distilling step-by-step's two tasks (arXiv 2305.02301): the answer, and the rationale."""
    for prompt, told, record in _pairs_of(version):
        if record["reference_answer"]:
            yield {
                "task": "label",
                "input": f"[label] {prompt}",
                "target": record["reference_answer"],
            }
        yield {"task": "rationale", "input": f"[rationale] {prompt}", "target": _content(told)}


def plain(version: DatasetVersion) -> Rows:
    """Flat columns, with where each comes from: for tables."""
    examples = Example.objects.filter(version=version).order_by("position")
    ids = examples.values_list("rationale_id", flat=True).iterator(chunk_size=5000)
    for rationale, (prompt, told, record) in zip(ids, _pairs_of(version), strict=True):
        rest = {
            name: value for name, value in record.items() if name not in ("prompt", "completion")
        }
        # Every row has every column: a table takes its columns from the first.
        rest.setdefault("verdict", None)
        yield {"rationale_id": rationale, "question": prompt, "rationale": _content(told), **rest}


def preferences(version: DatasetVersion) -> Rows:
    """Pairs within a question, TRL's conversational preference form: `pair` says which kind it is.

    edit_original: what a person edited, against what it was; approved_rejected: an example against each
    rejected rationale; best_other: the one a reviewer called best against the other examples;
    shortest_longest: the shortest right example against the longest right one.
    """
    for question, examples, others in _questions(version):
        prompt = [{"role": "user", "content": prompt_of(question)}]
        for kind, chosen, rejected in _kinds_of_pairs(examples, others):
            yield {
                "prompt": prompt,
                "chosen": [message(chosen.text, chosen.reasoning, version.recipe)],
                "rejected": [message(rejected.text, rejected.reasoning, version.recipe)],
                "pair": kind,
                "chosen_id": chosen.pk,
                "rejected_id": rejected.pk,
            }


def _questions(version: DatasetVersion) -> Iterator[tuple[Any, list[Rationale], list[Rationale]]]:
    """Each question of the dataset with its examples and its other rationales, in order of the ids."""
    held = Example.objects.filter(version=version)
    last = 0
    while True:
        ids = list(
            held.filter(rationale__question__gt=last)
            .order_by("rationale__question")
            .values_list("rationale__question", flat=True)
            .distinct()[:PIECE]
        )
        if not ids:
            return
        mine = set(held.filter(rationale__question__in=ids).values_list("rationale_id", flat=True))
        rows = (
            Rationale.all_objects.filter(question__in=ids)
            .select_related("question", "decision", "score")
            .order_by("question_id", "pk")
        )
        for _, group in groupby(rows, lambda row: row.question_id):
            rationales = list(group)
            examples = [row for row in rationales if row.pk in mine]
            # A deleted one teaches nobody what is worse, either.
            others = [row for row in rationales if row.pk not in mine and row.project_id]
            yield rationales[0].question, examples, others
        last = ids[-1]


def _kinds_of_pairs(
    examples: list[Rationale], others: list[Rationale]
) -> Iterator[tuple[str, Rationale, Rationale]]:
    known = {row.pk: row for row in (*examples, *others)}
    for one in examples:
        if one.parent_id in known:
            yield "edit_original", one, known[one.parent_id]
    rejected = [row for row in others if _outcome(row) == Outcome.REJECTED]
    for one in examples:
        for worse in rejected:
            if worse.pk != one.parent_id:
                yield "approved_rejected", one, worse
    best = set(
        Review.objects.standing()
        .filter(rationale__in=[row.pk for row in examples], is_best=True)
        .values_list("rationale_id", flat=True)
    )
    for one in (row for row in examples if row.pk in best):
        for other in (row for row in examples if row.pk not in best):
            yield "best_other", one, other
    right = sorted(
        (row for row in examples if _is_right(row)), key=lambda row: (len(row.text), row.pk)
    )
    if len(right) > 1 and len(right[0].text) < len(right[-1].text):
        yield "shortest_longest", right[0], right[-1]


def _outcome(row: Rationale) -> str:
    decision = getattr(row, "decision", None)
    return decision.outcome if decision else ""


def _is_right(row: Rationale) -> bool:
    """Not read is not right."""
    score = getattr(row, "score", None)
    return score is not None and score.correctness == 1.0


def reviews(version: DatasetVersion) -> Rows:
    """A row a review of an example or of the rationale that an example is an edit of."""
    for one in _reviews(version):
        yield {
            "review_id": one.pk,
            "rationale_id": one.rationale_id,
            "question_id": one.rationale.question.external_id
            or one.rationale.question.content_hash[:16],
            "reviewer": one.reviewer.username,
            "at": one.created_at.isoformat(),
            "verdict": one.verdict,
            "reasons": one.reasons,
            "comment": one.comment,
            "seconds": one.seconds,
            "step_labels": one.step_labels,
            "is_best": one.is_best,
            "is_adjudication": one.is_adjudication,
            "edited_rationale_id": one.edited_id,
        }


def steps(version: DatasetVersion) -> Rows:
    """PRM800K's labels in the columns that trainers of process reward models read: steps, and a rating of
    each (1 good, 0 neutral, -1 bad) up to the last one that was labelled."""
    for one in _reviews(version):
        if not one.step_labels:
            continue
        score = getattr(one.rationale, "score", None)
        found = [step["text"] for step in all_steps(one.rationale, score.detail if score else {})]
        ratings = [one.step_labels.get(str(number)) for number in range(1, len(found) + 1)]
        while ratings and ratings[-1] is None:
            ratings.pop()
        if ratings and None not in ratings:
            yield {
                "prompt": prompt_of(one.rationale.question),
                "completions": found[: len(ratings)],
                "labels": [rating == 1 for rating in ratings],
                "ratings": ratings,
                "rationale_id": one.rationale_id,
                "reviewer": one.reviewer.username,
            }


def _reviews(version: DatasetVersion) -> Iterator[Review]:
    held = Example.objects.filter(version=version).values("rationale")
    parents = Rationale.all_objects.filter(examples__version=version, parent__isnull=False)
    rows = Review.objects.standing().filter(project=version.project_id)
    rows = rows.filter(rationale__in=held) | rows.filter(rationale__in=parents.values("parent"))
    rows = rows.select_related("reviewer", "rationale__question", "rationale__score").order_by("pk")
    last = 0
    while piece := list(rows.filter(pk__gt=last)[:PIECE]):
        yield from piece
        last = piece[-1].pk


SHAPES: dict[str, tuple[str, Callable[[DatasetVersion], Rows]]] = {
    "prompt-completion": ("TRL, prompt and completion as strings", prompt_completion),
    "messages": ("Chat messages (OpenAI, Axolotl)", messages),
    "alpaca": ("Alpaca", alpaca),
    "sharegpt": ("ShareGPT", sharegpt),
    "preferences": ("Preference pairs", preferences),
    "steps": ("Step labels", steps),
    "distilling": ("Distilling step-by-step", distilling),
    "plain": ("Flat columns", plain),
    "reviews": ("Reviews", reviews),
}
TABLES = ("plain", "reviews")  # these also come as CSV
