-- The role that the exporter logs in as: it can read the 35 tables of the model and do nothing else.
--
-- Run this once as a superuser (or the owner of the tables with CREATEROLE) in the source's database, and again after a
-- change; it is safe to repeat:    psql -v ON_ERROR_STOP=1 -f source-role.sql DATABASE
-- Then give the role a password, with psql's  \password exporter , which sends and logs only its hash, and allow
-- it in pg_hba.conf by scram-sha-256 over TLS, from the exporter's host only.
--
-- If the role or tables have other names, change them here; the exporter does not depend on them.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'exporter') THEN
        CREATE ROLE exporter;
    END IF;
END
$$;

-- One connection for the leader, which holds locks and snapshot, one for each worker, and some spare ones for
-- connections whose loss the server has not noticed yet.
ALTER ROLE exporter LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT 16;

-- The leader's transaction is idle while the workers read, and a large table takes its time. The exporter also
-- sets these for its own sessions, and limits itself by --max-duration; here they document the intent.
ALTER ROLE exporter SET idle_in_transaction_session_timeout = 0;
ALTER ROLE exporter SET statement_timeout = 0;
DO $$
BEGIN
    IF current_setting('server_version_num')::int >= 170000 THEN
        ALTER ROLE exporter SET transaction_timeout = 0;
    END IF;
END
$$;

-- An extra safeguard besides the missing grants; the role can turn it off. Leave it out where a login event trigger
-- writes (PostgreSQL 17+): with it, the role could not log in.
ALTER ROLE exporter SET default_transaction_read_only = on;

-- Row-level security must not silently hide rows: with this it is an error, and `exporter check` says so. Where
-- tables have it, a superuser decides that the graph should hold all rows:    ALTER ROLE exporter BYPASSRLS;
ALTER ROLE exporter SET row_security = off;

DO $$
BEGIN
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO exporter', current_database());
END
$$;

GRANT USAGE ON SCHEMA auth, customers, guide, consultation, wallet, offers, marketing, notifications TO exporter;

-- On whole tables, since LOCK TABLE … IN ACCESS SHARE MODE, which keeps them from being truncated or rebuilt during an
-- export, needs more than column grants. To keep a column such as guide.bank_account.account_number from the role,
-- grant a view without it instead, and map the table to the view in exporter.toml.
GRANT SELECT ON auth.auth_users, auth.auth_user_roles, auth.user_devices, auth.user_sessions, auth.login_activities,
    auth.otp_attempts TO exporter;
GRANT SELECT ON customers.customer, customers.customer_profile TO exporter;
GRANT SELECT ON guide.guide_profile, guide.skills, guide.languages, guide.guide_skills, guide.guide_languages,
    guide.bank_account, guide.verification, guide.saved_messages TO exporter;
GRANT SELECT ON consultation.consultation, consultation.agora_consultation_session, consultation.feedback,
    consultation.consultation_quality_metrics TO exporter;
GRANT SELECT ON wallet.user_wallets, wallet.consultant_wallets, wallet.payment_gateways, wallet.promotion_rules,
    wallet.payment_orders, wallet.wallet_orders, wallet.wallet_transactions, wallet.invoices TO exporter;
GRANT SELECT ON offers.offer_definitions, offers.offer_reservations, offers.offer_consumptions,
    offers.user_behavior_metrics, offers.user_milestone_progress TO exporter;
GRANT SELECT ON marketing.leads TO exporter;
GRANT SELECT ON notifications.notifications TO exporter;

-- Every role may do the following unless an administrator revoked it; the exporter does not need it:
--     REVOKE TEMPORARY ON DATABASE … FROM PUBLIC;      (temporary tables)
--     REVOKE CREATE ON SCHEMA public FROM PUBLIC;      (tables in public, before PostgreSQL 15)
