-- Who there is: auth users, customers, guides; how they log in; what guides can do. The n-th customer is the n-th auth
-- user, the n-th guide comes after the customers, and a few auth users are neither.

INSERT INTO auth.auth_users
SELECT 1000 + n, CASE WHEN NOT sample.percent(1, 'no phone', n) THEN '+91' || sample.phone(n) END,
       sample.percent(97, 'active', n), sample.percent(1, 'test user', n), sample.past('auth user', n),
       CASE WHEN sample.percent(60, 'updated', n) THEN sample.moment('auth user updated', n) END
FROM generate_series(1, sample.size('customers') + sample.size('guides') + sample.size('staff')) n;

INSERT INTO auth.auth_user_roles
SELECT n, 1000 + n,
       CASE WHEN n <= sample.size('customers') THEN 'CUSTOMER'
            WHEN n <= sample.size('customers') + sample.size('guides') THEN 'GUIDE' ELSE 'ADMIN' END,
       sample.percent(98, 'role', n), sample.past('auth user', n)
FROM generate_series(1, sample.size('customers') + sample.size('guides') + sample.size('staff')) n
WHERE NOT sample.percent(8, 'without role', n);

INSERT INTO customers.customer
SELECT 20000 + n, CASE WHEN NOT sample.percent(1, 'no auth', n) THEN 1000 + n END, sample.phone(n), '+91',
       sample.past('auth user', n) + interval '90 seconds'
FROM generate_series(1, sample.size('customers')) n;

-- The first profile is the customer's own, further ones are the family's.
INSERT INTO customers.customer_profile
SELECT 50000 + n, 20001 + (n - 1) % sample.size('customers'),
       sample.first_name('profile', n) || ' ' || sample.last_name('family', (n - 1) % sample.size('customers')),
       CASE WHEN NOT sample.percent(6, 'no dob', n) THEN date '1955-01-01' + sample.below(20000, 'dob', n)::int END,
       CASE WHEN NOT sample.percent(15, 'no tob', n) THEN time '00:00' + sample.below(86400, 'tob', n) * interval '1 s' END,
       CASE WHEN NOT sample.percent(9, 'no city', n) THEN sample.city('birth city', n) END,
       CASE WHEN NOT sample.percent(20, 'no sign', n) THEN sample.one_of(ARRAY['Aries', 'Taurus', 'Gemini', 'Cancer',
           'Leo', 'Virgo', 'Libra', 'Scorpio', 'Sagittarius', 'Capricorn', 'Aquarius', 'Pisces'], 'sign', n) END,
       sample.one_of(ARRAY['FEMALE', 'MALE', 'MALE', 'FEMALE', 'OTHER', NULL], 'gender', n),
       sample.past('auth user', 1 + (n - 1) % sample.size('customers')) + n * interval '1 second'
FROM generate_series(1, sample.size('profiles')) n;

-- Some devices are shared with the user before.
INSERT INTO auth.user_devices
SELECT n, 1001 + (n - 1) % (sample.size('customers') + sample.size('guides')),
       md5('device ' || sample.draw('device', n - sample.percent(3, 'shared', n)::int)), kind, sample.one_of(platforms, 'platform', n),
       CASE WHEN kind <> 'WEB' THEN 'f' || md5('token ' || n) || ':APA91b' || md5('token too ' || n) END,
       sample.past('device', n), CASE WHEN sample.percent(70, 'device updated', n) THEN sample.moment('device', n) END
FROM generate_series(1, sample.size('devices')) n,
     LATERAL (SELECT sample.one_of(ARRAY['MOBILE', 'MOBILE', 'MOBILE', 'MOBILE', 'TABLET', 'WEB'], 'kind', n)) k(kind),
     LATERAL (SELECT CASE kind WHEN 'WEB' THEN ARRAY['WEB'] ELSE ARRAY['ANDROID', 'ANDROID', 'IOS'] END) p(platforms);

INSERT INTO auth.user_sessions
SELECT md5('session ' || sample.draw('session', n))::uuid, d.auth_user_id,
       CASE WHEN NOT sample.percent(5, 'no device', n) THEN d.device_id END,
       CASE WHEN d.auth_user_id <= 1000 + sample.size('customers') THEN 'CUSTOMER' ELSE 'GUIDE' END,
       sample.percent(45, 'session active', n), sample.moment('session', n) + interval '1 hour', sample.moment('session', n)
FROM generate_series(1, sample.size('sessions')) n
JOIN auth.user_devices d ON d.id = 1 + (n - 1) % sample.size('devices')
ORDER BY n;

