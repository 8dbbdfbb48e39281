"""The declaration: node labels, relationship patterns, indexes, and the tables deliberately left out.

The only place where the graph is stated (graph-model.md). SQL, headers, file names, import arguments, manifest entries,
constraints and the diagram derive from these rows; privacy.py says how personal each property is, also row by row.
`validate.py` refuses a declaration that the program cannot export, and docs/extending.md explains how to change it.
"""

from exporter.model.privacy import PRIVACY, TREATMENTS
from exporter.model.vocabulary import (
    ByValue,
    Constant,
    Graph,
    Group,
    IdRule,
    KeepLatest,
    Node,
    Pii,
    Reference,
    Relationship,
    boolean,
    date,
    datetime,
    double,
    integer,
    localtime,
    long,
    optional,
    pair,
    required,
    string,
    uuid,
)

PHONE, NAME, TEXT, TOKEN, IP, BANK, BIRTH = Pii


def via(value: str, by_value: str | None = None) -> tuple[Constant]:
    """The constant property that records how an identity link was made."""
    return (Constant("via", value, by_value),)


TEXT_AUTH_ID = Reference(("auth_user_id",), optional="auth_user_id", id_rule=IdRule.TEXT_AUTH_ID)
REFERRER = Reference(optional="referrer_code", by_value=ByValue("referrer_code", "referral_code", IdRule.CODE))
WALLET_OWNER = Reference(
    ("consultant_id",), by_value=ByValue("phone_number", "phone_number", IdRule.PHONE, exclusive=True)
)

