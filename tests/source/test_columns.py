"""How a column is read: every pair of use and type against a real server, accepted with its value or refused."""

from collections.abc import Iterator

import polars as pl
import psycopg
import pytest
from psycopg import sql

from exporter.model.tables import Table, Use
from exporter.model.vocabulary import IdRule, Node, Type, integer
from exporter.model.vocabulary import datetime as datetime_property
from exporter.sample.postgres import create_database
from exporter.shape.values import holds_unrepresentable
from exporter.source.catalog import Column, read_catalog
from exporter.source.columns import accepted, expression, fits, is_cast, raw_expression
from exporter.source.connection import Connection, connect
from exporter.source.queries import Address
from exporter.source.reader import UndecodableError, read
from exporter.source.reader_address import worker_address
from tests.support.column_types import ACCEPTED, ALL_TYPES, REFUSED, TYPES


def name_of(type: str) -> str:
    """The column of a type."""
    return f"of {type}"


@pytest.fixture(scope="module")
def uri(postgres: str) -> str:
    """A database with a table that has a column of each type."""
    uri = create_database(postgres, "columns")
    columns = [sql.SQL("{} {}").format(sql.Identifier(name_of(type)), sql.SQL(type)) for type in ALL_TYPES]
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(TYPES.encode())
        connection.execute(sql.SQL("create table types ({})").format(sql.SQL(", ").join(columns)))
    return uri


@pytest.fixture(scope="module")
def leader(uri: str) -> Iterator[Connection]:
    with connect(uri, "test", lock_seconds=3) as connection:
        yield connection


@pytest.fixture(scope="module")
def columns(leader: Connection) -> dict[str, Column]:
    """The table's columns by their type."""
    found = read_catalog(leader, ["public"])["public.types"].columns
    return {type: found[name_of(type)] for type in ALL_TYPES}


@pytest.fixture(scope="module")
def address(leader: Connection) -> Address:
    return worker_address(leader, "test reader", lock_seconds=3)


def values(
    address: Address, uri: str, expressions: list[sql.Composable], type: str, texts: list[str | None]
) -> pl.DataFrame:
    """What each expression, of the column `value` of that type, makes of each text, read as a worker reads."""
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("drop table if exists one")
        connection.execute(sql.SQL("create table one (place int, value {})").format(sql.SQL(type)))
        for place, text in enumerate(texts):
            connection.execute("insert into one values (%s, %s)", [place, text])
        query = sql.SQL("select {} from public.one order by place").format(
            sql.SQL(", ").join(
                sql.SQL("{} as {}").format(each, sql.Identifier(f"c{n}")) for n, each in enumerate(expressions)
            )
        )
        table = pl.from_arrow(read(address, query.as_string(connection), [], "a test"))
    assert isinstance(table, pl.DataFrame)
    return table


VALUE = sql.Identifier("value")
PAIRS = [(use, type) for use, types in ACCEPTED.items() for type in types]


@pytest.mark.parametrize(("use", "type"), PAIRS, ids=lambda part: str(part))
def test_accepted_types(use: Use, type: str, uri: str, columns: dict[str, Column], address: Address) -> None:
    """The value comes out as the use needs it, null as null; with a zone where the column has none."""
    assert fits(columns[type], use)
    expected = ACCEPTED[use][type]
    read_plainly = expression(columns[type], use, source=VALUE, timezone="Asia/Kolkata")
    read_carefully = expression(columns[type], use, source=VALUE, timezone="Asia/Kolkata", fallback=True)
    found = values(address, uri, [read_plainly, read_carefully], type, [*expected, None])
    assert found.to_dict(as_series=False) == {"c0": [*expected.values(), None], "c1": [*expected.values(), None]}


@pytest.mark.parametrize(
    ("use", "type"), [(use, type) for use, types in REFUSED.items() for type in types], ids=lambda part: str(part)
)
def test_refused_types(use: Use, type: str, columns: dict[str, Column]) -> None:
    """They do not fit, and a check says so before anything is read."""
    assert not fits(columns[type], use)


def test_citext() -> None:
    """It fits wherever text does, and is read by a cast."""
    column = Column("code", "citext", "citext", "S", True)
    uses = [use for use in ACCEPTED if fits(column, use)]
    assert uses == [IdRule.INTEGER, IdRule.UUID, IdRule.TEXT_AUTH_ID, IdRule.CODE, IdRule.PHONE, Type.STRING]
    assert all(is_cast(column, use) for use in uses)


def test_which_types_are_cast(columns: dict[str, Column]) -> None:
    """All but integers, booleans, plain texts, UUIDs and moments with a zone, each as itself."""
    as_they_are = {(use, type) for use, type in PAIRS if not is_cast(columns[type], use)}
    texts, integers = (
        {"text", "varchar", "varchar(3)", "varchar(9)", "name", "t_deep_code"},
        {"smallint", "integer", "bigint", "t_big"},
    )
    assert as_they_are == {
        (use, type)
        for use, type in PAIRS
        if type in texts
        or type == "uuid"
        or (type in integers and use in (IdRule.INTEGER, Type.LONG, Type.DOUBLE))
        or use in (Type.BOOLEAN, Type.DATE)
        or (use is Type.DATETIME and type != "timestamp")
    }


