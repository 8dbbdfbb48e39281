-- Offers, their use, and how customers behave.
INSERT INTO offers.offer_definitions
SELECT i, 'Offer "' || i || '"', pg_temp.one_of(i, 93, ARRAY['RECHARGE_BONUS', 'FREE_MINUTES', 'MILESTONE']), i * 5, i,
       CASE WHEN i % 5 <> 0 THEN pg_temp.moment(i, 12) END
FROM generate_series(1, 12) AS i;

INSERT INTO offers.offer_reservations
SELECT i, pg_temp.customer_id(pg_temp.reference(i, 94, :customers)), pg_temp.reference(i, 95, 12),
       CASE WHEN i % 3 = 0 THEN pg_temp.reference(i, 96, :consultations) END,
       pg_temp.one_of(i, 97, ARRAY['RESERVED', 'CONSUMED', 'EXPIRED']), pg_temp.money(i, 98, 20000), pg_temp.moment(i, :reservations)
FROM generate_series(1, :reservations) AS i;

INSERT INTO offers.offer_consumptions
SELECT i, pg_temp.customer_id(pg_temp.reference(i, 99, :customers)), pg_temp.reference(i, 100, 12),
       CASE WHEN i % 2 = 0 THEN pg_temp.reference(i, 101, :reservations) END,
       CASE WHEN i % 3 = 0 THEN pg_temp.payment_id(pg_temp.reference(i, 102, :payments)) END,
       pg_temp.one_of(i, 103, ARRAY['APPLIED', 'REVERSED']), pg_temp.money(i, 104, 20000), pg_temp.moment(i, :consumptions)
FROM generate_series(1, :consumptions) AS i;

INSERT INTO offers.user_behavior_metrics
SELECT pg_temp.customer_id(6 * i + CASE WHEN i % 200 = 0 THEN 10 * :customers ELSE 0 END), pg_temp.one_of(i, 105, ARRAY['NEW', 'RETURNING']),
       pg_temp.pick(i, 106, 50)::integer, pg_temp.money(i, 107, 5000000), pg_temp.one_of(i, 108, ARRAY['WHALE', 'REGULAR', 'DORMANT', NULL]),
       CASE WHEN i % 10 <> 0 THEN pg_temp.moment(i, :behaviors) END
FROM generate_series(1, :behaviors) AS i;

INSERT INTO offers.user_milestone_progress
SELECT i, pg_temp.customer_id(pg_temp.reference(i, 109, :customers)), CASE WHEN i % 4 <> 0 THEN pg_temp.reference(i, 110, 12) END,
       pg_temp.pick(i, 111, 10)::integer, pg_temp.one_of(i, 112, ARRAY['FIRST_RECHARGE', 'THIRD_CALL', 'REFERRAL']), pg_temp.moment(i, :milestones)
FROM generate_series(1, :milestones) AS i;
