"""Train the project's student on a dataset."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from curation.celery_app import GPU
from curation.commands import StageCommand, project_by_slug, wait_for
from curation.training.presets import PRESETS
from curation.training.services import order_training


class Command(StageCommand):
    help = "Train the student of a project on one of its datasets (PROJECT/NUMBER)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dataset", required=True, metavar="PROJECT/NUMBER")
        parser.add_argument("--preset", default="", choices=["", *PRESETS])
        parser.add_argument("--no-evaluation", action="store_true", help="do not measure after it")
        parser.add_argument("--wait", action="store_true", help="until the training has ended")

    def work(self, **options: Any) -> None:
        slug, _, number = options["dataset"].rpartition("/")
        if not slug or not number.isdigit():
            raise CommandError(
                f"{options['dataset']!r}: write it as PROJECT/NUMBER, such as demo/1."
            )
        project = project_by_slug(slug)
        version = project.dataset_versions.filter(number=int(number)).first()
        if version is None:
            raise CommandError(f"{slug} has no dataset {number}.")
        job = order_training(
            project,
            None,
            version,
            preset=options["preset"],
            evaluate_after=not options["no_evaluation"],
        )
        if options["wait"]:
            wait_for(job, GPU, self.say)
            self.say(f"{job} ended after {job.step:,} steps and {job.seconds:.0f} s.")
        self.stdout.write(str(job.pk))
