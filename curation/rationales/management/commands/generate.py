"""Order rationales."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from curation.commands import StageCommand, numbers, project_by_slug, wait_for
from curation.queue import GPU
from curation.rationales.models import SlotStatus, Teacher
from curation.rationales.services import order_run


class Command(StageCommand):
    help = "Order rationales for the training questions of a project."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--project", required=True, metavar="SLUG")
        parser.add_argument("--teacher", required=True, action="append", metavar="NAME")
        parser.add_argument("--temperatures", type=numbers, default=[0.3, 0.5, 0.7])
        parser.add_argument("--samples", type=int, default=1, help="at each temperature")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--only-missing", action="store_true")
        parser.add_argument("--wait", action="store_true", help="until the run has ended")

    def work(self, **options: Any) -> None:
        project = project_by_slug(options["project"])
        run = order_run(
            project,
            None,
            teachers=[find_teacher(project, name) for name in options["teacher"]],
            temperatures=options["temperatures"],
            samples=options["samples"],
            seed=options["seed"],
            only_missing=options["only_missing"],
        )
        self.say(f"{run} ordered: {run.slot_count:,} rationales.")
        if options["wait"]:
            wait_for(run, GPU, self.say)
            filled = run.slots.filter(status=SlotStatus.FILLED).count()
            self.stdout.write(f"{filled:,} of {run.slot_count:,} rationales written. {run.error}")
        else:
            self.stdout.write(str(run.pk))


def find_teacher(project: Any, name: str) -> Teacher:
    teacher = project.teachers.filter(name=name).first()
    if teacher is None:
        known = ", ".join(project.teachers.values_list("name", flat=True))
        raise CommandError(f"The project has no teacher {name!r}. It has: {known or 'none'}.")
    return teacher
