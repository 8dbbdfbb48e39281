-- Keys, foreign keys and NOT NULLs go; what is left of the declared schema is its types.
DO $$
DECLARE
    services CONSTANT text[] := '{auth,customers,guide,consultation,wallet,offers,marketing,notifications}';
    found record;
BEGIN
    FOR found IN SELECT conrelid::regclass AS place, conname AS name FROM pg_constraint
        WHERE connamespace::regnamespace::text = ANY (services) AND contype IN ('f', 'p') ORDER BY contype
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', found.place, found.name);
    END LOOP;
    FOR found IN SELECT attrelid::regclass AS place, attname AS name FROM pg_attribute
        JOIN pg_class ON pg_class.oid = attrelid
        WHERE relnamespace::regnamespace::text = ANY (services) AND attnotnull AND attnum > 0 AND relkind = 'r'
    LOOP
        EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL', found.place, found.name);
    END LOOP;
END $$;
