"""One export from start to finish: the only file, with its worker side in worker.py, that joins the three parts.

settings -> plan -> census -> chunks in worker processes -> publish
             |        |            read -> shape -> write
          catalog   keys
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from exporter.checkup import Checkup, checkup
from exporter.clock import Clock, Watcher
from exporter.errors import LimitError, RunError, SnapshotError, SourceError, UsageError
from exporter.model.render import model_sha256
from exporter.pool import Pool
from exporter.profile import Profile
from exporter.settings import Settings
from exporter.signals import time_limit
from exporter.source.catalog import Relation, Size
from exporter.source.check import Severity, examine
from exporter.source.chunks import Chunker
from exporter.source.connection import Connection, session, worker_address
from exporter.source.mapping import Mapping
from exporter.source.plan import Planner
from exporter.source.reads import Address, Plan
from exporter.source.snapshot import (
    Snapshot,
    count_rows,
    end_readers,
    hold_snapshot,
    preflight,
    sizes_of,
)
from exporter.source.watchdog import LOOKS, Watchdog, no_standstill
from exporter.stopwatch import Stopwatch
from exporter.target.layout import READING
from exporter.target.manifest import Tally, new_tallies, unaccounted
from exporter.target.publish import PartialExport, partial_export
from exporter.tasks import Chunk, ChunkDone, Context, EntityPart

DISTRIBUTION = "astrokiran-graph-exporter"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A published export, and what it took."""

    directory: Path
    manifest: dict[str, Any]
    profile: Profile
    peak_memory: int
    archive: Path | None = None


def check(settings: Settings) -> Checkup:
    """All that can be said before an export. Raises `SourceError` where the source cannot be asked."""
    with connected(settings, "exporter check") as connection:
        return checkup(connection, settings)


def export(settings: Settings, pool: Pool, watcher: Watcher) -> Outcome:
    """Exports the source into a new directory below `settings.output`; `pool` does nothing else before or after.

    Raises an `ExporterError` of the contract's exit code; nothing is published then, nothing half-written stays, and
    no process or server-side query goes on. Once an export was published, no signal stops the caller's
    `stopped_by_signals` block any more.
    """
    started_at = datetime.now(UTC)
    clock = Clock(watcher)
    with time_limit(settings.max_duration), partial_export(settings.output, settings.group) as partial:
        name = f"exporter {partial.stamp}"
        with connected(settings, name) as leader:
            with clock.stage("check"):
                catalog = exportable(leader, settings.mapping)
                # Measured before the snapshot: what others write after it must not move the cuts between chunks.
                sizes = sizes_of(leader, settings.mapping)
            with ExitStack() as held:
                with clock.stage("count"):
                    snapshot = held.enter_context(hold_snapshot(leader, settings.mapping, catalog))
                    reading = readers(settings, pool, leader, f"{name} reader", partial.directory)
                    address, watchdog = held.enter_context(reading)
                    context = Context(address, snapshot.pre_execution, partial.directory)
                    clock.beat(watchdog.look, settings.stall_timeout / LOOKS)
                    counts = count_rows(leader, settings.mapping, catalog)
                    watcher.totals(counts, watchdog.marks)
                    plan = make_plan(settings, leader, catalog, sizes, counts)
                with clock.stage("census"):
                    census = take_census(pool, context, plan, clock)
                with clock.stage("tables"):
                    chunks = export_tables(pool, context, plan, clock)
                watchdog.look()  # the snapshot was held to the end
                clock.look = None  # and is not any more
                pool.dismiss()
        tallies = prove(chunks, counts)
        check_limit(settings, partial, tallies)
        tables = [(chunk.chunk.table, chunk.rows_read, chunk.watch) for chunk in chunks]
        profile = Profile(census, tables, clock.seconds, settings.workers, clock.began)
        about = describe(settings, snapshot, started_at)
        with clock.stage("archive" if settings.archive else "publish"):
            manifest = partial.complete(
                tallies, about, lambda made: make_report(made, settings, profile, clock.peak_memory, chunks)
            )
            if settings.archive:
                partial.pack(settings.recipients, clock.tick)
            directory = partial.publish()
    archive = partial.published(partial.archive) if partial.archive else None
    return Outcome(directory, manifest, profile, clock.peak_memory, archive)


@contextmanager
def connected(settings: Settings, application: str) -> Iterator[Connection]:
    """A connection to the source. Raises `UsageError` when none is set."""
    if not settings.source:
        raise UsageError("no source is set; give --source postgresql://USER@HOST/DATABASE or set EXPORTER_SOURCE")
    with (
        session(settings.source, application, lock_seconds=settings.lock_timeout) as connection,
        no_standstill(connection, settings.source, settings.stall_timeout),
    ):
        yield connection


