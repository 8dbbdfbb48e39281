"""A source looked at before an export: findings, server, estimate, and the room on the disk."""

import shutil
from pathlib import Path

import psycopg

from exporter.preflight.check import Checkup, Server, check, free_bytes, room
from exporter.preflight.estimate import Basis, Estimate, TableEstimate
from exporter.settings import Settings
from exporter.source.compatibility import Finding, Severity

GIGABYTE = Estimate((TableEstimate("a.b", "a.b", 1, 1_000_000_000, Basis.STATISTICS),), 12.34, "as once measured")


def test_a_disk_with_room_and_one_without() -> None:
    """A quarter more than estimated is asked for; too little is a warning with the way out."""
    assert room(Path("output"), GIGABYTE, 1_250_000_000) == []
    what, remedy = (
        "1.1 GB are free, and an export may take 1.2 GB",
        "make room (exporter prune), or choose another --output",
    )
    assert room(Path("output"), GIGABYTE, 1_100_000_000) == [Finding(Severity.WARNING, "output", what, remedy)]


def test_the_disk_of_a_directory_that_is_not_made_yet(tmp_path: Path) -> None:
    """It is that of the nearest one above; nothing is made."""
    free = shutil.disk_usage(tmp_path).free
    assert abs(free_bytes(tmp_path / "no" / "output") - free) < 1 << 30
    (tmp_path / "file").touch()
    assert abs(free_bytes(tmp_path / "file" / "output") - free) < 1 << 30
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_object() -> None:
    """What machines are told."""
    found = [Finding(Severity.WARNING, "a.b", "is odd")]
    sanitized_errors = Checkup(found, Path("output"), Server("db", "app", "18.4", True), GIGABYTE, 7).as_object()
    assert sanitized_errors.pop("model")["sha256"]
    assert sanitized_errors == {
        "format": 1,
        "exportable": True,
        "server": {"host": "db", "database": "app", "version": "18.4", "standby": True},
        "findings": [{"severity": "warning", "where": "a.b", "what": "is odd", "remedy": ""}],
        "estimate": {
            "rows": 1,
            "bytes": 1_000_000_000,
            "seconds": 12.3,
            "rule": "as once measured",
            "tables": [{"table": "a.b", "name": "a.b", "rows": 1, "bytes": 1_000_000_000, "basis": "statistics"}],
        },
        "output": {"directory": "output", "free_bytes": 7},
    }


def test_a_table_that_a_migration_holds(source: str, tmp_path: Path) -> None:
    """The check goes on and warns, first of all findings."""
    with psycopg.connect(source) as migration:
        migration.execute("lock table guide.skills")
        looked = check(Settings(source=source, output=tmp_path))
    wait = "an export waits for it, --lock-timeout (30s) at the most"
    assert looked.findings[0] == Finding(
        Severity.WARNING, "guide.skills", "is locked at this moment, by a migration?", wait
    )
    assert (looked.exportable, looked.estimate and looked.estimate.based_on(Basis.UNKNOWN)) == (True, ["guide.skills"])
