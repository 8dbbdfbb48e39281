-- The 77 files of an export: a name, then the query of its rows, indented. iso(), trimmed(), last_ten(), address() and
-- text_id() stand for what each peer's own dialect has for them. OFFSET 0 keeps PostgreSQL from computing an ID twice.
nodes/AuthUser
    SELECT id, phone_number, is_active::text, is_test_user::text, iso(created_at), iso(updated_at) FROM auth.auth_users
nodes/Customer
    SELECT customer_id, phone_number, country_code, iso(created_at) FROM customers.customer
nodes/Guide
    SELECT id, full_name, phone_number, availability_state, chat_enabled::text, voice_enabled::text, video_enabled::text,
           ranking_score, tier, referral_code, iso(created_at) FROM guide.guide_profile
nodes/CustomerProfile
    SELECT profile_id, name, dob, tob, birth_city, zodiac_sign, gender, iso(created_at) FROM customers.customer_profile
nodes/CustomerWallet
    SELECT user_id, real_cash, virtual_cash, recharge_count, iso(created_at), iso(updated_at) FROM wallet.user_wallets
nodes/Skill
    SELECT id, name, description FROM guide.skills
nodes/Language
    SELECT id, name FROM guide.languages
nodes/BankAccount
    SELECT id, account_holder_name, bank_name, ifsc_code FROM guide.bank_account
nodes/Verification
    SELECT id, target_type, status, iso(verified_at) FROM guide.verification
nodes/SavedMessage
    SELECT id, title, content, iso(created_at) FROM guide.saved_messages
nodes/GuideWallet
    SELECT consultant_id, revenue_share, accepts_promotional_offers::text, iso(created_at) FROM wallet.consultant_wallets
nodes/Consultation
    SELECT id, mode, state, duration, base_rate_per_minute, is_quick_connect::text, promotional::text, iso(created_at)
    FROM consultation.consultation
nodes/AgoraSession
    SELECT id, agora_channel_name, duration_seconds, status, iso(created_at) FROM consultation.agora_consultation_session
nodes/Feedback
    SELECT id, rating, feedback_text, status, iso(created_at) FROM consultation.feedback
nodes/QualityMetrics
    SELECT id, is_short_consultation::text, customer_message_count, guide_message_count, avg_response_time, iso(created_at)
    FROM consultation.consultation_quality_metrics
nodes/Payment
    SELECT payment_order_id, amount, status, payment_method, iso(created_at) FROM wallet.payment_orders
nodes/WalletOrder
    SELECT order_id, service_type, minutes_ordered, final_amount, consultant_share, status, iso(created_at)
    FROM wallet.wallet_orders
nodes/Transaction
    SELECT transaction_id, type, amount, real_cash_delta, virtual_cash_delta, is_promotional::text, iso(created_at)
    FROM wallet.wallet_transactions
nodes/Invoice
    SELECT invoice_id, invoice_number, total_amount, iso(created_at) FROM wallet.invoices
nodes/PaymentGateway
    SELECT id, name FROM wallet.payment_gateways
nodes/PromotionRule
    SELECT id, name, min_recharge_amount, max_recharge_amount, virtual_cash_percentage FROM wallet.promotion_rules
nodes/Offer
    SELECT offer_id, offer_name, offer_type, bonus_percentage, free_minutes, iso(created_at) FROM offers.offer_definitions
nodes/OfferReservation
    SELECT reservation_id, reservation_status, bonus_amount, iso(created_at) FROM offers.offer_reservations
nodes/OfferConsumption
    SELECT consumption_id, consumption_status, bonus_amount, reservation_id, iso(created_at) FROM offers.offer_consumptions
nodes/UserBehavior
    SELECT user_id, user_type, total_consultations, total_spent, user_segment, iso(updated_at)
    FROM offers.user_behavior_metrics
nodes/MilestoneProgress
    SELECT id, milestone_reached, trigger_event, iso(created_at) FROM offers.user_milestone_progress
nodes/Session
    SELECT id, user_type, is_active::text, iso(access_token_exp), iso(created_at) FROM auth.user_sessions
nodes/Device
    SELECT DISTINCT ON (auth_user_id, device_id) auth_user_id || ':' || device_id,
           device_id, device_type, platform, fcm_token, iso(created_at), iso(updated_at)
    FROM auth.user_devices ORDER BY auth_user_id, device_id, coalesce(updated_at, created_at) DESC, id DESC
nodes/LoginActivity
    SELECT id, action, success::text, address(ip_address), user_agent, iso(created_at) FROM auth.login_activities
nodes/OTPAttempt
    SELECT id, purpose, is_used::text, validation_attempts, iso(created_at), iso(expires_at) FROM auth.otp_attempts
nodes/Role
    SELECT id, role, is_active::text, iso(created_at) FROM auth.auth_user_roles
nodes/Lead
    SELECT id, phone, name, source, utm_source, utm_medium, utm_campaign, status, iso(created_at) FROM marketing.leads
nodes/Notification
    SELECT id, event_type, channel, priority, title, body, is_read::text, iso(created_at) FROM notifications.notifications
