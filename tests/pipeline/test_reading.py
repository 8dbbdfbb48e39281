"""Reads in a worker: packed, or plainly where that is impossible; the rows are the same."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from exporter.errors import SourceError
from exporter.model.tables import tables
from exporter.pipeline import reading
from exporter.pipeline.messages import Context
from exporter.pipeline.reading import frames, read_frame
from exporter.sink.attempts import prepare
from exporter.source.connection import connect
from exporter.source.queries import Read
from exporter.source.reader import TooMuchError, read
from exporter.source.reader_address import worker_address
from exporter.source.unpacking import UnpackableError
from tests.support.plans import planner_of
from tests.support.stalling_source import execute

ALONE = ["begin isolation level repeatable read read only"]
SKILLS = (
    "insert into guide.skills select n, 'skill ' || n, case when n % 3 > 0 then 'x' end from generate_series(1, 99) n"
)


@pytest.fixture
def context(source: str, tmp_path: Path) -> Context:
    """The context of a worker's tasks, from a leader that does not stay."""
    with connect(source, "exporter test", lock_seconds=1) as leader:
        address = worker_address(leader, "exporter test reader", lock_seconds=1)
    prepare(tmp_path)
    return Context(address, ALONE, tmp_path)


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    """Each test in a process that has read nothing yet."""
    reading._read_plainly.clear()
    yield
    reading._read_plainly.clear()


def reads_of(uri: str, *names: str) -> list[Read]:
    """The reads of some small tables."""
    with connect(uri, "exporter test", lock_seconds=1) as leader:
        planner = planner_of(leader)
        by_name = {table.name: table for table in tables()}
        return [planner.queries_of(by_name[name]).reads[0] for name in names]


def test_a_text_with_the_separator_is_read_plainly(source: str, context: Context) -> None:
    """The table is remembered: from then on only its plain query is sent. Others beside it stay packed."""
    execute(source, f"{SKILLS}; update guide.skills set name = E'a\\x01b' where id = 50")
    names = ("guide.skills", "guide.languages")
    skills, languages = frames(context, reads_of(source, *names), names)
    found = skills()
    rows = {row[0]: row[1:] for row in found.select("id", "name", "description").iter_rows()}
    assert rows[50] == ("a\x01b", "x")
    assert (len(rows), rows[51], languages().height) == (99, ("skill 51", None), 0)
    assert reading._read_plainly == {"guide.skills"}
    (how,) = reads_of(source, "guide.skills")
    broken = replace(how, packed="select 1/0")
    assert read_frame(context, broken, "guide.skills").equals(found)


def test_one_table_that_cannot_be_read_is_named(source: str, context: Context) -> None:
    """Several are read together; where that fails, each is read alone, and the error names the table and the row."""
    execute(source, f"{SKILLS}; create cast (bytea as text) without function")
    execute(source, "update guide.skills set name = '\\xe9'::bytea::text where id = 7")
    names = ("guide.languages", "guide.skills")
    languages, skills = frames(context, reads_of(source, *names), names)
    assert languages().height == 0
    with pytest.raises(SourceError, match=r"while reading guide\.skills, column name, key 7"):
        skills()


@pytest.mark.parametrize("state", ["54000", "53200"])
def test_too_much_at_a_time_is_read_plainly(source: str, context: Context, state: str) -> None:
    """A packed value may be too large for the server, where its texts alone are not."""
    execute(
        source,
        f"create function public.fail() returns text language plpgsql as $$ begin raise 'x' using errcode = '{state}';"
        " end $$",
    )
    query = "select public.fail() as text"
    with pytest.raises(TooMuchError):
        read(context.address, query, ALONE, "a test")
    with pytest.raises(UnpackableError):
        read(context.address, query, ALONE, "a test", packed=True)
    how = Read("select 'whole' as text", packed=query)
    assert read_frame(context, how, "a test").rows() == [("whole",)]
