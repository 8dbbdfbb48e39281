"""One task of a worker process, straight through: read -> shape -> write. The leader's side is run.py."""

import os
import signal
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.process import BaseProcess
from pathlib import Path

import polars as pl

from exporter.errors import ExporterError, RunError
from exporter.model.tables import node, tables
from exporter.shape.census import Census, KeySet, TextIndex, key_of, write_index, write_keys, write_losers
from exporter.shape.ids import canonical
from exporter.shape.rows import Shaped, shape
from exporter.source.connection import Address
from exporter.source.plan import KeyReads, LoserReads, ValueReads
from exporter.source.read import read
from exporter.target import headers, layout
from exporter.target.csv import FileRecord, write_data, write_rejects


@dataclass(frozen=True, slots=True)
class Context:
    """What every task needs: the source, the snapshot's statements, and the partial export."""

    address: Address
    pre_execution: list[str]
    partial: Path


@dataclass(frozen=True, slots=True)
class Chunk:
    """One read of one table."""

    table: str
    number: int
    query: str


@dataclass(frozen=True, slots=True)
class EntityPart:
    """What a chunk wrote for one entity (`name` as in layout.py)."""

    name: str
    rows: int
    values: dict[str, int]
    no_target: int
    rejects: dict[str, int]
    multiline: bool
    files: tuple[FileRecord, ...]
    reject_files: tuple[FileRecord, ...]


@dataclass(frozen=True, slots=True)
class ChunkDone:
    """A finished chunk: rows read, and a part for each entity of the table."""

    chunk: Chunk
    rows_read: int
    parts: tuple[EntityPart, ...]


_context: Context | None = None


def start(context: Context) -> None:
    """Makes this process a worker: quiet, deaf to ^C (the leader decides), and gone when the leader is."""
    global _context
    _context = context
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    # A panic of connectorx prints to descriptor 2 before Python sees it, and may quote rows.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    leader = parent_process()
    assert leader is not None
    threading.Thread(target=end_with, args=(leader,), daemon=True).start()


def end_with(leader: BaseProcess) -> None:
    """Waits for the leader's end and ends this process with it."""
    leader.join()
    os._exit(1)


@contextmanager
def told(what: str) -> Iterator[Context]:
    """Gives a task its context; whatever fails in it comes out as an `ExporterError` that quotes no cell.

    A bug keeps the places of its traceback but not its message: Polars' messages hold values.
    """
    assert _context is not None
    try:
        yield _context
    except ExporterError:
        raise
    except OSError as error:
        raise RunError(f"cannot write the export ({error.strerror}) while writing {what}") from None
    except Exception as error:
        places = ", ".join(f"{Path(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__))
        raise RunError(f"a bug, please report it: {type(error).__name__} while handling {what} ({places})") from None


def export_chunks(chunks: tuple[Chunk, ...], census: Census) -> list[ChunkDone]:
    """Reads, shapes and writes chunks one after the other."""
    return [export_chunk(chunk, census) for chunk in chunks]


def export_chunk(chunk: Chunk, census: Census) -> ChunkDone:
    """One chunk of a table: its rows are read once and go to the files of all its entities."""
    with told(chunk.table) as context:
        raw = frame(context, chunk.query, chunk.table)
        table = next(table for table in tables() if table.name == chunk.table)
        parts = tuple(write_part(context.partial, chunk.number, shaped) for shaped in shape(raw, table, census))
        return ChunkDone(chunk, raw.height, parts)


def write_part(partial: Path, number: int, shaped: Shaped) -> EntityPart:
    """Writes what a chunk gives to one entity; where that is nothing, no file."""
    entity, rows, rejects = shaped.entity, shaped.rows, shaped.rejects
    columns = headers.columns(entity)
    written = write_data(partial, layout.data_file(entity, number), rows, columns) if rows.height else None
    reject_file = write_rejects(partial, layout.rejects_file(entity, number), rejects) if rejects.height else None
    return EntityPart(
        layout.name(entity),
        rows.height,
        written.values if written else {},
        shaped.no_target,
        dict(rejects.group_by("reason").len().iter_rows()) if rejects.height else {},
        bool(written and written.multiline),
        (written.record,) if written else (),
        (reject_file,) if reject_file else (),
    )


def take_keys(reads: KeyReads) -> KeySet:
    """Reads a label's key set into the census."""
    with told(f"the keys of {reads.label}") as context:
        directory = context.partial / layout.CENSUS / "keys" / reads.label
        frames = (frame(context, query, f"the keys of {reads.label}") for query in reads.queries)
        return write_keys(directory, node(reads.label).key, frames, low=reads.low, high=reads.high, rows=reads.rows)


def take_values(reads: ValueReads) -> TextIndex:
    """Reads the values that links go by, with the keys of their owners, into the census."""
    what = f"{reads.label}.{reads.column}"
    with told(what) as context:
        key = node(reads.label).key
        frames = (frame(context, query, what) for query in reads.queries)
        owned = (
            pl.DataFrame({"text": canonical(raw["value"], reads.grammar), "id": key_of(raw, key)}).drop_nulls("id")
            for raw in frames
        )
        directory = context.partial / layout.CENSUS / "values" / what
        return write_index(directory, owned, rows=reads.rows)


def take_losers(reads: LoserReads) -> Path:
    """Reads which rows of a table lose their key into the census."""
    with told(f"the duplicates of {reads.table}") as context:
        rows = frame(context, reads.query, f"the duplicates of {reads.table}")
        return write_losers(context.partial / layout.CENSUS / "losers" / f"{reads.table}.arrow", rows)


def frame(context: Context, query: str, what: str) -> pl.DataFrame:
    """The rows of a query in the leader's snapshot."""
    table = pl.from_arrow(read(context.address, query, context.pre_execution, what))
    assert isinstance(table, pl.DataFrame)
    return table
