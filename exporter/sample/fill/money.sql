-- What customers paid in, what they spent, and who earned it: a completed payment is an ADD and mostly has an invoice, a
-- completed order is a SPENT, and wallets hold what came in beyond what was spent.

INSERT INTO wallet.consultant_wallets
SELECT id, phone_number, 40 + sample.below(50, 'share', id) * 0.5, sample.percent(70, 'accepts offers', id), created_at
FROM guide.guide_profile
WHERE id < sample.size('guides')
ORDER BY id;

INSERT INTO wallet.payment_orders
SELECT 900000 + n, 20000 + sample.skewed(sample.size('customers'), 'pays', n),
       CASE WHEN NOT sample.percent(2, 'no gateway', n) THEN 1 + sample.below(4, 'gateway', n)::int END,
       CASE WHEN sample.percent(30, 'no rule', n) THEN NULL
            WHEN amount < 200 THEN 1 WHEN amount < 500 THEN 2 WHEN amount < 2000 THEN 3 ELSE 4 END,
       amount, sample.one_of(ARRAY['COMPLETED', 'COMPLETED', 'COMPLETED', 'FAILED', 'PENDING'], 'payment', n),
       sample.one_of(ARRAY['UPI', 'UPI', 'UPI', 'CARD', 'NETBANKING', 'WALLET', NULL], 'method', n), sample.moment('payment', n)
FROM generate_series(1, sample.size('payments')) n,
     LATERAL (SELECT (ARRAY[50, 99, 100, 199, 299, 500, 501, 999.5, 2100, 5100.75])[1 + sample.below(10, 'amount', n)]
             ) a(amount);

INSERT INTO wallet.invoices
SELECT payment_order_id - 900000 + 60000, payment_order_id,
       'AK/2026-27/' || lpad((payment_order_id - 900000)::text, 7, '0'), round(amount * 1.18, 2), created_at + interval '2 s'
FROM wallet.payment_orders
WHERE status = 'COMPLETED' AND sample.percent(79, 'invoice', payment_order_id)
ORDER BY payment_order_id;

INSERT INTO wallet.wallet_orders
SELECT c.order_id, c.customer_id, c.guide_id, c.mode, minutes,
       CASE WHEN promotional THEN 0 ELSE minutes * base_rate_per_minute END,
       CASE WHEN promotional THEN minutes * 5.00 ELSE round(minutes * base_rate_per_minute * revenue_share / 100, 2) END,
       CASE WHEN state = 'COMPLETED' THEN 'COMPLETED'
            ELSE sample.one_of(ARRAY['CANCELLED', 'REFUNDED', 'PENDING'], 'order', c.order_id) END,
       c.created_at - interval '12 seconds'
FROM consultation.consultation c
LEFT JOIN wallet.consultant_wallets w ON w.consultant_id = c.guide_id,
     LATERAL (SELECT (c.duration + 59) / 60) m(minutes)
WHERE c.order_id IS NOT NULL
ORDER BY c.order_id;

-- Transaction ids lie beyond 2^53, where a float no longer tells neighbours apart.
INSERT INTO wallet.wallet_transactions
SELECT 9007199254740992 + row_number() OVER (ORDER BY created_at, type, id), user_id, order_id, type, amount,
       real_cash_delta, virtual_cash_delta, is_promotional, created_at
FROM (SELECT payment_order_id AS id, user_id, NULL::bigint AS order_id, 'ADD' AS type, amount, amount AS real_cash_delta,
             round(amount * virtual_cash_percentage / 100, 2) AS virtual_cash_delta,
             promotion_rule_id IS NOT NULL AS is_promotional, created_at + interval '1 second' AS created_at
      FROM wallet.payment_orders LEFT JOIN wallet.promotion_rules ON id = promotion_rule_id
      WHERE status = 'COMPLETED'
      UNION ALL
      SELECT order_id, user_id, order_id, 'SPENT', final_amount, -final_amount + round(final_amount * 0.1, 2),
             -round(final_amount * 0.1, 2), final_amount = 0, created_at + interval '1 second'
      FROM wallet.wallet_orders
      WHERE status = 'COMPLETED') t
ORDER BY 1;

INSERT INTO wallet.user_wallets
SELECT customer_id, coalesce(real, 0) + sample.below(50000, 'balance', customer_id) / 100.0,
       coalesce(virtual, 0) + sample.below(5000, 'virtual', customer_id) / 100.0,
       coalesce(recharges, 0) + sample.below(9, 'recharges', customer_id), c.created_at + interval '5 seconds', last
FROM customers.customer c
LEFT JOIN (SELECT user_id, sum(real_cash_delta) FILTER (WHERE type = 'ADD') AS real,
                  sum(virtual_cash_delta) FILTER (WHERE type = 'ADD') AS virtual,
                  count(*) FILTER (WHERE type = 'ADD') AS recharges, max(created_at) AS last
           FROM wallet.wallet_transactions GROUP BY user_id) t ON user_id = customer_id
ORDER BY customer_id;
