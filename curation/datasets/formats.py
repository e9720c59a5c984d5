"""The forms in which a dataset is handed out. The canonical one is JSONL; its SHA-256 is the
dataset's. All read the frozen example rows in order, in pieces, so memory stays constant."""

import hashlib
import io
import json
from collections.abc import Callable, Iterator
from typing import IO, Any

from django.db.models import Count
from django.utils import timezone

from curation import artifacts
from curation.datasets.choosing import funnel_words
from curation.datasets.gates.runs import GATES, passed
from curation.datasets.models import DatasetVersion, Example
from curation.datasets.recipes import more_words
from curation.datasets.texts import message
from curation.questions.correcting.changing import values_then
from curation.questions.models import Question
from curation.questions.prompts import prompt_of
from curation.rationales.models import AnswerVerdict

PIECE = 5000
EXTENSIONS = {"jsonl": "jsonl", "parquet": "parquet", "md": "md", "rejected": "rejected.jsonl"}
# Characters that some readers of lines take for a line's end though JSON allows them within one.
SEPARATORS = str.maketrans({"\x85": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"})

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def place(version: DatasetVersion, extension: str) -> str:
    """Where the file lies below the artifacts' address."""
    return f"datasets/{version.project_id}/{version.number}/dataset.{extension}"


def file_name(version: DatasetVersion, extension: str) -> str:
    """The name that a downloaded file gets."""
    return f"{version.project.slug}-{version.number}.{extension}"


def _nothing() -> None:
    """What is done after each piece by who wants nothing done."""


COLUMNS = (
    *("position", "rationale__question__text", "rationale__question__choices", "rationale__text"),
    *("rationale__reasoning", "rationale__question__external_id"),
    *("rationale__question__content_hash", "rationale__question__reference_answer"),
    *("rationale__question__domain", "teacher", "author", "rationale__temperature", "approved_by"),
    "rationale__question_id",
    "verdict",
)
QUESTION = COLUMNS.index("rationale__question_id")
# What of these a correction of the question may have changed since, and where it stands.
CORRECTED = {
    **{"text": 1, "choices": 2, "external_id": 5, "content_hash": 6, "reference_answer": 7},
    "domain": 8,
}


def pieces(
    version: DatasetVersion, each_piece: Callable[[], None] = _nothing
) -> Iterator[list[dict[str, Any]]]:
    """Lists of PIECE records in the dataset's order, one dict an example: TRL's conversational prompt and
    completion, and where it comes from.

    The prompt is the question alone, as the student will get it when it is measured; `answer` and
    the rest are columns that TRL ignores. `each_piece` is called before each list.
    """
    recipe = version.recipe
    rows = Example.objects.filter(version=version).order_by("position").values_list(*COLUMNS)
    last = -1
    while found := list(rows.filter(position__gt=last)[:PIECE]):
        each_piece()
        then = values_then({row[QUESTION] for row in found}, version.changes_until)
        yield [_record(_then(row, then.get(row[QUESTION])), recipe) for row in found]
        last = found[-1][0]


def _then(row: tuple, then: dict[str, Any] | None) -> tuple:
    """The row with the values that its question had when it was frozen."""
    if not then:
        return row
    made = list(row)
    for name, place in CORRECTED.items():
        if name in then:
            made[place] = then[name]
    return tuple(made)


def records(
    version: DatasetVersion, each_piece: Callable[[], None] = _nothing
) -> Iterator[dict[str, Any]]:
    for piece in pieces(version, each_piece):
        yield from piece


def _record(row: tuple, recipe: dict[str, Any]) -> dict[str, Any]:
    (_, question, choices, text, reasoning, external_id, content_hash, reference, domain, teacher,
     author, temperature, approved_by, _, verdict) = row  # fmt: skip
    if choices:
        question = prompt_of(Question(text=question, choices=choices))
    return {
        "prompt": [{"role": "user", "content": question}],
        "completion": [message(text, reasoning, recipe)],
        "question_id": external_id or content_hash[:16],
        "reference_answer": reference,
        "domain": domain,
        "teacher": teacher,
        "author": author,
        "temperature": temperature,
        "approved_by": approved_by or None,
        # A dataset of before there were verdicts keeps its bytes.
        **({"verdict": verdict} if verdict and recipe.get("form", 1) > 1 else {}),
    }


def to_line(value: dict[str, Any], form: int = 2) -> bytes:
    """One canonical JSON line: keys in the record's order, no spaces, UTF-8. From form 2 on, what some
    readers take for the end of a line is escaped."""
    line = _encode(value)
    if form > 1 and not line.isascii():
        line = line.translate(SEPARATORS)
    return line.encode() + b"\n"


def form_of(version: DatasetVersion) -> int:
    """Which canonical form its lines have; datasets from before there were two have the first."""
    return version.recipe.get("form", 1)


def jsonl_lines(
    version: DatasetVersion, each_piece: Callable[[], None] = _nothing
) -> Iterator[bytes]:
    form = form_of(version)
    return (to_line(value, form) for value in records(version, each_piece))


def thoughts_field(version: DatasetVersion) -> str:
    how = version.recipe.get("thoughts", "final")
    return how if how in ("reasoning_content", "thinking") else ""


def write_canonical(version: DatasetVersion, each_piece: Callable[[], None]) -> tuple[str, int]:
    """Write JSONL and Parquet in one pass over the rows; the SHA-256 of the JSONL and the lines' count.
    `each_piece` is called before each piece and before a file is put in place."""
    from curation.datasets.parquet import Writer  # Arrow costs a start a quarter of a second

    digest, count, form = hashlib.sha256(), 0, form_of(version)
    with (
        artifacts.writing(place(version, "jsonl")) as file,
        artifacts.writing(place(version, "parquet")) as table,
    ):
        writer = Writer(table, thoughts_field(version))
        try:
            for piece in pieces(version, each_piece):
                lines = b"".join(to_line(one, form) for one in piece)
                digest.update(lines)
                file.write(lines)
                writer.write(piece)
                count += len(piece)
            each_piece()
        finally:
            writer.close()
    return digest.hexdigest(), count


def write_parquet(version: DatasetVersion, each_piece: Callable[[], None] = _nothing) -> None:
    from curation.datasets.parquet import write_records  # Arrow costs a start a quarter of a second

    with artifacts.writing(place(version, "parquet")) as file:
        write_records(pieces(version, each_piece), file, thoughts_field(version))
        each_piece()


def open_format(version: DatasetVersion, name: str) -> IO[bytes]:
    """The stored file in the format `jsonl`, `parquet` or `md`; made again from rows if it is gone."""
    path = place(version, EXTENSIONS[name])
    if name in REMAKE and not artifacts.exists(path):
        REMAKE[name](version)
    return artifacts.open_artifact(path)


def has_rejected(version: DatasetVersion) -> bool:
    """Datasets from before it was kept have no list of what was left out."""
    return artifacts.exists(place(version, EXTENSIONS["rejected"]))


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


def verdict_counts(version: DatasetVersion) -> dict[str, int]:
    """How many of the examples have which verdict of their answer; "" where it was not scored."""
    rows = Example.objects.filter(version=version).order_by().values_list("verdict")
    return dict(rows.annotate(n=Count("pk")))


def verdict_words(version: DatasetVersion) -> list[tuple[str, int]]:
    """(verdict in words, how many examples have it), of those that any has."""
    found = version.verdicts or {}
    named = [(one.label, found.get(one.value, 0)) for one in AnswerVerdict]
    return [(words, n) for words, n in [*named, ("not scored", found.get("", 0))] if n]


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
    if told := ", ".join(f"{words} {n:,}" for words, n in verdict_words(version)):
        out.write(f"- answers, as the scorers read them: {told}\n")
    if recipe["teachers"]:
        out.write(f"- only rationales of {', '.join(recipe['teachers'])}\n")
    for part in more_words(recipe):
        out.write(f"- {part}\n")
    if words := funnel_words(version.funnel):
        out.write(f"- chosen {words}\n")
    out.writelines(_gates_in_words(version))
    out.write("\nThe columns `prompt` and `completion` have TRL's conversational form.\n")
    return out.getvalue()


def _gates_in_words(version: DatasetVersion) -> Iterator[str]:
    if version.gates is None:
        yield "- not looked through for questions like held-out ones, doubles and personal data\n"
        return
    told = passed(version.gates)
    found = ", ".join(f"{GATES[gate].lower()} {n:,}" for gate, n in sorted(told["found"].items()))
    yield f"- looked through before it was frozen; found: {found or 'nothing'}\n"
    for one in told["acted"]:
        what = "left out" if one["action"] == "leave_out" else "kept"
        why = f" ({one['reason']})" if one["reason"] else ""
        yield f"- {GATES[one['gate']].lower()}: {one['findings']:,} {what} by {one['by']}{why}\n"
