"""The graph of graph-model.md once more, in the oracle's own words: 33 labels and 44 patterns, one line each."""

from dataclasses import dataclass

NODES_TEXT = """
AuthUser | auth.auth_users | id | phone_number is_active:boolean is_test_user:boolean created_at:datetime\
 updated_at:datetime
Customer | customers.customer | customer_id | phone_number country_code created_at:datetime
Guide | guide.guide_profile | id | full_name phone_number availability_state chat_enabled:boolean voice_enabled:boolean\
 video_enabled:boolean ranking_score:double tier referral_code created_at:datetime
CustomerProfile | customers.customer_profile | profile_id | name dob:date tob:localtime birth_city zodiac_sign gender\
 created_at:datetime
CustomerWallet | wallet.user_wallets | user_id | real_cash:double virtual_cash:double recharge_count:long\
 created_at:datetime updated_at:datetime
Skill | guide.skills | id | name description
Language | guide.languages | id | name
BankAccount | guide.bank_account | id | account_holder_name bank_name ifsc_code
Verification | guide.verification | id | target_type status verified_at:datetime
SavedMessage | guide.saved_messages | id | title content created_at:datetime
GuideWallet | wallet.consultant_wallets | consultant_id | revenue_share:double accepts_promotional_offers:boolean\
 created_at:datetime
Consultation | consultation.consultation | id | mode state duration:long base_rate_per_minute:double\
 is_quick_connect:boolean promotional:boolean created_at:datetime
AgoraSession | consultation.agora_consultation_session | id | agora_channel_name duration_seconds:long status\
 created_at:datetime
Feedback | consultation.feedback | id | rating:long feedback_text status created_at:datetime
QualityMetrics | consultation.consultation_quality_metrics | id | is_short_consultation:boolean\
 customer_message_count:long guide_message_count:long avg_response_time:double created_at:datetime
Payment | wallet.payment_orders | payment_order_id | amount:double status payment_method created_at:datetime
WalletOrder | wallet.wallet_orders | order_id | service_type minutes_ordered:long final_amount:double\
 consultant_share:double status created_at:datetime
Transaction | wallet.wallet_transactions | transaction_id | type amount:double real_cash_delta:double\
 virtual_cash_delta:double is_promotional:boolean created_at:datetime
Invoice | wallet.invoices | invoice_id | invoice_number total_amount:double created_at:datetime
PaymentGateway | wallet.payment_gateways | id | name
PromotionRule | wallet.promotion_rules | id | name min_recharge_amount:double max_recharge_amount:double\
 virtual_cash_percentage:double
Offer | offers.offer_definitions | offer_id | offer_name offer_type bonus_percentage:double free_minutes:long\
 created_at:datetime
OfferReservation | offers.offer_reservations | reservation_id | reservation_status bonus_amount:double\
 created_at:datetime
OfferConsumption | offers.offer_consumptions | consumption_id | consumption_status bonus_amount:double\
 reservation_id:long created_at:datetime
UserBehavior | offers.user_behavior_metrics | user_id | user_type total_consultations:long total_spent:double\
 user_segment updated_at:datetime
MilestoneProgress | offers.user_milestone_progress | id | milestone_reached:long trigger_event created_at:datetime
Session | auth.user_sessions | id:uuid | user_type is_active:boolean access_token_exp:datetime created_at:datetime
Device | auth.user_devices | :pair | device_id device_type platform fcm_token created_at:datetime updated_at:datetime
LoginActivity | auth.login_activities | id | action success:boolean ip_address user_agent created_at:datetime
OTPAttempt | auth.otp_attempts | id | purpose is_used:boolean validation_attempts:long created_at:datetime\
 expires_at:datetime
Role | auth.auth_user_roles | id | role is_active:boolean created_at:datetime
Lead | marketing.leads | id | phone name source utm_source utm_medium utm_campaign status created_at:datetime
Notification | notifications.notifications | id:uuid | event_type channel priority title body is_read:boolean\
 created_at:datetime
"""

