-- The values at the edges of every rule, in lists; the rows of the dirty source take them in turn.
-- A literal may hold tokens: # the row's number, ~ as many zeros as the reference's position, _ as many blanks,
-- @ a UUID of the row's own, ^ the same in capitals.
CREATE TABLE edge.value (kind text, position bigint, literal text, PRIMARY KEY (kind, position));
CREATE FUNCTION edge.fill(kind text, literals text[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO edge.value SELECT kind, i - 1, literal FROM unnest(literals) WITH ORDINALITY AS list (literal, i) $$;
CREATE FUNCTION edge.at(wanted text, i bigint) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT literal FROM edge.value
    WHERE kind = wanted AND position = i % (SELECT count(*) FROM edge.value WHERE kind = wanted) $$;

-- Keys and references. 777777 is nobody's; the rest are the keys of nodes that others refer to.
SELECT edge.fill('reference text', array['1','2',' 3 ','004','5.0','6.000','7','007','8',E'\t8\n',E'\v9\f\r','10',
    '11','011','11.0',lpad('12', 400, '0'),'13.' || repeat('0', 400),'-5','-05.0','-0','0','-007','-0.00',
    '9223372036854775807','-9223372036854775808','009223372036854775807.0','9007199254740993','777777',' 0777777.00 ',
    null,'',' ',E'\t\n\v\f\r ','42.','.0','.','-','--4','- 4','+4','4 2','0x10','4e5','1e0','12a','a','NaN','nan',
    'Infinity','null','NULL','None','4.5','4.05','4.0.0','4,0','1_000','"4"','''4''',E'4\n5','9223372036854775808',
    '-9223372036854775809','99999999999999999999999999','9223372036854775807.5',E'\u00a04',E'4\u00a0',E'\u2003 4',
    E'\ufeff4',E'4\u200b',E'\u00854',E'\u0664\u0662',E'\uff14',E'4\uff12',E'\u0967',E'\u00b2',E'-\u0664',E'\u22124',
    E'\x01\x34', '4' || repeat(' ', 300), 'f47ac10b-58cc-4372-a567-0e02b2c3d479', '$4', '4%', '4L', '4f', 'true']);
SELECT edge.fill('reference short', array_agg(literal ORDER BY position)) FROM edge.value
    WHERE kind = 'reference text' AND (literal IS NULL OR length(literal) < 25);
SELECT edge.fill('reference numeric', array['1','2.000','3','4.0000000000','5','6','7','8.0','9','10','11','12','13','-5',
    '-5.00','0','0.000','-7','9223372036854775807','9223372036854775807.000','-9223372036854775808','9007199254740993',
    '777777','777777.0',null,'4.5','0.5','-0.1','1e-20','NaN','Infinity','-Infinity','9223372036854775808',
    '-9223372036854775809','18446744073709551616','1e30','1e400','1.00000000000000000000000000000000001']);
SELECT edge.fill('reference bigint', array['1','2','3','4','5','6','7','8','9','10','11','12','13','-5','0','-7',
    '9223372036854775807','-9223372036854775808','9007199254740993','777777',null]);
SELECT edge.fill('reference integer', array['1','2','3','4','5','6','7','8','9','10','11','12','13','-5','0','-7',
    '2147483647','-2147483648','777777',null]);
SELECT edge.fill('reference smallint', array['1','2','3','4','5','6','7','8','9','10','11','12','13','-5','0','-7',
    '32767','-32768','7777',null]);

-- Keys of the rows themselves.
SELECT edge.fill('own text', array['#','0#',' # ',E'\t#.00\n','-#','7','07',' 7 ','7.0',null,'',' ','x#','#.5','#.',
    E'\u00a0#','9999999999999#','-0','0']);
SELECT edge.fill('own text unique', array['#','0#',' # ','#.00','~7','~8.0',' ~9 ','x#','#.5','_','-~0',
    '9999999999999#']);
SELECT edge.fill('own text nullable', array['#','0#',' # ','~7','~8.0','x#','_',null,'9999999999999#']);
SELECT edge.fill('own text view', array['#','0#',' # ',E'\t#.00\n','-#',null,'',' ','x#','#.5','#.',E'\u00a0#']);
SELECT edge.fill('own numeric', array['#','#.000','7','7.0','7.00',null,'#.5','NaN','Infinity','-Infinity','1e30',
    '9999999999999#','-#.0']);
SELECT edge.fill('own numeric unique', array['#','#.00','#.5','9999999999999#','-#']);
SELECT edge.fill('own numeric nullable', array['#','#.00','#.5','9999999999999#','-#',null]);
SELECT edge.fill('own bigint', array['#','7','-#',null,'8']);
SELECT edge.fill('own bigint unique', array['#','-#']);
SELECT edge.fill('own bigint nullable', array['#','-#',null]);
SELECT edge.fill('own bigint repeated', array['#','7','-#','8']);
SELECT edge.fill('own uuid', array['@','^','f47ac10b-58cc-4372-a567-0e02b2c3d479','F47AC10B-58CC-4372-A567-0E02B2C3D479',
    'f47AC10b-58cc-4372-a567-0e02B2c3d479',null,'',' ',' @','@ ',E'@\n','{@}','urn:uuid:@','@0','-@','@-',
    'f47ac10b58cc4372a5670e02b2c3d479','f47ac10b-58cc-4372-a567-0e02b2c3d47','g47ac10b-58cc-4372-a567-0e02b2c3d479',
    'f47ac10-b58cc-4372-a567-0e02b2c3d479',
    E'\uff1647ac10b-58cc-4372-a567-0e02b2c3d479','00000000-0000-0000-0000-000000000000',
    'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF','#']);

-- auth.auth_users.id as notifications.auth_user_id writes it.
SELECT edge.fill('auth', array['1',' 2 ','"3"','''4''','005','6.0','7.000',E'\t8\r\n',E'\v9\f',' "10" ','"011"','''12.00''',
    lpad('13', 400, '0'),'0','00','0.0','"0"','9223372036854775807','9007199254740993','0009223372036854775807.0',
    '777777','"777777"',null,'',' ',E'\t\n\v\f\r ','null','NULL','Null','none','None','NONE','undefined','UNDEFINED',
    'nan','NaN','NAN','"null"','''None''','"undefined"','''nan''',' null ',E'\t"null"\n','""','''''','" "',E'''\t''',
    ' "" ','4e5','-7','-0','+42','42.','"42."','12a','" 42 "','"42 "','"null "','" null"',E'\u00a042',E'42\u00a0',
    E'\u0664\u0662',E'\uff14\uff12',E'"\u0664"','f47ac10b-58cc-4372-a567-0e02b2c3d479','9223372036854775808','-1',
    '99999999999999999999999','"42','42"','''42"','"42''','""42""','"''42''"','"','''','" "" "','.0','42.5','42.01',
    '4 2','42,0','0x2A','4_2','nul','nulll','nil','undefıned','undefİned','infinity','true',E'\u00a0','\N','(null)',
    '<null>','[42]','"nan" ','`42`',E'\u201c42\u201d',E'42\n43',E'\ufeff42','42.0.0','"42".0','42.0"','9223372036854775808.0']);

-- Values of properties.
SELECT edge.fill('boolean', array['true','false',null]);
SELECT edge.fill('numeric', array['0.00','0','-0.00','0.10','12345.67','100.00','-1.50',null,'NaN','Infinity','-Infinity',
    '9007199254740993','123456789012345678901234567890.123456789','0.00000000000000000000000001','0.1','1e308',
    '1.7976931348623157e308','1.7976931348623158e308','1.797693134862315807e308','1.797693134862315808e308',
    (power(2::numeric, 1024) - power(2::numeric, 970) - 1)::text,(power(2::numeric, 1024) - power(2::numeric, 970))::text,
    (power(2::numeric, 970) - power(2::numeric, 1024))::text,'1e309','-1e309','1e1000','1e-400','-1e-400','5e-324',
    '2e-324','3.14159265358979323846264338327950288','1e22','123456789.123456789123456789']);
SELECT edge.fill('double', array['NaN','Infinity','-Infinity','-0','0','0.1','0.30000000000000004','1e308','5e-324',
    '1.7976931348623157e308','2.2250738585072014e-308','1e21','1e22','1e23','1e-7','0.0001','0.00001','100',
    '9007199254740993','123456789.12345679','-1e-5',null,'1e15','1e16','1e17','4.35','-2.5']);
SELECT edge.fill('real', array['NaN','Infinity','-Infinity','-0','0','0.1','0.3','3.4028235e38','1e-45','16777217','1e10',
    '1234567.8','-0.7',null,'1.1754944e-38','123456.79','1e-5','100']);
SELECT edge.fill('bigint', array['9223372036854775807','-9223372036854775808','0','-1','9007199254740993',null,'42']);
SELECT edge.fill('integer', array['2147483647','-2147483648','0','-1',null,'42']);
SELECT edge.fill('smallint', array['32767','-32768','0','-1',null,'5']);
SELECT edge.fill('whole', array['42','42.000','-0.0','0','9223372036854775807','9223372036854775808','9223372036854775807.00',
    '-9223372036854775808','-9223372036854775809','1e30','1e400','0.5','-42.000001','NaN','Infinity','-Infinity',null,
    '9007199254740993','1.00000000000000000000001','9223372036854775807.5']);
SELECT edge.fill('timestamptz', array['2026-11-23 03:15:00.123456+00','2026-11-23 03:15:00+00','infinity','-infinity',null,
    '2026-11-23 00:00:00+05:30','2026-01-01 00:00:00.000001+00','2026-01-01 00:00:00.1+00','9999-12-31 23:59:59.999999+00',
    '10000-01-01 00:00:00+00','9999-12-31 23:30:00-05','10000-01-01 03:00:00+05:30','294276-12-31 23:59:59.999999+00',
    '262143-01-01 00:00:00+00','0044-03-15 12:00:00+00 BC','0001-01-01 00:00:00+00','0001-01-01 00:00:00+05:30',
    '0001-12-31 23:59:59.999999+00 BC','0001-12-31 23:30:00-05 BC','0002-01-01 00:00:00+00 BC','0005-02-29 00:00:00+00 BC',
    '4714-11-24 00:00:00+00 BC','1970-01-01 00:00:00+00','1969-12-31 23:59:59.999999+00','1883-06-01 00:00:00+00',
    '2016-12-31 23:59:60+00','2000-02-29 00:00:00+00','0999-12-31 23:59:59+00','1677-09-21 00:00:00+00',
    '2262-04-12 00:00:00+00','2038-01-19 03:14:08+00']);
SELECT edge.fill('timestamp', array_agg(CASE WHEN literal LIKE '%infinity' THEN literal
    ELSE (literal::timestamptz AT TIME ZONE 'UTC')::text END ORDER BY position)
    || array['2026-03-08 02:30:00','2026-11-01 01:30:00','9999-12-31 20:00:00','10000-01-01 02:00:00','1900-01-01 00:00:00'])
    FROM edge.value WHERE kind = 'timestamptz';
SELECT edge.fill('date', array['2026-11-23','infinity','-infinity',null,'9999-12-31','10000-01-01','5874897-12-31',
    '0044-03-15 BC','0001-01-01','0001-12-31 BC','0005-02-29 BC','4714-11-24 BC','1970-01-01','1900-02-28','2000-02-29',
    '0099-06-01','262143-12-31','1582-10-10']);
SELECT edge.fill('time', array['00:00:00','24:00:00','23:59:59.999999','12:00:00','00:00:00.000001','01:02:03.1','23:59:60',
    null,'06:30:00','09:08:07.100000']);
SELECT edge.fill('inet', array['1.2.3.4','1.2.3.4/32','10.0.0.0/8','10.1.2.3/24','0.0.0.0','0.0.0.0/0','255.255.255.255',
    '::1','fe80::1/64','::ffff:1.2.3.4','2001:db8::/32','::/0','2001:DB8:0:0:1::1/128',null,'192.168.0.1/31']);
SELECT edge.fill('cidr', array['10.0.0.0/8','1.2.3.4/32','1.2.3.4','::1/128','2001:db8::/32','0.0.0.0/0',null]);
SELECT edge.fill('json', array['{}','{"a" : 1.10, "a": [1e400, null]}','null','""','[ 12345678901234567890.00 ]',null,
    E'{"t":"\\n\\u00e9 \\" "}',E'{\n  "b":"x,y"\n}']);
SELECT edge.fill('phone', array['+91 98765-43210','9876543210',null,'','  ','12345',E'\u096f\u096e\u096d','abc','0','00-00',
    '+44 (0)20 7946 0958 ext. 12']);
SELECT edge.fill('device', array['a','',' ','A','a ','x:y',':','"','''','a"b',E'n\nl',E'c\rr',E't\tb',',','\','1:a',
    E'\U0001F4F1',E'\ufeffa',null,repeat('long', 500)]);
SELECT edge.fill('session device', array_agg(literal ORDER BY position) || array['nowhere',E'a\u00a0','b'])
    FROM edge.value WHERE kind = 'device';
SELECT edge.fill('state', enum_range(null::edge.state)::text[] || array[null]);
SELECT edge.fill('text', array['plain','',' ','  lead','trail  ',E'\t',E'\ttab\t','"','""','"""','"quoted"','say "hi", ok',
    ',','","','a,b',';','#','''',E'\n',E'\r',E'\r\n',E'one\ntwo',E'one\rtwo',E'one\r\ntwo\r\n',E'\n"\n','\','\\','end\',
    'a\"b','\"',E'back\\\nnewline','\n','\N','\.','NULL','null','true','42','=1+1','@x','-','{}',E'\ufeff',
    E'\ufeffbom first',E'\u2028',E'a\u2028b\u2029c',E'\u0085',E'\ufffe',E'\uffff',E'\U0010ffff',
    E'\U0001F469\u200D\U0001F4BB\U0001F1EE\U0001F1F3',E'e\u0301 \u00e9',E'\u0928\u092e\u0938\u094d\u0924\u0947',
    E'\u00a0nbsp\u00a0',E'\u200b',E'\u202eabc',E'\x01\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0e\x0f\x10',
    E'\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x7f',E'\u0130\u0131\u00df',E'NaN','Infinity',
    repeat('long "text", ', 400),repeat(E'line\n', 900),E'\v',E'\f','|','$1','%s','`',E'\u3000', null]);
SELECT edge.fill('short', array_agg(literal ORDER BY position)) FROM edge.value
    WHERE kind = 'text' AND (literal IS NULL OR octet_length(literal) < 12);

-- Each row's number, its own key, one reference in every combination with it, and where to take other references from.
CREATE FUNCTION edge.rows(hub text, own text, reference text)
RETURNS TABLE (n bigint, key text, reference text, other bigint) LANGUAGE sql STABLE AS $$
    WITH combined AS (
        SELECT 1 AS part, h.position AS o, r.position AS r, h.literal AS own, r.literal AS reference
        FROM edge.value AS h JOIN edge.value AS r ON r.kind = rows.reference
            AND r.position = h.position % (SELECT count(*) FROM edge.value WHERE kind = rows.reference)
        WHERE h.kind = hub AND h.literal IS NOT NULL AND h.literal NOT LIKE '%7777%'
        UNION ALL
        SELECT 2, o.position, r.position, o.literal, r.literal
        FROM edge.value AS o CROSS JOIN edge.value AS r WHERE o.kind = rows.own AND r.kind = rows.reference
    ), numbered AS (SELECT *, row_number() OVER (ORDER BY part, o, r) AS i FROM combined)
    SELECT i, CASE part WHEN 1 THEN own ELSE replace(replace(replace(replace(replace(own, '#', (100000 + i)::text),
        '~', repeat('0', r::int)), '_', repeat(' ', r::int)), '@', md5(i::text)::uuid::text),
        '^', upper(md5(i::text)::uuid::text)) END, numbered.reference, o + r
    FROM numbered $$;
