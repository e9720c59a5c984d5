"""Reviewers and admins do anything in any order, one after the other and all at once: no state comes of
it in which a project may not be, and nobody meets an error but a refusal in words."""

import os
import threading
from collections.abc import Iterator
from random import Random
from typing import Any

import hypothesis
import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from curation.projects.models import Project, User
from curation.projects.services import add_member
from curation.reviews.models import QueueItem, Review
from tests.conftest import person
from tests.curation.reviews.at_random import ACTIONS, OFTEN, World, finish, must_hold

# How many times as much is tried; AT_RANDOM_SEED, see tests/environment.py, repeats one run.
EFFORT = int(os.environ.get("AT_RANDOM_EFFORT", "1"))


@pytest.fixture
def people(project: Project, admin_user: User, reviewer: User) -> list[User]:
    others = [person(name) for name in ("second", "tina", "uwe", "vera")]
    for user in others:
        add_member(project, user.username, "admin" if user is others[0] else "reviewer")
    Project.objects.filter(pk=project.pk).update(control_percent=30)
    return [admin_user, others[0], reviewer, *others[1:]]


@pytest.fixture
def world(project: Project, people: list[User], make_questions: Any, make_rationales: Any) -> World:
    for question in make_questions(4):
        make_rationales(question, ["right", "wrong", "So 3.\nAnswer: 3"])
    return World(project, people)


def test_one_after_the_other_in_any_order(world: World, seed: int) -> None:
    @hypothesis.seed(seed)
    class Machine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.block = transaction.atomic()
            self.block.__enter__()

        @rule(
            name=st.sampled_from([*OFTEN, *ACTIONS]),
            who=st.integers(0, len(world.people) - 1),
            draw=st.integers(0, 2**16),
        )
        def act(self, name: str, who: int, draw: int) -> None:
            with transaction.atomic():
                world.act(name, world.people[who], Random(draw))

        @invariant()
        def holds(self) -> None:
            must_hold(world.project)

        def teardown(self) -> None:
            try:
                finish(world.project, world.people, Random(0))
                connection.check_constraints()
            finally:
                transaction.set_rollback(True)
                self.block.__exit__(None, None, None)

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=12 * EFFORT,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )


@pytest.fixture
def threads_wait_for_each_other() -> Iterator[None]:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time: nothing can cross")
    yield


@pytest.mark.django_db(transaction=True)
def test_all_at_once(threads_wait_for_each_other: None, world: World, seed: int) -> None:
    went_wrong: list[str] = []

    def do(n: int) -> None:
        draw = Random(16 * seed + n)
        names = [*OFTEN * 4, *ACTIONS]
        try:
            for _ in range(60):
                name = draw.choice(names)
                try:
                    world.act(name, draw.choice(world.people), draw)
                except Exception as error:  # whatever it is, a person would have met it
                    went_wrong.append(f"{name}: {type(error).__name__}: {error}")
        finally:
            connection.close()

    threads = [threading.Thread(target=do, args=(n,)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not went_wrong, "\n".join(went_wrong[:5])
    must_hold(world.project)
    finish(world.project, world.people, Random(0))
    assert Review.objects.count() > 20 and QueueItem.objects.exclude(status="waiting").exists()