# The labels, in the domain model's ten groups and import order; files, arguments and progress keep that order for the
# reader. Rows are compared with each other, so each takes as few lines as possible.
# fmt: off
GROUPS = (
    Group("Reference data", (
        Node("Skill", "guide.skills", integer("id"), (string("name"), string("description"))),
        Node("Language", "guide.languages", integer("id"), (string("name"),)),
        Node("PaymentGateway", "wallet.payment_gateways", integer("id"), (string("name"),)),
        Node("PromotionRule", "wallet.promotion_rules", integer("id"), (
            string("name"), double("min_recharge_amount"), double("max_recharge_amount"), double("virtual_cash_percentage"))),
        Node("Offer", "offers.offer_definitions", integer("offer_id"), (
            string("offer_name"), string("offer_type"), double("bonus_percentage"), long("free_minutes"), datetime("created_at"))),
    )),
    Group("Auth", (
        Node("AuthUser", "auth.auth_users", integer("id"), (
            string("phone_number", PHONE), boolean("is_active"), boolean("is_test_user"), datetime("created_at"), datetime("updated_at"))),
        Node("Role", "auth.auth_user_roles", integer("id"), (string("role"), boolean("is_active"), datetime("created_at"))),
    )),
    Group("Identities", (
        Node("Customer", "customers.customer", integer("customer_id"), (
            string("phone_number", PHONE), string("country_code"), datetime("created_at"))),
        Node("Guide", "guide.guide_profile", integer("id"), (
            string("full_name", NAME), string("phone_number", PHONE), string("availability_state"), boolean("chat_enabled"),
            boolean("voice_enabled"), boolean("video_enabled"), double("ranking_score"), string("tier"), string("referral_code"),
            datetime("created_at"))),
        Node("CustomerProfile", "customers.customer_profile", integer("profile_id"), (
            string("name", NAME), date("dob", BIRTH), localtime("tob", BIRTH), string("birth_city", BIRTH), string("zodiac_sign"),
            string("gender"), datetime("created_at"))),
    )),
    Group("Wallets", (
        Node("CustomerWallet", "wallet.user_wallets", integer("user_id"), (
            double("real_cash"), double("virtual_cash"), long("recharge_count"), datetime("created_at"), datetime("updated_at"))),
        Node("GuideWallet", "wallet.consultant_wallets", integer("consultant_id"), (
            double("revenue_share"), boolean("accepts_promotional_offers"), datetime("created_at"))),
    )),
    Group("Guide details", (
        Node("BankAccount", "guide.bank_account", integer("id"), (
            string("account_holder_name", NAME), string("bank_name"), string("ifsc_code", BANK))),
        Node("Verification", "guide.verification", integer("id"), (string("target_type"), string("status"), datetime("verified_at"))),
        Node("SavedMessage", "guide.saved_messages", integer("id"), (string("title"), string("content", TEXT), datetime("created_at"))),
    ), join_tables=("guide.guide_skills", "guide.guide_languages")),
    Group("Consultations", (
        Node("Consultation", "consultation.consultation", integer("id"), (
            string("mode"), string("state"), long("duration"), double("base_rate_per_minute"), boolean("is_quick_connect"),
            boolean("promotional"), datetime("created_at"))),
        Node("AgoraSession", "consultation.agora_consultation_session", integer("id"), (
            string("agora_channel_name"), long("duration_seconds"), string("status"), datetime("created_at"))),
        Node("Feedback", "consultation.feedback", integer("id"), (
            long("rating"), string("feedback_text", TEXT), string("status"), datetime("created_at"))),
        Node("QualityMetrics", "consultation.consultation_quality_metrics", integer("id"), (
            boolean("is_short_consultation"), long("customer_message_count"), long("guide_message_count"), double("avg_response_time"),
            datetime("created_at"))),
    )),
    Group("Financial", (
        Node("Payment", "wallet.payment_orders", integer("payment_order_id"), (
            double("amount"), string("status"), string("payment_method"), datetime("created_at"))),
        Node("WalletOrder", "wallet.wallet_orders", integer("order_id"), (
            string("service_type"), long("minutes_ordered"), double("final_amount"), double("consultant_share"), string("status"),
            datetime("created_at"))),
        Node("Transaction", "wallet.wallet_transactions", integer("transaction_id"), (
            string("type"), double("amount"), double("real_cash_delta"), double("virtual_cash_delta"), boolean("is_promotional"),
            datetime("created_at"))),
        Node("Invoice", "wallet.invoices", integer("invoice_id"), (
            string("invoice_number"), double("total_amount"), datetime("created_at"))),
    )),
    Group("Offers", (
        Node("OfferReservation", "offers.offer_reservations", integer("reservation_id"), (
            string("reservation_status"), double("bonus_amount"), datetime("created_at"))),
        Node("OfferConsumption", "offers.offer_consumptions", integer("consumption_id"), (
            string("consumption_status"), double("bonus_amount"), long("reservation_id"), datetime("created_at"))),
        Node("UserBehavior", "offers.user_behavior_metrics", integer("user_id"), (
            string("user_type"), long("total_consultations"), double("total_spent"), string("user_segment"), datetime("updated_at"))),
        Node("MilestoneProgress", "offers.user_milestone_progress", integer("id"), (
            long("milestone_reached"), string("trigger_event"), datetime("created_at"))),
    )),
    Group("Auth details", (
        Node("Session", "auth.user_sessions", uuid("id"), (
            string("user_type"), boolean("is_active"), datetime("access_token_exp"), datetime("created_at"))),
        Node("Device", "auth.user_devices", pair("auth_user_id", "device_id"), (
            string("device_id"), string("device_type"), string("platform"), string("fcm_token", TOKEN), datetime("created_at"),
            datetime("updated_at")), KeepLatest(("updated_at", "created_at"), tiebreaker="id")),
        Node("LoginActivity", "auth.login_activities", integer("id"), (
            string("action"), boolean("success"), string("ip_address", IP), string("user_agent"), datetime("created_at"))),
        Node("OTPAttempt", "auth.otp_attempts", integer("id"), (
            string("purpose"), boolean("is_used"), long("validation_attempts"), datetime("created_at"), datetime("expires_at"))),
    )),
    Group("Other", (
        Node("Lead", "marketing.leads", integer("id"), (
            string("phone", PHONE), string("name", NAME), string("source"), string("utm_source"), string("utm_medium"),
            string("utm_campaign"), string("status"), datetime("created_at"))),
        Node("Notification", "notifications.notifications", uuid("id"), (
            string("event_type"), string("channel"), string("priority"), string("title", TEXT), string("body", TEXT), boolean("is_read"),
            datetime("created_at"))),
    )),
)

