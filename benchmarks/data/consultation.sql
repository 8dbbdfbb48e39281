-- Consultations and what came of them. Each order is used by at most one consultation.
INSERT INTO consultation.consultation
SELECT i, pg_temp.customer_id(pg_temp.reference(i, 52, :customers)), pg_temp.guide_id(pg_temp.reference(i, 53, :guides)),
       CASE WHEN i <= :orders THEN i WHEN i % 9 = 0 THEN 10 * :consultations + i END,
       pg_temp.one_of(i, 54, ARRAY['CHAT', 'CHAT', 'VOICE', 'VIDEO']),
       pg_temp.one_of(i, 55, ARRAY['COMPLETED', 'COMPLETED', 'COMPLETED', 'CANCELLED', 'MISSED']),
       CASE WHEN i % 8 <> 0 THEN pg_temp.pick(i, 56, 3600)::integer END, pg_temp.money(i, 57, 10000), i % 7 = 0, i % 10 = 0,
       pg_temp.moment(i, :consultations)
FROM generate_series(1, :consultations) AS i;

INSERT INTO consultation.agora_consultation_session
SELECT i, pg_temp.reference(i, 58, :consultations), 'consultation-' || pg_temp.pick(i, 59, 1000000000),
       pg_temp.pick(i, 60, 3600)::integer, pg_temp.one_of(i, 61, ARRAY['ENDED', 'ENDED', 'FAILED']), pg_temp.moment(i, :agora_sessions)
FROM generate_series(1, :agora_sessions) AS i;

INSERT INTO consultation.feedback
SELECT i, pg_temp.reference(i, 62, :consultations), CASE WHEN i % 9 <> 0 THEN 1 + pg_temp.pick(i, 63, 5) END,
       pg_temp.one_of(i, 64, ARRAY['Very "accurate", thank you!', 'बहुत अच्छा 🙏', 'Too short', E'Good.\nWill call again.', '', NULL]),
       pg_temp.one_of(i, 65, ARRAY['PUBLISHED', 'HIDDEN']), pg_temp.moment(i, :feedbacks)
FROM generate_series(1, :feedbacks) AS i;

INSERT INTO consultation.consultation_quality_metrics
SELECT i, pg_temp.reference(i, 66, :consultations), i % 12 = 0, pg_temp.pick(i, 67, 80)::integer, pg_temp.pick(i, 68, 90)::integer,
       CASE WHEN i % 14 <> 0 THEN pg_temp.pick(i, 69, 1000000)::double precision / 7919 END, pg_temp.moment(i, :metrics)
FROM generate_series(1, :metrics) AS i;
