"""The five sample queries of the domain model: their Cypher, and the SQL that answers them on the source.

They are the document's, and order their rows to the last, so that the same graph always gives the same answer.

The SQL follows the rules of the graph: a dangling reference makes no relationship; of a device registered twice, the
latest registration counts; a guide's wallet is linked by id, else by a phone that is unique on both sides; what Neo4j
cannot hold is null.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Query:
    """One question, in Cypher for the graph and in SQL for its source.

    Both return the same columns and take the same `parameters`; `descending_by` is the column they order by, if any.
    """

    name: str
    parameters: tuple[str, ...]
    descending_by: str | None
    cypher: str
    sql: str


FULL_CUSTOMER_JOURNEY = Query(
    "Full Customer Journey",
    ("phone",),
    None,
    """\
MATCH (c:Customer {phone_number: $phone})
MATCH (c)-[:HAS_AUTH]->(auth:AuthUser)
MATCH (c)-[:HAS_WALLET]->(w:CustomerWallet)
OPTIONAL MATCH (c)-[:BOOKED]->(consult:Consultation)-[:WITH_GUIDE]->(g:Guide)
OPTIONAL MATCH (c)-[:MADE_PAYMENT]->(p:Payment)
RETURN c, auth, w,
       collect(DISTINCT {consultation: consult.id, guide: g.full_name, mode: consult.mode}) as consultations,
       count(DISTINCT p) as payment_count""",
    """\
WITH customers AS (
    SELECT customer_id, phone_number, country_code, x_auth_id,
           to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at
    FROM customers.customer
), users AS (
    SELECT id, phone_number, is_active, is_test_user,
           to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at,
           to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS updated_at
    FROM auth.auth_users
), wallets AS (
    SELECT user_id, real_cash, virtual_cash, recharge_count,
           to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at,
           to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS updated_at
    FROM wallet.user_wallets
), booked AS (
    SELECT customer_id, jsonb_build_object('consultation', b.id, 'guide', full_name, 'mode', mode) AS consultation
    FROM consultation.consultation b JOIN guide.guide_profile g ON g.id = guide_id
)
SELECT jsonb_strip_nulls(to_jsonb(c) - 'x_auth_id') AS c, jsonb_strip_nulls(to_jsonb(u)) AS auth,
       jsonb_strip_nulls(to_jsonb(w)) AS w,
       coalesce((SELECT jsonb_agg(DISTINCT consultation) FROM booked b WHERE b.customer_id = c.customer_id),
                '[{"consultation": null, "guide": null, "mode": null}]') AS consultations,
       (SELECT count(*) FROM wallet.payment_orders p WHERE p.user_id = c.customer_id) AS payment_count
FROM customers c
JOIN users u ON u.id = c.x_auth_id
JOIN wallets w ON w.user_id = c.customer_id
WHERE c.phone_number = %(phone)s""",
)

GUIDE_EARNINGS = Query(
    "Guide Earnings",
    (),
    "total_earnings",
    """\
MATCH (g:Guide)-[:HAS_WALLET]->(gw:GuideWallet)
MATCH (wo:WalletOrder)-[:CREDITED_TO]->(gw)
WHERE wo.status = 'COMPLETED'
RETURN g.full_name, sum(wo.consultant_share) as total_earnings, count(wo) as orders
ORDER BY total_earnings DESC""",
    """\
WITH guides AS (
    SELECT id, full_name, right(regexp_replace(phone_number, '[^0-9]', '', 'g'), 10) AS digits FROM guide.guide_profile
), wallets AS (
    SELECT consultant_id, right(regexp_replace(phone_number, '[^0-9]', '', 'g'), 10) AS digits
    FROM wallet.consultant_wallets
), shared AS (
    SELECT digits FROM guides GROUP BY digits HAVING count(*) > 1
    UNION SELECT digits FROM wallets GROUP BY digits HAVING count(*) > 1
), has_wallet AS (
    SELECT full_name, consultant_id FROM guides JOIN wallets ON consultant_id = id
    UNION ALL
    SELECT full_name, consultant_id FROM guides JOIN wallets USING (digits)
    WHERE digits <> '' AND digits NOT IN (SELECT digits FROM shared WHERE digits IS NOT NULL)
      AND consultant_id NOT IN (SELECT id FROM guides)
)
SELECT full_name AS "g.full_name", coalesce(sum(consultant_share::float8), 0) AS total_earnings, count(*) AS orders
FROM has_wallet JOIN wallet.wallet_orders USING (consultant_id)
WHERE status = 'COMPLETED'
GROUP BY full_name
ORDER BY total_earnings DESC""",
)

PAYMENT_TO_CONSULTATION = Query(
    "Payment to Consultation Flow",
    ("payment_id",),
    None,
    """\
