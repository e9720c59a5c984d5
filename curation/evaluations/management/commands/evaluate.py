"""Measure a trained student on held-out questions."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from curation.celery_app import GPU
from curation.commands import StageCommand, wait_for
from curation.evaluations.services import order_evaluation
from curation.training.models import TrainingJob


class Command(StageCommand):
    help = "Measure the student of a training against its base and the teachers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--job", required=True, type=int, metavar="ID")
        parser.add_argument("--compare", type=int, action="append", default=[], metavar="ID")
        parser.add_argument("--limit", type=int, help="at most so many questions of each subset")
        parser.add_argument("--wait", action="store_true", help="until it has ended")

    def work(self, **options: Any) -> None:
        jobs = TrainingJob.objects.select_related("project").in_bulk(
            [options["job"], *options["compare"]]
        )
        missing = {options["job"], *options["compare"]} - set(jobs)
        if missing:
            raise CommandError(f"There is no training {min(missing)}.")
        job = jobs.pop(options["job"])
        evaluation = order_evaluation(
            job.project, None, job, compared=list(jobs.values()), limit=options["limit"]
        )
        if options["wait"]:
            wait_for(evaluation, GPU, self.say)
            for sentence in evaluation.verdict:
                self.stdout.write(sentence)
        else:
            self.stdout.write(str(evaluation.pk))
