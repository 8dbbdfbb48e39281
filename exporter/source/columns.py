"""How a column is read: the SQL that turns its actual type into what the model's use of it needs, or a refusal.

Casts follow what pg_catalog says the column is (source-facts.md, Types; graph-model.md, Column types and Values).
"""

from psycopg import sql

from exporter.model.tables import Use
from exporter.model.vocabulary import IdRule, Type
from exporter.source.catalog import Column

INTEGERS = frozenset({"int2", "int4", "int8"})
TEXTS = frozenset({"text", "varchar", "bpchar", "citext", "name"})
NATIVE_STRINGS = frozenset({"text", "varchar", "uuid", "name"})
DATETIMES = frozenset({"timestamptz", "timestamp"})
TEMPORAL = frozenset({Type.DATETIME, Type.DATE})

# The types that each use accepts; a use not listed here accepts every type with a plain text form.
ACCEPTED: dict[Use, frozenset[str]] = {
    IdRule.INTEGER: INTEGERS | TEXTS | {"numeric"},
    IdRule.UUID: TEXTS | {"uuid"},
    IdRule.TEXT_AUTH_ID: INTEGERS | TEXTS | {"numeric"},
    Type.LONG: INTEGERS | {"numeric"},
    Type.DOUBLE: INTEGERS | {"numeric", "float4", "float8"},
    Type.BOOLEAN: frozenset({"bool"}),
    Type.DATETIME: DATETIMES,
    Type.DATE: frozenset({"date"}),
    Type.LOCALTIME: frozenset({"time"}),
}
# The text form of these would surprise in a property.
NO_PLAIN_TEXT_CATEGORIES = frozenset({"A", "C", "P"})
NO_PLAIN_TEXT = frozenset({"bytea", "composite"})

# Uses for which integers and booleans are read unchanged; for all others they are read as text.
NATIVE_USES = frozenset({Type.LONG, Type.DOUBLE, Type.BOOLEAN, IdRule.INTEGER})

# From here on, a datetime or date is unrepresentable; PostgreSQL's dates start in 4714 BC: only -infinity is below.
TOO_LATE = sql.Literal("10000-01-01")


def fits(column: Column, use: Use) -> bool:
    """Whether a column of this type can be read for this use."""
    if use in ACCEPTED:
        return column.base in ACCEPTED[use]
    return column.category not in NO_PLAIN_TEXT_CATEGORIES and column.base not in NO_PLAIN_TEXT


def accepted(use: Use) -> str:
    """The types a use accepts, for a message."""
    names = {"int2": "smallint", "int4": "integer", "int8": "bigint", "bool": "boolean", "float4": "real"}
    names |= {"float8": "double precision", "bpchar": "char"}
    return ", ".join(sorted(names.get(base, base) for base in ACCEPTED.get(use, frozenset({"text"})) - {"name"}))


def is_cast(column: Column, use: Use) -> bool:
    """Whether the column must be cast for this use."""
    name = sql.Identifier(column.name)
    return expression(column, use, source=name, timezone="UTC") != name


def expression(
    column: Column, use: Use, *, source: sql.Composable, timezone: str, fallback: bool = False
) -> sql.Composable:
    """The SELECT expression that reads a column (`source`, its quoted name) for a use.

    It returns integers and booleans unchanged; a timestamptz for `Type.DATETIME` and a date for `Type.DATE`, in a
    fallback read null if unrepresentable (`raw_expression` then has the value); everything else as text in PostgreSQL's
    own spelling.
    """
    if use in TEMPORAL:
        value = in_utc(column, source=source, timezone=timezone)
        if not fallback:
            return value
        finite = representable(column, source=source, timezone=timezone)
        return sql.SQL("case when {} then {} end").format(finite, value)
    if column.base == "inet":
        # As COPY prints it: the cast to text would add /32 to a single address.
        return sql.SQL("textin(inet_out({}))").format(source)
    if column.base in INTEGERS | {"bool"} and use in NATIVE_USES:
        return source
    if column.base in NATIVE_STRINGS:
        return source
    return sql.SQL("{}::text").format(source)


def raw_expression(column: Column, *, source: sql.Composable, timezone: str) -> sql.Composable:
    """The text of an unrepresentable datetime or date, null otherwise."""
    finite = representable(column, source=source, timezone=timezone)
    return sql.SQL("case when not ({}) then {}::text end").format(finite, source)


def in_utc(column: Column, *, source: sql.Composable, timezone: str) -> sql.Composable:
    """A timestamp or date column in UTC: a timestamp without a zone is taken to be in `timezone`."""
    if column.base == "timestamp":
        return sql.SQL("({} at time zone {})").format(source, sql.Literal(timezone))
    return source


def representable(column: Column, *, source: sql.Composable, timezone: str) -> sql.Composable:
    """The condition that a datetime or date is within the exported years, judged in UTC."""
    if column.base != "timestamp" or timezone == "UTC":
        return sql.SQL("({0} > '-infinity' and {0} < {1})").format(source, TOO_LATE)
    # Outside both guards AT TIME ZONE overflows; the extra day keeps the test itself from overflowing.
    guard = sql.SQL(
        "{0} > '-infinity' and {0} < '10000-01-03' and {1} >= '4714-11-25 00:00+00 BC' and {2} < {3}"
    ).format(
        source,
        in_utc(column, source=sql.SQL("({} + interval '1 day')").format(source), timezone=timezone),
        in_utc(column, source=source, timezone=timezone),
        TOO_LATE,
    )
    return sql.SQL("(case when {} then true else false end)").format(guard)
