"""The workers' tasks as typed functions, for the leader to submit.

They import worker.py only when a worker calls them: the leader does not need Polars and connectorx, which take half a
second and 60 MB to load. What they write is the export's only once the leader has adopted it (attempts.py).
"""

import os

from exporter.pipeline import timing
from exporter.pipeline.attempts import Attempted, attempted
from exporter.pipeline.messages import Chunk, ChunkDone, CloseDone, Context, IndexDone, LinksDone
from exporter.secrecy import forbid_core_files
from exporter.source.heartbeats import take_name
from exporter.source.queries import IndexQuery, LinkQuery


def start_worker(reader: str | None = None, ahead: float = 0.0) -> None:
    """Makes a spawned process a worker, by the name of a reader if it is given, and with a clock that is `ahead` of the
    leader's by so many seconds; called once in each."""
    forbid_core_files()  # a worker of a cluster is not started by our command
    if reader:
        take_name(reader)
    timing.leader_clock(ahead)
    # The workers are the parallelism, and a backtrace of connectorx could quote rows.
    os.environ |= {"POLARS_MAX_THREADS": "1", "RUST_BACKTRACE": "0"}
    # Where memory is limited, already this import may fail, and the executor would print a traceback.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    from exporter.pipeline import worker

    worker.start()


def warm_up() -> None:
    """Does nothing: the executor spawns a worker for it, which thus loads early."""


def read_index(context: Context, queries: tuple[IndexQuery, ...]) -> Attempted[list[IndexDone]]:
    """Reads parts of the key index. Raises `RunError`, as all tasks do."""
    from exporter.pipeline import worker

    return attempted(context, worker.read_index, queries)


def export_chunks(context: Context, chunks: tuple[Chunk, ...]) -> Attempted[list[ChunkDone]]:
    """Reads, shapes and writes chunks."""
    from exporter.pipeline import worker

    return attempted(context, worker.export_chunks, chunks)


def find_repeated(context: Context, table: str) -> bool:
    """Whether a key occurs twice in a table that was exported, though the catalog promises otherwise."""
    from exporter.pipeline import worker

    return worker.find_repeated(context, table)


def read_links(context: Context, queries: tuple[LinkQuery, ...]) -> Attempted[list[LinksDone]]:
    """Reads the links of chunks, for the closure of a window."""
    from exporter.pipeline import window_worker

    return attempted(context, window_worker.read_links, queries)


def close_window(context: Context, bytes: dict[str, int]) -> Attempted[CloseDone]:
    """Finds the rows that are in a window from all links; `bytes` are the sizes of the tables of closed labels."""
    from exporter.pipeline import window_worker

    return attempted(context, window_worker.close_window, bytes)
