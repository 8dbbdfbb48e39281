"""Windows, parts of the source that are referentially whole: what of them cannot be derived from the graph, once.

A window keeps the rows that were asked for (seeds), whatever rows that are in refer to, and the companions of what is
kept. Which columns refer to what is the graph's business; ways_in.py derives the rest from both.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cache

from exporter.model.graph import NODES
from exporter.model.tables import Table, ends, id_rule_of, is_declared, node, referenced_labels, tables
from exporter.model.vocabulary import IdRule, Relationship

# Every row is in, in every window: reference data, the guides and what is theirs (the links by value count owners over
# all of them).
WHOLE = frozenset({
    "guide.skills", "guide.languages", "wallet.payment_gateways", "wallet.promotion_rules", "offers.offer_definitions",
    "guide.guide_profile", "guide.guide_skills", "guide.guide_languages", "guide.bank_account", "guide.verification",
    "guide.saved_messages", "wallet.consultant_wallets",
})  # fmt: skip

# The column by which a dated table's rows are in time; `created_at` for all others.
TIMES = {"offers.user_behavior_metrics": "updated_at"}

# References that also work downwards: a row is in if the node that it names by one of these columns is kept.
COMPANIONS = {
    "auth.auth_user_roles": ("auth_user_id",),
    "auth.user_devices": ("auth_user_id",),
    "customers.customer": ("x_auth_id",),
    "customers.customer_profile": ("customer_id",),
    "wallet.user_wallets": ("user_id",),
    "consultation.consultation": ("order_id",),
    "consultation.agora_consultation_session": ("consultation_id",),
    "consultation.feedback": ("consultation_id",),
    "consultation.consultation_quality_metrics": ("consultation_id",),
    "wallet.wallet_transactions": ("order_id",),
    "wallet.invoices": ("payment_order_id",),
    "offers.offer_reservations": ("consultation_id",),
    "offers.offer_consumptions": ("payment_order_id",),
    "offers.user_behavior_metrics": ("user_id",),
    "marketing.leads": ("customer_id",),
}

# Whose a row is: a label and the column with its id. Customers and their wallets share their ids.
PERSONS = {
    "auth.auth_users": ("AuthUser", "id"),
    "auth.auth_user_roles": ("AuthUser", "auth_user_id"),
    "auth.user_sessions": ("AuthUser", "auth_user_id"),
    "auth.user_devices": ("AuthUser", "auth_user_id"),
    "auth.login_activities": ("AuthUser", "auth_user_id"),
    "auth.otp_attempts": ("AuthUser", "auth_user_id"),
    "customers.customer": ("Customer", "customer_id"),
    "customers.customer_profile": ("Customer", "customer_id"),
    "wallet.user_wallets": ("Customer", "user_id"),
    "wallet.payment_orders": ("Customer", "user_id"),
    "wallet.wallet_orders": ("Customer", "user_id"),
    "wallet.wallet_transactions": ("Customer", "user_id"),
    "consultation.consultation": ("Customer", "customer_id"),
    "offers.offer_reservations": ("Customer", "user_id"),
    "offers.offer_consumptions": ("Customer", "user_id"),
    "offers.user_behavior_metrics": ("Customer", "user_id"),
    "offers.user_milestone_progress": ("Customer", "user_id"),
    "marketing.leads": ("Customer", "customer_id"),
    "notifications.notifications": ("AuthUser", "auth_user_id"),
}

# Rows of the people themselves are asked for whatever their time; what people did is limited by it.
PEOPLE_TABLES = frozenset({"auth.auth_users", "customers.customer", "wallet.user_wallets"})

# Whose a row is besides, where guides are asked for as roots.
GUIDES = {
    "consultation.consultation": ("Guide", "guide_id"),
    "wallet.wallet_orders": ("GuideWallet", "consultant_id"),
}

# What may be asked for by name: these labels, by their key or by one of these properties, compared by the rule.
ROOT_LABELS = ("Customer", "AuthUser", "CustomerWallet", "Lead", "Guide", "Consultation", "WalletOrder", "Payment")
ROOT_RULES = {"phone_number": IdRule.PHONE, "phone": IdRule.PHONE, "referral_code": IdRule.CODE}
# Those of which only the row itself, with what belongs to it, is asked for; whatever its time.
SINGLE_ROOTS = frozenset({"Lead", "Consultation", "WalletOrder", "Payment"})


@dataclass(frozen=True, slots=True)
class Root:
    """A node that was asked for by name. The value may be a phone number: it is never shown."""

    label: str
    property: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class WindowRequest:
    """A window as it was asked for: times are a span before the snapshot, or a moment (aware)."""

    since: timedelta | datetime | None = None
    until: timedelta | datetime | None = None
    sample: Fraction | None = None
    seed: int = 0
    roots: tuple[Root, ...] = ()
    without: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Window:
    """A window as the snapshot resolves it: times in UTC, `since` included and `until` not; `sample` is a share of all
    people; `without` are labels.

    `people` has the canonical ids of what the roots are, by label: Customer and AuthUser (completed by each other),
    Guide, GuideWallet, and the single Lead, Consultation, WalletOrder, Payment.
    """

    since: datetime | None = None
    until: datetime | None = None
    sample: Fraction | None = None
    seed: int = 0
    roots: tuple[Root, ...] = ()
    without: frozenset[str] = frozenset()
    people: Mapping[str, tuple[int, ...]] = field(default_factory=dict, repr=False)

    @property
    def timed(self) -> bool:
        """Whether rows are limited by their time."""
        return self.since is not None or self.until is not None

    @property
    def of_people(self) -> bool:
        """Whether rows are limited to some people's."""
        return self.sample is not None or bool(self.roots)


