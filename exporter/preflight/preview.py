"""Masked values as an export would have them, beside the shapes of their origins; both made by the server, so that no
original is fetched."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg
from psycopg import sql

from exporter.model.frame import SUPPRESSED
from exporter.model.redaction import RedactionRequest, Rules, effective_rules, named_properties
from exporter.model.tables import tables
from exporter.model.treatments import Treatment
from exporter.preflight.masking import MaskedProperty, PlannedMasking
from exporter.source.common_values import COMMON_ROWS
from exporter.source.leader import Source
from exporter.source.masking import Masking
from exporter.source.masking_key import drawn_key
from exporter.source.refusals import run_error
from exporter.source.select import SourceTable

STATEMENT_TIMEOUT, LOCK_TIMEOUT = "10s", "1s"
# In so many rows of a table a value is looked for.
ROWS = 10_000
# How long a shape may be.
LONGEST_SHAPE = 40


def with_preview(planned: PlannedMasking, source: Source, request: RedactionRequest, timezone: str) -> PlannedMasking:
    """A masking with a value of each property that is neither kept nor dropped, where the first rows of its table have
    one. Tokens are made with a key that is drawn for the preview. Raises `RunError` if the source fails."""
    rules = effective_rules(request.changes, request.accept)
    by_name = {table.name: table for table in tables()}
    entities = named_properties()
    found = []
    with masking_session(source):
        for prop in planned.properties:
            if prop.treatment in (Treatment.KEEP, Treatment.DROP):
                found.append(prop)
                continue
            entity, column = entities[prop.name]
            table = by_name[entity.table]
            real = SourceTable(source.relations()[table.name], table, source.mapping, timezone)
            found.append(previewed(prop, source, real, column.name, rules))
    return replace(planned, properties=tuple(found))


@contextmanager
def masking_session(source: Source) -> Iterator[None]:
    """A transaction in which the server can make tokens, waits for no lock, and takes no long time for a value. Raises
    `RunError` if the source fails."""
    limits = {"statement_timeout": STATEMENT_TIMEOUT, "lock_timeout": LOCK_TIMEOUT}
    try:
        with source.connection.transaction():
            for name, value in (limits | drawn_key().settings()).items():
                source.connection.execute("select set_config(%s, %s, true)", [name, value])
            yield
    except psycopg.Error as error:
        raise run_error(error, "previewing masked values") from None


def previewed(prop: MaskedProperty, source: Source, table: SourceTable, name: str, rules: Rules) -> MaskedProperty:
    """A property with the first value of its column, masked, and the shape of that value; without, where there is none
    or it cannot be had in time."""
    try:
        with source.connection.transaction():
            masking = Masking(rules, common_values(source, table, name) if prop.treatment == Treatment.COMMON else {})
            selected = masking.column(table, name, table.table.uses()[name])
            row = source.connection.execute(first_value(table, name, selected.expression)).fetchone()
    except (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable):
        row = None
    example, shape = row or (None, None)
    return replace(prop, example=None if example == SUPPRESSED else example, shape=shape)


def first_rows(table: SourceTable) -> sql.Composed:
    """The first rows of a table, as a part of a query."""
    return sql.SQL('(select * from {} limit {}) as "first rows"').format(table.name, ROWS)


def first_value(table: SourceTable, name: str, masked: sql.Composable) -> sql.Composed:
    """The query for a column's first value as text, masked, and its shape: digits are 9, letters a and A, whatever is
    not ASCII x."""
    shape: sql.Composable = sql.SQL('left({}::text, {}) collate "C"').format(table.quoted(name), LONGEST_SHAPE)
    for pattern, letter in (("[^ -~]", "x"), ("[0-9]", "9"), ("[A-Z]", "A"), ("[a-z]", "a")):
        shape = sql.SQL("regexp_replace({}, {}, {}, 'g')").format(shape, sql.Literal(pattern), sql.Literal(letter))
    return sql.SQL("select ({})::text, {} from {} where {} is not null limit 1").format(
        masked, shape, first_rows(table), table.quoted(name)
    )


def common_values(source: Source, table: SourceTable, name: str) -> dict[tuple[str, str], list[str]]:
    """The values of a column that enough of its table's first rows have: as many as in an export of all rows."""
    query = sql.SQL("select {0}::text from {1} where {0} is not null group by 1 having count(*) >= {2}").format(
        table.quoted(name), first_rows(table), COMMON_ROWS
    )
    return {(table.table.name, name): [value for (value,) in source.connection.execute(query)]}
