"""The workers' tasks as typed functions, for the leader to submit.

They import worker.py only when a worker calls them: the leader does not need Polars and connectorx, which take half a
second and 60 MB to load.
"""

import os

from exporter.pipeline import timing
from exporter.pipeline.messages import Chunk, ChunkDone, CloseDone, Context, IndexDone, LinksDone
from exporter.source.queries import IndexQuery, LinkQuery


def start_worker(reader: str | None = None, ahead: float = 0.0) -> None:
    """Makes a spawned process a worker, whose clock is `ahead` of the leader's by so many seconds; called once in
    each."""
    timing.leader_clock(ahead)
    # The workers are the parallelism, and a backtrace of connectorx could quote rows.
    os.environ |= {"POLARS_MAX_THREADS": "1", "RUST_BACKTRACE": "0"}
    from exporter.pipeline import worker

    worker.start()


def warm_up() -> None:
    """Does nothing: the executor spawns a worker for it, which thus loads early."""


def read_index(context: Context, queries: tuple[IndexQuery, ...]) -> list[IndexDone]:
    """Reads parts of the key index. Raises `RunError`, as all tasks do."""
    from exporter.pipeline import worker

    return worker.read_index(context, queries)


def export_chunks(context: Context, chunks: tuple[Chunk, ...]) -> list[ChunkDone]:
    """Reads, shapes and writes chunks."""
    from exporter.pipeline import worker

    return worker.export_chunks(context, chunks)


def find_repeated(context: Context, table: str) -> bool:
    """Whether a key occurs twice in a table that was exported, though the catalog promises otherwise."""
    from exporter.pipeline import worker

    return worker.find_repeated(context, table)


def read_links(context: Context, queries: tuple[LinkQuery, ...]) -> list[LinksDone]:
    """Reads the links of chunks, for the closure of a window."""
    from exporter.pipeline import window_worker

    return window_worker.read_links(context, queries)


def close_window(context: Context, bytes: dict[str, int]) -> CloseDone:
    """Finds the rows that are in a window from all links; `bytes` are the sizes of the tables of closed labels."""
    from exporter.pipeline import window_worker

    return window_worker.close_window(context, bytes)
