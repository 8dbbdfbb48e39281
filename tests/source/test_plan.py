"""The plan: the queries of each table and of the key index, for an ordinary source and for odd ones."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from exporter.errors import RunError
from exporter.model.frame import DUPLICATE, PRIMARY_KEY, ROW
from exporter.model.frame import raw as raw_name
from exporter.model.tables import node, referenced_labels, tables
from exporter.source.catalog import Size
from exporter.source.connection import Connection, connect
from exporter.source.mapping import NameMapping
from exporter.source.queries import DuplicateQuery, Read, ValueQueries
from tests.support.plans import Plan, plan_of, planner_of
from tests.support.stalling_source import execute

AS_IT_IS = NameMapping()


@contextmanager
def planned(
    uri: str, *, chunk_bytes: int = 1 << 30, mapping: NameMapping = AS_IT_IS, sizes: dict[str, Size] | None = None
) -> Iterator[tuple[Connection, Plan]]:
    """A connection to the source, and the plan for it, in which some tables have other `sizes`."""
    with connect(uri, "test", lock_seconds=3) as leader:
        planner = planner_of(leader, timezone="Asia/Kolkata", chunk_bytes=chunk_bytes, mapping=mapping, sizes=sizes)
        yield leader, plan_of(planner)


def rows(leader: Connection, queries: tuple[str, ...]) -> list[dict[str, object]]:
    """The rows of all queries together."""
    found: list[dict[str, object]] = []
    for query in queries:
        cursor = leader.execute(query.encode())
        names = [column.name for column in cursor.description or ()]
        found += [dict(zip(names, row, strict=True)) for row in cursor]
    return found


def number(leader: Connection, queries: tuple[str, ...]) -> int:
    """How many rows all queries together have."""
    counts = [leader.execute(f"select count(*) from ({query}) q".encode()).fetchone() for query in queries]
    return sum(row[0] for row in counts if row)


def plain(reads: tuple[Read, ...]) -> tuple[str, ...]:
    """The plain queries of some reads."""
    return tuple(read.plain for read in reads)


def queries_of(plan: Plan, table: str) -> tuple[str, ...]:
    return next(plain(table_queries.reads) for table_queries in plan.tables if table_queries.table == table)


def test_the_queries_of_a_clean_source(source: str) -> None:
    """One query of each table; the key index looks for duplicates only where no index proves that there are none."""
    with planned(source) as (_, plan):
        assert [(table_queries.table, len(plain(table_queries.reads))) for table_queries in plan.tables] == [
            (table.name, 1) for table in tables()
        ]
        assert [
            (key_queries.label, key_queries.low, key_queries.high, key_queries.bytes) for key_queries in plan.keys
        ] == [(label, None, None, 0) for label in referenced_labels()]
        assert [duplicate_query.table for duplicate_query in plan.duplicates] == [
            *("guide.guide_skills", "guide.guide_languages", "auth.user_devices")
        ]
        assert sorted((value_queries.label, value_queries.column) for value_queries in plan.values) == [
            *(("Guide", "phone_number"), ("Guide", "referral_code"), ("GuideWallet", "phone_number"))
        ]


def test_every_row_is_read_once(sample_database: str) -> None:
    """All chunks together have `count(*)` rows, of every table, also by the fallback queries, and of every key set."""
    with planned(sample_database, chunk_bytes=16 << 10) as (leader, plan):
        counts = {table.name: number(leader, (f"select from {table.name}",)) for table in tables()}
        assert {queries.table: number(leader, plain(queries.reads)) for queries in plan.tables} == counts
        assert {queries.table: number(leader, plain(queries.fallback)) for queries in plan.tables} == counts
        assert max(len(queries.reads) for queries in plan.tables) > 20
        for key_queries in plan.keys:
            unnested = tuple(f"select unnest(keys) from ({query}) q (keys)" for query in plain(key_queries.reads))
            queries = unnested if key_queries.gathered else plain(key_queries.reads)
            assert number(leader, queries) == counts[node(key_queries.label).table]
        assert [key_queries.label for key_queries in plan.keys if not key_queries.gathered] == ["Device"]


def test_small_tables_are_read_together(source: str) -> None:
    """Those below 1 MB, and integer keys of those below 8 MB, but no chunks of others, no views, and no text keys of
    more than 1 MB; what is largest is read first."""
    execute(
        source,
        "alter table guide.guide_languages drop constraint guide_languages_language_id_fkey;"
        "alter table guide.languages alter id type text;"
        "alter table guide.verification rename to checks; create view guide.verification as select * from guide.checks",
    )
    sizes = {
        "guide.skills": Size(1, (1 << 20) - 1, 0),
        "guide.languages": Size(1, 1 << 20, 0),
        "guide.guide_profile": Size(1, (8 << 20) - 1, 0),
        "customers.customer": Size(1, 8 << 20, 0),
    }
    with planned(source, sizes=sizes) as (_, plan):
        joined = {table_queries.table: [read.joinable for read in table_queries.reads] for table_queries in plan.tables}
        keys = {key_queries.label: [read.joinable for read in key_queries.reads] for key_queries in plan.keys}
        order = [query.bytes for query in plan.index]
        views = {
            table_queries.table for table_queries in plan.tables if all(read.of_view for read in table_queries.reads)
        }
    assert {name: joined.pop(name) for name in (*sizes, "guide.verification")} == {
        "guide.skills": [True],
        "guide.languages": [False],
        "guide.guide_profile": [False],
        "customers.customer": [False],
        "guide.verification": [False],
    }
    assert all(found == [True] for found in joined.values())
    assert views == {"guide.verification"}  # its reads know that
    assert {label: keys[label] for label in ("Skill", "Language", "Guide", "Customer")} == {
        "Skill": [True],
        "Language": [False],
        "Guide": [True],
        "Customer": [False],
    }
    assert order == sorted(order, reverse=True) and order[0] > order[-1]


def test_chunks_of_keys_are_larger(source: str) -> None:
    """Four times as large as those of rows; of pairs of columns, twice."""
    execute(
        source,
        "alter table guide.guide_languages drop constraint guide_languages_language_id_fkey;"
        "alter table guide.languages alter id type text",
    )
    names = ("guide.skills", "guide.languages", "auth.user_devices")
    sizes = {name: Size(64, 64 * 8192, 0) for name in names}
    with planned(source, chunk_bytes=8 * 8192, sizes=sizes) as (_, plan):
        rows_of = {queries.table: len(queries.reads) for queries in plan.tables}
        keys_of = {queries.label: len(queries.reads) for queries in plan.keys}
    assert [rows_of[name] for name in names] == [8, 8, 8]
    assert [keys_of[label] for label in ("Skill", "Language", "Device")] == [2, 2, 4]


def test_tables_whose_promise_was_broken(source: str) -> None:
    """Their duplicates are looked for from then on, and their values read again, those of no other table."""
    with connect(source, "test", lock_seconds=3) as leader:
        planner = planner_of(leader)
        found = planner.distrust(["guide.guide_profile", "guide.skills", "guide.guide_skills"])
        again = planner.distrust(["guide.skills"])
        plan = plan_of(planner)
        leader.close()
        for plan_again in (planner.table_queries, planner.index_queries, lambda: planner.distrust(["guide.languages"])):
            with pytest.raises(RunError, match="planning the reads"):
                plan_again()
    distrusted = [query.table for query in found if isinstance(query, DuplicateQuery)]
    assert distrusted == ["guide.skills", "guide.guide_profile"]
    values = [(query.label, query.column) for query in found if isinstance(query, ValueQueries)]
    assert values == [("Guide", "referral_code"), ("Guide", "phone_number")]
    assert again == []
    assert {*distrusted} <= {query.table for query in plan.duplicates}


def test_the_bounds_of_integer_keys(source: str) -> None:
    """Where the server can tell them: not of text or numeric columns."""
    execute(
        source,
        """
        insert into guide.skills values (7, '', ''), (-9, '', '');
        alter table guide.guide_languages drop constraint guide_languages_language_id_fkey;
        alter table guide.languages alter id type numeric;
        insert into guide.languages values (1.0, '');
        alter table auth.user_devices alter device_id type integer using null;
        """,
    )
    with planned(source) as (_, plan):
        found = {key_queries.label: (key_queries.low, key_queries.high, key_queries.bytes) for key_queries in plan.keys}
        gathered = {key_queries.label: key_queries.gathered for key_queries in plan.keys}
    assert (found["Skill"], found["Language"]) == ((-9, 7, 8192), (None, None, 8192))
    # Into one array, which a pair of integers does not fit into.
    assert {label for label, is_gathered in gathered.items() if not is_gathered} == {"Language", "Device"}


def test_the_columns_of_a_raw_frame(source: str) -> None:
    """The model's names in the declaration's order; the text of unrepresentable values only in the fallback query's."""
    execute(source, "insert into guide.saved_messages values (1, 2, 'a', 'b', 'infinity')")
    with planned(source) as (leader, plan):
        messages = next(table_queries for table_queries in plan.tables if table_queries.table == "guide.saved_messages")
        (fallback,) = rows(leader, plain(messages.fallback))
        described = leader.execute(f"{messages.reads[0].plain} limit 0".encode()).description or ()
        names = [column.name for column in described]
    assert names == ["id", "title", "content", "created_at", "guide_id"]
    assert fallback == {
        "id": 1,
        "title": "a",
        "content": "b",
        "created_at": None,
        "guide_id": 2,
        raw_name("created_at"): "infinity",
    }


