"""Rows of any table, each cell drawn from a few that matter, and the world they refer to."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import strategies as st

from exporter.model.frame import DUPLICATE, PRIMARY_KEY, ROW
from exporter.model.frame import raw as raw_name
from exporter.model.tables import Table, Use, node, tables
from exporter.model.vocabulary import (
    ByValue,
    Constant,
    Graph,
    Group,
    IdRule,
    Node,
    Reference,
    Relationship,
    Type,
    boolean,
    double,
    integer,
    localtime,
    long,
    optional,
    required,
    string,
)
from exporter.model.vocabulary import date as date_property
from exporter.model.vocabulary import datetime as datetime_property
from exporter.shape.key_index import KeyIndex, write_duplicates, write_index, write_keys
from tests.support.reference_rows import Row, World

TABLES = {table.name: table for table in tables()}

# What the vocabulary can say and the declared graph does not: relationships with properties of every type, from a join
# table too, and links by value at either end, of rows that may share the value and that may not.
EVERY_TYPE = (
    *(long("number"), double("amount"), boolean("flag"), datetime_property("moment"), date_property("day")),
    *(localtime("hour"), string("text")),
)
BY_PHONE = (Constant("by", "phone"),)
SHARED, EXCLUSIVE = (
    ByValue("phone_number", "phone_number", IdRule.PHONE, exclusive=exclusive) for exclusive in (False, True)
)
VIA = Constant("via", "id", "phone")
OTHER_GRAPH = Graph(
    (
        Group("Guides", (node("Guide"), node("Skill")), ("other.guide_skills",)),
        Group("Wallets", (Node("GuideWallet", "other.wallets", integer("id"), (double("cash"),)),)),
    ),
    (
        Relationship("Guide", "HAS_SKILL", "Skill", "other.guide_skills",
                     required("guide_id"), optional("skill_id"), EVERY_TYPE),
        Relationship("GuideWallet", "OF", "Guide", "other.wallets",
                     required("id"), Reference(("guide_id",), by_value=EXCLUSIVE), (*EVERY_TYPE, VIA)),
        Relationship("Guide", "HAS", "GuideWallet", "other.wallets",
                     Reference(("guide_id",), optional="guide_id", by_value=SHARED), required("id"), (VIA,)),
        Relationship("GuideWallet", "CALLS", "Guide", "other.wallets",
                     required("id"), Reference(optional="phone_number", by_value=EXCLUSIVE), BY_PHONE),
    ),
)  # fmt: skip
OTHER_TABLES = {table.name: table for table in tables(OTHER_GRAPH) if table.name not in TABLES}
UUID = "01234567-89ab-cdef-0123-456789abcdef"
DUPLICATE_IDS = ("(0,7)", "(1,2)")
MOMENT, DAY = datetime(2026, 11, 23, 3, 15, 0, 250000, tzinfo=UTC), date(1947, 8, 15)

# The phone 9876543210 is one guide's and one wallet's, 43210 two guides', 11111 one guide's and two wallets', 22222 no
# guide's and two wallets'. The code A is one guide's, B two guides'.
WORLD = World(
    keys={
        **{table.node.label: {1, 2, 5} for table in TABLES.values() if table.node},
        "Device": {"1:a", "1:", "2:b:c"},
    },
    values={
        ("Guide", "referral_code"): [(1, "A"), (2, "B"), (5, "B")],
        ("Guide", "phone_number"): [(1, "9876543210"), (2, "43210"), (5, "43210"), (6, "11111")],
        ("GuideWallet", "phone_number"): [
            *((1, "9876543210"), (2, "11111"), (3, "11111"), (4, "22222"), (5, "22222"), (6, "43210"))
        ],
    },
)


def write_world(directory: Path) -> KeyIndex:
    """The world as a key index, with two duplicates in every table."""
    key_index = KeyIndex(directory)
    for label, keys in WORLD.keys.items():
        columns = node(label).key.columns
        raw = [[str(key)] if len(columns) == 1 else str(key).split(":", 1) for key in sorted(keys, key=str)]
        frame = pl.DataFrame(raw, schema=dict.fromkeys(columns, pl.String), orient="row")
        write_keys(key_index.keys_directory(label), node(label).key, [frame], low=None, high=None, bytes=len(raw))
    for (label, column), owned in WORLD.values.items():
        frame = pl.DataFrame({"id": [id for id, _ in owned], "text": [text for _, text in owned]})
        write_index(key_index.values_directory(label, column), [frame], bytes=len(owned))
    for name in (*TABLES, *OTHER_TABLES):
        write_duplicates(key_index.duplicates_file(name), pl.DataFrame({"row id": DUPLICATE_IDS}))
    return key_index


ID_NUMBERS = [None, 1, 2, 5, 3, -1, 0]
CELLS: dict[Use, list[Any]] = {
    IdRule.INTEGER: [None, "1", "2", " 5\t", "01.0", "3", "-1", "x", "", " ", "9" * 20],
    IdRule.UUID: [None, UUID, UUID.upper(), UUID[:-1], ""],
    IdRule.TEXT_AUTH_ID: [None, "1", '"2"', "3", "null", " ''", "-7", "x"],
    IdRule.CODE: [None, "A", " B ", "C", " "],
    IdRule.PHONE: [None, "+91 98765 43210", "43210", "11111", "2-2-2-2-2", "n/a", "33333"],
    Type.STRING: [None, "", "a", "b:c", "z"],
    Type.LONG: [None, "1", "2.00", "2.5", "NaN", "9" * 20],
    Type.DOUBLE: [None, "0.00", "NaN", "-Infinity", "9" * 400],
    Type.LOCALTIME: [None, "12:00:00", "24:00:00"],
    Type.BOOLEAN: [None, True, False],
    Type.DATETIME: [(None, None), (None, "infinity"), ("2026-11-23T03:15:00.250000Z", None)],
    Type.DATE: [(None, None), (None, "10000-01-01"), ("1947-08-15", None)],
}
MOMENTS: dict[Use, Any] = {Type.DATETIME: MOMENT, Type.DATE: DAY}
DTYPES: dict[Use, pl.DataType] = {
    Type.BOOLEAN: pl.Boolean(),
    Type.DATETIME: pl.Datetime("us", "UTC"),
    Type.DATE: pl.Date(),
}


@st.composite
def sources(draw: st.DrawFn, table: Table) -> tuple[list[Row], list[bool], list[str] | None, pl.DataFrame]:
    """Rows of a table, which of them are duplicates, their primary keys if it has one, and all that as a raw frame."""
    number = draw(st.integers(0, 8))
    cells: dict[str, list[Any]] = {}
    frame: dict[str, pl.Series] = {}
    for column, use in table.uses().items():
        as_integer = use in (IdRule.INTEGER, Type.LONG) and draw(st.booleans())
        options = ID_NUMBERS if as_integer else CELLS[use]
        cells[column] = draw(st.lists(st.sampled_from(options), min_size=number, max_size=number))
        plain = cells[column]
        if use in MOMENTS:
            plain = [MOMENTS[use] if text else None for text, _ in cells[column]]
            frame[raw_name(column)] = pl.Series([lost for _, lost in cells[column]], dtype=pl.String)
        frame[column] = pl.Series(plain, dtype=pl.Int64() if as_integer else DTYPES.get(use, pl.String()))
    row_ids = [draw(st.sampled_from([*DUPLICATE_IDS, "(0,1)", "(1,22)"])) for _ in range(number)]
    duplicates = [row_id in DUPLICATE_IDS for row_id in row_ids]
    match draw(st.sampled_from([ROW, DUPLICATE, ""])):
        case "":
            duplicates = [False] * number
        case name:
            frame[name] = pl.Series(
                row_ids if name == ROW else duplicates, dtype=pl.String if name == ROW else pl.Boolean
            )
    keys = [f"key {row}" for row in range(number)] if draw(st.booleans()) else None
    if keys is not None:
        frame[PRIMARY_KEY] = pl.Series(keys, dtype=pl.String)
    rows: list[Row] = [dict(zip(cells, row, strict=True)) for row in zip(*cells.values(), strict=True)]
    return rows, duplicates, keys, pl.DataFrame(frame)
