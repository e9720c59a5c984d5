"""Score what waits, or everything again."""

from argparse import ArgumentParser
from typing import Any

from curation.celery_app import CPU
from curation.commands import StageCommand, project_by_slug, wait_for
from curation.rationales.scoring.scores import order_rescoring, order_scoring


class Command(StageCommand):
    help = "Score the rationales of a project that wait for it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--project", required=True, metavar="SLUG")
        parser.add_argument("--again", action="store_true", help="score all, not only what waits")
        parser.add_argument("--no-embeddings", action="store_true", help="leave similarity out")
        parser.add_argument("--wait", action="store_true", help="until the scoring has ended")

    def work(self, **options: Any) -> None:
        project = project_by_slug(options["project"])
        order = order_rescoring if options["again"] else order_scoring
        run = order(project, None, embeddings=False if options["no_embeddings"] else None)
        if run is None:
            self.stdout.write("Nothing waits for a score.")
            return
        if options["wait"]:
            wait_for(run, CPU, self.say)
            self.stdout.write(f"{run.done:,} rationales scored in {run.seconds:.1f} s.")
        else:
            self.stdout.write(str(run.pk))