def exportable(connection: Connection, mapping: Mapping) -> dict[str, Relation]:
    """The source's catalog. Raises `SourceError` with all faults at once where it is not what the model needs."""
    catalog = preflight(connection, mapping)
    faults = [str(finding) for finding in examine(catalog, mapping) if finding.severity is Severity.ERROR]
    if faults:
        raise SourceError("\n  ".join(["the source cannot be exported:", *faults]))
    return catalog


@contextmanager
def readers(
    settings: Settings, pool: Pool, leader: Connection, application: str, partial: Path
) -> Iterator[tuple[Address, Watchdog]]:
    """The address for the workers' reads, and who watches these. After an error neither workers nor their server-side
    queries go on."""
    address = worker_address(leader, application, lock_seconds=settings.lock_timeout)
    patience = settings.stall_timeout * (LOOKS - 2) / LOOKS
    watchdog = Watchdog(leader, application, partial / READING, patience)
    try:
        yield address, watchdog
    except BaseException as error:
        pool.kill()
        end_readers(settings.source or "", application)
        if isinstance(error, SnapshotError):
            watchdog.ask()  # raises why
        raise


def prove(chunks: list[ChunkDone], counts: dict[str, int]) -> dict[str, Tally]:
    """What was written of each entity. Raises `RunError` unless every row of every table was read and is accounted
    for in every entity."""
    tallies = new_tallies()
    rows_read: Counter[str] = Counter()
    for done in chunks:
        rows_read[done.chunk.table] += done.rows_read
        for part in done.parts:
            add(tallies[part.name], part)
    if wrong := unaccounted(tallies, counts, rows_read):
        raise RunError("the counts do not add up, nothing was published: " + "; ".join(wrong))
    return tallies


def make_plan(
    settings: Settings, leader: Connection, catalog: dict[str, Relation], sizes: dict[str, Size], counts: dict[str, int]
) -> Plan:
    """The plan of reads, within the memory the user gave."""
    chunker = Chunker(leader, sizes, counts, chunk_bytes(settings.memory, settings.workers))
    return Planner(catalog, settings.mapping, settings.timezone, chunker).plan()


# Measured: the leader takes 48 MB, each of two workers 115 and the bytes of its chunk five (wide texts) to seven times
# (narrow rows, numerics, text keys); larger chunks than 24 MB are no faster.
LEADER_BYTES = 50 << 20
WORKER_BYTES = 115 << 20
CHUNK_FACTOR = 7
LARGEST_CHUNK = 24 << 20
SMALLEST_CHUNK = 1 << 20


def chunk_bytes(memory: int, workers: int) -> int:
    """How much of a table one read may bring so that all processes together stay within `memory`."""
    share = (memory - LEADER_BYTES) // workers - WORKER_BYTES
    return max(SMALLEST_CHUNK, min(LARGEST_CHUNK, share // CHUNK_FACTOR))


def take_census(pool: Pool, context: Context, plan: Plan, clock: Clock) -> list[Stopwatch]:
    """Reads all that must be known before the first row is shaped; the largest label first."""
    futures = [pool.submit("take_keys", context, reads) for reads in sorted(plan.keys, key=lambda reads: -reads.rows)]
    futures += [pool.submit("take_losers", context, reads) for reads in plan.losers]
    futures += [pool.submit("take_values", context, reads) for reads in plan.values]
    return list(pool.finished(futures, clock.tick))


def export_tables(pool: Pool, context: Context, plan: Plan, clock: Clock) -> list[ChunkDone]:
    """Every chunk of every table."""
    chunks: list[ChunkDone] = []
    futures = [pool.submit("export_chunks", context, task) for task in tasks(plan)]
    for done in pool.finished(futures, clock.tick):
        chunks += done
        for each in done:
            rejects = sum(sum(part.rejects.values()) for part in each.parts)
            clock.watcher.advance(each.chunk.table, each.rows_read, rejects)
    return chunks


# Tables below this size share a task: most of the 35 hold next to nothing.
SMALL_TABLE = 1 << 20
TABLES_A_TASK = 8


def tasks(plan: Plan) -> list[tuple[Chunk, ...]]:
    """The chunks as tasks, the largest tables first; small tables together."""
    large, small = [], []
    for reads in sorted(plan.tables, key=lambda reads: -reads.bytes):
        pairs = zip(reads.queries, reads.careful, strict=True)
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
    """The export's report. Its library is loaded only now that it is needed: it would delay every other command."""
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
