"""A vLLM that is killed in the middle of a run. A file of its own, so that it runs beside the others."""

import os

import psutil
import pytest

from tests.e2e.conftest import Stack
from tests.e2e.running import WRITTEN, order_and_wait_for_the_middle, rows, wait_and_check, worker

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]

VLLM_TEACHER = """
from curation.projects.models import Project
from curation.rationales.models import Teacher
project = Project.objects.get(slug="demo")
made = Teacher(project=project, name="vllm", backend="vllm", model="demo:strong", max_tokens=192)
made.save()
print(made.pk)
"""


@pytest.mark.skipif(
    not os.environ.get("CHAINWRIGHT_VLLM_PYTHON"),
    reason="vLLM is not here: CHAINWRIGHT_VLLM_PYTHON is not set",
)
def test_a_killed_vllm_is_started_again_and_ends_with_its_worker(stack: Stack) -> None:
    stack.ask(VLLM_TEACHER)
    # Loading vLLM takes a minute of two idle cores, and many on busy ones; it is done twice here.
    order_and_wait_for_the_middle(stack, "vllm", "0.5", seconds=400)
    killed = vllm_server(stack)
    family = [killed, *killed.children(recursive=True)]
    killed.kill()
    before = rows(stack, WRITTEN)
    wait_and_check(stack, before, seconds=400)
    assert not psutil.wait_procs(family, timeout=10)[1]
    again = vllm_server(stack)
    family = [again, *again.children(recursive=True)]
    assert again.pid != killed.pid
    gpu = worker(stack, "gpu")
    for process in [gpu, *gpu.children()]:  # the pool's process, which holds the engine
        process.kill()
    assert not psutil.wait_procs(family, timeout=15)[1]


def vllm_server(stack: Stack) -> psutil.Process:
    name = "vllm.entrypoints.openai.api_server"
    found = [p for p in stack.processes() if name in p.cmdline()]
    return next(p for p in found if not any("vllm/launch.py" in part for part in p.cmdline()))