relationships/Customer-HAS_AUTH-AuthUser
    SELECT customer_id, x_auth_id, 'x_auth_id' FROM customers.customer
    WHERE x_auth_id IN (SELECT id FROM auth.auth_users)
relationships/Customer-HAS_WALLET-CustomerWallet
    SELECT user_id, user_id, 'customer_id=user_id' FROM wallet.user_wallets
    WHERE user_id IN (SELECT customer_id FROM customers.customer)
relationships/Customer-HAS_PROFILE-CustomerProfile
    SELECT customer_id, profile_id FROM customers.customer_profile
    WHERE customer_id IN (SELECT customer_id FROM customers.customer)
relationships/Guide-HAS_AUTH-AuthUser
    SELECT id, x_auth_id, 'x_auth_id' FROM guide.guide_profile WHERE x_auth_id IN (SELECT id FROM auth.auth_users)
relationships/Guide-HAS_WALLET-GuideWallet
    SELECT id, consultant_id, 'id=consultant_id' FROM wallet.consultant_wallets JOIN guide.guide_profile ON id = consultant_id
    UNION ALL
    SELECT g.id, w.id, 'phone_number'
    FROM (SELECT min(consultant_id) AS id, last_ten(phone_number) AS phone FROM wallet.consultant_wallets
          GROUP BY 2 HAVING count(*) = 1) w
    JOIN (SELECT min(id) AS id, last_ten(phone_number) AS phone FROM guide.guide_profile GROUP BY 2 HAVING count(*) = 1) g
         USING (phone)
    WHERE phone <> '' AND w.id NOT IN (SELECT id FROM guide.guide_profile)
relationships/Guide-HAS_SKILL-Skill
    SELECT DISTINCT guide_id, skill_id FROM guide.guide_skills
    WHERE guide_id IN (SELECT id FROM guide.guide_profile) AND skill_id IN (SELECT id FROM guide.skills)
relationships/Guide-SPEAKS-Language
    SELECT DISTINCT guide_id, language_id FROM guide.guide_languages
    WHERE guide_id IN (SELECT id FROM guide.guide_profile) AND language_id IN (SELECT id FROM guide.languages)
relationships/Guide-HAS_BANK_ACCOUNT-BankAccount
    SELECT guide_id, id FROM guide.bank_account WHERE guide_id IN (SELECT id FROM guide.guide_profile)
relationships/Guide-HAS_VERIFICATION-Verification
    SELECT guide_id, id FROM guide.verification WHERE guide_id IN (SELECT id FROM guide.guide_profile)
relationships/Guide-HAS_SAVED_MESSAGE-SavedMessage
    SELECT guide_id, id FROM guide.saved_messages WHERE guide_id IN (SELECT id FROM guide.guide_profile)
relationships/Guide-REFERRED_BY-Guide
    SELECT g.id, r.id, 'referrer_code' FROM guide.guide_profile g
    JOIN (SELECT min(id) AS id, trimmed(referral_code) AS code FROM guide.guide_profile GROUP BY 2 HAVING count(*) = 1) r
         ON r.code = trimmed(g.referrer_code) WHERE r.code <> ''
relationships/Customer-BOOKED-Consultation
    SELECT customer_id, id FROM consultation.consultation
    WHERE customer_id IN (SELECT customer_id FROM customers.customer)
relationships/Consultation-WITH_GUIDE-Guide
    SELECT id, guide_id FROM consultation.consultation WHERE guide_id IN (SELECT id FROM guide.guide_profile)
relationships/Consultation-HAS_SESSION-AgoraSession
    SELECT consultation_id, id FROM consultation.agora_consultation_session
    WHERE consultation_id IN (SELECT id FROM consultation.consultation)
relationships/Consultation-HAS_FEEDBACK-Feedback
    SELECT consultation_id, id FROM consultation.feedback
    WHERE consultation_id IN (SELECT id FROM consultation.consultation)
relationships/Consultation-HAS_METRICS-QualityMetrics
    SELECT consultation_id, id FROM consultation.consultation_quality_metrics
    WHERE consultation_id IN (SELECT id FROM consultation.consultation)
relationships/Consultation-PAID_VIA-WalletOrder
    SELECT id, order_id FROM consultation.consultation WHERE order_id IN (SELECT order_id FROM wallet.wallet_orders)
relationships/Customer-MADE_PAYMENT-Payment
    SELECT user_id, payment_order_id FROM wallet.payment_orders
    WHERE user_id IN (SELECT customer_id FROM customers.customer)
relationships/Payment-VIA_GATEWAY-PaymentGateway
    SELECT payment_order_id, gateway_id FROM wallet.payment_orders
    WHERE gateway_id IN (SELECT id FROM wallet.payment_gateways)
relationships/Payment-CREDITED_TO-CustomerWallet
    SELECT payment_order_id, user_id FROM wallet.payment_orders
    WHERE user_id IN (SELECT user_id FROM wallet.user_wallets)
relationships/Payment-HAS_INVOICE-Invoice
    SELECT payment_order_id, invoice_id FROM wallet.invoices
    WHERE payment_order_id IN (SELECT payment_order_id FROM wallet.payment_orders)
