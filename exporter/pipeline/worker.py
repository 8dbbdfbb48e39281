"""The tasks as a worker process runs them, in one go: read -> shape -> write. The leader's side is extract.py."""

import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from multiprocessing import parent_process
from multiprocessing.process import BaseProcess
from pathlib import Path

import polars as pl

from exporter.model import frame
from exporter.model.tables import Table, node, referenced_labels, tables
from exporter.pipeline.messages import Chunk, ChunkDone, Context, EntityPart, IndexDone
from exporter.pipeline.reading import FrameReader, frames, read_frame
from exporter.pipeline.timing import KEYS, READ, SHAPE, WRITE, TaskTimer
from exporter.pipeline.worker_errors import sanitized_errors
from exporter.shape.examples import examples
from exporter.shape.ids import canonical
from exporter.shape.key_index import KeyIndex, key_of, write_duplicates, write_keys
from exporter.shape.rows import Shaped, shape
from exporter.shape.text_index import write_index
from exporter.shape.uniqueness import may_repeat, write_run
from exporter.shape.values import holds_unrepresentable
from exporter.sink import headers, layout
from exporter.sink.attempts import flat, unflat
from exporter.sink.csv import write_data, write_rejects
from exporter.sink.oversized import oversized
from exporter.sink.tally import Tally
from exporter.source.heartbeats import JOINED
from exporter.source.queries import DuplicateQuery, IndexQuery, KeyQueries, ValueQueries
from exporter.source.reader import UndecodableError


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


def export_chunks(context: Context, attempt: Path, chunks: tuple[Chunk, ...]) -> list[ChunkDone]:
    """Exports one chunk, or all of several tables that are small enough to be read together, to files below the
    directory `attempt`."""
    subjects = [chunk.table for chunk in chunks]
    with sanitized_errors(JOINED.join(subjects)):
        found = frames(context, [chunk.read for chunk in chunks], subjects)
        return [export_chunk(context, attempt, *chunk) for chunk in zip(chunks, found, strict=True)]


def export_chunk(context: Context, attempt: Path, chunk: Chunk, read: FrameReader) -> ChunkDone:
    """Exports one chunk of a table: its rows are read once, and written to the files of all its entities."""
    timer = TaskTimer(chunk.table)
    with sanitized_errors(chunk.table):
        table = next(table for table in tables() if table.name == chunk.table)
        with timer.on(READ):
            raw = chunk_frame(context, chunk, table, read)
        with timer.on(SHAPE):
            shaped = shaped_chunk(context, table, raw)
        if table.node and not {frame.ROW, frame.DUPLICATE} & set(raw.columns) and not is_referenced(table):
            with timer.on(KEYS):
                run = new_index(attempt).runs_directory(table.name) / f"run-{chunk.number}.arrow"
                write_run(run, shaped[0].rows.to_series(0))
        parts = tuple(write_part(attempt, chunk.number, part, timer) for part in shaped)
        if context.flushes:  # the result leaves this machine
            from exporter.pipeline.cluster_examples import put_away

            new_index(attempt)
            parts = put_away(attempt, chunk, parts)
        return ChunkDone(chunk.without_queries(), raw.height, parts, timer)


def chunk_frame(context: Context, chunk: Chunk, table: Table, read: FrameReader) -> pl.DataFrame:
    """A chunk's raw frame (model/frame.py); of a window, the rows that are in. Few chunks need the fallback query: its
    checks cost the server a fifth more time."""
    try:
        raw = rows_in(context, table, read())
    except UndecodableError:
        return rows_in(context, table, read_frame(context, chunk.fallback, chunk.table))
    if holds_unrepresentable(raw, table):
        return rows_in(context, table, read_frame(context, chunk.fallback, chunk.table))
    return raw


def rows_in(context: Context, table: Table, raw: pl.DataFrame) -> pl.DataFrame:
    """Those rows of a frame that are in the window; all without one."""
    if context.window is None:
        return raw
    from exporter.pipeline import window_worker  # few exports are windows

    return window_worker.rows_in(context, table, raw)


def shaped_chunk(context: Context, table: Table, raw: pl.DataFrame) -> list[Shaped]:
    """What a chunk's raw frame contributes to each of its entities, in a masked copy without what that does not
    tell."""
    if context.masked is None:
        return shape(raw, table, key_index(context))
    from exporter.shape.masked import masked, with_shown_key  # few exports are masked

    columns = context.masked[table.name]
    return [masked(part, columns) for part in shape(with_shown_key(raw, table, columns), table, key_index(context))]


