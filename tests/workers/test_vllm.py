"""The shipped models under a real vLLM server, reached like any other OpenAI-compatible address.

Runs where CHAINWRIGHT_VLLM_PYTHON names an interpreter that has vLLM (CI installs it on the CPU).
"""

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from workers.demo.problems import demo_questions
from workers.generation.backends import open_backend
from workers.generation.types import ModelSpec, Request
from workers.scoring import Item, score_items

PYTHON = os.environ.get("CHAINWRIGHT_VLLM_PYTHON", "")
MODEL = Path(__file__).resolve().parents[2] / "workers" / "demo" / "models" / "strong"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON, reason="vLLM is not here: CHAINWRIGHT_VLLM_PYTHON is not set"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("vllm") / "log"
    command = [PYTHON, "-m", "vllm.entrypoints.openai.api_server", "--model", str(MODEL)]
    command += ["--served-model-name", "strong", "--port", str(port), "--host", "127.0.0.1"]
    command += ["--dtype", "float32", "--enforce-eager", "--max-model-len", "512"]
    env = os.environ | {
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "HF_HUB_OFFLINE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    }
    with log.open("wb") as out:
        server = subprocess.Popen(command, stdout=out, stderr=out, env=env, start_new_session=True)
    try:
        until = time.monotonic() + 240
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2)
                break
            except (urllib.error.URLError, OSError):
                if server.poll() is not None or time.monotonic() > until:
                    pytest.fail(f"vLLM did not start: {log.read_text()[-2000:]}")
                time.sleep(0.5)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        os.killpg(server.pid, 15)
        server.wait(30)


def test_a_demo_teacher_answers_through_vllm_as_it_does_in_transformers(address: str) -> None:
    problems = demo_questions("eval", 40, seed=5)
    requests = [
        Request(p.id, ({"role": "user", "content": p.question},), 0.0, seed=1, max_tokens=128)
        for p in problems
    ]
    rights = {}
    for spec in (
        ModelSpec("openai", "strong", base_url=address),
        ModelSpec("transformers", str(MODEL)),
    ):
        backend = open_backend(spec, allowed_hosts=["127.0.0.1"])
        try:
            answers = {c.id: c for c in backend.generate(requests)}
        finally:
            backend.close()
        assert all(a.finish_reason == "stop" and a.completion_tokens > 5 for a in answers.values())
        items = [
            Item(p.id, p.question, answers[p.id].text, (p.reference_answer,), group=p.id)
            for p in problems
        ]
        rights[spec.backend] = sum(s.correctness == 1.0 for s in score_items(items))
    # The shipped weights are bf16 and both run in fp32: a near tie may fall the other way.
    assert abs(rights["openai"] - rights["transformers"]) <= 2
    assert rights["openai"] >= 20
