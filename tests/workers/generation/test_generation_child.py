"""The life and death of the model process, and what its caller sees of it."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import psutil
import pytest

from tests.workers.generation.generation_fixtures import make_llama, make_requests
from workers.generation.backends import open_backend
from workers.generation.engine.loading import load
from workers.generation.types import Backend, BackendError, ModelSpec, Request

ROOT = Path(__file__).resolve().parents[3]


def backend_for(folder, **kwargs):
    return open_backend(ModelSpec("transformers", str(folder), **kwargs))


# Each start of a model process costs seconds, so the tests share one where they can, and one test
# looks at several things where its process must be its own.


@pytest.fixture(scope="module")
def backend(tiny_model):
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SOME_API_KEY", "sk-hush")
        environment.setenv("DATABASE_URL", "postgres://u:sk-hush@h/d")
        with backend_for(tiny_model) as opened:
            opened.start()
            yield opened


def gone(pid: int, within: float = 10.0) -> bool:
    """Whether the process ends in time; a zombie that somebody must still collect counts."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def texts(completions):
    return {c.id: (c.text, c.finish_reason, c.completion_tokens) for c in completions}


def test_importing_the_backends_loads_no_model_library():
    code = (
        "import sys, workers.generation.model_cache, workers.generation.engine.backend,"
        "workers.generation.vllm.engine, workers.generation.prompts; "
        "print([m for m in ('torch', 'transformers', 'httpx', 'django') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert ran.stdout.strip() == "[]", ran.stderr


def test_every_request_is_answered_once_by_a_child_that_stays_warm(backend):
    assert isinstance(backend, Backend)
    requests = make_requests(60)
    done = list(backend.generate(requests))
    assert sorted(c.id for c in done) == sorted(r.id for r in requests)
    assert all(c.finish_reason in ("stop", "length") and not c.error for c in done)
    assert all(c.prompt_tokens > 5 and c.seconds > 0 for c in done)
    pid = backend.pid
    assert list(backend.generate([])) == []
    assert texts(backend.generate(requests)) == texts(done)
    assert backend.pid == pid
    assert os.getpgid(pid) == pid


def worked(backend) -> float:
    """How many seconds of a processor the child has used so far."""
    return psutil.Process(backend.pid).cpu_times().user


def test_completions_come_one_by_one(backend):
    backend.start()
    answers = backend.generate(make_requests(200, max_tokens=200))
    next(answers)
    at_the_first = worked(backend)
    assert len(list(answers)) == 199
    assert worked(backend) > at_the_first + 0.05  # it wrote the others since


def test_killed_in_the_middle_the_rest_is_answered_as_if_nothing_had_happened(backend):
    requests = make_requests(300, max_tokens=200)
    expected = texts(backend.generate(requests))
    pid, done = backend.pid, []
    for number, completion in enumerate(backend.generate(requests)):
        done.append(completion)
        if number == 20:
            os.kill(pid, signal.SIGKILL)
    assert len(done) == 300 and texts(done) == expected
    assert backend.pid != pid and gone(pid)


def test_a_child_that_keeps_dying_is_not_restarted_for_ever(tiny_model):
    with backend_for(tiny_model, options={"restarts": 0}) as backend:
        backend.start()
        stop = threading.Event()

        def killer():
            last = None
            while not stop.wait(0.02):
                if backend.pid and backend.pid != last and backend.info:
                    last = backend.pid
                    time.sleep(0.2)
                    os.kill(last, signal.SIGKILL)

        thread = threading.Thread(target=killer)
        thread.start()
        requests = make_requests(2000, max_tokens=400)
        done = list(backend.generate(requests))
        stop.set()
        thread.join()
        assert len(done) == 2000
        failed = [c for c in done if c.finish_reason == "error"]
        assert failed and all("killed" in c.error for c in failed)


BAD_TEMPLATE = (
    "{% if 'poison' in messages[0]['content'] %}{% for a in range(99999) %}"
    "{% for b in range(99999) %}{% endfor %}{% endfor %}{% endif %}"
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('No system role') }}{% endif %}"
)


def test_one_request_that_hangs_or_is_refused_by_the_template_fails_alone(
    backend, tiny_model, tmp_path
):
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    template = folder / "chat_template.jinja"
    template.write_text(BAD_TEMPLATE + template.read_text())
    requests = make_requests(30)
    refused = Request("refused", ({"role": "system", "content": "x"},), 0.0, seed=1)
    poison = Request("poison", ({"role": "user", "content": "poison"},), 0.0, seed=1)
    expected = texts(backend.generate(requests))
    with backend_for(folder, options={"silence_seconds": 1.0}) as other:
        done = {c.id: c for c in other.generate([*requests[:12], refused, *requests[12:], poison])}
    bad = done.pop("poison")
    assert bad.finish_reason == "error" and "no sign of life for 1 seconds" in bad.error
    assert "No system role" in done.pop("refused").error
    assert texts(done.values()) == expected


def test_too_little_memory_makes_smaller_batches_not_errors(tmp_path):
    """64 rows want about 240 MB for keys and values; the child may take 120 MB more than it has."""
    make_llama(tmp_path, hidden=256, layers=4, context=1024)
    message = {"role": "user", "content": "apples " * 900}
    requests = [Request(f"r{n}", (message,), 1.0, seed=n, max_tokens=20) for n in range(64)]
    with backend_for(tmp_path) as backend:
        expected = {}
        for few in range(0, 64, 8):
            expected |= texts(backend.generate(requests[few : few + 8]))
        status = Path(f"/proc/{backend.pid}/status").read_text()
        limit = (int(status.split("VmSize:")[1].split()[0]) << 10) + (120 << 20)
        resource.prlimit(backend.pid, resource.RLIMIT_AS, (limit, limit))
        pid = backend.pid
        done = list(backend.generate(requests))
        assert texts(done) == expected and done[0].prompt_tokens > 800
        assert backend.pid == pid
        assert "Out of memory with 64 rows" in backend.log_tail()


