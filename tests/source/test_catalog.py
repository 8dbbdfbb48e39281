"""The source as pg_catalog describes it."""

from collections.abc import Iterator

import psycopg
import pytest

from exporter.sample.postgres import create_database
from exporter.source.catalog import Column, Relation, Size, read_catalog, read_sizes
from exporter.source.connection import connect

SCHEMA = """
create schema app;
create schema other;
create type app.mood as enum ('good', 'bad');
create domain app.phone as text;
create domain app.mobile as app.phone check (value <> '');
create domain app.amount as numeric(12, 2);
create type app.point3 as (x int, y int, z int);

create table app.plain (
    dropped int, b varchar(20) not null, a bigint, gone int, mood app.mood, mobile app.mobile, amount app.amount,
    tags text[], spot app.point3, moods app.mood[], code char(5), at timestamptz, primary key (a, b)
);
alter table app.plain drop column dropped, drop column gone;

create table app.keys (
    id int unique, two int, part int, expression int, included int, deferred int unique deferrable, plain int,
    broken int, "Odd Näme" int unique, unique (two, plain), unique (included) include (plain)
);
create unique index on app.keys (part) where part > 0;
create unique index on app.keys ((expression + 1));
create index on app.keys (plain);
insert into app.keys (broken) values (1), (1);

create table app.parted (id int primary key, name text) partition by range (id);
create table app.parted_1 partition of app.parted for values from (0) to (10);
create table app.parent (id int primary key);
create table app.child (extra text) inherits (app.parent);
create view app.seen as select id, name from app.parted;
create materialized view app.kept as select 1 as id;
create foreign data wrapper w;
create server s foreign data wrapper w;
create foreign table app.remote (id int) server s;
create table other.hidden (id int);
create sequence app.numbers;
"""


@pytest.fixture(scope="module")
def uri(postgres: str) -> str:
    """A database with relations of every kind."""
    uri = create_database(postgres, "catalog")
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(SCHEMA.encode())
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("create unique index concurrently broken on app.keys (broken)")
    return uri


@pytest.fixture(scope="module")
def catalog(uri: str) -> dict[str, Relation]:
    """What the catalog says of the schema."""
    with connect(uri, "test", lock_seconds=3) as connection:
        return read_catalog(connection, ["app"])


def test_a_table(catalog: dict[str, Relation]) -> None:
    """Its columns in their order with the types below all domains, without those that were dropped."""
    columns = [
        Column("b", "character varying(20)", "varchar", "S", True, required=True),
        Column("a", "bigint", "int8", "N", True, required=True),
        Column("mood", "app.mood", "enum", "E", True),
        Column("mobile", "app.mobile", "text", "S", True),
        Column("amount", "app.amount", "numeric", "N", True),
        Column("tags", "text[]", "_text", "A", True),
        Column("spot", "app.point3", "composite", "C", True),
        Column("moods", "app.mood[]", "_mood", "A", True),
        Column("code", "character(5)", "bpchar", "S", True),
        Column("at", "timestamp with time zone", "timestamptz", "D", True),
    ]
    assert catalog["app.plain"] == Relation(
        schema="app",
        name="plain",
        kind="r",
        usable=True,
        readable=True,
        row_security=False,
        children=False,
        columns={column.name: column for column in columns},
        primary_key=("a", "b"),
        unique=frozenset(),
    )


def test_unique_columns(catalog: dict[str, Relation]) -> None:
    """Proven by a valid unique index of one column, not by a partial, invalid or two-column index or an expression."""
    assert (catalog["app.keys"].unique, catalog["app.keys"].primary_key) \
        == (frozenset({"id", "included", "deferred", "Odd Näme"}), ())  # fmt: skip


