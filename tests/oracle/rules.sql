-- The rules of graph-model.md, each once, on one value. Null means: no such key, or not representable.
CREATE SCHEMA oracle;

-- "raw text in the database": ISO, UTC, without the padding of char(n); inet as COPY prints it.
CREATE FUNCTION oracle.raw(value anyelement) RETURNS text LANGUAGE sql STABLE AS $$ SELECT value::text $$;
CREATE FUNCTION oracle.raw(value inet) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN value IS NOT NULL THEN format('%s', value) END $$;
CREATE FUNCTION oracle.raw(value cidr) RETURNS text LANGUAGE sql STABLE AS $$ SELECT value::text $$;

-- "parts joined by `:`", a null part being empty
CREATE FUNCTION oracle.joined(VARIADIC parts text[]) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT array_to_string(parts, ':', '') $$;

-- "exactly space, tab, line feed, vertical tab, form feed and carriage return, at both ends"
CREATE FUNCTION oracle.trimmed(value text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT btrim(value, E' \t\n\x0b\x0c\r') $$;

-- Integer IDs: "an optional -, digits and a fraction of zeros", 64 bits, canonical decimal digits.
CREATE FUNCTION oracle.digits(value text) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN value ~ '^[0-9]+(\.0+)?$' AND length(d) <= 19 THEN ('0' || d)::numeric END
    FROM (SELECT ltrim(split_part(value, '.', 1), '0')) AS significant (d) $$;
CREATE FUNCTION oracle.integer_id(value text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN number BETWEEN -9223372036854775808 AND 9223372036854775807 THEN number::bigint::text END
    FROM (SELECT CASE WHEN left(t, 1) = '-' THEN -oracle.digits(substr(t, 2)) ELSE oracle.digits(t) END
        FROM (SELECT oracle.trimmed(value)) AS trimmed (t)) AS n (number) $$;

-- UUIDs: "lower-case canonical text; upper case in a text column is the same UUID, anything else there is malformed_id"
CREATE FUNCTION oracle.uuid_id(value text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN value ~ '^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$'
        THEN translate(value, 'ABCDEF', 'abcdef') END $$;

-- Text auth IDs: what stands between the quotes, when there is one pair of them.
CREATE FUNCTION oracle.unquoted(value text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN length(t) >= 2 AND left(t, 1) IN ('"', '''') AND right(t, 1) = left(t, 1)
        THEN substr(t, 2, length(t) - 2) ELSE t END
    FROM (SELECT oracle.trimmed(value)) AS trimmed (t) $$;
CREATE FUNCTION oracle.auth_id(value text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN number <= 9223372036854775807 THEN number::text END
    FROM (SELECT oracle.digits(oracle.unquoted(value))) AS accepted (number) $$;
CREATE FUNCTION oracle.auth_id_is_nobody(value text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT value IS NULL OR oracle.trimmed(oracle.unquoted(value)) = ''
        OR translate(oracle.unquoted(value), 'ADEFILNOU', 'adefilnou') IN ('null', 'none', 'undefined', 'nan') $$;

-- Phones: "ASCII digits only; the last ten, or all of them when there are fewer"; null when there are none.
CREATE FUNCTION oracle.phone(value text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT nullif(right(regexp_replace(value, '[^0-9]', '', 'g'), 10), '') $$;

-- Referral codes: "compared exactly, after trimming"; a blank code is nobody's.
CREATE FUNCTION oracle.referral_code(value text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT nullif(oracle.trimmed(value), '') $$;

-- Values, as canonical text of their Neo4j import type.
CREATE FUNCTION oracle.long_value(value anyelement) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT oracle.integer_id(value::text) $$;
-- A double rounds up to infinity from halfway between its largest number and 2^1024.
CREATE FUNCTION oracle.double_value(value anyelement) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN value::text IN ('NaN', 'Infinity', '-Infinity') THEN value::text
        WHEN abs(value::text::numeric) < power(2::numeric, 1024) - power(2::numeric, 970) THEN value::text END $$;
CREATE FUNCTION oracle.boolean_value(value boolean) RETURNS text LANGUAGE sql STABLE AS $$ SELECT value::text $$;
CREATE FUNCTION oracle.string_value(value anyelement) RETURNS text LANGUAGE sql STABLE AS $$ SELECT oracle.raw(value) $$;
CREATE FUNCTION oracle.string_value(value inet) RETURNS text LANGUAGE sql STABLE AS $$ SELECT oracle.raw(value) $$;
CREATE FUNCTION oracle.string_value(value cidr) RETURNS text LANGUAGE sql STABLE AS $$ SELECT oracle.raw(value) $$;
-- Astronomical years: 1 BC is 0000, 44 BC is -0043; beyond 9999 there is nothing.
CREATE FUNCTION oracle.year_text(value timestamp, cycles int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN year BETWEEN 0 AND 9999 THEN lpad(year::text, 4, '0')
        WHEN year BETWEEN -9999 AND -1 THEN '-' || lpad(abs(year)::text, 4, '0') END
    FROM (SELECT CASE WHEN y < 0 THEN y + 1 ELSE y END - 400 * cycles
        FROM (SELECT CASE WHEN isfinite(value) THEN extract(year FROM value)::int END) AS given (y)) AS a (year) $$;
CREATE FUNCTION oracle.datetime_text(value timestamp, cycles int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT oracle.year_text(value, cycles) || to_char(value, '-MM-DD"T"HH24:MI:SS.US"Z"') $$;
CREATE FUNCTION oracle.datetime_value(value timestamptz) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT oracle.datetime_text(value AT TIME ZONE 'UTC', 0) $$;
-- A timestamp without zone is read in the source's zone. The calendar repeats every 400 years: the first days that a
-- timestamp can hold are judged that much later, since a zone may push them over the edge of what PostgreSQL can say.
CREATE FUNCTION oracle.datetime_value(value timestamp) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN value BETWEEN '1000-01-01 BC' AND '10000-01-03'
            THEN oracle.datetime_text(value AT TIME ZONE 'SOURCE ZONE' AT TIME ZONE 'UTC', 0)
        WHEN value < '1000-01-01 BC' AND isfinite(value)
            THEN oracle.datetime_text((value + '400 years') AT TIME ZONE 'SOURCE ZONE' AT TIME ZONE 'UTC', 1) END $$;
-- The moments by which one registration of a device is later than another.
CREATE FUNCTION oracle.moment(value timestamptz) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
    SELECT extract(epoch FROM value) $$;
CREATE FUNCTION oracle.moment(value timestamp) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
    SELECT extract(epoch FROM value) + CASE WHEN isfinite(value) THEN extract(epoch FROM near AT TIME ZONE 'SOURCE ZONE')
        - extract(epoch FROM near) ELSE 0 END
    FROM (SELECT least(greatest(value, '1000-01-01 BC'), '200000-01-01')) AS clamped (near) $$;
-- A date may lie beyond every timestamp.
CREATE FUNCTION oracle.date_value(value date) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN value BETWEEN '4714-11-24 BC' AND '9999-12-31'
        THEN oracle.year_text(value::timestamp, 0) || to_char(value, '-MM-DD') END $$;
CREATE FUNCTION oracle.localtime_value(value time) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN value < '24:00:00' THEN to_char(value, 'HH24:MI:SS.US') END $$;

-- What must be: every property of every node and relationship, every reject, every row without a target.
CREATE TABLE oracle.property (entity text, identity text, name text, type text, written text, value text, source_type text);
CREATE TABLE oracle.reject (entity text, kind text, reason text, "table" text, "column" text, key text, value text,
    "references" text);
CREATE TABLE oracle.accounting (entity text, kind text, "table" text, counted bigint, exported bigint, no_target bigint);
