"""The tasks as a worker process runs them, in one go: read -> shape -> write. The leader's side is extract.py."""

import os
import signal
import threading
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import parent_process
from multiprocessing.process import BaseProcess
from pathlib import Path

import polars as pl

from exporter.errors import ExporterError, RunError
from exporter.model import frame
from exporter.model.tables import Table, node, referenced_labels, tables
from exporter.pipeline.messages import Chunk, ChunkDone, Context, EntityPart, IndexDone
from exporter.pipeline.timing import KEYS, READ, SHAPE, WRITE, TaskTimer
from exporter.shape.examples import examples
from exporter.shape.ids import canonical
from exporter.shape.key_index import KeyIndex, key_of, write_duplicates, write_index, write_keys
from exporter.shape.rows import Shaped, shape
from exporter.shape.uniqueness import may_repeat, write_run
from exporter.shape.values import holds_unrepresentable
from exporter.sink import headers, layout
from exporter.sink.csv import write_data, write_rejects
from exporter.sink.oversized import oversized
from exporter.sink.tally import Tally
from exporter.source.heartbeats import heartbeat
from exporter.source.queries import DuplicateQuery, IndexQuery, KeyQueries, ValueQueries
from exporter.source.reader import UndecodableError, read


def start() -> None:
    """Makes this process a worker: quiet, ignoring ^C (the leader decides), and ending with the leader."""
    # The signals that stop a run are blocked from the start (pool.py); SIGTERM ends a worker, as its executor expects.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    # A panic in connectorx prints to descriptor 2 before Python sees it, and may quote rows.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    leader = parent_process()
    assert leader is not None
    threading.Thread(target=end_with, args=(leader,), daemon=True).start()


def end_with(leader: BaseProcess) -> None:
    """Waits until the leader ends, and ends this process too."""
    leader.join()
    os._exit(1)


