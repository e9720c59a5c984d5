"""Chainwright and a peer in turns: the same loop, the same machine, the same minutes.

For each number of people the order of the two is A B, B A, A B, …: with an even number of turns each goes
first as often as the other. Before each turn both servers come to rest; then the people of the turn sign in
and load their page, and work for some seconds that do not count, on both sides equally long, before the
clock starts.
"""

import argparse
import asyncio
import statistics
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import connection

from tests.benchmarks.peers.catalog import PEERS
from tests.benchmarks.peers.loop import Adapter, HttpError, Item, run_turn
from tests.benchmarks.peers.product import Database, Product, cut
from tests.benchmarks.review_browser import Meter, Refused, Reviewer
from tests.benchmarks.review_rows import (
    PASSWORD,
    SLUG,
    Watch,
    data_file,
    give_all_back,
    reviewer,
)
from tests.benchmarks.review_stack import postmasters, settle_down

OURS = "Chainwright"


class Ours(Adapter):
    """One reviewer. Signing in and loading the page with its styles and scripts is not timed. The first
    "next" asks for the question to show and for the one after it; from then on a browser has the next
    question in hand, and the answer to a submission is the one after that, so `next_item` asks for
    nothing."""

    def __init__(self, url: str, number: int, sessions: dict[str, Any]) -> None:
        super().__init__(url, reviewer(number), PASSWORD, SLUG)
        self.sessions = sessions
        self.is_begun = False

    async def login(self) -> None:
        await self.client.aclose()
        self.tab = Reviewer(self.url, self.user, PASSWORD, SLUG, Meter())
        self.client = self.tab.client
        if self.user in self.sessions:
            self.client.cookies.update(self.sessions[self.user])
        else:
            await self._sound(self.tab.sign_in())
            self.sessions[self.user] = self.client.cookies
        await self._sound(self.tab.load())

    async def next_item(self) -> Item | None:
        if not self.is_begun:
            await self._sound(self.tab.begin())
            self.is_begun = True
        return Item(self.tab.shown.item) if self.tab.shown else None

    async def submit(self, item: Item) -> None:
        await self._sound(self.tab.submit(1.0))

    async def _sound(self, step: Any) -> None:
        try:
            await step
        except Refused as refused:
            raise HttpError(refused.answer) from refused


def compare(peer_name: str, options: argparse.Namespace, url: str, roots: list[int]) -> bool:
    """Takes the turns; prints each and the ratios. False when something of ours was done twice or
    failed."""
    with PEERS[peer_name](_server()) as peer:
        peer.fill(data_file(), options.peer_tasks, max(options.crowd))
        trees = {OURS: roots, peer.name: [*peer.roots, *postmasters()]}
        sessions: dict[str, Any] = {}
        watch = Watch(options.overlap)
        rows = []
        print(
            f"Without a pause, {options.turns} turns of {options.turn_seconds:g} s each, after "
            f"{options.warm_seconds:g} s of the same work that do not count on either side; the order "
            f"alternates, {OURS} first in the first turn of {options.crowd[0]} people.\n\n{HEAD}"
        )
        for turn, crowd, product, place in plan(options.turns, options.crowd, peer.name):
            give_all_back()
            connection.close()
            settle_down([*roots, *peer.roots], most=10)
            make = (
                (lambda number: Ours(url, number, sessions))
                if product == OURS
                else _peer_people(peer, options, turn, crowd)
            )
            figures = asyncio.run(
                run_turn(
                    make,
                    crowd,
                    warm_s=options.warm_seconds,
                    seconds=options.turn_seconds,
                    overlap=options.overlap,
                    roots=trees[product],
                )
            )
            rows.append({"product": product, "turn": turn, "place": place} | figures)
            print(_line(rows[-1]), flush=True)
        counted = watch.counted()
    print_ratios(rows, peer.name, options.crowd)
    return _sound(rows, counted)


def plan(turns: int, crowds: list[int], peer: str) -> list[tuple[int, int, str, int]]:
    """(turn, people, product, 1 or 2: its place in the turn), in the order in which they are taken: for
    each crowd the side that goes first alternates from turn to turn."""
    steps = []
    for turn in range(turns):
        for number, crowd in enumerate(crowds):
            pair = (OURS, peer) if (turn + number) % 2 == 0 else (peer, OURS)
            steps += [(turn, crowd, product, place) for place, product in enumerate(pair, 1)]
    return steps


