"""The life of a vLLM server of our own: started, watched, started again, ended with all it started.

The server is a stand-in that takes vLLM's command line; test_vllm.py has the real one.
"""

import os
import signal
import stat
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import psutil
import pytest

from workers.generation.backends import open_backend
from workers.generation.model_cache import WarmBackends
from workers.generation.types import Backend, BackendError, ModelSpec, Request

ROOT = Path(__file__).resolve().parents[3]
STAND_IN = Path(__file__).with_name("vllm_stand_in.py")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A model folder of our own, and an interpreter that "has vLLM"."""
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{STAND_IN}" "$@"\n')
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("CHAINWRIGHT_VLLM_PYTHON", str(python))
    model = tmp_path / "model"
    model.mkdir()
    for name in ("config.json", "tokenizer.json"):
        (model / name).write_text("{}")
    (model / "model.safetensors").write_bytes(b"weights")
    return model


def requests(count, text="question", first=0):
    return [
        Request(f"r{n}", ({"role": "user", "content": f"{text} {n // 4}"},), 0.5, seed=n)
        for n in range(first, first + count)
    ]


def backend_for(folder, **options):
    return open_backend(ModelSpec("vllm", str(folder), options=options))


def family(backend) -> list[psutil.Process]:
    launcher = psutil.Process(backend.pid)
    return [launcher, *launcher.children(recursive=True)]


def all_gone(processes, within=5.0) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=within)
    return not [p for p in alive if p.status() != psutil.STATUS_ZOMBIE]


def test_it_starts_answers_stays_warm_and_ends_with_everything_it_started(folder, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://hush")
    with backend_for(folder, max_model_len=512, tensor_parallel=2, gpu_memory=0.5) as backend:
        assert isinstance(backend, Backend) and backend.pid is None
        done = {c.id: c for c in backend.generate(requests(40))}
        assert len(done) == 40
        # Four samples of a question went in one request; each has the text of its own seed.
        assert all(
            c.text.endswith(f" {c.id[1:]}") and c.completion_tokens == 3 for c in done.values()
        )
        pid = backend.pid
        assert len(list(backend.generate(requests(5)))) == 5 and backend.pid == pid
        log = backend.log_tail()
        assert "--max-model-len 512 --generation-config vllm" in log.replace("  ", " ")
        assert "--tensor-parallel-size 2 --pipeline-parallel-size 1" in log
        assert "--gpu-memory-utilization 0.5" in log and "--load-format safetensors" in log
        assert "DATABASE_URL" not in log and backend.engine.key not in log and "[key]" in log
        processes = family(backend)
        assert len(processes) >= 3
        assert not any(backend.engine.key in " ".join(p.cmdline()) for p in processes)
    assert all_gone(processes)
    assert len(list(backend.generate(requests(3)))) == 3  # a later call starts another
    backend.close()
    backend.close()


def test_further_requests_are_taken_while_it_works(folder):
    parts = [requests(200, first=200), requests(8, first=400)]
    with backend_for(folder) as backend:
        done = list(backend.generate(requests(200), lambda: parts.pop(0) if parts else []))
    assert sorted(int(c.id[1:]) for c in done) == list(range(408))


def test_a_server_that_dies_is_started_again_and_every_request_is_answered(folder):
    asked = [*requests(100), *requests(1, "once", first=100), *requests(300, first=101)]
    with backend_for(folder) as backend:
        backend.start()
        processes = family(backend)
        done = list(backend.generate(asked))
        assert sorted(int(c.id[1:]) for c in done) == list(range(401))
        assert all(c.finish_reason == "stop" for c in done)
        assert backend.engine.starts == 2 and all_gone(processes)


def test_a_question_that_kills_the_server_fails_alone(folder):
    asked = [*requests(30), *requests(1, "poison", first=30), *requests(30, first=31)]
    with backend_for(folder, restarts=5) as backend:
        done = {c.id: c for c in backend.generate(asked)}
    failed = [c for c in done.values() if c.finish_reason == "error"]
    assert [c.id for c in failed] == ["r30"] and "killed (signal 9)" in failed[0].error
    assert len(done) == 61


def test_a_server_that_keeps_dying_is_given_up(folder):
    with backend_for(folder, restarts=1) as backend:
        done = list(backend.generate(requests(50, "poison")))
        assert backend.engine.starts == 2
    assert len(done) == 50 and all("as often as allowed" in c.error for c in done)


def test_a_server_that_cannot_start_says_why(folder):
    (folder / "broken").touch()
    with backend_for(folder) as backend, pytest.raises(BackendError) as told:
        next(backend.generate(requests(1)))
    assert "did not start" in str(told.value) and "CUDA out of memory" in str(told.value)


def test_it_ends_when_nobody_asks(folder):
    with backend_for(folder, idle_seconds=0.3) as backend:
        list(backend.generate(requests(2)))
        assert all_gone(family(backend)) and backend.pid is None
        assert len(list(backend.generate(requests(2)))) == 2


def test_closing_from_another_thread_ends_a_running_batch(folder):
    with backend_for(folder, concurrency=1) as backend:
        backend.start()
        processes = family(backend)
        answers = backend.generate(requests(400))
        next(answers)
        threading.Timer(0.2, backend.close).start()
        with pytest.raises(BackendError, match="closed"):
            list(answers)
        assert all_gone(processes)


def test_cancelling_ends_the_batch_and_keeps_the_server(folder):
    with backend_for(folder, concurrency=1) as backend:
        backend.start()
        pid = backend.pid
        threading.Timer(0.2, backend.cancel).start()
        with pytest.raises(BackendError, match="closed"):
            list(backend.generate(requests(400)))
        assert backend.pid == pid and len(list(backend.generate(requests(9)))) == 9
        assert backend.pid == pid


PARENT = """
    import sys, time
    from workers.generation.backends import open_backend
    from workers.generation.types import ModelSpec
    backend = open_backend(ModelSpec("vllm", sys.argv[1]))
    backend.start()
    print(backend.pid, flush=True)
    time.sleep(60)
