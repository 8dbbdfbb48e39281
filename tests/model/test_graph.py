"""The declaration: as large as the specification says, and whole in itself."""

from collections import Counter

from exporter.model.graph import GROUPS, NODES, RELATIONSHIPS, SKIPPED_TABLES
from exporter.model.vocabulary import Constant, IdRule, Pii, Type

TABLES = {node.table for node in NODES} | {made.table for made in RELATIONSHIPS}
JOIN_TABLES = {"guide.guide_skills", "guide.guide_languages"}

# The names of domain-model.md, section "Unused/Empty Tables", and the legacy tables of its note 5.
UNUSED = """
customers: address customer_address
guide: addresses media agreement kyc_document
consultation: agora_webhook_events feedback_comments_by_guide
wallet: users wallets coupons quick_connect_rates refund_audit wallet_settings consultant_payouts consultants
offers: offer_campaigns consultant_rates user_segments volume_bonus_tracking
notifications: client_events delivery_attempts escalation_rules
"""


def test_counts() -> None:
    """33 labels, 44 patterns of 39 types, 35 tables (graph-model.md, first paragraph)."""
    types = {made.type for made in RELATIONSHIPS}
    assert (len(NODES), len(RELATIONSHIPS), len(types), len(TABLES)) == (33, 44, 39, 35)


def test_every_name_is_declared_once() -> None:
    """No label, no table of a label and no pattern comes twice."""
    names = [node.label for node in NODES] + [node.table for node in NODES] + [made.name for made in RELATIONSHIPS]
    assert [name for name, times in Counter(names).items() if times > 1] == []


def test_both_ends_are_labels() -> None:
    """No pattern starts or ends at a label that is not declared."""
    ends = {end for made in RELATIONSHIPS for end in (made.start, made.end)}
    assert ends <= {node.label for node in NODES}


def test_a_relationship_comes_from_the_row_of_one_of_its_ends() -> None:
    """Each owns exactly one end, its table's node, unless it comes from a join table, which owns none."""
    keys = {node.table: (node.label, node.key.columns) for node in NODES}
    owned = {
        made.name: sum(
            keys.get(made.table) == (label, reference.columns)
            for label, reference in ((made.start, made.start_reference), (made.end, made.end_reference))
        )
        for made in RELATIONSHIPS
    }
    assert owned == {made.name: 0 if made.table in JOIN_TABLES else 1 for made in RELATIONSHIPS}


def test_a_property_is_named_once() -> None:
    """The key, the properties and what a Device takes for its key are different columns of an entity."""
    for entity in (*NODES, *RELATIONSHIPS):
        names = [given.name for given in entity.properties]
        assert len(names) == len(set(names))
    repeated = {node.label for node in NODES for given in node.properties if given.name in node.key.columns}
    assert repeated == {"Device"}


def test_foreign_keys_are_no_properties() -> None:
    """But for the one column for which the document has no pattern (graph-model.md, first paragraph)."""
    referring = {
        (made.table, column)
        for made in RELATIONSHIPS
        for reference in (made.start_reference, made.end_reference)
        for column in reference.columns
    }
    repeated = {
        (node.table, given.name)
        for node in NODES
        for given in node.properties
        if (node.table, given.name) in referring and given.name not in node.key.columns
    }
    assert repeated == set()
    consumption = next(node for node in NODES if node.label == "OfferConsumption")
    assert [given.type for given in consumption.properties if given.name == "reservation_id"] == [Type.LONG]


def test_keys() -> None:
    """All keys are integers but those of two labels, and that of Device, which is a pair."""
    grammars = {node.label: node.key.id_rule for node in NODES if node.key.id_rule is not IdRule.INTEGER}
    assert grammars == {"Session": IdRule.UUID, "Notification": IdRule.UUID, "Device": IdRule.PAIR}


