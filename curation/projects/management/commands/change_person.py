"""Change what a person may do in this installation, apart from their projects."""

from argparse import ArgumentParser, BooleanOptionalAction
from typing import Any

from django.core.management.base import CommandError

from curation.commands import StageCommand
from curation.projects.models import User


class Command(StageCommand):
    help = "Let a person create projects, or no longer. Projects that they have stay theirs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--may-create-projects", action=BooleanOptionalAction, required=True)

    def work(self, **options: Any) -> None:
        name, may = options["name"], options["may_create_projects"]
        if not User.objects.filter(username=name).update(may_create_projects=may):
            raise CommandError(
                f"Nobody signs in as {name!r}: manage.py add_person makes an account."
            )
        self.stdout.write(f"{name} may {'' if may else 'not '}create projects.")
