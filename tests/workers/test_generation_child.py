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

import pytest

from tests.workers.generation_fixtures import make_llama, make_requests
from workers.generation.backends import open_backend
from workers.generation.types import Backend, BackendError, ModelSpec, Request

ROOT = Path(__file__).resolve().parents[2]


def backend_for(folder, **kwargs):
    return open_backend(ModelSpec("transformers", str(folder), **kwargs))


@pytest.fixture(scope="module")
def backend(tiny_model):
    with backend_for(tiny_model) as opened:
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
        "import sys, workers.generation.backends, workers.generation.transformers_backend,"
        "workers.generation.prompts; "
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


def test_completions_come_one_by_one(backend):
    backend.start()
    arrivals = [time.monotonic() for _ in backend.generate(make_requests(200, max_tokens=200))]
    assert arrivals[-1] - arrivals[0] > 0.3 * (arrivals[-1] - arrivals[0] + 0.001)
    assert len(set(arrivals)) == 200


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
    with backend_for(tiny_model, options={"restarts": 1}) as backend:
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
        assert next(iter(backend.generate(requests[:3]))).finish_reason != "error"


POISON = (
    "{% if 'poison' in messages[0]['content'] %}{% for a in range(99999) %}"
    "{% for b in range(99999) %}{% endfor %}{% endfor %}{% endif %}"
)


def test_one_request_that_hangs_fails_alone(tiny_model, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    template = folder / "chat_template.jinja"
    template.write_text(POISON + template.read_text())
    requests = make_requests(30)
    poison = Request("bad", ({"role": "user", "content": "poison"},), 0.0, seed=1)
    with backend_for(tiny_model) as healthy:
        expected = texts(healthy.generate(requests))
    with backend_for(folder, options={"silence_seconds": 1.5}) as backend:
        done = {c.id: c for c in backend.generate([*requests[:12], poison, *requests[12:]])}
    bad = done.pop("bad")
    assert bad.finish_reason == "error" and "no sign of life for 1.5 seconds" in bad.error
    assert texts(done.values()) == expected


def test_messages_that_the_template_refuses_fail_alone(tiny_model, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    template = folder / "chat_template.jinja"
    template.write_text(
        "{% if messages[0]['role'] == 'system' %}{{ raise_exception('No system role') }}{% endif %}"
        + template.read_text()
    )
    refused = Request("bad", ({"role": "system", "content": "x"},), 0.0, seed=1)
    with backend_for(folder) as backend:
        done = {c.id: c for c in backend.generate([refused, *make_requests(3)])}
    assert "No system role" in done["bad"].error
    assert [done[f"r{n}"].error for n in range(3)] == ["", "", ""]


def test_too_little_memory_makes_smaller_batches_not_errors(tmp_path):
    """64 rows want about 240 MB for keys and values; the child may take 120 MB more than it has."""
    make_llama(tmp_path, hidden=256, layers=4, context=1024)
    message = {"role": "user", "content": "apples " * 900}
    requests = [Request(f"r{n}", (message,), 1.0, seed=n, max_tokens=20) for n in range(64)]
    with backend_for(tmp_path, options={"batch_rows": 8}) as narrow:
        expected = texts(narrow.generate(requests))
    with backend_for(tmp_path) as backend:
        backend.start()
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
    began = time.monotonic()
    few = make_requests(5)
    assert {c.id for c in backend.generate(few)} == {r.id for r in few}
    assert backend.pid == pid and time.monotonic() - began < 5


def test_closing_ends_the_child_and_a_later_call_starts_another(tiny_model):
    backend = backend_for(tiny_model)
    backend.start()
    pid = backend.pid
    backend.close()
    backend.close()
    assert backend.pid is None and gone(pid, within=0.5)
    assert len(list(backend.generate(make_requests(2)))) == 2
    backend.close()


PARENT = """
    import sys, threading, time
    from tests.workers.generation_fixtures import make_requests
    from workers.generation.backends import open_backend
    from workers.generation.types import ModelSpec

    def work():
        backend = open_backend(ModelSpec("transformers", sys.argv[1]))
        for n, completion in enumerate(backend.generate(make_requests(5000, max_tokens=400))):
            if n == 0:
                print(backend.pid, flush=True)

    if sys.argv[2] == "thread":
        thread = threading.Thread(target=work); thread.start(); thread.join()
    else:
        work()
"""


@pytest.mark.parametrize(("where", "how"), [("main", signal.SIGKILL), ("thread", signal.SIGKILL)])
def test_the_child_dies_with_its_parent(tiny_model, where, how):
    command = [sys.executable, "-c", textwrap.dedent(PARENT), str(tiny_model), where]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        child = int(parent.stdout.readline())
        assert not gone(child, within=0.2)
        parent.send_signal(how)
    assert gone(child, within=5)


def test_a_child_started_in_a_thread_outlives_that_thread(tiny_model):
    """The kernel's parent-death signal goes by thread: a worker's pool thread may end."""
    backend = backend_for(tiny_model)
    thread = threading.Thread(target=backend.start)
    thread.start()
    thread.join()
    time.sleep(0.5)
    pid = backend.pid
    assert pid and len(list(backend.generate(make_requests(3)))) == 3 and backend.pid == pid
    backend.close()


def test_it_works_inside_a_daemonic_process_as_celery_has(tiny_model, tmp_path):
    script = tmp_path / "daemonic.py"
    script.write_text(
        textwrap.dedent(
            """
            import multiprocessing, sys
            from tests.workers.generation_fixtures import make_requests
            from workers.generation.backends import open_backend
            from workers.generation.types import ModelSpec

            def work(folder):
                with open_backend(ModelSpec("transformers", folder)) as backend:
                    print(len(list(backend.generate(make_requests(4)))), flush=True)

            if __name__ == "__main__":
                process = multiprocessing.Process(target=work, args=(sys.argv[1],), daemon=True)
                process.start(); process.join()
            """
        )
    )
    ran = subprocess.run(
        [sys.executable, str(script), str(tiny_model)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.stdout.strip() == "4", ran.stderr


def test_the_child_gets_none_of_our_secrets(backend, monkeypatch, tiny_model):
    monkeypatch.setenv("SOME_API_KEY", "sk-hush")
    monkeypatch.setenv("DATABASE_URL", "postgres://u:sk-hush@h/d")
    with backend_for(tiny_model) as other:
        other.start()
        environment = Path(f"/proc/{other.pid}/environ").read_bytes()
        command = Path(f"/proc/{other.pid}/cmdline").read_bytes()
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
        next(backend_for(copy).generate(make_requests(1)))
    assert not (copy / "owned").exists() and not Path("owned").exists()


def test_broken_weights_are_told_and_a_repaired_folder_works(copy):
    whole = (copy / "model.safetensors").read_bytes()
    (copy / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with backend_for(copy) as backend:
        with pytest.raises(BackendError, match="cannot be loaded"):
            next(backend.generate(make_requests(1)))
        assert backend.pid is None
        (copy / "model.safetensors").write_bytes(whole)
        assert len(list(backend.generate(make_requests(1)))) == 1


def test_a_tokenizer_without_a_chat_template_is_told(copy):
    (copy / "chat_template.jinja").unlink()
    with pytest.raises(BackendError, match="no chat template"):
        backend_for(copy).start()


def test_unknown_options_are_refused(tiny_model):
    with pytest.raises(BackendError, match="no option batchrows"):
        backend_for(tiny_model, options={"batchrows": 3})
