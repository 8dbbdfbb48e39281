-- The rows that an export leaves out: an entity's name, then the query of its reject lines (reason, table, column, key,
-- value, references), indented. That own keys are neither null nor doubled, and required references not null, the
-- schema says; that every reference exists, nothing does, not even a foreign key that was once switched off.
nodes/Device
    SELECT 'duplicate_id', 'auth.user_devices', 'auth_user_id:device_id', id, auth_user_id || ':' || device_id, NULL
    FROM (SELECT id, auth_user_id, device_id, row_number() OVER (PARTITION BY auth_user_id, device_id
                     ORDER BY coalesce(updated_at, created_at) DESC, id DESC) AS place FROM auth.user_devices) d
    WHERE place > 1
relationships/Customer-HAS_AUTH-AuthUser
    SELECT 'dangling_end', 'customers.customer', 'x_auth_id', customer_id, x_auth_id, 'AuthUser'
    FROM customers.customer WHERE x_auth_id NOT IN (SELECT id FROM auth.auth_users)
relationships/Customer-HAS_WALLET-CustomerWallet
    SELECT 'dangling_start', 'wallet.user_wallets', 'user_id', user_id, user_id, 'Customer'
    FROM wallet.user_wallets WHERE user_id NOT IN (SELECT customer_id FROM customers.customer)
relationships/Customer-HAS_PROFILE-CustomerProfile
    SELECT 'dangling_start', 'customers.customer_profile', 'customer_id', profile_id, customer_id, 'Customer'
    FROM customers.customer_profile WHERE customer_id NOT IN (SELECT customer_id FROM customers.customer)
relationships/Guide-HAS_AUTH-AuthUser
    SELECT 'dangling_end', 'guide.guide_profile', 'x_auth_id', id, x_auth_id, 'AuthUser'
    FROM guide.guide_profile WHERE x_auth_id NOT IN (SELECT id FROM auth.auth_users)
relationships/Guide-HAS_WALLET-GuideWallet
    SELECT CASE WHEN owners IS NULL THEN 'dangling_start' ELSE 'ambiguous_link' END, 'wallet.consultant_wallets',
           CASE WHEN owners IS NULL THEN 'consultant_id' ELSE 'phone_number' END, consultant_id,
           CASE WHEN owners IS NULL THEN consultant_id::text ELSE phone_number END, 'Guide'
    FROM (SELECT consultant_id, phone_number, last_ten(phone_number) AS phone,
                 count(*) OVER (PARTITION BY last_ten(phone_number)) AS sharers FROM wallet.consultant_wallets) w
    LEFT JOIN (SELECT last_ten(phone_number) AS phone, count(*) AS owners FROM guide.guide_profile
               WHERE last_ten(phone_number) <> '' GROUP BY 1) g USING (phone)
    WHERE (owners IS NULL OR owners > 1 OR sharers > 1) AND consultant_id NOT IN (SELECT id FROM guide.guide_profile)
relationships/Guide-HAS_SKILL-Skill
    SELECT reason, 'guide.guide_skills',
           CASE reason WHEN 'dangling_start' THEN 'guide_id' WHEN 'dangling_end' THEN 'skill_id'
                       ELSE 'guide_id:skill_id' END,
           guide_id || ':' || skill_id,
           CASE reason WHEN 'dangling_start' THEN guide_id::text WHEN 'dangling_end' THEN skill_id::text
                       ELSE guide_id || ':' || skill_id END,
           CASE reason WHEN 'dangling_start' THEN 'Guide' WHEN 'dangling_end' THEN 'Skill' END
    FROM (SELECT guide_id, skill_id,
                 CASE WHEN guide_id NOT IN (SELECT id FROM guide.guide_profile) THEN 'dangling_start'
                      WHEN skill_id NOT IN (SELECT id FROM guide.skills) THEN 'dangling_end'
                      WHEN row_number() OVER (PARTITION BY guide_id, skill_id) > 1 THEN 'duplicate_relationship'
                 END AS reason FROM guide.guide_skills) s
    WHERE reason IS NOT NULL
