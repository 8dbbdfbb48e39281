-- The 35 tables as a neglected installation might hold them: keys, NOT NULLs and foreign keys gone or elsewhere, and
-- column types changed in every way that graph-model.md still accepts. Columns nobody exports have types nobody reads.
CREATE SCHEMA edge;
CREATE SCHEMA auth;  CREATE SCHEMA customers;  CREATE SCHEMA guide;  CREATE SCHEMA consultation;
CREATE SCHEMA wallet;  CREATE SCHEMA offers;  CREATE SCHEMA marketing;  CREATE SCHEMA notifications;

CREATE TYPE edge.state AS ENUM ('ONLINE', '', ' blank ', 'it''s, "quoted"', E'two\nlines', 'back\', 'नमस्ते', 'null');
CREATE DOMAIN edge.identity AS bigint;
CREATE DOMAIN edge.code AS text;
CREATE DOMAIN edge.short_code AS varchar(6000);
CREATE DOMAIN edge.nested_code AS edge.short_code CHECK (value IS DISTINCT FROM 'never');
CREATE DOMAIN edge.amount AS numeric;
CREATE DOMAIN edge.moment AS timestamp;
CREATE DOMAIN edge.instant AS timestamptz;
CREATE DOMAIN edge.flag AS boolean;
CREATE DOMAIN edge.day AS date;
CREATE DOMAIN edge.hour AS time;
CREATE DOMAIN edge.chosen_state AS edge.state;
CREATE DOMAIN edge.padded AS char(12);

-- auth ------------------------------------------------------------------------------------------------------------
CREATE TABLE auth.auth_users (  -- the primary key is elsewhere, and runs against the order of the rows
    serial_no integer PRIMARY KEY, forgotten bigint, place point, id text, phone_number varchar(6000),
    is_active edge.flag, is_test_user boolean, created_at timestamptz, updated_at timestamp, tags text[]
);
ALTER TABLE auth.auth_users DROP COLUMN forgotten;
CREATE TABLE auth.auth_user_roles (
    id numeric, auth_user_id numeric, role edge.state, is_active boolean, created_at edge.moment
);
CREATE TABLE auth.user_devices (
    id numeric, auth_user_id text, device_id text, device_type varchar(6000), platform edge.state, fcm_token text,
    created_at timestamptz, updated_at timestamp
);
CREATE TABLE auth.user_sessions (
    id text, row_no bigint PRIMARY KEY, auth_user_id varchar(700), device_id varchar(6000), user_type edge.code,
    is_active boolean, access_token_exp timestamp, created_at edge.instant
);
CREATE TABLE auth.login_activities (  -- one id in several partitions: the primary key says which is first
    id bigint, auth_user_id integer, action edge.nested_code, success boolean, ip_address inet, user_agent text,
    created_at timestamptz, PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);
CREATE TABLE auth.login_activities_new PARTITION OF auth.login_activities FOR VALUES FROM ('2026-01-01') TO (MAXVALUE);
CREATE TABLE auth.login_activities_old PARTITION OF auth.login_activities DEFAULT;
CREATE TABLE edge.otp (
    id text, auth_user_id text, phone text, purpose name, is_used boolean, attempts numeric, created_at timestamptz,
    expires_at timestamptz
);
CREATE VIEW auth.otp_attempts AS
    SELECT id, auth_user_id, phone AS phone_number, purpose, is_used, attempts AS validation_attempts, created_at, expires_at
    FROM edge.otp;

-- customers -------------------------------------------------------------------------------------------------------
CREATE TABLE customers.customer (
    customer_id bigint, x_auth_id char(24), phone_number text, country_code char(12), created_at timestamptz
);
CREATE TABLE customers.customer_profile (
    profile_id bigint, customer_id bigint, name text, dob edge.day, tob edge.hour, birth_city varchar,
    zodiac_sign edge.chosen_state, gender bpchar, created_at timestamptz, PRIMARY KEY (customer_id, profile_id)
);

-- guide -----------------------------------------------------------------------------------------------------------
CREATE TABLE guide.guide_profile (
    id varchar(700), row_id uuid PRIMARY KEY, x_auth_id bigint, full_name text, phone_number edge.code,
    availability_state edge.state, chat_enabled boolean, voice_enabled boolean, video_enabled boolean,
    ranking_score numeric, tier edge.padded, referral_code edge.code, referrer_code varchar(200), created_at timestamptz
);
CREATE TABLE guide.skills (id smallint PRIMARY KEY, name text, description json);
CREATE TABLE guide.languages (id char(6) PRIMARY KEY, name char(12));
CREATE TABLE guide.guide_skills (guide_id text, skill_id numeric);
CREATE TABLE guide.guide_languages (id integer PRIMARY KEY, guide_id numeric, language_id varchar(700));
CREATE TABLE guide.bank_account (
    id edge.identity PRIMARY KEY, guide_id edge.code, account_holder_name text, account_number text, bank_name varchar(6000),
    ifsc_code char(12)
);
CREATE TABLE guide.verification (
    id numeric UNIQUE, guide_id smallint, target_type edge.state, status edge.short_code, verified_at edge.moment
);
CREATE TABLE guide.saved_messages (
    id bigint, guide_id numeric, title text, content text, created_at timestamptz
) PARTITION BY HASH (id);
CREATE TABLE guide.saved_messages_0 PARTITION OF guide.saved_messages FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE guide.saved_messages_1 PARTITION OF guide.saved_messages FOR VALUES WITH (MODULUS 2, REMAINDER 1);

-- consultation ----------------------------------------------------------------------------------------------------
CREATE TABLE consultation.consultation (
    id numeric PRIMARY KEY, customer_id text, guide_id bigint, order_id text, mode edge.state, state text, duration numeric,
    base_rate_per_minute real, is_quick_connect boolean, promotional boolean GENERATED ALWAYS AS (NOT is_quick_connect) STORED,
    created_at timestamptz
);
CREATE TABLE consultation.agora_consultation_session (
    id text UNIQUE, consultation_id numeric, agora_channel_name uuid, duration_seconds bigint, status text, created_at timestamp
);
CREATE TABLE consultation.feedback (
    id integer PRIMARY KEY, consultation_id text, rating numeric, feedback_text text, status jsonb, created_at timestamptz
);
CREATE TABLE consultation.consultation_quality_metrics (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, consultation_id bigint, is_short_consultation boolean,
    customer_message_count smallint, guide_message_count edge.amount, avg_response_time double precision,
    created_at timestamptz
);

-- wallet ----------------------------------------------------------------------------------------------------------
CREATE TABLE wallet.user_wallets (
    user_id text PRIMARY KEY, real_cash numeric, virtual_cash double precision, recharge_count bigint,
    created_at timestamptz, updated_at timestamptz
);
CREATE TABLE wallet.consultant_wallets (
    consultant_id numeric, phone_number edge.short_code, revenue_share real, accepts_promotional_offers boolean,
    created_at timestamp
);
CREATE TABLE wallet.payment_gateways (id numeric PRIMARY KEY, name name);
CREATE TABLE wallet.promotion_rules (
    id integer PRIMARY KEY, name text, min_recharge_amount integer, max_recharge_amount bigint,
    virtual_cash_percentage smallint
);
CREATE TABLE wallet.payment_orders (
    payment_order_id bigint, user_id numeric, gateway_id text, promotion_rule_id numeric, amount edge.amount, status text,
    payment_method edge.state, created_at timestamptz
);
CREATE UNIQUE INDEX ON wallet.payment_orders (payment_order_id) WHERE status = 'no such status';
CREATE TABLE wallet.wallet_orders (
    order_id text, user_id text, consultant_id text, service_type text, minutes_ordered smallint,
    final_amount double precision, consultant_share numeric, status text, created_at timestamptz,
    PRIMARY KEY (user_id, order_id)
);
CREATE TABLE wallet.wallet_transactions (
    transaction_id bigint UNIQUE, user_id char(24), order_id numeric, type char(12), amount real, real_cash_delta numeric,
    virtual_cash_delta double precision, is_promotional boolean, created_at timestamptz
);
CREATE TABLE wallet.invoices (
    invoice_id numeric, payment_order_id text, invoice_number bigint, total_amount bigint, created_at timestamptz
);

-- offers ----------------------------------------------------------------------------------------------------------
CREATE TABLE offers.offer_definitions (
    offer_id text PRIMARY KEY, offer_name text, offer_type varchar(6000), bonus_percentage numeric,
    free_minutes numeric, created_at timestamptz
);
CREATE TABLE offers.offer_reservations (
    reservation_id bigint, user_id bigint, offer_id text, consultation_id text, reservation_status text,
    bonus_amount numeric, created_at timestamp, row_no text PRIMARY KEY
);
CREATE TABLE offers.offer_consumptions (
    consumption_id text, user_id text, offer_id numeric, reservation_id numeric, payment_order_id varchar(700),
    consumption_status text, bonus_amount numeric, created_at timestamptz
);
CREATE TABLE offers.user_behavior_metrics (
    user_id numeric, user_type text, total_consultations numeric, total_spent real, user_segment cidr, updated_at timestamptz
);
CREATE TABLE edge.milestone (
    id bigint, user_id text, offer_id bigint, milestone_reached smallint, trigger_event text, created_at timestamptz
);
CREATE VIEW offers.user_milestone_progress AS  -- each row whose id ends in 7 twice, alike to the last column
    SELECT * FROM edge.milestone UNION ALL SELECT * FROM edge.milestone WHERE id % 10 = 7;

-- marketing -------------------------------------------------------------------------------------------------------
CREATE TABLE marketing.leads (  -- a primary key proves nothing about the tables that inherit
    id bigint PRIMARY KEY, phone bigint, name text, source edge.code, utm_source text, utm_medium text, utm_campaign text,
    status varchar(6000), customer_id text, created_at timestamptz
);
CREATE TABLE edge.more_leads () INHERITS (marketing.leads);

-- notifications ---------------------------------------------------------------------------------------------------
CREATE TABLE notifications.notifications (
    id varchar(700), auth_user_id text, target_type text, event_type varchar(6000), channel edge.state, priority text,
    title text, body text, is_read boolean, created_at timestamptz
);

-- Known and skipped, and unknown: neither is read.
CREATE TABLE guide.media (id bigint, content bytea);
CREATE TABLE wallet.wallets (id bigint, balance money);
CREATE TABLE offers.nobody_knows (id bigint, span tsrange);
