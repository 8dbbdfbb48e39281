"""The anomalies of the sample, counted independently: as many of each kind as filling it returned, and no more."""

from collections.abc import Iterator

import psycopg
import pytest

from exporter.model.tables import tables
from exporter.sample.anomalies import ALL_NULL, DANGLING, INFINITE
from exporter.sample.postgres import create_database
from exporter.sample.source import fill_sample

MAPPED = sorted(table.name for table in tables())
WHITE = "E' \\t\\n\\x0B\\f\\r'"

# Every reference that the source has by a key: table, column, the table it refers to, its key.
REFERENCES = """
auth.auth_user_roles auth_user_id auth.auth_users id
auth.user_devices auth_user_id auth.auth_users id
auth.user_sessions auth_user_id auth.auth_users id
auth.login_activities auth_user_id auth.auth_users id
auth.otp_attempts auth_user_id auth.auth_users id
customers.customer x_auth_id auth.auth_users id
customers.customer_profile customer_id customers.customer customer_id
guide.guide_profile x_auth_id auth.auth_users id
guide.guide_skills guide_id guide.guide_profile id
guide.guide_skills skill_id guide.skills id
guide.guide_languages guide_id guide.guide_profile id
guide.guide_languages language_id guide.languages id
guide.bank_account guide_id guide.guide_profile id
guide.verification guide_id guide.guide_profile id
guide.saved_messages guide_id guide.guide_profile id
consultation.consultation customer_id customers.customer customer_id
consultation.consultation guide_id guide.guide_profile id
consultation.consultation order_id wallet.wallet_orders order_id
consultation.agora_consultation_session consultation_id consultation.consultation id
consultation.feedback consultation_id consultation.consultation id
consultation.consultation_quality_metrics consultation_id consultation.consultation id
wallet.user_wallets user_id customers.customer customer_id
wallet.payment_orders user_id wallet.user_wallets user_id
wallet.payment_orders gateway_id wallet.payment_gateways id
wallet.payment_orders promotion_rule_id wallet.promotion_rules id
wallet.wallet_orders user_id wallet.user_wallets user_id
wallet.wallet_orders consultant_id wallet.consultant_wallets consultant_id
wallet.wallet_transactions user_id wallet.user_wallets user_id
wallet.wallet_transactions order_id wallet.wallet_orders order_id
wallet.invoices payment_order_id wallet.payment_orders payment_order_id
offers.offer_reservations user_id customers.customer customer_id
offers.offer_reservations offer_id offers.offer_definitions offer_id
offers.offer_reservations consultation_id consultation.consultation id
offers.offer_consumptions user_id customers.customer customer_id
offers.offer_consumptions offer_id offers.offer_definitions offer_id
offers.offer_consumptions payment_order_id wallet.payment_orders payment_order_id
offers.user_behavior_metrics user_id customers.customer customer_id
offers.user_milestone_progress user_id customers.customer customer_id
offers.user_milestone_progress offer_id offers.offer_definitions offer_id
marketing.leads customer_id customers.customer customer_id
"""

# Sessions on a device that their user never registered.
LOST_DEVICES = """
SELECT count(*) FROM auth.user_sessions s
WHERE device_id IS NOT NULL AND EXISTS (SELECT FROM auth.auth_users WHERE id = auth_user_id)
  AND NOT EXISTS (SELECT FROM auth.user_devices d WHERE (d.auth_user_id, d.device_id) = (s.auth_user_id, s.device_id))
"""

CODES = f"""
SELECT count(*) FILTER (WHERE code <> '' AND owners = 0) AS "unknown referral codes",
       count(*) FILTER (WHERE code = '') AS "blank referral codes",
       count(*) FILTER (WHERE code <> '' AND code <> referrer_code) AS "padded referral codes",
       count(*) FILTER (WHERE code = referral_code) AS "guides who refer themselves",
       count(*) FILTER (WHERE own_owners > 1) AS "owners of one referral code",
       count(*) FILTER (WHERE owners > 1) AS "ambiguous referral codes"
FROM (SELECT referrer_code, referral_code, btrim(referrer_code, {WHITE}) AS code FROM guide.guide_profile) g,
     LATERAL (SELECT count(*) FROM guide.guide_profile o WHERE o.referral_code = code) r(owners),
     LATERAL (SELECT count(*) FROM guide.guide_profile o WHERE o.referral_code = g.referral_code) s(own_owners)
"""

AUTH_IDS = f"""
WITH trimmed AS (
    SELECT auth_user_id AS raw, btrim(auth_user_id, {WHITE}) AS text FROM notifications.notifications
), unquoted AS (
    SELECT raw, CASE WHEN text ~ '^".*"$' OR text ~ '^''.*''$' THEN substr(text, 2, length(text) - 2)
                     ELSE text END AS text
    FROM trimmed
), read AS (
    SELECT raw, CASE WHEN raw IS NULL OR lower(text) IN ('', 'null', 'none', 'undefined', 'nan') THEN 'nobody'
                     WHEN text !~ '^[0-9]+([.]0+)?$' OR trunc(text::numeric) > 9223372036854775807 THEN 'malformed'
                     WHEN trunc(text::numeric)::bigint NOT IN (SELECT id FROM auth.auth_users) THEN 'unknown'
                     WHEN raw <> trunc(text::numeric)::text THEN 'odd' END AS kind
    FROM unquoted
)
SELECT count(*) FILTER (WHERE kind = 'unknown') AS "auth ids of nobody",
       count(*) FILTER (WHERE kind = 'odd') AS "auth ids written oddly",
       count(*) FILTER (WHERE kind = 'nobody') AS "auth ids that say nobody",
       count(*) FILTER (WHERE kind = 'malformed') AS "malformed auth ids"
FROM read
"""

