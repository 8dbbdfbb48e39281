"""Property values: what the import takes, and what is lost with its raw text kept."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.model.frame import raw as raw_name
from exporter.model.tables import Table
from exporter.model.vocabulary import Node, Property, Type, integer
from exporter.shape.values import holds_unrepresentable, property_values
from tests.support import reference_rules as obvious

EPOCH = date(1970, 1, 1)
CYCLE = 146_097  # days in 400 years
# The first number that a double cannot hold any more: halfway between the largest and what would come next.
TOO_LARGE = 2**1024 - 2**970
DAYS = st.integers((date(1, 1, 1) - EPOCH).days - 10_000 * 365, (date.max - EPOCH).days)


def shaped(type: Type, column: pl.Series, raw: list[str | None] | None = None) -> tuple[list[object], list[object]]:
    """The values of a property column, and the raw texts of those that were lost."""
    frame = column.alias("p").to_frame()
    if raw is not None:
        frame = frame.with_columns(pl.Series(raw_name("p"), raw, dtype=pl.String))
    values = property_values(frame, Property(type, "p"))
    lost = [] if values.lost is None else frame.filter(values.lost)[values.raw].to_list()
    return values.values.to_list(), lost


def texts(*values: str | None) -> pl.Series:
    return pl.Series(values, dtype=pl.String)


def kept(*values: str | None) -> tuple[list[str | None], list[object]]:
    """The outcome where every value stays as it is."""
    return list(values), []


def iso(day: int) -> str:
    """A date by its days since 1970, in astronomical years, within Python's calendar moved by whole cycles."""
    moved = -((day + EPOCH.toordinal() - 1) // CYCLE) if day + EPOCH.toordinal() < 1 else 0
    found = date.fromordinal(day + EPOCH.toordinal() + moved * CYCLE)
    year = found.year - 400 * moved
    return f"{'-' if year < 0 else ''}{abs(year):04}-{found.month:02}-{found.day:02}"


def test_doubles_keep_the_digits_of_the_database() -> None:
    """Money, NaN, the infinities, -0 and more than 17 digits are the database's own text."""
    values = ("0.00", "12.50", "-3", "NaN", "Infinity", "-Infinity", "-0", "1e+308", "0.1234567890123456789", None)
    assert shaped(Type.DOUBLE, texts(*values)) == kept(*values)


def test_doubles_of_integer_columns() -> None:
    """They stay integers."""
    assert shaped(Type.DOUBLE, pl.Series([1, None, -(2**63)])) == ([1, None, -(2**63)], [])


@pytest.mark.parametrize("sign", ["", "-"])
def test_a_numeric_too_large_for_a_double_is_lost(sign: str) -> None:
    """It would be Infinity in Neo4j; the largest that is rounded to a double stays, the infinities too."""
    largest = f"{sign}{TOO_LARGE - 1}.{'9' * 300}"
    lost = [f"{sign}{TOO_LARGE}", f"{sign}1{'0' * 309}.00", f"{sign}9{'9' * 131_071}.{'9' * 16_383}"]
    small = f"{sign}0.{'0' * 400}1"
    column = texts(largest, *lost, f"{sign}Infinity", "NaN", small, "1.5", None)
    assert shaped(Type.DOUBLE, column) == (
        [largest, None, None, None, f"{sign}Infinity", "NaN", small, "1.5", None],
        lost,
    )


@given(st.lists(st.one_of(st.none(), st.integers(TOO_LARGE - 5, TOO_LARGE + 5), st.integers(-(10**320), 10**320))))
def test_doubles_are_as_python_reads_them(numbers: list[int | None]) -> None:
    """Lost is what Python's float reads as an infinity."""
    column = [None if number is None else str(number) for number in numbers]
    lost = [text for text in column if text is not None and abs(float(text)) == float("inf")]
    assert shaped(Type.DOUBLE, texts(*column)) == ([None if text in lost else text for text in column], lost)


def test_longs_of_numeric_columns() -> None:
    """A zero fraction goes; any other, NaN, the infinities and more than 64 bits are lost."""
    lost = ["1.5", "NaN", "Infinity", "-Infinity", "9223372036854775808", "-9223372036854775809.0"]
    column = texts("7", "7.00", "-0.0", None, "9223372036854775807", "-9223372036854775808.000", *lost)
    assert shaped(Type.LONG, column) == ([7, 7, 0, None, 2**63 - 1, -(2**63), *[None] * len(lost)], lost)


def test_longs_of_integer_columns() -> None:
    """They stay as they are."""
    assert shaped(Type.LONG, pl.Series([1, None, 5], dtype=pl.Int16)) == ([1, None, 5], [])


@given(st.lists(st.one_of(st.none(), st.decimals(allow_nan=False, allow_infinity=False, places=2), st.integers())))
def test_longs_are_as_the_obvious_rule_says(numbers: list[object]) -> None:
    """Number by number, as PostgreSQL prints a numeric: never with an exponent."""
    column = [
        None if number is None else f"{number:f}" if not isinstance(number, int) else str(number) for number in numbers
    ]
    lost = [text for text in column if text is not None and obvious.integer_id(text) is None]
    assert shaped(Type.LONG, texts(*column)) == ([obvious.integer_id(text) for text in column], lost)


def test_booleans_and_strings() -> None:
    """They pass as they are; the empty string is a value."""
    assert shaped(Type.BOOLEAN, pl.Series([True, False, None])) == ([True, False, None], [])
    assert shaped(Type.STRING, texts("", " x ", None, "NULL")) == kept("", " x ", None, "NULL")


def test_localtimes() -> None:
    """The database's own text; the end of the day has no time of its own and is lost."""
    assert shaped(Type.LOCALTIME, texts("23:59:59.999999", "00:00:00", None)) \
        == kept("23:59:59.999999", "00:00:00", None)  # fmt: skip
    assert shaped(Type.LOCALTIME, texts("24:00:00", None, "12:00:00")) == ([None, None, "12:00:00"], ["24:00:00"])


def test_datetimes() -> None:
    """UTC with Z and six digits of a second; years before 1 are astronomical, 44 BC is -0043."""
    micros = [
        datetime(2026, 11, 23, 3, 15, 0, 123456, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=UTC),
    ]
    column = pl.Series([*micros, None], dtype=pl.Datetime("us", "UTC"))
    ides_of_march = pl.Series([-63_517_824_000_000_000, -62_135_596_800_000_001]).cast(pl.Datetime("us", "UTC"))
    assert shaped(Type.DATETIME, column.append(ides_of_march), [None] * 6) == kept(
        "2026-11-23T03:15:00.123456Z",
        "9999-12-31T23:59:59.999999Z",
        "0001-01-01T00:00:00.000000Z",
        None,
        "-0043-03-15T00:00:00.000000Z",
        "0000-12-31T23:59:59.999999Z",
    )


def test_dates() -> None:
    """Year, month and day; years before 1 are astronomical."""
    days = [date(1947, 8, 15), date(1, 1, 1), None]
    column = pl.Series(days, dtype=pl.Date).append(pl.Series([-719_163]).cast(pl.Date))
    assert shaped(Type.DATE, column, [None] * 4) == kept("1947-08-15", "0001-01-01", None, "0000-12-31")


@pytest.mark.parametrize("type", [Type.DATE, Type.DATETIME])
def test_unrepresentable_moments(type: Type) -> None:
    """They come as null with their raw text; a null without one is no loss."""
    dtype = pl.Date if type is Type.DATE else pl.Datetime("us", "UTC")
    column = pl.Series([None, None, None, 0], dtype=pl.Int32).cast(dtype)
    values, lost = shaped(type, column, ["infinity", None, "10000-01-01", None])
    assert (values[:3], lost) == ([None, None, None], ["infinity", "10000-01-01"])


A_DAY = 86_400_000_000
FIRST, LAST = -4_371_587, (date.max - EPOCH).days


@pytest.mark.parametrize(
    ("type", "value", "beyond"),
    [
        (Type.DATE, LAST, False),
        (Type.DATE, LAST + 1, True),
        (Type.DATE, FIRST, False),
        (Type.DATE, FIRST - 1, True),
        (Type.DATETIME, (LAST + 1) * A_DAY - 1, False),
        (Type.DATETIME, (LAST + 1) * A_DAY, True),
        (Type.DATETIME, FIRST * A_DAY, False),
        (Type.DATETIME, FIRST * A_DAY - 1, True),
    ],
)
def test_what_needs_a_careful_read(type: Type, value: int, beyond: bool) -> None:
    """A date or datetime outside the years -9999 to 9999, wherever in a column; nothing else matters."""
    table = Table("t", "", Node("T", "t", integer("id"), (Property(type, "p"), Property(Type.LONG, "n"))), ())
    dtypes = (pl.Int32, pl.Date) if type is Type.DATE else (pl.Int64, pl.Datetime("us", "UTC"))
    column = pl.Series("p", [0, None, value, 0], dtype=dtypes[0]).cast(dtypes[1])
    frame = pl.DataFrame({"id": [1, 2, 3, 2**62], "p": column, "n": [2**62, None, 0, -(2**62)]})
    assert holds_unrepresentable(frame, table) == beyond


def test_the_first_day_is_that_of_the_year() -> None:
    """The limit above is the first of January -9999."""
    assert (iso(FIRST), iso(FIRST - 1)) == ("-9999-01-01", "-10000-12-31")


# Far apart, and close together as real data is.
@given(st.one_of(st.lists(DAYS), st.lists(st.integers(-400, 20_000)), st.lists(st.integers(-719_600, -719_100))))
def test_dates_are_as_the_calendar_says(days: list[int]) -> None:
    """Day by day, from about -10000 to 9999."""
    column = pl.Series(days, dtype=pl.Int32).cast(pl.Date)
    assert shaped(Type.DATE, column, [None] * len(days)) == kept(*map(iso, days))


@given(
    st.one_of(
        *(
            st.lists(st.tuples(days, st.one_of(st.integers(0, A_DAY - 1), st.sampled_from([0, 1, A_DAY - 1]))))
            for days in (DAYS, st.integers(-400, 20_000), st.integers(-719_600, -719_100))
        )
    )
)
def test_datetimes_are_as_the_calendar_says(moments: list[tuple[int, int]]) -> None:
    """Microsecond by microsecond, from about -10000 to 9999."""
    column = pl.Series([day * A_DAY + micro for day, micro in moments], dtype=pl.Int64)
    expected = [
        f"{iso(day)}T{(datetime.min + timedelta(microseconds=micro)).time().isoformat('microseconds')}Z"
        for day, micro in moments
    ]
    assert shaped(Type.DATETIME, column.cast(pl.Datetime("us", "UTC")), [None] * len(moments)) == kept(*expected)
