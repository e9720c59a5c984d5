"""A vLLM server of our own: started, watched and ended by the worker.

The server is a process group of its own under a small launcher (``launch.py``) that ends it
when the worker goes away, however that happens. It listens on a free port of this machine's loopback
address and answers only who holds the random key that it was started with. Ending the process is the
one sure way to get its memory back (vLLM issues 1908, 3281, 23793).

Needs no vLLM in this process's environment: ``CHAINWRIGHT_VLLM_PYTHON`` names the interpreter that
has it; without that, our own if vLLM is installed there.
"""

from __future__ import annotations

import http.client
import importlib.util
import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from pathlib import Path
from typing import IO, Any

from workers.child_environment import HUB_TOKEN, without_secrets
from workers.generation.engine.model_files import check_model_folder
from workers.generation.types import BackendError, ModelSpec, storable
from workers.model_paths import HUB_NAME

OPTIONS: dict[str, tuple[Any, str]] = {
    "tensor_parallel": (1, "GPUs that share each layer"),
    "pipeline_parallel": (1, "groups of GPUs that hold one part of the layers each"),
    "gpu_memory": (0.9, "share of the GPU's memory that vLLM may take, above 0 and at most 1"),
    "max_model_len": (0, "tokens of prompt and answer together; 0 is the model's own"),
    "max_num_seqs": (0, "answers computed at once; 0 is vLLM's own"),
    "start_seconds": (900.0, "how long loading may take"),
    "log_path": ("", "where the server's output goes; a nameless temporary file otherwise"),
}
SERVED_NAME = "model"
LAUNCHER = Path(__file__).with_name("launch.py")
TAIL_BYTES = 8000
STOP_SECONDS = 15.0
# Belongs to our own interpreter, and would confuse the other one.
NOT_ITS_OWN = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "DJANGO_SETTINGS_MODULE"}


class VLLMEngine:
    """One server process. ``start`` and ``stop`` may be called from different threads.

    Raises BackendError from the constructor where the spec cannot work or vLLM is not here.
    """

    def __init__(self, spec: ModelSpec) -> None:
        self.options = {name: spec.options.get(name, value) for name, (value, _) in OPTIONS.items()}
        check_options(self.options)
        if spec.adapter:
            raise BackendError(
                "The vllm backend takes no adapter: merge it into its base model, or use the "
                "transformers backend."
            )
        self.python = vllm_python()
        self.model, self.dtype = model_of(spec.model), spec.dtype
        self.key = secrets.token_urlsafe(24)
        self.port = 0
        self.starts = 0
        self.owner = os.getpid()
        self.log: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """The base URL of the running server."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def pid(self) -> int | None:
        """The launcher's process number while it runs."""
        return self._process.pid if self._process and self.alive() else None

    def alive(self) -> bool:
        """Whether the process runs and is ours (not that of a process we were forked from)."""
        process = self._process
        return process is not None and self.owner == os.getpid() and process.poll() is None

    def start(self) -> None:
        """Start the server unless it runs, and wait until it answers.

        Raises BackendError with the log's last words where it does not come up, or where ``stop``
        was called meanwhile.
        """
        if self.alive():
            return
        self.stop()
        with self._lock:
            self.port, self.starts = free_port(), self.starts + 1
            process = self._process = self._launch()
        until = time.monotonic() + float(self.options["start_seconds"])
        while not self.healthy():
            if process is not self._process:
                raise BackendError("vLLM was stopped while it started.")
            if process.poll() is not None:
                reason = self.obituary()
                self.stop()
                raise BackendError(f"vLLM did not start. {reason}")
            if time.monotonic() > until:
                self.stop()
                raise BackendError(
                    f"vLLM was not ready after {float(self.options['start_seconds']):g} seconds."
                )
            time.sleep(0.25)

    def stop(self) -> None:
        """End the server and wait until it is gone. Safe to call at any time, and twice."""
        with self._lock:
            process, self._process = self._process, None
            if process is None or self.owner != os.getpid():
                return
            _end(process)

    def healthy(self) -> bool:
        """Whether the server says that it can work."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def obituary(self) -> str:
        """Why the process ended, in one sentence."""
        process = self._process
        code = process.poll() if process else None
        if code is None:
            return "The vLLM process was stopped."
        if code in (128 + 9, -9):
            return "The vLLM process was killed (signal 9), most often because memory ran out."
        said = last_error(self.log_tail())
        return f"The vLLM process ended with status {code}{': ' + said if said else '.'}"

    def log_tail(self, size: int = TAIL_BYTES) -> str:
        """The end of what the server wrote, as text that can be stored; the key is not in it."""
        if self.log is None:
            return ""
        end = os.fstat(self.log.fileno()).st_size
        text = os.pread(self.log.fileno(), size, max(0, end - size)).decode("utf-8", "replace")
        return storable(text.replace(self.key, "[key]"))

    def command(self) -> list[str]:
        """The server's command line: an argument list, no shell, and nothing secret in it."""
        options = self.options
        command = [self.python, "-m", "vllm.entrypoints.openai.api_server"]
        command += ["--model", self.model, "--served-model-name", SERVED_NAME]
        command += ["--host", "127.0.0.1", "--port", str(self.port), "--dtype", self.dtype]
        command += ["--tensor-parallel-size", str(int(options["tensor_parallel"]))]
        command += ["--pipeline-parallel-size", str(int(options["pipeline_parallel"]))]
        command += ["--gpu-memory-utilization", str(float(options["gpu_memory"]))]
        for option, argument in (
            ("max_model_len", "--max-model-len"),
            ("max_num_seqs", "--max-num-seqs"),
        ):
            if int(options[option]):
                command += [argument, str(int(options[option]))]
        # Sampling is what the request says, not what the model's own defaults add to it.
        command += ["--generation-config", "vllm", "--load-format", "safetensors"]
        command += ["--disable-uvicorn-access-log"]
        if not has_accelerator():
            # Compiling needs a compiler and pays only on an accelerator. And vLLM 0.32 on the CPU
            # dies ("CPU Generator does not use offset") when the prompt of a request with a seed is
            # read in two parts (gpu_model_runner.py, discard_request_mask).
            command += ["--enforce-eager", "--no-enable-chunked-prefill"]
        return command

    def _launch(self) -> subprocess.Popen[bytes]:
        if self.log is None:  # one log over all starts: the last words of a dead server stay
            path = self.options["log_path"]
            self.log = Path(path).open("ab+") if path else tempfile.TemporaryFile()  # noqa: SIM115
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(LAUNCHER), *self.command()],
            stdin=subprocess.PIPE,
            stdout=self.log,
            stderr=self.log,
            bufsize=0,
            env=environment(self.key, from_hub=not Path(self.model).is_dir()),
            process_group=0,
        )
        weakref.finalize(self, _end_if_owner, process, os.getpid())
        return process


