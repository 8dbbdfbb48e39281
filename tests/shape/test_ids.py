"""The rules of identifiers: the specification's examples, and equality with the obvious rules on hostile text."""

from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.model.vocabulary import IdRule
from exporter.shape import ids
from tests.support import reference_rules as obvious

LARGEST, SMALLEST = 2**63 - 1, -(2**63)
UUID = "01234567-89ab-cdef-0123-456789abcdef"


def read(rule: Callable[[pl.Expr], pl.Expr], *texts: str | None) -> list[object]:
    """What a rule makes of each text."""
    frame = pl.DataFrame({"text": pl.Series(texts, dtype=pl.String)})
    return frame.select(rule(pl.col("text")).alias("value")).to_series().to_list()


def canonical(id_rule: IdRule, *texts: str | None) -> list[object]:
    """What a column of those texts becomes."""
    return ids.canonical(pl.Series("column", texts, dtype=pl.String), id_rule).to_list()


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("42", 42),
        ("0042", 42),
        (" \t\n\x0b\x0c\r42\r\x0c\x0b\n\t ", 42),
        ("42.00", 42),
        ("-7", -7),
        ("-0", 0),
        ("-0.000", 0),
        ("0" * 100 + "7", 7),
        ("9007199254740993", 9007199254740993),
        (str(LARGEST), LARGEST),
        (str(SMALLEST), SMALLEST),
        (f"{SMALLEST}.0", SMALLEST),
        (None, None),
    ],
)
def test_integer_ids(text: str | None, number: int | None) -> None:
    """Canonical digits of 64 bits, whatever the form."""
    assert read(ids.integer, text) == [number]


@pytest.mark.parametrize(
    "text",
    ["", " ", "42.", ".0", "42.5", "+42", "--1", "- 1", "4e5", "4,0", "12a", "NaN", "Infinity", "-", "\xa042", "42\x00",
     "４２", "٤٢", "१२", '"42"', "4 2", "42\n0", str(LARGEST + 1), str(SMALLEST - 1), "9" * 40, UUID],
)  # fmt: skip
def test_malformed_integer_ids(text: str) -> None:
    """Anything else has no canonical form."""
    assert read(ids.integer, text) == [None]


@pytest.mark.parametrize("text", ["42", " 42 ", '"42"', "'42'", ' "0042" ', "42.0", "'42.000'", "0042", "\t42\r\n"])
def test_text_auth_ids(text: str) -> None:
    """All these are 42, and name somebody."""
    assert (read(ids.text_auth_id, text), read(ids.means_no_target, text)) == ([42], [False])


@pytest.mark.parametrize(
    "text",
    [None, "", " ", "\t\r\n", '""', "''", '" "', "null", "NULL", "None", "undefined", "Undefined", "NaN", '"null"',
     " 'NONE' ", "'nan'"],
)  # fmt: skip
def test_text_auth_ids_that_name_nobody(text: str | None) -> None:
    """They mean no target, and are no number."""
    assert (read(ids.text_auth_id, text), read(ids.means_no_target, text)) == ([None], [True])


@pytest.mark.parametrize(
    "text",
    ["4e5", "-7", "-0", "+42", "42.", "12a", '" 42 "', "42\xa0", "\xa0", "٤٢", UUID, str(LARGEST + 1), "\"42'", "'42",
     '"', "''42''", '" null "', "nil", "42.5", "0x2a", "n/a"],
)  # fmt: skip
def test_malformed_text_auth_ids(text: str) -> None:
    """They are neither a number nor nobody."""
    assert (read(ids.text_auth_id, text), read(ids.means_no_target, text)) == ([None], [False])


def test_the_largest_text_auth_id() -> None:
    """2^63-1 is one, also with zeros before it."""
    assert read(ids.text_auth_id, str(LARGEST), "000" + str(LARGEST)) == [LARGEST, LARGEST]


def test_uuids() -> None:
    """Lower-case canonical text; nothing else is a UUID."""
    assert read(ids.uuid, UUID, UUID.upper(), UUID.replace("-", ""), f" {UUID}", f"{{{UUID}}}", UUID + "\n", "", None) \
        == [UUID, UUID, None, None, None, None, None, None]  # fmt: skip


def test_codes() -> None:
    """Compared exactly after trimming; a blank one is none."""
    assert read(ids.code, " AB12 ", "ab12", "\tA B\n", "\xa0A", " ", "", None) \
        == ["AB12", "ab12", "A B", "\xa0A", None, None, None]  # fmt: skip


def test_phones() -> None:
    """The last ten ASCII digits, or all when there are fewer."""
    texts = ["+91 98765-43210", "9876543210", "43210", "٩٨٧٦٥٤٣٢١٠", "n/a", "", None, "00 1 98765 43210"]
    expected = ["9876543210", "9876543210", "43210", None, None, None, None, "9876543210"]
    assert read(ids.phone, *texts) == expected


