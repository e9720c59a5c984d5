"""`make bench-queues`: five kinds of work ordered at once, and how soon each goes on.

A training on the `gpu` queue, a scoring of 20,000 rationales, a run on a slow local address, an import and
a freezing, all of one project, on a whole Chainwright as `make run` starts it.
"""

import argparse
import os
import shutil
from pathlib import Path

import tests.environment  # noqa: F401  (a home of its own, before the settings are read)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "curation.settings")

import django

django.setup()

from tests.e2e.conftest import Stack, free_port  # noqa: E402
from tests.e2e.side_by_side import KINDS, order, prepare, slow_server, watch  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="each on a Chainwright of its own")
    parser.add_argument("--rationales", type=int, default=20_000)
    given = parser.parse_args()
    found: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for _ in range(given.rounds):
        for kind, seconds in one_round(given.rationales).items():
            found[kind].append(seconds)
    print("| work | seconds from its order to its first progress |\n| --- | --- |")
    for kind, seconds in found.items():
        print(f"| {kind} | {', '.join(f'{one:.1f}' for one in seconds)} |")


def one_round(rationales: int) -> dict[str, float]:
    home = Path(f"/tmp/cw-bench-{os.getpid()}-{free_port()}")
    stack = Stack(home)
    stack.env |= {"MODEL_HOSTS": "127.0.0.1", "WORKER_NICE": "10"}
    with slow_server() as server:
        try:
            stack.start("--no-demo")
            prepare(stack, server, questions=rationales // 5)
            order(stack, asked=200, imported=1000)
            return watch(stack, (), 300).first
        finally:
            stack.stop()
            shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
