"""Back up the database and all artifacts while everything goes on."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from curation.backup import make_backup
from curation.commands import StageCommand


class Command(StageCommand):
    help = (
        "Back up the database and all artifacts into a new folder, while people and workers go on. "
        "Secrets (SECRET_KEY, keys of models) and the broker are not in it."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="a new or empty folder")

    def work(self, **options: Any) -> None:
        manifest = make_backup(options["folder"])
        size = sum(one["bytes"] for one in manifest["files"].values())
        rows = sum(manifest["rows"].values())
        self.stdout.write(
            f"{options['folder']}: {rows:,} rows and {len(manifest['files']) - 1:,} artifacts, "
            f"{size / 1e6:,.1f} MB."
        )
