"""How personal each property is: a class for every property of a label or pattern, except constants.

What a masked copy does with a property follows from its class, or is said below. The classes are kept out of graph.py
so that they do not change the canonical model JSON, and with it the model's SHA-256. `validate.py` refuses a property
without a class or treatment, and a class or treatment without a property.
"""

from exporter.model.treatments import PrivacyClass, Treatment

KEY, TECHNICAL, REFERENCE, CATEGORY, QUASI, DIRECT, TEXT, SECRET = PrivacyClass

# By label or pattern, in the order of graph.py. The key of a Device is a pair, not a property, so it has no class. The
# id of a session may let in whoever has it, so it is not merely a key. `OfferConsumption.reservation_id` is another
# label's key.
# fmt: off
BY_ENTITY = {
    "Skill": {"id": KEY, "name": REFERENCE, "description": REFERENCE},
    "Language": {"id": KEY, "name": REFERENCE},
    "PaymentGateway": {"id": KEY, "name": REFERENCE},
    "PromotionRule": {
        "id": KEY, "name": REFERENCE, "min_recharge_amount": TECHNICAL, "max_recharge_amount": TECHNICAL,
        "virtual_cash_percentage": TECHNICAL},
    "Offer": {
        "offer_id": KEY, "offer_name": REFERENCE, "offer_type": CATEGORY, "bonus_percentage": TECHNICAL,
        "free_minutes": TECHNICAL, "created_at": TECHNICAL},
    "AuthUser": {
        "id": KEY, "phone_number": DIRECT, "is_active": TECHNICAL, "is_test_user": TECHNICAL, "created_at": TECHNICAL,
        "updated_at": TECHNICAL},
    "Role": {"id": KEY, "role": CATEGORY, "is_active": TECHNICAL, "created_at": TECHNICAL},
    "Customer": {"customer_id": KEY, "phone_number": DIRECT, "country_code": QUASI, "created_at": TECHNICAL},
    "Guide": {
        "id": KEY, "full_name": DIRECT, "phone_number": DIRECT, "availability_state": CATEGORY,
        "chat_enabled": TECHNICAL, "voice_enabled": TECHNICAL, "video_enabled": TECHNICAL, "ranking_score": TECHNICAL,
        "tier": CATEGORY, "referral_code": DIRECT, "created_at": TECHNICAL},
    "CustomerProfile": {
        "profile_id": KEY, "name": DIRECT, "dob": QUASI, "tob": QUASI, "birth_city": QUASI, "zodiac_sign": QUASI,
        "gender": QUASI, "created_at": TECHNICAL},
    "CustomerWallet": {
        "user_id": KEY, "real_cash": TECHNICAL, "virtual_cash": TECHNICAL, "recharge_count": TECHNICAL,
        "created_at": TECHNICAL, "updated_at": TECHNICAL},
    "GuideWallet": {
        "consultant_id": KEY, "revenue_share": TECHNICAL, "accepts_promotional_offers": TECHNICAL,
        "created_at": TECHNICAL},
    "BankAccount": {"id": KEY, "account_holder_name": DIRECT, "bank_name": QUASI, "ifsc_code": DIRECT},
    "Verification": {"id": KEY, "target_type": CATEGORY, "status": CATEGORY, "verified_at": TECHNICAL},
    "SavedMessage": {"id": KEY, "title": TEXT, "content": TEXT, "created_at": TECHNICAL},
    "Consultation": {
        "id": KEY, "mode": CATEGORY, "state": CATEGORY, "duration": TECHNICAL, "base_rate_per_minute": TECHNICAL,
        "is_quick_connect": TECHNICAL, "promotional": TECHNICAL, "created_at": TECHNICAL},
    "AgoraSession": {
        "id": KEY, "agora_channel_name": SECRET, "duration_seconds": TECHNICAL, "status": CATEGORY,
        "created_at": TECHNICAL},
    "Feedback": {"id": KEY, "rating": TECHNICAL, "feedback_text": TEXT, "status": CATEGORY, "created_at": TECHNICAL},
    "QualityMetrics": {
        "id": KEY, "is_short_consultation": TECHNICAL, "customer_message_count": TECHNICAL,
        "guide_message_count": TECHNICAL, "avg_response_time": TECHNICAL, "created_at": TECHNICAL},
    "Payment": {
        "payment_order_id": KEY, "amount": TECHNICAL, "status": CATEGORY, "payment_method": CATEGORY,
        "created_at": TECHNICAL},
    "WalletOrder": {
        "order_id": KEY, "service_type": CATEGORY, "minutes_ordered": TECHNICAL, "final_amount": TECHNICAL,
        "consultant_share": TECHNICAL, "status": CATEGORY, "created_at": TECHNICAL},
    "Transaction": {
        "transaction_id": KEY, "type": CATEGORY, "amount": TECHNICAL, "real_cash_delta": TECHNICAL,
        "virtual_cash_delta": TECHNICAL, "is_promotional": TECHNICAL, "created_at": TECHNICAL},
    "Invoice": {"invoice_id": KEY, "invoice_number": DIRECT, "total_amount": TECHNICAL, "created_at": TECHNICAL},
    "OfferReservation": {
        "reservation_id": KEY, "reservation_status": CATEGORY, "bonus_amount": TECHNICAL, "created_at": TECHNICAL},
    "OfferConsumption": {
        "consumption_id": KEY, "consumption_status": CATEGORY, "bonus_amount": TECHNICAL, "reservation_id": KEY,
        "created_at": TECHNICAL},
    "UserBehavior": {
        "user_id": KEY, "user_type": CATEGORY, "total_consultations": TECHNICAL, "total_spent": TECHNICAL,
        "user_segment": CATEGORY, "updated_at": TECHNICAL},
    "MilestoneProgress": {
        "id": KEY, "milestone_reached": TECHNICAL, "trigger_event": CATEGORY, "created_at": TECHNICAL},
    "Session": {
        "id": DIRECT, "user_type": CATEGORY, "is_active": TECHNICAL, "access_token_exp": TECHNICAL,
        "created_at": TECHNICAL},
    "Device": {
        "device_id": DIRECT, "device_type": CATEGORY, "platform": CATEGORY, "fcm_token": SECRET,
        "created_at": TECHNICAL, "updated_at": TECHNICAL},
    "LoginActivity": {
        "id": KEY, "action": CATEGORY, "success": TECHNICAL, "ip_address": DIRECT, "user_agent": QUASI,
        "created_at": TECHNICAL},
    "OTPAttempt": {
        "id": KEY, "purpose": CATEGORY, "is_used": TECHNICAL, "validation_attempts": TECHNICAL, "created_at": TECHNICAL,
        "expires_at": TECHNICAL},
    "Lead": {
        "id": KEY, "phone": DIRECT, "name": DIRECT, "source": CATEGORY, "utm_source": CATEGORY, "utm_medium": CATEGORY,
        "utm_campaign": CATEGORY, "status": CATEGORY, "created_at": TECHNICAL},
    "Notification": {
        "id": KEY, "event_type": CATEGORY, "channel": CATEGORY, "priority": CATEGORY, "title": TEXT, "body": TEXT,
        "is_read": TECHNICAL, "created_at": TECHNICAL},
    "Notification-TO_USER-AuthUser": {"target_type": CATEGORY},
}
# fmt: on

