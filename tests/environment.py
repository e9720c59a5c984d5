"""Loaded before the settings are: the tests get a home of their own, which goes when they end."""

import atexit
import os
import secrets
import shutil
import tempfile
from pathlib import Path

HOME = Path(tempfile.mkdtemp(prefix="chainwright-tests-"))
(HOME / "static").mkdir()  # whitenoise warns when it is not there
os.environ["CHAINWRIGHT_HOME"] = str(HOME)
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault(
    "DJANGO_ALLOW_ASYNC_UNSAFE", "1"
)  # Playwright's loop runs in the test's thread
# Tests that do things at random draw others in each run; the variable repeats one. Set before the other
# processes of the tests are started, so that all of them have the same.
os.environ.setdefault("AT_RANDOM_SEED", str(secrets.randbelow(2**32)))
# Each process of the tests has a database of its own in the Redis that was given.
_worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
if _worker and "REDIS_URL" in os.environ:
    server, _, number = os.environ["REDIS_URL"].rpartition("/")
    os.environ["REDIS_URL"] = f"{server}/{int(number) + 1 + int(_worker)}"
_owner = os.getpid()


@atexit.register
def _remove() -> None:
    if os.getpid() == _owner:
        shutil.rmtree(HOME, ignore_errors=True)
