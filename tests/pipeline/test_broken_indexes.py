"""A unique index that is no longer true: its promise is proved by the data, and what it hides is read all the same."""

from collections import Counter
from pathlib import Path

import psycopg
import pytest

from exporter.sample.postgres import create_database
from exporter.sample.source import create_tables
from exporter.settings import Settings
from tests.support.exporting import export

# An index that does not see what is inserted, and afterwards claims that it did.
BLIND = "update pg_index set indisready = {0}, indisvalid = {0} where indexrelid = '{1}'::regclass"
PEOPLE = """
insert into customers.customer (customer_id, phone_number, created_at)
    select n, n, '2026-01-01' from generate_series(1, 300000) n;
insert into guide.guide_profile (id, full_name, phone_number, referral_code, chat_enabled, voice_enabled, video_enabled,
                                 created_at) select n, 'G', n, n, true, true, true, now() from generate_series(1, 3) n;
update guide.guide_profile set referrer_code = 'unheard' where id = 3;
insert into marketing.leads (id, phone, created_at) select n, n, '2026-01-01' from generate_series(1, 300000) n;
insert into notifications.notifications (id, event_type, is_read, created_at)
    select md5(n::text)::uuid, 'e', true, '2026-01-01' from generate_series(1, 300000) n;
"""
# In the first chunk and the last, one right behind the other, and one beyond the bounds that the index knows.
REPEATED = """
insert into customers.customer (customer_id, phone_number, created_at) values
    (1, 'second', '2026-01-01'), (400000, 'only', '2026-01-01'), (400000, 'again', '2026-01-01');
insert into guide.guide_profile (id, full_name, phone_number, referral_code, chat_enabled, voice_enabled, video_enabled,
                                 created_at) values (2, 'second', 'unheard', 'unheard', true, true, true, now());
insert into marketing.leads (id, phone, customer_id, created_at) values
    (7, 'second', 400000, '2026-01-01'), (500000, 'only', 400000, '2026-01-01');
insert into notifications.notifications (id, event_type, is_read, created_at) values
    (md5('9')::uuid, 'second', true, '2026-01-01'), (md5('9')::uuid, 'third', true, '2026-01-01');
"""
INDEXES = ("customers.customer_pkey", "guide.guide_profile_pkey", "marketing.leads_pkey")
INDEXES += ("notifications.notifications_pkey",)


@pytest.fixture(scope="module")
def broken(postgres: str) -> str:
    """A source whose four largest tables have keys that occur twice under a unique index."""
    uri = create_database(postgres, "broken_indexes")
    create_tables(uri)
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")  # no foreign key is checked
        connection.execute(PEOPLE.encode())
        for index in INDEXES:
            connection.execute(BLIND.format("false", index).encode())
        connection.execute("vacuum analyze")  # so that count(*) would ask the index alone
        connection.execute(REPEATED.encode())
        for index in INDEXES:
            connection.execute(BLIND.format("true", index).encode())
        connection.execute("vacuum analyze")
    return uri


@pytest.mark.slow
def test_exact_duplicates_are_rejects(broken: str, tmp_path: Path) -> None:
    """The first row of a key is a node, the others are `duplicate_id`, also of their relationships; a row that the
    index does not know is there, and found by those that refer to it."""
    result = export(Settings(source=broken, output=tmp_path, memory=300 << 20))
    rows = {node.label: node.rows for node in result.manifest.nodes}
    assert (rows["Customer"], rows["Guide"], rows["Lead"], rows["Notification"]) == (300001, 3, 300001, 300000)
    assert rejected(result.directory) == {
        ("nodes/Customer", "duplicate_id", "1"): 1,
        ("nodes/Customer", "duplicate_id", "400000"): 1,
        ("nodes/Guide", "duplicate_id", "2"): 1,
        ("nodes/Lead", "duplicate_id", "7"): 1,
        ("relationships/Guide-REFERRED_BY-Guide", "dangling_end", "3"): 1,
        ("nodes/Notification", "duplicate_id", "45c48cce-2e2d-7fbd-ea1a-fc51c7c6ad26"): 2,
        ("relationships/Lead-CONVERTED_TO-Customer", "duplicate_id", "7"): 1,
        **{
            (f"relationships/{pattern}", "duplicate_id", key): count
            for pattern, key, count in (
                ("Customer-HAS_AUTH-AuthUser", "1", 1),
                ("Customer-HAS_AUTH-AuthUser", "400000", 1),
                ("Guide-HAS_AUTH-AuthUser", "2", 1),
                ("Guide-REFERRED_BY-Guide", "2", 1),
                ("Notification-TO_USER-AuthUser", "45c48cce-2e2d-7fbd-ea1a-fc51c7c6ad26", 2),
            )
        },
    }
    lead = (result.directory / "relationships" / "Lead-CONVERTED_TO-Customer").glob("*.csv")
    assert "".join(path.read_text() for path in lead) == "500000,400000\n"


def rejected(export: Path) -> Counter[tuple[str, str, str]]:
    """How many reject lines there are, by entity, reason and key."""
    lines = Counter[tuple[str, str, str]]()
    for path in (export / "rejects").rglob("*.csv"):
        for line in path.read_text().splitlines()[1:]:
            reason, _, _, key, *_ = line.split(",")
            lines[path.parent.relative_to(export / "rejects").as_posix(), reason, key.strip('"')] += 1
    return lines
