"""What the tests of several workers' rooms share."""

from pathlib import Path

import pytest

from tests.workers.generation_fixtures import make_llama


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory) -> Path:
    """The folder of a random Llama. Never written to: copy it to change it."""
    folder = tmp_path_factory.mktemp("tiny-llama")
    make_llama(folder)
    return folder