# A ? marks an optional reference, = the table's own key.
RELATIONSHIPS_TEXT = """
Customer HAS_AUTH AuthUser | customers.customer | = | x_auth_id?
Customer HAS_WALLET CustomerWallet | wallet.user_wallets | user_id | =
Customer HAS_PROFILE CustomerProfile | customers.customer_profile | customer_id | =
Guide HAS_AUTH AuthUser | guide.guide_profile | = | x_auth_id?
Guide HAS_WALLET GuideWallet | wallet.consultant_wallets | consultant_id | =
Guide HAS_SKILL Skill | guide.guide_skills | guide_id | skill_id
Guide SPEAKS Language | guide.guide_languages | guide_id | language_id
Guide HAS_BANK_ACCOUNT BankAccount | guide.bank_account | guide_id | =
Guide HAS_VERIFICATION Verification | guide.verification | guide_id | =
Guide HAS_SAVED_MESSAGE SavedMessage | guide.saved_messages | guide_id | =
Guide REFERRED_BY Guide | guide.guide_profile | = | referrer_code?
Customer BOOKED Consultation | consultation.consultation | customer_id | =
Consultation WITH_GUIDE Guide | consultation.consultation | = | guide_id
Consultation HAS_SESSION AgoraSession | consultation.agora_consultation_session | consultation_id | =
Consultation HAS_FEEDBACK Feedback | consultation.feedback | consultation_id | =
Consultation HAS_METRICS QualityMetrics | consultation.consultation_quality_metrics | consultation_id | =
Consultation PAID_VIA WalletOrder | consultation.consultation | = | order_id?
Customer MADE_PAYMENT Payment | wallet.payment_orders | user_id | =
Payment VIA_GATEWAY PaymentGateway | wallet.payment_orders | = | gateway_id?
Payment CREDITED_TO CustomerWallet | wallet.payment_orders | = | user_id
Payment HAS_INVOICE Invoice | wallet.invoices | payment_order_id | =
Payment MATCHED_RULE PromotionRule | wallet.payment_orders | = | promotion_rule_id?
WalletOrder DEBITED_FROM CustomerWallet | wallet.wallet_orders | = | user_id
WalletOrder CREDITED_TO GuideWallet | wallet.wallet_orders | = | consultant_id
WalletOrder FOR_CONSULTATION Consultation | consultation.consultation | order_id? | =
CustomerWallet HAS_TRANSACTION Transaction | wallet.wallet_transactions | user_id | =
Transaction FOR_ORDER WalletOrder | wallet.wallet_transactions | = | order_id?
Customer RESERVED OfferReservation | offers.offer_reservations | user_id | =
OfferReservation FOR_OFFER Offer | offers.offer_reservations | = | offer_id
OfferReservation USED_IN Consultation | offers.offer_reservations | = | consultation_id?
Customer CONSUMED OfferConsumption | offers.offer_consumptions | user_id | =
OfferConsumption OF_OFFER Offer | offers.offer_consumptions | = | offer_id
OfferConsumption VIA_PAYMENT Payment | offers.offer_consumptions | = | payment_order_id?
Customer HAS_BEHAVIOR UserBehavior | offers.user_behavior_metrics | user_id | =
Customer HAS_MILESTONE MilestoneProgress | offers.user_milestone_progress | user_id | =
MilestoneProgress FOR_OFFER Offer | offers.user_milestone_progress | = | offer_id?
AuthUser HAS_ROLE Role | auth.auth_user_roles | auth_user_id | =
AuthUser HAS_SESSION Session | auth.user_sessions | auth_user_id | =
AuthUser HAS_DEVICE Device | auth.user_devices | auth_user_id | =
AuthUser LOGIN LoginActivity | auth.login_activities | auth_user_id? | =
AuthUser OTP OTPAttempt | auth.otp_attempts | auth_user_id? | =
Session ON_DEVICE Device | auth.user_sessions | = | device_id?
Notification TO_USER AuthUser | notifications.notifications | = | auth_user_id?
Lead CONVERTED_TO Customer | marketing.leads | = | customer_id?
"""