@dataclass(frozen=True, slots=True)
class Closed:
    """What the closure found: of each table whose links were read, (rows read, rows in) of each chunk in order; and by
    pattern, `(Notification)-[TO_USER]->(AuthUser)`, the rows that are no seeds and that it brought in first."""

    rows: dict[str, tuple[tuple[int, int], ...]]
    pulled: dict[str, int]


@dataclass(frozen=True, slots=True)
class Up:
    """A reference into a closed label: a row that is in keeps the node that `column`, read by `id_rule`, names.
    `pattern` is the first relationship that is made of it."""

    column: str
    id_rule: IdRule
    label: str
    pattern: str


def table_of(name: str) -> Table:
    """The table of that name."""
    return next(table for table in tables() if table.name == name)


def dated_tables() -> tuple[Table, ...]:
    """The tables of which a window may leave rows out, in import order."""
    return tuple(table for table in tables() if table.name not in WHOLE)


def time_column(name: str) -> str:
    """The column that says when a row of a dated table was made."""
    return TIMES.get(name, "created_at")


def pattern(relationship: Relationship) -> str:
    """A relationship as Cypher writes it: (Notification)-[TO_USER]->(AuthUser)."""
    return f"({relationship.start})-[{relationship.type}]->({relationship.end})"


# The labels of dated tables that rows refer to; nobody refers to devices but by their auth user, of whom all are kept.
CLOSED_LABELS = frozenset(
    label
    for label in referenced_labels()
    if is_declared(label)  # validate.py reports the others
    and node(label).table not in WHOLE
    and node(label).key.id_rule != IdRule.PAIR
)
# The labels that nobody refers to, so that they may be left out.
REMOVABLE = frozenset(each.label for each in NODES) - frozenset(referenced_labels())


@cache
def up_references(name: str) -> tuple[Up, ...]:
    """The references of a table's rows into closed labels, each column and label once, in the order of the patterns."""
    table = table_of(name)
    found: dict[tuple[str, str], Up] = {}
    for relationship in table.relationships:
        for label, reference in ends(relationship):
            if label in CLOSED_LABELS and reference.columns and not table.owns(label, reference):
                (column,), id_rule = reference.columns, id_rule_of(label, reference)
                found.setdefault((column, label), Up(column, id_rule, label, pattern(relationship)))
    return tuple(found.values())


def root_properties(label: str) -> dict[str, IdRule]:
    """By what a root of a label may be found: its key, then its other properties, each with the rule that reads it."""
    declared = node(label)
    names = [prop.name for prop in declared.properties if prop.name in ROOT_RULES]
    return {declared.key.columns[0]: declared.key.id_rule} | {name: ROOT_RULES[name] for name in names}
