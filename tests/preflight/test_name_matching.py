"""Names of a source that may be the model's: guessed by name and type, certain if no other comes close."""

import tomllib
from collections import Counter
from collections.abc import Mapping

import psycopg
import pytest
from psycopg import sql

from exporter.preflight.name_matching import TableGuess, certain_names, name_similarity, read_candidates, suggest
from exporter.source.mapping import NameMapping
from tests.oracle import source as dirty
from tests.oracle.renaming import SWAPPED_COLUMNS, SWAPPED_TABLES, rename

# Names as people choose them.
TABLES = {
    "auth.auth_users": "auth.users",
    "auth.otp_attempts": "identity.otp",
    "consultation.agora_consultation_session": "consultation.agora_sessions",
    "customers.customer": "customers.customers",
    "guide.bank_account": "guide.bank_details",
    "guide.guide_profile": "guide.GuideProfile",
    "marketing.leads": "crm.prospects",
    "wallet.payment_orders": "payments.orders",
}
COLUMNS = {
    "auth.auth_users": {"phone_number": "mobile", "is_active": "active", "is_test_user": "test_user"},
    "auth.otp_attempts": {"auth_user_id": "user_id", "created_at": "created"},
    "customers.customer": {"customer_id": "id", "x_auth_id": "auth_id"},
    "guide.guide_profile": {"full_name": "fullName", "phone_number": "phoneNumber", "availability_state": "state"},
    "guide.skills": {"id": "skill_id", "description": "descr"},
    "marketing.leads": {"phone": "contact_number", "created_at": "createdAt"},
    "wallet.payment_orders": {"payment_order_id": "id"},
}
# Names that have nothing in common with the model's.
UNLIKE = {
    ("auth.auth_users", "phone_number"),
    ("guide.guide_profile", "availability_state"),
    ("marketing.leads", "phone"),
}


def guesses(uri: str) -> list[TableGuess]:
    with psycopg.connect(uri, autocommit=True) as connection:
        return suggest(read_candidates(connection))


def judge(
    found: list[TableGuess], tables: Mapping[str, str], columns: Mapping[str, Mapping[str, str]]
) -> dict[str, set[str]]:
    """The tables and columns that were not guessed correctly and for certain, by how they were guessed."""
    judged: dict[str, set[str]] = {}
    for guess in found:
        name = guess.table.name
        verdict = judge_name(guess.name, tables.get(name, name), guess.certain)
        judged.setdefault(verdict, set()).add(name)
        for column in guess.table.columns():
            column_guess, real_name = guess.columns.get(column), columns.get(name, {}).get(column, column)
            verdict = judge_name(column_guess.name, real_name, column_guess.certain) if column_guess else "none"
            judged.setdefault(verdict, set()).add(f"{name}.{column}")
    judged.pop("right", None)
    return judged


def judge_name(guessed: str | None, real_name: str, certain: bool) -> str:
    if guessed is None:
        return "none"
    return "wrong" if guessed != real_name else "right" if certain else "proposed"


def test_a_source_with_the_models_names_needs_no_mapping(source: str) -> None:
    """Everything is found under its own name."""
    found = guesses(source)
    assert (judge(found, {}, {}), certain_names(found)) == ({}, NameMapping())


def test_names_as_people_choose_them_are_guessed(source: str) -> None:
    """All tables, and all columns with similar names; the one column of a table that is left over is proposed."""
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("create schema crm; create schema identity; create schema payments")
        for table, names in COLUMNS.items():
            for name, real in names.items():
                statement = sql.SQL("alter table {} rename {} to {}")
                table_name = sql.Identifier(*table.split("."))
                connection.execute(statement.format(table_name, sql.Identifier(name), sql.Identifier(real)))
        for table, real in TABLES.items():
            (schema, name), (new_schema, new_name) = table.split("."), real.split(".")
            if name != new_name:
                statement = sql.SQL("alter table {} rename to {}")
                connection.execute(statement.format(sql.Identifier(schema, name), sql.Identifier(new_name)))
            if schema != new_schema:
                statement = sql.SQL("alter table {} set schema {}")
                connection.execute(statement.format(sql.Identifier(schema, new_name), sql.Identifier(new_schema)))
    found = guesses(source)
    assert judge(found, TABLES, COLUMNS) == {"proposed": {".".join(column) for column in UNLIKE}}
    certain_columns = {
        table: {name: real for name, real in names.items() if (table, name) not in UNLIKE}
        for table, names in COLUMNS.items()
    }
    assert certain_names(found) == NameMapping(
        TABLES, {table: names for table, names in certain_columns.items() if names}
    )


