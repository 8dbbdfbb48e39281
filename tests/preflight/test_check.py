"""A check of a source: findings, server, estimate, and the space on the disk."""

import re
import shutil
from fractions import Fraction
from pathlib import Path

import psycopg
import pytest

from exporter.model.render import model_sha256
from exporter.model.tables import tables
from exporter.preflight.check import Preflight, SourceServer, check, disk_space, free_disk_space
from exporter.preflight.estimate import Basis, Estimate, TableEstimate
from exporter.settings import Settings
from exporter.source.compatibility import Finding, Severity
from tests.support.stalling_source import execute

GIGABYTE = Estimate((TableEstimate("a.b", "a.b", 1, 1_000_000_000, Basis.STATISTICS),), 12.34, "as once measured")


def test_too_small_a_disk_is_warned_about() -> None:
    """A quarter more than estimated must be free; the warning says how to get it."""
    assert disk_space(Path("output"), 1e9, 1_250_000_000) == []
    what, remedy = (
        "1.1 GB are free, and an export may take 1.2 GB",
        "free some space (exporter prune), or choose another --output",
    )
    assert disk_space(Path("output"), 1e9, 1_100_000_000) == [Finding(Severity.WARNING, "output", what, remedy)]


def test_a_window_needs_less_space(sample_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In proportion to the rows that it asks for."""
    whole = Settings(source=sample_database, output=tmp_path)
    window = whole.model_copy(update={"sample": Fraction(1, 100)})
    expected = check(whole).estimate
    assert expected
    warned = list[bool]()
    for free in (expected.bytes, 0):
        monkeypatch.setattr("exporter.preflight.check.free_disk_space", lambda _, free=free: free)
        found = [[finding.where for finding in check(settings).findings] for settings in (whole, window)]
        warned += [str(tmp_path) in places for places in found]
    assert warned == [True, False, True, True]


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
        "window": None,
        "redaction": None,
        "output": {"directory": "output", "free_bytes": 7},
    }


def test_a_locked_table_is_warned_about(source: str, tmp_path: Path) -> None:
    """The check does not wait for it."""
    with psycopg.connect(source) as migration:
        migration.execute("lock table guide.skills")
        preflight = check(Settings(source=source, output=tmp_path))
        pid = migration.info.backend_pid
    found = preflight.findings[0]
    assert re.sub("since [0-9]+", "since N", found.what) == (
        f"is locked right now by pid {pid} (idle in transaction, LOCK TABLE, since N s)"
    )
    remedy = "an export waits for it, up to --lock-timeout (30s)"
    assert (found.severity, found.where, found.remedy) == (Severity.WARNING, "guide.skills", remedy)
    assert preflight.exportable
    assert preflight.estimate and preflight.estimate.based_on(Basis.UNKNOWN) == ["guide.skills"]


def names(preflight: Preflight) -> list[tuple[str, str]]:
    """Where errors are, and what they are."""
    return [(finding.where, finding.what) for finding in preflight.errors]


def test_a_database_without_any_of_the_tables(database: str, tmp_path: Path) -> None:
    """One finding, and no estimate."""
    preflight = check(Settings(source=database, output=tmp_path))
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    what = f"none of the model's {len(tables())} tables is in it"
    assert preflight.findings == [Finding(Severity.ERROR, str(name), what, "is it the right database?")]
    assert (preflight.estimate, preflight.guessed, preflight.fits) == (None, False, False)


def test_missing_names_are_those_that_init_would_guess(source: str, tmp_path: Path) -> None:
    """A table elsewhere, also in a schema of another name, and a column; never one that the model uses itself."""
    execute(
        source,
        """
        alter table offers.offer_definitions rename to defs;
        alter table guide.skills rename column description to descr;
        create schema crm;
        alter table marketing.leads set schema crm;
        """,
    )
    preflight = check(Settings(source=source, output=tmp_path))
    assert names(preflight) == [
        ("offers.offer_definitions", "no such table, the nearest is offers.defs (6 of 6 columns)"),
        ("marketing", "no such schema, or nothing in it, for leads; similar: crm.leads (10 of 10 columns)"),
        ("guide.skills.description", "no such column, the nearest is descr"),
    ]
    assert (preflight.estimate, preflight.guessed) == (None, True)
    mapped = Settings(
        source=source,
        output=tmp_path,
        tables={"offers.offer_definitions": "offers.defs", "marketing.leads": "crm.leads"},
        columns={"guide.skills": {"description": "descr"}},
    )
    assert check(mapped).exportable


def test_an_output_that_cannot_be_written(source: str, tmp_path: Path) -> None:
    """It is found beside everything else, and only a source that does not fit is the source's fault."""
    (tmp_path / "file").touch()
    for output, what in (
        (tmp_path / "no" / "such", f"{tmp_path / 'no'} does not exist; create it, or choose another --output"),
        (tmp_path / "file", f"{tmp_path / 'file'} is not a directory; choose another --output"),
    ):
        preflight = check(Settings(source=source, output=output))
        assert (names(preflight), preflight.fits, preflight.exportable) == ([("output", what)], True, False)
    execute(source, "drop table marketing.leads")
    assert not check(Settings(source=source, output=tmp_path / "file")).fits
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