def test_trimming() -> None:
    """Six characters, at both ends, and no others."""
    white = "".join(chr(point) for point in range(0x3001) if chr(point).isspace())
    assert (set(obvious.WHITE_SPACE) < set(white), read(ids.trimmed, f"{white} a b {white}")) \
        == (True, [f"{white.lstrip(obvious.WHITE_SPACE)} a b {white.rstrip(obvious.WHITE_SPACE)}"])  # fmt: skip


HOSTILE_NUMBERS = obvious.hostile_text(obvious.numbers(), obvious.nobodies())


@given(st.lists(HOSTILE_NUMBERS, max_size=30))
def test_integer_ids_are_as_the_obvious_rule_says(texts: list[str | None]) -> None:
    """Number by number, also where a column holds plain and odd ones together."""
    expected = [obvious.integer_id(text) for text in texts]
    assert (canonical(IdRule.INTEGER, *texts), read(ids.integer, *texts)) == (expected, expected)


@given(st.lists(HOSTILE_NUMBERS, max_size=30))
def test_text_auth_ids_are_as_the_obvious_rule_says(texts: list[str | None]) -> None:
    """Number, nobody or malformed, text by text."""
    expected = [obvious.text_auth_id(text) for text in texts]
    assert (canonical(IdRule.TEXT_AUTH_ID, *texts), read(ids.text_auth_id, *texts)) == (expected, expected)
    assert read(ids.means_no_target, *texts) == [obvious.names_nobody(text) for text in texts]


@given(st.lists(obvious.hostile_text(obvious.uuids()), max_size=30))
def test_uuids_are_as_the_obvious_rule_says(texts: list[str | None]) -> None:
    """Canonical or not, text by text."""
    expected = [obvious.uuid(text) for text in texts]
    assert (canonical(IdRule.UUID, *texts), read(ids.uuid, *texts)) == (expected, expected)


@given(st.lists(obvious.hostile_text(), max_size=30))
def test_codes_and_phones_are_as_the_obvious_rules_say(texts: list[str | None]) -> None:
    """Text by text."""
    assert canonical(IdRule.CODE, *texts) == [obvious.code(text) for text in texts]
    assert canonical(IdRule.PHONE, *texts) == [obvious.phone(text) for text in texts]


@pytest.mark.parametrize("id_rule", [id_rule for id_rule, rule in ids.RULES.items() if rule.plain])
def test_plain_text_is_canonical_already(id_rule: IdRule) -> None:
    """What the short cut takes, the rule takes as the same value, at the lengths and digits where it ends."""
    plain = ["1", "9", "10", "1" + "0" * 17, "9" * 18, UUID, UUID.replace("a", "f")]
    others = ["0", "01", "-1", "1" + "0" * 18, "9" * 19, " 1", "1 ", "1.0", UUID.upper(), "1\n", "", "٣"]
    rule = ids.RULES[id_rule]
    assert rule.plain
    taken = pl.Series([*plain, *others]).filter(pl.Series([*plain, *others]).str.contains(rule.plain))
    assert taken.to_list() == [text for text in plain if (text.isdigit()) == (id_rule is not IdRule.UUID)]
    by_rule = taken.to_frame("text").select(rule.canonical(pl.col("text")).alias("value")).to_series()
    assert by_rule.to_list() == taken.cast(rule.dtype).to_list()


@pytest.mark.parametrize("dtype", [pl.Int16, pl.Int32, pl.Int64])
def test_integer_columns(dtype: type[pl.DataType]) -> None:
    """They are canonical as they are, in 64 bits; where a rule is one of text, by their digits."""
    raw = pl.Series("column", [1, None, -5], dtype=dtype)
    columns = [ids.canonical(raw, id_rule) for id_rule in (IdRule.INTEGER, IdRule.CODE, IdRule.PHONE)]
    assert [(column.dtype, column.to_list()) for column in columns] == [
        (pl.Int64(), [1, None, -5]),
        (pl.String(), ["1", None, "-5"]),
        (pl.String(), ["1", None, "5"]),
    ]


@pytest.mark.parametrize("id_rule", [*ids.RULES])
def test_a_column_without_values(id_rule: IdRule) -> None:
    """Nulls and no rows at all keep the type of their kind."""
    expected = pl.Int64() if id_rule in (IdRule.INTEGER, IdRule.TEXT_AUTH_ID) else pl.String()
    for texts in ([], [None, None]):
        column = ids.canonical(pl.Series("column", texts, dtype=pl.String), id_rule)
        assert (column.dtype, column.to_list(), column.name) == (expected, texts, "column")
