"""The rules of a window's closure once more: plain Python, all rows in memory, a loop until nothing changes."""

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tests.support.reference_rules import integer_id, text_auth_id, uuid

Row = dict[str, Any]

# A table, its label, its key; whose it is; which labels its rows keep, by which column and pattern, ↓ for companions.
# In the order of the patterns.
RULES = """
customers.customer              | Customer customer_id          | Customer customer_id     | AuthUser x_auth_id (Customer)-[HAS_AUTH]->(AuthUser) ↓
wallet.user_wallets             | CustomerWallet user_id        | Customer user_id         | Customer user_id (Customer)-[HAS_WALLET]->(CustomerWallet) ↓
customers.customer_profile      | CustomerProfile profile_id    | Customer customer_id     | Customer customer_id (Customer)-[HAS_PROFILE]->(CustomerProfile) ↓
guide.guide_profile             | Guide id                      |                          | AuthUser x_auth_id (Guide)-[HAS_AUTH]->(AuthUser)
consultation.consultation       | Consultation id               | Customer customer_id     | Customer customer_id (Customer)-[BOOKED]->(Consultation); WalletOrder order_id (Consultation)-[PAID_VIA]->(WalletOrder) ↓
consultation.agora_consultation_session | AgoraSession id       |                          | Consultation consultation_id (Consultation)-[HAS_SESSION]->(AgoraSession) ↓
consultation.feedback           | Feedback id                   |                          | Consultation consultation_id (Consultation)-[HAS_FEEDBACK]->(Feedback) ↓
consultation.consultation_quality_metrics | QualityMetrics id   |                          | Consultation consultation_id (Consultation)-[HAS_METRICS]->(QualityMetrics) ↓
wallet.payment_orders           | Payment payment_order_id      | Customer user_id         | Customer user_id (Customer)-[MADE_PAYMENT]->(Payment); CustomerWallet user_id (Payment)-[CREDITED_TO]->(CustomerWallet)
wallet.invoices                 | Invoice invoice_id            |                          | Payment payment_order_id (Payment)-[HAS_INVOICE]->(Invoice) ↓
wallet.wallet_orders            | WalletOrder order_id          | Customer user_id         | CustomerWallet user_id (WalletOrder)-[DEBITED_FROM]->(CustomerWallet)
wallet.wallet_transactions      | Transaction transaction_id    | Customer user_id         | CustomerWallet user_id (CustomerWallet)-[HAS_TRANSACTION]->(Transaction); WalletOrder order_id (Transaction)-[FOR_ORDER]->(WalletOrder) ↓
offers.offer_reservations       | OfferReservation reservation_id | Customer user_id       | Customer user_id (Customer)-[RESERVED]->(OfferReservation); Consultation consultation_id (OfferReservation)-[USED_IN]->(Consultation) ↓
offers.offer_consumptions       | OfferConsumption consumption_id | Customer user_id       | Customer user_id (Customer)-[CONSUMED]->(OfferConsumption); Payment payment_order_id (OfferConsumption)-[VIA_PAYMENT]->(Payment) ↓
offers.user_behavior_metrics    | UserBehavior user_id          | Customer user_id         | Customer user_id (Customer)-[HAS_BEHAVIOR]->(UserBehavior) ↓
offers.user_milestone_progress  | MilestoneProgress id          | Customer user_id         | Customer user_id (Customer)-[HAS_MILESTONE]->(MilestoneProgress)
auth.auth_user_roles            | Role id                       | AuthUser auth_user_id    | AuthUser auth_user_id (AuthUser)-[HAS_ROLE]->(Role) ↓
auth.user_sessions              | Session id                    | AuthUser auth_user_id    | AuthUser auth_user_id (AuthUser)-[HAS_SESSION]->(Session)
auth.user_devices               | Device auth_user_id,device_id | AuthUser auth_user_id    | AuthUser auth_user_id (AuthUser)-[HAS_DEVICE]->(Device) ↓
auth.login_activities           | LoginActivity id              | AuthUser auth_user_id    | AuthUser auth_user_id (AuthUser)-[LOGIN]->(LoginActivity)
auth.otp_attempts               | OTPAttempt id                 | AuthUser auth_user_id    | AuthUser auth_user_id (AuthUser)-[OTP]->(OTPAttempt)
notifications.notifications     | Notification id               | AuthUser auth_user_id    | AuthUser auth_user_id (Notification)-[TO_USER]->(AuthUser)
marketing.leads                 | Lead id                       | Customer customer_id     | Customer customer_id (Lead)-[CONVERTED_TO]->(Customer) ↓
auth.auth_users                 | AuthUser id                   | AuthUser id              |
"""  # noqa: E501 - rows of a table
CLOSED = ("AuthUser", "Customer", "CustomerWallet", "Consultation", "WalletOrder", "Payment")
OF_PEOPLE = ("auth.auth_users", "customers.customer", "wallet.user_wallets")
# The place of each table in the model's order, from 1, as far as rows can be drawn by their own key.
PLACES = {
    "auth.auth_user_roles": 7, "customers.customer_profile": 10, "consultation.consultation": 18,
    "wallet.payment_orders": 22, "wallet.wallet_orders": 23, "wallet.wallet_transactions": 24,
    "offers.offer_reservations": 26, "offers.offer_consumptions": 27, "offers.user_milestone_progress": 29,
    "auth.user_sessions": 30, "auth.login_activities": 32, "auth.otp_attempts": 33, "marketing.leads": 34,
    "notifications.notifications": 35,
}  # fmt: skip
LOWEST_64 = (1 << 64) - 1


