"""Where an export's time went: what a profile says, and that it adds up."""

import json
from pathlib import Path

import pytest

from exporter.pipeline.profile import Profile
from exporter.pipeline.stopwatch import KEYS, READ, SHAPE, WRITE, Stopwatch
from tests.support.export_process import running

ACTIVITIES = ("keys", "read", "shape", "write")


def watch(what: str, worker: int, started: float, seconds: dict[str, float], busy: float = 1.0) -> Stopwatch:
    """A task of which a share was spent on the CPU."""
    cpu = {activity: spent * busy for activity, spent in seconds.items()}
    return Stopwatch(what, worker, started, started + sum(seconds.values()), dict(seconds), cpu)


KEY_READS = watch("the keys of Guide", 70, 100.0, {KEYS: 0.5})
USERS = watch("auth.auth_users", 80, 100.5, {READ: 1.0, SHAPE: 0.25, WRITE: 0.25})
MORE_USERS = watch("auth.auth_users", 70, 101.0, {READ: 0.5})
SKILLS = watch("guide.skills", 70, 101.5, {READ: 0.25})
STAGES = {"check": 0.1, "lock": 0.2, "keys": 0.5, "tables": 2.0, "publish": 0.3}
PROFILE = Profile(
    [KEY_READS],
    [("guide.skills", 3, SKILLS), ("auth.auth_users", 10, USERS), ("auth.auth_users", 5, MORE_USERS)],
    STAGES,
    3,
)


def spent(keys: float, read: float, shape: float, write: float) -> dict[str, float]:
    """Seconds by activity."""
    return dict(zip(ACTIVITIES, (keys, read, shape, write), strict=True))


def test_what_a_profile_says() -> None:
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
            {"worker": 1, "what": "the keys of Guide", "started": 0.0, "ended": 0.5, "keys": 0.5},
            {
                **{"worker": 2, "what": "auth.auth_users", "started": 0.5, "ended": 2.0},
                **{"read": 1.0, "shape": 0.25, "write": 0.25},
            },
            {"worker": 1, "what": "auth.auth_users", "started": 1.0, "ended": 1.5, "read": 0.5},
            {"worker": 1, "what": "guide.skills", "started": 1.5, "ended": 1.75, "read": 0.25},
        ],
        "bottleneck": "CPU",
    }


def test_a_run_without_rows() -> None:
    """It has nothing to say but its stages."""
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
    """By all that was spent on all their chunks."""
    assert PROFILE.costliest(1) == [("auth.auth_users", 2.0)]
    assert PROFILE.costliest() == [("auth.auth_users", 2.0), ("guide.skills", 0.25)]


@pytest.mark.parametrize(
    ("activity", "busy", "place"),
    [
        (READ, 0.1, "database"),
        (KEYS, 0.1, "database"),
        (WRITE, 0.1, "disk"),
        (READ, 0.9, "CPU"),
        (SHAPE, 0.1, "CPU"),
        (READ, 5.0, "CPU"),
    ],
)
def test_the_bottleneck(activity: str, busy: float, place: str) -> None:
    """Whoever was waited for longest; a read may take more seconds of CPU than of the clock."""
    one = watch("auth.auth_users", 70, 100.0, {activity: 1.0}, busy)
    assert Profile([], [("auth.auth_users", 1, one)], STAGES, 1).bottleneck() == place


def test_a_slow_disk() -> None:
    """Nobody waits for it before the workers are done; then all do."""
    one = watch("auth.auth_users", 70, 100.0, {READ: 1.0})
    assert Profile([], [("auth.auth_users", 1, one)], STAGES, 2, flushed=0.6).bottleneck() == "disk"
    assert Profile([], [("auth.auth_users", 1, one)], STAGES, 2, flushed=0.4).bottleneck() == "CPU"


def test_a_profile_of_a_run(sample_database: str, tmp_path: Path) -> None:
    """Every second of every worker is accounted for, every table and every row."""
    file = tmp_path / "profile.json"
    with running(sample_database, tmp_path / "output", "--profile", str(file)) as run:
        assert run.end() == 0, run.lines
        manifest = json.loads((Path(run.result.splitlines()[-1]) / "manifest.json").read_bytes())
    profile = json.loads(file.read_bytes())
    assert set(profile) == {"stages", "tables", "workers", "tasks", "bottleneck", "peak_memory"}
    assert list(profile["stages"]) == ["check", "lock", "keys", "tables", "publish"]
    assert {each["table"] for each in profile["tables"]} == {
        each["table"] for each in [*manifest["nodes"], *manifest["relationships"]]
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
