-- For each table, the rows its files would hold if none were rejected; what they lack of it are the rejects.
auth.user_devices
    nodes/Device count(*)
    relationships/AuthUser-HAS_DEVICE-Device count(*)
customers.customer
    relationships/Customer-HAS_AUTH-AuthUser count(x_auth_id)
wallet.user_wallets
    relationships/Customer-HAS_WALLET-CustomerWallet count(*)
customers.customer_profile
    relationships/Customer-HAS_PROFILE-CustomerProfile count(*)
guide.guide_profile
    relationships/Guide-HAS_AUTH-AuthUser count(x_auth_id)
    relationships/Guide-REFERRED_BY-Guide count(*) FILTER (WHERE trimmed(referrer_code) <> '')
wallet.consultant_wallets
    relationships/Guide-HAS_WALLET-GuideWallet count(*)
guide.guide_skills
    relationships/Guide-HAS_SKILL-Skill count(*)
guide.guide_languages
    relationships/Guide-SPEAKS-Language count(*)
guide.bank_account
    relationships/Guide-HAS_BANK_ACCOUNT-BankAccount count(*)
guide.verification
    relationships/Guide-HAS_VERIFICATION-Verification count(*)
guide.saved_messages
    relationships/Guide-HAS_SAVED_MESSAGE-SavedMessage count(*)
consultation.consultation
    relationships/Customer-BOOKED-Consultation count(*)
    relationships/Consultation-WITH_GUIDE-Guide count(*)
    relationships/Consultation-PAID_VIA-WalletOrder count(order_id)
    relationships/WalletOrder-FOR_CONSULTATION-Consultation count(order_id)
consultation.agora_consultation_session
    relationships/Consultation-HAS_SESSION-AgoraSession count(*)
consultation.feedback
    relationships/Consultation-HAS_FEEDBACK-Feedback count(*)
consultation.consultation_quality_metrics
    relationships/Consultation-HAS_METRICS-QualityMetrics count(*)
wallet.payment_orders
    relationships/Customer-MADE_PAYMENT-Payment count(*)
    relationships/Payment-CREDITED_TO-CustomerWallet count(*)
    relationships/Payment-VIA_GATEWAY-PaymentGateway count(gateway_id)
    relationships/Payment-MATCHED_RULE-PromotionRule count(promotion_rule_id)
wallet.invoices
    relationships/Payment-HAS_INVOICE-Invoice count(*)
wallet.wallet_orders
    relationships/WalletOrder-DEBITED_FROM-CustomerWallet count(*)
    relationships/WalletOrder-CREDITED_TO-GuideWallet count(*)
wallet.wallet_transactions
    relationships/CustomerWallet-HAS_TRANSACTION-Transaction count(*)
    relationships/Transaction-FOR_ORDER-WalletOrder count(order_id)
offers.offer_reservations
    relationships/Customer-RESERVED-OfferReservation count(*)
    relationships/OfferReservation-FOR_OFFER-Offer count(*)
    relationships/OfferReservation-USED_IN-Consultation count(consultation_id)
offers.offer_consumptions
    relationships/Customer-CONSUMED-OfferConsumption count(*)
    relationships/OfferConsumption-OF_OFFER-Offer count(*)
    relationships/OfferConsumption-VIA_PAYMENT-Payment count(payment_order_id)
offers.user_behavior_metrics
    relationships/Customer-HAS_BEHAVIOR-UserBehavior count(*)
offers.user_milestone_progress
    relationships/Customer-HAS_MILESTONE-MilestoneProgress count(*)
    relationships/MilestoneProgress-FOR_OFFER-Offer count(offer_id)
auth.auth_user_roles
    relationships/AuthUser-HAS_ROLE-Role count(*)
auth.user_sessions
    relationships/AuthUser-HAS_SESSION-Session count(*)
    relationships/Session-ON_DEVICE-Device count(device_id)
auth.login_activities
    relationships/AuthUser-LOGIN-LoginActivity count(auth_user_id)
auth.otp_attempts
    relationships/AuthUser-OTP-OTPAttempt count(auth_user_id)
notifications.notifications
    relationships/Notification-TO_USER-AuthUser count(*) FILTER (WHERE has_target(auth_user_id))
marketing.leads
    relationships/Lead-CONVERTED_TO-Customer count(customer_id)
