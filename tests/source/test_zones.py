"""Time zones: every name of the IANA database means on the server what it means there, or is refused."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import psycopg
import pytest

from exporter.errors import SourceError
from exporter.source.connection import Connection, connect
from exporter.source.leader import exportable_source
from exporter.source.mapping import NameMapping
from exporter.source.zones import zone_fault

# Noons from 1980 on: the summer times of forty years, and no hour that comes twice.
MOMENTS = [datetime(1980, 1, 1, 12) + timedelta(days=15 * number) for number in range(1000)]
CAPTURED = {"CET", "MET", "EET", "WET"}


@pytest.fixture
def leader(source: str) -> Iterator[Connection]:
    with connect(source, "exporter test", lock_seconds=1) as connection:
        yield connection


def moments(leader: Connection, zone: str) -> list[datetime]:
    """The moments of a zone, as an export reads them."""
    query = "select moment at time zone %s from unnest(%s::timestamp[]) moments (moment)"
    return [moment.astimezone(UTC) for (moment,) in leader.execute(query, [zone, MOMENTS])]


@pytest.mark.slow
def test_every_zone(leader: Connection) -> None:
    """By the database that Python has."""
    refused = {zone for zone in available_timezones() if zone_fault(leader, zone)}
    wrong = {
        zone
        for zone in available_timezones() - refused
        if moments(leader, zone) != [moment.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) for moment in MOMENTS]
    }
    # Newer databases have EST, MST and HST as places, whose past differs from the abbreviations.
    assert (wrong, refused - {"EST", "MST", "HST", "localtime"}) == (set(), CAPTURED)


def test_abbreviations(leader: Connection) -> None:
    """They have no summer time."""
    assert {zone for zone in ("CET", "Europe/Berlin", "UTC", "Asia/Kolkata") if zone_fault(leader, zone)} == {"CET"}


def test_a_zone_that_the_server_lacks(leader: Connection) -> None:
    """Servers drop old names. The session is as it was."""
    assert zone_fault(leader, "Mars/Olympus") == (
        "the server does not know the time zone Mars/Olympus; its older or newer name may do (--timezone)"
    )
    assert leader.execute("show timezone").fetchone() == ("UTC",)


def test_an_export_in_such_a_zone(source: str, leader: Connection) -> None:
    """It is refused before anything is read, where there is a timestamp without a zone."""
    assert exportable_source(leader, NameMapping(), timezone="CET").mapping == NameMapping()
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("alter table marketing.leads alter created_at type timestamp")
    with pytest.raises(SourceError) as error:
        exportable_source(leader, NameMapping(), timezone="CET")
    assert str(error.value) == (
        "the source cannot be exported:\n  marketing.leads.created_at: the server takes CET for an abbreviation, with"
        " other moments than the time zone has; give --timezone a place of that zone, such as Europe/Berlin for CET"
    )
