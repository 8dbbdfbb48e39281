#!/usr/bin/env bash
# The floor of the server: every table once, all exported columns, COPY … (FORMAT BINARY) to nowhere, two connections.
# Usage: floor_copy_binary.sh SOURCE_URI (a second argument, the output directory, stays unused)
set -euo pipefail

# "pages<TAB>\copy …" for each table that has rows, the largest first.
copies() {
    psql --no-psqlrc -At -F "$(printf '\t')" "$1" <<'SQL'
SELECT relpages, format('\copy (SELECT %s FROM %s) TO ''/dev/null'' (FORMAT BINARY)',
                        string_agg(quote_ident(attname), ', ' ORDER BY attnum), attrelid::regclass)
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE relkind = 'r' AND relpages > 0 AND attnum > 0 AND NOT attisdropped AND attname <> 'account_number'
      AND relnamespace::regnamespace::text = ANY (
          '{auth,customers,guide,consultation,wallet,offers,marketing,notifications}')
GROUP BY attrelid, relpages ORDER BY relpages DESC
SQL
}

main() {
    local source=$1 all session
    all=$(copies "$source" | awk -F '\t' '{ session = load[1] <= load[2] ? 1 : 2; load[session] += $1; print session "\t" $2 }')
    for session in 1 2; do
        sed -n "s/^$session\t//p" <<< "$all" | psql --no-psqlrc --quiet -v ON_ERROR_STOP=1 "$source" &
        eval "session$session=\$!"
    done
    # shellcheck disable=SC2154  # both are set by eval
    wait "$session1" && wait "$session2"
}

main "$@"
