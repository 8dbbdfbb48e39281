"""What leader and workers exchange. Does not load Polars or connectorx: the leader needs neither."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from exporter.model.frame import Masked
from exporter.pipeline.timing import TaskTimer
from exporter.shape.examples import Example
from exporter.sink.files import FileRecord
from exporter.sink.layout import HEARTBEATS
from exporter.sink.tally import Tally
from exporter.source.queries import Address, IdSet, OwnAddress, Read

if TYPE_CHECKING:
    from exporter.model.window import Closed, Window


@dataclass(frozen=True, slots=True)
class Context:
    """What every task needs: the source's address, the statements that join the snapshot, the partial export's
    directory, of a masked copy each table's masked columns, and the window if only a part of the source is read.

    `flushes`: a task's files are durable before its result is there. On the leader's own machine the leader sees to
    that, which is faster (`Flusher`).
    """

    address: Address | OwnAddress
    pre_execution: list[str]
    directory: Path
    masked: Mapping[str, Masked] | None = None
    window: "Window | None" = None
    flushes: bool = False

    @property
    def heartbeats(self) -> Path:
        """The directory of the heartbeat files."""
        return self.directory / HEARTBEATS


NO_READ = Read("")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk of a table: how it is read, and its fallback in case a datetime or date is unrepresentable.
    `number` counts a table's chunks from 1 and is part of its files' names."""

    table: str
    number: int
    read: Read
    fallback: Read

    @property
    def reads(self) -> tuple[Read, ...]:
        return (self.read,)

    def without_queries(self) -> "Chunk":
        """The same chunk without its queries, which may be long."""
        return replace(self, read=NO_READ, fallback=NO_READ)


@dataclass(frozen=True, slots=True)
class EntityPart:
    """What a chunk wrote for one entity (`name` as in layout.py), and a few of its rejects."""

    name: str
    tally: Tally
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class ChunkDone:
    """The result of a chunk, which comes without its queries: rows read (of a window, those that are in), a part for
    each entity of the table, and its timer."""

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
    """The result of a task of the key index; for a key set, with its table and the number of rows read. `repeated`:
    a key of the table occurs twice."""

    timer: TaskTimer
    table: str | None = None
    rows_read: int = 0
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class LinksDone:
    """The result of reading the links of one chunk of a table."""

    timer: TaskTimer
    table: str
    number: int
    rows_read: int


@dataclass(frozen=True, slots=True)
class CloseDone:
    """What the closure found, the key sets it wrote, and the ids by which the server can leave rows out, by the name of
    their set."""

    closed: "Closed"
    index: list[IndexDone]
    sets: dict[str, IdSet]
