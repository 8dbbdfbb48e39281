"""The leader's side of an extraction: check, lock, key index, tables. The workers' side is worker.py.

Only these two modules join source, shape and sink.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass

from exporter.errors import SnapshotError
from exporter.pipeline.messages import Chunk, ChunkDone, Context, IndexDone
from exporter.pipeline.pool import Pool
from exporter.pipeline.tasks import export_chunks, read_index
from exporter.pipeline.timing import StageTimer
from exporter.settings import Settings
from exporter.sink.files import Flusher
from exporter.sink.layout import HEARTBEATS
from exporter.sink.publish import PartialExport
from exporter.source.chunks import Chunker
from exporter.source.connection import Connection
from exporter.source.leader import Snapshot, end_readers, exportable_source
from exporter.source.plan import Planner
from exporter.source.queries import TableQueries
from exporter.source.reader_address import worker_address
from exporter.source.watchdog import POLLS_PER_TIMEOUT, Watchdog, idle_limit


@dataclass(frozen=True, slots=True)
class Extract:
    """What was read from a source and written to a partial export: the snapshot, `count(*)` of every table in it, and
    the results of all tasks."""

    snapshot: Snapshot
    counts: dict[str, int]
    index: list[IndexDone]
    chunks: list[ChunkDone]


def extract(
    settings: Settings, pool: Pool, connection: Connection, partial: PartialExport, timer: StageTimer
) -> Extract:
    """Reads every table in one snapshot and writes its files. Raises `SourceError` or `RunError`."""
    readers, heartbeats = f"exporter {partial.stamp} reader", partial.directory / HEARTBEATS
    with timer.stage("check"):
        source = exportable_source(connection, settings.mapping, timezone=settings.timezone)
        # Measured before the snapshot, so that later writes by others do not move the cuts between chunks.
        sizes = source.sizes()
    with timer.stage("lock"):
        snapshot = source.take_snapshot()
        address = worker_address(connection, readers, lock_seconds=settings.lock_timeout)
        context = Context(address, snapshot.pre_execution, partial.directory, heartbeats)
        view_counts = source.count_views()
        chunker = Chunker(connection, sizes, view_counts, chunk_bytes(settings.memory, settings.workers))
        planner = Planner(source, settings.timezone, chunker)
        index_queries = planner.index_queries()
    watchdog = Watchdog(connection, readers, heartbeats, idle_limit(settings.stall_timeout))
    with (
        end_readers_on_error(settings, pool, watchdog),
        timer.polling(watchdog.poll, settings.stall_timeout / POLLS_PER_TIMEOUT),
    ):
        with timer.stage("keys"):
            index_tasks = [pool.submit(read_index, context, query) for query in index_queries]
            # The leader counts and plans while the workers read. Measured: 0.1 s per million rows.
            counts = view_counts | source.count_tables()
            timer.listener.totals(counts, heartbeats)
            table_queries = planner.table_queries()
            index = list(pool.finished(index_tasks, timer.tick))
        with timer.stage("tables"):
            table_tasks = [pool.submit(export_chunks, context, chunks) for chunks in chunk_tasks(table_queries)]
            chunks = list(finished_chunks(pool, table_tasks, partial.flusher, timer))
        watchdog.poll()  # the snapshot was held until the end
    pool.shutdown()
    return Extract(snapshot, counts, index, chunks)


@contextmanager
def end_readers_on_error(settings: Settings, pool: Pool, watchdog: Watchdog) -> Iterator[None]:
    """After an error in the block, stops the workers and their server-side queries. If a reader lost its snapshot, its
    error is replaced by the reason that the leader's connection gives, if any."""
    try:
        yield
    except BaseException as error:
        pool.kill()
        end_readers(settings.source or "", watchdog.application, watchdog.server)
        if isinstance(error, SnapshotError):
            watchdog.ask()  # raises why
        raise


# Measured: the leader takes 52 MB, each of two workers 130 with what it maps of the key index of ten million rows, and
# the bytes of its chunk five (wide texts) to seven times (narrow rows, numerics, text keys); chunks of more than 24 MB
# are not faster.
LEADER_BYTES = 52 << 20
WORKER_BYTES = 130 << 20
CHUNK_FACTOR = 7
LARGEST_CHUNK = 24 << 20
SMALLEST_CHUNK = 1 << 20


def chunk_bytes(memory: int, workers: int) -> int:
    """The bytes of a table that a chunk may span so that all processes together stay within `memory` bytes."""
    share = (memory - LEADER_BYTES) // workers - WORKER_BYTES
    return max(SMALLEST_CHUNK, min(LARGEST_CHUNK, share // CHUNK_FACTOR))


def finished_chunks(
    pool: Pool, tasks: Sequence[Future[list[ChunkDone]]], flusher: Flusher, timer: StageTimer
) -> Iterator[ChunkDone]:
    """The chunks as they finish; their files are passed to the flusher, and the listener is told."""
    for chunks in pool.finished(tasks, timer.tick):
        for done in chunks:
            flusher.add(done.files())
            timer.listener.advance(done.chunk.table, done.rows_read, done.rejects)
            yield done


# Tables below this size share a task: most of the 35 are nearly empty.
SMALL_TABLE = 1 << 20
TABLES_A_TASK = 8


def chunk_tasks(tables: Iterable[TableQueries]) -> list[tuple[Chunk, ...]]:
    """The chunks of each task, the largest tables first; small tables share one."""
    large, small = [], []
    for table in sorted(tables, key=lambda table: -table.bytes):
        pairs = zip(table.queries, table.fallback, strict=True)
        chunks = [Chunk(table.table, number, query, fallback) for number, (query, fallback) in enumerate(pairs, 1)]
        if len(chunks) == 1 and table.bytes < SMALL_TABLE:
            small += chunks
        else:
            large += [(chunk,) for chunk in chunks]
    return large + [tuple(small[first : first + TABLES_A_TASK]) for first in range(0, len(small), TABLES_A_TASK)]
