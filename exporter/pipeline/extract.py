"""The leader's side of an extraction: check, lock, key index, tables. The workers' side is worker.py.

Only these two, and their counterparts for windows (window.py, window_worker.py), join source, shape and sink. What only
windows and masked exports need is loaded for them: the rest starts in a tenth of a second less CPU time.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from exporter.errors import SnapshotError
from exporter.pipeline.messages import ChunkDone, Context, IndexDone
from exporter.pipeline.timing import StageTimer
from exporter.pipeline.workers import Enrolled, Run, Workers
from exporter.pipeline.workload import Reading
from exporter.settings import Settings
from exporter.sink.publish import PartialExport
from exporter.source.chunks import Chunker
from exporter.source.connection import Connection
from exporter.source.leader import Snapshot, Source, end_readers, exportable_source
from exporter.source.locks import LockWaits
from exporter.source.plan import Planner
from exporter.source.queries import IndexQuery
from exporter.source.watchdog import Watchdog, idle_limit

if TYPE_CHECKING:
    from exporter.model.window import Closed, Window
    from exporter.pipeline.redaction import Redaction
    from exporter.pipeline.window import WindowReading
    from exporter.source.masking import Masking
    from exporter.source.roots import Resolved


@dataclass(frozen=True, slots=True)
class Extract:
    """What was read from a source and written to a partial export: the snapshot, who did the tasks, `count(*)` of every
    table in the snapshot, and the results of all tasks.

    Of a window also what was asked for, what its closure found, and the rows `outside` of it by table.
    """

    snapshot: Snapshot
    enrolled: Enrolled
    counts: dict[str, int]
    index: list[IndexDone]
    chunks: list[ChunkDone]
    asked: "Resolved | None" = None
    closed: "Closed | None" = None
    outside: Mapping[str, int] = field(default_factory=dict)
    redaction: "Redaction | None" = None


def extract(
    settings: Settings,
    pool: Workers,
    connection: Connection,
    partial: PartialExport,
    timer: StageTimer,
    redaction: "Redaction | None" = None,
) -> Extract:
    """Reads every table in one snapshot and writes its files; of a window, its rows; masked if there is a `redaction`.
    Raises `SourceError`, `RunError`, or `UsageError` for a window that cannot be."""
    readers, locks = f"exporter {partial.stamp} reader", LockWaits(timer.listener.waiting)
    with timer.stage("check"), locks.watched(connection, settings.source or ""):
        source = exportable_source(connection, settings.mapping, timezone=settings.timezone)
        # Measured before the snapshot, so that later writes by others do not move the cuts between chunks.
        sizes = source.sizes()
    with timer.stage("lock"):
        with locks.watched(connection, settings.source or ""):
            snapshot = source.take_snapshot()
        key = redaction.key if redaction else None
        idle = idle_limit(settings.stall_timeout)
        enrolled = pool.enroll(Run(connection, snapshot, partial.directory, readers, settings.lock_timeout, key, idle))
        asked = asked_window(settings, source, snapshot)
        masking = masking_of(settings, source, redaction)
        begun = Extract(snapshot, enrolled, source.count_views(), [], [], asked, redaction=redaction)
        chunker = Chunker(connection, sizes, begun.counts, chunk_bytes(settings.memory, enrolled.sharing))
        planner = Planner(source, settings.timezone, chunker, masking)
        masked = masking.tables(planner.source) if masking else None
        window = without_roots(asked.window, partial.directory) if asked else None
        shared, flushes = enrolled.directory, enrolled.cluster is not None
        context = Context(enrolled.address, snapshot.pre_execution, shared, masked, window, flushes)
        reading = Reading(pool, context, planner, partial, timer)
        of_window = window_reading(reading, asked.window) if asked else None
        index_queries = of_window.planner.index_queries() if of_window else planner.index_queries()
    watchdog = Watchdog(connection, readers, context.heartbeats, idle)
    with end_readers_on_error(settings, pool, watchdog), reading.watched(watchdog, locks, settings.stall_timeout):
        if of_window:
            extracted = of_window.extracted(source, begun, index_queries)
        else:
            extracted = extract_everything(reading, source, begun, index_queries)
        watchdog.poll()  # the snapshot was held until the end
    if pool.lost():
        end_readers(settings.source or "", watchdog.application, watchdog.server)
    pool.shutdown()
    return extracted


def asked_window(settings: Settings, source: Source, snapshot: Snapshot) -> "Resolved | None":
    """The window that is asked for, resolved in the snapshot; None for the whole source."""
    if settings.window is None:
        return None
    from exporter.source.roots import resolved

    return resolved(source, settings.window, snapshot.taken_at, settings.timezone)


def masking_of(settings: Settings, source: Source, redaction: "Redaction | None") -> "Masking | None":
    """How a source's columns are masked; None if they are not."""
    if redaction is None:
        return None
    from exporter.source.common_values import masking_of

    return masking_of(source, redaction.rules, settings.timezone)


def window_reading(reading: Reading, window: "Window") -> "WindowReading":
    """What reads a window."""
    from exporter.pipeline.window import window_reading

    return window_reading(reading, window)


def without_roots(window: "Window", partial: Path) -> "Window":
    """A window as workers are told of it."""
    from exporter.pipeline.window_roots import without_roots

    return without_roots(window, partial)


def extract_everything(reading: Reading, source: Source, begun: Extract, index_queries: list[IndexQuery]) -> Extract:
    """Reads every row of every table; of what has `begun`, the views are counted."""
    timer = reading.timer
    with timer.stage("keys"):
        tasks = reading.submit(index_queries)
        # The leader counts and plans while the workers read. Measured: 0.1 s per million rows.
        counts = begun.counts | source.count_tables()
        timer.listener.totals(counts, reading.context.heartbeats)
        table_queries = reading.planner.table_queries()
        index = reading.complete_index(tasks)
        if reading.planner.distrusted:
            table_queries = reading.planner.table_queries()
    with timer.stage("tables"):
        chunks = reading.exported(table_queries)
        chunks, index = reading.without_repeated_keys(chunks, index, reading.planner.table_queries)
    counts |= source.recount(miscounted(counts, index, chunks) - begun.counts.keys())
    return replace(begun, counts=counts, index=index, chunks=chunks)


def miscounted(
    counts: dict[str, int],
    index: Iterable[IndexDone],
    chunks: Iterable[ChunkDone],
    outside: Mapping[str, int] = MappingProxyType({}),
) -> set[str]:
    """The tables of which other numbers of rows were counted than read, or are `outside` of the window."""
    accounted = Counter(outside)
    for done in chunks:
        accounted[done.chunk.table] += done.rows_read
    keys_read = {done.table for done in index if done.table and done.rows_read != counts[done.table]}
    return keys_read | {table for table, count in counts.items() if accounted[table] != count}


@contextmanager
def end_readers_on_error(settings: Settings, pool: Workers, watchdog: Watchdog) -> Iterator[None]:
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
