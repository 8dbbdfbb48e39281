"""The sample source: deterministic, plausible, of the promised size, with tables that the model knows."""

from collections.abc import Iterator
from itertools import count

import psycopg
import pytest

from exporter.errors import UsageError
from exporter.model.graph import SKIPPED_TABLES
from exporter.model.tables import tables
from exporter.sample.postgres import create_database
from exporter.sample.source import fill_sample

MAPPED = sorted(table.name for table in tables())

_numbers = count(1)


def fill(postgres: str, **options: float) -> tuple[str, dict[str, int]]:
    """A sample in a database of its own: its URI and its anomalies."""
    uri = create_database(postgres, f"sample_{next(_numbers)}")
    return uri, dict(fill_sample(uri, **options))  # type: ignore[arg-type]


@pytest.fixture
def source(sample_database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(sample_database) as connection:
        yield connection


def digests(uri: str) -> dict[str, str]:
    """Every table's rows in one number each, as they lie in the table."""
    with psycopg.connect(uri) as connection:
        return {
            table: str(
                connection.execute(f"SELECT md5(string_agg(t::text, '|' ORDER BY ctid)) FROM {table} t").fetchone()
            )
            for table in [*MAPPED, *sorted(SKIPPED_TABLES)]
        }


def test_same_seed_same_rows(postgres: str) -> None:
    """Scale and seed decide every row; another seed makes others."""
    first, anomalies = fill(postgres, scale=0.05, seed=3)
    again, same_anomalies = fill(postgres, scale=0.05, seed=3)
    other, other_anomalies = fill(postgres, scale=0.05, seed=4)
    assert (digests(first), anomalies) == (digests(again), same_anomalies)
    assert digests(first) != digests(other)
    assert anomalies == other_anomalies


def test_size_at_scale_one(postgres: str) -> None:
    """About 100,000 rows over all tables, in the proportions of the data summary."""
    uri, _ = fill(postgres)
    with psycopg.connect(uri) as connection:
        rows = {table: number(connection, f"SELECT count(*) FROM {table}") for table in MAPPED}
    assert min(rows.values()) > 0
    assert 95_000 < sum(rows.values()) < 105_000
    assert rows["notifications.notifications"] == round(15_559 * 1.72)


@pytest.mark.parametrize("scale", [0, -1, float("nan"), float("inf")])
def test_a_scale_must_be_positive(scale: float, database: str) -> None:
    """Refused before anything is made."""
    with pytest.raises(UsageError, match="a number above 0"):
        fill_sample(database, scale=scale)


def test_the_tables_are_the_models(source: psycopg.Connection) -> None:
    """The tables that the model reads, with every column it asks for, and those it knows and skips; no others."""
    found = dict(
        source.execute(
            "SELECT table_schema || '.' || table_name, array_agg(column_name::text) FROM information_schema.columns "
            "WHERE table_schema NOT IN ('pg_catalog', 'information_schema') GROUP BY 1"
        ).fetchall()
    )
    assert set(found) == {*MAPPED, *SKIPPED_TABLES}
    assert [table.name for table in tables() if not table.uses().keys() <= set(found[table.name])] == []


def number(connection: psycopg.Connection, text: str) -> int:
    row = connection.execute(text).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize(
    "like", ["%🙏%", "%\n%", "%\r\n%", '%"%', "%'%", "%\\\\", "%बहुत%", "%\t%", "\ufeff%", "%\u2028%", "", "  % ", "%,%"]
)
def test_free_text_is_as_people_write_it(like: str, source: psycopg.Connection) -> None:
    """Emoji, line breaks, quotes, a trailing backslash, Hindi, a byte order mark, the empty string."""
    row = source.execute("SELECT count(*) FROM notifications.notifications WHERE body LIKE %s", [like]).fetchone()
    assert row is not None and row[0] > 0


def test_addresses_of_both_families(source: psycopg.Connection) -> None:
    """Single addresses and networks, of IPv4 and IPv6."""
    found = source.execute("SELECT DISTINCT family(ip_address), masklen(ip_address) FROM auth.login_activities")
    assert set(found) == {(None, None), (4, 16), (4, 32), (6, 48), (6, 128)}


def test_money_flows_are_consistent(source: psycopg.Connection) -> None:
    """But for the anomalies: an order is of the consultation's customer, a SPENT of the order's user and amount."""
    orders = number(
        source,
        "SELECT count(*) FROM consultation.consultation c JOIN wallet.wallet_orders o USING (order_id) "
        "WHERE c.customer_id = o.user_id",
    )
    spent = number(
        source,
        "SELECT count(*) FROM wallet.wallet_transactions t JOIN wallet.wallet_orders o USING (order_id) "
        "WHERE t.type = 'SPENT' AND t.user_id = o.user_id AND t.amount = o.final_amount "
        "AND real_cash_delta + virtual_cash_delta = -t.amount",
    )
    assert orders > 0.97 * number(source, "SELECT count(*) FROM wallet.wallet_orders")
    assert spent > 0.97 * number(source, "SELECT count(*) FROM wallet.wallet_orders WHERE status = 'COMPLETED'")


def test_referrals_make_chains(source: psycopg.Connection) -> None:
    """A guide referred by a guide referred by a guide."""
    longest = number(
        source,
        """
        WITH RECURSIVE chain AS (
            SELECT id, referrer_code, 0 AS length FROM guide.guide_profile
            UNION
            SELECT c.id, g.referrer_code, length + 1 FROM chain c
            JOIN guide.guide_profile g ON g.referral_code = c.referrer_code AND length < 20 AND g.id <> c.id
        )
        SELECT max(length) FROM chain
        """,
    )
    assert longest >= 2
