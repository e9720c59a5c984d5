"""Order rationales."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from curation.commands import StageCommand, numbers, progress, project_by_slug, wait_for
from curation.rationales.generation.orders import Budget, order_run
from curation.rationales.generation.parts import queues_of
from curation.rationales.generation.prompt_styles import styles
from curation.rationales.generation.question_filter import WHICH, Choice
from curation.rationales.models import Teacher


class Command(StageCommand):
    help = "Order rationales for the training questions of a project."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--project", required=True, metavar="SLUG")
        parser.add_argument("--teacher", required=True, action="append", metavar="NAME")
        parser.add_argument("--temperatures", type=numbers, default=[0.3, 0.5, 0.7])
        parser.add_argument("--samples", type=int, default=1, help="at each temperature")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--only-missing", action="store_true")
        parser.add_argument(
            "--questions", choices=list(WHICH), default="train", help="which of them (train)"
        )
        parser.add_argument("--limit", type=int, metavar="N", help="at most so many questions")
        parser.add_argument("--domain", default="")
        parser.add_argument("--subset", default="")
        parser.add_argument(
            "--style", choices=list(styles()), default="", help="instead of each teacher's own"
        )
        parser.add_argument("--max-tokens", type=int, metavar="N")
        parser.add_argument(
            "--enough", type=int, default=0, metavar="K", help="good rationales for a question"
        )
        for limit, kind in (("money", float), ("tokens", int), ("rationales", int)):
            parser.add_argument(f"--budget-{limit}", type=kind, metavar="N", help="pause there")
        parser.add_argument("--wait", action="store_true", help="until the run has ended")

    def work(self, **options: Any) -> None:
        project = project_by_slug(options["project"])
        chosen = Choice(
            which=options["questions"],
            limit=options["limit"],
            domain=options["domain"],
            subset=options["subset"],
        )
        limits = (options[f"budget_{name}"] for name in ("money", "tokens", "rationales"))
        run = order_run(
            project,
            None,
            teachers=[find_teacher(project, name) for name in options["teacher"]],
            temperatures=options["temperatures"],
            samples=options["samples"],
            questions=chosen.questions(project),
            filters=chosen.stored(),
            seed=options["seed"],
            max_tokens=options["max_tokens"],
            prompt_style=options["style"],
            budget=Budget(*limits),
            enough=options["enough"],
            only_missing=options["only_missing"],
        )
        self.say(f"{run} ordered: {run.slot_count:,} rationales.")
        if options["wait"]:
            wait_for(run, queues_of(run), self.say)
            self.stdout.write(f"{progress(run)} written. {run.error}")
        else:
            self.stdout.write(str(run.pk))


def find_teacher(project: Any, name: str) -> Teacher:
    teacher = project.teachers.filter(name=name).first()
    if teacher is None:
        known = ", ".join(project.teachers.values_list("name", flat=True))
        raise CommandError(f"The project has no teacher {name!r}. It has: {known or 'none'}.")
    return teacher
