"""Import a file of questions, and the rationales that come with them, without a worker."""

import io
import json
from argparse import ArgumentParser
from pathlib import Path
from typing import IO, Any

from django.core.management.base import CommandError

from curation.commands import StageCommand, project_by_slug
from curation.errors import Invalid
from curation.jobs import Status
from curation.questions.correcting.known import TAKE_OVER
from curation.questions.formats import PRESETS
from curation.questions.models import QuestionImport, SavedMapping, Split
from curation.questions.services import order_import
from curation.questions.wizard.drafts import by_roles
from curation.questions.wizard.packing import packed_folder
from curation.questions.wizard.report import sentences
from curation.rationales.importing import run_import


class Command(StageCommand):
    help = (
        "Import questions from a file: JSON Lines, JSON, CSV, TSV, XLSX or Parquet, also packed with gzip or "
        "zip, or from a folder of such files. --dry-run says what would happen."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="a file, or a folder of files")
        parser.add_argument("--project", required=True, metavar="SLUG")
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="ROLE=COLUMN",
            help="what a column becomes, such as question=prompt; repeated for more",
        )
        parser.add_argument(
            "--mapping", default="", metavar="NAME", help="a mapping of the project"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would happen, and store nothing"
        )
        parser.add_argument("--preset", default="", choices=["", *PRESETS], help="default: found")
        parser.add_argument("--split", default=Split.TRAIN, choices=Split.values)
        parser.add_argument(
            "--keep-good-rows", action="store_true", help="import the good rows beside bad ones"
        )
        parser.add_argument(
            "--bad-rows", type=Path, metavar="FILE", help="write the rows that cannot be read there"
        )
        parser.add_argument(
            "--take-over",
            default="",
            choices=["", *filter(None, TAKE_OVER)],
            help="give known questions of the same text, or id, what the file says of them",
        )
        parser.add_argument(
            "--id-prefix", default="", help="put before each id of the file, such as svamp-"
        )

    def work(self, **options: Any) -> None:
        project = project_by_slug(options["project"])
        mapping = by_roles(options["map"])
        if name := options["mapping"]:
            saved = SavedMapping.objects.for_project(project).filter(name=name).first()
            if saved is None:
                raise Invalid(f"The project has no mapping {name!r}.")
            mapping = {**saved.roles, **mapping}
        path: Path = options["file"]
        try:
            with _opened(path) as file:
                job = order_import(
                    project,
                    None,
                    file,
                    path.name + (".zip" if path.is_dir() else ""),
                    preset=options["preset"],
                    split=options["split"],
                    keep_good_rows=options["keep_good_rows"],
                    take_over=options["take_over"],
                    id_prefix=options["id_prefix"],
                    mapping=mapping,
                    dry_run=options["dry_run"],
                    enqueue=False,
                )
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror or error}.") from None
        job = run_import(job.pk) or job
        self._tell(job, options)

    def _tell(self, job: QuestionImport, options: dict[str, Any]) -> None:
        for line in sentences(job.report):
            self.say(line)
        for bad in job.bad_rows[:20]:
            self.say(f"line {bad['line']}: {bad['message']}")
        if target := options["bad_rows"]:
            target.write_text("".join(json.dumps(one) + "\n" for one in job.bad_rows))
        for one in job.differing[:20]:
            told = ", ".join(
                f"{name} {was or 'none'} -> {says or 'none'}"
                for name, (was, says) in one["fields"].items()
            )
            self.say(
                f"line {one['line']}: question {one['question']} is known, and differs: {told}"
            )
        if job.status != Status.DONE:
            raise CommandError(job.error)
        if job.dry_run:
            self.stdout.write(f"{job.rows_read:,} rows read, nothing stored.")
            return
        self.stdout.write(
            f"{job.questions_added:,} questions added, {job.questions_known:,} known before, "
            f"{job.questions_differ:,} known ones differ, {job.questions_changed:,} took over what the file "
            f"says, {job.rationales_added:,} rationales added, {job.rows_bad:,} rows left out."
        )


def _opened(path: Path) -> IO[bytes]:
    return io.BufferedReader(packed_folder(path)) if path.is_dir() else path.open("rb")