def test_a_prompt_too_long_for_the_model_is_told(backend):
    long = Request("long", ({"role": "user", "content": "apples " * 600},), 0.0, seed=1)
    almost = Request(
        "almost", ({"role": "user", "content": "z" * 480},), 1.0, seed=1, max_tokens=400
    )
    done = {c.id: c for c in backend.generate([long, almost])}
    assert "the model takes 512" in done["long"].error
    assert done["long"].prompt_tokens > 512
    assert done["almost"].prompt_tokens + done["almost"].completion_tokens <= 512


def test_stopping_early_cancels_and_keeps_the_child_warm(backend):
    backend.start()
    pid = backend.pid
    answers = backend.generate(make_requests(800, max_tokens=400))
    next(answers)
    with pytest.raises(BackendError, match="still generating"):
        next(backend.generate(make_requests(1)))
    answers.close()
    few = make_requests(5)
    assert {c.id for c in backend.generate(few)} == {r.id for r in few}
    assert backend.pid == pid


PARENT = """
    import multiprocessing, os, sys, threading, time
    from tests.workers.generation.generation_fixtures import make_requests
    from workers.generation.backends import open_backend
    from workers.generation.types import ModelSpec

    backend = open_backend(ModelSpec("transformers", sys.argv[1]))

    def work():
        pid = backend.pid
        for n, completion in enumerate(backend.generate(make_requests(5000, max_tokens=400))):
            if n == 4:
                print(os.getpid(), backend.pid, pid in (None, backend.pid), flush=True)

    if __name__ == "__main__":
        if sys.argv[2] == "thread":
            # The kernel's parent-death signal goes by thread: the child must outlive this one.
            one = threading.Thread(target=backend.start)
            one.start(); one.join(); time.sleep(0.3)
            one = threading.Thread(target=work)
        else:
            one = multiprocessing.Process(target=work, daemon=True)
        one.start(); one.join()
"""


@pytest.mark.parametrize("where", ["main thread of a daemon, as Celery's pool has", "thread"])
def test_the_child_works_there_and_dies_with_its_parent(tiny_model, tmp_path, where):
    script = tmp_path / "parent.py"
    script.write_text(textwrap.dedent(PARENT))
    command = [sys.executable, str(script), str(tiny_model), where]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as started:
        parent, child, same = started.stdout.readline().split()
        parent, child = int(parent), int(child)
        assert same == "True"
        assert not gone(child, within=0.2)
        os.kill(parent, signal.SIGKILL)
    assert gone(child, within=5)


def test_the_child_gets_none_of_our_secrets(backend, tiny_model):
    assert os.environ["SOME_API_KEY"] == "sk-hush"
    backend.start()
    environment = Path(f"/proc/{backend.pid}/environ").read_bytes()
    command = Path(f"/proc/{backend.pid}/cmdline").read_bytes()
    assert b"sk-hush" not in environment and b"OMP_NUM_THREADS=1" in environment
    assert str(tiny_model).encode() not in command


# --- what may be loaded ------------------------------------------------------------------------


@pytest.fixture
def copy(tiny_model, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(tiny_model, folder)
    return folder


def test_a_missing_folder_is_told_at_once():
    with pytest.raises(BackendError, match="There is no model folder"):
        backend_for("/nowhere; rm -rf x")


def test_pickle_weights_are_refused(copy):
    (copy / "model.safetensors").unlink()
    (copy / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'touch owned'\ntR.")
    with pytest.raises(BackendError, match="pickle"):
        backend_for(copy)


def test_an_index_that_names_a_pickle_is_refused(copy):
    (copy / "model.safetensors").rename(copy / "evil.bin")
    index = {"metadata": {}, "weight_map": {"lm_head.weight": "evil.bin"}}
    (copy / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(BackendError, match=r"evil\.bin"):
        backend_for(copy)


def test_code_beside_the_weights_is_never_run(copy):
    config = json.loads((copy / "config.json").read_text())
    config |= {
        "model_type": "mine",
        "auto_map": {"AutoConfig": "evil.C", "AutoModelForCausalLM": "evil.M"},
    }
    (copy / "config.json").write_text(json.dumps(config))
    (copy / "evil.py").write_text("import pathlib; pathlib.Path('owned').write_text('x')")
    with pytest.raises(BackendError, match="cannot be loaded"):
        load(ModelSpec("transformers", str(copy)))
    assert not (copy / "owned").exists() and not Path("owned").exists()


def test_a_tokenizer_without_a_chat_template_is_told(copy):
    (copy / "chat_template.jinja").unlink()
    with pytest.raises(BackendError, match="no chat template"):
        load(ModelSpec("transformers", str(copy)))


def test_broken_weights_are_told_and_a_repaired_folder_works_until_it_is_closed(copy):
    whole = (copy / "model.safetensors").read_bytes()
    (copy / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    backend = backend_for(copy)
    with pytest.raises(BackendError, match="cannot be loaded"):
        next(backend.generate(make_requests(1)))
    assert backend.pid is None
    (copy / "model.safetensors").write_bytes(whole)
    assert len(list(backend.generate(make_requests(1)))) == 1
    pid = backend.pid
    backend.close()
    backend.close()
    assert backend.pid is None and gone(pid, within=0.5)


def test_unknown_options_are_refused(tiny_model):
    with pytest.raises(BackendError, match="no option batchrows"):
        backend_for(tiny_model, options={"batchrows": 3})
