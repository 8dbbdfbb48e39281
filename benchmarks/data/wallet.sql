-- Wallets and the money that goes through them. One customer's wallet in 300 belongs to nobody.
INSERT INTO wallet.payment_gateways VALUES (1, 'razorpay'), (2, 'phonepe'), (3, 'paytm'), (4, 'stripe');
INSERT INTO wallet.promotion_rules
SELECT i, 'Recharge bonus ' || i, i * 100, i * 100 + 99.99, i * 2.5 FROM generate_series(1, 8) AS i;

INSERT INTO wallet.user_wallets
SELECT pg_temp.customer_id(i + CASE WHEN i % 300 = 0 THEN :customers ELSE 0 END), pg_temp.money(i, 70, 1000000),
       CASE WHEN i % 3 = 0 THEN pg_temp.money(i, 71, 50000) ELSE 0 END, pg_temp.pick(i, 72, 30)::integer, pg_temp.moment(i, :customers),
       CASE WHEN i % 5 <> 0 THEN pg_temp.moment(i, :customers) + interval '3 hours' END
FROM generate_series(1, :customers) AS i;

INSERT INTO wallet.consultant_wallets
SELECT pg_temp.wallet_guide_id(i), pg_temp.phone(1000000000 + i), pg_temp.money(i, 73, 10000), i % 4 <> 0, pg_temp.moment(i, :guide_wallets)
FROM generate_series(1, :guide_wallets) AS i;

INSERT INTO wallet.payment_orders
SELECT pg_temp.payment_id(i), pg_temp.customer_id(pg_temp.reference(i, 74, :customers)),
       CASE WHEN i % 60 <> 0 THEN 1 + pg_temp.pick(i, 75, 4) END, CASE WHEN i % 3 = 0 THEN pg_temp.reference(i, 76, 8) END,
       pg_temp.money(i, 77, 500000), pg_temp.one_of(i, 78, ARRAY['SUCCESS', 'SUCCESS', 'SUCCESS', 'FAILED', 'PENDING']),
       pg_temp.one_of(i, 79, ARRAY['UPI', 'UPI', 'CARD', 'NETBANKING', NULL]), pg_temp.moment(i, :payments)
FROM generate_series(1, :payments) AS i;

INSERT INTO wallet.wallet_orders
SELECT i, pg_temp.customer_id(pg_temp.reference(i, 80, :customers)), pg_temp.wallet_guide_id(pg_temp.reference(i, 81, :guide_wallets)),
       pg_temp.one_of(i, 82, ARRAY['CHAT', 'VOICE', 'VIDEO']), 5 * (1 + pg_temp.pick(i, 83, 6)::integer), pg_temp.money(i, 84, 200000),
       pg_temp.money(i, 85, 100000), pg_temp.one_of(i, 86, ARRAY['COMPLETED', 'COMPLETED', 'REFUNDED', 'PENDING']), pg_temp.moment(i, :orders)
FROM generate_series(1, :orders) AS i;

INSERT INTO wallet.wallet_transactions
SELECT i, pg_temp.customer_id(pg_temp.reference(i, 87, :customers)), CASE WHEN i % 2 = 0 THEN pg_temp.reference(i, 88, :orders) END,
       CASE WHEN i % 2 = 0 THEN 'SPENT' ELSE 'ADD' END, pg_temp.money(i, 89, 200000), pg_temp.money(i, 89, 200000) - pg_temp.money(i, 90, 500),
       CASE WHEN i % 6 = 0 THEN NULL ELSE pg_temp.money(i, 90, 500) END, i % 9 = 0, pg_temp.moment(i, :transactions)
FROM generate_series(1, :transactions) AS i;

INSERT INTO wallet.invoices
SELECT i, pg_temp.payment_id(pg_temp.reference(i, 91, :payments)), 'INV/2026-27/' || lpad(i::text, 8, '0'), pg_temp.money(i, 92, 500000),
       pg_temp.moment(i, :invoices)
FROM generate_series(1, :invoices) AS i;
