"""What an export will hold and how long it will take, by the source's statistics and by a previous export."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from exporter.model.tables import tables
from exporter.preflight.estimate import Basis, Estimate, estimate, previous_export
from exporter.preflight.statistics import TableStatistics, read_statistics
from exporter.settings import Settings
from exporter.sink.manifest import Manifest, read_manifest
from exporter.source.catalog import read_catalog
from exporter.source.connection import connect
from exporter.source.mapping import NameMapping
from tests.support import tiny_export
from tests.support.exporting import export

AS_IT_IS = NameMapping()
NAMES = [table.name for table in tables()]


def estimated(uri: str, previous: Manifest | None = None, without: tuple[str, ...] = ()) -> Estimate:
    """The estimate of a source, without the statistics of some tables."""
    with connect(uri, "test", lock_seconds=3) as connection:
        catalog = read_catalog(connection, AS_IT_IS.schemas())
        statistics, _ = read_statistics(connection, NAMES)
    kept = {name: known for name, known in statistics.items() if name not in without}
    return estimate(catalog, kept, AS_IT_IS, previous)


@pytest.fixture(scope="module")
def previous(sample_database: str, tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """The manifest of an export of the sample."""
    output: Path = tmp_path_factory.mktemp("previous") / "output"
    return read_manifest(export(Settings(source=sample_database, output=output)).directory)


def test_an_analyzed_source_is_estimated_closely(sample_database: str, previous: Manifest) -> None:
    """Rows exactly, bytes within a fifth; each table of the model, in its order."""
    with psycopg.connect(sample_database, autocommit=True) as connection:
        connection.execute("analyze")
        counts = [connection.execute(f"select count(*) from {name}").fetchone() for name in NAMES]
    found = estimated(sample_database)
    assert [(table.table, table.name, table.rows) for table in found.tables] == [
        (name, name, count[0]) for name, count in zip(NAMES, counts, strict=True) if count
    ]
    assert found.based_on(Basis.STATISTICS) == NAMES
    assert 0.8 < found.bytes / previous.totals.bytes < 1.2
    assert (found.seconds, found.rule) == (
        2.0 + found.rows / 550_000,
        "at 550,000 rows or 90 MB a second, as measured on two cores; yours may differ",
    )


def test_a_comparable_previous_export_gives_bytes_and_time(sample_database: str, previous: Manifest) -> None:
    """And the rows of a table of which nothing else is known."""
    with psycopg.connect(sample_database, autocommit=True) as connection:
        connection.execute("analyze")
    found = estimated(sample_database, previous, without=("marketing.leads",))
    seconds = (previous.finished_at - previous.started_at).total_seconds()
    assert (found.bytes, found.based_on(Basis.PREVIOUS)) == (previous.totals.bytes, ["marketing.leads"])
    assert (round(found.seconds, 6), found.rule) == (round(seconds, 6), "as fast as the previous export")
    unknown = estimated(sample_database, without=("marketing.leads",))
    assert [(table.rows, table.bytes) for table in unknown.tables if table.basis is Basis.UNKNOWN] == [(None, None)]
    assert unknown.based_on(Basis.UNKNOWN) == ["marketing.leads"]


def test_the_previous_export_is_one_of_this_source(sample_database: str, source: str, tmp_path: Path) -> None:
    """By the identity that its manifest has or the user gave, and by the graph model; another database on the same
    server is another source. An output directory that is not there has none."""

    def previous_of(uri: str, output: Path = tmp_path, source_name: str | None = None) -> str | None:
        with connect(uri, "test", lock_seconds=3) as connection:
            found = previous_export(connection, Settings(output=output, source_name=source_name))
        return found.source.database if found else None

    assert previous_of(sample_database, tmp_path / "missing") is None
    exported = export(Settings(source=sample_database, output=tmp_path)).directory
    assert [previous_of(uri) for uri in (sample_database, source)] == ["sample", None]
    assert previous_of(sample_database, source_name="production") is None
    tiny_export.change_source(exported, "production")
    assert [previous_of(uri, source_name="production") for uri in (sample_database, source)] == ["sample", "sample"]
    manifest = tiny_export.manifest(exported)
    manifest["model"] = {"sha256": "0" * 64}
    tiny_export.write_manifest(exported, manifest)
    assert previous_of(sample_database, source_name="production") is None


def test_an_empty_source_takes_the_time_of_a_start(source: str, previous: Manifest) -> None:
    """A previous export of many rows is not comparable."""
    for before in (None, previous):
        found = estimated(source, before)
        assert (found.rows, found.bytes, found.seconds) == (0, 0, 2.0)


def test_a_previous_export_of_negative_duration_is_ignored(sample_database: str, previous: Manifest) -> None:
    """As happens when the clock is set back."""
    backwards = replace(previous, finished_at=previous.started_at - timedelta(hours=1))
    assert estimated(sample_database, backwards).seconds > 2.0


def test_wide_rows_take_time_by_their_bytes(sample_database: str) -> None:
    """A million rows of 100 kB take much longer than a million narrow ones."""
    with connect(sample_database, "test", lock_seconds=3) as connection:
        catalog = read_catalog(connection, AS_IT_IS.schemas())
    wide = {"guide.saved_messages": TableStatistics(1_000_000, True, 100_000_000_000)}
    found = estimate(catalog, wide, AS_IT_IS, None)
    assert 1_000 < found.seconds < 1_300


def test_missing_tables_are_not_estimated(database: str) -> None:
    """The findings report them."""
    assert estimated(database).tables == ()
