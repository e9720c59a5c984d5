"""The child process that holds a model: ``python -m workers.generation.engine.server``.

It reads JSON lines from stdin and writes JSON lines to its own copy of stdout; whatever a
library prints goes to stderr, which the parent sends to a log file.

in   {"op": "load", "spec": {...}, "parent": PID, "tied": bool}        the first line
     {"op": "generate", "call": N, "requests": [...]}  each with its "index"
     {"op": "cancel", "call": N}
out  {"event": "loading" | "ready" | "failed" | "alive" | ...}
     {"event": "start", "call": N, "indexes": [...]}  these rows are being computed now
     {"event": "done", "call": N, "index": N, "completion": {...}}
     {"event": "end", "call": N}

It ends when stdin ends, and when its parent is gone.
"""

from __future__ import annotations

import ctypes
import json
import os
import queue
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any, TextIO

from workers.generation.types import BackendError, Completion, ModelSpec, Request, storable

ALIVE_SECONDS = 1.0
PR_SET_PDEATHSIG = 1


class Channel:
    """The two pipes to the parent. A thread reads, so that a cancel or the end is seen at once."""

    def __init__(self, source: TextIO, sink: TextIO) -> None:
        self.source, self.sink = source, sink
        self.orders: queue.Queue[dict[str, Any]] = queue.Queue()
        self.cancelled: set[int] = set()
        self.last_word = time.monotonic()

    def listen(self) -> None:
        """Read orders until stdin ends; then the process ends, whatever it is doing."""
        for line in self.source:
            order = json.loads(line)
            if order["op"] == "cancel":
                self.cancelled.add(order["call"])
            else:
                self.orders.put(order)
        os._exit(0)

    def say(self, event: str, **fields: Any) -> None:
        """Write one line. A parent that no longer reads ends this process."""
        try:
            self.sink.write(json.dumps({"event": event, **fields}) + "\n")
            self.sink.flush()
        except BrokenPipeError:
            os._exit(0)
        self.last_word = time.monotonic()

    def breathe(self) -> None:
        """Say that work goes on, at most once a second."""
        if time.monotonic() - self.last_word >= ALIVE_SECONDS:
            self.say("alive")


def die_with(parent: int, tied: bool) -> None:
    """End when the parent ends, in three ways: stdin, the kernel's signal, and a look each second.

    The kernel sends the signal when the *thread* ends that started this process, so it is asked
    for only where that is the parent's main thread (``tied``).
    """
    if tied and sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(0)

    threading.Thread(target=look, name="parent-watch", daemon=True).start()


def prefer_me_when_memory_ends() -> None:
    """Ask the kernel's out-of-memory killer to take this process before the worker."""
    score = Path("/proc/self/oom_score_adj")
    if score.exists():
        try:
            score.write_text("500")
        except OSError as error:  # a locked-down container; only a preference is lost
            print(f"oom_score_adj not set: {error}", file=sys.stderr)


