"""One export from start to finish: the only file, with its worker side in worker.py, that joins the three parts.

settings -> plan -> census -> chunks in worker processes -> publish
             |        |            read -> shape -> write
          catalog   keys
"""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import psutil

from exporter.errors import LimitError, RunError, SourceError, UsageError
from exporter.model.render import model_sha256
from exporter.pool import Pool, worker_pool
from exporter.settings import Settings
from exporter.source.catalog import Relation
from exporter.source.check import Finding, Severity, examine
from exporter.source.connection import Connection, connect, worker_address
from exporter.source.plan import Budget, Planner
from exporter.source.reads import Plan
from exporter.source.snapshot import (
    Snapshot,
    count_rows,
    end_readers,
    hold_snapshot,
    preflight,
    sizes_of,
    still_alive,
)
from exporter.target.manifest import Tally, new_tallies, unaccounted
from exporter.target.publish import PartialExport, partial_export
from exporter.tasks import Chunk, ChunkDone, Context

DISTRIBUTION = "astrokiran-graph-exporter"


class Watcher(Protocol):
    """Whoever watches a run: told what happens, asked nothing."""

    def stage(self, name: str) -> None:
        """A new stage begins."""

    def totals(self, rows: int) -> None:
        """How many rows there are to read."""

    def advance(self, table: str, rows: int, rejects: int) -> None:
        """A chunk of a table is done."""

    def tick(self, memory: int) -> None:
        """About four times a second, with the bytes of memory of all processes together."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A published export, and what it took."""

    directory: Path
    manifest: dict[str, Any]
    seconds: dict[str, float]
    peak_memory: int


@dataclass(slots=True)
class Clock:
    """Seconds by stage, the peak of memory, and the moment by which the run must be done."""

    watcher: Watcher
    deadline: float | None
    seconds: dict[str, float] = field(default_factory=dict)
    peak_memory: int = 0
    sampled: float = 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self.watcher.stage(name)
        started = time.monotonic()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - started

    def tick(self) -> None:
        """Samples memory about once a second; raises `RunError` past the deadline."""
        now = time.monotonic()
        if self.deadline is not None and now > self.deadline:
            raise RunError("the run took longer than --max-duration; its locks and snapshot were released")
        if now - self.sampled >= 1:
            self.sampled = now
            self.peak_memory = max(self.peak_memory, memory_in_use())
        self.watcher.tick(self.peak_memory)


def check(settings: Settings) -> list[Finding]:
    """All differences between the source and the model. Raises `SourceError` where the source cannot be asked."""
    with connected(settings, "exporter check") as connection:
        return examine(preflight(connection, settings.mapping), settings.mapping)


def export(settings: Settings, watcher: Watcher) -> Outcome:
    """Exports the source into a new directory below `settings.output`.

    Raises an `ExporterError` of the contract's exit code; nothing is published then, nothing half-written stays, and
    no process or server-side query goes on.
    """
    started_at = datetime.now(UTC)
    clock = Clock(watcher, time.monotonic() + settings.max_duration if settings.max_duration else None)
    with partial_export(settings.output) as partial:
        application = f"exporter {partial.stamp}"
        with clock.stage("check"), connected(settings, application) as preparing:
            catalog = preflight(preparing, settings.mapping)
            faults = [finding for finding in examine(catalog, settings.mapping) if finding.severity is Severity.ERROR]
            if faults:
                raise SourceError("the source cannot be exported: " + "; ".join(map(str, faults)))
        with connected(settings, application) as leader, hold_snapshot(leader, settings.mapping, catalog) as snapshot:
            tallies = write_all(settings, partial, leader, snapshot, catalog, application, clock)
        check_limit(settings, partial, tallies)
        with clock.stage("publish"):
            about = describe(settings, snapshot, started_at)
            directory, manifest = partial.finish(tallies, about)
    return Outcome(directory, manifest, clock.seconds, clock.peak_memory)


@contextmanager
def connected(settings: Settings, application: str) -> Iterator[Connection]:
    """A connection to the source. Raises `UsageError` when none is set."""
    if not settings.source:
        raise UsageError("no source is set; give --source postgresql://USER@HOST/DATABASE or set EXPORTER_SOURCE")
    connection = connect(settings.source, application, lock_seconds=settings.lock_timeout)
    try:
        yield connection
    finally:
        connection.close()


def write_all(
    settings: Settings, partial: PartialExport, leader: Connection, snapshot: Snapshot,
    catalog: dict[str, Relation], application: str, clock: Clock,
) -> dict[str, Tally]:  # fmt: skip
    """Reads, shapes and writes every table in worker processes; the tallies that prove it."""
    readers = f"{application} reader"
    address = worker_address(leader, readers, lock_seconds=settings.lock_timeout)
    context = Context(address, snapshot.pre_execution, partial.directory)
    alive = Heartbeat(leader)

    def tick() -> None:
        clock.tick()
        alive.beat()

    try:
        with worker_pool(settings.workers, context, tick) as pool:
            # The interpreters start while the leader counts.
            pool.warm(settings.workers)
            with clock.stage("count"):
                counts = count_rows(leader, settings.mapping, catalog)
                clock.watcher.totals(sum(counts.values()))
                plan = make_plan(settings, leader, catalog, counts)
            with clock.stage("census"):
                take_census(pool, plan)
            with clock.stage("tables"):
                tallies, rows_read = export_tables(pool, plan, clock.watcher)
    except BaseException:
        if settings.source:
            end_readers(settings.source, readers)
        raise
    if wrong := unaccounted(tallies, counts, rows_read):
        raise RunError("the counts do not add up, nothing was published: " + "; ".join(wrong))
    return tallies