relationships/Guide-SPEAKS-Language
    SELECT reason, 'guide.guide_languages',
           CASE reason WHEN 'dangling_start' THEN 'guide_id' WHEN 'dangling_end' THEN 'language_id'
                       ELSE 'guide_id:language_id' END,
           guide_id || ':' || language_id,
           CASE reason WHEN 'dangling_start' THEN guide_id::text WHEN 'dangling_end' THEN language_id::text
                       ELSE guide_id || ':' || language_id END,
           CASE reason WHEN 'dangling_start' THEN 'Guide' WHEN 'dangling_end' THEN 'Language' END
    FROM (SELECT guide_id, language_id,
                 CASE WHEN guide_id NOT IN (SELECT id FROM guide.guide_profile) THEN 'dangling_start'
                      WHEN language_id NOT IN (SELECT id FROM guide.languages) THEN 'dangling_end'
                      WHEN row_number() OVER (PARTITION BY guide_id, language_id) > 1 THEN 'duplicate_relationship'
                 END AS reason FROM guide.guide_languages) l
    WHERE reason IS NOT NULL
relationships/Guide-HAS_BANK_ACCOUNT-BankAccount
    SELECT 'dangling_start', 'guide.bank_account', 'guide_id', id, guide_id, 'Guide'
    FROM guide.bank_account WHERE guide_id NOT IN (SELECT id FROM guide.guide_profile)
relationships/Guide-HAS_VERIFICATION-Verification
    SELECT 'dangling_start', 'guide.verification', 'guide_id', id, guide_id, 'Guide'
    FROM guide.verification WHERE guide_id NOT IN (SELECT id FROM guide.guide_profile)
relationships/Guide-HAS_SAVED_MESSAGE-SavedMessage
    SELECT 'dangling_start', 'guide.saved_messages', 'guide_id', id, guide_id, 'Guide'
    FROM guide.saved_messages WHERE guide_id NOT IN (SELECT id FROM guide.guide_profile)
relationships/Guide-REFERRED_BY-Guide
    SELECT CASE WHEN owners > 1 THEN 'ambiguous_link' ELSE 'dangling_end' END, 'guide.guide_profile', 'referrer_code',
           id, referrer_code, 'Guide'
    FROM guide.guide_profile
    LEFT JOIN (SELECT trimmed(referral_code) AS code, count(*) AS owners FROM guide.guide_profile GROUP BY 1) r
              ON code = trimmed(referrer_code)
    WHERE trimmed(referrer_code) <> '' AND (owners IS NULL OR owners > 1)
relationships/Customer-BOOKED-Consultation
    SELECT 'dangling_start', 'consultation.consultation', 'customer_id', id, customer_id, 'Customer'
    FROM consultation.consultation WHERE customer_id NOT IN (SELECT customer_id FROM customers.customer)
relationships/Consultation-WITH_GUIDE-Guide
    SELECT 'dangling_end', 'consultation.consultation', 'guide_id', id, guide_id, 'Guide'
    FROM consultation.consultation WHERE guide_id NOT IN (SELECT id FROM guide.guide_profile)
relationships/Consultation-HAS_SESSION-AgoraSession
    SELECT 'dangling_start', 'consultation.agora_consultation_session', 'consultation_id', id, consultation_id, 'Consultation'
    FROM consultation.agora_consultation_session
    WHERE consultation_id NOT IN (SELECT id FROM consultation.consultation)
relationships/Consultation-HAS_FEEDBACK-Feedback
    SELECT 'dangling_start', 'consultation.feedback', 'consultation_id', id, consultation_id, 'Consultation'
    FROM consultation.feedback WHERE consultation_id NOT IN (SELECT id FROM consultation.consultation)
relationships/Consultation-HAS_METRICS-QualityMetrics
    SELECT 'dangling_start', 'consultation.consultation_quality_metrics', 'consultation_id', id, consultation_id,
           'Consultation'
    FROM consultation.consultation_quality_metrics
    WHERE consultation_id NOT IN (SELECT id FROM consultation.consultation)
relationships/Consultation-PAID_VIA-WalletOrder
    SELECT 'dangling_end', 'consultation.consultation', 'order_id', id, order_id, 'WalletOrder'
    FROM consultation.consultation WHERE order_id NOT IN (SELECT order_id FROM wallet.wallet_orders)
relationships/Customer-MADE_PAYMENT-Payment
    SELECT 'dangling_start', 'wallet.payment_orders', 'user_id', payment_order_id, user_id, 'Customer'
    FROM wallet.payment_orders WHERE user_id NOT IN (SELECT customer_id FROM customers.customer)
relationships/Payment-VIA_GATEWAY-PaymentGateway
    SELECT 'dangling_end', 'wallet.payment_orders', 'gateway_id', payment_order_id, gateway_id, 'PaymentGateway'
    FROM wallet.payment_orders WHERE gateway_id NOT IN (SELECT id FROM wallet.payment_gateways)