def test_relations_of_every_kind(catalog: dict[str, Relation]) -> None:
    """Tables, views and what is like them; not partitions, which belong to their table, nor sequences."""
    assert {name: (relation.kind, relation.is_table, relation.children) for name, relation in catalog.items()} == {
        "app.plain": ("r", True, False),
        "app.keys": ("r", True, False),
        "app.parted": ("p", True, True),
        "app.parent": ("r", True, True),
        "app.child": ("r", True, False),
        "app.seen": ("v", False, False),
        "app.kept": ("m", False, False),
        "app.remote": ("f", False, False),
    }
    assert (catalog["app.parted"].primary_key, catalog["app.parted"].unique) == (("id",), frozenset({"id"}))
    assert list(catalog["app.child"].columns) == ["id", "extra"]
    assert catalog["app.seen"].full_name == "app.seen"


@pytest.fixture
def restricted(uri: str) -> Iterator[str]:
    """The URI of a role that may use the schema, read one table and a column of another."""
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("create role restricted login")
        connection.execute("grant usage on schema app to restricted; grant select on app.keys to restricted")
        connection.execute("grant select (a) on app.plain to restricted")
        connection.execute("alter table app.keys enable row level security")
        yield uri.replace("postgres@", "restricted@")
        connection.execute("alter table app.keys disable row level security")
        connection.execute("drop owned by restricted; drop role restricted")


def test_privileges(restricted: str) -> None:
    """What the role itself may read, and where rows would be hidden from it."""
    with connect(restricted, "test", lock_seconds=3) as connection:
        catalog = read_catalog(connection, ["app", "other"])
    found = {name: (relation.usable, relation.readable, relation.row_security) for name, relation in catalog.items()}
    assert {name: found[name] for name in ("app.keys", "app.plain", "other.hidden")} == {
        "app.keys": (True, True, True),
        "app.plain": (True, False, False),
        "other.hidden": (False, False, False),
    }
    readable = [column.name for column in catalog["app.plain"].columns.values() if column.readable]
    assert readable == ["a"]


def test_sizes(uri: str) -> None:
    """Blocks of the largest leaf, bytes of all leaves and their TOAST, without what VACUUM adds; views have none."""
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("insert into app.parted select n, repeat('x', 1000) from generate_series(0, 9) n")
        connection.execute("create table app.wide (id int, text text storage external)")
        connection.execute("insert into app.wide values (1, repeat('x', 100000))")
        connection.execute("create table app.wide_child () inherits (app.wide)")
        connection.execute("insert into app.wide_child select n, '' from generate_series(1, 5000) n")
    names = ["app.parted", "app.wide", "app.seen", "app.keys", "app.nothing"]
    with connect(uri, "test", lock_seconds=3) as connection:
        sizes = read_sizes(connection, names)
        measured = connection.execute(
            "select pg_relation_size('app.wide_child'), pg_relation_size('app.wide')"
        ).fetchone()
    assert measured is not None
    child, wide = measured
    toast = sizes["app.wide"].toast
    assert 100_000 <= toast <= 200_000
    assert sizes == {
        "app.parted": Size(blocks=2, bytes=16384, toast=0),
        "app.wide": Size(blocks=child // 8192, bytes=child + wide + toast, toast=toast),
        "app.keys": Size(blocks=1, bytes=8192, toast=0),
    }


def test_which_columns_are_required(database: str) -> None:
    """Those that are NOT NULL in every row: a child table may lift that, and a constraint may not be validated."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "create schema app; create table app.parent (id int not null, name text);"
            "create table app.child () inherits (app.parent);"
            "create table app.whole (id int not null, name text) partition by range (id);"
            "create table app.old (id int, name text); insert into app.old values (null, '');"
        )
        version = connection.info.server_version
        if version >= 180_000:
            connection.execute("alter table app.old add constraint later not null id not valid")
        catalog = read_catalog(connection, ["app"])
    required = {
        name: [column.name for column in relation.columns.values() if column.required]
        for name, relation in catalog.items()
    }
    assert required == {"app.child": ["id"], "app.parent": [], "app.whole": ["id"], "app.old": []}
