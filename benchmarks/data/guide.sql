-- Guides and what belongs to them. One referral code in 50 has two owners; a few referrers are unknown.
INSERT INTO guide.skills
SELECT i, (ARRAY['Vedic', 'Tarot', 'Numerology', 'Vastu', 'Palmistry', 'KP', 'Nadi', 'Lal Kitab', 'Prashna', 'Reiki'])[i],
       'Readings of kind ' || i || ', by appointment' FROM generate_series(1, 10) AS i;
INSERT INTO guide.languages
SELECT i, (ARRAY['English', 'हिन्दी', 'বাংলা', 'தமிழ்', 'తెలుగు'])[i] FROM generate_series(1, 5) AS i;

INSERT INTO guide.guide_profile
SELECT pg_temp.guide_id(i), CASE WHEN i % 40 <> 0 THEN pg_temp.auth_id(:customers + i) END, pg_temp.full_name(i),
       pg_temp.phone(1000000000 + i), pg_temp.one_of(i, 34, ARRAY['ONLINE', 'OFFLINE', 'BUSY']), true, i % 3 <> 0, i % 5 = 0,
       (pg_temp.pick(i, 35, 1000000)::numeric / 10000)::numeric(8, 4), pg_temp.one_of(i, 36, ARRAY['GOLD', 'SILVER', 'PLATINUM', NULL]),
       'AK' || pg_temp.guide_id(CASE WHEN i % 50 = 0 THEN i - 1 ELSE i END),
       CASE i % 4 WHEN 0 THEN ' AK' || pg_temp.guide_id(pg_temp.reference(i, 37, :guides)) || ' '
                  WHEN 1 THEN 'AK' || pg_temp.guide_id(pg_temp.reference(i, 37, :guides))
                  WHEN 2 THEN '' END,
       pg_temp.moment(i, :guides)
FROM generate_series(1, :guides) AS i;

INSERT INTO guide.guide_skills
SELECT pg_temp.guide_id(pg_temp.reference(i, 38, :guides)), 1 + pg_temp.pick(i, 39, 10) FROM generate_series(1, :guide_skills) AS i;
INSERT INTO guide.guide_languages
SELECT pg_temp.guide_id(pg_temp.reference(i, 40, :guides)), 1 + pg_temp.pick(i, 42, 5) FROM generate_series(1, :guide_languages) AS i;

INSERT INTO guide.bank_account
SELECT i, pg_temp.guide_id(pg_temp.reference(i, 43, :guides)), pg_temp.full_name(i), lpad(pg_temp.pick(i, 44, 100000000000)::text, 12, '0'),
       pg_temp.one_of(i, 45, ARRAY['State Bank of India', 'HDFC Bank', 'ICICI Bank', 'Axis Bank']),
       'HDFC0' || lpad(pg_temp.pick(i, 46, 1000000)::text, 6, '0')
FROM generate_series(1, :guide_wallets) AS i;

INSERT INTO guide.verification
SELECT i, pg_temp.guide_id(pg_temp.reference(i, 47, :guides)),
       pg_temp.one_of(i, 48, ARRAY['PHONE', 'EMAIL', 'BANK_ACCOUNT', 'IDENTITY', 'PROFILE']),
       CASE WHEN i % 6 = 0 THEN 'PENDING' ELSE 'VERIFIED' END, CASE WHEN i % 6 <> 0 THEN pg_temp.moment(i, :verifications) END
FROM generate_series(1, :verifications) AS i;

INSERT INTO guide.saved_messages
SELECT i, pg_temp.guide_id(pg_temp.reference(i, 49, :guides)), pg_temp.one_of(i, 50, ARRAY['Welcome', 'Remedy', 'Follow-up', '']),
       'Namaste ' || pg_temp.first_name(i) || ',' || E'\n\nplease keep the "Saturn" remedy for ' || pg_temp.pick(i, 51, 40) || E' days.\r\n🙏',
       pg_temp.moment(i, :saved_messages)
FROM generate_series(1, :saved_messages) AS i;
