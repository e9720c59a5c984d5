"""Counting in Redis: what brakes guessing and haste."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from curation.web.rate_limit import Limit, count

PEOPLE = 16


@pytest.mark.parametrize("turn", range(5))
def test_people_who_come_at_the_same_moment_are_all_counted(turn: int) -> None:
    limit = Limit("test", "tests", PEOPLE, 24 * 3600)
    begin = threading.Barrier(PEOPLE)

    def come(_: int) -> int:
        begin.wait()
        return count(limit, turn)[0]

    with ThreadPoolExecutor(PEOPLE) as pool:
        assert sorted(pool.map(come, range(PEOPLE))) == list(range(1, PEOPLE + 1))
