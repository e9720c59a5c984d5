"""How much of an engine's speed the app leaves: `make bench-generation` (some ten minutes, 2 cores).

Three ways to the same 2,000 rationales of the demo teacher, in turns, in one run of this script:
a run through the whole app (queue, worker, a vLLM that the worker started, rows written; no scoring,
so no cpu worker runs), a bare asyncio client on that very server, and vLLM's own offline LLM.chat with
the same engine settings. The model is so small that everything else shows: the hardest case. Then
an order of 1,000,000 slots is planned. Needs CHAINWRIGHT_VLLM_PYTHON for all but the last.
"""

import argparse
import asyncio
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import httpx
import psutil

HOME = Path(f"/tmp/cw-bench-{os.getpid()}")
REPOSITORY = Path(__file__).resolve().parents[2]
QUESTIONS, TEMPERATURES, SAMPLES = 250, [0.3, 0.7], 4
ROUNDS = 5
IN_FLIGHT = 64  # as the backend's own default
SLOTS = 1_000_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--planning", action="store_true", help="only plan the 1,000,000 slots")
    only_planning = parser.parse_args().planning
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    print(f"Machine: {machine}; {date.today()}\n", flush=True)
    os.environ["CHAINWRIGHT_HOME"] = str(HOME)
    python = os.environ.get("CHAINWRIGHT_VLLM_PYTHON", "")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started ends, too
    try:
        prepare()
        if python and not only_planning:
            throughput(python)
        elif not only_planning:
            print("vLLM is not here (CHAINWRIGHT_VLLM_PYTHON is not set): no throughput measured.")
        planning()
    finally:
        shutil.rmtree(HOME, ignore_errors=True)
    return 0


