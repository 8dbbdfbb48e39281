"""What a window asks for, resolved on the source: moments, and the ids of whoever is asked for."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from exporter.errors import UsageError
from exporter.model.window import Root, WindowRequest
from exporter.sample.postgres import create_database
from exporter.sample.source import create_tables
from exporter.source.catalog import read_catalog
from exporter.source.connection import connect
from exporter.source.leader import Source
from exporter.source.mapping import NameMapping
from exporter.source.roots import Resolved, resolved

NOW = datetime(2026, 11, 23, 3, 15, tzinfo=UTC)

ROWS = """
insert into auth.auth_users (id, phone_number, created_at) values (1, '+91 98765 43210', now()), (2, '2', now());
insert into customers.customer (customer_id, x_auth_id, phone_number, created_at) values
    (11, 1, '09876543210', now()), (12, null, '98765-43210', now()), (13, 2, null, now()), (14, 2, '777', now());
insert into guide.guide_profile
    (id, full_name, phone_number, chat_enabled, voice_enabled, video_enabled, referral_code, created_at)
    values (7, 'A', '5', true, true, true, E' AK7\\t', now()), (8, 'B', '6', true, true, true, 'ak7', now());
insert into marketing.leads (id, phone, customer_id, created_at) values
    (31, '5550', 14, now()), (32, '5550', null, now());
insert into wallet.user_wallets (user_id, real_cash, virtual_cash, recharge_count, created_at)
    values (13, 0, 0, 0, now());
insert into consultation.consultation
    (id, customer_id, guide_id, mode, state, is_quick_connect, promotional, created_at)
    values (41, 11, 7, 'CHAT', 'DONE', false, false, now());
"""


@pytest.fixture(scope="module")
def rows(postgres: str) -> Iterator[Source]:
    """A source with a few people, read only."""

    uri = create_database(postgres, "roots")
    create_tables(uri)
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(ROWS.encode())
    with connect(uri, "exporter test", lock_seconds=1) as leader:
        yield Source(leader, NameMapping(), read_catalog(leader, NameMapping().schemas()))


def find(source: Source, *roots: Root) -> Resolved:
    return resolved(source, WindowRequest(roots=roots), NOW, "UTC")


@pytest.mark.parametrize(
    ("root", "people"),
    [
        (Root("Customer", "customer_id", " 0011 "), {"Customer": (11,), "AuthUser": (1,)}),
        (Root("Customer", "phone_number", "+91-9876543210"), {"Customer": (11, 12), "AuthUser": (1,)}),
        (Root("AuthUser", "id", "2"), {"AuthUser": (2,), "Customer": (13, 14)}),
        (Root("AuthUser", "phone_number", "9876543210"), {"AuthUser": (1,), "Customer": (11,)}),
        (Root("CustomerWallet", "user_id", "13"), {"Customer": (13,), "AuthUser": (2,)}),
        (Root("Lead", "phone", "5550"), {"Lead": (31, 32), "Customer": (14,), "AuthUser": (2,)}),
        (Root("Guide", "referral_code", "AK7"), {"Guide": (7,), "GuideWallet": (7,)}),
        (Root("Consultation", "id", "41"), {"Consultation": (41,)}),
    ],
)
def test_a_root_is_found_by_key_phone_or_code(rows: Source, root: Root, people: dict[str, tuple[int, ...]]) -> None:
    """In whatever spelling the model takes for the same; customer and auth user complete each other."""
    found = find(rows, root)
    assert found.window.people == people
    assert found.matched == {
        (root.label, root.property): len(people[{"CustomerWallet": "Customer"}.get(root.label, root.label)])
    }


def test_all_roots_are_found_together(rows: Source) -> None:
    """What is matched is counted by label and property, not by value."""
    roots = (Root("Customer", "customer_id", "11"), Root("Customer", "customer_id", "13"), Root("Lead", "id", "32"))
    found = find(rows, *roots)
    assert found.matched == {("Customer", "customer_id"): 2, ("Lead", "id"): 1}
    assert found.window.people == {"Customer": (11, 13), "AuthUser": (1, 2), "Lead": (32,)}


@pytest.mark.parametrize(
    ("roots", "words"),
    [
        (
            [Root("Customer", "phone_number", "9999900000"), Root("Customer", "phone_number", "777")],
            "no row of the source is what --root asks for: Customer:phone_number (1 of 2 values)",
        ),
        (
            [Root("Lead", "id", "99999"), Root("Guide", "referral_code", "99999")],
            "no row of the source is what --root asks for: Lead:id, Guide:referral_code",
        ),
        ([Root("Lead", "id", "99999.5")], "--root Lead:id takes a whole number, and its value is none"),
        ([Root("Lead", "phone", "x")], "--root Lead:phone takes a phone number, and its value is none"),
    ],
)
def test_who_is_not_there_is_said_without_a_value(rows: Source, roots: list[Root], words: str) -> None:
    """A value may be somebody's phone number."""
    with pytest.raises(UsageError) as failed:
        find(rows, *roots)
    assert str(failed.value) == words
    assert "99999" not in words


def test_spans_are_before_the_snapshot(rows: Source) -> None:
    """Moments are kept, in UTC."""
    india = datetime.fromisoformat("2026-11-20T00:00+05:30")
    window = resolved(rows, WindowRequest(since=timedelta(days=7), until=india), NOW, "UTC").window
    assert (window.since, window.until) == (NOW - timedelta(days=7), datetime(2026, 11, 19, 18, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (WindowRequest(since=datetime(2026, 11, 24, tzinfo=UTC)), "later than the snapshot"),
        (WindowRequest(since=timedelta(days=1), until=timedelta(days=2)), "--since is not before --until"),
        (WindowRequest(since=timedelta(days=1_000_000)), "no time before the year 1"),
    ],
)
def test_times_in_which_nothing_can_be_are_refused(rows: Source, request_: WindowRequest, words: str) -> None:
    """Known only on the snapshot."""
    with pytest.raises(UsageError, match=words):
        resolved(rows, request_, NOW, "UTC")
