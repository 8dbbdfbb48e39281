"""What an export would hold and take, by the statistics of its source and by an export before."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from exporter.model.tables import tables
from exporter.preflight.estimate import Basis, Estimate, estimate
from exporter.preflight.statistics import Statistics, read_statistics
from exporter.settings import Settings
from exporter.sink.manifest import Manifest, read_manifest
from exporter.source.catalog import read_catalog
from exporter.source.connection import connect
from exporter.source.mapping import NameMapping
from tests.support.exporting import export

AS_IT_IS = NameMapping()
NAMES = [table.name for table in tables()]


def estimated(uri: str, previous: Manifest | None = None, without: tuple[str, ...] = ()) -> Estimate:
    """The estimate of a source, as if some tables had no statistics."""
    with connect(uri, "test", lock_seconds=3) as connection:
        catalog = read_catalog(connection, AS_IT_IS.schemas())
        statistics, _ = read_statistics(connection, NAMES)
    return estimate(
        catalog, {name: known for name, known in statistics.items() if name not in without}, AS_IT_IS, previous
    )


@pytest.fixture(scope="module")
def previous(sample_database: str, tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """The manifest of an export of the sample."""
    output: Path = tmp_path_factory.mktemp("previous") / "output"
    return read_manifest(export(Settings(source=sample_database, output=output)).directory)


def test_an_estimate_is_near(sample_database: str, previous: Manifest) -> None:
    """With statistics all rows, and a fifth of the bytes more or less; each table of the model in its order."""
    with psycopg.connect(sample_database, autocommit=True) as connection:
        connection.execute("analyze")
        counts = [connection.execute(f"select count(*) from {name}").fetchone() for name in NAMES]
    found = estimated(sample_database)
    assert [(each.table, each.name, each.rows) for each in found.tables] == [
        (name, name, count[0]) for name, count in zip(NAMES, counts, strict=True) if count
    ]
    assert found.based_on(Basis.STATISTICS) == NAMES
    assert 0.8 < found.bytes / previous.totals.bytes < 1.2
    assert (found.seconds, found.rule) == (
        2.0 + found.rows / 550_000,
        "at 550,000 rows or 90 MB a second, as measured on two cores; yours may differ",
    )


def test_a_source_like_the_one_before(sample_database: str, previous: Manifest) -> None:
    """The bytes and the time are those of that export, and so is a table of which nothing else is known."""
    with psycopg.connect(sample_database, autocommit=True) as connection:
        connection.execute("analyze")
    found = estimated(sample_database, previous, without=("marketing.leads",))
    took = (previous.finished_at - previous.started_at).total_seconds()
    assert (found.bytes, found.based_on(Basis.PREVIOUS)) == (previous.totals.bytes, ["marketing.leads"])
    assert (round(found.seconds, 6), found.rule) == (round(took, 6), "as fast as the previous export")
    unknown = estimated(sample_database, without=("marketing.leads",))
    assert [(each.rows, each.bytes) for each in unknown.tables if each.basis is Basis.UNKNOWN] == [(None, None)]
    assert unknown.based_on(Basis.UNKNOWN) == ["marketing.leads"]


def test_an_empty_source(source: str, previous: Manifest) -> None:
    """Nothing, in the time that a start takes; an export of many rows tells nothing of that."""
    for before in (None, previous):
        found = estimated(source, before)
        assert (found.rows, found.bytes, found.seconds) == (0, 0, 2.0)


def test_a_clock_that_went_backwards(sample_database: str, previous: Manifest) -> None:
    """The export before took less than no time: it says nothing of the next one."""
    backwards = replace(previous, finished_at=previous.started_at - timedelta(hours=1))
    assert estimated(sample_database, backwards).seconds > 2.0


def test_wide_rows_take_their_time(sample_database: str) -> None:
    """A million rows of 100 kB are read by bytes, not by rows."""
    with connect(sample_database, "test", lock_seconds=3) as connection:
        catalog = read_catalog(connection, AS_IT_IS.schemas())
    wide = {"guide.saved_messages": Statistics(1_000_000, True, 100_000_000_000)}
    found = estimate(catalog, wide, AS_IT_IS, None)
    assert 1_000 < found.seconds < 1_300


def test_tables_that_are_not_there(database: str) -> None:
    """They are left to the findings."""
    assert estimated(database).tables == ()
