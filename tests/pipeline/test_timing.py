"""Seconds by stage, and by activity on the clock and on the CPU; memory; polls."""

import pickle
import time
from types import SimpleNamespace

import pytest

from exporter.pipeline import timing
from exporter.pipeline.timing import KEYS, READ, SHAPE, StageTimer, TaskTimer
from exporter.progress.state import ProgressState


def test_activities_add_up() -> None:
    """Each has the seconds of all its blocks; the task lasts from the timer's creation to the end of the last block."""
    timer = TaskTimer("auth.auth_users")
    for activity in (READ, SHAPE, READ):
        with timer.on(activity):
            time.sleep(0.01)
    assert sorted(timer.seconds) == [READ, SHAPE]
    assert timer.seconds[READ] >= 0.02
    assert timer.seconds[SHAPE] >= 0.01
    assert timer.started + sum(timer.seconds.values()) <= timer.ended <= time.monotonic()


def test_the_clock_of_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks of a machine whose clock is a thousand seconds ahead begin and end when the leader's clock says."""
    monkeypatch.setattr(timing, "_ahead", 0.0)
    timing.leader_clock(1000.0)
    before = time.monotonic()
    timer = TaskTimer("auth.auth_users")
    with timer.on(READ):
        pass
    assert before - 1000 <= timer.started <= timer.ended <= time.monotonic() - 1000


def test_waiting_takes_no_cpu() -> None:
    """CPU seconds are those of the whole process; while it sleeps there are none."""
    timer = TaskTimer("auth.auth_users")
    with timer.on(READ):
        time.sleep(0.2)
    with timer.on(SHAPE):
        until = time.process_time() + 0.05
        while time.process_time() < until:
            pass
    assert timer.cpu_seconds[READ] < timer.seconds[READ]
    assert timer.cpu_seconds[SHAPE] >= 0.05


def test_a_block_that_fails_counts() -> None:
    """Its time was spent, too."""
    timer = TaskTimer("auth.auth_users")
    with pytest.raises(ValueError, match="no"), timer.on(KEYS):
        raise ValueError("no")
    assert list(timer.seconds) == [KEYS]
    assert timer.ended >= timer.started


def test_a_task_timer_is_pickled() -> None:
    """It goes from a worker to the leader."""
    timer = TaskTimer("auth.auth_users")
    with timer.on(READ):
        pass
    assert pickle.loads(pickle.dumps(timer)) == timer


def test_stages_have_their_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each stage when it began and, once it has ended, how long it took; the listener hears of it as it begins."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(timing, "time", SimpleNamespace(monotonic=lambda: clock.now))
    listener = ProgressState()
    timer = StageTimer(listener)
    with timer.stage("check"):
        clock.now += 2
        assert (listener.times.current, listener.times.elapsed) == ("check", 2)
    clock.now += 1
    with timer.stage("lock"):
        clock.now += 4
        assert timer.times.seconds == {"check": 2}
    assert timer.times.began == {"check": 1000, "lock": 1003}
    assert timer.times.seconds == {"check": 2, "lock": 4}
    assert (timer.times.current, timer.times.elapsed) == ("", 0)


def test_polls_while_the_block_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the first tick, and by those that come when the seconds have passed; not after the block."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(timing, "time", SimpleNamespace(monotonic=lambda: clock.now))
    timer, polls = StageTimer(ProgressState()), list[float]()
    with timer.polling(lambda: polls.append(clock.now), 5):
        for now in (1000, 1004, 1005, 1006, 1010):
            clock.now = now
            timer.tick()
    clock.now = 1020
    timer.tick()
    assert polls == [1000, 1005, 1010]
    assert timer.peak_memory == timer.listener.peak_memory > 10e6  # type: ignore[attr-defined]
