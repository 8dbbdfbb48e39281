"""What leader and workers tell each other. Loads neither Polars nor connectorx: the leader needs neither."""

from dataclasses import dataclass
from pathlib import Path

from exporter.pipeline.stopwatch import Stopwatch
from exporter.shape.examples import Example
from exporter.sink.tally import Tally
from exporter.source.queries import Address


@dataclass(frozen=True, slots=True)
class Context:
    """What every task needs: the source, the snapshot's statements, and the partial export."""

    address: Address
    pre_execution: list[str]
    partial: Path


@dataclass(frozen=True, slots=True)
class Chunk:
    """One read of one table, and the fallback one that stands in for it where a datetime or date is unrepresentable."""

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
    """A finished chunk: rows read, a part for each entity of the table, and what it took."""

    chunk: Chunk
    rows_read: int
    parts: tuple[EntityPart, ...]
    watch: Stopwatch


@dataclass(frozen=True, slots=True)
class IndexDone:
    """A finished task of the key index; of a key set, the table and how many of its rows were read."""

    watch: Stopwatch
    table: str | None = None
    rows_read: int = 0
