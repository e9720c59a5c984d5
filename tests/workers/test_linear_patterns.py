"""No text takes a pattern of the program more than linear time."""

import subprocess
import sys

import pytest


@pytest.mark.timeout(600)
def test_every_pattern_is_linear() -> None:
    """All of them are found by walking the modules; `pattern_probe` says how each is tried."""
    probe = [sys.executable, "-m", "tests.workers.pattern_probe"]
    done = subprocess.run(probe, capture_output=True, text=True)
    *told, last = done.stdout.splitlines() or [""]
    # Indented are the suspects, which a busy machine makes as well; a name stands for one that was slow.
    slow = [line for line in told if not line.startswith("  ")]
    assert done.returncode == 0, done.stderr
    assert int(last.split()[0]) > 200
    assert not slow, "\n".join(told)