relationships/Payment-CREDITED_TO-CustomerWallet
    SELECT 'dangling_end', 'wallet.payment_orders', 'user_id', payment_order_id, user_id, 'CustomerWallet'
    FROM wallet.payment_orders WHERE user_id NOT IN (SELECT user_id FROM wallet.user_wallets)
relationships/Payment-HAS_INVOICE-Invoice
    SELECT 'dangling_start', 'wallet.invoices', 'payment_order_id', invoice_id, payment_order_id, 'Payment'
    FROM wallet.invoices WHERE payment_order_id NOT IN (SELECT payment_order_id FROM wallet.payment_orders)
relationships/Payment-MATCHED_RULE-PromotionRule
    SELECT 'dangling_end', 'wallet.payment_orders', 'promotion_rule_id', payment_order_id, promotion_rule_id, 'PromotionRule'
    FROM wallet.payment_orders WHERE promotion_rule_id NOT IN (SELECT id FROM wallet.promotion_rules)
relationships/WalletOrder-DEBITED_FROM-CustomerWallet
    SELECT 'dangling_end', 'wallet.wallet_orders', 'user_id', order_id, user_id, 'CustomerWallet'
    FROM wallet.wallet_orders WHERE user_id NOT IN (SELECT user_id FROM wallet.user_wallets)
relationships/WalletOrder-CREDITED_TO-GuideWallet
    SELECT 'dangling_end', 'wallet.wallet_orders', 'consultant_id', order_id, consultant_id, 'GuideWallet'
    FROM wallet.wallet_orders WHERE consultant_id NOT IN (SELECT consultant_id FROM wallet.consultant_wallets)
relationships/WalletOrder-FOR_CONSULTATION-Consultation
    SELECT 'dangling_start', 'consultation.consultation', 'order_id', id, order_id, 'WalletOrder'
    FROM consultation.consultation WHERE order_id NOT IN (SELECT order_id FROM wallet.wallet_orders)
relationships/CustomerWallet-HAS_TRANSACTION-Transaction
    SELECT 'dangling_start', 'wallet.wallet_transactions', 'user_id', transaction_id, user_id, 'CustomerWallet'
    FROM wallet.wallet_transactions WHERE user_id NOT IN (SELECT user_id FROM wallet.user_wallets)
relationships/Transaction-FOR_ORDER-WalletOrder
    SELECT 'dangling_end', 'wallet.wallet_transactions', 'order_id', transaction_id, order_id, 'WalletOrder'
    FROM wallet.wallet_transactions WHERE order_id NOT IN (SELECT order_id FROM wallet.wallet_orders)
relationships/Customer-RESERVED-OfferReservation
    SELECT 'dangling_start', 'offers.offer_reservations', 'user_id', reservation_id, user_id, 'Customer'
    FROM offers.offer_reservations WHERE user_id NOT IN (SELECT customer_id FROM customers.customer)
relationships/OfferReservation-FOR_OFFER-Offer
    SELECT 'dangling_end', 'offers.offer_reservations', 'offer_id', reservation_id, offer_id, 'Offer'
    FROM offers.offer_reservations WHERE offer_id NOT IN (SELECT offer_id FROM offers.offer_definitions)
relationships/OfferReservation-USED_IN-Consultation
    SELECT 'dangling_end', 'offers.offer_reservations', 'consultation_id', reservation_id, consultation_id, 'Consultation'
    FROM offers.offer_reservations WHERE consultation_id NOT IN (SELECT id FROM consultation.consultation)
relationships/Customer-CONSUMED-OfferConsumption
    SELECT 'dangling_start', 'offers.offer_consumptions', 'user_id', consumption_id, user_id, 'Customer'
    FROM offers.offer_consumptions WHERE user_id NOT IN (SELECT customer_id FROM customers.customer)
relationships/OfferConsumption-OF_OFFER-Offer
    SELECT 'dangling_end', 'offers.offer_consumptions', 'offer_id', consumption_id, offer_id, 'Offer'
    FROM offers.offer_consumptions WHERE offer_id NOT IN (SELECT offer_id FROM offers.offer_definitions)
relationships/OfferConsumption-VIA_PAYMENT-Payment
    SELECT 'dangling_end', 'offers.offer_consumptions', 'payment_order_id', consumption_id, payment_order_id, 'Payment'
    FROM offers.offer_consumptions WHERE payment_order_id NOT IN (SELECT payment_order_id FROM wallet.payment_orders)