MATCH (c:Customer)-[:MADE_PAYMENT]->(p:Payment)
MATCH (c)-[:HAS_WALLET]->(cw:CustomerWallet)
MATCH (cw)-[:HAS_TRANSACTION]->(t:Transaction {type: 'SPENT'})
MATCH (t)-[:FOR_ORDER]->(wo:WalletOrder)
MATCH (wo)-[:FOR_CONSULTATION]->(consult:Consultation)
WHERE p.payment_order_id = $payment_id
RETURN c.phone_number, p.amount, wo.final_amount, consult.mode, consult.state
ORDER BY consult.id""",
    """\
SELECT c.phone_number AS "c.phone_number", p.amount AS "p.amount", o.final_amount AS "wo.final_amount",
       b.mode AS "consult.mode", b.state AS "consult.state"
FROM customers.customer c
JOIN wallet.payment_orders p ON p.user_id = c.customer_id
JOIN wallet.user_wallets w ON w.user_id = c.customer_id
JOIN wallet.wallet_transactions t ON t.user_id = w.user_id AND t.type = 'SPENT'
JOIN wallet.wallet_orders o ON o.order_id = t.order_id
JOIN consultation.consultation b ON b.order_id = o.order_id
WHERE p.payment_order_id = %(payment_id)s
ORDER BY b.id""",
)

OFFER_EFFECTIVENESS = Query(
    "Offer Effectiveness",
    (),
    "reservations",
    """\
MATCH (o:Offer)<-[:FOR_OFFER]-(res:OfferReservation)<-[:RESERVED]-(c:Customer)
OPTIONAL MATCH (c)-[:CONSUMED]->(cons:OfferConsumption)-[:OF_OFFER]->(o)
RETURN o.offer_name, o.offer_type,
       count(DISTINCT res) as reservations,
       count(DISTINCT cons) as consumptions,
       round(100.0 * count(DISTINCT cons) / count(DISTINCT res), 1) as conversion_rate
ORDER BY reservations DESC, o.offer_name""",
    """\
SELECT o.offer_name AS "o.offer_name", o.offer_type AS "o.offer_type",
       count(DISTINCT r.reservation_id) AS reservations, count(DISTINCT u.consumption_id) AS consumptions,
       round(100.0 * count(DISTINCT u.consumption_id) / count(DISTINCT r.reservation_id), 1) AS conversion_rate
FROM offers.offer_definitions o
JOIN offers.offer_reservations r ON r.offer_id = o.offer_id
JOIN customers.customer c ON c.customer_id = r.user_id
LEFT JOIN offers.offer_consumptions u ON u.user_id = c.customer_id AND u.offer_id = o.offer_id
GROUP BY o.offer_name, o.offer_type
ORDER BY reservations DESC, o.offer_name""",
)

SESSION_DEVICE_ANALYSIS = Query(
    "Session/Device Analysis",
    (),
    "active_users",
    """\
MATCH (auth:AuthUser)-[:HAS_SESSION]->(s:Session)-[:ON_DEVICE]->(d:Device)
WHERE s.is_active = true
RETURN d.platform, d.device_type, count(DISTINCT auth) as active_users
ORDER BY active_users DESC, d.platform, d.device_type""",
    """\
WITH devices AS (
    SELECT DISTINCT ON (auth_user_id, device_id) auth_user_id, device_id, platform, device_type
    FROM auth.user_devices
    ORDER BY auth_user_id, device_id, coalesce(updated_at, created_at) DESC, id DESC
)
SELECT d.platform AS "d.platform", d.device_type AS "d.device_type", count(DISTINCT a.id) AS active_users
FROM auth.auth_users a
JOIN auth.user_sessions s ON s.auth_user_id = a.id
JOIN devices d ON d.auth_user_id = s.auth_user_id AND d.device_id = s.device_id
WHERE s.is_active
GROUP BY d.platform, d.device_type
ORDER BY active_users DESC, d.platform, d.device_type""",
)

QUERIES = (
    FULL_CUSTOMER_JOURNEY,
    GUIDE_EARNINGS,
    PAYMENT_TO_CONSULTATION,
    OFFER_EFFECTIVENESS,
    SESSION_DEVICE_ANALYSIS,
)
