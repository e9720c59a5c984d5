"""Ours and a peer in turns: the same loop, the same machine, the same minutes."""

import argparse
import asyncio
import importlib
import statistics
import time
from types import ModuleType
from typing import Any

from django.db import connection

from tests.benchmarks.review_browser import Meter, Refused, Reviewer
from tests.benchmarks.review_peers import CROWDS, PEERS
from tests.benchmarks.review_rows import PASSWORD, SLUG, Watch, give_all_back, reviewer
from tests.benchmarks.review_stack import cpu_seconds

OURS = "Chainwright"


def ours(loop: ModuleType, url: str, sessions: dict[str, Any]) -> type:
    """The adapter of Chainwright for the peers' loop."""

    class Ours(loop.Adapter):
        """One reviewer. Signing in and loading the page with its styles and scripts is not timed, as it
        is not for the peers. The first "next" asks for the question to show and for the one after it;
        from then on a browser has the next question in hand, and the answer to a submission is the one
        after that, so `next_item` asks for nothing."""

        name = "chainwright"

        async def login(self) -> None:
            await self.client.aclose()
            self.tab = Reviewer(url, self.user, PASSWORD, SLUG, Meter())
            self.client = self.tab.client
            if self.user in sessions:
                self.client.cookies.update(sessions[self.user])
            else:
                await self._sound(self.tab.sign_in())
                sessions[self.user] = self.client.cookies
            await self._sound(self.tab.load())
            self.is_begun = False

        async def next_item(self) -> Any:
            if not self.is_begun:
                await self._sound(self.tab.begin())
                self.is_begun = True
            return loop.Item(self.tab.shown.item) if self.tab.shown else None

        async def submit(self, item: Any) -> None:
            await self._sound(self.tab.submit(1.0))

        async def _sound(self, step: Any) -> None:
            try:
                await step
            except Refused as refused:
                raise loop.HttpError(refused.answer) from refused

    return Ours


def compare(peer_name: str, options: argparse.Namespace, url: str, roots: list[int]) -> bool:
    """Runs in turns, without a pause; prints each and the ratios. False when something of ours was
    done twice or failed."""
    with PEERS[peer_name](options.turns) as peer:
        loop = importlib.import_module("loop")
        adapter = ours(loop, url, {})

        def mine(number: int, crowd: int, run: int) -> Any:
            return adapter(url, reviewer(number), PASSWORD, SLUG)

        makers = {peer.name: (peer.adapter, peer.roots), OURS: (mine, roots)}
        watch = Watch(options.overlap)
        rows = []
        print(HEAD)
        for run in range(options.turns):
            for crowd in CROWDS:
                for product, (make, trees) in makers.items():
                    give_all_back()
                    connection.close()
                    time.sleep(2)
                    told = _one(
                        loop,
                        lambda n, make=make, crowd=crowd, run=run: make(n, crowd, run),
                        crowd,
                        trees,
                        options,
                    )
                    rows.append({"product": product, "run": run + 1} | told)
                    print(_line(rows[-1]), flush=True)
        counted = watch.counted()
    _ratios(rows, peer.name)
    return _sound(rows, counted)


def _one(
    loop: ModuleType, make: Any, crowd: int, trees: list[int], options: argparse.Namespace
) -> dict[str, Any]:
    """One run of the peers' loop, with the processor time by our own meter: theirs leaves out what
    processes used that have ended."""
    began: list[float] = []

    def metered(number: int) -> Any:
        made = make(number)
        following = made.next_item

        async def next_item() -> Any:
            if not began:
                began.append(cpu_seconds(trees))
            return await following()

        made.next_item = next_item
        return made

    told = asyncio.run(
        loop.run_loop(metered, crowd, options.turn_seconds, overlap=options.overlap, pids=trees)
    )
    spent = cpu_seconds(trees) - began[0]
    told["cpu"] = 1000 * spent / max(1, told["submitted"])
    told["client_ms"] = 1000 * told["client_cores"] / max(0.01, told["submitted_per_s"])
    return told


HEAD = (
    "| run | product | reviewers | submitted/s | next p50, p95 | submit p50, p95 | server CPU a question "
    "| client CPU a question | handed while held | done twice | errors | other cores |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)


def _line(row: dict[str, Any]) -> str:
    def marks(step: dict[str, Any]) -> str:
        return f"{step.get('p50_ms', 0):.0f}, {step.get('p95_ms', 0):.0f} ms"

    return (
        f"| {row['run']} | {row['product']} | {row['annotators']} | {row['submitted_per_s']} | "
        f"{marks(row['next'])} | {marks(row['submit'])} | {row['cpu']:.1f} ms | "
        f"{row['client_ms']:.1f} ms | {row['handed_while_another_held_it']} | "
        f"{row['items_submitted_by_more_than_overlap']} | {sum(row['errors'].values())} | "
        f"{row['other_cores']} |"
    )


def _ratios(rows: list[dict[str, Any]], peer: str) -> None:
    print(
        "\n| reviewers | submitted/s, ratio of the medians | server CPU a question, ratio of the medians |"
    )
    print("| --- | --- | --- |")
    for crowd in CROWDS:

        def middle(product: str, figure: str, crowd: int = crowd) -> float:
            return statistics.median(
                row[figure]
                for row in rows
                if row["product"] == product and row["annotators"] == crowd
            )

        rate = [middle(p, "submitted_per_s") for p in (OURS, peer)]
        cpu = [middle(p, "cpu") for p in (OURS, peer)]
        print(
            f"| {crowd} | {rate[0]:.1f} to {rate[1]:.1f}: {rate[0] / rate[1]:.1f} | "
            f"{cpu[0]:.1f} to {cpu[1]:.1f} ms: {cpu[0] / cpu[1]:.3f} |"
        )


def _sound(rows: list[dict[str, Any]], counted: dict[str, int]) -> bool:
    mine = [row for row in rows if row["product"] == OURS]
    submitted = sum(row["submitted"] for row in mine)
    wrong = {
        "failed": sum(sum(row["errors"].values()) for row in mine),
        "handed while another held it": sum(row["handed_while_another_held_it"] for row in mine),
        "done twice": sum(row["items_submitted_by_more_than_overlap"] for row in mine),
        "reviews of questions missing in the rows": submitted - counted["reviews of a question"],
        "rationales reviewed by too many": counted["by more people than the overlap"],
        "rationales reviewed twice by one person": counted["twice by one person"],
        "rationales without the decision that is due": counted["without the decision that is due"],
    }
    print(f"\nOf ours, {submitted} submitted: " + ", ".join(f"{n} {w}" for w, n in wrong.items()))
    for error, sample in {k: v for row in mine for k, v in row["error_samples"].items()}.items():
        print(f"{error}: {sample}")
    return not any(wrong.values())
