"""Put a backup in the place of this installation's database and artifacts."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import call_command

from curation import celery_app
from curation.backup import check_backup, restore_backup
from curation.commands import StageCommand
from curation.errors import Conflict


class Command(StageCommand):
    help = (
        "Restore a backup that `backup` made. Stop the web, the workers and the beat first. Every file is "
        "checked before anything is changed, and all rows are counted afterwards."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="a folder that `backup` wrote")
        parser.add_argument(
            "--replace", action="store_true", help="overwrite a database that holds people"
        )
        parser.add_argument("--check", action="store_true", help="only compare every file's hash")

    def work(self, **options: Any) -> None:
        folder = options["folder"]
        if options["check"]:
            manifest = check_backup(folder)
            self.stdout.write(f"{folder}: all {len(manifest['files']):,} files are as backed up.")
            return
        busy = sorted(name for name, count in (celery_app.listeners() or {}).items() if count)
        if busy:
            raise Conflict(
                f"Workers listen on {', '.join(busy)}: stop everything before restoring."
            )
        manifest = restore_backup(folder, replace=options["replace"])
        call_command("migrate", verbosity=0)  # a backup of an older version is brought up to date
        self.stdout.write(
            f"Restored the backup of {manifest['made_at']}: {sum(manifest['rows'].values()):,} rows and "
            f"{len(manifest['files']) - 1:,} artifacts. Start everything again; work that was under way "
            "goes on by itself."
        )
