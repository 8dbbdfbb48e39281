"""The floor of packed reads: every table once with connectorx, packed by the server and unpacked into frames, in two
spawned processes; nothing is shaped or written.

Usage: floor_packed.py SOURCE_URI (a second argument, the output directory, stays unused). The queries are those of an
export's tables, without its key index.
"""

import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from exporter.pipeline.extract import LARGEST_CHUNK
from exporter.source.chunks import Chunker
from exporter.source.connection import connect
from exporter.source.leader import Source, current_catalog
from exporter.source.mapping import NameMapping
from exporter.source.plan import Planner
from exporter.source.queries import Address, Read
from exporter.source.reader_address import worker_address


def read(address: Address, how: Read) -> int:
    """Reads one chunk and lets it go; gives its rows."""
    from exporter.source.reader import read as read_arrow
    from exporter.source.unpacking import unpack

    assert how.packed
    packed = read_arrow(address, how.packed, ["begin isolation level repeatable read read only"], "a chunk")
    return unpack(packed, how.columns).height


def main(uri: str) -> None:
    mapping = NameMapping()
    with connect(uri, "floor", lock_seconds=3) as leader:
        source = Source(leader, mapping, current_catalog(leader, mapping))
        planner = Planner(source, "UTC", Chunker(leader, source.sizes(), {}, LARGEST_CHUNK))
        tables = sorted(planner.table_queries(), key=lambda table: -table.bytes)
        reads = [how for table in tables for how in table.reads]
        address = worker_address(leader, "floor reader", lock_seconds=3)
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as workers:
            rows = sum(workers.map(read, [address] * len(reads), reads))
    print(f"{rows} rows", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1])
