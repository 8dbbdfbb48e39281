#!/usr/bin/env bash
# The same export by hand: one \copy a file, two sessions at once in one snapshot, references checked by joins, rejects
# counted. Usage: psql_script.sh SOURCE_URI OUTPUT_DIRECTORY
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PGTZ=UTC PGDATESTYLE=ISO PGCLIENTENCODING=UTF8

# Joins the indented lines of files.sql to the name above them: "name<TAB>query", one a line.
file_queries() {
    sed -E -e '/^--/d' -f "$here/psql_script.sed" "$here/files.sql" | awk '
        /^ / { sub(/^ +/, " "); query = query $0; next }
        query { print name "\t" query; query = "" }  { name = $0 }  END { print name "\t" query }'
}

# One query a table of sources.sql, which gives its names and counts, each on a line of its own.
count_queries() {
    sed -E -e '/^--/d' -f "$here/psql_script.sed" "$here/sources.sql" | awk '
        function flush() { if (list) print "count\t SELECT " list " FROM " table; list = "" }
        /^ / { name = $1; sub(/^ +[^ ]+ /, ""); list = list (list ? ", " : "") "\047" name "\047, " $0; next }
        { flush(); table = $0 }  END { flush() }'
}

# Deals the queries to two sessions, the largest tables first, each to the session with less to do so far. Standard
# input: "table<TAB>rows" lines, an empty line, then the queries. A column of text weighs as much as reading its row.
deal() {
    local output=$1 work=$2
    awk -F '\t' -v OFS='\t' '
        !NF { queries = 1; next }
        !queries { rows[$1] = $2; next }
        { match($2, /FROM \(?(SELECT.*FROM )?[a-z]+\.[a-z_]+/); table = substr($2, RSTART, RLENGTH)
          sub(/.* /, "", table); print rows[table] * (1 + split($2, columns, ",")), $0 }' \
        | sort -t "$(printf '\t')" -k1,1nr \
        | awk -F '\t' -v output="$output" -v work="$work" '
            { session = load[1] <= load[2] ? 1 : 2; load[session] += $1; file = work "/session" session ".sql"
              if ($2 == "count") print $3 ";" > file
              else print "\\echo " $2 "\n\\copy (" $3 ") TO \047" output "/" $2 "/data.csv\047 (FORMAT csv)" > file }'
}

main() {
    local source=$1 output=$2 snapshot session
    work=$(mktemp -d)
    trap 'rm -rf -- "$work"' EXIT

    coproc LEADER { psql --no-psqlrc -Atq "$source"; }
    printf '%s\n' 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;' 'SELECT pg_export_snapshot();' >&"${LEADER[1]}"
    read -r snapshot <&"${LEADER[0]}"

    file_queries > "$work/queries"
    cut -f 1 "$work/queries" | sed "s|^|$output/|" | xargs mkdir -p
    { psql --no-psqlrc -AtF "$(printf '\t')" "$source" -c "SELECT oid::regclass, reltuples FROM pg_class WHERE relkind = 'r'"
      echo
      cat "$work/queries"
      count_queries
    } | deal "$output" "$work"

    for session in 1 2; do
        psql --no-psqlrc -At -F $'\n' -v ON_ERROR_STOP=1 "$source" \
            -c 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY' -c "SET TRANSACTION SNAPSHOT '$snapshot'" \
            -f "$work/session$session.sql" > "$work/log$session" &
        eval "session$session=\$!"
    done
    # shellcheck disable=SC2154  # both are set by eval
    wait "$session1" && wait "$session2"
    printf 'COMMIT;\n\\q\n' >&"${LEADER[1]}"

    # A name is followed by "COPY rows written" or by the rows its table has for it.
    awk '$1 == "COPY" { written[name] = $2; next }  /^[0-9]+$/ { expected[name] = $1; next }  { name = $0 }
         END { for (name in expected) if (expected[name] > written[name]) print name "," expected[name] - written[name] }' \
        "$work/log1" "$work/log2" > "$output/rejects.csv"
    printf "%s\n" "$output"
}

main "$@"
