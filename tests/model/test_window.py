"""Windows: every table is whole or dated, and what is declared of them is what the graph says, row by row."""

from fractions import Fraction

import pytest

from exporter.model.tables import ends, tables
from exporter.model.vocabulary import IdRule
from exporter.model.ways_in import WayIn, is_activity, link_columns, link_tables, ways_in
from exporter.model.window import (
    CLOSED_LABELS,
    COMPANIONS,
    GUIDES,
    PEOPLE_TABLES,
    PERSONS,
    REMOVABLE,
    ROOT_LABELS,
    SINGLE_ROOTS,
    TIMES,
    WHOLE,
    Root,
    Window,
    dated_tables,
    root_properties,
    table_of,
    time_column,
    up_references,
)

# The specification's table: the rows of a table keep these labels by these columns; and what is marked with ↓ is a
# companion: the label brings the rows in.
SPECIFIED = """
customers.customer: AuthUser x_auth_id ↓
wallet.user_wallets: Customer user_id ↓
customers.customer_profile: Customer customer_id ↓
guide.guide_profile: AuthUser x_auth_id
consultation.consultation: Customer customer_id, WalletOrder order_id ↓
consultation.agora_consultation_session: Consultation consultation_id ↓
consultation.feedback: Consultation consultation_id ↓
consultation.consultation_quality_metrics: Consultation consultation_id ↓
wallet.payment_orders: Customer user_id, CustomerWallet user_id
wallet.invoices: Payment payment_order_id ↓
wallet.wallet_orders: CustomerWallet user_id
wallet.wallet_transactions: CustomerWallet user_id, WalletOrder order_id ↓
offers.offer_reservations: Customer user_id, Consultation consultation_id ↓
offers.offer_consumptions: Customer user_id, Payment payment_order_id ↓
offers.user_behavior_metrics: Customer user_id ↓
offers.user_milestone_progress: Customer user_id
auth.auth_user_roles: AuthUser auth_user_id ↓
auth.user_sessions: AuthUser auth_user_id
auth.user_devices: AuthUser auth_user_id ↓
auth.login_activities: AuthUser auth_user_id
auth.otp_attempts: AuthUser auth_user_id
notifications.notifications: AuthUser auth_user_id
marketing.leads: Customer customer_id ↓
auth.auth_users:
"""
WEEK = Window(since=None, until=None, sample=Fraction(1, 20))


def test_every_table_is_whole_or_dated() -> None:
    """Twelve and twenty-three; whatever is declared of windows is about tables that exist."""
    names = {table.name for table in tables()}
    assert names > WHOLE
    assert (len(WHOLE), len(dated_tables())) == (12, 23)
    assert {*TIMES, *COMPANIONS, *PERSONS, *PEOPLE_TABLES, *GUIDES} <= names - WHOLE


def test_labels() -> None:
    """Six labels are closed, nineteen can be left out, eight can be roots."""
    assert sorted(CLOSED_LABELS) \
        == ["AuthUser", "Consultation", "Customer", "CustomerWallet", "Payment", "WalletOrder"]  # fmt: skip
    assert (len(REMOVABLE), len(ROOT_LABELS)) == (19, 8)
    assert CLOSED_LABELS | {"Lead", "Guide"} == set(ROOT_LABELS)
    assert REMOVABLE.isdisjoint(CLOSED_LABELS)


def test_references_and_companions_are_those_of_the_specification() -> None:
    """Derived from the graph and compared with the table, which is written here once more; in its order."""
    lines = []
    for table in link_tables():
        companions = COMPANIONS.get(table.name, ())
        ups = [f"{up.label} {up.column}{' ↓' * (up.column in companions)}" for up in up_references(table.name)]
        lines.append(f"{table.name}: {', '.join(ups)}".strip())
    assert lines == SPECIFIED.strip().split("\n")


def test_companions_and_persons_are_references() -> None:
    """Each names a column that the graph reads as a reference (or an own key) of that label; a wallet's id is its
    customer's."""
    for name, columns in COMPANIONS.items():
        assert set(columns) <= {up.column for up in up_references(name)}
    for name, (label, column) in [*PERSONS.items(), *GUIDES.items()]:
        labels = {label, "CustomerWallet"} if label == "Customer" else {label}
        references = {
            (end, reference.columns[:1])
            for relationship in table_of(name).relationships
            for end, reference in ends(relationship)
        }
        assert {(each, (column,)) for each in labels} & references or table_of(name).key_columns == (column,), name


def test_time_columns_are_read() -> None:
    """Each dated table has its time as a property."""
    for table in dated_tables():
        assert time_column(table.name) in table.uses()


def test_tables_without_companions() -> None:
    """Those whose rows nothing brings in."""
    assert [table.name for table in link_tables() if is_activity(table.name)] == [
        "offers.user_milestone_progress",
        "auth.user_sessions",
        "auth.login_activities",
        "auth.otp_attempts",
        "notifications.notifications",
    ]


def test_a_roots_value_is_not_shown() -> None:
    """It may be a phone number."""
    assert "98765" not in repr(Window(roots=(Root("Customer", "phone_number", "98765"),), people={"Lead": (98765,)}))


def test_properties_of_roots() -> None:
    """The key, phones and referral codes, each with how it is read."""
    assert root_properties("Guide") \
        == {"id": IdRule.INTEGER, "phone_number": IdRule.PHONE, "referral_code": IdRule.CODE}  # fmt: skip
    assert root_properties("Lead") == {"id": IdRule.INTEGER, "phone": IdRule.PHONE}
    assert root_properties("Payment") == {"payment_order_id": IdRule.INTEGER}
    assert all(root_properties(label) for label in ROOT_LABELS)
    assert set(ROOT_LABELS) > SINGLE_ROOTS


@pytest.mark.parametrize(
    ("name", "window", "expected"),
    [
        ("guide.guide_profile", WEEK, (WayIn(seed=True),)),
        ("consultation.feedback", Window(without=frozenset({"Feedback"})), ()),
        (
            "consultation.consultation",
            Window(sample=Fraction(1, 20)),
            (
                WayIn("customer_id", "people/Customer", seed=True),
                WayIn("customer_id", nulls=True, seed=True),
                WayIn("id", "kept/Consultation"),
                WayIn(
                    "order_id",
                    "kept/WalletOrder",
                    with_key=True,
                    pattern="(Consultation)-[PAID_VIA]->(WalletOrder)",
                ),
            ),
        ),
        (
            "wallet.wallet_orders",
            Window(roots=(Root("Guide", "id", "7"),), people={"Guide": (7,), "GuideWallet": (7,), "WalletOrder": (1,)}),
            (
                WayIn("consultant_id", "people/GuideWallet", seed=True),
                WayIn("order_id", "people/WalletOrder", seed=True),
                WayIn("order_id", "kept/WalletOrder"),
            ),
        ),
    ],
)
def test_ways_in(name: str, window: Window, expected: tuple[WayIn, ...]) -> None:
    """Seeds first, then what pulls."""
    assert ways_in(name, window) == expected


def test_link_columns() -> None:
    """The own key, references, and the person if there are people."""
    orders = Window(roots=(Root("Guide", "id", "7"),), people={"GuideWallet": (7,)})
    assert link_columns("wallet.wallet_orders", Window()) == ("order_id", "user_id")
    assert link_columns("wallet.wallet_orders", orders) == ("order_id", "user_id", "consultant_id")
    assert link_columns("guide.guide_profile", Window()) == ("x_auth_id",)
    assert link_columns("auth.user_devices", WEEK) == ("auth_user_id", "device_id")