def is_referenced(table: Table) -> bool:
    """Whether the key index holds the table's keys, so that reading those has told whether one occurs twice."""
    return table.node is not None and table.node.label in referenced_labels()


def find_repeated(context: Context, table: str) -> bool:
    """Whether a key occurs twice in the runs of a table's chunks."""
    with sanitized_errors(table):
        return may_repeat(key_index(context).runs_directory(table))


def write_part(attempt: Path, number: int, shaped: Shaped, timer: TaskTimer) -> EntityPart:
    """Writes what a chunk gives to one entity; where that is nothing, no file."""
    entity, rows, rejects = shaped.entity, shaped.rows, shaped.rejects
    tally = Tally(no_target=shaped.no_target, suppressed=shaped.suppressed)
    with timer.on(WRITE):
        if rows.height:
            written = write_data(attempt, Path(flat(layout.data_file(entity, number))), rows, headers.columns(entity))
            tally += replace(written, files=tuple(map(unflat, written.files)))
            tally += Tally(oversized=oversized(entity, rows))
        if rejects.height:
            record = unflat(write_rejects(attempt, Path(flat(layout.rejects_file(entity, number))), rejects))
            reasons = Counter(dict(rejects.group_by("reason").len().iter_rows()))
            tally += Tally(rejects=reasons, reject_files=(record,))
    return EntityPart(entity.name, tally, examples(rejects) if rejects.height else ())


def key_index(context: Context) -> KeyIndex:
    """The key index, of which all is read that the workers have written."""
    tokens = frozenset[str]()
    if context.masked is not None:
        owners = [(table.node.label, context.masked[table.name]) for table in tables() if table.node]
        tokens = frozenset(f"{label}.{column}" for label, columns in owners for column in columns.tokens)
    return KeyIndex(context.directory / layout.KEY_INDEX, tokens)


def new_index(attempt: Path) -> KeyIndex:
    """The key index to write to, in an attempt."""
    directory = attempt / layout.KEY_INDEX
    directory.mkdir(mode=0o700, exist_ok=True)
    return KeyIndex(directory)


def read_index(context: Context, attempt: Path, queries: tuple[IndexQuery, ...]) -> list[IndexDone]:
    """Reads parts of the key index: one, or several of tables that are small enough to be read together."""
    reads, subjects = zip(*((read, query.subject) for query in queries for read in query.reads), strict=True)
    with sanitized_errors(JOINED.join(dict.fromkeys(subjects))):
        found = iter(frames(context, reads, subjects))
    return [write_part_of_index(attempt, query, islice(found, len(query.reads))) for query in queries]


def write_part_of_index(attempt: Path, query: IndexQuery, reads: Iterator[FrameReader]) -> IndexDone:
    """Writes a part of the key index from what it reads."""
    found = (read() for read in reads)
    timer = TaskTimer(query.subject)
    with sanitized_errors(query.subject), timer.on(KEYS):
        index = new_index(attempt)
        match query:
            case KeyQueries():
                return IndexDone(timer, node(query.label).table, *write_key_set(index, query, found))
            case ValueQueries():
                write_values(index, query, found)
            case DuplicateQuery():
                write_duplicates(index.duplicates_file(query.table), next(found))
    return IndexDone(timer)


def write_key_set(index: KeyIndex, queries: KeyQueries, found: Iterator[pl.DataFrame]) -> tuple[int, bool]:
    """Writes a label's key set; returns how many rows it was made of, and whether a key occurs twice."""
    rows = 0

    def key_columns() -> Iterator[pl.DataFrame]:
        nonlocal rows
        for raw in found:
            columns = raw.drop_nulls().explode(raw.columns) if queries.gathered else raw
            rows += columns.height
            yield columns

    directory, key = index.keys_directory(queries.label), node(queries.label).key
    repeated = write_keys(directory, key, key_columns(), low=queries.low, high=queries.high, bytes=queries.bytes)
    return rows, repeated


def write_values(index: KeyIndex, queries: ValueQueries, found: Iterator[pl.DataFrame]) -> None:
    """Writes the values that links compare, with the keys of their owners."""
    key = node(queries.label).key
    owners = (
        pl.DataFrame({"text": canonical(raw["value"], queries.id_rule), "id": key_of(raw, key)}).drop_nulls("id")
        for raw in found
    )
    write_index(index.values_directory(queries.label, queries.column), owners, bytes=queries.bytes)