def test_accepted_types_in_a_message() -> None:
    """They have the names that people write."""
    assert [accepted(use) for use in (IdRule.INTEGER, Type.DOUBLE, Type.BOOLEAN, Type.STRING)] == [
        "bigint, char, citext, integer, numeric, smallint, text, varchar",
        "bigint, double precision, integer, numeric, real, smallint",
        "boolean",
        "text",
    ]


# Moments at the ends of what is exported, in the zone of the test: text, its year or None where it is unrepresentable.
MOMENTS: dict[str, dict[str, int | None]] = {
    "timestamptz": {
        "infinity": None, "-infinity": None, "10000-01-01 00:00+00": None, "9999-12-31 23:59:59.999999+00": 9999,
        "0001-01-01 00:00+00": 1, "0001-12-31 23:59+00 BC": 0, "0044-03-15 00:00+00 BC": -43,
        "4714-11-24 00:00+00 BC": -4713, "294276-12-31 23:59:59.999999+00": None,
    },
    "timestamp": {
        "infinity": None, "-infinity": None, "10000-01-01 05:30": None, "10000-01-01 05:29:59": 9999,
        "0001-01-01 05:29 BC": -1, "4714-11-24 05:53:28 BC": -4713, "4714-11-24 05:53:27 BC": None,
        "294276-12-31 23:59:59.999999": None,
    },
    "date": {
        "infinity": None, "-infinity": None, "10000-01-01": None, "9999-12-31": 9999, "0001-01-01 BC": 0,
        "4714-11-24 BC": -4713, "5874897-12-31": None,
    },
}  # fmt: skip


@pytest.mark.parametrize("type", MOMENTS)
def test_moments_at_the_ends(type: str, uri: str, columns: dict[str, Column], address: Address) -> None:
    """A fallback read has the value, or the raw text of what cannot be exported, or neither for null."""
    use = Type.DATE if type == "date" else Type.DATETIME
    read_carefully = expression(columns[type], use, source=VALUE, timezone="Asia/Kolkata", fallback=True)
    raw = raw_expression(columns[type], source=VALUE, timezone="Asia/Kolkata")
    years = MOMENTS[type]
    texts: list[str | None] = [*years, None]
    found = values(address, uri, [read_carefully, raw], type, texts)
    assert found["c0"].dt.year().to_list() == [*years.values(), None]
    with connect(uri, "test", lock_seconds=3) as connection:
        written = [connection.execute(f"select %s::{type}::text".encode(), [text]).fetchone() for text in years]
    lost = [text[0] if text and year is None else None for text, year in zip(written, years.values(), strict=True)]
    assert found["c1"].to_list() == [*lost, None]


def test_the_default_zone_has_no_end_of_its_own(uri: str, columns: dict[str, Column], address: Address) -> None:
    """In UTC every timestamp that PostgreSQL knows before the year 10000 is exported."""
    read_carefully = expression(columns["timestamp"], Type.DATETIME, source=VALUE, timezone="UTC", fallback=True)
    raw = raw_expression(columns["timestamp"], source=VALUE, timezone="UTC")
    texts: list[str | None] = ["4714-11-24 00:00 BC", "9999-12-31 23:59:59.999999", "10000-01-01", "-infinity", None]
    found = values(address, uri, [read_carefully, raw], "timestamp", texts)
    assert found["c0"].dt.year().to_list() == [-4713, 9999, None, None, None]
    assert found["c1"].to_list() == [None, None, "10000-01-01 00:00:00", "-infinity", None]


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/Los_Angeles", "UTC"])
@pytest.mark.parametrize("text", [*MOMENTS["timestamp"], "4714-11-24 00:00 BC", "4714-11-24 12:00 BC"])
def test_plain_and_careful_reads_agree(
    zone: str, text: str, uri: str, columns: dict[str, Column], address: Address
) -> None:
    """A plain read has what the fallback one has, or cannot be decoded, or is seen to hold what cannot be exported."""
    plain, fallback = (
        expression(columns["timestamp"], Type.DATETIME, source=VALUE, timezone=zone, fallback=fallback)
        for fallback in (False, True)
    )
    expected = values(address, uri, [fallback], "timestamp", [text])["c0"].to_physical().to_list()
    table = Table("t", "", Node("T", "t", integer("id"), (datetime_property("c0"),)), ())
    try:
        found = values(address, uri, [plain, sql.Literal(1)], "timestamp", [text]).rename({"c1": "id"})
    except UndecodableError:
        assert expected == [None]
    else:
        assert holds_unrepresentable(found, table) == (expected == [None])
        assert expected in ([None], found["c0"].to_physical().to_list())
