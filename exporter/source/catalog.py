"""The source as pg_catalog describes it: relations, columns with their base types, keys, privileges, sizes."""

from collections.abc import Collection
from dataclasses import dataclass, field

from exporter.source.connection import Connection

# pg_class.relkind of relations that can hold rows.
TABLE, PARTITIONED, VIEW, MATERIALIZED, FOREIGN = "r", "p", "v", "m", "f"


@dataclass(frozen=True, slots=True)
class Login:
    """Where we are: the database, and the role whose privileges count."""

    database: str
    role: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `type` as people write it, `base` the type beneath all domains (a pg_type name; `enum` for enums),
    `category` pg_type.typcategory, `readable` whether our role has SELECT on it, `required` whether it is NOT NULL in
    every row (a child table may lift that, and PostgreSQL 18 may not have validated it)."""

    name: str
    type: str
    base: str
    category: str
    readable: bool
    required: bool = False


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view. `usable`: USAGE on its schema; `readable`: SELECT on it; `row_security`: it would hide rows from
    us; `children`: partitions or child tables hold some of its rows. `unique` has the columns that a valid, one-column,
    unconditional unique index promises to be unique; `unprotected` the foreign tables and materialized views that hold
    some of its rows, and that no lock protects."""

    schema: str
    name: str
    kind: str
    usable: bool
    readable: bool
    row_security: bool
    children: bool
    columns: dict[str, Column] = field(default_factory=dict)
    primary_key: tuple[str, ...] = ()
    unique: frozenset[str] = frozenset()
    unprotected: tuple[str, ...] = ()

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def is_table(self) -> bool:
        """Whether its rows have a ctid."""
        return self.kind in (TABLE, PARTITIONED)


@dataclass(frozen=True, slots=True)
class Size:
    """Blocks (usually 8 kB) of the largest leaf's heap, bytes of all leaves with their TOAST, and bytes of the TOAST.

    VACUUM's maps are not counted, so that the same rows are cut into the same chunks after it."""

    blocks: int
    bytes: int
    toast: int


RELATIONS = """
select n.nspname, c.relname, c.relkind::text, has_schema_privilege(n.oid, 'USAGE'),
       has_table_privilege(c.oid, 'SELECT'), row_security_active(c.oid),
       c.relkind = 'p' or exists (select from pg_inherits i where i.inhparent = c.oid)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = any(%s) and c.relkind in ('r', 'p', 'v', 'm', 'f')
  and (not c.relispartition or n.nspname || '.' || c.relname = any(%s))
order by 1, 2
"""

COLUMNS = """
with recursive base (type, base) as (
    select oid, oid from pg_type where typtype <> 'd'
    union all
    select d.oid, b.base from pg_type d join base b on d.typbasetype = b.type where d.typtype = 'd'
)
select n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
       case t.typtype when 'e' then 'enum' when 'c' then 'composite' else t.typname end, t.typcategory::text,
       has_column_privilege(c.oid, a.attnum, 'SELECT'),
       a.attnotnull and not exists (select from pg_constraint k where k.conrelid = c.oid and k.conkey = array[a.attnum]
                                    and k.contype = 'n' and not k.convalidated)
       and not (c.relkind = 'r' and exists (select from pg_inherits i where i.inhparent = c.oid))
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
join base b on b.type = a.atttypid
join pg_type t on t.oid = b.base
where n.nspname = any(%s) and c.relkind in ('r', 'p', 'v', 'm', 'f')
  and (not c.relispartition or n.nspname || '.' || c.relname = any(%s))
order by 1, 2, a.attnum
"""

KEYS = """
select n.nspname, c.relname, i.indisprimary,
       array(select a.attname::text from unnest(i.indkey[0:i.indnkeyatts - 1]) with ordinality k (attnum, position)
             join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum order by k.position)
from pg_index i
join pg_class c on c.oid = i.indrelid
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = any(%s) and i.indisunique and i.indisvalid and i.indisready and i.indpred is null
  and i.indexprs is null
order by 1, 2, i.indexrelid
"""

