"""Import a file of questions, and the rationales that come with them, without a worker."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from curation.commands import StageCommand, project_by_slug
from curation.jobs import Status
from curation.questions.correcting.known import TAKE_OVER
from curation.questions.formats import PRESETS
from curation.questions.models import Split
from curation.questions.services import order_import
from curation.rationales.importing import run_import


class Command(StageCommand):
    help = "Import questions from a JSONL file; a bad row is told by its line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--project", required=True, metavar="SLUG")
        parser.add_argument("--preset", default="", choices=["", *PRESETS], help="default: found")
        parser.add_argument("--split", default=Split.TRAIN, choices=Split.values)
        parser.add_argument(
            "--keep-good-rows", action="store_true", help="import the good rows beside bad ones"
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
        try:
            with options["file"].open("rb") as file:
                job = order_import(
                    project,
                    None,
                    file,
                    options["file"].name,
                    preset=options["preset"],
                    split=options["split"],
                    keep_good_rows=options["keep_good_rows"],
                    take_over=options["take_over"],
                    id_prefix=options["id_prefix"],
                    enqueue=False,
                )
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}.") from None
        job = run_import(job.pk) or job
        for bad in job.bad_rows[:20]:
            self.say(f"line {bad['line']}: {bad['message']}")
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
        self.stdout.write(
            f"{job.questions_added:,} questions added, {job.questions_known:,} known before, "
            f"{job.questions_differ:,} known ones differ, {job.questions_changed:,} took over what the file "
            f"says, {job.rationales_added:,} rationales added, {job.rows_bad:,} rows left out."
        )
