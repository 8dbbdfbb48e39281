"""One row, one decision: the first condition that applies decides whether it is exported, and what its reject says."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import polars as pl


class Reason(StrEnum):
    """Why a row or a value was rejected (contract.md)."""

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
    """Why rows are left out, which ones, and what their rejects name.

    `reason` is None for *no target*, which is not a reject. `where` (Boolean; null is false) is None if it applies to
    no row. `columns` are the model's; a pair's are joined by a colon, in name and value. `references` is the label that
    was looked for, if any.
    """

    reason: Reason | None
    where: pl.Series | None
    columns: tuple[str, ...]
    references: str | None = None


REJECTS = {"reason": pl.String, "table": pl.String, "column": pl.String, "key": pl.String, "value": pl.String}
REJECTS |= {"references": pl.String}


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens to each row: `deciding` (UInt8) is the number of the first condition that applies, from 1, or 0 for
    an exported row; None if all are exported."""

    conditions: tuple[Condition, ...]
    deciding: pl.Series | None

    @property
    def exported(self) -> pl.Series | None:
        """Which rows are exported (Boolean); None if all are."""
        return None if self.deciding is None else self.deciding == 0

    def keep(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The exported rows of a frame that has all rows."""
        return frame if self.exported is None else frame.filter(self.exported)

    def no_target(self) -> int:
        """The number of rows without a target."""
        if self.deciding is None:
            return 0
        numbers = [number for number, condition in enumerate(self.conditions, 1) if condition.reason is None]
        return int(self.deciding.is_in(numbers).sum())

    def rejects(self, raw: pl.DataFrame, table: str, key: pl.Expr) -> pl.DataFrame:
        """A reject line (`REJECTS`) for each row that is left out, in the order of the conditions; `key` is an
        expression for the row's primary key."""
        if self.deciding is None:
            return pl.DataFrame(schema=REJECTS)
        lines = [
            reject_lines(raw.filter(self.deciding == number), table, key, condition, condition.columns)
            for number, condition in enumerate(self.conditions, 1)
            if condition.reason is not None and condition.where is not None
        ]
        return pl.concat([pl.DataFrame(schema=REJECTS), *lines])


def decide(conditions: Sequence[Condition]) -> Decision:
    """Decides for each row by the first condition that applies (graph-model.md, One fate a row)."""
    active = [
        (number, condition.where)
        for number, condition in enumerate(conditions, 1)
        if condition.where is not None and condition.where.any()
    ]
    deciding = None
    for number, where in reversed(active):
        if deciding is None:
            deciding = pl.zeros(len(where), dtype=pl.UInt8, eager=True)
        deciding = deciding.set(where.fill_null(False), number)
    return Decision(tuple(conditions), deciding)


def reject_lines(
    rows: pl.DataFrame, table: str, key: pl.Expr, condition: Condition, value_columns: Sequence[str]
) -> pl.DataFrame:
    """The reject lines of rows to which one condition applies; the value is the raw text of `value_columns`."""
    return rows.select(
        reason=pl.lit(condition.reason, pl.String),
        table=pl.lit(table),
        column=pl.lit(":".join(condition.columns)),
        key=key,
        value=joined_text(value_columns),
        references=pl.lit(condition.references, pl.String),
    )


def joined_text(columns: Sequence[str]) -> pl.Expr:
    """Raw columns as text: one unchanged, several joined by a colon with an empty text for a null."""
    texts = [pl.col(column).cast(pl.String) for column in columns]
    if len(texts) == 1:
        return texts[0]
    return pl.concat_str([text.fill_null("") for text in texts], separator=":")
