"""Property values: from a raw column to what the import takes, and which values it cannot take.

Source of every rule: graph-model.md, Values and Column types.
"""

from dataclasses import dataclass

import polars as pl

from exporter.model import frame
from exporter.model.vocabulary import Property, Type
from exporter.shape import ids

# The longest double that is written without an exponent has 309 digits; only a longer text can be too large.
LONGEST_SAFE_NUMBER = 300


@dataclass(frozen=True, slots=True)
class Values:
    """A property's values (integers, booleans, else text as the CSV has it) and where one was lost (None: nowhere).

    `raw` names the column of the raw frame that holds the database's text of a lost value.
    """

    values: pl.Series
    lost: pl.Series | None
    raw: str


def property_values(raw: pl.DataFrame, given: Property) -> Values:
    """The values of a property in a raw frame; a lost one is null."""
    column = raw[given.name]
    if given.type in (Type.DATETIME, Type.DATE):
        texts = raw[frame.raw(given.name)]
        lost = texts.is_not_null() if texts.null_count() < len(texts) else None
        return Values(iso_text(column, given.type), lost, frame.raw(given.name))
    if column.dtype == pl.String and given.type in NUMBERS:
        values = NUMBERS[given.type](column)
        lost = values.is_null() & column.is_not_null() if values.null_count() > column.null_count() else None
        return Values(values, lost, given.name)
    if given.type is Type.LOCALTIME:
        values = column.set(column == "24:00:00", None)
        lost = column == "24:00:00" if values.null_count() > column.null_count() else None
        return Values(values, lost, given.name)
    return Values(column, None, given.name)


def iso_text(column: pl.Series, type: Type) -> pl.Series:
    """Datetimes as 2026-11-23T03:15:00.123456Z (UTC), dates as 2026-11-23; years before 1 as astronomical ones."""
    return column.dt.strftime("%FT%T%.6fZ" if type is Type.DATETIME else "%F")


def whole_numbers(text: pl.Series) -> pl.Series:
    """Numeric digits with a zero fraction as Int64; null for another fraction, NaN, infinity, more than 64 bits."""
    return text.to_frame().select(ids.integer(pl.col(text.name)).alias(text.name)).to_series()


def doubles(text: pl.Series) -> pl.Series:
    """The database's own digits, NaN, Infinity and -Infinity; null for a number too large for a double."""
    length = text.str.len_bytes().max()
    if length is None or int(length) < LONGEST_SAFE_NUMBER:  # type: ignore[arg-type]
        return text
    return text.set(
        text.cast(pl.Float64, strict=False).is_infinite() & ~text.str.contains("Infinity", literal=True), None
    )


NUMBERS = {Type.LONG: whole_numbers, Type.DOUBLE: doubles}
