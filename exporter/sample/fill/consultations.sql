-- Who consulted whom, and what is known of it. The first consultations were paid for: the n-th with the n-th order. The
-- last guide is new: nobody consulted that one yet, and there is no wallet.

INSERT INTO consultation.consultation
SELECT 700000 + n, 20000 + sample.skewed(sample.size('customers'), 'consults', n),
       sample.skewed(sample.size('guides') - 1, 'consulted', n),
       CASE WHEN n <= sample.size('orders') THEN 400000 + n END,
       mode, CASE WHEN n > sample.size('orders')
                  THEN sample.one_of(ARRAY['CANCELLED', 'REJECTED', 'NO_ANSWER', 'REQUESTED'], 'unpaid', n)
                  WHEN sample.percent(88, 'completed', n) THEN 'COMPLETED' ELSE 'FAILED' END,
       CASE WHEN n <= sample.size('orders') THEN 60 + sample.below(2400, 'duration', n) END,
       CASE mode WHEN 'CHAT' THEN 15 WHEN 'VOICE' THEN 20 ELSE 30 END + sample.below(6, 'rate', n) * 2.5,
       sample.percent(15, 'quick connect', n), sample.percent(12, 'promotional', n), sample.moment('consultation', n)
FROM generate_series(1, sample.size('consultations')) n,
     LATERAL (SELECT sample.one_of(ARRAY['CHAT', 'CHAT', 'CHAT', 'VOICE', 'VOICE', 'VIDEO'], 'mode', n)) m(mode);

INSERT INTO consultation.agora_consultation_session
SELECT n, id, 'consultation-' || md5('channel ' || n), duration - sample.below(20, 'connect', n)::int,
       sample.one_of(ARRAY['ENDED', 'ENDED', 'ENDED', 'DROPPED', NULL], 'agora', n), created_at + interval '4.25 seconds'
FROM (SELECT *, id - 700000 AS n FROM consultation.consultation) c
WHERE n <= sample.size('agora sessions')
ORDER BY n;

INSERT INTO consultation.feedback
SELECT n, 700001 + n * 3 % sample.size('consultations'), CASE WHEN NOT sample.percent(3, 'no rating', n) THEN
       (ARRAY[5, 5, 5, 4, 4, 3, 2, 1])[1 + sample.below(8, 'rating', n)] END,
       CASE WHEN NOT sample.percent(20, 'no feedback', n) THEN sample.remark('feedback', n) END,
       sample.one_of(ARRAY['PUBLISHED', 'PUBLISHED', 'PENDING', 'HIDDEN', NULL], 'feedback', n),
       sample.moment('feedback', n)
FROM generate_series(1, sample.size('feedback')) n;

INSERT INTO consultation.consultation_quality_metrics
SELECT n, id, duration < 180, chatted, sample.below(40, 'guide messages', n)::int,
       CASE WHEN chatted > 0 THEN sample.below(1000000, 'response', n) / 7919.0::float8 END, created_at + interval '1 hour'
FROM (SELECT *, id - 700000 AS n FROM consultation.consultation) c,
     LATERAL (SELECT CASE WHEN mode = 'CHAT' THEN sample.below(60, 'messages', n)::int END) m(chatted)
WHERE n <= sample.size('metrics')
ORDER BY n;
