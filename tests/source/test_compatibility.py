"""The source held against the model: every difference at once, each with the way out."""

from collections.abc import Iterator

import pytest

from exporter.source.catalog import read_catalog, read_login
from exporter.source.compatibility import Finding, Guesses, Severity, examine, quoted
from exporter.source.connection import connect
from exporter.source.mapping import NameMapping
from tests.support.stalling_source import execute

AS_IT_IS = NameMapping()
NOTHING_GUESSED = Guesses()


def findings(uri: str, mapping: NameMapping = AS_IT_IS, guesses: Guesses = NOTHING_GUESSED) -> list[str]:
    """What is found, but for the notes on money and time: the schema as it should be has some, too."""
    with connect(uri, "test", lock_seconds=3) as connection:
        catalog = read_catalog(connection, mapping.schemas(), mapping.names())
        found = examine(catalog, mapping, read_login(connection), guesses)
    return [
        f"{finding.severity}: {finding}"
        for finding in found
        if not finding.what.endswith(("as text", "as a localtime"))
    ]


def test_the_schema_as_it_should_be(source: str) -> None:
    """Nothing but notes on columns whose values are read as text."""
    with connect(source, "test", lock_seconds=3) as connection:
        found = examine(read_catalog(connection, AS_IT_IS.schemas()), AS_IT_IS, read_login(connection))
    assert {finding.severity for finding in found} == {Severity.NOTE}
    assert [str(finding) for finding in found if not finding.what.endswith("as text")] == [
        "customers.customer_profile.tob: type time without time zone is cast to be read as a localtime",
        "auth.login_activities.ip_address: type inet is cast to be read as a string",
    ]


def test_everything_at_once(source: str) -> None:
    """Errors first, in the model's order, each with the nearest name that is free, or the accepted types."""
    execute(
        source,
        """
        alter table guide.skills rename to skill;
        alter table guide.skill rename column description to descripton;
        drop table wallet.payment_gateways;
        alter table auth.auth_users rename column phone_number to phone_no;
        alter table auth.auth_users alter is_active type text;
        alter table auth.auth_users drop column updated_at;
        alter table auth.user_devices drop column id;
        alter table auth.user_sessions alter id type bytea using '';
        alter table customers.customer alter x_auth_id type float8, alter country_code type text[] using null;
        alter table customers.customer_profile alter dob type timestamptz, alter tob type timetz;
        alter table offers.offer_consumptions alter reservation_id type text;
        alter table notifications.notifications alter auth_user_id type uuid using null;
        drop table guide.guide_languages;
        create materialized view guide.guide_languages as select 1::bigint as guide_id, 2 as language_id;
        create table guide.horoscopes (id int);
        create table guide.media (id int);
        create table wallet.consultants (id int);
        create schema elsewhere;
        create table elsewhere.noise (id int);
        """,
    )
    add = "add it, or map its name under [columns."
    create = "create it, or map its name under [tables]"
    assert findings(source) == [
        f"error: guide.skills: no such table, the nearest name is guide.skill; {create}",
        f"error: wallet.payment_gateways: no such table; {create}",
        f'error: auth.auth_users.phone_number: no such column, the nearest name is phone_no; {add}"auth.auth_users"]',
        "error: auth.auth_users.is_active: type text does not fit a boolean; accepted: boolean",
        f'error: auth.auth_users.updated_at: no such column; {add}"auth.auth_users"]',
        "error: customers.customer.country_code: type text[] does not fit a string; accepted: text",
        "error: customers.customer.x_auth_id: type double precision does not fit an ID (integer); accepted: "
        "bigint, char, citext, integer, numeric, smallint, text, varchar",
        "error: customers.customer_profile.dob: type timestamp with time zone does not fit a date; accepted: date",
        "error: customers.customer_profile.tob: type time with time zone does not fit a localtime; accepted: time",
        "error: guide.guide_languages: is a materialized view, which no lock protects; map its base table",
        "error: offers.offer_consumptions.reservation_id: type text does not fit a long; accepted: "
        "bigint, integer, numeric, smallint",
        "error: auth.user_sessions.id: type bytea does not fit an ID (uuid); accepted: "
        "char, citext, text, uuid, varchar",
        f'error: auth.user_devices.id: no such column; {add}"auth.user_devices"]',
        "error: notifications.notifications.auth_user_id: type uuid does not fit an ID (text auth id); accepted: "
        "bigint, char, citext, integer, numeric, smallint, text, varchar",
        "warning: guide.horoscopes: is neither mapped nor on the skip list; it is not exported",
        "warning: guide.skill: is neither mapped nor on the skip list; it is not exported",
        "note: auth.login_activities.ip_address: type inet is cast to be read as a string",
    ]


