"""What is deliberately wrong in the sample: the anomalies of a real source by kind, each in a stated amount."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import psycopg

from exporter.sample.auth_ids import ACCEPTED, MALFORMED, NO_TARGET, chosen_by_ordinal

# No row has an id from here on.
MISSING_ID = 990_000_000

DANGLING = "dangling references"
INFINITE = "infinite dates and timestamps"
NOT_FINITE = "NaN and infinite numbers"
ALL_NULL = "rows in which everything optional is null"


@dataclass(frozen=True, slots=True)
class Update:
    """Rows of a table that an UPDATE makes anomalous: `amount` of them at scale 1, never fewer than `least`.

    Each row is changed by at most one Update. In the assignment, `ordinal` counts the rows from 1.
    """

    kind: str
    table: str
    assignment: str
    amount: int
    least: int = 1


@dataclass(frozen=True, slots=True)
class Statement:
    """An anomaly that takes more than an UPDATE: a statement that affects `{amount}` rows."""

    kind: str
    text: str
    amount: int
    least: int = 1


def _dangling(amount: int, table: str, column: str) -> Update:
    return Update(DANGLING, table, f"{column} = {MISSING_ID} + ordinal", amount)


# Rows that other anomalies rely on are left unchanged: guides of the first half have referred others, and their wallets
# are linked by phone.
CANDIDATES = {
    "guide.guide_profile": "id > (SELECT max(id) / 2 FROM guide.guide_profile)",
    "wallet.consultant_wallets": "consultant_id > (SELECT max(consultant_id) / 2 FROM wallet.consultant_wallets)",
}

UPDATES = (
    _dangling(3, "auth.auth_user_roles", "auth_user_id"),
    _dangling(4, "auth.user_sessions", "auth_user_id"),
    Update(DANGLING, "auth.user_sessions", "device_id = 'wiped-' || ordinal", 9),
    Update(INFINITE, "auth.user_sessions", "access_token_exp = 'infinity'", 5),
    Update(INFINITE, "auth.auth_users", "updated_at = 'infinity'", 3),
    Update(INFINITE, "auth.user_devices", "updated_at = 'infinity'", 2),
    _dangling(10, "auth.login_activities", "auth_user_id"),
    _dangling(5, "auth.otp_attempts", "auth_user_id"),
    _dangling(8, "customers.customer", "x_auth_id"),
    _dangling(3, "customers.customer_profile", "customer_id"),
    Update(INFINITE, "customers.customer_profile", "dob = '-infinity'", 2),
    Update("births at 24:00:00", "customers.customer_profile", "tob = '24:00'", 5),
    Update("births after the year 9999", "customers.customer_profile", "dob = '19985-07-04'", 2),
    _dangling(1, "guide.guide_profile", "x_auth_id"),
    Update("unknown referral codes", "guide.guide_profile", "referrer_code = 'OLD-' || ordinal", 2),
    Update("blank referral codes", "guide.guide_profile", "referrer_code = repeat(' ', ordinal::int - 1)", 2, 2),
    Update("padded referral codes", "guide.guide_profile", "referrer_code = E'\\t AK00001 \\r\\n'", 1),
    Update("guides who refer themselves", "guide.guide_profile", "referrer_code = referral_code", 1),
    Update("owners of one referral code", "guide.guide_profile", "referral_code = 'DIWALI24'", 2, 2),
    Update("ambiguous referral codes", "guide.guide_profile", "referrer_code = 'DIWALI24'", 3),
    Update(NOT_FINITE, "guide.guide_profile", "ranking_score = 'NaN'", 1),
    _dangling(1, "guide.bank_account", "guide_id"),
    _dangling(3, "guide.verification", "guide_id"),
    Update(INFINITE, "guide.verification", "verified_at = '-infinity'", 2),
    _dangling(2, "guide.saved_messages", "guide_id"),
    _dangling(7, "consultation.consultation", "customer_id"),
    _dangling(3, "consultation.consultation", "guide_id"),
    _dangling(4, "consultation.consultation", "order_id"),
    _dangling(2, "consultation.agora_consultation_session", "consultation_id"),
    _dangling(2, "consultation.feedback", "consultation_id"),
    _dangling(3, "consultation.consultation_quality_metrics", "consultation_id"),
    Update(NOT_FINITE, "consultation.consultation_quality_metrics", "avg_response_time = 'NaN'", 2),
    Update(NOT_FINITE, "consultation.consultation_quality_metrics", "avg_response_time = 'Infinity'", 1),
    _dangling(6, "wallet.payment_orders", "user_id"),
    _dangling(3, "wallet.payment_orders", "gateway_id"),
    _dangling(4, "wallet.payment_orders", "promotion_rule_id"),
    _dangling(2, "wallet.wallet_orders", "user_id"),
    _dangling(3, "wallet.wallet_orders", "consultant_id"),
    _dangling(3, "wallet.wallet_transactions", "user_id"),
    _dangling(5, "wallet.wallet_transactions", "order_id"),
    _dangling(4, "wallet.invoices", "payment_order_id"),
    _dangling(2, "offers.offer_reservations", "user_id"),
    _dangling(3, "offers.offer_reservations", "offer_id"),
    _dangling(4, "offers.offer_reservations", "consultation_id"),
    _dangling(2, "offers.offer_consumptions", "user_id"),
    _dangling(2, "offers.offer_consumptions", "offer_id"),
    _dangling(4, "offers.offer_consumptions", "payment_order_id"),
    _dangling(3, "offers.user_milestone_progress", "user_id"),
    _dangling(2, "offers.user_milestone_progress", "offer_id"),
    _dangling(2, "marketing.leads", "customer_id"),
    Update("auth ids of nobody", "notifications.notifications", f"auth_user_id = {MISSING_ID} + ordinal", 20),
    Update("auth ids written oddly", "notifications.notifications", chosen_by_ordinal(ACCEPTED), 120, len(ACCEPTED)),
    Update("auth ids that say nobody", "notifications.notifications", chosen_by_ordinal(NO_TARGET), 60, len(NO_TARGET)),
    Update("malformed auth ids", "notifications.notifications", chosen_by_ordinal(MALFORMED), 40, len(MALFORMED)),
)

STATEMENTS = (
    Statement(
        "repeated device registrations",
        """
        INSERT INTO auth.user_devices
        SELECT (SELECT max(id) FROM auth.user_devices) + ordinal, auth_user_id, device_id, device_type, platform,
               fcm_token || '-' || ordinal, created_at + interval '1 day',
               CASE ordinal % 3 WHEN 0 THEN NULL WHEN 1 THEN created_at ELSE '2026-11-22 18:00Z' END
        FROM (SELECT *, row_number() OVER (ORDER BY sample.shuffled(id::text)) AS ordinal FROM auth.user_devices) d
        WHERE ordinal <= {amount}
        ORDER BY ordinal
        """,
        40,
        6,
    ),
    Statement(
        DANGLING,  # by new rows: sessions refer to the devices that are there
        f"""
        INSERT INTO auth.user_devices
        SELECT (SELECT max(id) FROM auth.user_devices) + ordinal, {MISSING_ID} + ordinal, md5('lost ' || ordinal),
               'MOBILE', 'ANDROID', NULL, '2026-11-16 00:00Z', NULL
        FROM generate_series(1, {{amount}}) ordinal
        """,
        4,
    ),
    Statement(
        DANGLING,
        f"""
        INSERT INTO wallet.user_wallets
        SELECT {MISSING_ID} + 5000 + ordinal, 10, 0, 1, '2026-11-16 00:00Z', NULL
        FROM generate_series(1, {{amount}}) ordinal
        """,
        6,
    ),
    Statement(
        DANGLING,
        f"""
        INSERT INTO offers.user_behavior_metrics
        SELECT {MISSING_ID} + ordinal, 'NEW', 0, 0, NULL, NULL FROM generate_series(1, {{amount}}) ordinal
        """,
        3,
    ),
    Statement(
        DANGLING,
        f"""
        INSERT INTO guide.guide_skills
        SELECT ordinal, {MISSING_ID} + ordinal FROM generate_series(1, {{amount}}) ordinal
        """,
        1,
    ),
    Statement(
        DANGLING,
        f"""
        INSERT INTO guide.guide_languages
        SELECT {MISSING_ID} + ordinal, 1 FROM generate_series(1, {{amount}}) ordinal
        """,
        1,
    ),
    Statement(
        "repeated join rows",
        "INSERT INTO guide.guide_skills SELECT * FROM guide.guide_skills ORDER BY 2, 1 LIMIT {amount}",
        4,
        2,
    ),
    Statement(
        "repeated join rows",
        "INSERT INTO guide.guide_languages SELECT * FROM guide.guide_languages ORDER BY 2, 1 LIMIT {amount}",
        3,
    ),
    Statement(  # the orders follow, since they refer to the wallet
        "guide wallets linked by phone only",
        """
        WITH orders AS (UPDATE wallet.wallet_orders SET consultant_id = 7000000 + consultant_id
                        WHERE consultant_id BETWEEN 2 AND 1 + {amount})
        UPDATE wallet.consultant_wallets
        SET consultant_id = 7000000 + consultant_id, phone_number = '+91-' || right(phone_number, 10)
        WHERE consultant_id BETWEEN 2 AND 1 + {amount}
        """,
        3,
        2,
    ),
    Statement(
        "guide wallets with an ambiguous phone",
        """
        INSERT INTO wallet.consultant_wallets
        SELECT 7100000 + ordinal, phone_number, 50, false, '2026-11-16 00:00Z'
        FROM guide.guide_profile, generate_series(1, {amount}) ordinal
        WHERE id = 1
        """,
        1,
    ),
    Statement(
        "guide wallets of no known guide",
        """
        INSERT INTO wallet.consultant_wallets
        SELECT 7200000 + ordinal, CASE WHEN ordinal > 1 THEN sample.phone(80000000 + ordinal) END, 50, true,
               '2026-11-16 00:00Z'
        FROM generate_series(1, {amount}) ordinal
        """,
        2,
        2,
    ),
)

# The key column of each table of the source; those without one are join tables.
KEYS = """
SELECT format('%I.%I', nspname, relname), attname
FROM pg_index
JOIN pg_class c ON c.oid = indrelid
JOIN pg_namespace n ON n.oid = relnamespace
JOIN pg_attribute a ON attrelid = indrelid AND attnum = indkey[0]
WHERE indisprimary AND nspname !~ '^pg_'
"""

# For each table except reference tables, the assignment that nulls all it can; auth ids have their own anomalies.
NULLABLE_COLUMNS = """
SELECT format('%I.%I', nspname, relname), string_agg(format('%I = NULL', attname), ', ' ORDER BY attnum)
FROM pg_class c
JOIN pg_namespace n ON n.oid = relnamespace
JOIN pg_attribute ON attrelid = c.oid AND attnum > 0 AND NOT attnotnull AND attname <> 'auth_user_id'
WHERE relkind = 'r' AND reltuples > 12 AND nspname !~ '^(pg_|information_schema|sample)'
GROUP BY nspname, relname
ORDER BY nspname, relname
"""

UPDATE_SQL = """
WITH chosen AS (
    SELECT {key} AS chosen_key, row_number() OVER (ORDER BY sample.shuffled({key}::text), {key}) - {before} AS ordinal
    FROM {table}
    WHERE {candidates}
)
UPDATE {table} SET {assignment} FROM chosen WHERE {key} = chosen_key AND ordinal BETWEEN 1 AND {last} - {before}
"""


def inject_anomalies(connection: psycopg.Connection, scale: float) -> dict[str, int]:
    """Makes the clean sample anomalous; returns the rows of each kind of anomaly.

    Runs in the connection's transaction, as a superuser: anomalies do not stop at foreign keys.
    """
    connection.execute("SET LOCAL session_replication_role = replica")
    keys: dict[str, str] = dict(connection.execute(KEYS).fetchall())
    all_null = [Update(ALL_NULL, table, assignment, 1) for table, assignment in connection.execute(NULLABLE_COLUMNS)]
    amounts: Counter[str] = Counter()
    for update, first, last in _with_ordinals((*all_null, *UPDATES), scale):
        text = UPDATE_SQL.format(
            key=keys[update.table],
            table=update.table,
            assignment=update.assignment,
            candidates=CANDIDATES.get(update.table, "true"),
            before=first - 1,
            last=last,
        )
        amounts[update.kind] += connection.execute(text).rowcount
    for statement in STATEMENTS:
        text = statement.text.format(amount=_amount(statement, scale))
        amounts[statement.kind] += connection.execute(text).rowcount
    return dict(amounts)


def _with_ordinals(updates: Iterable[Update], scale: float) -> Iterable[tuple[Update, int, int]]:
    """Each update with the ordinals of its rows, first and last, in the shuffled order of its table."""
    taken: Counter[str] = Counter()
    for update in updates:
        first = taken[update.table] + 1
        taken[update.table] += _amount(update, scale)
        yield update, first, taken[update.table]


def _amount(anomaly: Update | Statement, scale: float) -> int:
    return max(anomaly.least, round(anomaly.amount * scale))
