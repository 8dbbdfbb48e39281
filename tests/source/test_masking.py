"""The SQL that masks a column, on a real server: against Python's own HMAC, and against the rules of shape/ids.py."""

from collections.abc import Iterator
from datetime import date, timedelta
from urllib.parse import urlsplit

import polars as pl
import psycopg
import pytest
from hypothesis import given
from hypothesis import settings as example_settings
from hypothesis import strategies as st
from psycopg import sql

from exporter.model.redaction import effective_rules
from exporter.model.tables import Use, tables
from exporter.model.treatments import Treatment
from exporter.model.vocabulary import IdRule, Type
from exporter.shape.ids import RULES, canonical
from exporter.source.catalog import Column, Relation
from exporter.source.common_values import masking_of
from exporter.source.connection import connect
from exporter.source.leader import exportable_source
from exporter.source.mapping import NameMapping
from exporter.source.masking import Masking, cut, kept, normal, presence, session_token, token
from exporter.source.masking_key import RedactionKey
from exporter.source.reader_address import worker_address
from exporter.source.select import SourceTable
from tests.support.masked_values import REDACTED, is_category
from tests.support.masked_values import normal as expected_form
from tests.support.masked_values import token as expected_token

SECRET = bytes(range(32))
TEXT = Column("t", "text", "text", "S", readable=True)
T = sql.Identifier("t")
# Texts near what the rules look for; the server's text has no NUL, and UTF-8 no surrogates.
LETTERS = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
PIECES = st.sampled_from([
    "98765", "43210", "+91", " ", "-", "(", "०", "٣", "９", "\t", "\n", "\x0b", "\u00a0", '"', "'", "0", "7", ".0", ".",
    "null", "NaN", "undefined", "none", "İ", "@", "\x01", "\x02", "\x03", "a",
    "f47ac10b-58cc-4372-a567-0e02b2c3d479", "F47AC10B-58CC-4372-A567-0E02B2C3D479",
])  # fmt: skip
TEXTS = st.lists(st.one_of(st.lists(PIECES, max_size=6).map("".join), st.text(LETTERS, max_size=50), st.none()),
                 min_size=1, max_size=30)  # fmt: skip


@pytest.fixture(scope="module")
def reader(postgres: str) -> Iterator[psycopg.Connection]:
    """A session as the readers have it."""
    with connect(postgres, "exporter test", lock_seconds=5) as leader:
        address = worker_address(
            leader, "exporter test reader", lock_seconds=5, settings=RedactionKey(SECRET).settings()
        )
        with psycopg.connect(address.of_reader("00c0ffee"), autocommit=True) as connection:
            yield connection


def masked(
    reader: psycopg.Connection, expression: sql.Composable, texts: list[str | None], kind: str = "text"
) -> list[str | None]:
    """What an expression on the column t makes of each value."""
    query = sql.SQL("select ({})::text from unnest(%s::text[]) with ordinality u (u, n), lateral (select u::{} as t) v"
                    " order by n").format(expression, sql.SQL(kind))  # fmt: skip
    return [value for (value,) in reader.execute(query, [texts])]


@pytest.mark.parametrize("domain", ["phone", "code", "device", "ip", "document"])
def test_tokens(reader: psycopg.Connection, domain: str) -> None:
    """Of every value the HMAC of its normal form; its first 16 bytes in lower-case hexadecimal digits."""
    treatment = Treatment(f"token:{domain}")
    expression = token(treatment, normal(treatment, TEXT, T))

    @given(TEXTS)
    @example_settings(max_examples=25)
    def check(texts: list[str | None]) -> None:
        forms = [None if text is None else expected_form(domain, text) if domain != "ip" else text for text in texts]
        expected = [None if form is None else expected_token(SECRET, domain, form) for form in forms]
        assert masked(reader, expression, texts) == expected

    check()
    assert masked(reader, expression, ["x"]) != masked(reader, token(Treatment.TOKEN_SESSION, T), ["x"])