"""


def test_it_dies_with_a_worker_that_is_killed(folder):
    command = [sys.executable, "-c", textwrap.dedent(PARENT), str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        launcher = psutil.Process(int(parent.stdout.readline()))
        processes = [launcher, *launcher.children(recursive=True)]
        time.sleep(0.3)
        assert len(processes) >= 3 and all(p.is_running() for p in processes)
        parent.send_signal(signal.SIGKILL)
    assert all_gone(processes)


def test_only_one_model_has_the_accelerator(folder, tiny_model):
    warm = WarmBackends(2)
    vllm = warm.get(ModelSpec("vllm", str(folder)))
    vllm.start()
    processes = family(vllm)
    remote = warm.get(ModelSpec("openai", "m", base_url="https://example.org/v1"))
    assert vllm.pid
    local = warm.get(ModelSpec("transformers", str(tiny_model)))
    assert all_gone(processes) and vllm.pid is None
    assert warm.get(remote.spec) is remote and warm.get(local.spec) is not None
    again = warm.get(ModelSpec("vllm", str(folder)))
    assert again is not vllm
    warm.close()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"extra_args": "--trust-remote-code"}, "no option extra_args"),
        ({"tensor_parallel": 0}, "tensor_parallel must be at least 1"),
        ({"gpu_memory": 1.5}, "gpu_memory must be"),
        ({"max_model_len": -1}, "max_model_len must be"),
        ({"concurrency": 0}, "concurrency must be"),
    ],
)
def test_options_that_cannot_be_are_told_at_once(folder, options, says):
    with pytest.raises(BackendError, match=says):
        backend_for(folder, **options)


def test_a_model_with_pickles_or_no_vllm_here_is_told_at_once(folder, monkeypatch, tmp_path):
    with pytest.raises(BackendError, match="There is no model folder"):
        backend_for("--trust-remote-code")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(BackendError, match="pickle"):
        backend_for(folder)
    monkeypatch.setenv("CHAINWRIGHT_VLLM_PYTHON", str(tmp_path / "nothing"))
    with pytest.raises(BackendError, match="cannot be run"):
        backend_for(folder)
    monkeypatch.delenv("CHAINWRIGHT_VLLM_PYTHON")
    with pytest.raises(BackendError, match=r"requirements-gpu\.txt"):
        backend_for(folder)
    assert os.environ.get("CHAINWRIGHT_VLLM_PYTHON") is None
