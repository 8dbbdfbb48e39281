"""The leader's side of an extraction: check, lock, key index, tables. The workers' side is worker.py.

Only these two modules join source, shape and sink.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from exporter.errors import SnapshotError
from exporter.pipeline.messages import Chunk, ChunkDone, Context, IndexDone
from exporter.pipeline.pool import Pool
from exporter.pipeline.redaction import Redaction, masked_tables
from exporter.pipeline.tasks import export_chunks, find_repeated, read_index
from exporter.pipeline.timing import StageTimer
from exporter.settings import Settings
from exporter.sink.layout import HEARTBEATS
from exporter.sink.publish import PartialExport
from exporter.source.chunks import Chunker
from exporter.source.common_values import masking_of
from exporter.source.connection import Connection
from exporter.source.leader import Snapshot, end_readers, exportable_source
from exporter.source.locks import LockWaits, lock_waits
from exporter.source.plan import Planner
from exporter.source.queries import IndexQuery, Read, TableQueries
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
    redaction: Redaction | None = None


def extract(
    settings: Settings,
    pool: Pool,
    connection: Connection,
    partial: PartialExport,
    timer: StageTimer,
    redaction: Redaction | None = None,
) -> Extract:
    """Reads every table in one snapshot and writes its files, masked if there is a `redaction`. Raises `SourceError` or
    `RunError`."""
    readers, locks = f"exporter {partial.stamp} reader", LockWaits(timer.listener.waiting)
    with timer.stage("check"), locks.watched(connection, settings.source or ""):
        source = exportable_source(connection, settings.mapping, timezone=settings.timezone)
        # Measured before the snapshot, so that later writes by others do not move the cuts between chunks.
        sizes = source.sizes()
    with timer.stage("lock"):
        with locks.watched(connection, settings.source or ""):
            snapshot = source.take_snapshot()
        keys = redaction.key.settings() if redaction else None
        address = worker_address(connection, readers, lock_seconds=settings.lock_timeout, settings=keys)
        views = frozenset(name for name, relation in source.relations().items() if not relation.is_table)
        heartbeats = partial.directory / HEARTBEATS
        masking = masking_of(source, redaction.rules, settings.timezone) if redaction else None
        counts = source.count_views()
        chunker = Chunker(connection, sizes, counts, chunk_bytes(settings.memory, settings.workers))
        planner = Planner(source, settings.timezone, chunker, masking)
        masked = masked_tables(planner, masking) if masking else None
        context = Context(address, snapshot.pre_execution, partial.directory, heartbeats, masked)
        reading = Reading(pool, context, planner, partial, timer)
        index_queries = reading.planner.index_queries()
    watchdog = Watchdog(connection, readers, heartbeats, idle_limit(settings.stall_timeout))
    with end_readers_on_error(settings, pool, watchdog), reading.watched(watchdog, locks, settings.stall_timeout):
        with timer.stage("keys"):
            tasks = reading.submit(index_queries)
            # The leader counts and plans while the workers read. Measured: 0.1 s per million rows.
            counts = counts | source.count_tables()
            timer.listener.totals(counts, heartbeats)
            table_queries = reading.planner.table_queries()
            index = reading.complete_index(tasks)
            if reading.planner.distrusted:
                table_queries = reading.planner.table_queries()
        with timer.stage("tables"):
            chunks, index = reading.without_repeated_keys(reading.exported(table_queries), index)
        counts |= source.recount(miscounted(counts, index, chunks) - views)
        watchdog.poll()  # the snapshot was held until the end
    pool.shutdown()
    return Extract(snapshot, counts, index, chunks, redaction)


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading the tables of a source into a partial export needs."""

    pool: Pool
    context: Context
    planner: Planner
    partial: PartialExport
    timer: StageTimer

    @contextmanager
    def watched(self, watchdog: Watchdog, locks: LockWaits, stall_timeout: float) -> Iterator[None]:
        """Looks after the readers while the block runs: whether they make progress, and which locks they wait for."""

        def poll() -> None:
            watchdog.poll()
            locks.report(lock_waits(watchdog.connection, 0, watchdog.application))

        with locks.explained(), self.timer.polling(poll, stall_timeout / POLLS_PER_TIMEOUT):
            yield
        locks.report([])

    def complete_index(self, tasks: list[Future[list[IndexDone]]]) -> list[IndexDone]:
        """The results of the key index. Tables in which a key occurs twice, though the catalog promises otherwise, are
        distrusted from now on, and their part of the index is read again."""
        index = self.finished(tasks)
        queries = self.planner.distrust(done.table for done in index if done.repeated and done.table)
        return [*index, *self.finished(self.submit(queries))]

    def submit(self, queries: Iterable[IndexQuery]) -> list[Future[list[IndexDone]]]:
        """Starts reading parts of the key index."""
        return [self.pool.submit(read_index, self.context, queries) for queries in together(queries)]

    def finished(self, tasks: list[Future[list[IndexDone]]]) -> list[IndexDone]:
        """The parts of the key index that some tasks have read."""
        return [done for parts in self.pool.finished(tasks, self.timer.tick) for done in parts]

    def exported(self, queries: Iterable[TableQueries]) -> list[ChunkDone]:
        """Exports tables chunk by chunk; their files are passed to the flusher, and the listener is told."""
        tasks = [self.pool.submit(export_chunks, self.context, chunks) for chunks in chunk_tasks(queries)]
        finished = []
        for chunks in self.pool.finished(tasks, self.timer.tick):
            for done in chunks:
                self.partial.flusher.add(done.files())
                self.timer.listener.advance(done.chunk.table, done.rows_read, done.rejects)
                finished.append(done)
        return finished

    def without_repeated_keys(
        self, chunks: list[ChunkDone], index: list[IndexDone]
    ) -> tuple[list[ChunkDone], list[IndexDone]]:
        """The chunks and index queries of a run in which no key is exported twice. Tables in which the catalog was
        wrong about that are exported again, now with a look at what precedes each row."""
        tables = dict.fromkeys(done.chunk.table for done in chunks)
        found = {name: self.pool.submit(find_repeated, self.context, name) for name in tables}
        for _ in self.pool.finished(list(found.values()), self.timer.tick):
            pass
        before = self.planner.distrusted
        queries = self.planner.distrust(name for name, repeated in found.items() if repeated.result())
        if not queries:
            return chunks, index
        again = self.planner.distrusted - before
        self.take_back([done for done in chunks if done.chunk.table in again])
        index = [*index, *self.finished(self.submit(queries))]
        table_queries = [queries for queries in self.planner.table_queries() if queries.table in again]
        kept = [done for done in chunks if done.chunk.table not in again]
        return kept + self.exported(table_queries), index

    def take_back(self, chunks: Iterable[ChunkDone]) -> None:
        """Removes the files of chunks."""
        self.partial.flusher.finish()
        for done in chunks:
            for record in done.files():
                (self.partial.directory / record.path).unlink()
            self.timer.listener.advance(done.chunk.table, -done.rows_read, -done.rejects)


