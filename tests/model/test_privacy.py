"""How personal each property is: the specification's table once more, row by row, and nothing besides."""

from exporter.model.privacy import PRIVACY

SPECIFIED = """
AuthUser | key id; direct phone_number; technical is_active is_test_user created_at updated_at
Customer | key customer_id; direct phone_number; quasi country_code; technical created_at
Guide | key id; direct full_name phone_number referral_code; category availability_state tier;\
 technical chat_enabled voice_enabled video_enabled ranking_score created_at
CustomerProfile | key profile_id; direct name; quasi dob tob birth_city zodiac_sign gender; technical created_at
CustomerWallet | key user_id; technical real_cash virtual_cash recharge_count created_at updated_at
Skill | key id; reference name description
Language | key id; reference name
BankAccount | key id; direct account_holder_name ifsc_code; quasi bank_name
Verification | key id; category target_type status; technical verified_at
SavedMessage | key id; text title content; technical created_at
GuideWallet | key consultant_id; technical revenue_share accepts_promotional_offers created_at
Consultation | key id; category mode state;\
 technical duration base_rate_per_minute is_quick_connect promotional created_at
AgoraSession | key id; secret agora_channel_name; category status; technical duration_seconds created_at
Feedback | key id; text feedback_text; category status; technical rating created_at
QualityMetrics | key id;\
 technical is_short_consultation customer_message_count guide_message_count avg_response_time created_at
Payment | key payment_order_id; category status payment_method; technical amount created_at
WalletOrder | key order_id; category service_type status;\
 technical minutes_ordered final_amount consultant_share created_at
Transaction | key transaction_id; category type;\
 technical amount real_cash_delta virtual_cash_delta is_promotional created_at
Invoice | key invoice_id; direct invoice_number; technical total_amount created_at
PaymentGateway | key id; reference name
PromotionRule | key id; reference name; technical min_recharge_amount max_recharge_amount virtual_cash_percentage
Offer | key offer_id; reference offer_name; category offer_type; technical bonus_percentage free_minutes created_at
OfferReservation | key reservation_id; category reservation_status; technical bonus_amount created_at
OfferConsumption | key consumption_id reservation_id; category consumption_status; technical bonus_amount created_at
UserBehavior | key user_id; category user_type user_segment; technical total_consultations total_spent updated_at
MilestoneProgress | key id; category trigger_event; technical milestone_reached created_at
Session | direct id; category user_type; technical is_active access_token_exp created_at
Device | direct device_id; category device_type platform; secret fcm_token; technical created_at updated_at
LoginActivity | key id; category action; direct ip_address; quasi user_agent; technical success created_at
OTPAttempt | key id; category purpose; technical is_used validation_attempts created_at expires_at
Role | key id; category role; technical is_active created_at
Lead | key id; direct phone name; category source utm_source utm_medium utm_campaign status; technical created_at
Notification | key id; category event_type channel priority; text title body; technical is_read created_at
Notification-TO_USER-AuthUser | category target_type
"""


def specified() -> dict[str, str]:
    """The class of every property by its name."""
    classes: dict[str, str] = {}
    for line in SPECIFIED.strip().splitlines():
        entity, _, row = line.partition(" | ")
        for privacy, *names in (part.split() for part in row.split("; ")):
            classes |= {f"{entity}.{name}": privacy for name in names}
    return classes


def test_every_class_is_the_specification_s() -> None:
    """No property has another class, none is missing and none is too many."""
    assert specified() == PRIVACY
