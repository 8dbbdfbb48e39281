"""The tasks of a window as a worker process runs them: links, their closure, and the judgement of rows that were read.
The leader's side is window.py."""

from functools import cache
from pathlib import Path

import polars as pl

from exporter.errors import RunError
from exporter.model import frame
from exporter.model.tables import Table, node
from exporter.model.ways_in import link_tables, ways_in
from exporter.model.window import CLOSED_LABELS, WHOLE, Window
from exporter.pipeline.messages import CloseDone, Context, IndexDone, LinksDone
from exporter.pipeline.reading import FrameReader, frames
from exporter.pipeline.timing import KEYS, TaskTimer
from exporter.pipeline.window_ids import filled, id_set
from exporter.pipeline.window_roots import with_roots
from exporter.pipeline.worker import new_index
from exporter.pipeline.worker_errors import sanitized_errors
from exporter.shape import closure
from exporter.shape.kept import ids_of
from exporter.shape.key_index import write_keys
from exporter.sink import layout
from exporter.source.heartbeats import JOINED
from exporter.source.queries import LinkQuery

# The directory of a window's links and sets of ids, in the key index.
WINDOW = "window"


def read_links(context: Context, attempt: Path, queries: tuple[LinkQuery, ...]) -> list[LinksDone]:
    """Reads the links of one chunk, or of several tables that are small enough to be read together."""
    reads, subjects = zip(*((query.read, query.subject) for query in queries), strict=True)
    with sanitized_errors(JOINED.join(subjects)):
        found = frames(context, reads, subjects)
        return [write_links(context, attempt, query, read) for query, read in zip(queries, found, strict=True)]


def write_links(context: Context, attempt: Path, query: LinkQuery, read: FrameReader) -> LinksDone:
    """Writes the links of a chunk."""
    timer = TaskTimer(query.subject)
    with sanitized_errors(query.subject), timer.on(KEYS):
        raw = read()
        closure.write_links(new_directory(attempt), query.table, query.number, raw, window_of(context))
    return LinksDone(timer, query.table, query.number, raw.height)


def close_window(context: Context, attempt: Path, bytes: dict[str, int]) -> CloseDone:
    """Finds the rows that are in, and writes the key sets of the closed labels: of all rows, so that a reference
    dangles in the window exactly if it does in the source. `bytes` are the sizes of their tables."""
    links, window = directory(context), window_of(context)
    timer = TaskTimer("the closure")
    with sanitized_errors("the closure"):
        with timer.on(KEYS):
            written = new_directory(attempt)
            closed = closure.close(links, written, window)
            sets = {name: id_set(name, ids_of(written, name)) for name in pushed_sets(window)}
        index = [write_key_set(links, attempt, label, bytes[label]) for label in sorted(CLOSED_LABELS)]
        return CloseDone(closed, [IndexDone(timer), *index], sets)


def write_key_set(links: Path, attempt: Path, label: str, bytes: int) -> IndexDone:
    """Writes the key set of a closed label from its links."""
    declared = node(label)
    timer = TaskTimer(f"the keys of {label}")
    with timer.on(KEYS):
        keys = list(closure.own_keys(links, declared.table))
        bounds = [key for part in keys for key in (part.min(), part.max()) if isinstance(key, int)]
        parts = (part.alias(declared.key.columns[0]).to_frame() for part in keys)
        low, high = (min(bounds), max(bounds)) if bounds else (None, None)
        target = new_index(attempt).keys_directory(label)
        repeated = write_keys(target, declared.key, parts, low=low, high=high, bytes=bytes)
    return IndexDone(timer, declared.table, sum(len(part) for part in keys), repeated)


def pushed_sets(window: Window) -> list[str]:
    """The names of the sets by which rows are in."""
    ways = (way for table in link_tables() if table.name not in WHOLE for way in ways_in(table.name, window))
    return sorted({way.ids for way in ways if way.ids is not None})


def rows_in(context: Context, table: Table, raw: pl.DataFrame) -> pl.DataFrame:
    """Those rows of a frame that are in the window. Raises `RunError` if one refers to a node that the window leaves
    out."""
    if table.name not in linked_tables():
        return raw
    links = directory(context)
    inside = closure.rows_in(links, window_of(context), table.name, raw)
    rows = (raw if inside.all() else raw.filter(inside)).drop(frame.IN_TIME, strict=False)
    if closure.unkept(links, table.name, rows).any():
        raise RunError(f"a bug, please report it: a row of {table.name} refers to a node outside of the window")
    return rows


@cache
def linked_tables() -> frozenset[str]:
    """The tables whose rows are judged."""
    return frozenset(table.name for table in link_tables())


def directory(context: Context) -> Path:
    """Where a window's links and sets of ids are."""
    return context.directory / layout.KEY_INDEX / WINDOW


def new_directory(attempt: Path) -> Path:
    """Where an attempt writes a window's links or sets of ids."""
    directory = new_index(attempt).directory / WINDOW
    directory.mkdir(mode=0o700, exist_ok=True)
    return directory


def window_of(context: Context) -> Window:
    """The window with its roots and their ids, which a context does not have."""
    assert context.window is not None
    return with_roots(context.window, context.directory)


def query_with_ids(context: Context, query: str) -> str:
    """A query with the ids in the place of its place-holders."""
    return filled(directory(context), query)
