"""Freeze the approved rationales and write the dataset to a folder."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from curation.commands import StageCommand, project_by_slug
from curation.datasets.formats import EXTENSIONS, file_name, open_format
from curation.datasets.models import DatasetVersion
from curation.datasets.services import SELECTIONS, freeze, order_freeze, verify
from curation.jobs import Status


class Command(StageCommand):
    help = "Freeze the approved rationales of a project as a new dataset, or write an earlier one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--project", required=True, metavar="SLUG")
        parser.add_argument("--number", type=int, help="an earlier dataset, instead of a new one")
        parser.add_argument("--selection", default="approved", choices=SELECTIONS)
        parser.add_argument("--teacher", action="append", default=[], metavar="NAME")
        parser.add_argument("--limit", type=int)
        parser.add_argument("--format", default="jsonl", choices=EXTENSIONS)
        parser.add_argument("--out", type=Path, metavar="DIR", help="default: only freeze")

    def work(self, **options: Any) -> None:
        project = project_by_slug(options["project"])
        version = find_dataset(project, options["number"]) if options["number"] else None
        if version is None:
            version = order_freeze(
                project,
                None,
                selection=options["selection"],
                teachers=options["teacher"],
                limit=options["limit"],
                enqueue=False,
            )
            version = freeze(version.pk) or version
        if version.status != Status.DONE:
            raise CommandError(f"{version} is {version.status}: {version.error}")
        if not verify(version):
            raise CommandError(f"{version} no longer gives its SHA-256 {version.sha256}.")
        if options["out"]:
            target = options["out"] / file_name(version, EXTENSIONS[options["format"]])
            try:
                options["out"].mkdir(parents=True, exist_ok=True)
                with open_format(version, options["format"]) as source, target.open("wb") as file:
                    while chunk := source.read(1024 * 1024):
                        file.write(chunk)
            except OSError as error:
                raise CommandError(f"{target}: {error.strerror}.") from None
            self.say(f"written: {target}")
        self.stdout.write(
            f"{project.slug}/{version.number}: {version.example_count:,} examples, "
            f"sha256 {version.sha256}"
        )


def find_dataset(project: Any, number: int) -> DatasetVersion:
    version = project.dataset_versions.filter(number=number).first()
    if version is None:
        raise CommandError(f"{project.slug} has no dataset {number}.")
    return version
