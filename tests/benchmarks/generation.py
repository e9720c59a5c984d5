"""How much of an engine's speed the app leaves: `make bench-generation` (some ten minutes, 2 cores).

Four ways to the same 2,000 rationales of the demo teacher, in one run of this script: a run through the
whole app (queue, worker, a vLLM that the worker started, rows written, and the cpu worker beside it that
scores what is written, as in real use), the same without the cpu worker, a bare asyncio client on that very
server, and vLLM's own offline LLM.chat with the same engine settings. The first three take turns, in a round
in this order, in the next in the opposite one. The model is so small that everything else shows: the
hardest case. Then an order of 1,000,000 slots is planned. Needs CHAINWRIGHT_VLLM_PYTHON for all but the last.
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

from tests.benchmarks.generation_stack import REPOSITORY, services, wait_until_scored

HOME = Path(f"/tmp/cw-bench-{os.getpid()}")
QUESTIONS, TEMPERATURES, SAMPLES = 250, [0.3, 0.7], 4
ROUNDS = 6
IN_FLIGHT = 64  # as the backend's own default
SLOTS = 1_000_000
SCORED, ALONE, CLIENT = "app with scoring", "app without scoring", "asyncio client"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--planning", action="store_true", help="only plan the 1,000,000 slots")
    parser.add_argument("--no-planning", action="store_true", help="leave that out")
    parser.add_argument("--questions", type=int, default=QUESTIONS)
    parser.add_argument(
        "--rounds", type=int, default=ROUNDS, help="even: both orders equally often"
    )
    options = parser.parse_args()
    only_planning = options.planning
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    print(f"Machine: {machine}; {date.today()}\n", flush=True)
    os.environ["CHAINWRIGHT_HOME"] = str(HOME)
    python = os.environ.get("CHAINWRIGHT_VLLM_PYTHON", "")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started ends, too
    try:
        prepare()
        if python and not only_planning:
            throughput(python, options.questions, options.rounds)
        elif not only_planning:
            print("vLLM is not here (CHAINWRIGHT_VLLM_PYTHON is not set): no throughput measured.")
        if not options.no_planning:
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


def throughput(python: str, questions: int, rounds: int) -> None:
    rates: dict[str, list[float]] = {SCORED: [], ALONE: [], CLIENT: []}
    idle, guesses, lags = [], [], []
    with services(HOME) as running:
        run_through_app(seed=0, questions=8)  # starts the engine
        server = find_server()
        asyncio.run(
            bare_client(server, orders(1, questions))
        )  # its cache has the prompts from now on
        for number in range(rounds):
            seed = 2 + number
            for way in list(rates) if number % 2 == 0 else list(rates)[::-1]:
                if way == SCORED:
                    running.start("cpu")
                elif way == ALONE:
                    running.stop("cpu")
                if running.has("cpu"):
                    wait_until_scored(HOME)  # what an earlier way has left, before the clock
                guess = estimated(questions)
                # Looking costs the server a little: all three are looked at.
                with watching(server) as busy:
                    began = time.monotonic()
                    if way == CLIENT:
                        rate = asyncio.run(bare_client(server, orders(seed, questions)))
                    else:
                        rate = run_through_app(seed, questions)
                    seconds = time.monotonic() - began
                rates[way].append(rate)
                if way == SCORED:
                    guesses.append((guess[0] / (rate * seconds), guess[1] / seconds))
                    idle.append(idle_share(busy))
                    lags.append(wait_until_scored(HOME))
            shown = ", ".join(f"{way} {found[-1]:,.0f}" for way, found in rates.items())
            print(f"round {number + 1}, tokens/s: {shown}", flush=True)
    seeds = range(2, 2 + rounds)
    rates["LLM.chat"] = run_offline(
        python, orders(1, questions), [orders(n, questions) for n in seeds]
    )
    report(rates, idle, guesses, lags)


def report(
    rates: dict[str, list[float]],
    idle: list[float],
    guesses: list[tuple[float, float]],
    lags: list[float],
) -> None:
    print("| way | tokens/s, each round | median |\n| --- | --- | --- |")
    medians = {}
    for name, found in rates.items():
        medians[name] = statistics.median(found)
        shown = ", ".join(f"{rate:,.0f}" for rate in found)
        print(f"| {name} | {shown} | {medians[name]:,.0f} |")
    print()
    for way in (SCORED, ALONE):
        beside = [one / other for one, other in zip(rates[way], rates[CLIENT], strict=True)]
        print(
            f"- {way} / LLM.chat, of the medians: {medians[way] / medians['LLM.chat']:.2f} (wanted "
            f"0.70)\n- {way} / {CLIENT}, median of the rounds: {statistics.median(beside):.2f} "
            f"({min(beside):.2f} to {max(beside):.2f}; wanted 0.90)"
        )
    shown = ", ".join(f"{seconds:.1f}" for seconds in lags)
    print(f"- seconds from the end of a run until all of it was scored: {shown}")
    for place, what in enumerate(("tokens written", "time")):
        shown = ", ".join(f"{guess[place]:.2f}" for guess in guesses[1:])
        print(f"- {what}, the estimate before a run / what it took: {shown} (wanted 0.8 to 1.2)")
    shares = ", ".join(f"{100 * share:.1f}%" for share in idle)
    print(f"- engine idle in the middle of a run: {shares} (wanted under 5%)\n", flush=True)


def orders(seed: int, questions: int) -> list[dict]:
    """The same questions, samples and seeds for each way, as one request for each n samples."""
    from curation.projects.models import Project
    from curation.questions.models import Split
    from curation.rationales.generation.batches import seed_of
    from curation.rationales.models import Slot

    project = Project.objects.get()
    teacher = project.teachers.get(name="vllm")
    made = []
    for question in project.questions.filter(split=Split.TRAIN).order_by("id")[:questions]:
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


def estimated(questions: int) -> tuple[float, float]:
    """Tokens to be written and seconds, as the page of a new order tells them; the engine is warm, so
    that the seconds of its start are left out."""
    from curation.projects.models import Project
    from curation.rationales.generation.estimate import measured

    teacher = Project.objects.get().teachers.get(name="vllm")
    told = measured(teacher)
    slots = questions * len(TEMPERATURES) * SAMPLES
    return slots * told.completion_tokens, slots * told.seconds


def find_server() -> tuple[str, str]:
    """Address and key of the engine that the worker started."""
    for process in psutil.Process().children(recursive=True):
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


def run_offline(python: str, warm: list[dict], rounds: list[list[dict]]) -> list[float]:
    """Tokens a second of LLM.chat in a process of its own, with the app's engine settings."""
    asked = {
        "model": str(REPOSITORY / "workers" / "demo" / "models" / "strong"),
        "engine": {
            "dtype": "auto",
            "enforce_eager": True,
            "enable_chunked_prefill": False,
            "generation_config": "vllm",
        },
        "warm": warm,
        "rounds": rounds,
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
    return [one["tokens"] / one["seconds"] for one in json.loads(figures)]


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