@dataclass(frozen=True)
class Up:
    """A reference that is followed upwards, and downwards too if it is a companion's."""

    label: str
    column: str
    pattern: str
    companion: bool


@dataclass(frozen=True)
class Table:
    """What the rules say of a table."""

    name: str
    label: str
    key: tuple[str, ...]
    person: tuple[str, str] | None
    ups: tuple[Up, ...]


def parsed(line: str) -> Table:
    name, own, person, ups = (part.strip() for part in line.split("|"))
    label, key = own.split()
    who = person.split()
    references = (each.split() for each in ups.split(";") if each.strip())
    return Table(
        name,
        label,
        tuple(key.split(",")),
        (who[0], who[1]) if who else None,
        tuple(Up(each[0], each[1], each[2], len(each) > 3) for each in references),
    )


TABLES = {table.name: table for table in map(parsed, RULES.strip().split("\n"))}


@dataclass(frozen=True)
class Asked:
    """What a window is asked for; `people` is None if it is not limited to some."""

    timed: bool = False
    sample: Fraction | None = None
    seed: int = 0
    people: dict[str, set[int]] | None = None
    without: frozenset[str] = frozenset()


@dataclass
class Closure:
    """Which rows of each table are in, what is kept, and how many rows each pattern brought in."""

    rows: dict[str, list[bool]] = field(default_factory=dict)
    kept: dict[str, dict[int, str | None]] = field(default_factory=dict)
    pulled: Counter[str] = field(default_factory=Counter)


def splitmix64(state: int) -> int:
    mixed = (state + 0x9E3779B97F4A7C15) & LOWEST_64
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & LOWEST_64
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & LOWEST_64
    return mixed ^ (mixed >> 31)


def draw(kind: int, number: int, seed: int) -> int:
    return splitmix64((number & LOWEST_64) ^ splitmix64((seed + kind) & LOWEST_64))


def is_drawn(kind: int, number: int, asked: Asked) -> bool:
    assert asked.sample is not None
    return draw(kind, number, asked.seed) < int(asked.sample * 2**64)


def text(value: Any) -> str | None:
    return None if value is None else str(value)


def id_of(table: Table, row: Row, column: str) -> int | None:
    """The canonical id in a column."""
    if (table.name, column) == ("notifications.notifications", "auth_user_id"):
        return text_auth_id(text(row[column]))
    return integer_id(text(row[column]))


def own_number(table: Table, row: Row) -> int | None:
    """The number by which a row that is nobody's is drawn."""
    if table.label in ("Session", "Notification"):
        key = uuid(text(row["id"]))
        return None if key is None else int(key.replace("-", "")[:15], 16)
    return id_of(table, row, table.key[0])


def has_key(table: Table, row: Row) -> bool:
    """Whether a row's own key is neither null nor malformed."""
    if table.label == "Device" and row["device_id"] is None:
        return False
    return own_number(table, row) is not None