INSERT INTO auth.login_activities
SELECT n, CASE WHEN NOT sample.percent(3, 'login of nobody', n)
               THEN 1001 + sample.below(sample.size('customers') + sample.size('guides'), 'login of', n) END,
       sample.one_of(ARRAY['LOGIN', 'LOGIN', 'LOGOUT', 'REFRESH', 'REFRESH'], 'action', n), sample.percent(94, 'success', n),
       CASE sample.below(20, 'address', n)
           WHEN 0 THEN NULL
           WHEN 1 THEN '10.20.0.0/16'::inet
           WHEN 2 THEN ('2401:4900:' || to_hex(sample.below(65536, 'v6 high', n)) || '::' || to_hex(n % 65536))::inet
           WHEN 3 THEN ('::ffff:49.36.' || n % 256 || '.' || sample.below(256, 'mapped', n))::inet
           WHEN 4 THEN ('2405:201:' || to_hex(sample.below(65536, 'v6 net', n)) || '::/48')::inet
           ELSE inet '49.32.0.1' + sample.below(400000, 'v4', n) END,
       CASE WHEN NOT sample.percent(4, 'no agent', n) THEN sample.one_of(ARRAY[
           'AstroKiran/4.12.0 (Android 14; SM-A546E)', 'AstroKiran/4.11.3 (iOS 18.1; iPhone15,2)', 'okhttp/4.12.0',
           'Mozilla/5.0 (Linux; Android 13; "Redmi Note 12") AppleWebKit/537.36 (KHTML, like Gecko)'], 'agent', n) END,
       sample.moment('login', n)
FROM generate_series(1, sample.size('logins')) n;

INSERT INTO auth.otp_attempts
SELECT n, CASE WHEN sample.percent(80, 'otp of somebody', n) THEN 1000 + person END, '+91' || sample.phone(person),
       sample.one_of(ARRAY['LOGIN', 'LOGIN', 'LOGIN', 'BANK_CHANGE', 'PHONE_CHANGE'], 'purpose', n),
       sample.percent(86, 'otp used', n), 1 + sample.below(3, 'otp attempts', n)::int, sample.moment('otp', n),
       sample.moment('otp', n) + interval '5 minutes'
FROM generate_series(1, sample.size('otps')) n,
     LATERAL (SELECT 1 + sample.below(sample.size('customers') + sample.size('guides'), 'otp', n)) p(person);

-- Guides are referred by earlier ones, so that the references make chains; the first one was referred by nobody.
INSERT INTO guide.guide_profile
SELECT n, 1000 + sample.size('customers') + n,
       sample.one_of(ARRAY['Acharya ', 'Pandit ', 'Tarot ', 'Dr. ', ''], 'title', n) || sample.person('guide', n),
       sample.one_of(ARRAY['+91 ', '0', '', '+91-'], 'guide phone', n) || sample.phone(sample.size('customers') + n),
       sample.one_of(ARRAY['ONLINE', 'OFFLINE', 'OFFLINE', 'BUSY'], 'availability', n), true,
       sample.percent(80, 'voice', n), sample.percent(40, 'video', n), sample.below(1000000, 'ranking', n) / 10000.0,
       sample.one_of(ARRAY['GOLD', 'SILVER', 'SILVER', 'BRONZE', NULL], 'tier', n), 'AK' || lpad(n::text, 5, '0'),
       CASE WHEN n > 1 AND sample.percent(60, 'referred', n) THEN 'AK' || lpad((n / 2)::text, 5, '0') END,
       sample.past('guide', n)
FROM generate_series(1, sample.size('guides')) n;

INSERT INTO guide.guide_skills
SELECT guide, 1 + (guide * 3 + (n - 1) / sample.size('guides') * 4) % 10
FROM generate_series(1, sample.size('guide skills')) n, LATERAL (SELECT 1 + (n - 1) % sample.size('guides')) g(guide);

INSERT INTO guide.guide_languages
SELECT guide, 1 + (guide + (n - 1) / sample.size('guides') * 2) % 5
FROM generate_series(1, sample.size('guide languages')) n, LATERAL (SELECT 1 + (n - 1) % sample.size('guides')) g(guide);

INSERT INTO guide.bank_account
SELECT n, n, upper(full_name), lpad(sample.below(1000000000000, 'account', n)::text, 12, '0'), bank,
       (CASE bank WHEN 'State Bank of India' THEN 'SBIN' WHEN 'HDFC Bank' THEN 'HDFC' WHEN 'ICICI Bank' THEN 'ICIC'
                  ELSE 'PUNB' END) || '0' || lpad(sample.below(1000000, 'ifsc', n)::text, 6, '0')
FROM (SELECT id AS n, full_name, sample.one_of(ARRAY['State Bank of India', 'HDFC Bank', 'ICICI Bank',
      'Punjab National Bank'], 'bank', id) AS bank FROM guide.guide_profile WHERE id < sample.size('guides')) g
ORDER BY n;

INSERT INTO guide.verification
SELECT (id - 1) * 5 + place, id, target, CASE WHEN verified THEN 'VERIFIED' ELSE 'PENDING' END,
       CASE WHEN verified THEN created_at + place * interval '1 day' END
FROM guide.guide_profile,
     unnest(ARRAY['PHONE', 'EMAIL', 'BANK_ACCOUNT', 'IDENTITY', 'PROFILE']) WITH ORDINALITY t(target, place),
     LATERAL (SELECT sample.percent(85, 'verified', id * 5 + place)) v(verified)
WHERE id < sample.size('guides')
ORDER BY id, place;

INSERT INTO guide.saved_messages
SELECT n, 1 + sample.below(sample.size('guides'), 'saved by', n),
       sample.one_of(ARRAY['Welcome', 'Remedy for Shani', 'धन्यवाद', 'Closing 🙏', NULL], 'saved title', n),
       CASE WHEN NOT sample.percent(5, 'no content', n) THEN sample.remark('saved', n) || E'\n\nजय श्री कृष्ण 🌼' END,
       sample.past('saved', n)
FROM generate_series(1, sample.size('saved messages')) n;
