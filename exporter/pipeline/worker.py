"""One task of a worker process, straight through: read -> shape -> write. The leader's side is run.py."""

import os
import signal
import threading
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import parent_process
from multiprocessing.process import BaseProcess
from pathlib import Path

import polars as pl

from exporter.errors import ExporterError, RunError
from exporter.model.tables import Table, node, tables
from exporter.pipeline.stopwatch import KEYS, READ, SHAPE, WRITE, Stopwatch
from exporter.pipeline.tasks import Chunk, ChunkDone, Context, EntityPart, IndexDone
from exporter.shape.examples import examples
from exporter.shape.ids import canonical
from exporter.shape.key_index import KeyIndex, key_of, write_duplicates, write_index, write_keys
from exporter.shape.rows import Shaped, shape
from exporter.shape.values import holds_unrepresentable
from exporter.sink import headers, layout
from exporter.sink.csv import write_data, write_rejects
from exporter.sink.tally import Tally
from exporter.source.queries import DuplicateQuery, KeyQueries, ValueQueries
from exporter.source.reader import UndecodableError, bytes_received, read


def start() -> None:
    """Makes this process a worker: quiet, deaf to ^C (the leader decides), and gone when the leader is."""
    # The signals that stop a run are held back from birth (pool.py); SIGTERM ends a worker, as its executor expects.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    # A panic of connectorx prints to descriptor 2 before Python sees it, and may quote rows.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    leader = parent_process()
    assert leader is not None
    threading.Thread(target=end_with, args=(leader,), daemon=True).start()


def warm_up() -> None:
    """The task that starts a worker."""


def end_with(leader: BaseProcess) -> None:
    """Waits for the leader's end and ends this process with it."""
    leader.join()
    os._exit(1)


