"""Make an account: registration is closed, so the operator does it."""

import secrets
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from curation.commands import StageCommand, project_by_slug
from curation.projects.models import Role, User
from curation.projects.services import add_member


class Command(StageCommand):
    help = (
        "Make an account and print its password, once. What it may do in a project is said there."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--project", metavar="SLUG", help="make it a member of this project")
        parser.add_argument(
            "--may-create-projects", action="store_true", help="let the person create projects"
        )
        parser.add_argument("--role", choices=Role.values, default=Role.REVIEWER)

    def work(self, **options: Any) -> None:
        name = options["name"]
        project = project_by_slug(options["project"]) if options["project"] else None
        try:
            UnicodeUsernameValidator()(name)
        except ValidationError as error:
            raise CommandError(f"{name!r} is no name: {' '.join(error.messages)}") from None
        if User.objects.filter(username=name).exists():
            raise CommandError(
                f"There is an account {name} already. Add it under Settings, Members."
            )
        password = secrets.token_urlsafe(12)
        User.objects.create_user(
            name, password=password, may_create_projects=options["may_create_projects"]
        )
        if project is not None:
            add_member(project, name, options["role"])
        self.say(f"{name} can sign in with this password, which is shown only now:")
        self.stdout.write(password)