@pytest.mark.parametrize("kind", ["declared", "dirty"])
def test_tables_are_found_by_their_columns_alone(source: str, database: str, kind: str) -> None:
    """When every name has changed. What has the name of another is taken for that, and two views are only proposed,
    since their base tables have the model's columns under their own names."""
    with psycopg.connect(database, autocommit=True) as connection:
        if kind == "dirty":
            for schema in sorted({name.partition(".")[0] for name in TABLES} | {"offers", "notifications"}):
                connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(schema)))
            dirty.make(connection)
        truth = tomllib.loads(rename(connection))
    swapped = {*SWAPPED_TABLES, *(f"{table}.{column}" for table, column in SWAPPED_COLUMNS)}
    views = {"offers.user_milestone_progress", "auth.otp_attempts"} if kind == "dirty" else set()
    found = judge(guesses(database), truth["tables"], truth["columns"])
    assert found == {"wrong": swapped, "none": {"guide.skills.description"}} | ({"proposed": views} if views else {})


def test_some_tables_are_never_guessed(source: str) -> None:
    """One that the model skips, a materialized view, a name that settings cannot hold. Of two similar ones the more
    similar is proposed, and no table is guessed twice."""
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute(
            """
            alter table guide.saved_messages rename to media;
            alter table wallet.invoices rename to "invoices.old";
            create materialized view offers.definitions as select * from offers.offer_definitions;
            alter table offers.offer_definitions rename to "definitions.old";
            create table marketing.lead (like marketing.leads including all);
            create table marketing.new_leads (like marketing.leads including all);
            drop table marketing.leads
            """
        )
    found = {guess.table.name: guess for guess in guesses(source)}
    assert [found[name].name for name in ("guide.saved_messages", "wallet.invoices", "offers.offer_definitions")] \
        == [None] * 3  # fmt: skip
    leads = found["marketing.leads"]
    assert (leads.name, leads.certain) == ("marketing.lead", False)
    named = Counter(guess.name for guess in found.values() if guess.name)
    assert set(named.values()) == {1}


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("phone_number", "phoneNumber"),
        ("phone_number", "PHONE_NO"),
        ("description", "descr"),
        ("auth_users", "users"),
        ("user_wallets", "wallet_of_user"),
        ("full_name", "fullname"),
    ],
)
def test_names_are_similar_by_words_short_words_or_letters(name: str, other: str) -> None:
    """Enough to be possible."""
    assert 0.6 <= name_similarity(name, other) <= 1.0


@pytest.mark.parametrize(("name", "other"), [("phone", "mobile"), ("leads", "prospects"), ("id", "name"), ("a", "")])
def test_other_words_for_the_same_thing_are_not_similar(name: str, other: str) -> None:
    """Names are compared, not their meaning."""
    assert name_similarity(name, other) < 0.6


def test_of_two_equally_similar_tables_neither_is_certain(source: str) -> None:
    """One of them is proposed."""
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("alter table marketing.leads rename to leads_a")
        connection.execute("create table marketing.leads_b (like marketing.leads_a including all)")
    found = {guess.table.name: guess for guess in guesses(source)}["marketing.leads"]
    assert (found.name in ("marketing.leads_a", "marketing.leads_b"), found.certain) == (True, False)