def vllm_python() -> str:
    """The interpreter that has vLLM. Raises BackendError where there is none."""
    named = os.environ.get("CHAINWRIGHT_VLLM_PYTHON", "")
    if named:
        if not os.access(named, os.X_OK):
            raise BackendError(f"CHAINWRIGHT_VLLM_PYTHON names {named}, which cannot be run.")
        return named
    if importlib.util.find_spec("vllm") is None:
        raise BackendError(
            "vLLM is not installed on this worker: install workers/requirements-gpu.txt, or set "
            "CHAINWRIGHT_VLLM_PYTHON to an interpreter that has it."
        )
    return sys.executable


def model_of(name: str) -> str:
    """A model folder that holds no pickle and no code, or a hub's name (ORG/NAME), unchanged."""
    if Path(name).is_dir() or not HUB_NAME.fullmatch(name):
        return str(check_model_folder(name))
    return name


def check_options(options: dict[str, Any]) -> None:
    """Raises BackendError for values that vLLM could not use."""
    for name in ("tensor_parallel", "pipeline_parallel"):
        if int(options[name]) < 1:
            raise BackendError(f"Option {name} must be at least 1.")
    for name in ("max_model_len", "max_num_seqs"):
        if int(options[name]) < 0:
            raise BackendError(f"Option {name} must be 0 (vLLM's own) or more.")
    if not 0 < float(options["gpu_memory"]) <= 1:
        raise BackendError("Option gpu_memory must be above 0 and at most 1.")


def has_accelerator() -> bool:
    """Whether this machine shows a GPU of NVIDIA's or AMD's driver."""
    return Path("/dev/nvidiactl").exists() or Path("/dev/kfd").exists()


def environment(key: str, *, from_hub: bool = False) -> dict[str, str]:
    """The server's environment: none of our secrets but its own key, and for a model that it fetches
    from the hub the hub's token."""
    kept = without_secrets(keep=(HUB_TOKEN,) if from_hub else ())
    kept = {name: value for name, value in kept.items() if name not in NOT_ITS_OWN}
    kept.setdefault("VLLM_CPU_OMP_THREADS_BIND", "nobind")
    kept.setdefault("VLLM_CPU_KVCACHE_SPACE", "2")
    quiet = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    return {**kept, **quiet, "VLLM_API_KEY": key, "PYTHONUNBUFFERED": "1"}


def free_port() -> int:
    """A port of the loopback address that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def last_error(log: str) -> str:
    """The line of a log that says most about a failure; "" where none does."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    named = ((line, re.search(r"(Error|Exception)\b", line)) for line in lines)
    errors = [line for line, found in named if found and ":" in line[found.end() :]]
    # vLLM ends with "see the root cause above"; the cause stands first.
    return (errors[:1] or lines[-1:] or [""])[0][-300:]


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let go of the launcher's stdin, which ends the server, then make sure."""
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()  # the server dies with its launcher
        process.wait()


def _end_if_owner(process: subprocess.Popen[bytes], owner: int) -> None:
    if owner == os.getpid() and process.returncode is None:
        _end(process)
