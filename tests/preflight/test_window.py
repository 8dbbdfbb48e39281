"""What a window asks for, as the planner expects: near what is there, by whatever types, and without a table read."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import psycopg
import pytest

from exporter.errors import UsageError
from exporter.model.window import Root, WindowRequest
from exporter.preflight.window import TableWindow, WindowEstimate, estimate_window
from exporter.sample.postgres import create_database
from exporter.sample.source import fill_sample
from exporter.source.leader import Source, connected, current_catalog
from exporter.source.mapping import NameMapping

MIDDLE = datetime(2026, 11, 19, tzinfo=UTC)
# Whose consultations there are most of.
BUSIEST = "select customer_id, count(*) from consultation.consultation group by 1 order by 2 desc, 1 limit 1"


@pytest.fixture(scope="module")
def analyzed(postgres: str) -> str:
    """The URI of a sample with statistics, whose notifications name people by text."""
    uri = create_database(postgres, "analyzed")
    fill_sample(uri, scale=0.1)
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("analyze")
    return uri


@pytest.fixture
def source(analyzed: str) -> Iterator[Source]:
    with connected(analyzed, "exporter test", lock_timeout=5, stall_timeout=60) as connection:
        mapping = NameMapping({}, {})
        yield Source(connection, mapping, current_catalog(connection, mapping))


def by_table(estimate: WindowEstimate) -> dict[str, TableWindow]:
    return {table.table: table for table in estimate.tables}


def count(source: Source, query: str) -> int:
    row = source.connection.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[-1])


@pytest.mark.parametrize("table", ["auth.login_activities", "notifications.notifications", "wallet.payment_orders"])
@pytest.mark.parametrize("days", [-9, -3, -1, 0, 2, 9])
def test_rows_by_time_are_about_those_there(days: int, table: str, source: Source) -> None:
    """A tenth more or less of some hundreds, whenever the window begins or ends; a whole table is all of its rows."""
    moment = MIDDLE + timedelta(days=days)
    for sign, request in ((">=", WindowRequest(since=moment)), ("<", WindowRequest(until=moment))):
        estimate = estimate_window(source, request, "UTC")
        there = count(source, f"select count(*) from {table} where created_at {sign} '{moment}'")
        found = by_table(estimate)[table]
        assert found.rows is not None and found.of is not None
        assert abs(found.rows - there) <= 0.1 * found.of
        assert by_table(estimate)["guide.guide_profile"].rows == by_table(estimate)["guide.guide_profile"].of
        assert estimate.times == {"since" if sign == ">=" else "until": moment}
        assert estimate.rows == sum(table.rows or 0 for table in estimate.tables) <= estimate.of


def test_rows_by_times_without_a_zone_are_about_those_there(analyzed: str) -> None:
    """In the settings' zone."""
    retype = "alter table marketing.leads alter created_at type {} using created_at at time zone 'UTC'"
    with psycopg.connect(analyzed, autocommit=True) as owner:
        owner.execute(retype.format("timestamp").encode())
        owner.execute("analyze marketing.leads")
        try:
            with connected(analyzed, "exporter test", lock_timeout=5, stall_timeout=60) as connection:
                mapping = NameMapping({}, {})
                source = Source(connection, mapping, current_catalog(connection, mapping))
                for since in (MIDDLE - timedelta(days=2), MIDDLE + timedelta(days=2)):
                    estimate = estimate_window(source, WindowRequest(since=since), "Asia/Kolkata")
                    found = by_table(estimate)["marketing.leads"]
                    late = f"created_at at time zone 'Asia/Kolkata' >= '{since}'"
                    there = count(source, f"select count(*) from marketing.leads where {late}")
                    assert abs((found.rows or 0) - there) <= 0.1 * (found.of or 0)
        finally:
            owner.execute(retype.format("timestamptz").encode())
            owner.execute("analyze marketing.leads")


def test_a_label_that_is_left_out_has_no_rows(source: Source) -> None:
    """Of a whole table neither."""
    estimate = by_table(estimate_window(source, WindowRequest(without=frozenset({"Lead", "BankAccount"})), "UTC"))
    assert {estimate[name].rows for name in ("marketing.leads", "guide.bank_account")} == {0}
    assert estimate["auth.user_sessions"].rows == estimate["auth.user_sessions"].of


def test_a_sample_is_its_share(source: Source) -> None:
    """Of what is somebody's; what belongs to a consultation comes on top, with it."""
    estimate = by_table(estimate_window(source, WindowRequest(sample=Fraction(1, 4)), "UTC"))
    for name in ("customers.customer", "wallet.payment_orders"):
        assert estimate[name].rows == round((estimate[name].of or 0) / 4) > 0
    assert estimate["consultation.feedback"].rows == 0


def test_a_root_has_about_as_many_rows_as_people_have(source: Source) -> None:
    """By ids of any type: notifications name people by text. Their own row is there whatever the time."""
    id = source.connection.execute(BUSIEST.encode()).fetchone()
    assert id is not None
    request = WindowRequest(roots=(Root("Customer", "customer_id", str(id[0])),))
    estimate = by_table(estimate_window(source, request, "UTC"))
    assert estimate["customers.customer"].rows == estimate["wallet.user_wallets"].rows == 1
    for name in ("consultation.consultation", "notifications.notifications", "auth.login_activities"):
        rows, of = estimate[name].rows, estimate[name].of
        assert rows is not None and of is not None and rows <= 0.05 * of
    later = WindowRequest(since=datetime(2026, 11, 25, tzinfo=UTC), roots=request.roots)
    assert by_table(estimate_window(source, later, "UTC"))["customers.customer"].rows == 1


def test_what_cannot_be_is_refused(source: Source) -> None:
    """By the server's clock, and by who is there."""
    for request in (
        WindowRequest(since=datetime.now(UTC) + timedelta(days=2)),
        WindowRequest(roots=(Root("Guide", "referral_code", "nobody's"),)),
        WindowRequest(since=timedelta(days=1), until=datetime(2020, 1, 1, tzinfo=UTC)),
    ):
        with pytest.raises(UsageError):
            estimate_window(source, request, "UTC")


def test_a_locked_table_is_unknown(source: Source, analyzed: str) -> None:
    """The others are estimated."""
    with psycopg.connect(analyzed) as other:
        other.execute("lock table marketing.leads")
        estimate = estimate_window(source, WindowRequest(since=MIDDLE), "UTC")
    assert estimate.unknown == ["marketing.leads"]
    assert estimate.as_object()["unknown"] == ["marketing.leads"] and estimate.rows > 0
