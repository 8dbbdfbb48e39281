-- The rows: every key shape with every reference shape, and every value of every type in every column that takes it.

-- auth ------------------------------------------------------------------------------------------------------------
INSERT INTO auth.auth_users (serial_no, place, id, phone_number, is_active, is_test_user, created_at, updated_at, tags)
SELECT 100000 - n, point(n, n), key, edge.at('text', n), edge.at('boolean', n)::boolean, edge.at('boolean', other)::boolean,
    edge.at('timestamptz', n)::timestamptz, edge.at('timestamp', n + 7)::timestamp, array['a', null]
FROM edge.rows('reference text', 'own text', 'timestamptz');
INSERT INTO auth.auth_user_roles
SELECT key::numeric, reference::numeric, edge.at('state', n)::edge.state, edge.at('boolean', n)::boolean,
    edge.at('timestamp', n)::timestamp
FROM edge.rows('', 'own numeric', 'reference numeric');
-- The first row of a repeated id moves to the end of the table: now another comes first.
UPDATE auth.auth_user_roles SET is_active = NOT is_active
WHERE ctid = (SELECT min(ctid) FROM auth.auth_user_roles WHERE id = 7);
INSERT INTO auth.user_devices
SELECT CASE n % 13 WHEN 0 THEN null WHEN 1 THEN n + 0.5 WHEN 2 THEN -n ELSE n END, key, reference, edge.at('text', n),
    edge.at('state', n)::edge.state, edge.at('text', n + 11), edge.at('timestamptz', n)::timestamptz,
    CASE n % 3 WHEN 0 THEN edge.at('timestamp', other) END::timestamp
FROM edge.rows('', 'reference text', 'device');
INSERT INTO auth.user_devices  -- registered again, at the same moment or later, mostly
SELECT 10000 - id, ' ' || auth_user_id || ' ', device_id, 'again', platform, fcm_token, created_at,
    CASE WHEN id > 100 THEN updated_at WHEN id > 50 THEN 'infinity' ELSE '-infinity' END
FROM auth.user_devices WHERE id % 2 = 0;
INSERT INTO auth.user_devices SELECT 20000 + n, null, reference, 'nobody''s', null, null, null, null
FROM edge.rows('', 'boolean', 'device');
INSERT INTO auth.user_sessions
SELECT key, 100000 - n, reference, edge.at('session device', other), edge.at('text', n), edge.at('boolean', n)::boolean,
    edge.at('timestamp', n)::timestamp, edge.at('timestamptz', n + 3)::timestamptz
FROM edge.rows('', 'own uuid', 'reference text');
INSERT INTO auth.login_activities
SELECT key::bigint, reference::integer, edge.at('text', n), edge.at('boolean', n)::boolean, edge.at('inet', n)::inet,
    edge.at('text', n + 20), coalesce(edge.at('timestamptz', n)::timestamptz, '2026-06-01 12:30:00.5+00')
FROM edge.rows('', 'own bigint repeated', 'reference integer');
INSERT INTO edge.otp
SELECT key, reference, edge.at('phone', n), edge.at('short', n), edge.at('boolean', n)::boolean, edge.at('whole', n)::numeric,
    edge.at('timestamptz', n)::timestamptz, edge.at('timestamptz', n + 9)::timestamptz
FROM edge.rows('', 'own text view', 'reference text');

-- customers -------------------------------------------------------------------------------------------------------
INSERT INTO customers.customer
SELECT key::bigint, reference, edge.at('text', n), edge.at('short', n), edge.at('timestamptz', n)::timestamptz
FROM edge.rows('reference bigint', 'own bigint', 'reference short');
INSERT INTO customers.customer_profile
SELECT key::bigint, reference::bigint, edge.at('text', n), edge.at('date', n)::date, edge.at('time', n)::time,
    edge.at('text', n + 5), edge.at('state', n)::edge.state, edge.at('short', n), edge.at('timestamptz', n)::timestamptz
FROM edge.rows('', 'own bigint repeated', 'reference bigint') WHERE reference IS NOT NULL;