# What holds rows of a table or view (`root`), whether by inheritance or by a view's definition.
UNPROTECTED = """
with recursive holds (source, target) as (
    select inhparent, inhrelid from pg_inherits
    union all
    select r.ev_class, d.refobjid from pg_rewrite r
    join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
    where r.ev_type = '1' and d.refobjid <> r.ev_class
), reached (root, member) as (
    select c.oid, h.target from pg_class c join pg_namespace n on n.oid = c.relnamespace
    join holds h on h.source = c.oid
    where n.nspname = any(%s) and c.relkind in ('r', 'p', 'v')
    union
    select r.root, h.target from reached r join holds h on h.source = r.member
)
select n.nspname, c.relname, array_agg(mn.nspname || '.' || m.relname order by mn.nspname, m.relname)
from reached r join pg_class c on c.oid = r.root join pg_namespace n on n.oid = c.relnamespace
join pg_class m on m.oid = r.member join pg_namespace mn on mn.oid = m.relnamespace
where m.relkind in ('f', 'm')
group by 1, 2
"""

# Named tables (`root`), each with all its partitions and child tables (`leaf`).
TREE = """
with recursive tree (root, leaf) as (
    select c.oid, c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname || '.' || c.relname = any(%s) and c.relkind in ('r', 'p')
    union
    select t.root, i.inhrelid from tree t join pg_inherits i on i.inhparent = t.leaf
)"""

SIZES = f"""
{TREE}
select n.nspname || '.' || r.relname, max(pg_relation_size(t.leaf) / current_setting('block_size')::bigint)::bigint,
       sum(pg_relation_size(t.leaf) + coalesce(pg_relation_size(nullif(l.reltoastrelid, 0)), 0))::bigint,
       coalesce(sum(pg_relation_size(nullif(l.reltoastrelid, 0))), 0)::bigint
from tree t join pg_class l on l.oid = t.leaf join pg_class r on r.oid = t.root
join pg_namespace n on n.oid = r.relnamespace
group by 1
"""


def read_login(connection: Connection) -> Login:
    """Where a connection is. Raises psycopg's errors."""
    row = connection.execute("select current_database(), current_user::text").fetchone()
    assert row is not None
    return Login(*row)


def read_catalog(connection: Connection, schemas: list[str], partitions: Collection[str] = ()) -> dict[str, Relation]:
    """Every relation of some schemas by its full name, but of the partitions only those named, in the connection's
    current transaction. Raises psycopg's errors."""
    named = [schemas, list(partitions)]
    columns: dict[tuple[str, str], dict[str, Column]] = {}
    for schema, name, column, *rest in connection.execute(COLUMNS, named):
        columns.setdefault((schema, name), {})[column] = Column(column, *rest)
    primary: dict[tuple[str, str], tuple[str, ...]] = {}
    unique: dict[tuple[str, str], set[str]] = {}
    for schema, name, is_primary, key in connection.execute(KEYS, [schemas]):
        if is_primary:
            primary[schema, name] = tuple(key)
        if len(key) == 1:
            unique.setdefault((schema, name), set()).add(key[0])
    unprotected = {(schema, name): members for schema, name, members in connection.execute(UNPROTECTED, [schemas])}
    return {
        f"{schema}.{name}": Relation(
            *(schema, name, *rest),  # type: ignore[misc] # a row of RELATIONS is the fields before these
            columns=columns.get((schema, name), {}),
            primary_key=primary.get((schema, name), ()),
            unique=frozenset(unique.get((schema, name), ())),
            unprotected=tuple(unprotected.get((schema, name), ())),
        )
        for schema, name, *rest in connection.execute(RELATIONS, named)
    }


def read_sizes(connection: Connection, names: list[str]) -> dict[str, Size]:
    """The size of each named table by its full name; views have none. Raises psycopg's errors."""
    return {name: Size(*rest) for name, *rest in connection.execute(SIZES.encode(), [names])}
