"""Become one process of an installation, for containers and service units."""

import os
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection

from curation.processes import PROCESSES, command


class Command(BaseCommand):
    help = (
        "Become one process of Chainwright: the web server, the worker of a queue, or the beat. "
        "It runs in the foreground and ends at SIGTERM."
    )
    requires_system_checks = []  # the process itself makes them

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("process", choices=PROCESSES)
        parser.add_argument("--host", default="127.0.0.1", help="where web listens (127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="where web listens (8000)")

    def handle(self, *args: Any, **options: Any) -> None:
        arguments = command(options["process"], options["host"], options["port"])
        connection.close()
        settings.STATIC_ROOT.mkdir(exist_ok=True)  # whitenoise warns when it is not there
        os.chdir(settings.BASE_DIR)
        os.execv(arguments[0], arguments)
