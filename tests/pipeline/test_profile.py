"""Where an export's time went: the profile's contents, and that it adds up."""

import json
from pathlib import Path

import pytest

from exporter.pipeline.profile import ChunkTime, Profile
from exporter.pipeline.timing import KEYS, READ, SHAPE, WRITE, TaskTimer
from tests.support.export_process import running

ACTIVITIES = ("keys", "read", "shape", "write")


def timer(task: str, worker: str, started: float, seconds: dict[str, float], busy: float = 1.0) -> TaskTimer:
    """The timer of a task; `busy` is the share of its time that the CPU was busy."""
    cpu = {activity: spent * busy for activity, spent in seconds.items()}
    return TaskTimer(task, worker, started, started + sum(seconds.values()), dict(seconds), cpu)


KEY_READS = timer("the keys of Guide", "70", 100.0, {KEYS: 0.5})
USERS = timer("auth.auth_users", "80", 100.5, {READ: 1.0, SHAPE: 0.25, WRITE: 0.25})
MORE_USERS = timer("auth.auth_users", "70", 101.0, {READ: 0.5})
SKILLS = timer("guide.skills", "70", 101.5, {READ: 0.25})
STAGES = {"check": 0.1, "lock": 0.2, "keys": 0.5, "tables": 2.0, "publish": 0.3}
PROFILE = Profile(
    [KEY_READS],
    [
        ChunkTime("guide.skills", 3, SKILLS),
        ChunkTime("auth.auth_users", 10, USERS),
        ChunkTime("auth.auth_users", 5, MORE_USERS),
    ],
    STAGES,
    3,
)


def spent(keys: float, read: float, shape: float, write: float) -> dict[str, float]:
    """Seconds by activity."""
    return dict(zip(ACTIVITIES, (keys, read, shape, write), strict=True))


def test_a_profile_as_an_object() -> None:
    """Stages; tables, the costliest first; workers, of which one had nothing to do; tasks on a timeline."""
    assert PROFILE.as_object() == {
        "stages": STAGES,
        "tables": [
            {"table": "auth.auth_users", "rows": 15, **spent(0, 1.5, 0.25, 0.25)},
            {"table": "guide.skills", "rows": 3, **spent(0, 0.25, 0, 0)},
        ],
        "workers": [
            {"worker": 1, **spent(0.5, 0.75, 0, 0), "idle": 1.25},
            {"worker": 2, **spent(0, 1.0, 0.25, 0.25), "idle": 1.0},
            {"worker": 3, **spent(0, 0, 0, 0), "idle": 2.5},
        ],
        "tasks": [
            {"worker": 1, "task": "the keys of Guide", "started": 0.0, "ended": 0.5, "keys": 0.5},
            {
                **{"worker": 2, "task": "auth.auth_users", "started": 0.5, "ended": 2.0},
                **{"read": 1.0, "shape": 0.25, "write": 0.25},
            },
            {"worker": 1, "task": "auth.auth_users", "started": 1.0, "ended": 1.5, "read": 0.5},
            {"worker": 1, "task": "guide.skills", "started": 1.5, "ended": 1.75, "read": 0.25},
        ],
        "bottleneck": "CPU",
    }


def test_a_run_without_rows() -> None:
    """Its profile has only stages."""
    profile = Profile([], [], STAGES, 1)
    assert profile.costliest() == []
    assert profile.as_object() == {
        "stages": STAGES,
        "tables": [],
        "workers": [{"worker": 1, **spent(0, 0, 0, 0), "idle": 2.5}],
        "tasks": [],
        "bottleneck": "database",
    }


def test_the_costliest_tables() -> None:
    """By the seconds of all their chunks."""
    assert PROFILE.costliest(1) == [("auth.auth_users", 2.0)]
    assert PROFILE.costliest() == [("auth.auth_users", 2.0), ("guide.skills", 0.25)]


@pytest.mark.parametrize(
    ("activity", "busy", "bottleneck"),
    [
        (READ, 0.1, "database"),
        (KEYS, 0.1, "database"),
        (WRITE, 0.1, "disk"),
        (READ, 0.9, "CPU"),
        (SHAPE, 0.1, "CPU"),
        (READ, 5.0, "CPU"),
    ],
)
def test_the_bottleneck(activity: str, busy: float, bottleneck: str) -> None:
    """What was waited for longest; a read may take more CPU seconds than seconds."""
    one = timer("auth.auth_users", "70", 100.0, {activity: 1.0}, busy)
    assert Profile([], [ChunkTime("auth.auth_users", 1, one)], STAGES, 1).bottleneck() == bottleneck


def test_a_slow_disk() -> None:
    """It is waited for when the workers are done, by all of them."""
    one = timer("auth.auth_users", "70", 100.0, {READ: 1.0})
    assert Profile([], [ChunkTime("auth.auth_users", 1, one)], STAGES, 2, flushed=0.6).bottleneck() == "disk"
    assert Profile([], [ChunkTime("auth.auth_users", 1, one)], STAGES, 2, flushed=0.4).bottleneck() == "CPU"


def test_a_profile_of_a_run(sample_database: str, tmp_path: Path) -> None:
    """Every second of every worker is accounted for, every table and every row."""
    file = tmp_path / "profile.json"
    with running(sample_database, tmp_path / "output", "--profile", str(file)) as run:
        assert run.end() == 0, run.lines
        manifest = json.loads((Path(run.result.splitlines()[-1]) / "manifest.json").read_bytes())
    profile = json.loads(file.read_bytes())
    assert set(profile) == {"stages", "tables", "workers", "tasks", "bottleneck", "peak_memory"}
    assert list(profile["stages"]) == ["check", "lock", "keys", "tables", "publish"]
    assert {table["table"] for table in profile["tables"]} == {
        entity["table"] for entity in [*manifest["nodes"], *manifest["relationships"]]
    }
    busy = profile["stages"]["keys"] + profile["stages"]["tables"]
    rounding = 0.001 * len(profile["tasks"])
    for worker in profile["workers"]:
        assert sum(worker[activity] for activity in ACTIVITIES) + worker["idle"] == pytest.approx(busy, abs=rounding)
    for activity in ACTIVITIES:
        spent = sum(worker[activity] for worker in profile["workers"])
        assert sum(task.get(activity, 0.0) for task in profile["tasks"]) == pytest.approx(spent, abs=rounding)
        if activity != "keys":
            assert sum(table[activity] for table in profile["tables"]) == pytest.approx(spent, abs=rounding)
    assert [worker["worker"] for worker in profile["workers"]] == [1, 2]
    assert profile["peak_memory"] > 50e6
