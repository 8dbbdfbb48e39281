"""Packed queries: the server packs the rows of a group of blocks into one row, each column into one value.

What connectorx costs, it costs per row. A row of a packed result carries a whole group: values of a fixed width as
their binary forms, one after the other, and texts with a separator between them. unpacking.py takes them apart and
notices whatever this form cannot carry exactly; the plain query then reads the same rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from exporter.model.tables import Use
from exporter.model.vocabulary import Type
from exporter.source.catalog import Column
from exporter.source.chunks import Span
from exporter.source.columns import NATIVE_USES, TEMPORAL
from exporter.source.queries import NULL, SEPARATOR, Form, PackedColumn

# How many blocks a group spans at most. Measured: between 8 and 128 the cost is the same; 32 take 3 MB of a backend.
GROUP_BLOCKS = 32
# About how many bytes a group may hold: with out-of-line texts a single block may hold megabytes.
GROUP_BYTES = 1 << 18
# Beyond the last block of any table.
END = "(4294967295,0)"
BLOCKS = sql.Identifier("blocks of the group", "first")

SEND = {
    Form.INT16: "int2send",
    Form.INT32: "int4send",
    Form.INT64: "int8send",
    Form.BOOLEAN: "boolsend",
    Form.DATETIME: "timestamptz_send",
    Form.DATE: "date_send",
}
NATIVE_FORMS = {"int2": Form.INT16, "int4": Form.INT32, "int8": Form.INT64, "bool": Form.BOOLEAN}
# Of PostgreSQL's categories of types, those of whose texts none holds a control character: numbers, booleans, dates and
# times, spans of time, network addresses.
UNAMBIGUOUS = frozenset("NBDTI")


@dataclass(frozen=True, slots=True)
class Selected:
    """A column of a SELECT list: what it reads, and how the server packs it."""

    expression: sql.Composable
    packed: PackedColumn


def select(selected: Sequence[Selected], table: sql.Composable) -> sql.Composed:
    """The plain query for all rows of a table."""
    columns = [named(each.expression, each.packed.name) for each in selected]
    return sql.SQL("select {} from {}").format(sql.SQL(", ").join(columns), table)


def limited(table: sql.Composable, condition: sql.Composable | None) -> sql.Composable:
    """A table, or those of its rows that meet a condition, as the end of a query."""
    return table if condition is None else sql.SQL("{} where {}").format(table, condition)


def named(expression: sql.Composable, name: str) -> sql.Composed:
    """An expression in a SELECT list."""
    return sql.SQL("{} as {}").format(expression, sql.Identifier(name))


def text_of(expression: sql.Composable, name: str, *, unambiguous: bool = False) -> Selected:
    """An expression that is never null, in a SELECT list; `unambiguous` as in `PackedColumn`."""
    return Selected(expression, PackedColumn(name, Form.TEXT, nullable=False, unambiguous=unambiguous))


def packed_column(column: Column, use: Use, name: str) -> PackedColumn:
    """How a column that is read for a use (columns.py, `expression`) is packed."""
    nullable = not column.required
    if use in TEMPORAL:
        return PackedColumn(name, Form.DATETIME if use is Type.DATETIME else Form.DATE, nullable)
    if use in NATIVE_USES and column.base in NATIVE_FORMS:
        return PackedColumn(name, NATIVE_FORMS[column.base], nullable)
    if column.base == "uuid" and column.required:
        return PackedColumn(name, Form.UUID, nullable)
    unambiguous = column.base == "uuid" or column.category in UNAMBIGUOUS
    return PackedColumn(name, Form.TEXT, nullable, unambiguous)


def group_blocks(blocks: int, size: int) -> int:
    """How many blocks a group has in a table of `blocks` with `size` bytes, out-of-line values included."""
    return max(1, min(GROUP_BLOCKS, GROUP_BYTES * max(blocks, 1) // max(size, 1)))


def packed_select(selected: Sequence[Selected], table: sql.Composable, span: Span, step: int) -> sql.Composed:
    """The query for the rows of a chunk in groups of `step` blocks; the last group has all blocks from there on, since
    the table may have grown since it was measured.

    A row of its result is a group that is not empty: `rows`, then the values of each column, and of a column with
    `counted` how many are not null.
    """
    found = sql.SQL(
        "ctid >= ('(' || {block} || ',0)')::tid and ctid < case when {block} + {step} > {last} then {end}::tid"
        " else ('(' || {block} + {step} || ',0)')::tid end"
    ).format(block=BLOCKS, step=step, last=span.last_block, end=sql.Literal(END))
    if span.condition:
        found = sql.SQL("{} and {}").format(found, span.condition)
    return sql.SQL(
        "select packed.* from generate_series({first}::bigint, {last}::bigint, {step}::bigint)"
        ' "blocks of the group" ("first"), lateral ({packed} where {found}) packed where packed."rows" > 0'
    ).format(first=span.first_block, last=span.last_block, step=step, packed=packed_whole(selected, table), found=found)


def packed_whole(selected: Sequence[Selected], table: sql.Composable) -> sql.Composed:
    """The query for all rows of a small table as one group, which may be empty."""
    packed: list[sql.Composable] = [sql.SQL('count(*)::int as "rows"')]
    for each in selected:
        expression, column = each.expression, each.packed
        if column.absent:
            continue
        packed.append(sql.SQL("{} as {}").format(packed_values(expression, column), sql.Identifier(column.name)))
        if column.counted:
            count = sql.SQL("count({})::int as {}")
            packed.append(count.format(expression, sql.Identifier(f"{column.name} count")))
    return sql.SQL("select {} from {}").format(sql.SQL(", ").join(packed), table)


def packed_values(expression: sql.Composable, column: PackedColumn) -> sql.Composable:
    """The aggregate that packs a column, with nulls as a value that it cannot have or that `counted` tells apart."""
    if column.form in SEND:
        value = sql.SQL("{}({})").format(sql.SQL(SEND[column.form]), expression)
        if column.nullable:
            value = sql.SQL("coalesce({}, {}::bytea)").format(value, sql.Literal(f"\\x{column.form.null.hex()}"))
        return sql.SQL("string_agg({}, ''::bytea)").format(value)
    if column.form is Form.UUID:
        return sql.SQL("string_agg({}::text, '')").format(expression)
    expression = sql.SQL("{}::text").format(expression)
    value = sql.SQL("coalesce({}, {})").format(expression, letter(NULL)) if column.nullable else expression
    return sql.SQL("string_agg({}, {})").format(value, letter(SEPARATOR))


def letter(control: str) -> sql.SQL:
    """A control character as SQL that can be printed."""
    return sql.SQL(f"E'\\x{ord(control):02x}'")
