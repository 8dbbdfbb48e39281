-- What the sample is made of: choices that depend on the seed, the purpose and the row alone, and the words to choose
-- from. `sample.draw` (the hash of the three) and `sample.size` (how many of a thing) are made before, by sample.py.

-- A number from 0 to k - 1.
CREATE FUNCTION sample.below(k bigint, purpose text, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT sample.draw(purpose, n) % k $$;

CREATE FUNCTION sample.percent(p bigint, purpose text, n bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS
$$ SELECT sample.draw(purpose, n) % 100 < p $$;

-- The order in which rows are taken for anomalies: any, but always the same.
CREATE FUNCTION sample.shuffled(key text) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT sample.draw('shuffled', hashtextextended(key COLLATE "C", 0)) $$;

CREATE FUNCTION sample.one_of(words text[], purpose text, n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT words[1 + sample.draw(purpose, n) % cardinality(words)] $$;

-- A number from 1 to k, the small ones far more often: a few customers consult and pay a lot.
CREATE FUNCTION sample.skewed(k bigint, purpose text, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT 1 + k * (sample.draw(purpose, n) % 1000) * (sample.draw(purpose || ' again', n) % 1000) / 1000000 $$;

-- A moment of the seven days from 16 to 22 November 2026, Indian time.
CREATE FUNCTION sample.moment(purpose text, n bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS
$$ SELECT '2026-11-15T18:30:00Z'::timestamptz + sample.draw(purpose, n) % 604800000000 * interval '1 microsecond' $$;

-- A moment of the two years before those days.
CREATE FUNCTION sample.past(purpose text, n bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS
$$ SELECT '2024-11-15T18:30:00Z'::timestamptz + sample.draw(purpose, n) % 63072000000 * interval '1 millisecond' $$;

-- The mobile number of the n-th person: ten digits from 6 up, no two the same (the multiplier and the prime see to it).
CREATE FUNCTION sample.phone(n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT 6 + n % 4 || lpad((n * 618033989 % 999999937)::text, 9, '0') $$;

CREATE FUNCTION sample.first_name(purpose text, n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT sample.one_of(ARRAY[
    'Aarav', 'Aditi', 'Amit', 'Ananya', 'Anjali', 'Arjun', 'Bhavna', 'Chetan', 'Deepika', 'Devansh', 'Divya', 'Farhan',
    'Gaurav', 'Harpreet', 'Ishaan', 'Jyoti', 'Kabir', 'Kavya', 'Lakshmi', 'Manish', 'Meera', 'Mohammed', 'Nandini',
    'Neha', 'Nikhil', 'Pooja', 'Pranav', 'Priya', 'Rahul', 'Ravi', 'Ritu', 'Rohan', 'Sakshi', 'Sandeep', 'Shreya',
    'Simran', 'Sunita', 'Suresh', 'Tanvi', 'Uday', 'Varun', 'Vidya', 'Vikram', 'Yash', 'Zoya', 'आरव', 'प्रिया'
], purpose || ' first', n) $$;

CREATE FUNCTION sample.last_name(purpose text, n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT sample.one_of(ARRAY[
    'Agarwal', 'Ahmed', 'Banerjee', 'Bhat', 'Chatterjee', 'Chauhan', 'Choudhary', 'D''Souza', 'Das', 'Deshmukh',
    'Fernandes', 'Gill', 'Gupta', 'Iyer', 'Jain', 'Joshi', 'Kapoor', 'Kaur', 'Khan', 'Kulkarni', 'Kumar', 'Malhotra',
    'Menon', 'Mishra', 'Mukherjee', 'Nair', 'Naidu', 'Pandey', 'Patel', 'Pillai', 'Rao', 'Rathore', 'Reddy', 'Saxena',
    'Shah', 'Sharma', 'Shetty', 'Singh', 'Sinha', 'Srivastava', 'Thakur', 'Tiwari', 'Trivedi', 'Verma', 'Yadav', 'शर्मा'
], purpose || ' last', n) $$;

CREATE FUNCTION sample.person(purpose text, n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT sample.first_name(purpose, n) || ' ' || sample.last_name(purpose, n) $$;

CREATE FUNCTION sample.city(purpose text, n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT sample.one_of(ARRAY[
    'Ahmedabad', 'Amritsar', 'Bengaluru', 'Bhopal', 'Bhubaneswar', 'Chandigarh', 'Chennai', 'Coimbatore', 'Dehradun',
    'Delhi', 'Guwahati', 'Hyderabad', 'Indore', 'Jaipur', 'Jodhpur', 'Kanpur', 'Kochi', 'Kolkata', 'Lucknow', 'Ludhiana',
    'Madurai', 'Mumbai', 'Mysuru', 'Nagpur', 'Nashik', 'Patna', 'Pune', 'Raipur', 'Rajkot', 'Ranchi', 'Surat',
    'Thiruvananthapuram', 'Udaipur', 'Ujjain', 'Vadodara', 'Varanasi, UP', 'Visakhapatnam', 'वाराणसी'
], purpose, n) $$;

-- Free text as people and apps write it: with line breaks, quotes, commas, tabs, emoji, Hindi, odd white space, a
-- backslash at the end, a byte order mark, and now and then nothing at all.
CREATE FUNCTION sample.remark(purpose text, n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT sample.one_of(ARRAY[
    'Very accurate reading, thank you ji 🙏', 'Good', E'बहुत अच्छा लगा।\nधन्यवाद 🙏🏽', E'He said "wait till Thursday",\nand it happened!!',
    E'Call dropped twice :(\r\nPlease refund, order not completed', 'Ok ok', 'गुरु जी ने सही बताया', E'"', '',
    E'Career\tMarriage\tHealth\n1.\tdone\n2.\tpending', E'Saved under C:\\kundli\\', 'Best astrologer 💯👌 5/5 ⭐⭐⭐⭐⭐',
    E'Remedies:\n- Hanuman Chalisa, 11 times\n- yellow cloth, Thursday\n', '  too short  ', E'నాకు నచ్చింది ❤️',
    E'\uFEFFpasted from a document', E'first line\u2028second line', 'paisa vasool!! 😍', E'\n', 'NULL', 'her husband''s chart, "Lagna" in कन्या'
], purpose, n) $$;