def test_mapped_names(source: str) -> None:
    """A mapped source has no differences; without its mapping each name is missing. Messages name both."""
    execute(
        source,
        """
        create schema app;
        alter table guide.skills set schema app;
        alter table app.skills rename to "Skill Liste";
        alter table app."Skill Liste" rename column name to bezeichnung;
        """,
    )
    mapping = NameMapping({"guide.skills": "app.Skill Liste"}, {"guide.skills": {"name": "bezeichnung"}})
    note = ["note: auth.login_activities.ip_address: type inet is cast to be read as a string"]
    assert findings(source, mapping) == note
    assert findings(source)[0].startswith("error: guide.skills: no such table")
    wrong = NameMapping({"guide.skills": "app.Skill Liste"}, {"guide.skills": {"name": "bezeichner"}})
    assert findings(source, wrong) == [
        "error: app.Skill Liste (for guide.skills).bezeichner: no such column, the nearest name is bezeichnung; "
        'add it, or map its name under [columns."guide.skills"]',
        *note,
    ]
    only_table = NameMapping({"guide.skills": "app.skills"})
    assert findings(source, only_table)[0] == (
        "error: app.skills (for guide.skills): no such table, the nearest name is app.Skill Liste; "
        "create it, or map its name under [tables]"
    )


def test_types_that_fit(source: str) -> None:
    """Domains, enums, views, partitions, inheritance and wider types are no differences; a note tells of each cast."""
    execute(
        source,
        """
        create type guide.tier as enum ('GOLD');
        create domain guide.code as varchar(10);
        create domain guide.short_code as guide.code;
        alter table guide.guide_profile alter tier type guide.tier using null,
            alter referral_code type guide.short_code, alter referrer_code type char(10), alter id type numeric,
            alter x_auth_id type text,
            alter ranking_score type real, alter created_at type timestamp;
        alter table guide.skills rename to all_skills;
        create view guide.skills as select * from guide.all_skills;
        create table guide.more_languages (extra text) inherits (guide.languages);
        drop table marketing.leads;
        create table marketing.leads (id smallint primary key, phone inet, name json, source interval, utm_source xml,
            utm_medium uuid, utm_campaign int, status date, customer_id int, created_at timestamptz)
            partition by range (id);
        create table marketing.leads_1 partition of marketing.leads default;
        """,
    )
    cast = "is cast to be read as"
    assert findings(source) == [
        "warning: guide.all_skills: is neither mapped nor on the skip list; it is not exported",
        "warning: guide.more_languages: is neither mapped nor on the skip list; it is not exported",
        "note: guide.skills: is a view; the order of rows with the same key is undefined",
        f"note: guide.guide_profile.id: type numeric {cast} an ID (integer)",
        f"note: guide.guide_profile.tier: type guide.tier {cast} a string",
        f"note: guide.guide_profile.created_at: type timestamp without time zone {cast} a datetime",
        f"note: guide.guide_profile.referrer_code: type character(10) {cast} an ID (code)",
        "note: auth.login_activities.ip_address: type inet is cast to be read as a string",
        f"note: marketing.leads.phone: type inet {cast} a string",
        f"note: marketing.leads.name: type json {cast} a string",
        f"note: marketing.leads.source: type interval {cast} a string",
        f"note: marketing.leads.utm_source: type xml {cast} a string",
        f"note: marketing.leads.utm_campaign: type integer {cast} a string",
        f"note: marketing.leads.status: type date {cast} a string",
    ]


