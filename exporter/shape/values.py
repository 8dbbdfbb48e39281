"""Property values: from a raw column to what the import accepts, and which values it cannot hold.

Source of every rule: graph-model.md, Values and Column types.
"""

from dataclasses import dataclass
from functools import cache

import polars as pl

from exporter.model import frame
from exporter.model.tables import Table
from exporter.model.vocabulary import Property, Type
from exporter.shape import ids

# The longest double written without an exponent has 309 digits; only a longer text can be too large.
LONGEST_SAFE_NUMBER = 300
DAY = 86_400_000_000
# In days since 1970: 1 January -9999 and 31 December 9999.
FIRST_DAY, LAST_DAY = -4_371_587, 2_932_896
# Up to this many days between a frame's first and last date, all are formatted in advance.
WIDEST_CALENDAR = 100_000


@dataclass(frozen=True, slots=True)
class Values:
    """A property's values (integers, booleans, else text as in the CSV) and where one was lost (Boolean; None if none
    was).

    `raw` names the column of the raw frame with the database's text of lost values.
    """

    values: pl.Series
    lost: pl.Series | None
    raw: str


def holds_unrepresentable(raw: pl.DataFrame, table: Table) -> bool:
    """Whether a frame (not from a fallback read) has a datetime or date outside the exported years.

    PostgreSQL's dates start in 4714 BC, so only -infinity is below the exported years.
    """
    limits = {Type.DATE: (FIRST_DAY, LAST_DAY), Type.DATETIME: (FIRST_DAY * DAY, (LAST_DAY + 1) * DAY - 1)}
    for name, use in table.uses().items():
        if isinstance(use, Type) and use in limits:
            values = raw[name].to_physical()
            if not values.is_between(*limits[use]).all():
                return True
    return False


def property_values(raw: pl.DataFrame, prop: Property) -> Values:
    """The values of a property in a raw frame; lost ones are null."""
    column = raw[prop.name]
    if prop.type in (Type.DATETIME, Type.DATE):
        texts = iso_datetimes(column) if prop.type is Type.DATETIME else iso_dates(column.to_physical())
        original = frame.raw(prop.name)
        return Values(texts, raw[original].is_not_null() if original in raw.columns else None, original)
    if column.dtype == pl.String and prop.type in NUMBERS:
        values = NUMBERS[prop.type](column)
        lost = values.is_null() & column.is_not_null() if values.null_count() > column.null_count() else None
        return Values(values, lost, prop.name)
    if prop.type is Type.LOCALTIME:
        values = column.set(column == "24:00:00", None)
        lost = column == "24:00:00" if values.null_count() > column.null_count() else None
        return Values(values, lost, prop.name)
    return Values(column, None, prop.name)


def iso_dates(days: pl.Series) -> pl.Series:
    """Days since 1970 (Date, Int32 or Int64) as 2026-11-23; years before 1 are astronomical."""
    first, last = days.min(), days.max()
    if not isinstance(first, int) or not isinstance(last, int) or last - first > WIDEST_CALENDAR:
        return days.cast(pl.Date).dt.strftime("%F")
    calendar = pl.int_range(first, last + 1, dtype=pl.Int32, eager=True).cast(pl.Date).dt.strftime("%F")
    return calendar.gather(days - first)


def iso_datetimes(column: pl.Series) -> pl.Series:
    """UTC timestamps as 2026-11-23T03:15:00.123456Z, composed from lookups: 67 ns a value, 156 with a format string."""
    microseconds = column.to_physical()
    days = microseconds // DAY
    of_day = microseconds - days * DAY
    milliseconds = of_day // 1_000
    seconds, thousandths, millionths = clock()
    parts = (
        iso_dates(days),
        seconds.gather(of_day // 1_000_000),
        thousandths.gather(milliseconds - of_day // 1_000_000 * 1_000),
        millionths.gather(of_day - milliseconds * 1_000),
    )
    return pl.select(pl.concat_str(parts)).to_series()


@cache
def clock() -> tuple[pl.Series, pl.Series, pl.Series]:
    """All seconds of a day as `T03:15:00.`, all milliseconds as `123` and all microseconds as `456Z`."""
    seconds = (pl.int_range(86_400, eager=True) * 1_000_000_000).cast(pl.Time).dt.strftime("T%H:%M:%S.")
    thousand = [f"{n:03}" for n in range(1_000)]
    return seconds, pl.Series(thousand), pl.Series([f"{digits}Z" for digits in thousand])


def whole_numbers(text: pl.Series) -> pl.Series:
    """Numeric digits with a zero fraction as Int64; null for any other fraction, NaN, infinity, more than 64 bits."""
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
