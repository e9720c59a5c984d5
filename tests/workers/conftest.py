"""What the tests of several workers' rooms share."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from curation.datasets.models import DatasetVersion
from curation.datasets.services import order_freeze
from curation.projects.models import Project
from curation.rationales.models import Teacher
from tests.workers.generation.generation_fixtures import make_llama
from tests.workers.killing import SILENT_SECONDS, Worker, approve, write


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory) -> Path:
    """The folder of a random Llama. Never written to: copy it to change it."""
    folder = tmp_path_factory.mktemp("tiny-llama")
    make_llama(folder)
    return folder


@pytest.fixture(scope="module")
def started(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """One worker for all tests: whoever took over in one begins the next."""
    made = Worker(tmp_path_factory.mktemp("worker") / "worker.log")
    yield made
    made.kill()


@pytest.fixture
def worker(started: Worker, settings: Any) -> Worker:
    settings.SILENT_AFTER = timedelta(seconds=SILENT_SECONDS)
    if started.process is None:
        started.start()
    return started


@pytest.fixture
def at(project: Project, teacher: Teacher) -> Callable[..., str]:
    return lambda view, *args: reverse(view, args=[project.slug, *args])


@pytest.fixture
def dataset(project: Project, teacher: Teacher) -> DatasetVersion:
    """Of 3,000 approved rationales, ordered and not begun."""
    write(project, teacher, 1500, each=2)
    approve(project)
    return order_freeze(project, None, enqueue=False)