@pytest.fixture
def restricted(source: str) -> Iterator[str]:
    """The URI of a role that may read all but one schema, one table, and rows of another."""
    schemas = "auth, customers, guide, consultation, wallet, offers, notifications"
    execute(
        source,
        f"""
        create role watched login;
        grant usage on schema {schemas} to watched;
        grant select on all tables in schema {schemas} to watched;
        revoke select on guide.bank_account from watched;
        grant select (id, guide_id) on guide.bank_account to watched;
        alter table auth.auth_users enable row level security;
        alter table auth.auth_user_roles enable row level security, force row level security;
        """,
    )
    yield source.replace("postgres@", "watched@")
    execute(source, "drop owned by watched; drop role watched")


def test_privileges_and_row_security(restricted: str) -> None:
    """What the role lacks is told at once, with the statements that give it."""
    grants = (
        "GRANT USAGE ON SCHEMA marketing TO watched;",
        "GRANT SELECT ON guide.bank_account, marketing.leads TO watched;",
    )
    script = "docs/source-role.sql has all that the role needs, or:"
    remedy = "it would hide rows; a superuser can decide:  ALTER ROLE watched BYPASSRLS;"
    assert [finding for finding in findings(restricted) if not finding.startswith("note")] == [
        f"error: watched: no USAGE on the schema marketing; {script} {grants[0]}",
        f"error: watched: no SELECT on guide.bank_account, marketing.leads; {grants[1]}",
        f"error: auth.auth_users: row-level security applies to this role; {remedy}",
        f"error: auth.auth_user_roles: row-level security applies to this role; {remedy}",
    ]
    execute(restricted.replace("watched@", "postgres@"), grants[0] + "\n" + grants[1])
    assert [finding.rpartition(": ")[0] for finding in findings(restricted) if finding.startswith("error")] == [
        f"error: {table}: row-level security applies to this role; it would hide rows; a superuser can decide"
        for table in ("auth.auth_users", "auth.auth_user_roles")
    ]


def test_rows_that_no_lock_protects(source: str) -> None:
    """Foreign tables among partitions and child tables at any depth, and what is below a view."""
    execute(
        source,
        """
        create foreign data wrapper w;
        create server s foreign data wrapper w;
        drop table guide.skills cascade;
        create table guide.skills (id bigint, name text, description text) partition by range (id);
        create table guide.skills_1 partition of guide.skills for values from (0) to (9) partition by range (id);
        create foreign table guide.skills_2 partition of guide.skills_1 for values from (0) to (5) server s;
        create table guide.half () inherits (guide.languages);
        create foreign table guide.far () inherits (guide.half) server s;
        alter table marketing.leads rename to stored;
        create schema kept;
        create materialized view kept.ids as select id from marketing.stored;
        create view kept.known as select * from kept.ids;
        create view marketing.leads as select * from marketing.stored where id in (select id from kept.known);
        """,
    )
    why = "no lock protects foreign tables and materialized views; map a table or view without them"
    assert [finding for finding in findings(source) if finding.startswith("error")] == [
        f"error: guide.skills: has rows of guide.skills_2: {why}",
        f"error: guide.languages: has rows of guide.far: {why}",
        f"error: marketing.leads: has rows of kept.ids: {why}",
    ]


def test_a_mapped_partition(source: str) -> None:
    """It is a table like any other; partitions that are not mapped are not worth a word."""
    execute(
        source,
        """
        create table guide.all_skills (like guide.skills) partition by range (id);
        alter table guide.all_skills attach partition guide.skills for values from (0) to (9);
        create table guide.more partition of guide.all_skills default;
        """,
    )
    mapping = NameMapping({"guide.skills": "guide.more"})
    assert [finding for finding in findings(source, mapping) if not finding.startswith("note")] == [
        "warning: guide.all_skills: is neither mapped nor on the skip list; it is not exported",
    ]


def test_names_in_grants() -> None:
    """In quotes if they need them."""
    names = ["guide", "Skill Liste", "user", 'a"b', "a.b", "1a", "_a1"]
    assert list(map(quoted, names)) == ["guide", '"Skill Liste"', '"user"', '"a""b"', '"a.b"', '"1a"', "_a1"]


def test_a_finding() -> None:
    """Where, what, and what to do where something can be done."""
    assert [str(Finding(Severity.NOTE, "a.b", "is a view", remedy)) for remedy in ("", "mind it")] \
        == ["a.b: is a view", "a.b: is a view; mind it"]  # fmt: skip
