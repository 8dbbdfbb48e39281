"""The plan of a window: which links are read, and under which conditions rows are."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from exporter.errors import RunError
from exporter.model.tables import referenced_labels
from exporter.model.ways_in import link_tables
from exporter.model.window import CLOSED_LABELS, Closed, Root, Window
from exporter.source.catalog import Size
from exporter.source.connection import Connection, connect
from exporter.source.queries import IdSet, KeyQueries, placeholder
from exporter.source.window_plan import WindowPlanner, is_certain
from tests.support.plans import planner_of
from tests.support.stalling_source import execute

MOMENT = datetime(2026, 11, 1, tzinfo=UTC)
TIMED = Window(since=MOMENT)
SOMEBODY_S = Window(roots=(Root("AuthUser", "id", "1"),), people={"AuthUser": (1,)})
SETS = {name: IdSet(name, listed=9) for name in ("people/AuthUser", "kept/AuthUser", "kept/Customer", "kept/Guide")}
NOTIFICATIONS, DEVICES, CUSTOMERS = "notifications.notifications", "auth.user_devices", "customers.customer"


@contextmanager
def planner(
    uri: str, window: Window, *, chunk_bytes: int = 1 << 30, sizes: dict[str, Size] | None = None
) -> Iterator[tuple[Connection, WindowPlanner]]:
    """A connection to the source, and a planner for a window of it, for which some tables have other `sizes`."""
    with connect(uri, "test", lock_seconds=3) as leader:
        yield leader, WindowPlanner(planner_of(leader, chunk_bytes=chunk_bytes, sizes=sizes), window)


def test_the_links_of_the_largest_tables_come_first(source: str) -> None:
    """In chunks that are numbered from 1, of every table whose rows may be in."""
    window = Window(without=frozenset({"Notification"}))
    sizes = {CUSTOMERS: Size(64, 64 * 8192, 0), DEVICES: Size(128, 128 * 8192, 0)}
    with planner(source, window, chunk_bytes=8 * 8192, sizes=sizes) as (_, planned):
        queries = planned.link_queries()
    numbers: dict[str, list[int]] = {}
    for query in queries:
        numbers.setdefault(query.table, []).append(query.number)
    assert list(numbers)[:2] == [DEVICES, CUSTOMERS]
    # A chunk of links is as large as four of rows.
    assert (numbers.pop(DEVICES), numbers.pop(CUSTOMERS)) == ([1, 2, 3, 4], [1, 2])
    expected = {table.name for table in link_tables()} - {NOTIFICATIONS, DEVICES, CUSTOMERS}
    assert numbers == {name: [1] for name in expected}


def test_links_have_keys_only_where_these_may_be_wrong(source: str) -> None:
    """That of a consultation's quality is needed only if it may be null or malformed."""
    name = "consultation.consultation_quality_metrics"

    def columns(window: Window) -> list[str]:
        with planner(source, window) as (_, planned):
            return planned.columns(planned.planner.source(next(t for t in link_tables() if t.name == name)))

    assert columns(TIMED) == ["consultation_id"]
    key = next(table for table in link_tables() if table.name == name).key_columns[0]
    execute(source, f"alter table {name} alter {key} type text")
    assert columns(TIMED) == [key, "consultation_id"]


@pytest.mark.parametrize(
    ("column", "type", "required", "certain"),
    [
        ("id", "bigint", True, True),
        ("id", "bigint", False, False),
        ("id", "numeric", True, False),
        ("id", "text", True, False),
        ("name", "text", True, True),
        ("name", "varchar(9)", True, True),
        ("name", "text", False, False),
    ],
)
def test_what_is_certain(source: str, column: str, type: str, required: bool, certain: bool) -> None:
    """A column that has a value in every row, of a type that holds nothing else."""
    execute(
        source,
        f"drop table guide.skills cascade; create table guide.skills (id bigint, name text, description text);"
        f"alter table guide.skills alter {column} type {type};"
        + (f"alter table guide.skills alter {column} set not null" if required else ""),
    )
    with planner(source, TIMED) as (_, planned):
        assert is_certain(planned.planner.source_of("Skill"), column) is certain


