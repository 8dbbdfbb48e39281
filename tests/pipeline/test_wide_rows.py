"""Tables with texts of 100 kB and more, anywhere: chunks keep to their limit, and an export to its memory."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import sql

from benchmarks.meter import PeakMemory
from exporter.model.tables import tables
from exporter.source.catalog import read_catalog, read_sizes
from exporter.source.chunks import Chunker
from exporter.source.connection import connect
from exporter.source.mapping import NameMapping
from exporter.source.select import SourceTable
from tests.support.export_process import EXPORTER
from tests.support.stalling_source import copied, execute

pytestmark = pytest.mark.slow

TABLES = {table.name: table for table in tables()}
NOTIFICATIONS = """
insert into notifications.notifications
select gen_random_uuid(), n::text, 'customer', 'BOOKED', 'PUSH', 'HIGH', '{kind}', {text}, true, now()
from generate_series(1, {rows}) n
"""
NARROW = NOTIFICATIONS.format(kind="narrow", rows=20_000, text="'a text as they are, with number ' || n")
COMPRESSED = NOTIFICATIONS.format(kind="compressed", rows=750, text="repeat('text ', 20000)")
OUT_OF_LINE = NOTIFICATIONS.format(kind="out of line", rows=750, text="repeat('\"text\" ', 14000)")
VERY_WIDE = NOTIFICATIONS.format(kind="very wide", rows=3, text="repeat('text ', 400000)")
UNCOMPRESSED = "alter table notifications.notifications alter body set storage external"
# Nothing of it lies out of line.
SAVED_MESSAGES = """
insert into guide.saved_messages (id, guide_id, title, content, created_at)
select n, 1, 'a title', case when n between 20000 and 22000 then repeat('text ', 20000) else 'a text' end, now()
from generate_series(10000, 60000) n
"""


@pytest.fixture(scope="module")
def wide(sample_database: str) -> Iterator[str]:
    """The URI of a source with tables whose rows are narrow except for some regions: of texts that lie in the table and
    compress to a hundredth, and of texts that lie out of line."""
    with copied(sample_database, "wide") as uri:
        execute(uri, NARROW, COMPRESSED, NARROW, UNCOMPRESSED, OUT_OF_LINE, VERY_WIDE, NARROW, SAVED_MESSAGES)
        yield uri


@pytest.mark.parametrize("chunk_bytes", [1 << 20, 8 << 20, 24 << 20])
@pytest.mark.parametrize(
    ("table", "column", "slack"),
    [
        ("notifications.notifications", "body", 1.0),
        # Here one block of each piece stands for all.
        ("guide.saved_messages", "content", 1.15),
    ],
)
def test_a_chunk_holds_what_it_may(wide: str, table: str, column: str, slack: float, chunk_bytes: int) -> None:
    """The texts of each chunk are no more than a chunk's bytes, unless it is one row."""
    with connect(wide, "test", lock_seconds=5) as leader:
        source = SourceTable(read_catalog(leader, [table.split(".")[0]])[table], TABLES[table], NameMapping(), "UTC")
        chunker = Chunker(leader, read_sizes(leader, [table]), {}, chunk_bytes)
        query = sql.SQL("select count(*)::int, coalesce(sum(octet_length({})), 0)::int from {}")
        query = query.format(sql.Identifier(column), source.name)
        held = [
            leader.execute(chunk.encode()).fetchall()[0]
            for chunk in [chunker.query(query, span) for span in chunker.spans(source)]
        ]
        (total,) = leader.execute(query).fetchall()
    assert tuple(sum(column) for column in zip(*held, strict=True)) == total
    assert [(rows, length) for rows, length in held if length > chunk_bytes * slack and rows > 1] == []
    assert len(held) < 2 * total[1] / chunk_bytes + 2


def test_the_memory_of_an_export(wide: str, tmp_path: Path) -> None:
    """All processes together stay within --memory."""
    command = [EXPORTER, "export", "--source", wide, "--output", tmp_path, "--memory", "400MB"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        memory = PeakMemory(process.pid)
        assert process.wait() == 0
    peak = memory.stop()
    assert peak < 400 << 20
