"""The rows of a packed read (packing.py), as the frame that a plain read of them has. Runs in worker processes only."""

from array import array
from collections.abc import Sequence

import polars as pl
import pyarrow

from exporter.errors import RunError
from exporter.source.queries import NULL, SEPARATOR, Form, PackedColumn

# From PostgreSQL's epoch, 2000, to Polars', 1970. Infinities stay far outside the exported years, some by wrapping.
DAYS = 10_957
MICROSECONDS = DAYS * 86_400_000_000
CODES = {Form.INT16: "h", Form.INT32: "i", Form.INT64: "q", Form.DATETIME: "q", Form.DATE: "i"}
ARROW = {"h": pyarrow.int16(), "i": pyarrow.int32(), "q": pyarrow.int64()}


class UnpackableError(RunError):
    """Rows cannot be read packed; a plain read of them may succeed, or fail with a better reason."""


def unpack(packed: pyarrow.Table, columns: Sequence[PackedColumn]) -> pl.DataFrame:
    """The rows in a packed result, with the names and dtypes of a plain read, in the same order.

    Raises `UnpackableError` when a column does not have exactly one value or null for each row: a value cannot be told
    from what packs it.
    """
    frames = [unpacked(batch, columns) for batch in packed.to_batches() if any(batch[0].to_pylist())]
    return pl.concat(frames) if frames else pl.DataFrame(schema={column.name: dtype(column) for column in columns})


def unpacked(batch: pyarrow.RecordBatch, columns: Sequence[PackedColumn]) -> pl.DataFrame:
    """The rows of all groups of a batch, of which one is not empty."""
    rows, position, known = sum(batch[0].to_pylist()), 1, list[pl.Series]()
    for column in columns:
        if column.absent:
            known.append(pl.repeat(None, rows, dtype=dtype(column), eager=True).alias(column.name))
            continue
        nulls = rows - sum(batch[position + 1].to_pylist()) if column.counted else None
        known.append(values(batch[position], rows, column, nulls).alias(column.name))
        position += column.width
    return pl.DataFrame(known)


def dtype(column: PackedColumn) -> pl.DataType:
    """What a plain read of a column has."""
    dtypes: dict[Form, pl.DataType] = {
        Form.INT16: pl.Int16(), Form.INT32: pl.Int32(), Form.INT64: pl.Int64(), Form.BOOLEAN: pl.Boolean(),
        Form.DATETIME: pl.Datetime("us", "UTC"), Form.DATE: pl.Date(),
    }  # fmt: skip
    return dtypes.get(column.form, pl.String())


def values(packed: pyarrow.Array, rows: int, column: PackedColumn, nulls: int | None) -> pl.Series:
    """A column's value for each row; `nulls` is how many of them are null, if that was counted."""
    if column.form is Form.TEXT:
        return texts(packed, rows, column, nulls)
    return uuids(packed, rows) if column.form is Form.UUID else fixed(packed, rows, column, nulls)


def texts(packed: pyarrow.Array, rows: int, column: PackedColumn, nulls: int | None) -> pl.Series:
    """Texts, between which the separator stands."""
    pieces = series(packed).str.split(SEPARATOR).explode()
    if len(pieces) != rows:
        raise UnpackableError("a value looks like what packs it")
    return with_nulls(pieces, NULL, column, nulls)


def uuids(packed: pyarrow.Array, rows: int) -> pl.Series:
    """UUIDs, each in its 36 letters."""
    offsets = array("i", range(0, (rows + 1) * Form.UUID.width, Form.UUID.width))
    buffers = [None, pyarrow.py_buffer(offsets), pyarrow.py_buffer(content(packed, rows * Form.UUID.width))]
    return series(pyarrow.Array.from_buffers(pyarrow.string(), rows, buffers))


def fixed(packed: pyarrow.Array, rows: int, column: PackedColumn, nulls: int | None) -> pl.Series:
    """Integers, booleans, datetimes and dates in their binary forms, most significant byte first."""
    form = column.form
    data, null = content(packed, rows * form.width), int.from_bytes(form.null, signed=True)
    if form is Form.BOOLEAN:
        known = series(pyarrow.Array.from_buffers(pyarrow.uint8(), rows, [None, pyarrow.py_buffer(data)]))
        return with_nulls(known, null, column, nulls).cast(pl.Boolean)
    numbers = array(CODES[form])
    numbers.frombytes(data)
    numbers.byteswap()
    buffers = [None, pyarrow.py_buffer(numbers)]
    known = series(pyarrow.Array.from_buffers(ARROW[CODES[form]], rows, buffers))
    known = with_nulls(known, null, column, nulls)
    if form is Form.DATETIME:
        return (known + MICROSECONDS).cast(pl.Datetime("us", "UTC"))
    return (known + DAYS).cast(pl.Date) if form is Form.DATE else known


def with_nulls(known: pl.Series, mark: str | int, column: PackedColumn, nulls: int | None) -> pl.Series:
    """The values with null where the mark of null stands. Raises `UnpackableError` when a value is that mark, or a
    column that is never null is."""
    if not column.nullable:
        if nulls:
            raise UnpackableError("a column is null that the catalog calls NOT NULL")
        return known
    marked = known == mark
    if nulls is not None and marked.sum() != nulls:
        raise UnpackableError("a value looks like what packs it")
    return known.set(marked, None)


def content(packed: pyarrow.Array, length: int) -> memoryview:
    """The bytes of all values of an array, which lie one after the other. Raises `UnpackableError` unless there are
    `length`."""
    _, offsets, data = packed.buffers()
    at = memoryview(offsets).cast("B").cast("i" if pyarrow.types.is_string(packed.type) else "q")
    first, end = at[packed.offset], at[packed.offset + len(packed)]
    if end - first != length:
        raise UnpackableError("a value looks like what packs it")
    return memoryview(data)[first:end] if data else memoryview(b"")


def series(values: pyarrow.Array) -> pl.Series:
    """An Arrow array as a series. Given the array itself, Polars would load pyarrow.compute: 40 ms."""
    return pl.DataFrame(pyarrow.RecordBatch.from_arrays([values], [""])).to_series()
