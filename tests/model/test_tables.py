"""What each source table gives: its columns and their uses, the ends a row owns, what the key index must know."""

import pytest

from exporter.errors import SourceError
from exporter.model.graph import RELATIONSHIPS
from exporter.model.tables import (
    Table,
    ends,
    linked_values,
    node,
    referenced_labels,
    tables,
)
from exporter.model.vocabulary import Graph, Group, IdRule, Key, Node, Relationship, Type, required, string
from tests.oracle import declaration


def table(name: str) -> Table:
    """The table of that name."""
    return next(table for table in tables() if table.name == name)


def test_uses_of_a_table_with_a_node() -> None:
    """Key, properties and references, each column once, in the order of the declaration."""
    assert table("consultation.consultation").uses() == {
        "id": IdRule.INTEGER,
        "mode": Type.STRING,
        "state": Type.STRING,
        "duration": Type.LONG,
        "base_rate_per_minute": Type.DOUBLE,
        "is_quick_connect": Type.BOOLEAN,
        "promotional": Type.BOOLEAN,
        "created_at": Type.DATETIME,
        "customer_id": IdRule.INTEGER,
        "guide_id": IdRule.INTEGER,
        "order_id": IdRule.INTEGER,
    }


def test_uses_of_a_join_table() -> None:
    """Both references, each as its label's key."""
    assert table("guide.guide_skills").uses() == {"guide_id": IdRule.INTEGER, "skill_id": IdRule.INTEGER}


def test_uses_of_a_table_that_links_by_value() -> None:
    """The phone of a wallet is read although it is no property; a guide's codes as property and as link."""
    wallet = table("wallet.consultant_wallets").uses()
    guide = table("guide.guide_profile").uses()
    assert (wallet["consultant_id"], wallet["phone_number"]) == (IdRule.INTEGER, IdRule.PHONE)
    assert (guide["referral_code"], guide["referrer_code"], guide["x_auth_id"]) \
        == (Type.STRING, IdRule.CODE, IdRule.INTEGER)  # fmt: skip


def test_uses_of_a_pair() -> None:
    """A pair is an integer ID and a text, for the node and for who refers to it."""
    for name in ("auth.user_devices", "auth.user_sessions"):
        uses = table(name).uses()
        assert (uses["auth_user_id"], uses["device_id"]) == (IdRule.INTEGER, Type.STRING)


def test_uses_of_a_text_auth_id() -> None:
    """A reference's own rule goes before its label's; a relationship property is read as one."""
    uses = table("notifications.notifications").uses()
    assert (uses["id"], uses["auth_user_id"], uses["target_type"]) == (IdRule.UUID, IdRule.TEXT_AUTH_ID, Type.STRING)


def test_key_columns() -> None:
    """A node's key, or the pair that a join table's row is."""
    assert [table(name).key_columns for name in ("auth.user_devices", "guide.guide_languages", "guide.skills")] \
        == [("auth_user_id", "device_id"), ("guide_id", "language_id"), ("id",)]  # fmt: skip


def test_owned_ends() -> None:
    """A row owns its own node's end; a guide's referrer is another row although it has the same label."""
    owned = {
        relationship.name: [table(relationship.table).owns(*end) for end in ends(relationship)]
        for relationship in RELATIONSHIPS
        if relationship.name in {"Customer-BOOKED-Consultation", "Guide-REFERRED_BY-Guide", "Guide-HAS_SKILL-Skill"}
    }
    assert owned == {
        "Customer-BOOKED-Consultation": [False, True],
        "Guide-REFERRED_BY-Guide": [True, False],
        "Guide-HAS_SKILL-Skill": [False, False],
    }


def test_labels_whose_keys_the_index_needs() -> None:
    """Those that rows of other tables refer to by key: not by a code, and not their own node."""
    ends = {
        end
        for pattern in declaration.RELATIONSHIPS
        for end in ((pattern.start, pattern.start_column), (pattern.end, pattern.end_column))
    }
    referred = {label for label, column in ends if column not in ("=", "referrer_code?")}
    assert referenced_labels() == tuple(sorted(referred))


def test_another_graph() -> None:
    """Its tables and their uses follow from it alone."""
    shop = Node("Shop", "a.shops", Key(("code",), IdRule.CODE), (string("name"),))
    sells = Relationship("Shop", "SELLS", "Shop", "a.sales", required("shop"), required("of"))
    [sales, shops] = tables(Graph((Group("All", (shop,), ("a.sales",)),), (sells,)))
    assert (shops.name, shops.node, shops.relationships, shops.uses()) \
        == ("a.shops", shop, (), {"code": IdRule.CODE, "name": Type.STRING})  # fmt: skip
    assert (sales.node, sales.relationships, sales.uses()) \
        == (None, (sells,), {"shop": IdRule.CODE, "of": IdRule.CODE})  # fmt: skip


def test_a_label_that_is_not_declared() -> None:
    """It is a sentence, not a traceback."""
    with pytest.raises(SourceError, match="the model refers to a label Gide that it does not declare"):
        node("Gide")


def test_linked_values() -> None:
    """A guide's referral code; the phones of guides, and of wallets, which must not share one."""
    assert linked_values() == [
        ("Guide", "referral_code", IdRule.CODE),
        ("Guide", "phone_number", IdRule.PHONE),
        ("GuideWallet", "phone_number", IdRule.PHONE),
    ]
