-- The source of the sample: one schema per service, as a real installation has them.
-- There are no foreign keys across schemas (each schema belongs to another service), so cross-service references
-- can dangle; inside a schema some are declared and some are not, as in real life.

CREATE SCHEMA auth;  CREATE SCHEMA customers;  CREATE SCHEMA guide;  CREATE SCHEMA consultation;
CREATE SCHEMA wallet;  CREATE SCHEMA offers;  CREATE SCHEMA marketing;  CREATE SCHEMA notifications;

-- auth ------------------------------------------------------------------------------------------------------------
CREATE TABLE auth.auth_users (
    id               bigint PRIMARY KEY,
    phone_number     text,
    is_active        boolean NOT NULL DEFAULT true,
    is_test_user     boolean NOT NULL DEFAULT false,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz
);
CREATE TABLE auth.auth_user_roles (
    id               bigint PRIMARY KEY,
    auth_user_id     bigint NOT NULL REFERENCES auth.auth_users (id),
    role             text NOT NULL,                 -- CUSTOMER | GUIDE | ADMIN
    is_active        boolean NOT NULL,
    created_at       timestamptz NOT NULL
);
CREATE TABLE auth.user_devices (                    -- the same (auth_user_id, device_id) may be registered again
    id               bigint PRIMARY KEY,
    auth_user_id     bigint NOT NULL,
    device_id        text NOT NULL,                 -- the shared key that sessions refer to
    device_type      text,                          -- MOBILE | TABLET | WEB
    platform         text,                          -- ANDROID | IOS | WEB
    fcm_token        text,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz
);
CREATE TABLE auth.user_sessions (
    id               uuid PRIMARY KEY,
    auth_user_id     bigint NOT NULL,
    device_id        text,
    user_type        text,                          -- CUSTOMER | GUIDE
    is_active        boolean NOT NULL,
    access_token_exp timestamptz,
    created_at       timestamptz NOT NULL
);
CREATE TABLE auth.login_activities (
    id               bigint PRIMARY KEY,
    auth_user_id     bigint,
    action           text NOT NULL,                 -- LOGIN | LOGOUT | REFRESH
    success          boolean NOT NULL,
    ip_address       inet,
    user_agent       text,
    created_at       timestamptz NOT NULL
);
CREATE TABLE auth.otp_attempts (
    id               bigint PRIMARY KEY,
    auth_user_id     bigint,                        -- null until the phone number is known
    phone_number     text,
    purpose          text NOT NULL,
    is_used          boolean NOT NULL,
    validation_attempts integer NOT NULL,
    created_at       timestamptz NOT NULL,
    expires_at       timestamptz
);

-- customers -------------------------------------------------------------------------------------------------------
CREATE TABLE customers.customer (
    customer_id      bigint PRIMARY KEY,
    x_auth_id        bigint,                        -- auth.auth_users.id, another service
    phone_number     text,
    country_code     text,                          -- '+91'
    created_at       timestamptz NOT NULL
);
CREATE TABLE customers.customer_profile (           -- a customer can keep several (for family members)
    profile_id       bigint PRIMARY KEY,
    customer_id      bigint NOT NULL REFERENCES customers.customer (customer_id),
    name             text,
    dob              date,
    tob              time,
    birth_city       text,
    zodiac_sign      text,
    gender           text,
    created_at       timestamptz NOT NULL
);