def test_mapped_names(source: str) -> None:
    """The source's own names are in the queries, the model's in their answers."""
    execute(
        source,
        """
        create schema "Mein Schema";
        alter table guide.skills set schema "Mein Schema";
        alter table "Mein Schema".skills rename to "Skill""s";
        alter table "Mein Schema"."Skill""s" rename id to "%s {}";
        insert into "Mein Schema"."Skill""s" values (1, 'Tarot', null);
        """,
    )
    mapping = NameMapping({"guide.skills": 'Mein Schema.Skill"s'}, {"guide.skills": {"id": "%s {}"}})
    with planned(source, mapping=mapping) as (leader, plan):
        assert rows(leader, queries_of(plan, "guide.skills")) == [{"id": 1, "name": "Tarot", "description": None}]
        assert [
            (key_queries.low, key_queries.high, key_queries.bytes)
            for key_queries in plan.keys
            if key_queries.label == "Skill"
        ] == [(1, 1, 8192)]


def test_the_primary_key_of_a_reject(source: str) -> None:
    """It is read where the node's key, or the join table's pair, is not the primary key in the same order."""
    execute(
        source,
        """
        alter table guide.guide_skills add primary key (skill_id, guide_id);
        alter table guide.guide_languages add primary key (guide_id, language_id);
        alter table guide.saved_messages drop constraint saved_messages_pkey;
        alter table guide.bank_account drop constraint bank_account_pkey,
            add serial uuid default '01234567-89ab-cdef-0123-456789abcdef', add primary key (serial, id);
        insert into guide.guide_profile (id, full_name, chat_enabled, voice_enabled, video_enabled, created_at)
            values (1, '', true, true, true, now());
        insert into guide.skills values (2, '', '');
        insert into guide.guide_skills values (1, 2);
        insert into guide.bank_account (id, guide_id) values (3, 1);
        insert into auth.user_devices values (4, 5, 'a', null, null, null, now(), null);
        """,
    )
    with planned(source) as (leader, plan):
        found = {
            name: [row.get(PRIMARY_KEY, "none") for row in rows(leader, queries_of(plan, name))]
            for name in ("guide.guide_skills", "guide.bank_account", "auth.user_devices", "guide.skills")
        }
        columns = {
            name: PRIMARY_KEY in queries_of(plan, name)[0] for name in ("guide.guide_languages", "guide.saved_messages")
        }
    assert found == {
        "guide.guide_skills": ["2:1"],
        "guide.bank_account": ["01234567-89ab-cdef-0123-456789abcdef:3"],
        "auth.user_devices": ["4"],
        "guide.skills": ["none"],
    }
    assert columns == {"guide.guide_languages": False, "guide.saved_messages": False}


