"""What leader and workers exchange: the tasks as typed functions, their arguments, their results.

The functions import worker.py when a worker calls them: the leader, which names them, needs neither Polars nor
connectorx, which take half a second and 60 MB to load.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from exporter.pipeline.timing import TaskTimer
from exporter.shape.examples import Example
from exporter.sink.files import FileRecord
from exporter.sink.tally import Tally
from exporter.source.queries import Address, DuplicateQuery, KeyQueries, ValueQueries


@dataclass(frozen=True, slots=True)
class Context:
    """What every task needs: the source's address, the statements that join the snapshot, the partial export's
    directory, and the directory of the heartbeat files."""

    address: Address
    pre_execution: list[str]
    partial: Path
    heartbeats: Path


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk of a table: its query, and the fallback query for where a datetime or date is unrepresentable. `number`
    counts a table's chunks from 1 and is in the names of its files."""

    table: str
    number: int
    query: str
    fallback: str


@dataclass(frozen=True, slots=True)
class EntityPart:
    """What a chunk wrote for one entity (`name` as in layout.py), and a few of its rejects."""

    name: str
    tally: Tally
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class ChunkDone:
    """The result of a chunk: rows read, a part for each entity of the table, and what it took."""

    chunk: Chunk
    rows_read: int
    parts: tuple[EntityPart, ...]
    timer: TaskTimer

    @property
    def rejects(self) -> int:
        return sum(part.tally.rejects.total() for part in self.parts)

    def files(self) -> Iterator[FileRecord]:
        """The files of all parts."""
        for part in self.parts:
            yield from part.tally.files
            yield from part.tally.reject_files


@dataclass(frozen=True, slots=True)
class IndexDone:
    """The result of a task of the key index; for a key set, with its table and how many rows of it were read."""

    timer: TaskTimer
    table: str | None = None
    rows_read: int = 0


def start_worker() -> None:
    """Makes a spawned process a worker; called once in each."""
    # The workers are the parallelism; and a backtrace of connectorx could quote rows.
    os.environ |= {"POLARS_MAX_THREADS": "1", "RUST_BACKTRACE": "0"}
    from exporter.pipeline import worker

    worker.start()


def warm_up() -> None:
    """Nothing: the executor spawns a worker for it, which loads early."""


def read_keys(context: Context, queries: KeyQueries) -> IndexDone:
    """Reads a label's key set into the key index. Raises `RunError`, as all tasks do."""
    from exporter.pipeline import worker

    return worker.read_keys(context, queries)


def read_values(context: Context, queries: ValueQueries) -> IndexDone:
    """Reads the values that links go by, with the keys of their owners, into the key index."""
    from exporter.pipeline import worker

    return worker.read_values(context, queries)


def read_duplicates(context: Context, query: DuplicateQuery) -> IndexDone:
    """Reads which rows of a table lose their key into the key index."""
    from exporter.pipeline import worker

    return worker.read_duplicates(context, query)


def export_chunks(context: Context, chunks: tuple[Chunk, ...]) -> list[ChunkDone]:
    """Reads, shapes and writes chunks one after the other."""
    from exporter.pipeline import worker

    return [worker.export_chunk(context, chunk) for chunk in chunks]