def make_plan(settings: Settings, leader: Connection, catalog: dict[str, Relation], counts: dict[str, int]) -> Plan:
    """The plan of reads, within the memory the user gave."""
    budget = Budget(chunk_bytes(settings.memory, settings.workers), settings.timezone)
    sizes = sizes_of(leader, settings.mapping)
    return Planner(leader, catalog, sizes, counts, settings.mapping, budget).plan()


# Measured: an idle worker takes 110 MB, a chunk six times its heap while it is shaped and written; larger chunks than
# 24 MB are no faster.
WORKER_BYTES = 110 << 20
CHUNK_FACTOR = 6
LARGEST_CHUNK = 24 << 20
SMALLEST_CHUNK = 1 << 20


def chunk_bytes(memory: int, workers: int) -> int:
    """How much heap one read may bring so that all workers together stay within `memory`."""
    share = (memory - (60 << 20)) // workers - WORKER_BYTES
    return max(SMALLEST_CHUNK, min(LARGEST_CHUNK, share // CHUNK_FACTOR))


def take_census(pool: Pool, plan: Plan) -> None:
    """Reads all that must be known before the first row is shaped; the largest label first."""
    futures = [pool.submit("take_keys", reads) for reads in sorted(plan.keys, key=lambda reads: -reads.rows)]
    futures += [pool.submit("take_losers", reads) for reads in plan.losers]
    futures += [pool.submit("take_values", reads) for reads in plan.values]
    for _ in pool.finished(futures):
        pass


def export_tables(pool: Pool, plan: Plan, watcher: Watcher) -> tuple[dict[str, Tally], Counter[str]]:
    """Every chunk of every table; what was written of each entity, and how many rows were read of each table."""
    tallies = new_tallies()
    rows_read: Counter[str] = Counter()
    futures = [pool.submit("export_chunks", chunks) for chunks in tasks(plan)]
    for done in pool.finished(futures):
        for chunk in done:
            rows_read[chunk.chunk.table] += chunk.rows_read
            rejects = add(tallies, chunk)
            watcher.advance(chunk.chunk.table, chunk.rows_read, rejects)
    return tallies, rows_read


# Tables below this size share a task: most of the 35 hold next to nothing.
SMALL_TABLE = 1 << 20
TABLES_A_TASK = 8


def tasks(plan: Plan) -> list[tuple[Chunk, ...]]:
    """The chunks as tasks, the largest tables first; small tables together."""
    large, small = [], []
    for reads in sorted(plan.tables, key=lambda reads: -reads.bytes):
        chunks = [Chunk(reads.table, number, query) for number, query in enumerate(reads.queries, 1)]
        if len(chunks) == 1 and reads.bytes < SMALL_TABLE:
            small += chunks
        else:
            large += [(chunk,) for chunk in chunks]
    return large + [tuple(small[place : place + TABLES_A_TASK]) for place in range(0, len(small), TABLES_A_TASK)]


def add(tallies: dict[str, Tally], done: ChunkDone) -> int:
    """Adds what a chunk wrote to the tallies; how many rejects it had."""
    rejects = 0
    for part in done.parts:
        tally = tallies[part.name]
        tally.rows += part.rows
        tally.values.update(part.values)
        tally.no_target += part.no_target
        tally.rejects.update(part.rejects)
        tally.multiline |= part.multiline
        tally.files += part.files
        tally.reject_files += part.reject_files
        rejects += sum(part.rejects.values())
    return rejects


def check_limit(settings: Settings, partial: PartialExport, tallies: dict[str, Tally]) -> None:
    """Raises `LimitError` when there are more rejects than the user allows; the reject files are kept."""
    rejects = sum(tally.rejects.total() for tally in tallies.values())
    if settings.max_rejects is not None and rejects > settings.max_rejects:
        kept = partial.keep_rejects()
        raise LimitError(
            f"{rejects} rejects are more than --max-rejects {settings.max_rejects}, nothing was published; see {kept}"
        )


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


@dataclass(slots=True)
class Heartbeat:
    """Asks the leader's connection every few seconds whether it, and with it the snapshot, is still there."""

    connection: Connection
    last: float = field(default_factory=time.monotonic)

    def beat(self) -> None:
        if time.monotonic() - self.last > 5:
            still_alive(self.connection)
            self.last = time.monotonic()


def memory_in_use() -> int:
    """Bytes of this process and its children together: proportional shares where the system tells, else resident."""
    process = psutil.Process()
    total = 0
    for each in (process, *process.children(recursive=True)):
        try:
            total += getattr(each.memory_full_info(), "pss", None) or each.memory_info().rss
        except psutil.Error:
            continue
    return total