class Server:
    """Answers the orders of one parent with one model."""

    def __init__(self, channel: Channel, spec: ModelSpec) -> None:
        # transformers imports scikit-learn, and with it scipy and pandas, where it finds it, for
        # assisted decoding alone: seconds of every start, for nothing that is used here.
        sys.modules.setdefault("sklearn", None)  # type: ignore[arg-type]  # None: it cannot be imported
        # Imported here: the reading thread must watch stdin while torch is being imported.
        import torch

        torch.set_num_threads(spec.threads)
        torch.set_num_interop_threads(1)
        from workers.generation import jobs
        from workers.generation.engine import decoding, loading

        self.torch, self.jobs, self.loading = torch, jobs, loading
        self.channel, self.options = channel, spec.options
        self.loaded = loading.load(spec)
        self.engine = decoding.make_engine(
            self.loaded.model, self.loaded.eos, spec.options.get("engine", "auto")
        )

    def serve(self) -> None:
        """Take order after order; ends with stdin."""
        while True:
            order = self.channel.orders.get()
            call = order["call"]
            try:
                self.answer(call, order["requests"])
            except self.jobs.Cancelled:
                self.channel.cancelled.discard(call)
            self.channel.say("end", call=call)

    def answer(self, call: int, rows: list[dict[str, Any]]) -> None:
        """Complete every row of one order."""
        requests = {row.pop("index"): Request.from_dict(row) for row in rows}
        work = self._jobs(call, requests)
        limits = self.loading.limits_for(self.loaded, self.options)
        hooks = self.jobs.Hooks(
            start=lambda jobs: self.channel.say(
                "start", call=call, indexes=[job.index for job in jobs]
            ),
            done=lambda job, reason, message: self._done(
                call, requests[job.index], job, reason, message
            ),
            step=lambda: self._step(call),
        )
        with self.torch.inference_mode():
            self.engine.run(work, limits, hooks)

    def _jobs(self, call: int, requests: dict[int, Request]) -> list[Any]:
        """Requests as jobs; those that cannot fit the model are answered with the reason."""
        prompts = self._prompts(call, requests)
        context, jobs = self.loaded.context, []
        for index, prompt in prompts.items():
            request = requests[index]
            if len(prompt) >= context:
                reason = (
                    f"The prompt has {len(prompt)} tokens, the model takes {context} with the "
                    "answer. Shorten the question or choose a model with a longer context."
                )
                self._fail(call, index, request, reason, len(prompt))
                continue
            jobs.append(
                self.jobs.Job(
                    index=index,
                    prompt=prompt,
                    max_new=min(request.max_tokens, context - len(prompt)),
                    temperature=request.temperature,
                    top_p=request.top_p,
                    seed=request.seed,
                )
            )
        return jobs

    def _prompts(self, call: int, requests: dict[int, Request]) -> dict[int, tuple[int, ...]]:
        indexes = list(requests)
        texts = [list(requests[index].messages) for index in indexes]
        try:
            begins = [requests[index].begin for index in indexes]
            return dict(zip(indexes, self.loaded.prompts(texts, begins), strict=True))
        except (
            Exception
        ):  # the chat template is the model's own: find out whose messages it refuses
            traceback.print_exc()
        prompts = {}
        for index, conversation in zip(indexes, texts, strict=True):
            try:
                prompts[index] = self.loaded.prompts([conversation], [requests[index].begin])[0]
            except Exception as error:
                reason = f"The model's chat template does not take these messages: {error}"
                self._fail(call, index, requests[index], reason, 0)
        return prompts

    def _step(self, call: int) -> None:
        if call in self.channel.cancelled:
            raise self.jobs.Cancelled
        self.channel.breathe()

    def _done(self, call: int, request: Request, job: Any, reason: str, message: str) -> None:
        if reason == "error":
            self._fail(call, job.index, request, message, len(job.prompt))
            return
        completion = Completion(
            id=request.id,
            text=storable(request.begin + self.loaded.text(job.tokens)),
            finish_reason=reason,
            prompt_tokens=len(job.prompt),
            completion_tokens=len(job.tokens),
            seconds=round(time.monotonic() - job.started, 6),
        )
        self.channel.say("done", call=call, index=job.index, completion=completion.to_dict())

    def _fail(self, call: int, index: int, request: Request, reason: str, prompt: int) -> None:
        completion = Completion.failed(request.id, reason, prompt_tokens=prompt)
        self.channel.say("done", call=call, index=index, completion=completion.to_dict())


def main() -> int:
    """Load what the first line names, then serve until stdin ends."""
    # The parent's pipe under a number of its own; prints of libraries go to the log.
    sink = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    first = json.loads(sys.stdin.readline() or "null")
    if first is None:
        return 0
    die_with(first["parent"], first["tied"])
    prefer_me_when_memory_ends()
    channel = Channel(sys.stdin, sink)
    threading.Thread(target=channel.listen, name="orders", daemon=True).start()
    channel.say("loading")
    began = time.monotonic()
    try:
        server = Server(channel, ModelSpec.from_dict(first["spec"]))
    except (BackendError, ValueError, ImportError) as error:
        traceback.print_exc()
        channel.say("failed", message=str(error))
        return 1
    channel.say(
        "ready",
        seconds=round(time.monotonic() - began, 3),
        device=str(server.loaded.model.device),
        engine=type(server.engine).__name__,
        parameters=sum(p.numel() for p in server.loaded.model.parameters()),
    )
    server.serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
