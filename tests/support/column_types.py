"""Which types fit which use, with values as the database writes them and as they must come out of a read."""

from datetime import UTC, date, datetime
from typing import Any

from exporter.model.tables import Use
from exporter.model.vocabulary import IdRule, Type

UUID = "01234567-89ab-cdef-0123-456789abcdef"
LARGEST = 2**63 - 1
NUMERIC_400 = "9" * 400

TYPES = """
create domain t_code as varchar(20);
create domain t_deep_code as t_code;
create domain t_big as bigint;
create domain t_stamp as timestamptz;
create type t_enum as enum ('GOLD', 'Äh');
create type t_pair as (x int, y int);
"""

# Use -> type -> values as the database writes them, and as they must come out.
ACCEPTED: dict[Use, dict[str, dict[str, Any]]] = {
    IdRule.INTEGER: {
        "smallint": {"-7": -7},
        "integer": {"7": 7},
        "bigint": {"9223372036854775807": LARGEST, "9007199254740993": 9007199254740993},
        "t_big": {"-9223372036854775808": -(2**63)},
        "numeric": {"9007199254740993.00": "9007199254740993.00", "NaN": "NaN", "1e3": "1000"},
        "numeric(20,2)": {"7": "7.00"},
        "text": {" 0042 ": " 0042 ", "": ""},
        "varchar(9)": {"4e5": "4e5"},
        "t_deep_code": {"x": "x"},
        "char(6)": {" 42": " 42"},
        "name": {"42": "42"},
    },
    IdRule.UUID: {
        "uuid": {UUID.upper(): UUID},
        "text": {UUID.upper(): UUID.upper()},
        "varchar": {"x": "x"},
        "char(40)": {UUID: UUID},
    },
    IdRule.TEXT_AUTH_ID: {
        "text": {' "42" ': ' "42" '},
        "bigint": {"-42": "-42"},
        "smallint": {"42": "42"},
        "numeric": {"42.0": "42.0", "Infinity": "Infinity"},
        "char(6)": {"42": "42"},
    },
    IdRule.CODE: {
        "text": {" A ": " A "},
        "t_deep_code": {"A": "A"},
        "integer": {"7": "7"},
        "char(6)": {"A": "A"},
        "t_enum": {"Äh": "Äh"},
    },
    IdRule.PHONE: {"text": {"+91 98": "+91 98"}, "bigint": {"9876543210": "9876543210"}, "numeric": {"98.0": "98.0"}},
    Type.LONG: {
        "smallint": {"-7": -7},
        "integer": {"7": 7},
        "bigint": {"9223372036854775807": LARGEST},
        "numeric": {"7.50": "7.50", "-Infinity": "-Infinity", NUMERIC_400: NUMERIC_400},
    },
    Type.DOUBLE: {
        "smallint": {"-7": -7},
        "integer": {"7": 7},
        "bigint": {"9223372036854775807": LARGEST},
        "numeric(12,2)": {"0": "0.00", "1.005": "1.01"},
        "numeric": {"0.12345678901234567890": "0.12345678901234567890", "NaN": "NaN", "1e-5": "0.00001",
                    "-Infinity": "-Infinity", NUMERIC_400: NUMERIC_400, "-0": "0"},
        "real": {"0.1": "0.1", "16777217": "1.6777216e+07", "NaN": "NaN"},
        "double precision": {"-0": "-0", "1e308": "1e+308", "Infinity": "Infinity", "0.30000000000000004":
                             "0.30000000000000004"},
    },
    Type.BOOLEAN: {"boolean": {"t": True, "no": False}},
    Type.DATETIME: {
        "timestamptz": {"2026-11-23 03:15:00.123456+05:30": datetime(2026, 11, 22, 21, 45, 0, 123456, tzinfo=UTC)},
        "timestamp": {"2026-11-23 03:15:00.123456": datetime(2026, 11, 22, 21, 45, 0, 123456, tzinfo=UTC)},
        "t_stamp": {"1970-01-01 00:00:00+00": datetime(1970, 1, 1, tzinfo=UTC)},
        "timestamptz(0)": {"9999-12-31 23:59:59+00": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)},
    },
    Type.DATE: {"date": {"1947-08-15": date(1947, 8, 15), "0001-01-01": date(1, 1, 1)}},
    Type.LOCALTIME: {"time": {"24:00": "24:00:00", "12:00:00.5": "12:00:00.5"}, "time(0)": {"23:59:59.9": "24:00:00"}},
    Type.STRING: {
        "text": {"": "", " é\n": " é\n"},
        "varchar(3)": {"abc": "abc"},
        "char(5)": {"ab": "ab", "": ""},
        "name": {"ab": "ab"},
        "t_deep_code": {"ab": "ab"},
        "t_enum": {"GOLD": "GOLD"},
        "uuid": {UUID.upper(): UUID},
        "inet": {"10.1.2.3": "10.1.2.3", "10.0.0.0/8": "10.0.0.0/8", "10.1.2.3/32": "10.1.2.3", "2001:DB8::7":
                 "2001:db8::7", "2001:db8::/64": "2001:db8::/64"},
        "cidr": {"10.0.0.0/8": "10.0.0.0/8", "10.1.2.3": "10.1.2.3/32"},
        "macaddr": {"08:00:2b:01:02:03": "08:00:2b:01:02:03"},
        "boolean": {"t": "true"},
        "bigint": {"9223372036854775807": "9223372036854775807"},
        "numeric": {"0.10": "0.10", "NaN": "NaN"},
        "real": {"0.1": "0.1"},
        "double precision": {"1e308": "1e+308"},
        "money": {"1234.5": "$1,234.50"},
        "date": {"1947-08-15": "1947-08-15", "infinity": "infinity"},
        "time": {"24:00": "24:00:00"},
        "timetz": {"12:00+05:30": "12:00:00+05:30"},
        "timestamp": {"1947-08-15": "1947-08-15 00:00:00"},
        "timestamptz": {"1947-08-15 00:00+05:30": "1947-08-14 18:30:00+00"},
        "interval": {"1 day 2 hours": "1 day 02:00:00"},
        "json": {'{"b": 1.0,  "a":2}': '{"b": 1.0,  "a":2}'},
        "jsonb": {'{"b": 1.0,  "a":2}': '{"a": 2, "b": 1.0}'},
        "bit(3)": {"101": "101"},
        "point": {"(1,2)": "(1,2)"},
        "int4range": {"[1,5)": "[1,5)"},
        "tsvector": {"b a": "'a' 'b'"},
    },
}  # fmt: skip
REFUSED: dict[Use, list[str]] = {
    IdRule.INTEGER: [
        "double precision",
        "real",
        "money",
        "boolean",
        "uuid",
        "date",
        "json",
        "t_enum",
        "bytea",
        "text[]",
    ],
    IdRule.UUID: ["bigint", "bytea", "json", "uuid[]", "t_enum"],
    IdRule.TEXT_AUTH_ID: ["double precision", "boolean", "uuid", "json", "bytea", "t_enum"],
    IdRule.CODE: ["bytea", "text[]", "t_pair", "t_enum[]"],
    IdRule.PHONE: ["bytea", "text[]", "t_pair"],
    Type.LONG: ["double precision", "real", "text", "money", "boolean", "oid", "interval"],
    Type.DOUBLE: ["text", "money", "boolean", "interval"],
    Type.BOOLEAN: ["integer", "text", "char(1)", "bit(1)"],
    Type.DATETIME: ["date", "time", "timetz", "text", "bigint", "interval"],
    Type.DATE: ["timestamp", "timestamptz", "text", "integer"],
    Type.LOCALTIME: ["timetz", "timestamp", "interval", "text"],
    Type.STRING: ["bytea", "text[]", "uuid[]", "date[]", "t_enum[]", "t_pair", "int4range[]"],
}
ALL_TYPES = sorted(
    {*(t for types in ACCEPTED.values() for t in types), *(t for types in REFUSED.values() for t in types)}
)
