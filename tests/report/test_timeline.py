"""The timeline: stages, workers and tables on one axis."""

import pytest

from exporter.pipeline.profile import Profile
from exporter.pipeline.timing import KEYS, READ, SHAPE, WRITE, TaskTimer
from exporter.report.timeline import TICKS, Block, merged, ticks, timeline


def timer(task: str, worker: str, started: float, seconds: dict[str, float]) -> TaskTimer:
    return TaskTimer(task, worker, started, started + sum(seconds.values()), dict(seconds), dict(seconds))


KEY_READS = timer("the keys of Guide", "70", 101.0, {KEYS: 0.5})
USERS = timer("auth.auth_users", "80", 102.0, {READ: 1.0, SHAPE: 0.5, WRITE: 0.5})
MORE_USERS = timer("auth.auth_users", "80", 104.0, {READ: 0.5})
SKILLS = timer("guide.skills", "70", 102.0, {READ: 0.25})
PROFILE = Profile(
    [KEY_READS],
    [("guide.skills", 3, SKILLS), ("auth.auth_users", 10, USERS), ("auth.auth_users", 5, MORE_USERS)],
    {"check": 1.0, "keys": 1.0, "tables": 2.5},
    3,
    {"check": 100.0, "keys": 101.0, "tables": 102.0, "publish": 104.5},
)


def test_a_timeline() -> None:
    """From the run's begin; the stage that makes the report is not on it; a worker that did nothing has a line."""
    drawn = timeline(PROFILE)
    assert drawn.seconds == 4.5
    assert drawn.ticks == [0, 1, 2, 3, 4]
    assert drawn.stages == [Block("check", 0.0, 1.0, {}), Block("keys", 1.0, 1.0, {}), Block("tables", 2.0, 2.5, {})]
    users = {READ: 1.5, SHAPE: 0.5, WRITE: 0.5}
    assert drawn.workers == [
        [Block("the keys of Guide", 1.0, 0.5, {KEYS: 0.5}), Block("guide.skills", 2.0, 0.25, {READ: 0.25})],
        [Block("auth.auth_users", 2.0, 2.5, users, 2)],
        [],
    ]
    assert drawn.tables == [
        (Block("auth.auth_users", 0.0, 2.5, users, 2), 15),
        (Block("guide.skills", 0.0, 0.25, {READ: 0.25}, 1), 3),
    ]


def test_a_run_without_tasks() -> None:
    """Nothing is drawn, and nothing fails."""
    assert timeline(Profile([], [], {}, 0)) == timeline(Profile([], [], {}, 0, {}))
    assert timeline(Profile([], [], {}, 1)).workers == [[]]


def test_shares() -> None:
    """Of all its time; what took none is left out."""
    assert Block("x", 0, 4, {WRITE: 3.0, READ: 1.0, SHAPE: 0.0}).shares() == [(READ, 0.25), (WRITE, 0.75)]
    assert Block("x", 0, 0, {READ: 0.0}).shares() == []


def test_what_touches_is_one_block() -> None:
    """Chunks of one table, and neighbours too small to be seen, which are named by the largest; not across a gap."""
    blocks = [
        Block("a", 0.0, 1.0, {READ: 1.0}), Block("a", 1.0, 1.0, {SHAPE: 1.0}), Block("b", 2.0, 1.0, {READ: 1.0}),
        Block("c", 3.0, 0.01, {READ: 0.01}), Block("d", 3.01, 0.02, {READ: 0.02}), Block("d", 5.0, 1.0, {READ: 1.0}),
    ]  # fmt: skip
    together = list(merged(blocks, 0.1))
    assert [(block.name, block.began, round(block.ended, 2), block.tasks) for block in together] == [
        ("a", 0.0, 2.0, 2), ("b …", 2.0, 3.03, 3), ("d", 5.0, 6.0, 1),
    ]  # fmt: skip
    assert together[0].spent == {READ: 1.0, SHAPE: 1.0}


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.3, 1, 7, 59, 3000, 40_000, 200_000])
def test_ticks(seconds: float) -> None:
    """From 0, with room for the last one's time, and never so many that they cannot be read."""
    times = ticks(seconds)
    assert times[0] == 0 and times[-1] <= seconds * 0.95
    assert len(times) <= TICKS + 1