-- guide -----------------------------------------------------------------------------------------------------------
INSERT INTO guide.guide_profile
SELECT key, md5('guide' || n)::uuid, reference::bigint, coalesce(edge.at('text', n), 'nobody'),
    CASE WHEN n % 4 = 0 THEN edge.at('phone', n) END, edge.at('state', n)::edge.state, edge.at('boolean', n)::boolean,
    edge.at('boolean', other)::boolean, true, edge.at('numeric', n)::numeric, edge.at('short', n),
    CASE n % 8 WHEN 0 THEN null WHEN 1 THEN ' ' WHEN 2 THEN ' shared' || n % 16 || ' ' WHEN 3 THEN E'\tG' || n || E'\v\n'
        WHEN 4 THEN E'G\u00a0' || n ELSE 'G' || n END,
    CASE n % 12 WHEN 0 THEN null WHEN 1 THEN '' WHEN 2 THEN E' \t\v\f\r\n' WHEN 3 THEN 'shared' || n % 2 * 8 + 2
        WHEN 4 THEN E'\tG' || n * 7 % 450 || ' ' WHEN 5 THEN 'g' || n * 5 % 450 WHEN 6 THEN E'\u00a0G' || n * 5 % 450
        WHEN 7 THEN 'unknown' WHEN 8 THEN 'G' || n ELSE E'G' || n * 7 % 450 END,
    edge.at('timestamptz', n)::timestamptz
