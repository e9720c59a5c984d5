"""The home folder and what is written in it are its user's alone."""

import os
import stat
import subprocess
import sys
from pathlib import Path

from tests.conftest import REPOSITORY


def manage(home: Path, *arguments: str) -> subprocess.CompletedProcess:
    env = {
        k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")
    }
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=REPOSITORY,
        env={**env, "CHAINWRIGHT_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=240,
        umask=0o022,
    )


def open_paths(home: Path) -> list[str]:
    """What others may read or enter below `home`, itself included."""
    found = [home, *home.rglob("*")]
    return [str(one) for one in found if not one.is_symlink() and one.stat().st_mode & 0o077]


def test_a_command_makes_a_home_that_only_its_user_reads(tmp_path: Path) -> None:
    home = tmp_path / "deep" / "home"
    assert manage(home, "migrate", "--verbosity", "0").returncode == 0
    assert (home / "chainwright.sqlite3").exists() and (home / "secret_key").exists()
    assert open_paths(home) == []


def test_a_home_that_was_left_open_is_tightened(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o755)
    assert manage(home, "check").returncode == 0
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_folder_that_everybody_shares_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    done = manage(shared, "check")
    assert done.returncode != 0 and "name one of its own" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert stat.S_IMODE(shared.stat().st_mode) == 0o1777
