"""What the vocabulary can say and the declared graph does not; and every table as the obvious rules have it."""

from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporter.model.frame import PRIMARY_KEY
from exporter.model.frame import raw as raw_name
from exporter.model.validate import problems
from exporter.shape.key_index import KeyIndex
from exporter.shape.rows import shape
from tests.support import reference_rows
from tests.support.shaping import outcome, shaped
from tests.support.strategies import MOMENT, OTHER_GRAPH, OTHER_TABLES, TABLES, WORLD, sources


def test_a_value_that_a_relationship_loses(key_index: KeyIndex) -> None:
    """It is a reject in the relationship's file, as a node's is in the node's; the row is exported without it."""
    parts = shaped(
        "other.guide_skills",
        key_index,
        guide_id=[1, 2, 9],
        skill_id=[2, 2, 2],
        number=["1.5", "7.0", "x"],
        amount=["1.50", "9" * 400, "x"],
        flag=[True, None, True],
        moment=[MOMENT, None, None],
        day=pl.Series([None] * 3, dtype=pl.Date),
        hour=["24:00:00", "12:00:00", "24:00:00"],
        text=["a", None, "c"],
        **{raw_name("moment"): [None, None, "infinity"], raw_name("day"): ["infinity", None, None]},
        **{PRIMARY_KEY: ["k1", "k2", "k3"]},
    )
    table = "other.guide_skills"
    assert outcome(parts["Guide-HAS_SKILL-Skill"]) == (
        [":START_ID", ":END_ID", "number", "amount", "flag", "moment", "day", "hour", "text"],
        [
            (1, 2, None, "1.50", True, "2026-11-23T03:15:00.250000Z", None, None, "a"),
            (2, 2, 7, None, None, None, None, "12:00:00", None),
        ],
        [
            ("dangling_start", table, "guide_id", "k3", "9", "Guide"),
            ("unrepresentable_value", table, "number", "k1", "1.5", None),
            ("unrepresentable_value", table, "amount", "k2", "9" * 400, None),
            ("unrepresentable_value", table, "day", "k1", "infinity", None),
            ("unrepresentable_value", table, "hour", "k1", "24:00:00", None),
        ],
        0,
    )


def test_links_by_value_at_the_end(key_index: KeyIndex) -> None:
    """As at the start, with the end's reason; where rows may share the value, only its owners must be one."""
    nothing: dict[str, Any] = {
        name: pl.Series([None] * 5, dtype=pl.String) for name in ("number", "amount", "hour", "text")
    }
    parts = shaped(
        "other.wallets",
        key_index,
        id=[1, 2, 3, 4, 5],
        guide_id=["1", "9", "9", "9", None],
        phone_number=[None, "9876543210", "43210", "33333", "11111"],
        **nothing,
        cash=["1"] * 5,
        flag=[True] * 5,
        moment=[MOMENT] * 5,
        day=pl.Series([None] * 5, dtype=pl.Date),
    )
    table = "other.wallets"
    by_key_or_value = parts["GuideWallet-OF-Guide"]
    assert by_key_or_value.rows.select(":START_ID", ":END_ID", "via").rows() == [(1, 1, "id"), (2, 1, "phone")]
    assert by_key_or_value.rejects.rows() == [
        ("null_id", table, "guide_id", "5", None, "Guide"),
        ("ambiguous_link", table, "phone_number", "3", "43210", "Guide"),
        ("dangling_end", table, "guide_id", "4", "9", "Guide"),
    ]
    assert (parts["Guide-HAS-GuideWallet"].rows.rows(), parts["Guide-HAS-GuideWallet"].no_target) \
        == ([(1, 1, "id"), (1, 2, "phone")], 1)  # fmt: skip
    by_value = parts["GuideWallet-CALLS-Guide"]
    assert (by_value.rows.rows(), by_value.no_target) == ([(2, 1, "phone")], 1)
    assert by_value.rejects.rows() == [
        ("ambiguous_link", table, "phone_number", "3", "43210", "Guide"),
        ("ambiguous_link", table, "phone_number", "5", "11111", "Guide"),
        ("dangling_end", table, "phone_number", "4", "33333", "Guide"),
    ]


def test_the_other_graph_is_one_that_the_engine_keeps() -> None:
    """But for privacy, which these tests do not need."""
    assert [problem for problem in problems(OTHER_GRAPH) if "privacy" not in problem] == []


# One argument for each table, so that every table has examples of its own.
@pytest.mark.parametrize("name", TABLES | OTHER_TABLES)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_table_is_as_the_obvious_rules_say(name: str, data: st.DataObject, key_index: KeyIndex) -> None:
    """Rows in their order, rejects, and how many refer to nobody, entity by entity."""
    table = (TABLES | OTHER_TABLES)[name]
    rows, duplicates, keys, frame = data.draw(sources(table))
    expected = reference_rows.shape(table, rows, duplicates, keys, WORLD)
    parts = shape(frame, table, key_index)
    assert [(part.rows.rows(), part.no_target) for part in parts] == [(g.rows, g.no_target) for g in expected]
    assert [sorted(part.rejects.rows(), key=repr) for part in parts] == [sorted(g.rejects, key=repr) for g in expected]


def test_the_examples_above_hold_every_fate(key_index: KeyIndex) -> None:
    """Else the comparison would say less than it seems to: each fate occurs in the tables that know it."""
    reasons: set[str] = set()

    @settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    def collect(data: st.DataObject) -> None:
        table = TABLES[data.draw(st.sampled_from(["guide.guide_profile", "guide.guide_skills", "auth.user_sessions"]))]
        for part in shape(data.draw(sources(table))[3], table, key_index):
            reasons.update(part.rejects["reason"])

    collect()
    assert reasons == {
        *("null_id", "malformed_id", "duplicate_id", "ambiguous_link", "dangling_start", "dangling_end"),
        *("duplicate_relationship", "unrepresentable_value"),
    }