def miscounted(counts: dict[str, int], index: Iterable[IndexDone], chunks: Iterable[ChunkDone]) -> set[str]:
    """The tables of which other numbers of rows were counted than read."""
    rows_read = Counter[str]()
    for done in chunks:
        rows_read[done.chunk.table] += done.rows_read
    keys_read = {done.table for done in index if done.table and done.rows_read != counts[done.table]}
    return keys_read | {table for table, count in counts.items() if rows_read[table] != count}


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


# How many small tables are read together.
TABLES_A_TASK = 8


class Readable(Protocol):
    """What is read by one or several reads."""

    @property
    def reads(self) -> tuple[Read, ...]: ...


SomeReadable = TypeVar("SomeReadable", bound=Readable)


def together(items: Iterable[SomeReadable]) -> list[tuple[SomeReadable, ...]]:
    """The items of each task, in their order: one, or at the end several that are small."""
    alone, small = list[SomeReadable](), list[SomeReadable]()
    for item in items:
        (small if all(read.joinable for read in item.reads) else alone).append(item)
    shared = [tuple(small[first : first + TABLES_A_TASK]) for first in range(0, len(small), TABLES_A_TASK)]
    return [*((item,) for item in alone), *shared]


def chunk_tasks(tables: Iterable[TableQueries]) -> list[tuple[Chunk, ...]]:
    """The chunks of each task, the largest tables first; small tables share one."""
    return together(chunk for table in sorted(tables, key=lambda table: -table.bytes) for chunk in chunks_of(table))


def chunks_of(table: TableQueries) -> list[Chunk]:
    """The chunks of a table."""
    pairs = enumerate(zip(table.reads, table.fallback, strict=True), 1)
    return [Chunk(table.table, number, read, fallback) for number, (read, fallback) in pairs]