@pytest.mark.parametrize(("domain", "rule"), [("phone", IdRule.PHONE), ("code", IdRule.CODE)])
def test_equal_tokens_where_values_are_equal_in_the_models_sense(
    reader: psycopg.Connection, domain: str, rule: IdRule
) -> None:
    """And only there; none where the rule gives nothing: so links by value are the same ones."""
    treatment = Treatment(f"token:{domain}")
    expression = token(treatment, normal(treatment, TEXT, T))

    @given(TEXTS)
    @example_settings(max_examples=25)
    def check(texts: list[str | None]) -> None:
        forms = canonical(pl.Series("t", texts, pl.String), rule).to_list()
        tokens = masked(reader, expression, texts)
        assert [form is None for form in forms] == [found is None for found in tokens]
        assert len(set(zip(forms, tokens, strict=True))) == len(set(forms)) == len(set(tokens))

    check()
    spellings = ["+91 98765 43210", "09876543210", "9876543210", "98765-43210", "(+91)9876543210 "]
    if domain == "phone":
        assert len(set(masked(reader, expression, [*spellings]))) == 1


def test_addresses(reader: psycopg.Connection) -> None:
    """An address has the token of its text without the netmask."""
    column = Column("t", "inet", "inet", "I", readable=True)
    expression = token(Treatment.TOKEN_IP, normal(Treatment.TOKEN_IP, column, T))
    addresses = ["203.0.113.7", "203.0.113.7/24", "2001:db8::1", None]
    expected = [expected_token(SECRET, "ip", text) for text in ("203.0.113.7", "203.0.113.7", "2001:db8::1")]
    assert masked(reader, expression, [*addresses], "inet") == [*expected, None]


def test_sessions(reader: psycopg.Connection) -> None:
    """A UUID has a UUID, whatever its case and type; what is no UUID stays malformed, and null stays null."""
    known = "f47ac10b-58cc-4372-a567-0e02b2c3d479"
    texts = [known, known.upper(), f" {known}", known[:-1], known.replace("-", ""), "", None]
    found = masked(reader, session_token(TEXT, T, "t").expression, [*texts])
    assert found == [found[0], found[0], *[REDACTED] * 4, None]
    assert str(found[0]).replace("-", "") == expected_token(SECRET, "session", known)
    assert canonical(pl.Series("t", found), IdRule.UUID).to_list() == [found[0], found[0], *[None] * 5]
    uuids = Column("t", "uuid", "uuid", "U", readable=True)
    assert masked(reader, session_token(uuids, T, "t").expression, [known, None], "uuid") == [found[0], None]


def of_text(name: str, treatment: Treatment, common: list[str] | None = None) -> sql.Composable:
    """How a text of leads is masked."""
    [table] = [table for table in tables() if table.name == "marketing.leads"]
    rules = effective_rules({f"Lead.{name}": str(treatment)}, frozenset())
    relation = Relation("marketing", "leads", "r", usable=True, readable=True, row_security=False, children=False,
                        columns={"t": TEXT})  # fmt: skip
    masking = Masking(rules, {(table.name, name): common or []})
    return masking.column(
        SourceTable(relation, table, NameMapping({}, {table.name: {name: "t"}}), "UTC"), name, Type.STRING
    ).expression


@given(texts=TEXTS)
@example_settings(max_examples=40)
def test_categories(reader: psycopg.Connection, texts: list[str | None]) -> None:
    """At most 40 bytes, no six digits in a row nor ten in all, no at sign, nothing that packs values."""
    expected = [None if text is None else text if is_category(text) else "\x03" for text in texts]
    assert masked(reader, of_text("source", Treatment.CATEGORY), texts) == expected


@pytest.mark.parametrize(
    "text", ["987654", "x987654x", "a@b", "९८७६५४", "１２３４５６", "٩٨٧٦٥٤", "é" * 21, "x" * 41, "\x01", "9876५४"]
)
def test_what_is_no_category(reader: psycopg.Connection, text: str) -> None:
    """Digits of other scripts count, and so do bytes."""
    assert masked(reader, of_text("source", Treatment.CATEGORY), [text]) == ["\x03"]


@pytest.mark.parametrize(
    "text", ["", "98765", "Diwali 2026", "é" * 20, "98765 9876", "Diwali 2026-11-08", "दीवाली", "x" * 40]
)
def test_what_is_a_category(reader: psycopg.Connection, text: str) -> None:
    """It stays as it is."""
    assert masked(reader, of_text("source", Treatment.CATEGORY), [text]) == [text]


