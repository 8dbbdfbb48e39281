"""What the source's own statistics say of its tables: rows, and how wide values are. No table is read for it."""

from contextlib import suppress
from dataclasses import dataclass, field

import psycopg
from psycopg.errors import InsufficientPrivilege, LockNotAvailable

from exporter.source.catalog import TREE
from exporter.source.connection import Connection, run_error

# How long to wait for a table that a migration has locked: its size is asked for under a lock.
PATIENCE = "1s"


@dataclass(frozen=True, slots=True)
class Width:
    """Of a column: average bytes of a value as it is stored, and which fraction of the values is null."""

    bytes: float
    nulls: float


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of a table with all that it consists of. `analyzed`: the rows are from ANALYZE or VACUUM, scaled to its size now;
    else from its size and the width of its types. `toast`: bytes of its long values as they are stored, compressed."""

    rows: int
    analyzed: bool
    toast: int
    widths: dict[str, Width] = field(default_factory=dict)


# Rows by blocks, as PostgreSQL's planner estimates them; its 24 bytes of header a row, 4 of its place, and 32 for a
# type without a fixed length, too. A table that is empty by its statistics and has grown since was never analyzed.
ROWS = """
{tree}, leaves as (
    select t.root, greatest(l.reltuples, 0) as tuples, l.relpages as then_pages,
           {pages} as pages, {toast} as toast,
           (select 28 + sum(case when a.attlen > 0 then a.attlen else 32 end) from pg_attribute a
            where a.attrelid = l.oid and a.attnum > 0 and not a.attisdropped) as width
    from tree t join pg_class l on l.oid = t.leaf where l.relkind = 'r'
), counted as (
    select *, then_pages > 0 and (tuples > 0 or pages <= then_pages) or pages = 0 as analyzed from leaves
)
select n.nspname || '.' || r.relname,
       coalesce(sum(case when not c.analyzed then c.pages * (current_setting('block_size')::bigint - 24) / c.width
                         when c.then_pages > 0 then c.tuples / c.then_pages * c.pages else 0 end), 0)::bigint,
       coalesce(bool_and(c.analyzed), true), coalesce(sum(c.toast), 0)::bigint
from pg_class r join pg_namespace n on n.oid = r.relnamespace left join counted c on c.root = r.oid
where r.oid in (select root from tree) group by 1
"""
NOW = {
    "pages": "coalesce(pg_relation_size(l.oid), 0) / current_setting('block_size')::bigint",
    "toast": "coalesce(pg_relation_size(nullif(l.reltoastrelid, 0)), 0)",
}
# Where a table is locked: as many blocks as it had when it was vacuumed or analyzed.
THEN = {
    "pages": "l.relpages::bigint",
    "toast": "coalesce((select x.relpages from pg_class x where x.oid = l.reltoastrelid), 0)"
    " * current_setting('block_size')::bigint",
}

WIDTHS = f"""
{TREE}
select rn.nspname || '.' || r.relname, s.attname, avg(s.avg_width)::float8, avg(s.null_frac)::float8
from tree t join pg_class l on l.oid = t.leaf join pg_namespace ln on ln.oid = l.relnamespace
join pg_class r on r.oid = t.root join pg_namespace rn on rn.oid = r.relnamespace
join pg_stats s on s.schemaname = ln.nspname and s.tablename = l.relname
group by 1, 2
"""

LOCKS = f"""
{TREE}
select distinct n.nspname || '.' || r.relname from tree t join pg_locks k on k.relation = t.leaf
join pg_class r on r.oid = t.root join pg_namespace n on n.oid = r.relnamespace
where k.mode = 'AccessExclusiveLock' and k.database = (select oid from pg_database where datname = current_database())
order by 1
"""


def read_statistics(connection: Connection, names: list[str]) -> tuple[dict[str, Statistics], list[str]]:
    """The statistics of each named table, and which tables are locked against an export; views have none.

    Raises `RunError` when the source fails meanwhile.
    """
    try:
        widths: dict[str, dict[str, Width]] = {}
        with suppress(InsufficientPrivilege):  # where an administrator closed the view
            for name, column, *rest in connection.execute(WIDTHS.encode(), [names]):
                widths.setdefault(name, {})[column] = Width(*rest)
        rows, locked = read_rows(connection, names)
        found = {
            name: Statistics(count, analyzed, toast, widths.get(name, {})) for name, count, analyzed, toast in rows
        }
        return found, locked
    except psycopg.Error as error:
        raise run_error(error, "reading the statistics") from None


Row = tuple[str, int, bool, int]


def read_rows(connection: Connection, names: list[str]) -> tuple[list[Row], list[str]]:
    """What ROWS gives, and which of the tables were locked when it was asked: of those only what they had before."""
    with suppress(LockNotAvailable):
        return ask(connection, NOW, names), []
    locked = [name for (name,) in connection.execute(LOCKS.encode(), [names])]
    before = [row for row in ask(connection, THEN, locked) if row[1]]
    with suppress(LockNotAvailable):
        return ask(connection, NOW, [name for name in names if name not in locked]) + before, locked
    return [row for row in ask(connection, THEN, names) if row[1]], locked


def ask(connection: Connection, sizes: dict[str, str], names: list[str]) -> list[Row]:
    """What ROWS gives. Raises psycopg's `LockNotAvailable` when it has waited in vain."""
    with connection.transaction():
        connection.execute("select set_config('lock_timeout', %s, true)", [PATIENCE])
        return connection.execute(ROWS.format(tree=TREE, **sizes).encode(), [names]).fetchall()
