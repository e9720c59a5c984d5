"""The example of docs/api.md, run as it stands there against a live server."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from curation.projects.models import Project, User
from curation.reviews.models import Decision
from tests.curation.api.api_calls import no_brake, token

__all__ = ["no_brake"]
Make = Callable[..., list[Any]]
DOCS = Path(__file__).resolve().parents[3] / "docs" / "api.md"


@pytest.mark.django_db(transaction=True)
def test_the_example_of_the_documentation_reviews_a_whole_queue(
    live_server: Any,
    project: Project,
    reviewer: User,
    make_questions: Make,
    make_rationales: Make,
    tmp_path: Path,
) -> None:
    for question in make_questions(3):
        make_rationales(question, ["right", "wrong"])
    script, *_ = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert len([line for line in script.splitlines() if line]) <= 35
    (tmp_path / "review.py").write_text(script)
    told = {
        "CHAINWRIGHT_URL": live_server.url,
        "CHAINWRIGHT_PROJECT": "eggs",
        "CHAINWRIGHT_TOKEN": token(reviewer, "review"),
        "PATH": os.environ["PATH"],
    }
    done = subprocess.run(
        [sys.executable, "-I", tmp_path / "review.py"],
        env=told,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("['approve', 'reject']") + done.stdout.count("['reject',") == 3
    outcomes = list(Decision.objects.values_list("outcome", "review__reviewer__username"))
    assert sorted(outcomes) == [("approved", "rudi")] * 3 + [("rejected", "rudi")] * 3