DIRTY = """
    alter table guide.guide_skills drop constraint guide_skills_skill_id_fkey;
    alter table guide.skills drop constraint skills_pkey;
    alter table guide.skills alter id type text, add mark int, add primary key (mark);
    insert into guide.skills values ('7', 'b', '', 2), (' 07 ', 'a', '', 1), ('7.0', 'c', '', 3), ('7x', 'd', '', 0),
        ('8', 'e', '', 9), ('', 'f', '', 4);
"""


def test_rows_that_lose_their_key(source: str) -> None:
    """Of a text key each row that another row with the same canonical key precedes, by its row id."""
    execute(source, DIRTY)
    with planned(source) as (leader, plan):
        (duplicate,) = [
            duplicate_query for duplicate_query in plan.duplicates if duplicate_query.table == "guide.skills"
        ]
        duplicates = {row["row_id"] for row in rows(leader, plain(duplicate.reads))}
        read = rows(leader, queries_of(plan, "guide.skills"))
    assert [row["name"] for row in read if row[ROW] in duplicates] == ["b", "c", "f"]


def test_rows_of_a_view_that_lose_their_key(source: str) -> None:
    """A view has no row ids: a column says whether another row of the chunk has the key before it."""
    execute(
        source,
        "alter table guide.skills rename to skill; create view guide.skills as"
        " select n % 1000 as id, 'n' as name, '' as description from generate_series(1, 3000) n",
    )
    with planned(source, chunk_bytes=100_000) as (leader, plan):
        queries = queries_of(plan, "guide.skills")
        read = rows(leader, queries)
        assert [
            duplicate_query.table for duplicate_query in plan.duplicates if duplicate_query.table == "guide.skills"
        ] == []
    assert (len(queries) > 3, len(read)) == (True, 3000)
    assert sorted(str(row["id"]) for row in read if not row[DUPLICATE]) == sorted(str(n) for n in range(1000))


