-- Leads, some of them converted.
INSERT INTO marketing.leads
SELECT i, pg_temp.phone(2000000000 + i), pg_temp.full_name(i), pg_temp.one_of(i, 113, ARRAY['facebook', 'google', 'instagram', 'referral']),
       pg_temp.one_of(i, 114, ARRAY['fb', 'gads', 'ig', NULL]), pg_temp.one_of(i, 115, ARRAY['cpc', 'social', '']),
       'diwali-2026-' || pg_temp.pick(i, 116, 20), CASE WHEN i % 4 = 0 THEN 'CONVERTED' ELSE 'NEW' END,
       CASE WHEN i % 4 = 0 THEN pg_temp.customer_id(pg_temp.reference(i, 117, :customers)) END, pg_temp.moment(i, :leads)
FROM generate_series(1, :leads) AS i;
