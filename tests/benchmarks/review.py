"""Many reviewers at once: `make bench-review` (docs/benchmarks.md holds its figures).

Builds a project with 100,000 questions and 4 scored rationales each, starts everything as `make run` does,
signs 50 reviewers in through the page and lets them decide for two minutes with a second of thought
between; then prints how long "next" took and counts the rows. `--saturate` lets them work without a
pause, `--peer label-studio` (or `doccano`) in turns with that product, which is installed once by
`python -m tests.benchmarks.peers install label-studio`. `--database URL` takes an empty PostgreSQL
database, otherwise it is SQLite; `--home FOLDER` keeps what was built for the next run.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from datetime import date
from typing import Any

from tests.benchmarks.peers import catalog
from tests.benchmarks.peers.catalog import PEERS
from tests.benchmarks.peers.meters import cpu_seconds


def options_of(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--questions", type=int, default=100_000)
    parser.add_argument("--reviewers", type=int, default=50)
    parser.add_argument(
        "--seconds", type=float, default=120, help="of the run with thought; 0: without it"
    )
    parser.add_argument("--think", type=float, default=1.0, help="seconds of thought a question")
    parser.add_argument("--overlap", type=int, default=1)
    parser.add_argument("--database", default="", help="postgres://…; empty: SQLite")
    parser.add_argument("--home", default="", help="a folder to build in and to keep")
    parser.add_argument("--saturate", action="store_true", help="turns without a pause as well")
    parser.add_argument(
        "--peer",
        action="append",
        default=[],
        choices=sorted(PEERS),
        help="turns without a pause, with this product, installed below BENCH_HOME. Can be given for each",
    )
    parser.add_argument("--peer-tasks", type=int, default=10_000, help="questions in the peer")
    parser.add_argument(
        "--crowd", type=int, nargs="+", default=[10, 50], help="people in the turns with a peer"
    )
    parser.add_argument(
        "--turns",
        type=int,
        default=4,
        help="of each side; even, so that both go first equally often",
    )
    parser.add_argument("--turn-seconds", type=float, default=20)
    parser.add_argument(
        "--warm-seconds",
        type=float,
        default=5,
        help="of the same work before each turn, not counted",
    )
    options = parser.parse_args(arguments)
    if options.peer and max(options.crowd) > options.reviewers:
        parser.error(f"--crowd {max(options.crowd)} needs as many --reviewers")
    return options


def main() -> int:
    options = options_of()
    with tempfile.TemporaryDirectory(prefix="chainwright-bench-") as temporary:
        os.environ["CHAINWRIGHT_HOME"] = options.home or temporary
        os.environ["DJANGO_SETTINGS_MODULE"] = "curation.settings"
        os.environ.pop("DATABASE_URL", None)
        if options.database:
            os.environ["DATABASE_URL"] = options.database
        import django

        django.setup()
        return run(options)


def run(options: argparse.Namespace) -> int:
    from django.core.management import call_command

    from tests.benchmarks import review_stack, review_turns
    from tests.benchmarks.review_rows import build, data_file

    catalog.check(options.peer)
    if options.peer and data_file() is None:
        raise SystemExit("--peer needs GSM8K's model solutions: set CHAINWRIGHT_DEV_DATA.")
    call_command("migrate", verbosity=0)
    began = time.monotonic()
    kind = build(options.questions, options.reviewers, options.overlap)
    print(f"{review_stack.machine()}; {date.today()}")
    print(f"{options.questions:,} questions: {kind}; ready in {time.monotonic() - began:.0f} s\n")
    with review_stack.running() as (url, roots):
        good = not options.seconds or asyncio.run(measure(options, url, roots))
        if options.saturate:
            options.think, options.seconds = 0.0, options.turn_seconds
            for _ in range(options.turns):
                good &= asyncio.run(measure(options, url, roots))
        for peer in options.peer:
            good &= review_turns.compare(peer, options, url, roots)
    return 0 if good else 1


async def measure(options: argparse.Namespace, url: str, roots: list[int]) -> bool:
    """One run; prints its figures. False when something was wrong with the rows."""
    from tests.benchmarks.review_browser import Meter, Reviewer
    from tests.benchmarks.review_rows import PASSWORD, SLUG, Watch, reviewer

    meter = Meter()
    people = [
        Reviewer(url, reviewer(n), PASSWORD, SLUG, meter, options.overlap)
        for n in range(options.reviewers)
    ]
    watch = await asyncio.to_thread(Watch, options.overlap)
    gate = asyncio.Semaphore(4)  # a hash of a password takes a tenth of a second by design

    async def come_in(person: Reviewer) -> None:
        async with gate:
            await person.sign_in()
            await person.open()

    await asyncio.gather(*(come_in(person) for person in people))
    with watch:
        began, before, own = time.perf_counter(), cpu_seconds(roots), time.process_time()
        until = began + options.seconds
        await asyncio.gather(*(person.work(until, options.think) for person in people))
        wall, used = time.perf_counter() - began, cpu_seconds(roots) - before
        own = time.process_time() - own
    await asyncio.gather(*(person.close() for person in people))
    rows = await asyncio.to_thread(watch.counted)
    return report(options, meter, watch, rows, {"wall": wall, "server": used, "client": own})


def report(
    options: argparse.Namespace,
    meter: Any,
    watch: Any,
    rows: dict[str, int],
    spent: dict[str, float],
) -> bool:
    print(
        f"{options.reviewers} reviewers, {options.think:g} s of thought, {spent['wall']:.0f} s, overlap "
        f"{options.overlap}\n"
    )
    print("| request | times | p50 | p95 | p99 | longest |\n| --- | --- | --- | --- | --- | --- |")
    for name in ("sign in", "bench page", "static file", "ahead", "next", "renew"):
        count, *marks = meter.percentiles(name)
        print(f"| {name} | {count} | " + " | ".join(f"{m:.1f} ms" for m in marks) + " |")
    items = max(1, meter.submitted)
    print(
        f"\n{meter.submitted} questions submitted ({meter.submitted / spent['wall']:.1f}/s), "
        f"{1000 * spent['server'] / items:.1f} server CPU-ms a question; server "
        f"{spent['server'] / spent['wall']:.2f} and client {spent['client'] / spent['wall']:.2f} cores"
    )
    wanted = {
        "errors": (sum(meter.errors.values()), 0),
        "reviewers who found nothing": (meter.ran_dry, 0),
        "handed to more than the overlap, as reviewers saw it": (meter.beyond, 0),
        f"held by more than the overlap, in {watch.looks} looks at the rows": (watch.beyond, 0),
        "reviews in the rows": (rows["reviews"], meter.decided),
        "rationales reviewed by more people than the overlap": (
            rows["by more people than the overlap"],
            0,
        ),
        "rationales reviewed twice by one person": (rows["twice by one person"], 0),
        "rationales without the decision that is due, or with one that is not": (
            rows["without the decision that is due"],
            0,
        ),
    }
    if options.overlap == 1:
        wanted["decisions in the rows"] = (rows["decisions"], meter.decided)
    print("\n| counted | is | must be |\n| --- | --- | --- |")
    for name, (is_, must) in wanted.items():
        print(f"| {name} | {is_:,} | {must:,} |")
    for error, count in meter.errors.most_common(5):
        print(f"\n{count} times: {error}")
    print(flush=True)
    return all(is_ == must for is_, must in wanted.values())


if __name__ == "__main__":
    sys.exit(main())