def test_uuids_are_certain(source: str) -> None:
    """If they are of the type for them."""
    with planner(source, TIMED) as (_, planned):
        assert is_certain(planned.planner.source_of("Notification"), "id")
    execute(source, f"alter table {NOTIFICATIONS} alter id type text")
    with planner(source, TIMED) as (_, planned):
        assert not is_certain(planned.planner.source_of("Notification"), "id")


@pytest.mark.parametrize(
    ("window", "counts", "limited"),
    [
        (SOMEBODY_S, [(100, 74)], True),
        (SOMEBODY_S, [(100, 75)], False),
        (SOMEBODY_S, [(50, 50), (50, 24)], True),
        (SOMEBODY_S, [(100, 100)], False),
        (TIMED, [(100, 100)], True),  # these were counted among the rows in time
    ],
)
def test_few_rows_are_read_by_a_condition(
    source: str, window: Window, counts: list[tuple[int, int]], limited: bool
) -> None:
    """Where many are in, all are read; of a view always, whose rows are asked what precedes them."""
    closed = Closed({NOTIFICATIONS: tuple(counts)}, {})
    for change in (
        "",
        f"alter table {NOTIFICATIONS} rename to n; create view {NOTIFICATIONS} as table notifications.n",
    ):
        execute(source, change)
        with planner(source, window) as (_, planned):
            only = planned.only(planned.planner.source_of("Notification"), closed, SETS)
        assert (only is not None) == (limited and not change)


def test_ids_are_sent_to_the_server_as_long_as_they_are_few(source: str) -> None:
    """All queries of a table together hold less than 4 MB of them, or read all rows."""
    closed, sizes = Closed({NOTIFICATIONS: ((100, 10), (100, 10))}, {}), {NOTIFICATIONS: Size(64, 64 * 8192, 0)}
    held = placeholder("people/AuthUser", "listed")
    with planner(source, SOMEBODY_S, chunk_bytes=8 * 8192, sizes=sizes) as (leader, planned):
        planned.link_queries()
        table = planned.planner.source_of("Notification")
        only = planned.only(table, closed, SETS)
        assert only is not None
        text = only.as_string(leader)

        def reads(listed: int) -> list[str]:
            sets = SETS | {"people/AuthUser": IdSet("people/AuthUser", listed=listed)}
            return [read.plain for read in planned.queries_of(table.table, closed, sets).reads]

        number = len(reads(1))
        most = (((4 << 20) - 1) // number - len(text)) // text.count(held)
        assert number > 1
        assert [held in read for read in reads(most)] == [True] * number
        assert [held in read for read in reads(most + 1)] == [False] * number


def test_the_rest_of_the_key_index(source: str) -> None:
    """Closed labels' keys are among the links, those of devices are read with their rows."""
    with planner(source, TIMED) as (_, planned):
        queries = planned.index_queries()
        assert planned.pairs() == ["Device"]
    found = {query.label for query in queries if isinstance(query, KeyQueries)}
    assert found == {*referenced_labels()} - {*CLOSED_LABELS, "Device"}
    assert found & {"Language", "PromotionRule"} and CLOSED_LABELS & {*referenced_labels()}


def test_a_source_that_is_gone(source: str) -> None:
    """Whatever was to be planned, this is a failure of the run."""
    closed = Closed({DEVICES: ((9, 1),)}, {})
    with planner(source, TIMED) as (leader, planned):
        planned.link_queries()
        leader.close()
        for plan in (
            planned.link_queries,
            planned.index_queries,
            planned.planner.table_queries,
            lambda: planned.pair_queries(closed, SETS),
            lambda: planned.table_queries(closed, SETS),
            lambda: planned.distrust(["guide.guide_profile"]),
        ):
            with pytest.raises(RunError, match="planning the reads"):
                plan()