def prepare() -> None:
    """A database with the demo project in it."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "curation.settings"
    import django

    django.setup()
    from django.core.management import call_command

    from curation.demo import make_demo_project
    from curation.projects.models import User

    call_command("migrate", verbosity=0)
    people = [User.objects.create_user(name, password=None) for name in ("ada", "rudi")]
    make_demo_project(*people)


def throughput(python: str) -> None:
    app, bare, idle, guesses = [], [], [], []
    with services():
        run_through_app(seed=0, questions=8)  # starts the engine
        server = find_server()
        asyncio.run(bare_client(server, orders(1)))  # the prompts are in its cache from now on
        for seed in range(2, 2 + ROUNDS):
            guess = estimated()
            with watching(server) as busy:
                began = time.monotonic()
                app.append(run_through_app(seed, QUESTIONS))
            seconds = time.monotonic() - began
            guesses.append((guess[0] / (app[-1] * seconds), guess[1] / seconds))
            idle.append(idle_share(busy))
            # Looking costs the server a little: both are looked at.
            with watching(server):
                bare.append(asyncio.run(bare_client(server, orders(seed))))
            print(f"round {seed}: app {app[-1]:,.0f}, client {bare[-1]:,.0f} tokens/s", flush=True)
    offline = run_offline(python, seeds=range(2, 2 + ROUNDS))
    print("| way | tokens/s, each round | median |\n| --- | --- | --- |")
    medians = {}
    for name, rates in (("app", app), ("asyncio client", bare), ("LLM.chat", offline)):
        medians[name] = statistics.median(rates)
        shown = ", ".join(f"{rate:,.0f}" for rate in rates)
        print(f"| {name} | {shown} | {medians[name]:,.0f} |")
    beside = statistics.median(one / other for one, other in zip(app, bare, strict=True))
    print(
        f"\n- app / LLM.chat, of the medians: {medians['app'] / medians['LLM.chat']:.2f} (wanted 0.70)"
    )
    print(f"- app / asyncio client, median of the rounds: {beside:.2f} (wanted 0.90)")
    shares = ", ".join(f"{100 * share:.1f}%" for share in idle)
    for place, what in enumerate(("tokens written", "time")):
        told = ", ".join(f"{guess[place]:.2f}" for guess in guesses[1:])
        print(f"- {what}, the estimate before a run / what it took: {told} (wanted 0.8 to 1.2)")
    print(f"- engine idle in the middle of a run: {shares} (wanted under 5%)\n", flush=True)


@contextmanager
def services() -> Iterator[None]:
    """What `make run` starts, without the cpu worker: so nothing is scored meanwhile."""
    from curation.supervisor import programs

    commands = programs("127.0.0.1", 18999)
    del commands["cpu"]
    with (HOME / "services.log").open("w") as log:
        started = [
            subprocess.Popen(
                [part.replace("%%", "%") for part in command],
                cwd=REPOSITORY,
                stdout=log,
                stderr=log,
            )
            for command in commands.values()
        ]
        try:
            yield
        finally:
            for process in reversed(started):
                process.terminate()
            for process in started:
                process.wait(30)


def orders(seed: int) -> list[dict]:
    """The same questions, samples and seeds for each way, as one request for each n samples."""
    from curation.projects.models import Project
    from curation.questions.models import Split
    from curation.rationales.generation.batches import seed_of
    from curation.rationales.models import Slot

    project = Project.objects.get()
    teacher = project.teachers.get(name="vllm")
    made = []
    for question in project.questions.filter(split=Split.TRAIN).order_by("id")[:QUESTIONS]:
        for temperature in TEMPERATURES:
            slot = Slot(question=question, teacher=teacher, temperature=temperature, sample=0)
            made.append(
                {
                    "messages": [{"role": "user", "content": question.text}],
                    "temperature": temperature,
                    "seed": seed_of(seed, slot),
                    "n": SAMPLES,
                    "max_tokens": teacher.max_tokens,
                }
            )
    return made


def run_through_app(seed: int, questions: int) -> float:
    """Tokens a second of one run, from the order to its end."""
    from django.db.models import Sum

    from curation.jobs import Status
    from curation.projects.models import Project
    from curation.questions.models import Split
    from curation.rationales.generation.orders import order_run
    from curation.rationales.models import Rationale

    project = Project.objects.get()
    teacher, _ = project.teachers.get_or_create(
        name="vllm", backend="vllm", model="demo:strong", defaults={"max_tokens": 192}
    )
    first = project.questions.filter(split=Split.TRAIN).order_by("id").values_list("id", flat=True)
    chosen = project.questions.filter(id__in=list(first[:questions]))
    began = time.monotonic()
    run = order_run(
        project,
        None,
        teachers=[teacher],
        temperatures=TEMPERATURES,
        samples=SAMPLES,
        seed=seed,
        questions=chosen,
    )
    while run.status in (Status.WAITING, Status.RUNNING):
        time.sleep(0.1)
        run.refresh_from_db()
    seconds = time.monotonic() - began
    filled = Rationale.objects.filter(slot__run=run)
    assert run.status == Status.DONE and filled.count() == run.slot_count, run.error
    return filled.aggregate(sum=Sum("completion_tokens"))["sum"] / seconds


def estimated() -> tuple[float, float]:
    """Tokens to be written and seconds, as the page of a new order tells them; the engine is warm, so
    that the seconds of its start are left out."""
    from curation.projects.models import Project
    from curation.rationales.generation.estimate import measured

    teacher = Project.objects.get().teachers.get(name="vllm")
    told = measured(teacher)
    slots = QUESTIONS * len(TEMPERATURES) * SAMPLES
    return slots * told.completion_tokens, slots * told.seconds


def find_server() -> tuple[str, str]:
    """Address and key of the engine that the worker started."""
    for process in psutil.process_iter():
        command = process.cmdline() if process.status() != psutil.STATUS_ZOMBIE else []
        if "vllm.entrypoints.openai.api_server" in command and "VLLM_API_KEY" in process.environ():
            port = command[command.index("--port") + 1]
            return f"http://127.0.0.1:{port}", process.environ()["VLLM_API_KEY"]
    raise RuntimeError("The worker runs no vLLM.")


async def bare_client(server: tuple[str, str], made: list[dict]) -> float:
    """Tokens a second of the least that a client must do: send, read, count."""
    address, key = server
    turn, tokens = asyncio.Semaphore(IN_FLIGHT), 0
    limits = httpx.Limits(max_connections=IN_FLIGHT, max_keepalive_connections=IN_FLIGHT)
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(limits=limits, headers=headers, timeout=600) as client:

        async def ask(order: dict) -> int:
            async with turn:
                answer = await client.post(
                    f"{address}/v1/chat/completions", json={"model": "model", **order}
                )
            return answer.raise_for_status().json()["usage"]["completion_tokens"]

        began = time.monotonic()
        tokens = sum(await asyncio.gather(*(ask(order) for order in made)))
        return tokens / (time.monotonic() - began)


@contextmanager
def watching(server: tuple[str, str]) -> Iterator[list[float]]:
    """How many answers the engine works on, looked at several times a second."""
    seen: list[float] = []
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.2):
            with urllib.request.urlopen(f"{server[0]}/metrics", timeout=10) as answer:
                lines = answer.read().decode().splitlines()
            counts = [line for line in lines if line.startswith("vllm:num_requests_running")]
            seen.append(sum(float(line.rsplit(" ", 1)[1]) for line in counts))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def idle_share(seen: list[float]) -> float:
    """Of the looks between the first and the last tenth of a run, those that found nothing running."""
    middle = seen[len(seen) // 10 : len(seen) - len(seen) // 10]
    return sum(count == 0 for count in middle) / max(1, len(middle))


def run_offline(python: str, seeds: range) -> list[float]:
    """Tokens a second of LLM.chat in a process of its own, with the app's engine settings."""
    asked = {
        "model": str(REPOSITORY / "workers" / "demo" / "models" / "strong"),
        "engine": {
            "dtype": "auto",
            "enforce_eager": True,
            "enable_chunked_prefill": False,
            "generation_config": "vllm",
        },
        "warm": orders(1),
        "rounds": [orders(seed) for seed in seeds],
    }
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "DJANGO_SETTINGS_MODULE")}
    env |= {"VLLM_CPU_KVCACHE_SPACE": "2", "VLLM_CPU_OMP_THREADS_BIND": "nobind"}
    done = subprocess.run(
        [python, str(Path(__file__).with_name("vllm_offline.py"))],
        input=json.dumps(asked),
        stdout=subprocess.PIPE,
        stderr=(HOME / "offline.log").open("w"),
        text=True,
        env=env,
    )
    if done.returncode:
        sys.exit((HOME / "offline.log").read_text()[-3000:])
    # vLLM's own last words may stand after the figures.
    figures = next(line for line in done.stdout.splitlines() if line.startswith("[{"))
    rounds = json.loads(figures)
    return [one["tokens"] / one["seconds"] for one in rounds]