def test_optional_references() -> None:
    """The 15 marked ? in the specification, and the text auth ID, which may name nobody."""
    marked_columns = {
        made.name: reference.optional
        for made in RELATIONSHIPS
        for reference in (made.start_reference, made.end_reference)
        if reference.optional
    }
    assert marked_columns == {
        "Customer-HAS_AUTH-AuthUser": "x_auth_id",
        "Guide-HAS_AUTH-AuthUser": "x_auth_id",
        "Guide-REFERRED_BY-Guide": "referrer_code",
        "Consultation-PAID_VIA-WalletOrder": "order_id",
        "Payment-VIA_GATEWAY-PaymentGateway": "gateway_id",
        "Payment-MATCHED_RULE-PromotionRule": "promotion_rule_id",
        "WalletOrder-FOR_CONSULTATION-Consultation": "order_id",
        "Transaction-FOR_ORDER-WalletOrder": "order_id",
        "OfferReservation-USED_IN-Consultation": "consultation_id",
        "OfferConsumption-VIA_PAYMENT-Payment": "payment_order_id",
        "MilestoneProgress-FOR_OFFER-Offer": "offer_id",
        "AuthUser-LOGIN-LoginActivity": "auth_user_id",
        "AuthUser-OTP-OTPAttempt": "auth_user_id",
        "Session-ON_DEVICE-Device": "device_id",
        "Notification-TO_USER-AuthUser": "auth_user_id",
        "Lead-CONVERTED_TO-Customer": "customer_id",
    }


def test_relationship_properties() -> None:
    """Five patterns say how the link was made, one repeats its row's target type; the others have none."""
    given = {made.name: made.properties for made in RELATIONSHIPS if made.properties}
    constants = {name: of for name, of in given.items() if isinstance(of[0], Constant)}
    assert constants == {
        "Customer-HAS_AUTH-AuthUser": (Constant("via", "x_auth_id"),),
        "Customer-HAS_WALLET-CustomerWallet": (Constant("via", "customer_id=user_id"),),
        "Guide-HAS_AUTH-AuthUser": (Constant("via", "x_auth_id"),),
        "Guide-HAS_WALLET-GuideWallet": (Constant("via", "id=consultant_id", "phone_number"),),
        "Guide-REFERRED_BY-Guide": (Constant("via", "referrer_code"),),
    }
    assert {name: [each.name for each in of] for name, of in given.items() if name not in constants} == {
        "Notification-TO_USER-AuthUser": ["target_type"]
    }


def test_personal_data_is_marked() -> None:
    """Every mark of the specification stands where it does there."""
    marked_columns: dict[Pii, set[str]] = {}
    for node in NODES:
        for given in node.properties:
            if given.pii:
                marked_columns.setdefault(given.pii, set()).add(f"{node.label}.{given.name}")
    assert marked_columns == {
        Pii.PHONE: {"AuthUser.phone_number", "Customer.phone_number", "Guide.phone_number", "Lead.phone"},
        Pii.NAME: {"Guide.full_name", "CustomerProfile.name", "BankAccount.account_holder_name", "Lead.name"},
        Pii.TEXT: {"SavedMessage.content", "Feedback.feedback_text", "Notification.title", "Notification.body"},
        Pii.TOKEN: {"Device.fcm_token"},
        Pii.IP: {"LoginActivity.ip_address"},
        Pii.BANK: {"BankAccount.ifsc_code"},
        Pii.BIRTH: {"CustomerProfile.dob", "CustomerProfile.tob", "CustomerProfile.birth_city"},
    }


def test_the_groups_hold_every_table_once() -> None:
    """The document's ten groups are all the tables there are."""
    grouped = [table for names in GROUPS.values() for table in names]
    assert (len(GROUPS), sorted(grouped)) == (10, sorted(TABLES))


def test_the_skip_list() -> None:
    """It is the document's, and holds no table that is exported."""
    listed = {
        f"{schema}.{table}"
        for schema, _, names in (line.partition(": ") for line in UNUSED.split("\n") if line)
        for table in names.split()
    }
    assert listed == SKIPPED_TABLES
    assert listed.isdisjoint(TABLES)
