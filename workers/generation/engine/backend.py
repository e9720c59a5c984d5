"""A model folder on this machine, held by a child process that stays warm between batches.

A crash, an out-of-memory kill or a hang ends the child, never the caller: the rows that were
being computed are tried again on a fresh child in smaller groups, then alone, so that one
poisonous request fails by itself, with its reason, and all others are answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from workers.generation.crash_isolation import Tries
from workers.generation.engine.model_files import check_adapter_folder, check_model_folder
from workers.generation.engine.model_process import Child, ChildGone
from workers.generation.types import BackendError, Completion, ModelSpec, More, Request

OPTIONS = {
    "device": "auto, cpu, cuda, cuda:1, mps",
    "engine": "auto, lanes or generate (see decoding.py)",
    "batch_rows": "rows computed at once",
    "batch_tokens": "tokens whose keys and values are held at once, over all rows",
    "prefill_tokens": "prompt tokens read at once",
    "chat_template_kwargs": "what the chat template is given besides the messages",
    "start_seconds": "how long loading may take",
    "silence_seconds": "how long the child may give no sign of life",
    "restarts": "how often a child that died is replaced in one generate call",
    "log_path": "where the child's stderr goes; a nameless temporary file otherwise",
}
CHUNKS = (1024, 16, 1)  # requests sent to the child at once: first, second and third try


class TransformersBackend:
    """``Backend`` over a model folder; see ModelSpec. Also a context manager."""

    def __init__(self, spec: ModelSpec) -> None:
        unknown = sorted(set(spec.options) - set(OPTIONS))
        if unknown:
            raise BackendError(
                f"The transformers backend has no option {', '.join(unknown)}; "
                f"it has {', '.join(OPTIONS)}."
            )
        adapter = str(check_adapter_folder(spec.adapter)) if spec.adapter else ""
        self.spec = replace(spec, model=str(check_model_folder(spec.model)), adapter=adapter)
        self.info: dict[str, Any] = {}
        self._child: Child | None = None
        self._call = 0
        self._busy = False

    def __enter__(self) -> TransformersBackend:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The child's process number while it runs."""
        return self._child.process.pid if self._child and self._child.alive() else None

    def log_tail(self) -> str:
        """The last lines of the child's log while it runs."""
        return self._child.tail() if self._child else ""

    def start(self) -> None:
        """Start the child and wait until the model is loaded; ``generate`` does so by itself.

        Raises BackendError with the reason where the model cannot be loaded.
        """
        if self._child and self._child.alive():
            return
        self.close()
        self._child = Child(self.spec, self.spec.options.get("log_path", ""))
        seconds = float(self.spec.options.get("start_seconds", 600))
        try:
            while (event := self._child.receive(seconds))["event"] != "ready":
                if event["event"] == "failed":
                    raise BackendError(event["message"])
        except ChildGone as error:
            self.close()
            raise BackendError(f"The model could not be loaded. {error}") from error
        except BackendError:
            self.close()
            raise
        self.info = {k: v for k, v in event.items() if k != "event"}

    def close(self) -> None:
        """End the child. Safe to call twice; a later ``generate`` starts a fresh one."""
        child, self._child = self._child, None
        if child:
            child.end()

    def cancel(self) -> None:
        """End a running ``generate``, from another thread: its child, as it may be in a long step."""
        self.close()

    def generate(
        self, requests: Sequence[Request], more: More | None = None
    ) -> Iterator[Completion]:
        """Completions as their rows finish, one for every request.

        Raises BackendError where the model cannot be loaded at all, before any completion.
        Closing the iterator cancels the rest; the child stays warm.
        """
        if self._busy:
            raise BackendError("This backend is still generating; finish or close that first.")
        self._busy = True
        try:
            while requests:
                yield from self._generate(list(requests))
                requests = more() if more else ()
        finally:
            self._busy = False

    def _generate(self, requests: list[Request]) -> Iterator[Completion]:
        tries = Tries(CHUNKS, int(self.spec.options.get("restarts", 5)))
        tries.add(range(len(requests)))
        self.start()
        while numbers := tries.next():
            work = _Chunk(requests, numbers)
            try:
                self.start()
                yield from self._run(work)
            except (ChildGone, BackendError) as error:
                self.close()
                failed = tries.died(list(work.open), work.suspects())
                reason = str(error)
                if isinstance(error, BackendError):  # it does not even load any more
                    failed = [*work.open, *tries.rest()]
                elif tries.restarts < 0:
                    reason += " It was restarted as often as allowed; the rest was given up."
                yield from (Completion.failed(requests[n].id, reason) for n in set(failed))

    def _run(self, work: _Chunk) -> Iterator[Completion]:
        self._call += 1
        call, child = self._call, self._child
        assert child is not None, "start() comes first"
        silence = float(self.spec.options.get("silence_seconds", 600))
        child.send({"op": "generate", "call": call, "requests": work.orders()})
        ended = False
        try:
            while not ended:
                event = child.receive(silence)
                if event.get("call") != call:  # a sign of life, or the rest of a cancelled call
                    continue
                if event["event"] == "start":
                    work.started.update(event["indexes"])
                elif event["event"] == "done":
                    del work.open[event["index"]]
                    yield Completion.from_dict(event["completion"])
                ended = event["event"] == "end"
        finally:
            if not ended and child.alive():
                child.send({"op": "cancel", "call": call})


class _Chunk:
    """What one order to the child holds, and what is still open of it."""

    def __init__(self, requests: list[Request], indexes: list[int]) -> None:
        self.requests = requests
        self.open = dict.fromkeys(indexes)
        self.started: set[int] = set()

    def orders(self) -> list[dict[str, Any]]:
        return [{**self.requests[n].to_dict(), "index": n} for n in self.open]

    def suspects(self) -> list[int]:
        """Rows that were being computed when the child died; all, if it had not said yet."""
        return [n for n in self.open if n in self.started] or list(self.open)
