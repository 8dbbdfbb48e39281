"""The source's own statistics of its tables: row counts and widths of values. Reads no table."""

from contextlib import suppress
from dataclasses import dataclass, field

import psycopg
from psycopg.errors import InsufficientPrivilege, LockNotAvailable

from exporter.source.catalog import TREE
from exporter.source.connection import Connection
from exporter.source.locks import SESSION_COLUMNS, Blocker
from exporter.source.refusals import run_error

# Reading a table's size waits for a lock that a migration may hold.
LOCK_TIMEOUT = "1s"


@dataclass(frozen=True, slots=True)
class ColumnStatistics:
    """Average stored bytes of a column's values, and the fraction of values that are null."""

    bytes: float
    nulls: float


@dataclass(frozen=True, slots=True)
class TableStatistics:
    """A table's statistics, with all its partitions and children.

    `analyzed`: the rows come from ANALYZE or VACUUM, scaled to the current size; else they are estimated from the size
    and the width of the types. `toast`: bytes of long values as stored, compressed.
    """

    rows: int
    analyzed: bool
    toast: int
    columns: dict[str, ColumnStatistics] = field(default_factory=dict)


# Rows by blocks, as PostgreSQL's planner estimates them (a row has a header of 24 bytes and a pointer of 4, a value of
# variable length counts 32). A table that was empty when it was analyzed and has grown counts as never analyzed.
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
# For a locked table: the blocks it had when it was last vacuumed or analyzed.
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

# The tables that somebody keeps from being read, or waits to, and who.
LOCKS = f"""
{TREE}, held as (
    select distinct on (t.root) t.root, coalesce(k.pid, 0) as blocker from tree t join pg_locks k on k.relation = t.leaf
    where k.mode = 'AccessExclusiveLock'
      and k.database = (select oid from pg_database where datname = current_database())
    order by t.root, k.granted desc, k.pid
)
select n.nspname || '.' || r.relname, {SESSION_COLUMNS}
from held join pg_class r on r.oid = held.root join pg_namespace n on n.oid = r.relnamespace
left join pg_stat_activity b on b.pid = held.blocker
order by 1
"""


def read_statistics(connection: Connection, names: list[str]) -> tuple[dict[str, TableStatistics], dict[str, str]]:
    """The statistics of each named table, by name, and by whom tables are locked against an export; views have none.

    Raises `RunError` if the source fails.
    """
    try:
        columns: dict[str, dict[str, ColumnStatistics]] = {}
        with suppress(InsufficientPrivilege):  # an administrator may have closed pg_stats
            for name, column, *numbers in connection.execute(WIDTHS.encode(), [names]):
                columns.setdefault(name, {})[column] = ColumnStatistics(*numbers)
        rows, locked = read_rows(connection, names)
        statistics = {
            name: TableStatistics(count, analyzed, toast, columns.get(name, {}))
            for name, count, analyzed, toast in rows
        }
        return statistics, locked
    except psycopg.Error as error:
        raise run_error(error, "reading the statistics") from None


Row = tuple[str, int, bool, int]


def read_rows(connection: Connection, names: list[str]) -> tuple[list[Row], dict[str, str]]:
    """The rows of ROWS, and the locked tables, for which there is only what they had when last analyzed."""
    with suppress(LockNotAvailable):
        return query_rows(connection, NOW, names), {}
    locked = {name: str(Blocker(*blocker)) for name, *blocker in connection.execute(LOCKS.encode(), [names])}
    analyzed = [row for row in query_rows(connection, THEN, list(locked)) if row[1]]
    with suppress(LockNotAvailable):
        return query_rows(connection, NOW, [name for name in names if name not in locked]) + analyzed, locked
    return [row for row in query_rows(connection, THEN, names) if row[1]], locked


def query_rows(connection: Connection, sizes: dict[str, str], names: list[str]) -> list[Row]:
    """The rows of ROWS. Raises psycopg's `LockNotAvailable` if a table stays locked."""
    with connection.transaction():
        connection.execute("select set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
        return connection.execute(ROWS.format(tree=TREE, **sizes).encode(), [names]).fetchall()
