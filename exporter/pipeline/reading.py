"""Reads in a worker process: packed where that is possible, else plainly; several small ones in one query."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import accumulate, pairwise

import polars as pl
import pyarrow

from exporter.pipeline.messages import Context
from exporter.source.heartbeats import JOINED, heartbeat
from exporter.source.queries import Address, Read, joint_read
from exporter.source.reader import UndecodableError, read
from exporter.source.unpacking import UnpackableError, unpack

FrameReader = Callable[[], pl.DataFrame]

# Subjects whose values cannot be packed, or whose packed read failed: this process reads the rest of them plainly.
_read_plainly = set[str]()


def read_frame(context: Context, how: Read, subject: str) -> pl.DataFrame:
    """The rows of a read, which `subject` names, in the leader's snapshot. Raises as `reader.read` does."""
    if how.packed and subject not in _read_plainly:
        try:
            return unpack(result(context, how, subject, packed=True), how.columns)
        except UnpackableError:
            _read_plainly.add(subject)
    return plain_frame(result(context, how, subject))


def frames(context: Context, reads: Sequence[Read], subjects: Sequence[str]) -> list[FrameReader]:
    """For each read, what returns its rows, in this order. Those of several joinable ones come by one query, now: over
    a long way, the query itself costs more than what it reads."""
    parts = list[pyarrow.Table]()
    if len(reads) > 1 and all(how.joinable for how in reads):
        with suppress(UnpackableError, UndecodableError):  # read one by one, it is known which one fails
            parts = parted(result(context, joint_read(reads), JOINED.join(subjects), packed=True), reads)
    if parts:
        return [partial(part_frame, context, *part) for part in zip(reads, subjects, parts, strict=True)]
    return [partial(read_frame, context, how, subject) for how, subject in zip(reads, subjects, strict=True)]


def part_frame(context: Context, how: Read, subject: str, part: pyarrow.Table) -> pl.DataFrame:
    """The rows of a read whose result was a part of a joint one."""
    try:
        return unpack(part, how.columns) if how.packed else plain_frame(part)
    except UnpackableError:
        _read_plainly.add(subject)
        return read_frame(context, how, subject)


def parted(joint: pyarrow.Table, reads: Sequence[Read]) -> list[pyarrow.Table]:
    """The columns of each read in the result of a joint query."""
    ends = list(accumulate(how.width for how in reads))
    return [joint.select(list(range(*span))) for span in pairwise([0, *ends])]


def plain_frame(rows: pyarrow.Table) -> pl.DataFrame:
    """The frame of a plain read."""
    known = pl.from_arrow(rows)
    assert isinstance(known, pl.DataFrame)
    return known


def address_of(context: Context) -> Address:
    """The source's address: the leader's, or in a cluster this worker's own. Raises as `own_address` does."""
    if isinstance(context.address, Address):
        return context.address
    from exporter.source.own_address import own_address  # few exports are a cluster's

    return own_address(context.address)


def result(context: Context, how: Read, subject: str, *, packed: bool = False) -> pyarrow.Table:
    """The result of a read's plain or packed query in the leader's snapshot. A heartbeat file exists while it is being
    read."""
    query = (how.packed if packed else None) or how.plain
    if context.window is not None:
        from exporter.pipeline.window_worker import query_with_ids  # few exports are windows

        query = query_with_ids(context, query)
    whole = address_of(context)
    address = whole if how.of_view else whole.without_indexes()
    with heartbeat(context.heartbeats, subject):
        return read(address, query, context.pre_execution, subject, key=how.key, packed=packed)