@contextmanager
def sanitized_errors(subject: str) -> Iterator[None]:
    """Turns whatever the block raises into an `ExporterError` that names the subject and quotes no cell.

    A bug keeps its traceback's places but not its message: Polars' messages contain values.
    """
    try:
        yield
    except (ExporterError, KeyboardInterrupt, SystemExit):
        raise
    except OSError as error:
        # Polars gives the reason only in the error's text.
        raise RunError(f"cannot write the export: {error.strerror or error} (while writing {subject})") from None
    except MemoryError:
        raise RunError(f"a worker is out of memory (while handling {subject}); lower --memory or --workers") from None
    except BaseException as error:  # a panic of Polars is not an Exception
        places = ", ".join(f"{Path(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__))
        raise RunError(f"a bug, please report it: {type(error).__name__} while handling {subject} ({places})") from None


def export_chunk(context: Context, chunk: Chunk) -> ChunkDone:
    """Exports one chunk of a table: its rows are read once, and written to the files of all its entities."""
    timer = TaskTimer(chunk.table)
    with sanitized_errors(chunk.table):
        table = next(table for table in tables() if table.name == chunk.table)
        with timer.on(READ):
            raw = chunk_frame(context, chunk, table)
        with timer.on(SHAPE):
            shaped = shape(raw, table, key_index(context))
        if table.node and not {frame.ROW, frame.DUPLICATE} & set(raw.columns) and not is_referenced(table):
            with timer.on(KEYS):
                run = key_index(context).runs_directory(table.name) / f"run-{chunk.number}.arrow"
                write_run(run, shaped[0].rows.to_series(0))
        parts = tuple(write_part(context.partial, chunk.number, part, timer) for part in shaped)
        return ChunkDone(chunk, raw.height, parts, timer)


def chunk_frame(context: Context, chunk: Chunk, table: Table) -> pl.DataFrame:
    """A chunk's raw frame (model/frame.py). Few chunks need the fallback query, whose checks cost the server a fifth
    more time."""
    try:
        raw = read_frame(context, chunk.query, chunk.table, chunk.table, table.key_columns)
    except UndecodableError:
        return read_frame(context, chunk.fallback, chunk.table, chunk.table, table.key_columns)
    if holds_unrepresentable(raw, table):
        return read_frame(context, chunk.fallback, chunk.table, chunk.table, table.key_columns)
    return raw


def is_referenced(table: Table) -> bool:
    """Whether the key index holds the table's keys, so that reading those has told whether one occurs twice."""
    return table.node is not None and table.node.label in referenced_labels()


def find_repeated(context: Context, table: str) -> bool:
    """Whether a key occurs twice in the runs of a table's chunks."""
    with sanitized_errors(table):
        return may_repeat(key_index(context).runs_directory(table))


def write_part(partial: Path, number: int, shaped: Shaped, timer: TaskTimer) -> EntityPart:
    """Writes what a chunk gives to one entity; where that is nothing, no file."""
    entity, rows, rejects = shaped.entity, shaped.rows, shaped.rejects
    tally = Tally(no_target=shaped.no_target)
    with timer.on(WRITE):
        if rows.height:
            tally += write_data(partial, layout.data_file(entity, number), rows, headers.columns(entity))
            tally += Tally(oversized=oversized(entity, rows))
        if rejects.height:
            record = write_rejects(partial, layout.rejects_file(entity, number), rejects)
            reasons = Counter(dict(rejects.group_by("reason").len().iter_rows()))
            tally += Tally(rejects=reasons, reject_files=(record,))
    return EntityPart(entity.name, tally, examples(rejects) if rejects.height else ())


def key_index(context: Context) -> KeyIndex:
    return KeyIndex(context.partial / layout.KEY_INDEX)


@contextmanager
def index_task(subject: str) -> Iterator[TaskTimer]:
    """Times a task of the key index, and sanitizes its errors."""
    timer = TaskTimer(subject)
    with sanitized_errors(subject), timer.on(KEYS):
        yield timer


def read_index(context: Context, query: IndexQuery) -> IndexDone:
    """Reads a part of the key index."""
    match query:
        case KeyQueries():
            return read_keys(context, query)
        case DuplicateQuery():
            return read_duplicates(context, query)
        case ValueQueries():
            return read_values(context, query)


def read_keys(context: Context, queries: KeyQueries) -> IndexDone:
    """Reads a label's key set into the key index."""
    rows, table = 0, node(queries.label).table

    def frames() -> Iterator[pl.DataFrame]:
        nonlocal rows
        for query in queries.queries:
            raw = read_frame(context, query, table, timer.task)
            if queries.gathered:
                raw = raw.drop_nulls().explode(raw.columns)
            rows += raw.height
            yield raw

    with index_task(f"the keys of {queries.label}") as timer:
        directory = key_index(context).keys_directory(queries.label)
        key = node(queries.label).key
        repeated = write_keys(directory, key, frames(), low=queries.low, high=queries.high, bytes=queries.bytes)
    return IndexDone(timer, table, rows, repeated)


def read_values(context: Context, queries: ValueQueries) -> IndexDone:
    """Reads the values that links compare, with the keys of their owners, into the key index."""
    with index_task(f"the values of {queries.label}.{queries.column}") as timer:
        key = node(queries.label).key
        owners = (
            pl.DataFrame({"text": canonical(raw["value"], queries.id_rule), "id": key_of(raw, key)}).drop_nulls("id")
            for query in queries.queries
            for raw in [read_frame(context, query, node(queries.label).table, timer.task)]
        )
        directory = key_index(context).values_directory(queries.label, queries.column)
        write_index(directory, owners, bytes=queries.bytes)
    return IndexDone(timer)


def read_duplicates(context: Context, query: DuplicateQuery) -> IndexDone:
    """Reads into the key index which rows of a table lose their key."""
    with index_task(f"the duplicates of {query.table}") as timer:
        rows = read_frame(context, query.query, query.table, timer.task)
        write_duplicates(key_index(context).duplicates_file(query.table), rows)
    return IndexDone(timer)


def read_frame(context: Context, query: str, table: str, subject: str, key: Sequence[str] = ()) -> pl.DataFrame:
    """The rows of a query for a table (the model's name) in the leader's snapshot, with the query's column names. An
    error names a row by its columns `key`. A heartbeat file exists while they are being read."""
    address = context.address if table in context.views else context.address.without_indexes()
    with heartbeat(context.heartbeats, subject):
        arrow = read(address, query, context.pre_execution, subject, key)
    rows = pl.from_arrow(arrow)
    assert isinstance(rows, pl.DataFrame)
    return rows
