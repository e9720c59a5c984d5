"""Freeze the approved rationales and write the dataset to a folder."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from curation.commands import StageCommand, project_by_slug
from curation.datasets.choosing import funnel_words
from curation.datasets.exports import files
from curation.datasets.formats import EXTENSIONS, file_name
from curation.datasets.gates.runs import GATES, order_gates, run_gates
from curation.datasets.models import DatasetVersion
from curation.datasets.previews import preview_of
from curation.datasets.recipes import BALANCE, SELECTIONS, STYLES, THOUGHTS, WHICH
from curation.datasets.selectors import same_bytes
from curation.datasets.services import freeze, order_freeze, verify
from curation.jobs import Status


class Command(StageCommand):
    help = "Freeze the approved rationales of a project as a new dataset, or write an earlier one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--project", required=True, metavar="SLUG")
        parser.add_argument("--number", type=int, help="an earlier dataset, instead of a new one")
        parser.add_argument("--selection", default="approved", choices=SELECTIONS)
        parser.add_argument("--teacher", action="append", default=[], metavar="NAME")
        parser.add_argument("--domain", action="append", default=[])
        parser.add_argument("--difficulty", action="append", default=[])
        parser.add_argument("--view", default="", help="a shared saved view of the rationales")
        parser.add_argument("--right-only", action="store_true")
        parser.add_argument(
            "--min", action="append", default=[], metavar="SCORE=VALUE", help="overall=0.8, say"
        )
        parser.add_argument("--per-question", type=int)
        parser.add_argument("--which", default="random", choices=WHICH)
        parser.add_argument("--max-tokens", type=int)
        parser.add_argument("--balance", default="", choices=[name for name in BALANCE if name])
        parser.add_argument("--style", default="rationale_first", choices=STYLES)
        parser.add_argument("--thoughts", default="final", choices=THOUGHTS)
        parser.add_argument("--limit", type=int)
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument(
            "--look",
            action="store_true",
            help="look through the examples first: says what was found, and freezes nothing while "
            "questions are like held-out ones",
        )
        parser.add_argument(
            "--preview", action="store_true", help="say what it would hold; no more"
        )
        parser.add_argument("--format", default="jsonl", choices=[*EXTENSIONS, *files.forms()])
        parser.add_argument("--out", type=Path, metavar="DIR", help="default: only freeze")

    def work(self, **options: Any) -> None:
        project = project_by_slug(options["project"])
        if options["preview"]:
            told = preview_of(project, None, **recipe_of(options))
            about = "about " if told.is_estimate else ""
            self.stdout.write(f"{about}{told.funnel_words or 'nothing'}")
            return
        version = find_dataset(project, options["number"]) if options["number"] else None
        if version is None:
            version = order_freeze(project, None, enqueue=False, **self.looked(project, options))
            version = freeze(version.pk) or version
            self.say(funnel_words(version.funnel))
            if same := same_bytes(version):
                self.say(f"These are the bytes of {same}.")
        if version.status != Status.DONE:
            raise CommandError(f"{version} is {version.status}: {version.error}")
        if not verify(version):
            raise CommandError(f"{version} no longer gives its SHA-256 {version.sha256}.")
        if options["out"]:
            form = options["format"]
            extension = EXTENSIONS.get(form) or files.forms()[form][1]
            target = options["out"] / file_name(version, extension)
            try:
                options["out"].mkdir(parents=True, exist_ok=True)
                parts = files.stored if form in EXTENSIONS else files.stream
                with target.open("wb") as file:
                    for part in parts(version, form):
                        file.write(part)
            except OSError as error:
                raise CommandError(f"{target}: {error.strerror}.") from None
            self.say(f"written: {target}")
        self.stdout.write(
            f"{project.slug}/{version.number}: {version.example_count:,} examples, "
            f"sha256 {version.sha256}"
        )

    def looked(self, project: Any, options: dict[str, Any]) -> dict[str, Any]:
        """What is frozen: the recipe, or with --look the run through whose findings it went."""
        recipe = recipe_of(options)
        if not options["look"]:
            return recipe
        run = run_gates(order_gates(project, None, enqueue=False, **recipe).pk)
        for name, count in run.counts.items():
            self.say(f"{GATES[name]}: {count:,}")
        return {"gates": run.pk}


def recipe_of(options: dict[str, Any]) -> dict[str, Any]:
    """The options of a recipe as `make_recipe` takes them."""
    minimum = {}
    for given in options["min"]:
        name, _, value = given.partition("=")
        try:
            minimum[name] = float(value)
        except ValueError:
            raise CommandError(
                f"--min {given}: give a score and a number, overall=0.8, say."
            ) from None
    plain = ("selection", "view", "right_only", "per_question", "which", "max_tokens", "balance")
    return {
        **{name: options[name] for name in (*plain, "style", "thoughts", "limit", "seed")},
        "teachers": options["teacher"],
        "domains": options["domain"],
        "difficulties": options["difficulty"],
        "minimum": minimum,
    }


def find_dataset(project: Any, number: int) -> DatasetVersion:
    version = project.dataset_versions.filter(number=number).first()
    if version is None:
        raise CommandError(f"{project.slug} has no dataset {number}.")
    return version