-- guide -----------------------------------------------------------------------------------------------------------
CREATE TABLE guide.guide_profile (
    id               bigint PRIMARY KEY,
    x_auth_id        bigint,
    full_name        text NOT NULL,
    phone_number     text,
    availability_state text,                        -- ONLINE | OFFLINE | BUSY
    chat_enabled     boolean NOT NULL,
    voice_enabled    boolean NOT NULL,
    video_enabled    boolean NOT NULL,
    ranking_score    numeric(8,4),
    tier             text,
    referral_code    text,                          -- the guide's own code
    referrer_code    text,                          -- the code of the guide who referred this one
    created_at       timestamptz NOT NULL
);
CREATE TABLE guide.skills (id integer PRIMARY KEY, name text NOT NULL, description text);
CREATE TABLE guide.languages (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE guide.guide_skills (
    guide_id         bigint NOT NULL REFERENCES guide.guide_profile (id),
    skill_id         integer NOT NULL REFERENCES guide.skills (id)
);
CREATE TABLE guide.guide_languages (
    guide_id         bigint NOT NULL REFERENCES guide.guide_profile (id),
    language_id      integer NOT NULL REFERENCES guide.languages (id)
);
CREATE TABLE guide.bank_account (
    id               bigint PRIMARY KEY,
    guide_id         bigint NOT NULL,
    account_holder_name text,
    account_number   text,                          -- not exported
    bank_name        text,
    ifsc_code        text
);
CREATE TABLE guide.verification (
    id               bigint PRIMARY KEY,
    guide_id         bigint NOT NULL,
    target_type      text NOT NULL,                 -- PHONE | EMAIL | BANK_ACCOUNT | IDENTITY | PROFILE
    status           text NOT NULL,
    verified_at      timestamptz
);
CREATE TABLE guide.saved_messages (
    id               bigint PRIMARY KEY,
    guide_id         bigint NOT NULL,
    title            text,
    content          text,                          -- free text, with line breaks
    created_at       timestamptz NOT NULL
);

-- consultation ----------------------------------------------------------------------------------------------------
CREATE TABLE consultation.consultation (
    id               bigint PRIMARY KEY,
    customer_id      bigint NOT NULL,
    guide_id         bigint NOT NULL,
    order_id         bigint,                        -- wallet.wallet_orders.order_id
    mode             text NOT NULL,                 -- CHAT | VOICE | VIDEO
    state            text NOT NULL,
    duration         integer,                       -- seconds
    base_rate_per_minute numeric(10,2),
    is_quick_connect boolean NOT NULL,
    promotional      boolean NOT NULL,
    created_at       timestamptz NOT NULL
);
CREATE TABLE consultation.agora_consultation_session (
    id               bigint PRIMARY KEY,
    consultation_id  bigint NOT NULL REFERENCES consultation.consultation (id),
    agora_channel_name text,
    duration_seconds integer,
    status           text,
    created_at       timestamptz NOT NULL
);
CREATE TABLE consultation.feedback (
    id               bigint PRIMARY KEY,
    consultation_id  bigint NOT NULL,
    rating           smallint,                      -- 1 to 5
    feedback_text    text,
    status           text,
    created_at       timestamptz NOT NULL
);
CREATE TABLE consultation.consultation_quality_metrics (
    id               bigint PRIMARY KEY,
    consultation_id  bigint NOT NULL,
    is_short_consultation boolean,
    customer_message_count integer,
    guide_message_count integer,
    avg_response_time double precision,             -- seconds
    created_at       timestamptz NOT NULL
);

-- wallet ----------------------------------------------------------------------------------------------------------
CREATE TABLE wallet.user_wallets (
    user_id          bigint PRIMARY KEY,            -- customers.customer.customer_id
    real_cash        numeric(14,2) NOT NULL,
    virtual_cash     numeric(14,2) NOT NULL,
    recharge_count   integer NOT NULL,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz
);
CREATE TABLE wallet.consultant_wallets (
    consultant_id    bigint PRIMARY KEY,            -- guide.guide_profile.id
    phone_number     text,                          -- backup link to the guide
    revenue_share    numeric(5,2),
    accepts_promotional_offers boolean NOT NULL,
    created_at       timestamptz NOT NULL
);
CREATE TABLE wallet.payment_gateways (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE wallet.promotion_rules (
    id               integer PRIMARY KEY,
    name             text NOT NULL,
    min_recharge_amount numeric(12,2),
    max_recharge_amount numeric(12,2),
    virtual_cash_percentage numeric(6,2)
);
CREATE TABLE wallet.payment_orders (
    payment_order_id bigint PRIMARY KEY,
    user_id          bigint NOT NULL,
    gateway_id       integer,
    promotion_rule_id integer,
    amount           numeric(12,2) NOT NULL,
    status           text NOT NULL,
    payment_method   text,
    created_at       timestamptz NOT NULL
);
CREATE TABLE wallet.wallet_orders (
    order_id         bigint PRIMARY KEY,
    user_id          bigint NOT NULL,
    consultant_id    bigint NOT NULL,
    service_type     text NOT NULL,
    minutes_ordered  integer,
    final_amount     numeric(12,2),
    consultant_share numeric(12,2),
    status           text NOT NULL,
    created_at       timestamptz NOT NULL
);
CREATE TABLE wallet.wallet_transactions (
    transaction_id   bigint PRIMARY KEY,
    user_id          bigint NOT NULL,
    order_id         bigint,                        -- for SPENT
    type             text NOT NULL,                 -- ADD | SPENT
    amount           numeric(12,2) NOT NULL,
    real_cash_delta  numeric(12,2),
    virtual_cash_delta numeric(12,2),
    is_promotional   boolean NOT NULL,
    created_at       timestamptz NOT NULL
);
CREATE TABLE wallet.invoices (
    invoice_id       bigint PRIMARY KEY,
    payment_order_id bigint NOT NULL,
    invoice_number   text,
    total_amount     numeric(12,2),
    created_at       timestamptz NOT NULL
);

-- offers ----------------------------------------------------------------------------------------------------------
CREATE TABLE offers.offer_definitions (
    offer_id         bigint PRIMARY KEY,
    offer_name       text NOT NULL,
    offer_type       text NOT NULL,
    bonus_percentage numeric(6,2),
    free_minutes     integer,
    created_at       timestamptz
);
CREATE TABLE offers.offer_reservations (
    reservation_id   bigint PRIMARY KEY,
    user_id          bigint NOT NULL,
    offer_id         bigint NOT NULL,
    consultation_id  bigint,
    reservation_status text NOT NULL,
    bonus_amount     numeric(12,2),
    created_at       timestamptz NOT NULL
);
CREATE TABLE offers.offer_consumptions (
    consumption_id   bigint PRIMARY KEY,
    user_id          bigint NOT NULL,
    offer_id         bigint NOT NULL,
    reservation_id   bigint,
    payment_order_id bigint,
    consumption_status text NOT NULL,
    bonus_amount     numeric(12,2),
    created_at       timestamptz NOT NULL
);
CREATE TABLE offers.user_behavior_metrics (
    user_id          bigint PRIMARY KEY,
    user_type        text,
    total_consultations integer,
    total_spent      numeric(14,2),
    user_segment     text,
    updated_at       timestamptz
);
CREATE TABLE offers.user_milestone_progress (
    id               bigint PRIMARY KEY,
    user_id          bigint NOT NULL,
    offer_id         bigint,
    milestone_reached integer,
    trigger_event    text,
    created_at       timestamptz NOT NULL
);

-- marketing -------------------------------------------------------------------------------------------------------
CREATE TABLE marketing.leads (
    id               bigint PRIMARY KEY,
    phone            text,
    name             text,
    source           text,
    utm_source       text,
    utm_medium       text,
    utm_campaign     text,
    status           text,                          -- NEW | CONTACTED | CONVERTED | LOST
    customer_id      bigint,                        -- set when converted
    created_at       timestamptz NOT NULL
);

-- notifications ---------------------------------------------------------------------------------------------------
CREATE TABLE notifications.notifications (
    id               uuid PRIMARY KEY,
    auth_user_id     text,                          -- auth.auth_users.id written as text, and not always cleanly
    target_type      text,                          -- customer | guide
    event_type       text NOT NULL,
    channel          text,                          -- PUSH | SMS | EMAIL | IN_APP
    priority         text,
    title            text,
    body             text,                          -- free text, with quotes, line breaks and emoji
    is_read          boolean NOT NULL,
    created_at       timestamptz NOT NULL
);
