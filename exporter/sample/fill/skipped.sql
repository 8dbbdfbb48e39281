-- The tables that the model knows and leaves out, with a few rows to show that they stay out.

CREATE TABLE customers.address (
    id               bigint PRIMARY KEY,
    line             text,
    city             text,
    pin_code         text
);
CREATE TABLE customers.customer_address (
    customer_id      bigint NOT NULL REFERENCES customers.customer (customer_id),
    address_id       bigint NOT NULL REFERENCES customers.address (id)
);
CREATE TABLE guide.addresses (
    id               bigint PRIMARY KEY,
    guide_id         bigint NOT NULL,
    city             text,
    pin_code         text
);
CREATE TABLE guide.media (
    id               bigint PRIMARY KEY,
    guide_id         bigint NOT NULL,
    kind             text NOT NULL,                 -- PHOTO | INTRODUCTION
    url              text
);
CREATE TABLE guide.agreement (
    id               bigint PRIMARY KEY,
    guide_id         bigint NOT NULL,
    version          text NOT NULL,
    signed_at        timestamptz
);
CREATE TABLE guide.kyc_document (
    id               bigint PRIMARY KEY,
    guide_id         bigint NOT NULL,
    kind             text NOT NULL,                 -- PAN | AADHAAR
    status           text
);
CREATE TABLE consultation.agora_webhook_events (
    id               bigint PRIMARY KEY,
    channel_name     text,
    payload          jsonb,
    created_at       timestamptz NOT NULL
);
CREATE TABLE consultation.feedback_comments_by_guide (
    id               bigint PRIMARY KEY,
    feedback_id      bigint NOT NULL,
    comment          text,
    created_at       timestamptz NOT NULL
);
CREATE TABLE wallet.users (                         -- legacy, before user_wallets
    id               bigint PRIMARY KEY,
    phone_number     text
);
CREATE TABLE wallet.wallets (                       -- legacy, before user_wallets
    id               bigint PRIMARY KEY,
    user_id          bigint NOT NULL REFERENCES wallet.users (id),
    balance          numeric(14,2)
);
CREATE TABLE wallet.consultants (                   -- legacy, before consultant_wallets
    id               bigint PRIMARY KEY,
    phone_number     text
);
CREATE TABLE wallet.coupons (
    code             text PRIMARY KEY,
    amount           numeric(12,2),
    expires_at       timestamptz
);
CREATE TABLE wallet.quick_connect_rates (
    mode             text PRIMARY KEY,
    rate_per_minute  numeric(10,2) NOT NULL
);
CREATE TABLE wallet.refund_audit (
    id               bigint PRIMARY KEY,
    payment_order_id bigint NOT NULL,
    amount           numeric(12,2),
    created_at       timestamptz NOT NULL
);
CREATE TABLE wallet.wallet_settings (
    name             text PRIMARY KEY,
    value            text
);
CREATE TABLE wallet.consultant_payouts (
    id               bigint PRIMARY KEY,
    consultant_id    bigint NOT NULL,
    amount           numeric(12,2),
    paid_at          timestamptz
);
CREATE TABLE offers.offer_campaigns (
    id               bigint PRIMARY KEY,
    offer_id         bigint NOT NULL REFERENCES offers.offer_definitions (offer_id),
    name             text
);
CREATE TABLE offers.consultant_rates (
    consultant_id    bigint PRIMARY KEY,
    rate_per_minute  numeric(10,2)
);
CREATE TABLE offers.user_segments (
    id               integer PRIMARY KEY,
    name             text NOT NULL
);
CREATE TABLE offers.volume_bonus_tracking (
    user_id          bigint PRIMARY KEY,
    recharged        numeric(14,2)
);
CREATE TABLE notifications.client_events (
    id               uuid PRIMARY KEY,
    event_type       text NOT NULL,
    created_at       timestamptz NOT NULL
);
CREATE TABLE notifications.delivery_attempts (
    id               uuid PRIMARY KEY,
    notification_id  uuid NOT NULL,
    succeeded        boolean NOT NULL,
    created_at       timestamptz NOT NULL
);
CREATE TABLE notifications.escalation_rules (
    id               integer PRIMARY KEY,
    event_type       text NOT NULL,
    after_minutes    integer
);

INSERT INTO wallet.users SELECT n, sample.phone(n) FROM generate_series(1, 12) n;
INSERT INTO wallet.wallets SELECT n, n, sample.below(50000, 'legacy balance', n) / 100.0 FROM generate_series(1, 12) n;
INSERT INTO wallet.consultants SELECT n, sample.phone(sample.size('customers') + n) FROM generate_series(1, 10) n;
INSERT INTO wallet.quick_connect_rates VALUES ('CHAT', 15), ('VOICE', 20), ('VIDEO', 30);
INSERT INTO wallet.wallet_settings VALUES ('minimum_recharge', '50'), ('currency', 'INR');
INSERT INTO offers.user_segments VALUES (1, 'NEW'), (2, 'ACTIVE'), (3, 'DORMANT');
INSERT INTO guide.agreement SELECT n, n, 'v2', timestamptz '2026-01-05 12:00+05:30' FROM generate_series(1, 5) n;
INSERT INTO notifications.escalation_rules VALUES (1, 'CONSULTATION_REQUESTED', 3);