RELATIONSHIPS = (
    Relationship("Customer",          "HAS_AUTH",          "AuthUser",          "customers.customer",                        required("customer_id"), optional("x_auth_id"), via("x_auth_id")),
    Relationship("Customer",          "HAS_WALLET",        "CustomerWallet",    "wallet.user_wallets",                       required("user_id"), required("user_id"), via("customer_id=user_id")),
    Relationship("Customer",          "HAS_PROFILE",       "CustomerProfile",   "customers.customer_profile",                required("customer_id"), required("profile_id")),
    Relationship("Guide",             "HAS_AUTH",          "AuthUser",          "guide.guide_profile",                       required("id"), optional("x_auth_id"), via("x_auth_id")),
    Relationship("Guide",             "HAS_WALLET",        "GuideWallet",       "wallet.consultant_wallets",                 WALLET_OWNER, required("consultant_id"), via("id=consultant_id", by_value="phone_number")),
    Relationship("Guide",             "HAS_SKILL",         "Skill",             "guide.guide_skills",                        required("guide_id"), required("skill_id")),
    Relationship("Guide",             "SPEAKS",            "Language",          "guide.guide_languages",                     required("guide_id"), required("language_id")),
    Relationship("Guide",             "HAS_BANK_ACCOUNT",  "BankAccount",       "guide.bank_account",                        required("guide_id"), required("id")),
    Relationship("Guide",             "HAS_VERIFICATION",  "Verification",      "guide.verification",                        required("guide_id"), required("id")),
    Relationship("Guide",             "HAS_SAVED_MESSAGE", "SavedMessage",      "guide.saved_messages",                      required("guide_id"), required("id")),
    Relationship("Guide",             "REFERRED_BY",       "Guide",             "guide.guide_profile",                       required("id"), REFERRER, via("referrer_code")),
    Relationship("Customer",          "BOOKED",            "Consultation",      "consultation.consultation",                 required("customer_id"), required("id")),
    Relationship("Consultation",      "WITH_GUIDE",        "Guide",             "consultation.consultation",                 required("id"), required("guide_id")),
    Relationship("Consultation",      "HAS_SESSION",       "AgoraSession",      "consultation.agora_consultation_session",   required("consultation_id"), required("id")),
    Relationship("Consultation",      "HAS_FEEDBACK",      "Feedback",          "consultation.feedback",                     required("consultation_id"), required("id")),
    Relationship("Consultation",      "HAS_METRICS",       "QualityMetrics",    "consultation.consultation_quality_metrics", required("consultation_id"), required("id")),
    Relationship("Consultation",      "PAID_VIA",          "WalletOrder",       "consultation.consultation",                 required("id"), optional("order_id")),
    Relationship("Customer",          "MADE_PAYMENT",      "Payment",           "wallet.payment_orders",                     required("user_id"), required("payment_order_id")),
    Relationship("Payment",           "VIA_GATEWAY",       "PaymentGateway",    "wallet.payment_orders",                     required("payment_order_id"), optional("gateway_id")),
    Relationship("Payment",           "CREDITED_TO",       "CustomerWallet",    "wallet.payment_orders",                     required("payment_order_id"), required("user_id")),
    Relationship("Payment",           "HAS_INVOICE",       "Invoice",           "wallet.invoices",                           required("payment_order_id"), required("invoice_id")),
    Relationship("Payment",           "MATCHED_RULE",      "PromotionRule",     "wallet.payment_orders",                     required("payment_order_id"), optional("promotion_rule_id")),
    Relationship("WalletOrder",       "DEBITED_FROM",      "CustomerWallet",    "wallet.wallet_orders",                      required("order_id"), required("user_id")),
    Relationship("WalletOrder",       "CREDITED_TO",       "GuideWallet",       "wallet.wallet_orders",                      required("order_id"), required("consultant_id")),
    Relationship("WalletOrder",       "FOR_CONSULTATION",  "Consultation",      "consultation.consultation",                 optional("order_id"), required("id")),
    Relationship("CustomerWallet",    "HAS_TRANSACTION",   "Transaction",       "wallet.wallet_transactions",                required("user_id"), required("transaction_id")),
    Relationship("Transaction",       "FOR_ORDER",         "WalletOrder",       "wallet.wallet_transactions",                required("transaction_id"), optional("order_id")),
    Relationship("Customer",          "RESERVED",          "OfferReservation",  "offers.offer_reservations",                 required("user_id"), required("reservation_id")),
    Relationship("OfferReservation",  "FOR_OFFER",         "Offer",             "offers.offer_reservations",                 required("reservation_id"), required("offer_id")),
    Relationship("OfferReservation",  "USED_IN",           "Consultation",      "offers.offer_reservations",                 required("reservation_id"), optional("consultation_id")),
    Relationship("Customer",          "CONSUMED",          "OfferConsumption",  "offers.offer_consumptions",                 required("user_id"), required("consumption_id")),
    Relationship("OfferConsumption",  "OF_OFFER",          "Offer",             "offers.offer_consumptions",                 required("consumption_id"), required("offer_id")),
    Relationship("OfferConsumption",  "VIA_PAYMENT",       "Payment",           "offers.offer_consumptions",                 required("consumption_id"), optional("payment_order_id")),
    Relationship("Customer",          "HAS_BEHAVIOR",      "UserBehavior",      "offers.user_behavior_metrics",              required("user_id"), required("user_id")),
    Relationship("Customer",          "HAS_MILESTONE",     "MilestoneProgress", "offers.user_milestone_progress",            required("user_id"), required("id")),
    Relationship("MilestoneProgress", "FOR_OFFER",         "Offer",             "offers.user_milestone_progress",            required("id"), optional("offer_id")),
    Relationship("AuthUser",          "HAS_ROLE",          "Role",              "auth.auth_user_roles",                      required("auth_user_id"), required("id")),
    Relationship("AuthUser",          "HAS_SESSION",       "Session",           "auth.user_sessions",                        required("auth_user_id"), required("id")),
    Relationship("AuthUser",          "HAS_DEVICE",        "Device",            "auth.user_devices",                         required("auth_user_id"), required("auth_user_id", "device_id")),
    Relationship("AuthUser",          "LOGIN",             "LoginActivity",     "auth.login_activities",                     optional("auth_user_id"), required("id")),
    Relationship("AuthUser",          "OTP",               "OTPAttempt",        "auth.otp_attempts",                         optional("auth_user_id"), required("id")),
    Relationship("Session",           "ON_DEVICE",         "Device",            "auth.user_sessions",                        required("id"), optional("auth_user_id", "device_id")),
    Relationship("Notification",      "TO_USER",           "AuthUser",          "notifications.notifications",               required("id"), TEXT_AUTH_ID, (string("target_type"),)),
    Relationship("Lead",              "CONVERTED_TO",      "Customer",          "marketing.leads",                           required("id"), optional("customer_id")),
)