def test_categories_in_a_database_without_an_encoding(postgres: str) -> None:
    """To its patterns each byte is a letter; digits of other scripts are found all the same."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("create database categories encoding 'SQL_ASCII' template template0 lc_collate 'C'"
                           " lc_ctype 'C'")  # fmt: skip
    texts: list[str | None] = ["९८७६५४", "１２３４५６", "٩٨٧٦٥٤", "9876५४", "९८७६५ ४३२१०", "98765 43210"]
    words: list[str | None] = ["दीवाली", "98765", "९८७६५", "é"]
    uri = urlsplit(postgres)._replace(path="/categories").geturl()
    with connect(uri, "exporter test", lock_seconds=5) as connection:
        found = masked(connection, of_text("source", Treatment.CATEGORY), [*texts, *words])
    assert found == ["\x03"] * len(texts) + words


def test_common_values(reader: psycopg.Connection) -> None:
    """Only the values on the list, byte for byte."""
    expression = of_text("source", Treatment.COMMON, ["Mumbai", 'It\'s \\ {x},"y"', ""])
    texts = ["Mumbai", "mumbai", "Mumbai ", 'It\'s \\ {x},"y"', "", "Agra", None]
    assert masked(reader, expression, [*texts]) == ["Mumbai", "\x03", "\x03", texts[3], "", "\x03", None]
    assert masked(reader, of_text("source", Treatment.COMMON), ["Mumbai", None]) == ["\x03", None]


def test_which_values_are_common(source: str) -> None:
    """Those of twenty rows or more, whether these are exported or not; none with a character that packs values."""
    with psycopg.connect(source, autocommit=True) as connection:
        rows = "select n, n, {}, now() from generate_series({}, {}) n"
        for city, first, last in (("'Pune'", 1, 20), ("'Agra'", 21, 39), ("null", 40, 90), (r"E'\x02'", 91, 130)):
            statement = "insert into customers.customer_profile (profile_id, customer_id, birth_city, created_at) "
            connection.execute("alter table customers.customer_profile drop constraint if exists"
                               " customer_profile_customer_id_fkey")  # fmt: skip
            connection.execute((statement + rows.format(city, first, last)).encode())
    with connect(source, "exporter test", lock_seconds=5) as leader:
        known = exportable_source(leader, NameMapping({}, {}), timezone="UTC")
        masking = masking_of(known, effective_rules({}, frozenset()), "UTC")
    assert masking.common == {
        ("customers.customer_profile", "birth_city"): ["Pune"],
        ("guide.bank_account", "bank_name"): [],
    }


def test_presence(reader: psycopg.Connection) -> None:
    """That there is a text, not how long it is; null and the empty text stay."""
    assert masked(reader, presence(T), ["x", "", None, " "]) == [REDACTED, "", None, REDACTED]


def of_time(kind: str, base: str, treatment: Treatment, timezone: str, *, fallback: bool) -> sql.Composable:
    """How a datetime or date is cut."""
    [table] = [table for table in tables() if table.name == "marketing.leads"]
    relation = Relation("marketing", "leads", "r", usable=True, readable=True, row_security=False, children=False,
                        columns={"t": Column("t", kind, base, "D", readable=True)})  # fmt: skip
    source = SourceTable(relation, table, NameMapping({}, {table.name: {"created_at": "t"}}), timezone)
    return cut(source, "created_at", treatment, fallback=fallback)


@pytest.mark.parametrize("fallback", [False, True])
def test_dates(reader: psycopg.Connection, fallback: bool) -> None:
    """The first day of the year or month; what is unrepresentable is infinite, or null in a fallback read. Nothing
    overflows: years of PostgreSQL's whole range, of which the first begins outside of it."""
    days = [date(1998, 7, 19) + timedelta(days=400 * n) for n in range(20)]
    lost = None if fallback else "infinity"
    for treatment in (Treatment.YEAR, Treatment.MONTH, Treatment.DAY):
        expression = of_time("date", "date", treatment, "UTC", fallback=fallback)
        expected = [day.replace(day=day.day if treatment == "day" else 1, month=1 if treatment == "year" else day.month)
                    for day in days]  # fmt: skip
        assert masked(reader, expression, [day.isoformat() for day in days], "date") == [
            day.isoformat() for day in expected
        ]
        edges = ["infinity", "-infinity", "10000-01-01", "5874897-12-31", None]
        assert masked(reader, expression, [*edges], "date") == [lost] * 4 + [None]
        oldest = masked(reader, expression, ["4714-11-24 BC", "9999-12-31"], "date")
        assert oldest[0] == ("4714-11-24 BC" if treatment == "day" else "4713-01-01 BC")


