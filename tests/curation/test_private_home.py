"""The home folder and what is written in it are its user's alone."""

import os
import stat
import subprocess
import sys
from pathlib import Path

from tests.conftest import REPOSITORY


def manage(home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
    ours = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ARTIFACTS_URL")
    env = {k: v for k, v in os.environ.items() if k not in ours} | variables
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


def test_a_database_and_artifacts_elsewhere_are_tightened(tmp_path: Path) -> None:
    database, artifacts = tmp_path / "elsewhere.sqlite3", tmp_path / "files"
    database.touch()
    artifacts.mkdir()
    database.chmod(0o644)
    artifacts.chmod(0o755)
    done = manage(
        tmp_path / "home",
        "check",
        DATABASE_URL=f"sqlite:///{database}",
        ARTIFACTS_URL=f"file://{artifacts}",
    )
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(database.stat().st_mode) == 0o600
    assert stat.S_IMODE(artifacts.stat().st_mode) == 0o700


def test_a_folder_of_artifacts_that_everybody_shares_is_warned_of(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    done = manage(tmp_path / "home", "check", ARTIFACTS_URL=f"file://{shared}")
    assert done.returncode == 0 and f"Others on this machine may read {shared}" in done.stderr
    assert stat.S_IMODE(shared.stat().st_mode) == 0o1777
