-- How many rows each table gets, and the deterministic choices the tables are made of. Wants :scale, in million rows,
-- and :shape. The proportions are those of the data summary in domain-model.md, but nine rows in ten are notifications in
-- a skewed source; the reference tables do not grow.
\set ON_ERROR_STOP on
SET session_replication_role = replica;  -- production rows dangle under validated foreign keys; so do these
SET synchronous_commit = off;
SET TimeZone = 'UTC';

SELECT :scale * 1000000 / 58469.0 AS unit \gset
SELECT greatest(1, CASE :'shape' WHEN 'skewed' THEN :scale * 900000 ELSE round(15559 * :unit) END)::bigint AS notifications,
       CASE :'shape' WHEN 'skewed' THEN :scale * 100000 / 42910.0 ELSE :unit END AS unit \gset
SELECT greatest(1, round(3246 * :unit))::bigint AS auth_users,
       greatest(1, round(3000 * :unit))::bigint AS roles,
       greatest(1, round(3274 * :unit))::bigint AS sessions,
       greatest(1, round(3039 * :unit))::bigint AS devices,
       greatest(1, round(7036 * :unit))::bigint AS logins,
       greatest(1, round(3762 * :unit))::bigint AS otps,
       greatest(1, round(2989 * :unit))::bigint AS customers,
       greatest(1, round(3442 * :unit))::bigint AS profiles,
       greatest(2, round(35 * :unit))::bigint AS guides,
       greatest(1, round(71 * :unit))::bigint AS guide_skills,
       greatest(1, round(63 * :unit))::bigint AS guide_languages,
       greatest(1, round(34 * :unit))::bigint AS guide_wallets,
       greatest(1, round(170 * :unit))::bigint AS verifications,
       greatest(1, round(105 * :unit))::bigint AS saved_messages \gset
SELECT greatest(1, round(864 * :unit))::bigint AS consultations,
       greatest(1, round(131 * :unit))::bigint AS feedbacks,
       greatest(1, round(749 * :unit))::bigint AS agora_sessions,
       greatest(1, round(514 * :unit))::bigint AS metrics,
       greatest(1, round(1393 * :unit))::bigint AS payments,
       greatest(1, round(749 * :unit))::bigint AS orders,
       greatest(1, round(1509 * :unit))::bigint AS transactions,
       greatest(1, round(668 * :unit))::bigint AS invoices,
       greatest(1, round(689 * :unit))::bigint AS reservations,
       greatest(1, round(1081 * :unit))::bigint AS consumptions,
       greatest(1, round(439 * :unit))::bigint AS behaviors,
       greatest(1, round(629 * :unit))::bigint AS milestones,
       greatest(1, round(42 * :unit))::bigint AS leads \gset

-- A number from 0 to n - 1 that looks random, the same in every run.
CREATE FUNCTION pg_temp.pick(i bigint, salt bigint, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
    RETURN (hashint8extended(i, salt) & 9223372036854775807) % n;
CREATE FUNCTION pg_temp.one_of(i bigint, salt bigint, choices text[]) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN choices[1 + pg_temp.pick(i, salt, cardinality(choices))];
-- The number of an existing row of n; once in 200 times, of one that does not exist.
CREATE FUNCTION pg_temp.reference(i bigint, salt bigint, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
    RETURN 1 + pg_temp.pick(i, salt, n) + CASE WHEN pg_temp.pick(i, salt + 1000, 200) = 0 THEN n ELSE 0 END;
-- The i-th of n moments of one week, to the microsecond.
CREATE FUNCTION pg_temp.moment(i bigint, n bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE
    RETURN timestamptz '2026-11-16 00:00+00'
           + (604800000000 / n * i + pg_temp.pick(i, 7, 604800000000 / n + 1)) * interval '1 microsecond';
CREATE FUNCTION pg_temp.money(i bigint, salt bigint, cents bigint) RETURNS numeric LANGUAGE sql IMMUTABLE
    RETURN (pg_temp.pick(i, salt, cents)::numeric / 100)::numeric(14, 2);
CREATE FUNCTION pg_temp.uuid_of(i bigint, salt text) RETURNS uuid LANGUAGE sql IMMUTABLE
    RETURN md5(salt || i)::uuid;

-- The keys. Serial keys have holes; payments have time-like, sparse ones.
CREATE FUNCTION pg_temp.auth_id(i bigint) RETURNS bigint LANGUAGE sql IMMUTABLE RETURN 1000 + i + i / 19;
CREATE FUNCTION pg_temp.customer_id(i bigint) RETURNS bigint LANGUAGE sql IMMUTABLE RETURN 100000 + i + i / 7;
CREATE FUNCTION pg_temp.guide_id(i bigint) RETURNS bigint LANGUAGE sql IMMUTABLE RETURN i + i / 9;
CREATE FUNCTION pg_temp.payment_id(i bigint) RETURNS bigint LANGUAGE sql IMMUTABLE RETURN 1763251200000 + i * 419;
-- One wallet in 20 goes by a number of its own and is linked to its guide by phone alone.
CREATE FUNCTION pg_temp.wallet_guide_id(i bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN i % 20 = 0 THEN 50000000 + i ELSE pg_temp.guide_id(i) END;
-- One device in 100 is registered again: it repeats the pair of the one before.
CREATE FUNCTION pg_temp.device_row(i bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN i % 100 = 0 THEN i - 1 ELSE i END;
CREATE FUNCTION pg_temp.device_auth_id(i bigint, users bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
    RETURN pg_temp.auth_id(pg_temp.reference(pg_temp.device_row(i), 41, users));
CREATE FUNCTION pg_temp.device_id(i bigint) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN left(md5('device' || pg_temp.device_row(i)), 16);

CREATE FUNCTION pg_temp.phone(i bigint) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN CASE i % 10 WHEN 0 THEN '0' WHEN 1 THEN '' ELSE '+91' END || (6000000000 + pg_temp.pick(i, 11, 4000000000));
CREATE FUNCTION pg_temp.first_name(i bigint) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN pg_temp.one_of(i, 12, ARRAY['Aarav', 'Ananya', 'Arjun', 'Diya', 'Ishaan', 'Kavya', 'Lakshmi', 'Meera', 'Neha',
                                       'Pooja', 'Priya', 'Rahul', 'Riya', 'Rohan', 'Sanjay', 'Sunita', 'Vikram', 'आरती']);
CREATE FUNCTION pg_temp.full_name(i bigint) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN pg_temp.first_name(i) || ' ' || pg_temp.one_of(i, 13, ARRAY['Agarwal', 'Bose', 'Chatterjee', 'Das', 'Gupta',
           'Iyer', 'Joshi', 'Khan', 'Kumar', 'Mehta', 'Nair', 'Patel', 'Rao', 'Reddy', 'Sharma', 'Singh', 'Verma', 'D''Souza']);
CREATE FUNCTION pg_temp.agent(i bigint) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN pg_temp.one_of(i, 14, ARRAY[
        'AstroKiran/4.12.1 (Android 14; Redmi Note 12; en_IN) okhttp/4.12.0',
        'AstroKiran/4.11.0 (iPhone14,5; iOS 17.4.1; Scale/3.00) CFNetwork/1494.0.7',
        'Mozilla/5.0 (Linux; Android 13; SM-A145F) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/123.0.0.0 Mobile Safari/537.36']);
