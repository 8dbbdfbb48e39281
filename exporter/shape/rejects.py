"""One row, one fate: the first condition that applies decides whether a row is exported, and what its reject says."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import polars as pl


class Reason(StrEnum):
    """Why a row or a value is among the rejects (contract.md)."""

    NULL_ID = "null_id"
    MALFORMED_ID = "malformed_id"
    DUPLICATE_ID = "duplicate_id"
    AMBIGUOUS_LINK = "ambiguous_link"
    DANGLING_START = "dangling_start"
    DANGLING_END = "dangling_end"
    DUPLICATE_RELATIONSHIP = "duplicate_relationship"
    UNREPRESENTABLE_VALUE = "unrepresentable_value"


@dataclass(frozen=True, slots=True)
class Condition:
    """Rows that are left out, and what their rejects name.

    `reason` None is *no target*, which is no reject. `where` (Boolean, null: no) None is nowhere. `columns` are the
    model's; a pair's are joined by a colon, in name and value. `references` is the label looked for, if any.
    """

    reason: Reason | None
    where: pl.Series | None
    columns: tuple[str, ...]
    references: str | None = None


REJECTS = {"reason": pl.String, "table": pl.String, "column": pl.String, "key": pl.String, "value": pl.String}
REJECTS |= {"references": pl.String}


@dataclass(frozen=True, slots=True)
class Decision:
    """For each row the place of the first condition that applies, from 1; 0 is exported. None: all are exported."""

    conditions: tuple[Condition, ...]
    places: pl.Series | None

    @property
    def exported(self) -> pl.Series | None:
        """Which rows are exported; None: all."""
        return None if self.places is None else self.places == 0

    def keep(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The exported rows."""
        return frame if self.exported is None else frame.filter(self.exported)

    def no_target(self) -> int:
        """How many rows refer to nobody."""
        if self.places is None:
            return 0
        places = [place for place, condition in enumerate(self.conditions, 1) if condition.reason is None]
        return int(self.places.is_in(places).sum())

    def rejects(self, raw: pl.DataFrame, table: str, key: pl.Expr) -> pl.DataFrame:
        """A reject line for each row that is left out, in the order of the conditions."""
        if self.places is None:
            return pl.DataFrame(schema=REJECTS)
        lines = [
            reject_lines(raw.filter(self.places == place), table, key, condition)
            for place, condition in enumerate(self.conditions, 1)
            if condition.reason is not None and condition.where is not None
        ]
        return pl.concat([pl.DataFrame(schema=REJECTS), *lines])


def decide(conditions: Sequence[Condition]) -> Decision:
    """The fate of each row: the first condition that applies."""
    active = [
        (place, condition.where)
        for place, condition in enumerate(conditions, 1)
        if condition.where is not None and condition.where.any()
    ]
    places = None
    for place, where in reversed(active):
        earlier = pl.zeros(len(where), dtype=pl.UInt8, eager=True) if places is None else places
        places = earlier.set(where.fill_null(False), place)
    return Decision(tuple(conditions), places)


def reject_lines(rows: pl.DataFrame, table: str, key: pl.Expr, condition: Condition) -> pl.DataFrame:
    """The reject lines of rows that share a condition; the value is the raw text of its columns."""
    return rows.select(
        reason=pl.lit(condition.reason, pl.String),
        table=pl.lit(table),
        column=pl.lit(":".join(condition.columns)),
        key=key,
        value=joined_text(condition.columns),
        references=pl.lit(condition.references, pl.String),
    )


def joined_text(columns: Sequence[str]) -> pl.Expr:
    """Raw columns as text: one as it is, several joined by a colon with nothing for a null."""
    texts = [pl.col(column).cast(pl.String) for column in columns]
    if len(texts) == 1:
        return texts[0]
    return pl.concat_str([text.fill_null("") for text in texts], separator=":")
