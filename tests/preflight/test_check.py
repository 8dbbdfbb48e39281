"""A check of a source: findings, server, estimate, and the space on the disk."""

import shutil
from pathlib import Path

import psycopg

from exporter.model.render import model_sha256
from exporter.preflight.check import Preflight, SourceServer, check, disk_space, free_disk_space
from exporter.preflight.estimate import Basis, Estimate, TableEstimate
from exporter.settings import Settings
from exporter.source.compatibility import Finding, Severity

GIGABYTE = Estimate((TableEstimate("a.b", "a.b", 1, 1_000_000_000, Basis.STATISTICS),), 12.34, "as once measured")


def test_too_small_a_disk_is_warned_about() -> None:
    """A quarter more than estimated must be free; the warning says how to get it."""
    assert disk_space(Path("output"), GIGABYTE, 1_250_000_000) == []
    what, remedy = (
        "1.1 GB are free, and an export may take 1.2 GB",
        "free some space (exporter prune), or choose another --output",
    )
    assert disk_space(Path("output"), GIGABYTE, 1_100_000_000) == [Finding(Severity.WARNING, "output", what, remedy)]


def test_a_missing_directory_has_the_disk_of_its_nearest_parent(tmp_path: Path) -> None:
    """Nothing is created to find out."""
    free = shutil.disk_usage(tmp_path).free
    assert abs(free_disk_space(tmp_path / "no" / "output") - free) < 1 << 30
    (tmp_path / "file").touch()
    assert abs(free_disk_space(tmp_path / "file" / "output") - free) < 1 << 30
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_json_object_has_everything() -> None:
    """Findings, server, estimate and disk, under the keys that docs/source.md lists."""
    findings, server = [Finding(Severity.WARNING, "a.b", "is odd")], SourceServer("db", "app", "18.4", True)
    preflight = Preflight(findings, Path("output"), server, GIGABYTE, 7).as_object()
    assert preflight == {
        "format": 1,
        "exportable": True,
        "model": {"sha256": model_sha256()},
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


def test_a_locked_table_is_warned_about(source: str, tmp_path: Path) -> None:
    """The check does not wait for it."""
    with psycopg.connect(source) as migration:
        migration.execute("lock table guide.skills")
        preflight = check(Settings(source=source, output=tmp_path))
    what, remedy = "is locked right now, perhaps by a migration", "an export waits for it, up to --lock-timeout (30s)"
    assert preflight.findings[0] == Finding(Severity.WARNING, "guide.skills", what, remedy)
    assert preflight.exportable
    assert preflight.estimate and preflight.estimate.based_on(Basis.UNKNOWN) == ["guide.skills"]