relationships/Customer-HAS_BEHAVIOR-UserBehavior
    SELECT 'dangling_start', 'offers.user_behavior_metrics', 'user_id', user_id, user_id, 'Customer'
    FROM offers.user_behavior_metrics WHERE user_id NOT IN (SELECT customer_id FROM customers.customer)
relationships/Customer-HAS_MILESTONE-MilestoneProgress
    SELECT 'dangling_start', 'offers.user_milestone_progress', 'user_id', id, user_id, 'Customer'
    FROM offers.user_milestone_progress WHERE user_id NOT IN (SELECT customer_id FROM customers.customer)
relationships/MilestoneProgress-FOR_OFFER-Offer
    SELECT 'dangling_end', 'offers.user_milestone_progress', 'offer_id', id, offer_id, 'Offer'
    FROM offers.user_milestone_progress WHERE offer_id NOT IN (SELECT offer_id FROM offers.offer_definitions)
relationships/AuthUser-HAS_ROLE-Role
    SELECT 'dangling_start', 'auth.auth_user_roles', 'auth_user_id', id, auth_user_id, 'AuthUser'
    FROM auth.auth_user_roles WHERE auth_user_id NOT IN (SELECT id FROM auth.auth_users)
relationships/AuthUser-HAS_SESSION-Session
    SELECT 'dangling_start', 'auth.user_sessions', 'auth_user_id', id, auth_user_id, 'AuthUser'
    FROM auth.user_sessions WHERE auth_user_id NOT IN (SELECT id FROM auth.auth_users)
relationships/AuthUser-HAS_DEVICE-Device
    SELECT CASE WHEN place > 1 THEN 'duplicate_id' ELSE 'dangling_start' END, 'auth.user_devices',
           CASE WHEN place > 1 THEN 'auth_user_id:device_id' ELSE 'auth_user_id' END, id,
           CASE WHEN place > 1 THEN auth_user_id || ':' || device_id ELSE auth_user_id::text END,
           CASE WHEN place = 1 THEN 'AuthUser' END
    FROM (SELECT id, auth_user_id, device_id, row_number() OVER (PARTITION BY auth_user_id, device_id
                     ORDER BY coalesce(updated_at, created_at) DESC, id DESC) AS place FROM auth.user_devices) d
    WHERE place > 1 OR auth_user_id NOT IN (SELECT id FROM auth.auth_users)
relationships/AuthUser-LOGIN-LoginActivity
    SELECT 'dangling_start', 'auth.login_activities', 'auth_user_id', id, auth_user_id, 'AuthUser'
    FROM auth.login_activities WHERE auth_user_id NOT IN (SELECT id FROM auth.auth_users)
relationships/AuthUser-OTP-OTPAttempt
    SELECT 'dangling_start', 'auth.otp_attempts', 'auth_user_id', id, auth_user_id, 'AuthUser'
    FROM auth.otp_attempts WHERE auth_user_id NOT IN (SELECT id FROM auth.auth_users)
relationships/Session-ON_DEVICE-Device
    SELECT 'dangling_end', 'auth.user_sessions', 'auth_user_id:device_id', id, auth_user_id || ':' || device_id, 'Device'
    FROM auth.user_sessions
    WHERE device_id IS NOT NULL AND (auth_user_id, device_id) NOT IN (SELECT auth_user_id, device_id FROM auth.user_devices)
-- Most of these IDs are written plainly and are known: those need not be parsed.
relationships/Notification-TO_USER-AuthUser
    SELECT CASE WHEN user_id IS NULL THEN 'malformed_id' ELSE 'dangling_end' END, 'notifications.notifications',
           'auth_user_id', id, auth_user_id, 'AuthUser'
    FROM (SELECT id, auth_user_id, text_id(auth_user_id) AS user_id FROM notifications.notifications
          WHERE auth_user_id NOT IN (SELECT id::text FROM auth.auth_users) OFFSET 0) n
    WHERE CASE WHEN user_id IS NULL THEN has_target(auth_user_id)
               ELSE user_id NOT IN (SELECT id FROM auth.auth_users) END
relationships/Lead-CONVERTED_TO-Customer
    SELECT 'dangling_end', 'marketing.leads', 'customer_id', id, customer_id, 'Customer'
    FROM marketing.leads WHERE customer_id NOT IN (SELECT customer_id FROM customers.customer)