class People:
    """Who is asked for."""

    def __init__(self, source: dict[str, list[Row]], asked: Asked) -> None:
        self.asked = asked
        self.owners: dict[int, set[int]] = {}
        customers = TABLES["customers.customer"]
        for row in source[customers.name]:
            customer, user = id_of(customers, row, "customer_id"), id_of(customers, row, "x_auth_id")
            if customer is not None and user is not None:
                self.owners.setdefault(user, set()).add(customer)

    def has(self, label: str, number: int) -> bool:
        """Whether a person is among them."""
        if self.asked.sample is None:
            assert self.asked.people is not None
            return number in self.asked.people.get(label, ())
        if label == "Customer":
            return is_drawn(1, number, self.asked)
        if number in self.owners:
            return any(is_drawn(1, customer, self.asked) for customer in self.owners[number])
        return is_drawn(2, number, self.asked)

    def asked_for(self, table: Table, row: Row) -> bool:
        """Whether a row is asked for as somebody's, apart from its time."""
        if table.person is None:
            return False
        label, column = table.person
        number = id_of(table, row, column)
        if number is not None:
            return self.has(label, number)
        drawn_by = None if self.asked.sample is None or column in table.key else own_number(table, row)
        return drawn_by is not None and is_drawn(100 + PLACES[table.name], drawn_by, self.asked)

    def of_guide(self, table: Table, row: Row) -> bool:
        """Whether a row is what a root guide did."""
        people = self.asked.people or {}
        if table.name == "consultation.consultation":
            return id_of(table, row, "guide_id") in people.get("Guide", ())
        return table.name == "wallet.wallet_orders" and (
            id_of(table, row, "consultant_id") in people.get("GuideWallet", ())
        )

    def itself(self, table: Table, row: Row) -> bool:
        """Whether a row is a root that is nobody."""
        roots = (self.asked.people or {}) if table.label in ("Lead", "Consultation", "WalletOrder", "Payment") else {}
        return table.label in roots and id_of(table, row, table.key[0]) in roots[table.label]


def is_seed(table: Table, row: Row, asked: Asked, people: People) -> bool:
    """Whether a row is a seed."""
    if table.label == "Guide":
        return True
    in_time = not asked.timed or row["in time"]
    if asked.sample is None and asked.people is None:
        return in_time
    theirs = people.asked_for(table, row) and (in_time or table.name in OF_PEOPLE)
    return theirs or (people.of_guide(table, row) and in_time) or people.itself(table, row)


def closure(source: dict[str, list[Row]], asked: Asked) -> Closure:
    """What the rules say of the rows of a source."""
    people = People(source, asked)
    found = Closure(kept={label: {} for label in CLOSED})
    tables = [table for table in TABLES.values() if table.label not in asked.without]
    changed = True
    while changed:
        changed = False
        for table in tables:
            new: list[tuple[str, int, str | None]] = []
            found.rows[table.name] = [
                why is not None for why in (reason(table, row, asked, people, found) for row in source[table.name])
            ]
            for row, is_in in zip(source[table.name], found.rows[table.name], strict=True):
                if is_in:
                    new += keeps(table, row, reason(table, row, asked, people, found))
            # What a seed keeps comes first, then what the patterns do, in their order.
            for label, number, pattern in sorted(new, key=lambda each: PATTERN_ORDER.index(each[2])):
                if number not in found.kept[label]:
                    found.kept[label][number], changed = pattern, True
    for table in tables:
        for row in source[table.name]:
            why = reason(table, row, asked, people, found)
            if why in PATTERN_ORDER[1:]:
                found.pulled[str(why)] += 1
    return found


PATTERN_ORDER: list[str | None] = [None, *(up.pattern for table in TABLES.values() for up in table.ups)]


def reason(table: Table, row: Row, asked: Asked, people: People, found: Closure) -> str | None:
    """Why a row is in: `seed`, `key` (with a seed), the pattern that brought it, or None if it is out."""
    if is_seed(table, row, asked, people):
        return "seed"
    if not has_key(table, row):
        return None
    if table.label in CLOSED:
        number = id_of(table, row, table.key[0])
        if number in found.kept[table.label]:
            assert number is not None
            return found.kept[table.label][number] or "key"
    for up in table.ups:
        if up.companion and id_of(table, row, up.column) in found.kept[up.label]:
            return up.pattern
    return None


def keeps(table: Table, row: Row, why: str | None) -> list[tuple[str, int, str | None]]:
    """What a row that is in keeps: label, id, and the pattern that does it."""
    kept = []
    own = id_of(table, row, table.key[0]) if table.label in CLOSED else None
    if own is not None:
        kept.append((table.label, own, why if why in PATTERN_ORDER else None))
    for up in table.ups:
        number = id_of(table, row, up.column)
        if number is not None:
            kept.append((up.label, number, up.pattern))
    return kept
