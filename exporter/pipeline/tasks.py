"""The workers' tasks as typed functions, for the leader to submit.

They import worker.py only when a worker calls them: the leader does not need Polars and connectorx, which take half a
second and 60 MB to load.
"""

import os

from exporter.pipeline.messages import Chunk, ChunkDone, Context, IndexDone
from exporter.source.queries import DuplicateQuery, KeyQueries, ValueQueries


def start_worker() -> None:
    """Makes a spawned process a worker; called once in each."""
    # The workers are the parallelism, and a backtrace of connectorx could quote rows.
    os.environ |= {"POLARS_MAX_THREADS": "1", "RUST_BACKTRACE": "0"}
    from exporter.pipeline import worker

    worker.start()


def warm_up() -> None:
    """Does nothing: the executor spawns a worker for it, which thus loads early."""


def read_keys(context: Context, queries: KeyQueries) -> IndexDone:
    """Reads a label's key set into the key index. Raises `RunError`, as all tasks do."""
    from exporter.pipeline import worker

    return worker.read_keys(context, queries)


def read_values(context: Context, queries: ValueQueries) -> IndexDone:
    """Reads the values that links compare, with the keys of their owners, into the key index."""
    from exporter.pipeline import worker

    return worker.read_values(context, queries)


def read_duplicates(context: Context, query: DuplicateQuery) -> IndexDone:
    """Reads into the key index which rows of a table lose their key."""
    from exporter.pipeline import worker

    return worker.read_duplicates(context, query)


def export_chunks(context: Context, chunks: tuple[Chunk, ...]) -> list[ChunkDone]:
    """Reads, shapes and writes chunks one after the other."""
    from exporter.pipeline import worker

    return [worker.export_chunk(context, chunk) for chunk in chunks]
