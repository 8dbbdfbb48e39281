"""Windows of the sample: parts of its faithful export, whatever chunks they are read in and whatever the server leaves
out; every row accounted for; and nothing written where a window cannot be."""

from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from exporter.errors import ExporterError, RunError, UsageError
from exporter.model.window import WHOLE
from exporter.pipeline import extract
from exporter.pipeline.run import ExportResult
from exporter.settings import Settings
from exporter.source import window_plan
from tests.oracle.window import window_differences
from tests.support.exporting import export

LAST_DAYS = {"since": "2026-11-21", "until": "2026-11-22T12:00Z"}
WINDOWS: dict[str, dict[str, Any]] = {
    "days": LAST_DAYS,
    "sample": {"sample": "5%", "without": ["Notification"]},
    "sample of days": {"sample": "30%", "sample_seed": 3, **LAST_DAYS},
    "roots": {"roots": ["Customer:customer_id=20005", "Guide:id=1"]},
}


@pytest.fixture(scope="module")
def faithful(sample_database: str, tmp_path_factory: pytest.TempPathFactory) -> ExportResult:
    """The faithful export of the sample."""
    return export(settings(sample_database, tmp_path_factory.mktemp("output")))


def settings(uri: str, output: Path, **asked: Any) -> Settings:
    return Settings(source=uri, output=output, workers=1, **asked)


def data_files(directory: Path) -> dict[str, set[bytes]]:
    """The lines of each entity's files and rejects."""
    found = dict[str, set[bytes]]()
    for folder in ("nodes", "relationships", "rejects"):
        for path in sorted((directory / folder).rglob("*.csv")):
            found.setdefault(str(path.parent.relative_to(directory)), set()).update(path.read_bytes().split(b"\n"))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", WINDOWS)
def test_a_window_is_the_same_however_it_is_read(
    name: str, faithful: ExportResult, sample_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part of the faithful export, from small chunks; the same lines from large ones, where the server leaves nothing
    out. The manifest accounts for every row."""
    with monkeypatch.context() as patched:
        patched.setattr(extract, "chunk_bytes", lambda memory, workers: 32 << 10)
        window = export(settings(sample_database, tmp_path / "chunks", **WINDOWS[name]))
    assert window_differences(faithful.directory, window.directory) == []
    assert_accounted(window, faithful)
    monkeypatch.setattr(window_plan, "condition", lambda source, window, ways, sets: None)
    unlimited = export(settings(sample_database, tmp_path / "unlimited", **WINDOWS[name]))
    assert data_files(window.directory) == data_files(unlimited.directory)
    assert len(window.profile.tables) > len(unlimited.profile.tables)


def assert_accounted(window: ExportResult, faithful: ExportResult) -> None:
    """Each entity has all rows of its table, in or outside; whole tables have none outside."""
    of_tables = {entry.table: entry.table_rows for entry in faithful.manifest.entities}
    outside = dict[str, int]()
    for entry in window.manifest.entities:
        assert entry.table_rows == of_tables[entry.table], entry.name
        assert entry.outside_window == 0 or entry.table not in WHOLE
        outside[entry.table] = entry.outside_window
    entry = window.manifest.window
    assert entry is not None
    total = sum(of_tables.values())
    assert (entry.rows.inside, entry.rows.of) == (total - sum(outside.values()), total)
    assert 0 < sum(pulled.rows for pulled in entry.pulled) < entry.rows.inside < total
    assert window.manifest.format == 2 and faithful.manifest.window is None


def test_chunks_without_a_row_that_is_in_are_not_read(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The notifications of the last hours are at the end of their table."""
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute(
            "insert into notifications.notifications"
            " (id, auth_user_id, title, event_type, channel, is_read, created_at) select gen_random_uuid(), '1',"
            " repeat('x', 400), 'a', 'b', true, '2026-01-01Z'::timestamptz + n * interval '1 hour'"
            " from generate_series(1, 3000) n"
        )
    monkeypatch.setattr(extract, "chunk_bytes", lambda memory, workers: 64 << 10)
    window = export(settings(source, tmp_path, since="2026-05-03"))
    chunks = [chunk.rows for chunk in window.profile.tables if chunk.table == "notifications.notifications"]
    # One chunk of links is four of rows, and the last one shares a block with the one before.
    assert sum(chunks) == 73 and len(chunks) <= 5
    entry = window.manifest.window
    assert entry is not None and (entry.rows.inside, entry.rows.of) == (73, 3000)


def test_what_the_server_leaves_out_and_the_closure_has_not_is_a_fault(
    sample_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows of a window are found twice, by sets of ids and by a condition in SQL; the numbers must agree."""
    monkeypatch.setattr(window_plan, "condition", lambda source, window, ways, sets: sql.SQL("false"))
    with pytest.raises(RunError) as failed:
        export(settings(sample_database, tmp_path, sample="10%"))
    assert "rows in the snapshot, but 0 were read and" in str(failed.value)
    assert_nothing_written(tmp_path)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"since": "2031-01-01"}, "--since 2031-01-01 00:00:00 UTC is later than the snapshot of the source"),
        ({"until": "1990-01-01"}, "nothing is in this window: no row of the source is what it asks for"),
        ({"sample": "0.000001%"}, "nothing is in this window: no row of the source is what it asks for"),
        ({"roots": ["Customer:phone_number=9999999999"]}, "no row of the source is what --root asks for:"),
        ({"since": "1d", "until": "2d"}, "--since is not before --until, so no time is between them"),
    ],
)
def test_a_window_with_nobody_in_it_is_refused(
    asked: dict[str, Any], words: str, sample_database: str, tmp_path: Path
) -> None:
    """One sentence, exit code 2, nothing written, and no value of a root is repeated."""
    with pytest.raises(ExporterError) as failed:
        export(settings(sample_database, tmp_path, **asked))
    assert str(failed.value).startswith(words)
    assert isinstance(failed.value, UsageError) and "9999999999" not in str(failed.value)
    assert_nothing_written(tmp_path)


def assert_nothing_written(output: Path) -> None:
    assert [path.name for path in output.iterdir() if path.name != ".lock"] == []
