"""A training as a process of its own: killed, cancelled, orphaned, and resumed to the same end."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.workers.training.training_tiny import make_model, sums, write_rows
from workers.training.config import TrainingConfig
from workers.training.errors import ConfigError
from workers.training.events import read_events
from workers.training.process import TrainingProcess, launch

ROOT = Path(__file__).resolve().parents[3]
STEPS = 240


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("base") / "model")


def write_config(base, folder: Path, **recipe) -> Path:
    folder.mkdir(exist_ok=True)
    data = write_rows(folder / "train.jsonl", sums(64))
    values = {
        "base_model": str(base),
        "dataset": str(data),
        "output_dir": str(folder / "out"),
        "recipe": {
            "learning_rate": 5e-3,
            "max_steps": STEPS,
            "max_length": 128,
            "logging_steps": 20,
            "checkpoint_seconds": 0.3,
            **recipe,
        },
    }
    path = folder / "config.json"
    path.write_text(json.dumps(values))
    return path


def wait_for(process: TrainingProcess, kind: str, offset: int = 0, seconds: float = 200) -> dict:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        events, offset = process.events(offset)
        for event in events:
            if event["event"] == kind:
                return event
        assert process.alive(), f"ended with {process.poll()}: {process.log_tail()}"
        time.sleep(0.02)
    raise AssertionError(f"no {kind} event within {seconds} s")


def test_killed_then_orphaned_then_resumed_it_ends_as_if_never_stopped(base, tmp_path):
    from workers.training.run import run

    path = write_config(base, tmp_path / "stopped")
    log = tmp_path / "log.txt"

    # 1. kill -9 in the middle: a checkpoint stands
    first = launch(path, log)
    assert wait_for(first, "checkpoint")["step"] < STEPS
    os.killpg(first.pid, signal.SIGKILL)
    assert first.wait(10) == -signal.SIGKILL
    assert "killed (signal 9)" in first.failure()
    assert not psutil.pid_exists(first.pid)  # reaped: no zombie

    # 2. resumed by another worker, which is then killed: the training ends itself, cleanly
    _, offset = first.events()
    code = (
        "import sys, time; from workers.training.process import launch; "
        "print(launch(sys.argv[1], sys.argv[2], resume=True).pid, flush=True); time.sleep(600)"
    )
    worker = subprocess.Popen(
        [sys.executable, "-c", code, str(path), str(log)], stdout=subprocess.PIPE, cwd=ROOT
    )
    orphan = psutil.Process(int(worker.stdout.readline()))
    resumed = wait_for(first_like(first, orphan), "resumed", offset)
    assert resumed["step"] > 0
    worker.kill()
    worker.wait()
    psutil.wait_procs([orphan], timeout=60)
    assert not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE
    events, _ = first.events(offset)
    assert events[-1]["event"] == "cancelled"
    assert "has gone" in events[-1]["reason"]
    assert events[-1]["step"] >= resumed["step"]

    # 3. resumed once more, here, to the end: the same weights as without any stop
    stopped = TrainingConfig.from_dict({**json.loads(path.read_text()), "resume": True})
    end = run(stopped)
    assert end["steps"] == STEPS
    whole = TrainingConfig.load(write_config(base, tmp_path / "whole"))
    assert run(whole)["steps"] == STEPS
    assert difference(stopped, whole) < 1e-5


def first_like(process: TrainingProcess, other: psutil.Process) -> TrainingProcess:
    """A handle on the events of a training that somebody else started."""

    class Watched(TrainingProcess):
        def alive(self) -> bool:
            return other.is_running()

    return Watched(process.process, process.events_path, process.log_path)


def difference(one: TrainingConfig, other: TrainingConfig) -> float:
    """The largest difference between two adapters' weights."""
    from safetensors.torch import load_file

    a, b = (load_file(c.output_dir + "/adapter/adapter_model.safetensors") for c in (one, other))
    assert a.keys() == b.keys()
    return max(float((a[name] - b[name]).abs().max()) for name in a)


def test_cancelled_in_the_middle_it_ends_by_itself_with_a_checkpoint(base, tmp_path):
    process = launch(write_config(base, tmp_path / "job", max_steps=100_000), tmp_path / "log.txt")
    wait_for(process, "progress")
    assert process.terminate(grace=60) == 143  # by itself, before it would have been killed
    events, _ = process.events()
    assert [event["event"] for event in events[-2:]] == ["checkpoint", "cancelled"]
    assert events[-1]["step"] == events[-2]["step"] > 0
    assert Path(events[-1]["checkpoint"]).is_dir()
    assert process.failure() == "It was cancelled."
    assert not process.alive() and process.close() == 143


def test_a_bad_configuration_is_refused_before_anything_starts(base, tmp_path):
    path = write_config(base, tmp_path / "job", rank=-1)
    with pytest.raises(ConfigError, match=r"recipe\.rank is -1"):
        launch(path, tmp_path / "log.txt")
    done = subprocess.run(
        [sys.executable, "-m", "workers.training", str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.strip() == (
        "Configuration: recipe.rank is -1. Use a whole number from 1 to 1024."
    )


def test_events_of_an_absent_training_are_none(tmp_path):
    assert read_events(tmp_path / "events.jsonl") == ([], 0)


@pytest.mark.slow
def test_two_processes_train_as_one_with_the_same_batch(base, tmp_path):
    """torchrun on the CPU, as accelerate does it on GPUs: the same losses, to five digits."""
    from workers.training.run import run

    recipe = {"max_steps": 8, "logging_steps": 2, "checkpoint_seconds": 0}
    two = write_config(base, tmp_path / "two", **recipe)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    subprocess.run(
        [*torchrun, "--nproc_per_node", "2", "-m", "workers.training", str(two)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    one = TrainingConfig.load(write_config(base, tmp_path / "one", **recipe))
    run(one)
    curves = []
    for folder in ("one", "two"):
        events, _ = read_events(tmp_path / folder / "out" / "events.jsonl")
        assert events[0]["processes"] == (1 if folder == "one" else 2)
        curves.append([event["loss"] for event in events if event["event"] == "progress"])
    assert curves[0] == pytest.approx(curves[1], abs=2e-5)
