"""Lists of questions that a team brings, a benchmark's say: what is like one of them is not trained on."""

import json
import uuid
from collections.abc import Iterator
from typing import IO

from django.db import IntegrityError, transaction

from curation import artifacts
from curation.datasets.models import HeldOutList
from curation.errors import Invalid
from curation.projects.models import Project, User
from curation.questions.formats import Row, read_rows
from curation.questions.reading.source import Refused

MOST = 50_000  # questions of a list
MOST_LISTS = 50


def add_list(project: Project, user: User | None, name: str, file: IO[bytes]) -> HeldOutList:
    """Keep the questions of a file, in any of the shapes that an import takes. Raises Invalid, which names
    the first bad line."""
    name = " ".join(name.split())
    if not name or len(name) > 80 or not name.isprintable():
        raise Invalid("A list has a name of 1 to 80 characters.")
    if project.held_out_lists.count() >= MOST_LISTS:
        raise Invalid(f"A project has at most {MOST_LISTS} lists: remove one.")
    try:
        texts = list(_questions(file))
    except Refused as error:
        raise Invalid(str(error)) from None
    if not texts:
        raise Invalid("The file holds no question.")
    place = f"held_out/{project.pk}/{uuid.uuid4().hex}.jsonl"
    with artifacts.writing(place) as out:
        for text in texts:
            out.write(json.dumps(text, ensure_ascii=False).encode() + b"\n")
    try:
        with transaction.atomic():
            return HeldOutList.objects.create(
                project=project, name=name, count=len(texts), artifact=place, created_by=user
            )
    except IntegrityError:
        artifacts.remove(place)
        raise Invalid(
            f"There is a list {name!r}: remove it first, or choose another name."
        ) from None


def _questions(file: IO[bytes]) -> Iterator[str]:
    for n, row in enumerate(read_rows(file), 1):
        if not isinstance(row, Row):
            raise Invalid(f"Line {row.line}: {row.message}")
        if n > MOST:
            raise Invalid(f"A list holds at most {MOST:,} questions: bring it in parts.")
        yield row.question


def texts_of(one: HeldOutList) -> list[str]:
    with artifacts.open_artifact(one.artifact) as file:
        return [json.loads(line) for line in file]


def remove_list(one: HeldOutList) -> None:
    place = one.artifact
    one.delete()
    if place:  # bringing it may have been cut short
        artifacts.remove(place)
