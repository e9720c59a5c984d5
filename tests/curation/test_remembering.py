"""Counts that are kept for a while."""

import time

from django.core.cache import cache

from curation.db.adaptive_cache import remembered


def test_the_longer_a_count_takes_the_longer_it_stands() -> None:
    cache.clear()

    def slow() -> str:
        time.sleep(0.02)
        return "slow"

    assert remembered("k", slow, seconds=0.0, times=200.0) == "slow"
    time.sleep(0.2)
    assert remembered("k", lambda: "again", seconds=0.0, times=200.0) == "slow"  # for four seconds
    assert remembered("l", lambda: "quick", seconds=0.0, times=0.0) == "quick"
    assert remembered("l", lambda: "again", seconds=0.0, times=0.0) == "again"
