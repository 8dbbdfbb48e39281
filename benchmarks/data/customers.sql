-- Customers and the profiles they keep for themselves and their families.
INSERT INTO customers.customer
SELECT pg_temp.customer_id(i),
       CASE WHEN i % 150 = 0 THEN NULL ELSE pg_temp.auth_id(i + CASE WHEN i % 200 = 7 THEN 10 * :auth_users ELSE 0 END) END,
       pg_temp.phone(i), CASE WHEN i % 30 = 0 THEN NULL ELSE '+91' END, pg_temp.moment(i, :customers)
FROM generate_series(1, :customers) AS i;

INSERT INTO customers.customer_profile
SELECT i, pg_temp.customer_id(pg_temp.reference(i, 27, :customers)), pg_temp.full_name(i),
       CASE WHEN i % 17 <> 0 THEN date '1950-01-01' + pg_temp.pick(i, 28, 20000)::integer END,
       CASE WHEN i % 4 <> 0 THEN time '00:00' + pg_temp.pick(i, 29, 1440) * interval '1 minute'
                                 + CASE WHEN i % 6 = 0 THEN pg_temp.pick(i, 30, 60000) * interval '1 millisecond' ELSE interval '0' END END,
       pg_temp.one_of(i, 31, ARRAY['Delhi', 'Mumbai', 'Pune, Maharashtra', 'Kolkata', 'Chennai', 'Jaipur', 'वाराणसी', NULL]),
       pg_temp.one_of(i, 32, ARRAY['ARIES', 'TAURUS', 'GEMINI', 'CANCER', 'LEO', 'VIRGO', 'LIBRA', 'SCORPIO', '']),
       pg_temp.one_of(i, 33, ARRAY['FEMALE', 'MALE', 'OTHER', NULL]), pg_temp.moment(i, :profiles)
FROM generate_series(1, :profiles) AS i;