def _server() -> Database | None:
    """The PostgreSQL server that ours is on: the peer gets a database of its own on it."""
    if connection.vendor != "postgresql":
        return None
    ours = settings.DATABASES["default"]
    host, port = ours["HOST"] or "127.0.0.1", int(ours["PORT"] or 5432)
    return Database(ours["USER"], ours["PASSWORD"], host, port)


def _peer_people(
    peer: Product, options: argparse.Namespace, turn: int, crowd: int
) -> Callable[[int], Adapter]:
    """The annotators of one turn; each turn of each crowd has a part of the tasks of its own."""
    part = turn * len(options.crowd) + options.crowd.index(crowd)
    parts = options.turns * len(options.crowd)
    return lambda n: peer.adapter(n, cut(options.peer_tasks, crowd, n, part, parts))


HEAD = (
    "| turn | place | product | people | submitted/s | next p50, p95 | submit p50, p95 "
    "| server CPU a question | client CPU a question | handed while held | done twice | errors "
    "| ran dry | other cores |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)


def _line(row: dict[str, Any]) -> str:
    def marks(step: dict[str, Any]) -> str:
        return f"{step.get('p50_ms', 0):.0f}, {step.get('p95_ms', 0):.0f} ms"

    return (
        f"| {row['turn'] + 1} | {row['place']} | {row['product']} | {row['people']} | "
        f"{row['submitted_per_s']:.1f} | {marks(row['next'])} | {marks(row['submit'])} | "
        f"{row['server_ms']:.1f} ms | {row['client_ms']:.1f} ms | {row['held_twice']} | "
        f"{row['done_twice']} | {_errors(row)} | {row['ran_dry']} | {row['other_cores']:.2f} |"
    )


def _errors(row: dict[str, Any]) -> int:
    """With those of the warm-up: an error is one whenever it comes."""
    return sum(row["errors"].values()) + sum(row["warm_up_errors"].values())


def print_ratios(rows: list[dict[str, Any]], peer: str, crowds: list[int]) -> None:
    """Medians, and the ratio of ours to the peer's within each turn: its median and its spread."""
    print(
        f"\n| people | submitted/s, {OURS} and {peer} | ratio, median of the turns (lowest to highest) "
        "| server CPU a question | ratio |\n| --- | --- | --- | --- | --- |"
    )
    for crowd in crowds:
        mine, theirs = (
            [r for r in rows if r["people"] == crowd and r["product"] == product]
            for product in (OURS, peer)
        )
        cells = []
        for figure, digits in (("submitted_per_s", 1), ("server_ms", 3)):
            ours = [row[figure] for row in mine]
            others = [row[figure] for row in theirs]
            # Both lists are in the order of the turns.
            ratios = [a / b for a, b in zip(ours, others, strict=True) if b]
            cells.append(f"{statistics.median(ours):.1f}, {statistics.median(others):.1f}")
            cells.append(
                f"{statistics.median(ratios):.{digits}f} "
                f"({min(ratios):.{digits}f} to {max(ratios):.{digits}f})"
                if ratios
                else "none: nothing was submitted"
            )
        print(f"| {crowd} | " + " | ".join(cells) + " |")


def _sound(rows: list[dict[str, Any]], counted: dict[str, int]) -> bool:
    mine = [row for row in rows if row["product"] == OURS]
    submitted = sum(row["submitted"] + row["warm_up_submitted"] for row in mine)
    wrong = {
        "failed": sum(_errors(row) for row in mine),
        "found nothing": sum(row["ran_dry"] for row in mine),
        "handed while another held it": sum(row["held_twice"] for row in mine),
        "done twice": sum(row["done_twice"] for row in mine),
        "reviews of questions missing in the rows": submitted - counted["reviews of a question"],
        "rationales reviewed by too many": counted["by more people than the overlap"],
        "rationales reviewed twice by one person": counted["twice by one person"],
        "rationales without the decision that is due": counted["without the decision that is due"],
    }
    print(f"\nOf ours, {submitted} submitted: " + ", ".join(f"{n} {w}" for w, n in wrong.items()))
    for row in rows:
        for error, sample in row["error_samples"].items():
            print(f"{row['product']}, {error}: {sample}")
    return not any(wrong.values())