# Besides the keys: what sample queries and support staff look things up by (graph-model.md, Constraints and indexes).
INDEXES = (
    ("Customer", "phone_number"), ("Guide", "phone_number"), ("AuthUser", "phone_number"), ("Lead", "phone"),
    ("Device", "device_id"), ("WalletOrder", "status"), ("Transaction", "type"),
    ("Consultation", "created_at"), ("Payment", "created_at"), ("Notification", "created_at"),
)
# fmt: on

# Known, and deliberately not exported (domain-model.md, "Unused/Empty Tables" and note 5).
SKIPPED_TABLES = frozenset({
    "customers.address", "customers.customer_address",
    "guide.addresses", "guide.media", "guide.agreement", "guide.kyc_document",
    "consultation.agora_webhook_events", "consultation.feedback_comments_by_guide",
    "wallet.users", "wallet.wallets", "wallet.consultants", "wallet.coupons", "wallet.quick_connect_rates",
    "wallet.refund_audit", "wallet.wallet_settings", "wallet.consultant_payouts",
    "offers.offer_campaigns", "offers.consultant_rates", "offers.user_segments", "offers.volume_bonus_tracking",
    "notifications.client_events", "notifications.delivery_attempts", "notifications.escalation_rules",
})  # fmt: skip

GRAPH = Graph(GROUPS, RELATIONSHIPS, INDEXES, SKIPPED_TABLES, PRIVACY, TREATMENTS)
NODES = GRAPH.nodes
