"""One row, one fate: the first condition that applies decides, and its reject says what was looked for."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from exporter.shape.rejects import REJECTS, Condition, Decision, Reason, decide, joined_text

RAW = pl.DataFrame({"id": [1, 2, None, 4], "name": ["a", None, "c", ""], "key": ["k1", "k2", "k3", "k4"]})


def where(*rows: int, unknown: tuple[int, ...] = ()) -> pl.Series:
    """A condition that holds at some of four rows, and is unknown at others."""
    return pl.Series([None if row in unknown else row in rows for row in range(4)], dtype=pl.Boolean)


def kept(decision: Decision) -> list[str]:
    return decision.keep(RAW)["key"].to_list()


def test_without_conditions_all_are_exported() -> None:
    """A condition that applies nowhere is none, whether it knows it beforehand or not."""
    conditions = [
        Condition(Reason.NULL_ID, None, ("id",)),
        Condition(Reason.MALFORMED_ID, where(), ("id",)),
        Condition(None, where(unknown=(0, 1, 2, 3)), ("id",)),
    ]
    for decision in (decide([]), decide(conditions)):
        assert kept(decision) == ["k1", "k2", "k3", "k4"]
        assert (decision.no_target(), decision.rejects(RAW, "t", pl.col("key")).rows()) == (0, [])
        assert decision.rejects(RAW, "t", pl.col("key")).schema == REJECTS


def test_the_first_condition_decides() -> None:
    """Each row is exported, or has no target, or is one reject line with the raw text of its columns."""
    decision = decide(
        [
            Condition(None, where(1, unknown=(0,)), ("name",)),
            Condition(Reason.NULL_ID, where(1, 2), ("id",), "Skill"),
            Condition(Reason.MALFORMED_ID, None, ("id",)),
            Condition(Reason.DUPLICATE_ID, where(1, 2, 3), ("id", "name")),
        ]
    )
    assert (kept(decision), decision.no_target()) == (["k1"], 1)
    assert decision.rejects(RAW, "guide.skills", pl.col("key")).rows(named=True) == [
        {
            "reason": "null_id",
            "table": "guide.skills",
            "column": "id",
            "key": "k3",
            "value": None,
            "references": "Skill",
        },
        {
            "reason": "duplicate_id",
            "table": "guide.skills",
            "column": "id:name",
            "key": "k4",
            "value": "4:",
            "references": None,
        },
    ]


def test_joined_text() -> None:
    """One column as it is, null included; of several each as text, nothing for a null."""
    texts = RAW.select(one=joined_text(["name"]), number=joined_text(["id"]), both=joined_text(["id", "name"]))
    assert texts.to_dict(as_series=False) == {
        "one": ["a", None, "c", ""],
        "number": ["1", "2", None, "4"],
        "both": ["1:a", "2:", ":c", "4:"],
    }


FLAGS = st.lists(st.one_of(st.none(), st.booleans()), min_size=4, max_size=4)
CONDITIONS = st.lists(st.tuples(st.one_of(st.none(), st.sampled_from(list(Reason))), st.one_of(st.none(), FLAGS)))


@given(CONDITIONS)
def test_every_row_has_one_fate(drawn: list[tuple[Reason | None, list[bool | None] | None]]) -> None:
    """Exported, without target, or rejected: as going through the conditions row by row says."""
    decision = decide(
        [
            Condition(reason, None if flags is None else pl.Series(flags, dtype=pl.Boolean), ("id",))
            for reason, flags in drawn
        ]
    )
    outcomes = []
    for row in range(4):
        applying = [str(reason or "no target") for reason, flags in drawn if flags and flags[row]]
        outcomes.append(applying[0] if applying else "exported")
    rejects = decision.rejects(RAW, "t", pl.col("key"))
    found = dict.fromkeys(kept(decision), "exported") | dict(zip(rejects["key"], rejects["reason"], strict=True))
    assert found == {f"k{row}": outcome for row, outcome in enumerate(outcomes, 1) if outcome != "no target"}
    assert decision.no_target() == outcomes.count("no target")
    assert rejects.height + len(kept(decision)) + decision.no_target() == 4
