"""One export from start to finish: the only file, with its worker side in worker.py, that joins the three parts.

settings -> plan -> key index -> chunks in worker processes -> publish
             |      keys, counts   read -> shape -> write
          catalog
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from exporter.errors import LimitError, RunError, SnapshotError
from exporter.interrupts import time_limit
from exporter.model.render import model_sha256
from exporter.pipeline.clock import Clock, ProgressListener
from exporter.pipeline.pool import Pool
from exporter.pipeline.profile import Profile
from exporter.pipeline.tasks import Chunk, ChunkDone, Context, EntityPart, IndexDone
from exporter.settings import Settings
from exporter.sink.files import Flusher
from exporter.sink.layout import HEARTBEATS
from exporter.sink.manifest import Tally, new_tallies, unaccounted
from exporter.sink.publish import PartialExport, partial_export
from exporter.source.catalog import Relation, Size
from exporter.source.chunks import Chunker
from exporter.source.connection import Connection, worker_address
from exporter.source.leader import (
    Snapshot,
    connected,
    count_tables,
    count_views,
    end_readers,
    exportable,
    hold_snapshot,
    sizes_of,
)
from exporter.source.plan import Planner
from exporter.source.queries import Address, DuplicateQuery, IndexQueries, KeyQueries, TableQueries, ValueQueries
from exporter.source.watchdog import POLLS_PER_TIMEOUT, Watchdog

DISTRIBUTION = "astrokiran-graph-exporter"


@dataclass(frozen=True, slots=True)
class ExportResult:
    """A published export, and what it took."""

    directory: Path
    manifest: dict[str, Any]
    profile: Profile
    peak_memory: int
    archive: Path | None = None


def export(settings: Settings, pool: Pool, watcher: ProgressListener) -> ExportResult:
    """Exports the source into a new directory below `settings.output`; `pool` does nothing else before or after.

    Raises an `ExporterError` of the contract's exit code; nothing is published then, nothing half-written stays, and
    no process or server-side query goes on. Once an export was published, no signal stops the caller's
    `stopped_by_signals` block any more.
    """
    check_recipients(settings)
    started_at = datetime.now(UTC)
    clock = Clock(watcher)
    with time_limit(settings.max_duration), partial_export(settings.output, settings.group) as partial:
        name = f"exporter {partial.stamp}"
        with connected(settings.source, name, **settings.timeouts) as leader:
            with clock.stage("check"):
                catalog = exportable(leader, settings.mapping)
                # Measured before the snapshot: what others write after it must not move the cuts between chunks.
                sizes = sizes_of(leader, settings.mapping)
            with ExitStack() as held:
                with clock.stage("lock"):
                    snapshot = held.enter_context(hold_snapshot(leader, settings.mapping, catalog))
                    reading = readers(settings, pool, leader, f"{name} reader", partial.directory)
                    address, watchdog = held.enter_context(reading)
                    context = Context(address, snapshot.pre_execution, partial.directory)
                    clock.beat(watchdog.look, settings.stall_timeout / POLLS_PER_TIMEOUT)
                    counts = count_views(leader, settings.mapping, catalog)
                    planner = make_planner(settings, leader, catalog, sizes, counts)
                    reads = planner.index_queries()
                with clock.stage("keys"):
                    # The leader counts and plans while the workers read: 0.1 s per million rows.
                    tasks = start_key_index(pool, context, reads)
                    counts |= count_tables(leader, settings.mapping, catalog)
                    watcher.totals(counts, watchdog.marks)
                    table_queries = planner.tables()
                    index_queries = list(pool.finished(tasks, clock.tick))
                with clock.stage("tables"):
                    chunks = export_tables(pool, context, table_queries, clock, partial.flusher)
                watchdog.look()  # the snapshot was held to the end
                clock.look = None  # and is not any more
                pool.shutdown()
        tallies = reconcile(index_queries, chunks, counts)
        check_limit(settings, partial, tallies)
        tables = [(chunk.chunk.table, chunk.rows_read, chunk.watch) for chunk in chunks]
        about = describe(settings, snapshot, started_at)
        with clock.stage("archive" if settings.archive else "publish"):
            flushed = partial.flusher.finish()
            watches = [done.watch for done in index_queries]
            profile = Profile(watches, tables, clock.seconds, settings.workers, clock.began, flushed)
            manifest = partial.complete(
                tallies, about, lambda made: make_report(made, settings, profile, clock.peak_memory, chunks)
            )
            if settings.archive:
                partial.pack(settings.recipients, clock.tick)
            directory = partial.publish()
    archive = partial.published(partial.archive) if partial.archive else None
    return ExportResult(directory, manifest, profile, clock.peak_memory, archive)


@contextmanager
def readers(
    settings: Settings, pool: Pool, leader: Connection, application: str, partial: Path
) -> Iterator[tuple[Address, Watchdog]]:
    """The address for the workers' reads, and who watches these. After an error neither workers nor their server-side
    queries go on."""
    address = worker_address(leader, application, lock_seconds=settings.lock_timeout)
    patience = settings.stall_timeout * (POLLS_PER_TIMEOUT - 2) / POLLS_PER_TIMEOUT
    watchdog = Watchdog(leader, application, partial / HEARTBEATS, patience)
    try:
        yield address, watchdog
    except BaseException as error:
        pool.kill()
        end_readers(settings.source or "", application)
        if isinstance(error, SnapshotError):
            watchdog.ask()  # raises why
        raise


def reconcile(index_queries: list[IndexDone], chunks: list[ChunkDone], counts: dict[str, int]) -> dict[str, Tally]:
    """What was written of each entity. Raises `RunError` unless every row of every table was read, for the key index too
    (a reference to a key that was not read would dangle), and is accounted for in every entity."""
    tallies = new_tallies()
    rows_read: Counter[str] = Counter()
    for done in chunks:
        rows_read[done.chunk.table] += done.rows_read
        for part in done.parts:
            add(tallies[part.name], part)
    wrong = [
        f"{counts[done.table]} rows in the snapshot, {done.rows_read} were read for {done.watch.what}"
        for done in index_queries
        if done.table and done.rows_read != counts[done.table]
    ]
    if wrong := wrong + unaccounted(tallies, counts, rows_read):
        raise RunError("the counts do not add up, nothing was published: " + "; ".join(wrong))
    return tallies


def make_planner(
    settings: Settings, leader: Connection, catalog: dict[str, Relation], sizes: dict[str, Size], counts: dict[str, int]
) -> Planner:
    """Who plans the reads within the memory the user gave; `counts` are those of the views."""
    chunker = Chunker(leader, sizes, counts, chunk_bytes(settings.memory, settings.workers))
    return Planner(catalog, settings.mapping, settings.timezone, chunker)


# Measured: the leader takes 52 MB, each of two workers 130 with what it maps of the key index of ten million rows, and the
# bytes of its chunk five (wide texts) to seven times (narrow rows, numerics, text keys); larger chunks than 24 MB are
# no faster.
LEADER_BYTES = 52 << 20
WORKER_BYTES = 130 << 20
CHUNK_FACTOR = 7
LARGEST_CHUNK = 24 << 20
SMALLEST_CHUNK = 1 << 20


def chunk_bytes(memory: int, workers: int) -> int:
    """How much of a table one read may bring so that all processes together stay within `memory`."""
    share = (memory - LEADER_BYTES) // workers - WORKER_BYTES
    return max(SMALLEST_CHUNK, min(LARGEST_CHUNK, share // CHUNK_FACTOR))


def start_key_index(pool: Pool, context: Context, index_queries: IndexQueries) -> list[Future[IndexDone]]:
    """The tasks that read all that must be known before the first row is shaped; those of the largest tables first."""
    takes: list[tuple[str, KeyQueries | DuplicateQuery | ValueQueries]] = [
        ("read_keys", reads) for reads in index_queries.keys
    ]
    takes += [("read_duplicates", reads) for reads in index_queries.duplicates]
    takes += [("read_values", reads) for reads in index_queries.values]
    return [pool.submit(take, context, reads) for take, reads in sorted(takes, key=lambda each: -each[1].bytes)]


def export_tables(
    pool: Pool, context: Context, tables: Iterable[TableQueries], clock: Clock, flusher: Flusher
) -> list[ChunkDone]:
    """Every chunk of every table; the flusher brings the files to the disk."""
    chunks: list[ChunkDone] = []
    futures = [pool.submit("export_chunks", context, task) for task in chunk_tasks(tables)]
    import_module("exporter.report.report")  # 0.1 s, of which none is left for when the workers are done
    for done in pool.finished(futures, clock.tick):
        chunks += done
        for each in done:
            rejects = sum(sum(part.rejects.values()) for part in each.parts)
            clock.watcher.advance(each.chunk.table, each.rows_read, rejects)
            for part in each.parts:
                flusher.add([*part.files, *part.reject_files])
    return chunks


# Tables below this size share a task: most of the 35 hold next to nothing.
SMALL_TABLE = 1 << 20
TABLES_A_TASK = 8


def chunk_tasks(tables: Iterable[TableQueries]) -> list[tuple[Chunk, ...]]:
    """The chunks as tasks, the largest tables first; small tables together."""
    large, small = [], []
    for reads in sorted(tables, key=lambda reads: -reads.bytes):
        pairs = zip(reads.queries, reads.fallback, strict=True)
        chunks = [Chunk(reads.table, number, *queries) for number, queries in enumerate(pairs, 1)]
        if len(chunks) == 1 and reads.bytes < SMALL_TABLE:
            small += chunks
        else:
            large += [(chunk,) for chunk in chunks]
    return large + [tuple(small[place : place + TABLES_A_TASK]) for place in range(0, len(small), TABLES_A_TASK)]


def add(tally: Tally, part: EntityPart) -> None:
    """Adds what a chunk wrote of an entity to its tally."""
    tally.rows += part.rows
    tally.values.update(part.values)
    tally.no_target += part.no_target
    tally.rejects.update(part.rejects)
    tally.multiline |= part.multiline
    tally.longest = max(tally.longest, part.longest)
    tally.files += part.files
    tally.reject_files += part.reject_files


def check_recipients(settings: Settings) -> None:
    """Raises `UsageError` if the archive is to be encrypted to something that is not a public key."""
    if settings.archive and settings.recipients:
        from exporter.sink.archive import public_keys  # loads the cipher, which few need

        public_keys(settings.recipients)


def check_limit(settings: Settings, partial: PartialExport, tallies: dict[str, Tally]) -> None:
    """Raises `LimitError` when there are more rejects than the user allows; the reject files are kept."""
    rejects = sum(tally.rejects.total() for tally in tallies.values())
    if settings.max_rejects is not None and rejects > settings.max_rejects:
        kept = partial.keep_rejects()
        raise LimitError(
            f"{rejects} rejects are more than --max-rejects {settings.max_rejects}, nothing was published; see {kept}"
        )


def make_report(
    manifest: dict[str, Any], settings: Settings, profile: Profile, peak_memory: int, chunks: list[ChunkDone]
) -> str:
    """The export's report, whose library would delay every other command."""
    from exporter.report.report import report

    return report(manifest, settings=settings, profile=profile, peak_memory=peak_memory, chunks=chunks)


def describe(settings: Settings, snapshot: Snapshot, started_at: datetime) -> dict[str, Any]:
    """What the manifest says of the run besides its contents."""
    return {
        "tool": {"name": DISTRIBUTION, "version": version(DISTRIBUTION)},
        "model": {"sha256": model_sha256()},
        "source": {
            "database": snapshot.database,
            "server_version": snapshot.server_version,
            "host": snapshot.host,
            "snapshot_at": timestamp(snapshot.taken_at),
            "wal_lsn": snapshot.wal_lsn,
        },
        "options": {"timezone": settings.timezone, "tables": settings.tables, "columns": settings.columns},
        "started_at": timestamp(started_at),
        "finished_at": timestamp(datetime.now(UTC)),
    }


def timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
