"""What a masked copy does with every property, the user's changes to that, and what follows for columns."""

from dataclasses import replace

import pytest

from exporter.errors import UsageError
from exporter.model.graph import GRAPH
from exporter.model.redaction import column_rules, effective_rules, rules_sha256, weakened
from exporter.model.tables import tables
from exporter.model.treatments import PrivacyClass, Rule, Treatment

# The specification's table, without what is kept: the rest of the model is.
SPECIFIED = """
AuthUser | phone_number token:phone
Customer | phone_number token:phone; country_code category
Guide | full_name label; phone_number token:phone; referral_code token:code; availability_state category; tier category
CustomerProfile | name drop; dob year; tob drop; birth_city common; zodiac_sign category; gender category
BankAccount | account_holder_name drop; bank_name common; ifsc_code drop
Verification | target_type category; status category
SavedMessage | title presence; content presence
Consultation | mode category; state category
AgoraSession | agora_channel_name drop; status category
Feedback | feedback_text presence; status category
Payment | status category; payment_method category
WalletOrder | service_type category; status category
Transaction | type category
Invoice | invoice_number token:document
Offer | offer_type category
OfferReservation | reservation_status category
OfferConsumption | consumption_status category
UserBehavior | user_type category; user_segment category
MilestoneProgress | trigger_event category
Session | id token:session; user_type category
Device | device_id token:device; device_type category; platform category; fcm_token drop
LoginActivity | action category; ip_address token:ip; user_agent drop
OTPAttempt | purpose category
Role | role category
Lead | phone token:phone; name drop; source category; utm_source category; utm_medium category; utm_campaign category;\
 status category
Notification | event_type category; channel category; priority category; title presence; body presence
Notification-TO_USER-AuthUser | target_type category
"""


def specified() -> dict[str, str]:
    """The treatment of every property that is not kept, by its name."""
    rows = (line.split(" | ") for line in SPECIFIED.strip().splitlines())
    parts = ((entity, *part.split()) for entity, row in rows for part in row.split("; "))
    return {f"{entity}.{name}": treatment for entity, name, treatment in parts}


def test_every_treatment_is_the_specification_s() -> None:
    """And whatever it does not name is kept."""
    rules = effective_rules({}, frozenset())
    kept = {name: str(rule.treatment) for name, rule in rules.items() if rule.treatment is Treatment.KEEP}
    assert {name: str(rule.treatment) for name, rule in rules.items()} == specified() | kept
    assert weakened(rules) == []


def test_what_is_marked_is_not_kept() -> None:
    """Every PII mark of the model."""
    rules = effective_rules({}, frozenset())
    marked = [f"{node.label}.{prop.name}" for node in GRAPH.nodes for prop in node.properties if prop.pii]
    assert len(marked) > 10
    assert [name for name in marked if rules[name].treatment is Treatment.KEEP] == []


def test_changes() -> None:
    """A stronger treatment as it is, a weaker one if it is accepted; both change the hash."""
    rules = effective_rules({"Guide.full_name": "keep", "Lead.source": "drop"}, frozenset({"Guide.full_name"}))
    assert rules["Guide.full_name"] == Rule(PrivacyClass.DIRECT, Treatment.KEEP)
    assert rules["Lead.source"] == Rule(PrivacyClass.CATEGORY, Treatment.DROP)
    assert weakened(rules) == ["Guide.full_name"]
    unchanged = effective_rules({}, frozenset())
    assert rules_sha256(rules) != rules_sha256(unchanged)
    assert rules_sha256(effective_rules({"Guide.full_name": "label"}, frozenset())) == rules_sha256(unchanged)


def test_all_faults_at_once() -> None:
    """Names, treatments, treatments that do not fit, weaker ones, and accepted ones that are not weaker."""
    changes = {
        "Guide.fullname": "drop",
        "Guide.full_name": "hide",
        "Guide.id": "drop",
        "Guide.referral_code": "drop",
        "Customer.created_at": "label",
        "CustomerProfile.tob": "year",
        "Feedback.feedback_text": "token:phone",
    }
    with pytest.raises(UsageError) as raised:
        effective_rules(changes, frozenset({"Lead.nam", "Lead.name"}))
    texts = "keep, category, common, label, presence, drop, token:phone, token:code, token:device, token:ip,"
    assert str(raised.value).split("\n  ") == [
        "this cannot be masked:",
        "redact_changes: there is no property Guide.fullname; the nearest is Guide.full_name",
        "redact_accept: there is no property Lead.nam; the nearest is Lead.name",
        'redact_changes: Customer.created_at cannot be "label"; it can be keep, year, month, day, drop',
        'redact_changes: Guide.id cannot be "drop"; it can be keep',
        f'redact_changes: Guide.full_name has no treatment "hide"; it can be {texts} token:session, token:document',
        'redact_changes: Guide.referral_code cannot be "drop"; it can be keep, token:code',
        'redact_changes: CustomerProfile.tob cannot be "year"; it can be keep, drop',
        "redact_changes: token:phone is weaker than Feedback.feedback_text allows, whose class is text;"
        " name it in redact_accept if that is meant",
        "redact_accept: Lead.name is drop, which its class allows",
    ]


def test_a_property_without_a_class_is_refused() -> None:
    """Nothing leaves the source because somebody forgot it."""
    classes = {name: privacy for name, privacy in GRAPH.privacy.items() if name != "Role.role"}
    with pytest.raises(UsageError, match=r"Role\.role has no privacy class or treatment in the model"):
        effective_rules({}, frozenset(), replace(GRAPH, privacy=classes))


def test_the_rules_of_columns() -> None:
    """References have the rule of the key they name, links by value that of the property they are compared with."""
    rules = effective_rules({}, frozenset())
    by_table = {table.name: column_rules(table, rules) for table in tables()}
    assert all(list(by_table[table.name]) and set(by_table[table.name]) == set(table.uses()) for table in tables())
    treatments = {table: {column: rule.treatment for column, rule in of.items()} for table, of in by_table.items()}
    assert treatments["wallet.consultant_wallets"]["phone_number"] == Treatment.TOKEN_PHONE
    assert treatments["guide.guide_profile"]["referrer_code"] == Treatment.TOKEN_CODE
    assert treatments["auth.user_sessions"]["device_id"] == Treatment.TOKEN_DEVICE
    assert treatments["auth.user_sessions"]["id"] == Treatment.TOKEN_SESSION
    assert by_table["auth.user_devices"]["auth_user_id"] == Rule(PrivacyClass.KEY, Treatment.KEEP)
    assert treatments["notifications.notifications"]["target_type"] == Treatment.CATEGORY
    assert by_table["notifications.notifications"]["auth_user_id"] == Rule(PrivacyClass.KEY, Treatment.KEEP)