FROM edge.rows('reference text', 'own text', 'reference bigint');
-- Referral codes and phones that need an exact cast: some of them belong to rows that do not become a node.
INSERT INTO guide.guide_profile (row_id, id, full_name, phone_number, referral_code, referrer_code)
SELECT rpad(position::text, 32, '0')::uuid, id, 'Guide ' || id, phone, code, referrer
FROM (VALUES (801, '801', '+91 98765-00001', 'SELF', ' SELF '), (802, '802', '9876500002', 'Twice', null),
    (803, '803', '9876500003', ' Twice', 'Twice'), (804, '804', '9876500003', 'twice', 'twice'),
    (805, '805', '9876500005', 'Lone', 'left out'), (806, '0805', '9876500006', 'left out', 'Lone'),
    (807, ' 805.0', '9876500007', 'Lone', 'Lone'), (808, 'x', '9876500008', 'malformed', 'Lone'),
    (809, null, '9876500009', 'null', null), (810, '810', '98-765', E'a\u00a0', E'a\u00a0'), (811, '811', '055555', 'a', 'malformed'),
    (812, '812', E'\u0967\u0968 6 7 8 9 1', 'null ', 'null'), (813, '813', '+449876500013', '''', ''''),
    (814, '814', '000000000', 'E''\\x', 'E''\\x'), (815, '815', '9876500015', repeat('long', 40), repeat('long', 40)),
    (816, '816', '9876500016', 'in side', 'in  side'), (817, '817', E'9876500017\n', E'\u0130', 'i'), (818, '818', '9876500018', 'ß', 'ss'),
    (819, '819', '', 'é', E'e\u0301'), (820, '820', '98 765 000 20 x', null, 'Lone'), (821, '821', '9876500018', null, ' '))
    AS special (position, id, phone, code, referrer);
INSERT INTO guide.skills
SELECT key::smallint, coalesce(edge.at('text', n), 'none'), edge.at('json', n)::json
FROM edge.rows('reference smallint', '', 'boolean');
INSERT INTO guide.languages SELECT literal, edge.at('short', position) FROM edge.value
WHERE kind = 'reference short' AND length(literal) < 7 ORDER BY position DESC ON CONFLICT DO NOTHING;
INSERT INTO guide.guide_skills SELECT key, reference::numeric FROM edge.rows('', 'reference text', 'reference numeric');
INSERT INTO guide.guide_languages SELECT -n, key::numeric, reference FROM edge.rows('', 'reference numeric', 'reference text');
INSERT INTO guide.bank_account
SELECT key::bigint, reference, edge.at('text', n), 'secret', edge.at('text', n + 9), edge.at('short', n)
FROM edge.rows('', 'own bigint unique', 'reference text');
INSERT INTO guide.verification
SELECT key::numeric, reference::smallint, edge.at('state', n)::edge.state, edge.at('text', n), edge.at('timestamp', n)::timestamp
FROM edge.rows('', 'own numeric nullable', 'reference smallint');
INSERT INTO guide.saved_messages
SELECT key::bigint, reference::numeric, edge.at('text', n), edge.at('text', n + 31), edge.at('timestamptz', n)::timestamptz
FROM edge.rows('', 'own bigint', 'reference numeric');
INSERT INTO guide.saved_messages VALUES
    (900001, 1, repeat(E'\u0939\u093f "x", \\\r\n', 100000), repeat('"', 200000), now()),
    (900002, 1, repeat(E'\n', 50000), repeat('\', 70000), '2026-11-23');

-- consultation ----------------------------------------------------------------------------------------------------
INSERT INTO consultation.consultation (id, customer_id, guide_id, order_id, mode, state, duration, base_rate_per_minute,
    is_quick_connect, created_at)
SELECT key::numeric, reference, edge.at('reference bigint', other)::bigint, edge.at('reference text', other + 17),
    edge.at('state', n)::edge.state, edge.at('text', n), edge.at('whole', n)::numeric, edge.at('real', n)::real,
    edge.at('boolean', n)::boolean, edge.at('timestamptz', n)::timestamptz
FROM edge.rows('reference numeric', 'own numeric unique', 'reference text') ORDER BY n DESC ON CONFLICT DO NOTHING;
INSERT INTO consultation.agora_consultation_session
SELECT key, reference::numeric, nullif(md5(n::text), md5('3'))::uuid, edge.at('bigint', n)::bigint, edge.at('text', n),
    edge.at('timestamp', n)::timestamp
FROM edge.rows('', 'own text nullable', 'reference numeric') ORDER BY key DESC ON CONFLICT DO NOTHING;
INSERT INTO consultation.feedback
SELECT key::integer, reference, edge.at('whole', n)::numeric, edge.at('text', n), edge.at('json', n)::jsonb,
    edge.at('timestamptz', n)::timestamptz
FROM edge.rows('', 'own bigint unique', 'reference text') WHERE n <> 5;
INSERT INTO consultation.consultation_quality_metrics (consultation_id, is_short_consultation, customer_message_count,
    guide_message_count, avg_response_time, created_at)
SELECT reference::bigint, edge.at('boolean', n)::boolean, edge.at('smallint', n)::smallint, edge.at('whole', n)::numeric,
    edge.at('double', n)::double precision, edge.at('timestamptz', n)::timestamptz
FROM edge.rows('', 'double', 'reference bigint');

-- wallet ----------------------------------------------------------------------------------------------------------
INSERT INTO wallet.user_wallets
SELECT key, edge.at('numeric', n)::numeric, edge.at('double', n)::double precision, edge.at('bigint', n)::bigint,
    edge.at('timestamptz', n)::timestamptz, edge.at('timestamptz', n + 13)::timestamptz
FROM edge.rows('reference text', 'own text unique', 'numeric') ORDER BY n DESC ON CONFLICT DO NOTHING;
INSERT INTO wallet.consultant_wallets
SELECT key::numeric, CASE WHEN n % 2 = 0 THEN edge.at('phone', n / 2) END, edge.at('real', n)::real,
    edge.at('boolean', n)::boolean, edge.at('timestamp', n)::timestamp
FROM edge.rows('reference numeric', 'own numeric', 'phone');
INSERT INTO wallet.consultant_wallets (consultant_id, phone_number, accepts_promotional_offers)
VALUES (801, '9876500018', true), (801, '9876500002', false), (9001, '0091 (98765) 00001', true), (9002, '9876500002', true),
    (9003, '9876500003', true), (9005, '9876500005', true), (9006, '9876500006', true), (9008, '9876500008', true),
    (9009, '9876500009', true), (9010, '9.8.7.6.5', true), (9011, '55555 ', true), (9012, E'6\u09667891', true),
    (9013, '9876500013', true), (9014, '00000000', true), (9015, '9876500015', true), (9016, '009876500015', true),
    (9017, '9876500017', true), (817, '1-9876500017', true), (9018, '9876500018', false), (9020, '9876500020', true),
    (9021, '7770000001', true), (9022, '7770000001', true), (9023, E'\u0967\u0968\u0969', true), (9024, '0', null),
    (9025, '9876500016', null), (null, '9876500016', null), ('NaN', '9876500016', null), (9025.0, '9876500016', null);
INSERT INTO wallet.payment_gateways
SELECT key::numeric, coalesce(edge.at('short', n), 'none') FROM edge.rows('reference numeric', '', 'boolean') ON CONFLICT DO NOTHING;
INSERT INTO wallet.promotion_rules
SELECT key::integer, edge.at('text', n), edge.at('integer', n)::integer, edge.at('bigint', n)::bigint, edge.at('smallint', n)::smallint
FROM edge.rows('reference integer', 'own bigint unique', 'text');
INSERT INTO wallet.payment_orders
SELECT key::bigint, reference::numeric, edge.at('reference text', other), edge.at('reference numeric', other + 5)::numeric,
    edge.at('numeric', n)::numeric, edge.at('text', n), edge.at('state', n)::edge.state, edge.at('timestamptz', n)::timestamptz
FROM edge.rows('reference bigint', 'own bigint', 'reference numeric');
UPDATE wallet.payment_orders SET status = 'moved' WHERE ctid IN (SELECT min(ctid) FROM wallet.payment_orders GROUP BY payment_order_id);
INSERT INTO wallet.wallet_orders
SELECT key, reference, edge.at('reference text', other), edge.at('text', n), edge.at('smallint', n)::smallint,
    edge.at('double', n)::double precision, edge.at('numeric', n)::numeric, edge.at('text', n + 3), edge.at('timestamptz', n)::timestamptz
FROM edge.rows('reference text', 'own text', 'reference text') WHERE key IS NOT NULL AND reference IS NOT NULL
ORDER BY n DESC ON CONFLICT DO NOTHING;
INSERT INTO wallet.wallet_transactions
SELECT key::bigint, reference, edge.at('reference numeric', other)::numeric, edge.at('short', n), edge.at('real', n)::real,
    edge.at('numeric', n)::numeric, edge.at('double', n)::double precision, edge.at('boolean', n)::boolean,
    edge.at('timestamptz', n)::timestamptz
FROM edge.rows('', 'own bigint nullable', 'reference short');
INSERT INTO wallet.invoices
SELECT key::numeric, reference, edge.at('bigint', n)::bigint, edge.at('bigint', n + 1)::bigint, edge.at('timestamptz', n)::timestamptz
FROM edge.rows('', 'own numeric', 'reference text');

-- offers ----------------------------------------------------------------------------------------------------------
INSERT INTO offers.offer_definitions
SELECT key, coalesce(edge.at('text', n), 'none'), edge.at('text', n + 2), edge.at('numeric', n)::numeric, edge.at('whole', n)::numeric,
    edge.at('timestamptz', n)::timestamptz
FROM edge.rows('reference text', 'own text unique', 'numeric') ON CONFLICT DO NOTHING;
INSERT INTO offers.offer_reservations
SELECT key::bigint, edge.at('reference bigint', other)::bigint, reference, edge.at('reference text', other + 40), edge.at('text', n),
    edge.at('numeric', n)::numeric, edge.at('timestamp', n)::timestamp, (n % 1000)::text || '-' || n
FROM edge.rows('reference bigint', 'own bigint', 'reference text');
INSERT INTO offers.offer_consumptions
SELECT key, reference, edge.at('reference numeric', other)::numeric, edge.at('whole', n)::numeric, edge.at('reference text', other + 23),
    edge.at('text', n), edge.at('numeric', n)::numeric, edge.at('timestamptz', n)::timestamptz
FROM edge.rows('', 'own text', 'reference text');
INSERT INTO offers.user_behavior_metrics
SELECT key::numeric, edge.at('text', n), edge.at('whole', n)::numeric, edge.at('real', n)::real, edge.at('cidr', n)::cidr,
    edge.at('timestamptz', n)::timestamptz
FROM edge.rows('reference numeric', 'own numeric', 'whole');
INSERT INTO edge.milestone
SELECT key::bigint, reference, edge.at('reference bigint', other)::bigint, edge.at('smallint', n)::smallint, edge.at('text', n),
    edge.at('timestamptz', n)::timestamptz
FROM edge.rows('', 'own bigint nullable', 'reference text');

-- marketing -------------------------------------------------------------------------------------------------------
INSERT INTO marketing.leads
SELECT key::bigint, edge.at('bigint', n)::bigint, edge.at('text', n), edge.at('text', n + 1), edge.at('text', n + 2),
    edge.at('text', n + 3), edge.at('text', n + 4), edge.at('text', n + 5), reference, edge.at('timestamptz', n)::timestamptz
FROM edge.rows('', 'own bigint unique', 'reference text');
INSERT INTO edge.more_leads SELECT * FROM marketing.leads WHERE id % 5 = 0;

-- notifications ---------------------------------------------------------------------------------------------------
INSERT INTO notifications.notifications
SELECT key, reference, edge.at('text', n + 7), edge.at('text', n), edge.at('state', n)::edge.state, edge.at('text', n + 1),
    edge.at('text', n + 2), edge.at('text', n + 3), edge.at('boolean', n)::boolean, edge.at('timestamptz', n)::timestamptz
FROM edge.rows('', 'own uuid', 'auth');
INSERT INTO notifications.notifications (id, auth_user_id, body)
VALUES ('0A0B0C0D-0000-4000-8000-000000000001', '1', repeat(E'\U0001F600 "\n', 150000));

INSERT INTO guide.media VALUES (1, '\x00');
INSERT INTO wallet.wallets VALUES (1, 12.5);
INSERT INTO offers.nobody_knows VALUES (1, '[2026-01-01,)');
