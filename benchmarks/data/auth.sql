-- Users, their roles, devices, sessions, logins and one-time passwords.
INSERT INTO auth.auth_users
SELECT pg_temp.auth_id(i), pg_temp.phone(i), i % 23 <> 0, i % 97 = 0, pg_temp.moment(i, :auth_users),
       CASE WHEN i % 3 <> 0 THEN pg_temp.moment(i, :auth_users) + pg_temp.pick(i, 15, 86400) * interval '1 second' END
FROM generate_series(1, :auth_users) AS i;

INSERT INTO auth.auth_user_roles
SELECT i, pg_temp.auth_id(pg_temp.reference(i, 16, :auth_users)),
       CASE WHEN i % 80 = 0 THEN 'GUIDE' WHEN i % 999 = 0 THEN 'ADMIN' ELSE 'CUSTOMER' END, i % 50 <> 0,
       pg_temp.moment(i, :roles)
FROM generate_series(1, :roles) AS i;

INSERT INTO auth.user_devices
SELECT i, pg_temp.device_auth_id(i, :auth_users), pg_temp.device_id(i),
       pg_temp.one_of(i, 17, ARRAY['MOBILE', 'MOBILE', 'MOBILE', 'TABLET', 'WEB']),
       pg_temp.one_of(i, 18, ARRAY['ANDROID', 'ANDROID', 'ANDROID', 'IOS', 'WEB']),
       CASE WHEN i % 9 <> 0 THEN left(md5('a' || i), 22) || ':APA91b' || md5('b' || i) || '_' || md5('c' || i) || '-' || md5('d' || i) END,
       pg_temp.moment(i, :devices),
       CASE WHEN i % 4 <> 0 THEN pg_temp.moment(i, :devices) + pg_temp.pick(i, 19, 86400) * interval '1 second' END
FROM generate_series(1, :devices) AS i;

INSERT INTO auth.user_sessions
SELECT pg_temp.uuid_of(i, 'session'), pg_temp.device_auth_id(device, :auth_users),
       CASE WHEN i % 40 <> 0 THEN pg_temp.device_id(device) END,
       CASE WHEN i % 80 = 0 THEN 'GUIDE' ELSE 'CUSTOMER' END, i % 3 = 0,
       CASE WHEN i % 11 <> 0 THEN date_trunc('second', pg_temp.moment(i, :sessions)) + interval '1 hour' END,
       pg_temp.moment(i, :sessions)
FROM generate_series(1, :sessions) AS i CROSS JOIN LATERAL (SELECT pg_temp.reference(i, 20, :devices)) AS d (device);

INSERT INTO auth.login_activities
SELECT i, CASE WHEN i % 33 <> 0 THEN pg_temp.auth_id(pg_temp.reference(i, 21, :auth_users)) END,
       pg_temp.one_of(i, 22, ARRAY['LOGIN', 'LOGOUT', 'REFRESH']), i % 13 <> 0,
       CASE i % 10 WHEN 0 THEN NULL
                   WHEN 1 THEN inet '2401:4900:1c00::' + pg_temp.pick(i, 23, 4294967296)
                   ELSE inet '49.32.0.0' + pg_temp.pick(i, 23, 8388608) END,
       pg_temp.agent(i), pg_temp.moment(i, :logins)
FROM generate_series(1, :logins) AS i;

INSERT INTO auth.otp_attempts
SELECT i, CASE WHEN i % 5 <> 0 THEN pg_temp.auth_id(pg_temp.reference(i, 24, :auth_users)) END, pg_temp.phone(i),
       pg_temp.one_of(i, 25, ARRAY['LOGIN', 'LOGIN', 'REGISTER', 'CHANGE_PHONE']), i % 4 <> 0, pg_temp.pick(i, 26, 4)::integer,
       pg_temp.moment(i, :otps), pg_temp.moment(i, :otps) + interval '10 minutes'
FROM generate_series(1, :otps) AS i;