PLAN = """
import json, resource, time
import django
django.setup()
from curation.projects.models import Project
from curation.questions.formats import Row
from curation.questions.services import add_questions
from curation.rationales.models import Slot
from curation.rationales.generation.orders import order_run
from django.db import connection
if connection.vendor == "sqlite":  # pages of the file that the kernel shares are not our memory
    connection.cursor().execute("PRAGMA mmap_size=0")
project = Project.objects.get()
began = time.monotonic()
run = order_run(project, None, teachers=[project.teachers.get(name="strong")],
                temperatures=[0.3, 0.5, 0.7, 0.9, 1.0], samples={samples})
seconds = time.monotonic() - began
print(json.dumps({{"slots": run.slot_count, "rows": Slot.objects.filter(run=run).count(),
    "seconds": seconds, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}}))
"""


def planning() -> None:
    """An order of a million slots, in a process of its own (the web's, as far as it matters)."""
    from curation.projects.models import Project
    from curation.questions.models import Split

    count = Project.objects.get().questions.filter(split=Split.TRAIN).count()
    samples = -(-SLOTS // (5 * count))
    done = subprocess.run(
        [sys.executable, "-c", PLAN.format(samples=samples)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    plan = json.loads(done.stdout.strip().splitlines()[-1])
    assert plan["slots"] == plan["rows"] >= SLOTS
    print(
        f"- {plan['slots']:,} slots planned in {plan['seconds']:.1f} s (wanted under 60 s); the "
        f"process took {plan['peak'] / 1e6:.0f} MB at most (wanted under 300 MB)"
    )


if __name__ == "__main__":
    sys.exit(main())
