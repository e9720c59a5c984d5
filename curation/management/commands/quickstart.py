"""Everything on this machine, and the address to open."""

import secrets
import signal
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from curation import supervisor
from curation.commands import StageCommand
from curation.demo import make_demo_project, order_first_rationales
from curation.processes import bracketed
from curation.projects.models import User


class Command(StageCommand):
    help = "Start everything on this machine and print the address to open. Ctrl-C ends it all."
    requires_system_checks = []  # they load every page's code, which the web server does anyway

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--no-demo", action="store_true", help="without the demo project")

    def work(self, **options: Any) -> None:
        host, port = options["host"], options["port"]
        supervisor.check_disk(settings.HOME)
        supervisor.check_port(host, port)
        call_command("migrate", verbosity=0)
        ways_in = self.people()
        project = None
        if not options["no_demo"]:
            project = make_demo_project(*(User.objects.get(username=n) for n in ways_in))
        connection.close()
        # From here on a signal must end the children, so it is only noted.
        stopping: list[int] = []
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda n, _: stopping.append(n))
        child = supervisor.start(host, port)
        url = f"http://{bracketed(host)}:{port}"
        try:
            supervisor.wait_until_answers(url, child)
            if project is not None:
                order_first_rationales(project)
            self.stdout.write(self.welcome(url, ways_in))
            self.stdout.flush()
            while not stopping and child.poll() is None:
                time.sleep(0.2)
            if not stopping:
                raise CommandError(f"The supervisor ended; see {settings.HOME / 'logs'}.")
            self.stdout.write("\nStopping …")
        finally:
            supervisor.stop(child)

    def people(self) -> dict[str, str]:
        """An admin and a reviewer with random passwords, kept in a file that only you can read."""
        path = settings.HOME / "sign-in.txt"
        known = (
            dict(line.split(" ", 1) for line in path.read_text().splitlines() if " " in line)
            if path.exists()
            else {}
        )
        ways_in = {}
        for name in ("admin", "reviewer"):
            user = User.objects.filter(username=name).first()
            if user is None:
                known[name] = secrets.token_urlsafe(12)
                leads = name == "admin"
                User.objects.create_user(name, password=known[name], may_create_projects=leads)
            ways_in[name] = known.get(name, "the password that you set")
        if not User.objects.filter(may_create_projects=True).exists():  # of an older Chainwright
            User.objects.filter(username="admin").update(may_create_projects=True)
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text("".join(f"{name} {word}\n" for name, word in ways_in.items()))
        return ways_in

    def welcome(self, url: str, ways_in: dict[str, str]) -> str:
        people = "\n".join(f"    {name:<10} {word}" for name, word in ways_in.items())
        return (
            f"\n  Chainwright is at {url}/\n\n  Sign in as\n{people}\n\n"
            f"  Logs are in {settings.HOME / 'logs'}. Ctrl-C ends everything.\n"
        )
