"""What the leader has the workers do while a source is read, in which order, and how it follows them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from exporter.pipeline.attempts import Attempted
from exporter.pipeline.messages import Chunk, ChunkDone, Context, IndexDone
from exporter.pipeline.tasks import export_chunks, find_repeated, read_index
from exporter.pipeline.timing import StageTimer
from exporter.pipeline.workers import Workers
from exporter.sink.publish import PartialExport
from exporter.source.locks import LockWaits, lock_waits
from exporter.source.plan import Planner
from exporter.source.queries import IndexQuery, Read, TableQueries
from exporter.source.watchdog import POLLS_PER_TIMEOUT, Watchdog

Result = TypeVar("Result")
IndexAttempt = Attempted[list[IndexDone]]


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading the tables of a source into a partial export needs."""

    pool: Workers
    context: Context
    planner: Planner
    partial: PartialExport
    timer: StageTimer

    @contextmanager
    def watched(self, watchdog: Watchdog, locks: LockWaits, stall_timeout: float) -> Iterator[None]:
        """Looks after the readers while the block runs: whether they make progress, and which locks they wait for."""

        def poll() -> None:
            for reader in self.pool.lost():
                watchdog.forget(reader)
            watchdog.poll()
            locks.report(lock_waits(watchdog.connection, 0, watchdog.application))

        with locks.explained(), self.timer.polling(poll, stall_timeout / POLLS_PER_TIMEOUT):
            yield
        locks.report([])

    def results(self, tasks: Sequence[Future[Attempted[Result]]]) -> Iterator[Result]:
        """The results of tasks as they finish, whose files are in the export from then on."""
        return (done.adopted(self.context.directory) for done in self.pool.finished(tasks, self.timer.tick))

    def complete_index(self, tasks: list[Future[IndexAttempt]]) -> list[IndexDone]:
        """The results of the key index. Tables in which a key occurs twice, though the catalog promises otherwise, are
        distrusted from now on, and their part of the index is read again."""
        index = self.finished(tasks)
        queries = self.planner.distrust(done.table for done in index if done.repeated and done.table)
        return [*index, *self.finished(self.submit(queries))]

    def submit(self, queries: Iterable[IndexQuery]) -> list[Future[IndexAttempt]]:
        """Starts reading parts of the key index."""
        return [self.pool.submit(read_index, self.context, queries) for queries in together(queries)]

    def finished(self, tasks: list[Future[IndexAttempt]]) -> list[IndexDone]:
        """The parts of the key index that some tasks have read."""
        return [done for parts in self.results(tasks) for done in parts]

    def exported(self, queries: Iterable[TableQueries]) -> list[ChunkDone]:
        """Exports tables chunk by chunk; their files are passed to the flusher, and the listener is told."""
        tasks = [self.pool.submit(export_chunks, self.context, chunks) for chunks in chunk_tasks(queries)]
        finished = []
        for chunks in self.results(tasks):
            for done in chunks:
                if self.context.flushes:
                    done = with_examples(self.context, done)
                else:
                    self.partial.flusher.add(done.files())
                self.timer.listener.advance(done.chunk.table, done.rows_read, done.rejects)
                finished.append(done)
        return finished

    def without_repeated_keys(
        self, chunks: list[ChunkDone], index: list[IndexDone], planned: Callable[[], Iterable[TableQueries]]
    ) -> tuple[list[ChunkDone], list[IndexDone]]:
        """The chunks and index queries of a run in which no key is exported twice. Tables in which the catalog was
        wrong about that are exported again, as `planned` then has it: with a look at what precedes each row."""
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
        table_queries = [queries for queries in planned() if queries.table in again]
        kept = [done for done in chunks if done.chunk.table not in again]
        return kept + self.exported(table_queries), index

    def take_back(self, chunks: Iterable[ChunkDone]) -> None:
        """Removes the files of chunks."""
        self.partial.flusher.finish()
        for done in chunks:
            for record in done.files():
                (self.partial.directory / record.path).unlink()
            self.timer.listener.advance(done.chunk.table, -done.rows_read, -done.rejects)


def with_examples(context: Context, done: ChunkDone) -> ChunkDone:
    """The result of a cluster's chunk with its examples, which did not come with it."""
    from exporter.pipeline.cluster_examples import with_examples  # few exports are a cluster's

    return with_examples(context.directory, done)


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