WALLETS = """
WITH guides AS (
    SELECT id, right(regexp_replace(phone_number, '[^0-9]', '', 'g'), 10) AS digits FROM guide.guide_profile
), wallets AS (
    SELECT consultant_id, right(regexp_replace(phone_number, '[^0-9]', '', 'g'), 10) AS digits
    FROM wallet.consultant_wallets
), matches AS (
    SELECT (SELECT count(*) FROM guides g WHERE g.digits = w.digits) AS guides,
           (SELECT count(*) FROM wallets o WHERE o.digits = w.digits) AS wallets
    FROM wallets w WHERE NOT EXISTS (SELECT FROM guides WHERE id = consultant_id)
)
SELECT count(*) FILTER (WHERE guides = 1 AND wallets = 1) AS "guide wallets linked by phone only",
       count(*) FILTER (WHERE guides > 0 AND guides + wallets > 2) AS "guide wallets with an ambiguous phone",
       count(*) FILTER (WHERE guides = 0) AS "guide wallets of no known guide"
FROM matches
"""

OTHERS = """
SELECT (SELECT count(*) FROM customers.customer_profile WHERE tob = '24:00') AS "births at 24:00:00",
       (SELECT count(*) FROM customers.customer_profile WHERE dob > '9999-12-31' AND isfinite(dob))
           AS "births after the year 9999",
       (SELECT count(*) FROM guide.guide_profile WHERE ranking_score = 'NaN')
           + (SELECT count(*) FROM consultation.consultation_quality_metrics
              WHERE avg_response_time IN ('NaN', 'Infinity')) AS "NaN and infinite numbers",
       (SELECT count(*) - count(DISTINCT (auth_user_id, device_id)) FROM auth.user_devices)
           AS "repeated device registrations",
       (SELECT count(*) - count(DISTINCT (guide_id, skill_id)) FROM guide.guide_skills)
           + (SELECT count(*) - count(DISTINCT (guide_id, language_id)) FROM guide.guide_languages)
           AS "repeated join rows"
"""


@pytest.fixture(scope="module")
def filled(postgres: str) -> tuple[str, dict[str, int]]:
    """A sample's URI and its anomalies."""
    uri = create_database(postgres, "anomalies")
    return uri, dict(fill_sample(uri, scale=0.3))


@pytest.fixture
def source(filled: tuple[str, dict[str, int]]) -> Iterator[psycopg.Connection]:
    with psycopg.connect(filled[0]) as connection:
        yield connection


def columns(connection: psycopg.Connection, condition: str) -> dict[str, list[str]]:
    """The columns of the model's tables that meet a condition."""
    found = connection.execute(
        "SELECT table_schema || '.' || table_name, array_agg(column_name::text) FROM information_schema.columns "
        f"WHERE {condition} GROUP BY 1"
    )
    return {table: names for table, names in found if table in MAPPED}


def number(connection: psycopg.Connection, text: str) -> int:
    row = connection.execute(text).fetchone()
    assert row is not None
    return int(row[0])


def numbers(connection: psycopg.Connection, text: str) -> dict[str, int]:
    """A row of counts by the names of its columns."""
    cursor = connection.execute(text)
    row = cursor.fetchone()
    assert row is not None and cursor.description is not None
    return {column.name: value for column, value in zip(cursor.description, row, strict=True)}


def test_anomalies_are_as_stated(filled: tuple[str, dict[str, int]], source: psycopg.Connection) -> None:
    """Each kind, counted independently, has the amount that filling the sample returned."""
    counted = {}
    for table, column, target, key in map(str.split, REFERENCES.split("\n")[1:-1]):
        counted[f"{table}.{column}"] = number(
            source,
            f"SELECT count(*) FROM {table} t WHERE {column} IS NOT NULL "
            f"AND NOT EXISTS (SELECT FROM {target} WHERE {key} = t.{column})",
        )
    infinite = sum(
        number(source, f"SELECT count(*) FROM {table} WHERE NOT isfinite({column})")
        for table, moments in columns(source, "data_type IN ('date', 'timestamp with time zone')").items()
        for column in moments
    )
    all_null = sum(
        number(source, f"SELECT (count(*) > 12 AND bool_or(num_nonnulls({', '.join(nullable)}) = 0))::int FROM {table}")
        for table, nullable in columns(source, "is_nullable = 'YES' AND column_name <> 'auth_user_id'").items()
    )
    assert filled[1] == {
        DANGLING: sum(counted.values()) + number(source, LOST_DEVICES),
        INFINITE: infinite,
        ALL_NULL: all_null,
        **numbers(source, CODES),
        **numbers(source, AUTH_IDS),
        **numbers(source, WALLETS),
        **numbers(source, OTHERS),
    }


def test_every_optional_column_is_null_somewhere(source: psycopg.Connection) -> None:
    """And has a value somewhere else."""
    one_sided = [
        f"{table}.{column}"
        for table, optional in columns(source, "is_nullable = 'YES'").items()
        for column in optional
        if number(source, f"SELECT count(DISTINCT {column} IS NULL) FROM {table}") != 2
    ]
    assert one_sided == []