@contextmanager
def sanitized_errors(what: str) -> Iterator[None]:
    """Whatever fails in a task comes out as an `ExporterError` that says what it handled and quotes no cell.

    A bug keeps the places of its traceback but not its message: Polars' messages hold values.
    """
    try:
        yield
    except (ExporterError, KeyboardInterrupt, SystemExit):
        raise
    except OSError as error:
        # Polars tells the reason in the error's text alone.
        raise RunError(f"cannot write the export: {error.strerror or error} (while writing {what})") from None
    except MemoryError:
        raise RunError(f"a worker is out of memory (while handling {what}); lower --memory or --workers") from None
    except BaseException as error:  # a panic of Polars is no Exception
        places = ", ".join(f"{Path(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__))
        raise RunError(f"a bug, please report it: {type(error).__name__} while handling {what} ({places})") from None


def export_chunks(context: Context, chunks: tuple[Chunk, ...]) -> list[ChunkDone]:
    """Reads, shapes and writes chunks one after the other."""
    return [export_chunk(context, chunk) for chunk in chunks]


def export_chunk(context: Context, chunk: Chunk) -> ChunkDone:
    """One chunk of a table: its rows are read once and go to the files of all its entities."""
    watch = Stopwatch(chunk.table)
    with sanitized_errors(chunk.table):
        table = next(table for table in tables() if table.name == chunk.table)
        with watch.on(READ):
            raw = chunk_frame(context, chunk, table)
        with watch.on(SHAPE):
            shaped = shape(raw, table, KeyIndex(context.partial / layout.KEY_INDEX))
        parts = tuple(write_part(context.partial, chunk.number, part, watch) for part in shaped)
        return ChunkDone(chunk, raw.height, parts, watch)


def chunk_frame(context: Context, chunk: Chunk, table: Table) -> pl.DataFrame:
    """A chunk's raw frame. Nearly none needs the fallback read, whose checks cost the server a fifth more."""
    try:
        raw = frame(context, chunk.query, chunk.table)
    except UndecodableError:
        return frame(context, chunk.fallback, chunk.table)
    return frame(context, chunk.fallback, chunk.table) if holds_unrepresentable(raw, table) else raw


def write_part(partial: Path, number: int, shaped: Shaped, watch: Stopwatch) -> EntityPart:
    """Writes what a chunk gives to one entity; where that is nothing, no file."""
    entity, rows, rejects = shaped.entity, shaped.rows, shaped.rejects
    tally = Tally(no_target=shaped.no_target)
    with watch.on(WRITE):
        if rows.height:
            tally += write_data(partial, layout.data_file(entity, number), rows, headers.columns(entity))
        if rejects.height:
            record = write_rejects(partial, layout.rejects_file(entity, number), rejects)
            reasons = Counter(dict(rejects.group_by("reason").len().iter_rows()))
            tally += Tally(rejects=reasons, reject_files=(record,))
    return EntityPart(layout.name(entity), tally, examples(rejects) if rejects.height else ())


@contextmanager
def index_task(what: str) -> Iterator[Stopwatch]:
    """A task of the key index, told and timed."""
    watch = Stopwatch(what)
    with sanitized_errors(what), watch.on(KEYS):
        yield watch


def read_keys(context: Context, reads: KeyQueries) -> IndexDone:
    """Reads a label's key set into the key index."""
    rows = 0

    def frames() -> Iterator[pl.DataFrame]:
        nonlocal rows
        for query in reads.queries:
            raw = frame(context, query, watch.what)
            if reads.gathered:
                raw = raw.drop_nulls().explode(raw.columns)
            rows += raw.height
            yield raw

    with index_task(f"the keys of {reads.label}") as watch:
        directory = KeyIndex(context.partial / layout.KEY_INDEX).keys_directory(reads.label)
        write_keys(directory, node(reads.label).key, frames(), low=reads.low, high=reads.high, bytes=reads.bytes)
    return IndexDone(watch, node(reads.label).table, rows)


def read_values(context: Context, reads: ValueQueries) -> IndexDone:
    """Reads the values that links go by, with the keys of their owners, into the key index."""
    with index_task(f"the values of {reads.label}.{reads.column}") as watch:
        key = node(reads.label).key
        owned = (
            pl.DataFrame({"text": canonical(raw["value"], reads.id_rule), "id": key_of(raw, key)}).drop_nulls("id")
            for query in reads.queries
            for raw in [frame(context, query, watch.what)]
        )
        directory = KeyIndex(context.partial / layout.KEY_INDEX).values_directory(reads.label, reads.column)
        write_index(directory, owned, bytes=reads.bytes)
    return IndexDone(watch)


def read_duplicates(context: Context, reads: DuplicateQuery) -> IndexDone:
    """Reads which rows of a table lose their key into the key index."""
    with index_task(f"the duplicates of {reads.table}") as watch:
        rows = frame(context, reads.query, watch.what)
        write_duplicates(KeyIndex(context.partial / layout.KEY_INDEX).duplicates_file(reads.table), rows)
    return IndexDone(watch)


def frame(context: Context, query: str, what: str) -> pl.DataFrame:
    """The rows of a query in the leader's snapshot. While it is read, a file says so to the leader's watchdog."""
    with marked(context.partial, what):
        arrow = read(context.address, query, context.pre_execution, what)
    table = pl.from_arrow(arrow)
    assert isinstance(table, pl.DataFrame)
    return table


@contextmanager
def marked(partial: Path, what: str) -> Iterator[None]:
    """This worker's mark while it reads: its process id, and what it reads; new again whenever rows came in."""
    mark = partial / layout.HEARTBEATS / str(os.getpid())
    mark.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark.write_text(what, encoding="utf-8")
    done = threading.Event()
    threading.Thread(target=renew, args=(mark, done), daemon=True).start()
    try:
        yield
    finally:
        done.set()
        mark.unlink(missing_ok=True)


def renew(mark: Path, done: threading.Event) -> None:
    """Renews a mark about once a second when bytes came in. A slow network does not stand still, though the server,
    which gave all it had to the network long ago, takes it for that."""
    before = 0
    while not done.wait(1):
        received = bytes_received()
        if received != before:
            with suppress(FileNotFoundError):  # the read was done in this moment
                os.utime(mark)
        before = received