@pytest.mark.parametrize(
    ("statements", "proven"),
    [
        ("select 1", True),
        ("alter table guide.skills drop constraint skills_pkey cascade", False),
        ("alter table guide.skills drop constraint skills_pkey cascade;"
         " create unique index on guide.skills (id)", True),
        ("alter table guide.skills drop constraint skills_pkey cascade;"
         " create unique index on guide.skills (id) where id > 0", False),
        ("create table guide.child () inherits (guide.skills)", False),
        ("alter table guide.guide_skills drop constraint guide_skills_skill_id_fkey;"
         " alter table guide.skills alter id type numeric", True),
        ("alter table guide.guide_skills drop constraint guide_skills_skill_id_fkey;"
         " alter table guide.skills alter id type varchar", False),
        ("drop table guide.skills cascade; create table guide.skills (id int primary key, name text, description text)"
         " partition by range (id)", True),
    ],
)  # fmt: skip
def test_what_proves_keys_unique(source: str, statements: str, proven: bool) -> None:
    """A unique index without a condition, on a type with one form for each key, and no child tables."""
    execute(source, statements)
    with planned(source) as (_, plan):
        assert ("guide.skills" not in [duplicate_query.table for duplicate_query in plan.duplicates]) == proven
        assert (ROW not in queries_of(plan, "guide.skills")[0]) == proven


def test_values_of_exported_rows_only(source: str) -> None:
    """A row that loses its key owns neither code nor phone."""
    execute(
        source,
        "alter table guide.guide_profile drop constraint guide_profile_pkey cascade;"
        "insert into guide.guide_profile (id, full_name, chat_enabled, voice_enabled, video_enabled, created_at,"
        " referral_code, phone_number) values (1, '', true, true, true, now(), 'A', '1'),"
        " (1, '', true, true, true, now(), 'B', '2'), (2, '', true, true, true, now(), 'C', null);"
        "insert into wallet.consultant_wallets values (5, '55', 1, true, now())",
    )
    with planned(source) as (leader, plan):
        found = {
            (value_queries.label, value_queries.column): rows(leader, plain(value_queries.reads))
            for value_queries in plan.values
        }
    assert found == {
        ("Guide", "referral_code"): [{"id": 1, "value": "A"}, {"id": 2, "value": "C"}],
        ("Guide", "phone_number"): [{"id": 1, "value": "1"}, {"id": 2, "value": None}],
        ("GuideWallet", "phone_number"): [{"consultant_id": 5, "value": "55"}],
    }