relationships/Payment-MATCHED_RULE-PromotionRule
    SELECT payment_order_id, promotion_rule_id FROM wallet.payment_orders
    WHERE promotion_rule_id IN (SELECT id FROM wallet.promotion_rules)
relationships/WalletOrder-DEBITED_FROM-CustomerWallet
    SELECT order_id, user_id FROM wallet.wallet_orders WHERE user_id IN (SELECT user_id FROM wallet.user_wallets)
relationships/WalletOrder-CREDITED_TO-GuideWallet
    SELECT order_id, consultant_id FROM wallet.wallet_orders
    WHERE consultant_id IN (SELECT consultant_id FROM wallet.consultant_wallets)
relationships/WalletOrder-FOR_CONSULTATION-Consultation
    SELECT order_id, id FROM consultation.consultation WHERE order_id IN (SELECT order_id FROM wallet.wallet_orders)
relationships/CustomerWallet-HAS_TRANSACTION-Transaction
    SELECT user_id, transaction_id FROM wallet.wallet_transactions
    WHERE user_id IN (SELECT user_id FROM wallet.user_wallets)
relationships/Transaction-FOR_ORDER-WalletOrder
    SELECT transaction_id, order_id FROM wallet.wallet_transactions
    WHERE order_id IN (SELECT order_id FROM wallet.wallet_orders)
relationships/Customer-RESERVED-OfferReservation
    SELECT user_id, reservation_id FROM offers.offer_reservations
    WHERE user_id IN (SELECT customer_id FROM customers.customer)
relationships/OfferReservation-FOR_OFFER-Offer
    SELECT reservation_id, offer_id FROM offers.offer_reservations
    WHERE offer_id IN (SELECT offer_id FROM offers.offer_definitions)
relationships/OfferReservation-USED_IN-Consultation
    SELECT reservation_id, consultation_id FROM offers.offer_reservations
    WHERE consultation_id IN (SELECT id FROM consultation.consultation)
relationships/Customer-CONSUMED-OfferConsumption
    SELECT user_id, consumption_id FROM offers.offer_consumptions
    WHERE user_id IN (SELECT customer_id FROM customers.customer)
relationships/OfferConsumption-OF_OFFER-Offer
    SELECT consumption_id, offer_id FROM offers.offer_consumptions
    WHERE offer_id IN (SELECT offer_id FROM offers.offer_definitions)
relationships/OfferConsumption-VIA_PAYMENT-Payment
    SELECT consumption_id, payment_order_id FROM offers.offer_consumptions
    WHERE payment_order_id IN (SELECT payment_order_id FROM wallet.payment_orders)
relationships/Customer-HAS_BEHAVIOR-UserBehavior
    SELECT user_id, user_id FROM offers.user_behavior_metrics
    WHERE user_id IN (SELECT customer_id FROM customers.customer)
relationships/Customer-HAS_MILESTONE-MilestoneProgress
    SELECT user_id, id FROM offers.user_milestone_progress
    WHERE user_id IN (SELECT customer_id FROM customers.customer)
relationships/MilestoneProgress-FOR_OFFER-Offer
    SELECT id, offer_id FROM offers.user_milestone_progress
    WHERE offer_id IN (SELECT offer_id FROM offers.offer_definitions)
relationships/AuthUser-HAS_ROLE-Role
    SELECT auth_user_id, id FROM auth.auth_user_roles WHERE auth_user_id IN (SELECT id FROM auth.auth_users)
relationships/AuthUser-HAS_SESSION-Session
    SELECT auth_user_id, id FROM auth.user_sessions WHERE auth_user_id IN (SELECT id FROM auth.auth_users)
relationships/AuthUser-HAS_DEVICE-Device
    SELECT DISTINCT auth_user_id, auth_user_id || ':' || device_id FROM auth.user_devices
    WHERE auth_user_id IN (SELECT id FROM auth.auth_users)
relationships/AuthUser-LOGIN-LoginActivity
    SELECT auth_user_id, id FROM auth.login_activities WHERE auth_user_id IN (SELECT id FROM auth.auth_users)
relationships/AuthUser-OTP-OTPAttempt
    SELECT auth_user_id, id FROM auth.otp_attempts WHERE auth_user_id IN (SELECT id FROM auth.auth_users)
relationships/Session-ON_DEVICE-Device
    SELECT id, auth_user_id || ':' || device_id FROM auth.user_sessions
    WHERE (auth_user_id, device_id) IN (SELECT auth_user_id, device_id FROM auth.user_devices)
relationships/Notification-TO_USER-AuthUser
    SELECT id, user_id, target_type
    FROM (SELECT id, text_id(auth_user_id) AS user_id, target_type FROM notifications.notifications OFFSET 0) n
    WHERE user_id IN (SELECT id FROM auth.auth_users)
relationships/Lead-CONVERTED_TO-Customer
    SELECT id, customer_id FROM marketing.leads WHERE customer_id IN (SELECT customer_id FROM customers.customer)
