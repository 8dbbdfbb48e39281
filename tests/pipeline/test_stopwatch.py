"""Seconds by activity, on the clock and on the CPU."""

import pickle
import time

import pytest

from exporter.pipeline.stopwatch import KEYS, READ, SHAPE, Stopwatch


def test_activities_add_up() -> None:
    """Each has the seconds of all its blocks, and the task lasts from its making to the last of them."""
    watch = Stopwatch("auth.auth_users")
    for activity in (READ, SHAPE, READ):
        with watch.on(activity):
            time.sleep(0.01)
    assert sorted(watch.seconds) == [READ, SHAPE]
    assert watch.seconds[READ] >= 0.02
    assert watch.seconds[SHAPE] >= 0.01
    assert watch.started + sum(watch.seconds.values()) <= watch.ended <= time.monotonic()


def test_waiting_takes_no_cpu() -> None:
    """The CPU's seconds are of the whole process, and none while it sleeps."""
    watch = Stopwatch("auth.auth_users")
    with watch.on(READ):
        time.sleep(0.2)
    with watch.on(SHAPE):
        until = time.process_time() + 0.05
        while time.process_time() < until:
            pass
    assert watch.cpu_seconds[READ] < watch.seconds[READ]
    assert watch.cpu_seconds[SHAPE] >= 0.05


def test_a_block_that_fails_counts() -> None:
    """Its time was spent all the same."""
    watch = Stopwatch("auth.auth_users")
    with pytest.raises(ValueError, match="no"), watch.on(KEYS):
        raise ValueError("no")
    assert list(watch.seconds) == [KEYS]
    assert watch.ended >= watch.started


def test_a_stopwatch_travels() -> None:
    """From a worker to the leader, as it is."""
    watch = Stopwatch("auth.auth_users")
    with watch.on(READ):
        pass
    assert pickle.loads(pickle.dumps(watch)) == watch
