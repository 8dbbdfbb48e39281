-- Offers held and used, and what marketing and the notification service know of the customers.

INSERT INTO offers.offer_reservations
SELECT 30000 + n, c.customer_id, 1 + sample.below(11, 'offer', n),
       CASE WHEN used THEN c.id END, CASE WHEN used THEN 'USED'
       ELSE sample.one_of(ARRAY['RESERVED', 'EXPIRED', 'RELEASED'], 'reservation', n) END,
       CASE WHEN NOT sample.percent(10, 'no bonus', n) THEN sample.below(20000, 'bonus', n) / 100.0 END,
       c.created_at - interval '10 minutes'
FROM generate_series(1, sample.size('reservations')) n
JOIN consultation.consultation c ON c.id = 700001 + (n - 1) % sample.size('consultations'),
     LATERAL (SELECT sample.percent(55, 'used', n)) u(used)
ORDER BY n;

-- The first consumptions come from a reservation, the others straight from a payment.
INSERT INTO offers.offer_consumptions
SELECT n, user_id, offer_id, reservation_id, payment_order_id,
       sample.one_of(ARRAY['APPLIED', 'APPLIED', 'APPLIED', 'REVERSED'], 'consumption', n), bonus_amount, created_at
FROM (SELECT reservation_id - 30000 AS n, user_id, offer_id, reservation_id, NULL::bigint AS payment_order_id,
             bonus_amount, created_at + interval '15 minutes' AS created_at
      FROM offers.offer_reservations WHERE sample.percent(75, 'consumed', reservation_id)
      UNION ALL
      SELECT n + sample.size('reservations'), user_id, 1 + sample.below(11, 'paid offer', n), NULL, payment_order_id,
             round(amount / 10, 2), created_at + interval '3 seconds'
      FROM (SELECT *, payment_order_id - 900000 AS n FROM wallet.payment_orders) p
      WHERE n <= sample.size('paid consumptions')) c
ORDER BY n;

INSERT INTO offers.user_behavior_metrics
SELECT customer_id, CASE WHEN count(*) > 3 THEN 'REPEAT' ELSE 'NEW' END, count(*)::int, coalesce(sum(final_amount), 0),
       CASE WHEN sum(final_amount) > 1000 THEN 'HIGH_VALUE' WHEN count(*) > 1 THEN 'ACTIVE' END, max(c.created_at)
FROM consultation.consultation c
LEFT JOIN wallet.wallet_orders o ON o.order_id = c.order_id AND o.status = 'COMPLETED'
GROUP BY customer_id
ORDER BY customer_id;

INSERT INTO offers.user_milestone_progress
SELECT n, 20000 + sample.skewed(sample.size('customers'), 'milestone', n),
       CASE WHEN NOT sample.percent(10, 'no offer', n) THEN 5 + sample.below(2, 'milestone offer', n) END,
       1 + sample.below(10, 'milestone reached', n)::int,
       sample.one_of(ARRAY['CONSULTATION_COMPLETED', 'RECHARGE', NULL], 'trigger', n), sample.moment('milestone', n)
FROM generate_series(1, sample.size('milestones')) n;

INSERT INTO marketing.leads
SELECT n, CASE WHEN NOT sample.percent(10, 'no lead phone', n) THEN sample.phone(customer) END,
       CASE WHEN NOT sample.percent(10, 'no lead name', n) THEN sample.person('lead', n) END,
       sample.one_of(ARRAY['LANDING_PAGE', 'FACEBOOK', 'WHATSAPP', NULL], 'lead source', n),
       sample.one_of(ARRAY['google', 'facebook', 'instagram', NULL], 'utm source', n),
       sample.one_of(ARRAY['cpc', 'social', NULL], 'utm medium', n),
       sample.one_of(ARRAY['diwali-2026', 'kundli, free', 'love "2026"', NULL], 'utm campaign', n),
       CASE WHEN n % 3 = 0 THEN 'CONVERTED' ELSE sample.one_of(ARRAY['NEW', 'CONTACTED', 'LOST'], 'lead', n) END,
       CASE WHEN n % 3 = 0 THEN 20000 + customer END, sample.moment('lead', n)
FROM generate_series(1, sample.size('leads')) n,
     LATERAL (SELECT 1 + sample.below(sample.size('customers'), 'lead of', n)) c(customer);

INSERT INTO notifications.notifications
SELECT md5('notification ' || sample.draw('notification', n))::uuid, (1000 + person)::text,
       CASE WHEN sample.percent(2, 'no target', n) THEN NULL
            WHEN person <= sample.size('customers') THEN 'customer' ELSE 'guide' END,
       event, sample.one_of(ARRAY['PUSH', 'PUSH', 'SMS', 'EMAIL', 'IN_APP', NULL], 'channel', n),
       sample.one_of(ARRAY['HIGH', 'NORMAL', 'NORMAL', 'LOW', NULL], 'priority', n),
       CASE event WHEN 'WALLET_LOW' THEN '⚠️ Low balance' WHEN 'PAYMENT_DONE' THEN 'Payment received ✅'
                  WHEN 'FEEDBACK_RECEIVED' THEN 'You have feedback' WHEN 'OFFER' THEN '🪔 शुभ दीपावली' END,
       CASE event
           WHEN 'WALLET_LOW' THEN 'Only ₹' || sample.below(50, 'low', n) || '.00 left. Recharge now, get 10% more!'
           WHEN 'PAYMENT_DONE' THEN 'Dear ' || sample.person('notified', n) || E',\nwe received ₹' ||
                sample.below(5000, 'received', n) || E'.\n— Team "AstroKiran" 🙏'
           WHEN 'FEEDBACK_RECEIVED' THEN sample.remark('notified feedback', n)
           WHEN 'OFFER' THEN E'आज ही रिचार्ज करें 🎁\r\n* "T&C" apply; valid till 30/11' END,
       sample.percent(35, 'read', n), sample.moment('notification', n)
FROM generate_series(1, sample.size('notifications')) n,
     LATERAL (SELECT 1 + sample.below(sample.size('customers') + sample.size('guides'), 'notified', n),
                     sample.one_of(ARRAY['CONSULTATION_REQUESTED', 'CONSULTATION_ENDED', 'WALLET_LOW', 'PAYMENT_DONE',
                                         'FEEDBACK_RECEIVED', 'OFFER'], 'event', n)) p(person, event);
