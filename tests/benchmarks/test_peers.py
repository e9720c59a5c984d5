"""The loop, the turns and the starting of peers: what their figures rest on."""

import asyncio
import itertools
import os
import subprocess
import sys
from collections import Counter

import psutil
import pytest

from tests import event_loop
from tests.benchmarks.peers import product
from tests.benchmarks.peers.loop import Adapter, Item, run_turn
from tests.benchmarks.review_turns import OURS, plan


class Shelf(Adapter):
    """A product of two lines: hands out numbers; `repeats` gives each to two people."""

    def __init__(self, handed: list[int], repeats: int = 1) -> None:
        super().__init__("http://127.0.0.1:1", "", "", None)
        self.handed, self.repeats = handed, repeats
        self.submitted: list[int] = []

    async def login(self) -> None:
        pass

    async def next_item(self) -> Item | None:
        self.handed.append(0)
        item = Item((len(self.handed) - 1) // self.repeats)
        await asyncio.sleep(0.001)
        return item

    async def submit(self, item: Item) -> None:
        await asyncio.sleep(0.001)
        self.submitted.append(item.id)


def take_turn(repeats: int = 1, warm_s: float = 0.5) -> tuple[dict, list[Shelf]]:
    handed: list[int] = []
    people = [Shelf(handed, repeats) for _ in range(4)]
    figures = event_loop.run(
        run_turn(people.__getitem__, 4, warm_s=warm_s, seconds=0.5, overlap=1, roots=[])
    )
    return figures, people


def test_the_warm_up_is_work_that_does_not_count():
    figures, people = take_turn()
    everything = sum(len(one.submitted) for one in people)
    assert figures["warm_up_submitted"] > 0 and figures["submitted"] > 0
    assert figures["submitted"] + figures["warm_up_submitted"] == everything
    assert figures["submit"]["count"] == figures["submitted"]
    assert figures["done_twice"] == 0


def test_an_item_done_by_two_people_is_counted():
    figures, people = take_turn(repeats=2, warm_s=0)
    done = Counter(item for one in people for item in set(one.submitted))
    assert figures["done_twice"] == sum(count > 1 for count in done.values()) > 0


@pytest.mark.parametrize("turns", [2, 4])
def test_each_side_goes_first_equally_often(turns):
    steps = plan(turns, [10, 50], "Peer")
    for crowd in (10, 50):
        mine = [(turn, product) for turn, people, product, _ in steps if people == crowd]
        firsts = [mine[2 * turn][1] for turn in range(turns)]
        assert firsts.count(OURS) == firsts.count("Peer") == turns // 2
        assert all(one != other for one, other in itertools.pairwise(firsts))
        assert sorted(Counter(name for _, name in mine).values()) == [turns, turns]


def test_no_two_people_share_a_task_where_nothing_is_handed_out():
    taken = Counter(
        task
        for part in range(6)
        for person in range(10)
        for task in range(*product.cut(1_000, 10, person, part, 6))
    )
    assert len(taken) > 900 and set(taken.values()) == {1} and max(taken) < 1_000


class Web(product.Product):
    """A server of Python's own in the place of a peer."""

    name, key, program = "Web", "web", "python"

    def environment(self) -> dict[str, str]:
        return {"ONLY": "this"}

    def migrate(self) -> None:
        (self.data / "seen").touch()

    def is_installed(self) -> bool:
        return True

    def commands(self) -> list[list[str]]:
        port = self.url.rsplit(":", 1)[1]
        return [[sys.executable, "-m", "http.server", port, "--bind", "127.0.0.1"]]


def test_a_peer_is_started_without_our_settings_and_stopped_by_another_process(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("BENCH_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "sqlite:///ours")
    peer = Web()
    peer.start()
    try:
        (root,) = peer.roots
        environment = psutil.Process(root).environ()
        assert environment["ONLY"] == "this" and "DATABASE_URL" not in environment
        with pytest.raises(SystemExit, match="stop it first"):
            Web().start()
    finally:
        Web().stop()
    assert not psutil.pid_exists(root) or not product.alive(psutil.Process(root))
    assert not peer.state.exists()


def test_stop_leaves_a_program_alone_that_has_the_number_of_an_ended_one(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_HOME", str(tmp_path))
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        peer = Web()
        peer.state.write_text(f'{{"url": "", "processes": [[{other.pid}, 1.0]]}}')
        peer.stop()
        assert other.poll() is None
    finally:
        other.communicate(b"\n")


def test_without_a_folder_the_message_names_the_variable(monkeypatch):
    monkeypatch.delenv("BENCH_HOME", raising=False)
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.peers", "stop", "label-studio"],
        capture_output=True,
        text=True,
        env=dict(os.environ),
    )
    assert done.returncode == 1 and "BENCH_HOME" in done.stderr


@pytest.mark.parametrize(
    "url", ["postgres://ada:p%40ss@127.0.0.1:5433/any", "postgres://ada:p%40ss@127.0.0.1:5433"]
)
def test_the_server_of_a_postgresql_address(url):
    server = product.Database.from_url(url)
    assert (server.user, server.password, server.port) == ("ada", "p@ss", 5433)
    assert server.url("x") == "postgres://ada:p%40ss@127.0.0.1:5433/x?sslmode=disable"
    assert product.Database.from_url("") is None