# By `Label.property` or `Start-TYPE-End.property`.
PRIVACY = {f"{entity}.{name}": of for entity, classes in BY_ENTITY.items() for name, of in classes.items()}

# What a masked copy does with the properties that name or reach a person, or may in combination. Phones are unique, so
# tokens of them resist counting. Names are not (the most frequent token would be the most frequent name), and join
# nothing, so they are dropped; a guide is called by label and key.
TREATMENTS = {
    "AuthUser.phone_number": Treatment.TOKEN_PHONE,
    "Customer.phone_number": Treatment.TOKEN_PHONE,
    "Customer.country_code": Treatment.CATEGORY,
    "Guide.full_name": Treatment.LABEL,
    "Guide.phone_number": Treatment.TOKEN_PHONE,
    "Guide.referral_code": Treatment.TOKEN_CODE,
    "CustomerProfile.name": Treatment.DROP,
    "CustomerProfile.dob": Treatment.YEAR,
    "CustomerProfile.tob": Treatment.DROP,
    "CustomerProfile.birth_city": Treatment.COMMON,
    "CustomerProfile.zodiac_sign": Treatment.CATEGORY,
    "CustomerProfile.gender": Treatment.CATEGORY,
    "BankAccount.account_holder_name": Treatment.DROP,
    "BankAccount.bank_name": Treatment.COMMON,
    "BankAccount.ifsc_code": Treatment.DROP,
    "Invoice.invoice_number": Treatment.TOKEN_DOCUMENT,
    "Session.id": Treatment.TOKEN_SESSION,
    "Device.device_id": Treatment.TOKEN_DEVICE,
    "LoginActivity.ip_address": Treatment.TOKEN_IP,
    "LoginActivity.user_agent": Treatment.DROP,
    "Lead.phone": Treatment.TOKEN_PHONE,
    "Lead.name": Treatment.DROP,
}
