"""What `exporter rebuild --status` says of the stores, without touching them."""

import fcntl
import json
from pathlib import Path

import pytest

from exporter.errors import UsageError
from exporter.rebuild.installation import find_installation
from exporter.rebuild.status import Status, is_locked, known_stores, rebuild_status, status_lines
from exporter.rebuild.stores import open_stores
from exporter.settings import RebuildSettings
from tests.support import tiny_export
from tests.support.ports import closed_port

STAMPS = ["20261121T031500Z", "20261122T031500Z"]
NO_ANSWER = "does not answer at the address of rebuild.bolt (ServiceUnavailable)"
COUNTS = {"nodes": 18, "relationships": 5, "properties": 45, "rejects": 2}


@pytest.fixture
def settings(home: Path) -> RebuildSettings:
    """A Neo4j that was never rebuilt, and does not answer."""
    return RebuildSettings(neo4j_home=home, bolt=f"bolt://127.0.0.1:{closed_port()}")


def rebuild(settings: RebuildSettings, export: Path) -> None:
    """Makes the store of an export live."""
    found = find_installation(settings)
    with open_stores(found.data, found.store) as stores:
        for path in (*found.store.both, *((staged := found.stores.root / "staged") / name for name in ("d", "t"))):
            path.mkdir(parents=True, exist_ok=True)
        swap = stores.begin(stores.add(type(found.store)(staged / "d", staged / "t"), export))
        stores.swap(swap)
        stores.commit(swap)
        stores.adopt(swap)
        stores.end()


def lines(status: Status) -> list[str]:
    return status_lines(status, STAMPS[1], "exporter rebuild")


def test_before_the_first_rebuild(settings: RebuildSettings, home: Path) -> None:
    """Nothing is known, and nothing is made to find that out."""
    before = sorted(home.rglob("*"))
    status = rebuild_status(settings)
    assert status == Status(None, None, NO_ANSWER, running=False, swapping=False)
    assert lines(status) == [
        "live      not known: no rebuild made it",
        "previous  none to go back to",
        f"Neo4j     {NO_ANSWER}",
        f"latest    {STAMPS[1]}",
    ]
    assert sorted(home.rglob("*")) == before


def test_after_two_rebuilds(settings: RebuildSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The live export and the one that a rollback brings back, for people and for programs."""
    monkeypatch.setattr("exporter.rebuild.status.format_age", lambda moment: "1 day")
    for stamp in STAMPS:
        rebuild(settings, tiny_export.write(tmp_path / stamp))
    status = rebuild_status(settings)
    assert lines(status) == [
        f"live      export {STAMPS[1]}, 1 day old",
        "          snapshot of Mon 23 Nov 2026 03:15 UTC: 18 nodes, 5 relationships",
        "          source postgresql:7301234567890123456/tiny",
        f"previous  export {STAMPS[0]}, 1 day old",
        "          snapshot of Mon 23 Nov 2026 03:15 UTC: 18 nodes, 5 relationships",
        "          source postgresql:7301234567890123456/tiny",
        "          `exporter rebuild --rollback` makes it live again",
        f"Neo4j     {NO_ANSWER}",
        f"latest    {STAMPS[1]}",
    ]
    stores = [
        {
            "export": stamp,
            "source": "postgresql:7301234567890123456/tiny",
            "snapshot_at": "2026-11-23T03:15:01.250000Z",
            "window": None,
            "masked": None,
            "counts": COUNTS,
        }
        for stamp in STAMPS
    ]
    assert json.loads(json.dumps(status.as_object())) == {
        "answers": False,
        "fault": NO_ANSWER,
        "running": False,
        "needs_repair": False,
        "live": stores[1],
        "previous": stores[0],
    }


def test_a_rebuild_that_runs_or_died(settings: RebuildSettings, tmp_path: Path) -> None:
    """By its lock and what it wrote down; a look does not disturb it."""
    rebuild(settings, tiny_export.write(tmp_path / STAMPS[0]))
    found = find_installation(settings)
    with open_stores(found.data, found.store) as stores:
        assert lines(rebuild_status(settings))[-1] == "rebuild   one is running now"
        stores.begin(stores.kept()[0])
        assert not rebuild_status(settings).broken
    status = rebuild_status(settings)
    assert (status.running, status.broken, status.as_object()["needs_repair"]) == (False, True, True)
    assert lines(status)[-1] == "swap      a run died in it: `exporter rebuild --repair` puts the old store back"


def test_a_lock_is_looked_at_only(tmp_path: Path) -> None:
    """One that is not there is not made."""
    lock = tmp_path / ".lock"
    assert not is_locked(lock) and not lock.exists()
    lock.touch()
    assert not is_locked(lock)
    with lock.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert is_locked(lock)


def test_stores_that_are_not_known(settings: RebuildSettings, home: Path) -> None:
    """Where no Neo4j is named, or none is there, nothing is marked; a status says why."""
    assert known_stores(RebuildSettings()) is None
    stores = known_stores(settings)
    assert stores and stores.all() == []
    (home / "conf" / "neo4j.conf").unlink()
    assert known_stores(settings) is None
    with pytest.raises(UsageError, match=r"cannot read .*neo4j\.conf"):
        rebuild_status(settings)
