# The shorthand of files.sql and rejects.sql in PostgreSQL's dialect.
# replace(…::text) takes 0.75 of the time of to_char; Neo4j reads its +00 as Z.
s/iso\(([a-z_]+)\)/replace(\1::text, ' ', 'T')/g
s/address\(([a-z_]+)\)/\1/g
s/last_ten\(([a-z_]+)\)/right(regexp_replace(\1, '[^0-9]', '', 'g'), 10)/g
# Plain digits, nearly all of them, do not go through the slow expression; no ID here has more than 18 digits.
s/text_id\(([a-z_]+)\)/CASE WHEN \1 ~ '^[0-9]+$' AND length(\1) < 19 THEN \1::bigint ELSE substring(unquoted(\1) FROM '^0*([0-9]{1,18})(?:[.]0+)?$')::bigint END/g
s/has_target\(([a-z_]+)\)/CASE WHEN \1 ~ '^[0-9]+$' THEN true ELSE lower(unquoted(\1)) NOT IN ('', 'null', 'none', 'undefined', 'nan') END/g
s/unquoted\(([a-z_]+)\)/regexp_replace(trimmed(\1), '^(["''])(.*)\\1$', '\\2')/g
s/trimmed\(([a-z_.]+)\)/btrim(\1, E' \\t\\n\\v\\f\\r')/g
# PostgreSQL makes no join of NOT IN; the anti-join takes 0.6 of its time.
s/([a-z_.]+) NOT IN \(SELECT ([a-z_]+) FROM ([a-z_.]+)\)/(\1 IS NOT NULL AND NOT EXISTS (SELECT FROM (SELECT \2 AS known FROM \3) k WHERE known = \1))/g