# The document's groups in its import order; a table of no label is a join table.
GROUPS_TEXT = """
Reference data | Skill Language PaymentGateway PromotionRule Offer
Auth | AuthUser Role
Identities | Customer Guide CustomerProfile
Wallets | CustomerWallet GuideWallet
Guide details | guide.guide_skills guide.guide_languages BankAccount Verification SavedMessage
Consultations | Consultation AgoraSession Feedback QualityMetrics
Financial | Payment WalletOrder Transaction Invoice
Offers | OfferReservation OfferConsumption UserBehavior MilestoneProgress
Auth details | Session Device LoginActivity OTPAttempt
Other | Lead Notification
"""

PII_TEXT = """
phone | AuthUser.phone_number Customer.phone_number Guide.phone_number Lead.phone
name | Guide.full_name CustomerProfile.name BankAccount.account_holder_name Lead.name
text | SavedMessage.content Feedback.feedback_text Notification.title Notification.body
token | Device.fcm_token
ip | LoginActivity.ip_address
bank | BankAccount.ifsc_code
birth | CustomerProfile.dob CustomerProfile.tob CustomerProfile.birth_city
"""

INDEXES_TEXT = """
Customer.phone_number Guide.phone_number AuthUser.phone_number Lead.phone Device.device_id WalletOrder.status
Transaction.type Consultation.created_at Payment.created_at Notification.created_at
"""

# domain-model.md, section "Unused/Empty Tables", and the legacy tables of its note 5.
SKIPPED_TEXT = """
customers | address customer_address
guide | addresses media agreement kyc_document
consultation | agora_webhook_events feedback_comments_by_guide
wallet | users wallets coupons quick_connect_rates refund_audit wallet_settings consultant_payouts consultants
offers | offer_campaigns consultant_rates user_segments volume_bonus_tracking
notifications | client_events delivery_attempts escalation_rules
"""


@dataclass(frozen=True, slots=True)
class Node:
    """A label, its table, its key column ("" for the pair), the key's kind, and the types of its properties by name."""

    label: str
    table: str
    key: str
    kind: str
    properties: dict[str, str]


@dataclass(frozen=True, slots=True)
class Relationship:
    """A pattern and its table; a column is "=" where it is the table's own key, and ends in ? where it is optional."""

    start: str
    type: str
    end: str
    table: str
    start_column: str
    end_column: str

    @property
    def pattern(self) -> str:
        """The name of its folder."""
        return f"{self.start}-{self.type}-{self.end}"


def _node(line: str) -> Node:
    label, table, key, names = line.split(" | ")
    column, _, kind = key.partition(":")
    typed = (name.partition(":") for name in names.split())
    properties = {name: kind or "string" for name, _, kind in typed}
    own = {column: "string" if kind else "long"} if column else {}
    return Node(label, table, column, kind or "integer", own | properties)


def _relationship(line: str) -> Relationship:
    pattern, table, start_column, end_column = line.split(" | ")
    start, type_, end = pattern.split()
    return Relationship(start, type_, end, table, start_column, end_column)


def _rows(text: str) -> dict[str, list[str]]:
    rows = (line.split(" | ") for line in text.strip().splitlines())
    return {heading: names.split() for heading, names in rows}


NODES = {node.label: node for node in map(_node, NODES_TEXT.strip().splitlines())}
RELATIONSHIPS = tuple(map(_relationship, RELATIONSHIPS_TEXT.strip().splitlines()))
OWN_NODE = {node.table: node for node in NODES.values()}
RELATIONSHIP_PROPERTIES = {
    "Customer-HAS_AUTH-AuthUser": "via",
    "Customer-HAS_WALLET-CustomerWallet": "via",
    "Guide-HAS_AUTH-AuthUser": "via",
    "Guide-HAS_WALLET-GuideWallet": "via",
    "Guide-REFERRED_BY-Guide": "via",
    "Notification-TO_USER-AuthUser": "target_type",
}
TABLES = sorted({node.table for node in NODES.values()} | {pattern.table for pattern in RELATIONSHIPS})
GROUPS = _rows(GROUPS_TEXT)
PII = _rows(PII_TEXT)
INDEXES = INDEXES_TEXT.split()
SKIPPED_TABLES = {f"{schema}.{table}" for schema, tables in _rows(SKIPPED_TEXT).items() for table in tables}
