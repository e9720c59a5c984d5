"""The forms in which a dataset is handed out. The canonical one is JSONL; its SHA-256 is the
dataset's. All read the frozen example rows in order, in pieces, so memory stays constant."""

import io
import json
from collections.abc import Callable, Iterator
from typing import IO, Any

from django.utils import timezone

from curation import artifacts
from curation.datasets.models import DatasetVersion, Example
from curation.questions.prompts import prompt_of

PIECE = 1000
EXTENSIONS = {"jsonl": "jsonl", "parquet": "parquet", "md": "md"}


def place(version: DatasetVersion, extension: str) -> str:
    """Where the file lies below the artifacts' address."""
    return f"datasets/{version.project_id}/{version.number}/dataset.{extension}"


def file_name(version: DatasetVersion, extension: str) -> str:
    """The name that a downloaded file gets."""
    return f"{version.project.slug}-{version.number}.{extension}"


def _nothing() -> None:
    """What is done after each piece by who wants nothing done."""


def records(
    version: DatasetVersion, each_piece: Callable[[], None] = _nothing
) -> Iterator[dict[str, Any]]:
    """One dict an example: TRL's conversational prompt and completion, and where it comes from.

    The prompt is the question alone, as the student will get it when it is measured; `answer` and
    the rest are columns that TRL ignores. `each_piece` is called before each piece of PIECE records.
    """
    rows = Example.objects.filter(version=version).select_related("rationale__question")
    last = -1
    while True:
        piece = list(rows.filter(position__gt=last).order_by("position")[:PIECE])
        if not piece:
            return
        each_piece()
        for example in piece:
            yield record(example)
        last = piece[-1].position


def record(example: Example) -> dict[str, Any]:
    rationale, question = example.rationale, example.rationale.question
    return {
        "prompt": [{"role": "user", "content": prompt_of(question)}],
        "completion": [{"role": "assistant", "content": rationale.text}],
        "question_id": question.external_id or question.content_hash[:16],
        "reference_answer": question.reference_answer,
        "domain": question.domain,
        "teacher": example.teacher,
        "author": example.author,
        "temperature": rationale.temperature,
        "approved_by": example.approved_by or None,
    }


def to_line(value: dict[str, Any]) -> bytes:
    """One canonical JSON line: keys in the record's order, no spaces, UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def jsonl_lines(
    version: DatasetVersion, each_piece: Callable[[], None] = _nothing
) -> Iterator[bytes]:
    return (to_line(value) for value in records(version, each_piece))


def write_parquet(version: DatasetVersion, each_piece: Callable[[], None] = _nothing) -> None:
    from curation.datasets.parquet import write_records  # Arrow costs a start a quarter of a second

    with artifacts.writing(place(version, "parquet")) as file:
        write_records(records(version, each_piece), file)
        each_piece()


def open_format(version: DatasetVersion, name: str) -> IO[bytes]:
    """The stored file in the format `jsonl`, `parquet` or `md`; made again from rows if it is gone."""
    path = place(version, EXTENSIONS[name])
    if not artifacts.exists(path):
        REMAKE[name](version)
    return artifacts.open_artifact(path)


def remove_files(version: DatasetVersion) -> None:
    for extension in EXTENSIONS.values():
        artifacts.remove(place(version, extension))


def _remake_jsonl(version: DatasetVersion) -> None:
    with artifacts.writing(place(version, "jsonl")) as file:
        for line in jsonl_lines(version):
            file.write(line)


def _remake_card(version: DatasetVersion) -> None:
    with artifacts.writing(place(version, "md")) as file:
        file.write(version.card.encode())


REMAKE: dict[str, Callable[[DatasetVersion], None]] = {
    "jsonl": _remake_jsonl,
    "parquet": write_parquet,
    "md": _remake_card,
}


def card(version: DatasetVersion) -> str:
    """The dataset's card in Markdown: what it is, how its examples were chosen, who approved them."""
    project, recipe = version.project, version.recipe
    examples = Example.objects.filter(version=version)
    out = io.StringIO()
    out.write(f"# {project.name}, dataset {version.number}\n\n")
    if project.is_demo:
        out.write("A demonstration: made-up word problems, answered by very small models.\n\n")
    out.write(
        f"- {version.example_count:,} chains of thought for {version.question_count:,} questions\n"
    )
    out.write(f"- SHA-256 of `dataset.jsonl`: `{version.sha256}`\n")
    out.write(f"- frozen on {timezone.now():%Y-%m-%d}\n")
    if recipe["selection"] == "approved":
        by_rule = examples.filter(approved_by__startswith="rule").count()
        people = version.example_count - by_rule
        out.write(
            f"- approved by people: {people:,}; by the rule (rubric {recipe['rubric']}): {by_rule:,}\n"
        )
    else:
        out.write("- unfiltered: as the teachers wrote them, whatever was decided; for comparing\n")
    if recipe["teachers"]:
        out.write(f"- only rationales of {', '.join(recipe['teachers'])}\n")
    if recipe["limit"]:
        out.write(f"- at most {recipe['limit']:,} examples, drawn with seed {recipe['seed']}\n")
    out.write("\nThe columns `prompt` and `completion` have TRL's conversational form.\n")
    return out.getvalue()