@pytest.mark.parametrize("timezone", ["UTC", "Asia/Kolkata"])
def test_datetimes(reader: psycopg.Connection, timezone: str) -> None:
    """In UTC, with a zone and without; what overflows in another zone is as unrepresentable as before."""
    expression = of_time("timestamp without time zone", "timestamp", Treatment.YEAR, timezone, fallback=False)
    hours = 5.5 if timezone == "Asia/Kolkata" else 0
    first = "2025" if hours else "2026"
    texts = [
        "2026-01-01 02:00",
        "2026-07-01 12:00",
        "infinity",
        "-infinity",
        "294276-12-31 23:59:59",
        "10001-01-01",
        None,
    ]
    assert masked(reader, expression, [*texts], "timestamp") == [
        f"{first}-01-01 00:00:00+00", "2026-01-01 00:00:00+00", *["infinity"] * 4, None,
    ]  # fmt: skip
    zoned = of_time("timestamp with time zone", "timestamptz", Treatment.MONTH, timezone, fallback=False)
    assert masked(reader, zoned, ["2026-07-31 23:30-02", "4714-11-24 00:00+00 BC"], "timestamptz") == [
        "2026-08-01 00:00:00+00", "4713-01-01 00:00:00+00 BC",
    ]  # fmt: skip


@pytest.mark.parametrize("use", [IdRule.INTEGER, IdRule.TEXT_AUTH_ID, IdRule.UUID])
def test_texts_that_are_no_ids_are_not_told(reader: psycopg.Connection, use: Use) -> None:
    """And each has the fate that it had: its canonical form, no target, or malformed."""
    [table] = [table for table in tables() if table.name == "notifications.notifications"]
    relation = Relation("n", "n", "r", usable=True, readable=True, row_security=False, children=False,
                        columns={"t": TEXT})  # fmt: skip
    source = SourceTable(relation, table, NameMapping({}, {table.name: {"auth_user_id": "t"}}), "UTC")
    expression = kept(source, "auth_user_id", use, fallback=False).expression
    assert isinstance(use, IdRule)
    rule = RULES[use]

    @given(TEXTS)
    @example_settings(max_examples=60)
    def check(texts: list[str | None]) -> None:
        found = masked(reader, expression, texts)
        before, after = pl.Series("t", texts, pl.String), pl.Series("t", found, pl.String)
        assert canonical(before, use).to_list() == canonical(after, use).to_list()
        fates = (
            series.to_frame().select(rule.means_no_target(pl.col("t"))).to_series().to_list()
            for series in (before, after)
        )
        assert next(fates) == next(fates)
        assert [old is None for old in texts] == [new is None for new in found]
        assert all(new in (old, REDACTED) for old, new in zip(texts, found, strict=True))

    check()
    assert masked(reader, expression, ["somebody@example.org", "+91 98765 43210", "Asha"]) == [REDACTED] * 3
    good = {IdRule.UUID: "f47ac10b-58cc-4372-a567-0e02b2c3d479"}.get(use, " 0042.0\t")
    assert masked(reader, expression, [good]) == [good]


def test_no_other_session_knows_the_key(postgres: str, reader: psycopg.Connection) -> None:
    """Neither its settings nor its queries tell it."""
    assert masked(reader, token(Treatment.TOKEN_PHONE, T), ["1"]) != [None]
    with psycopg.connect(postgres) as other:
        assert other.execute("select count(*) from pg_settings where name like 'exporter.%'").fetchone() == (0,)
        seen = " ".join(str(row) for row in other.execute("select * from pg_stat_activity"))
    assert "sha256" in seen
    assert not [value for value in RedactionKey(SECRET).settings().values() if value in seen]
