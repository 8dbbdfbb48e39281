#!/usr/bin/env bash
# The same export by hand: one \copy a file, two at once in one snapshot, references checked by joins, rejects
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

# Deals the queries into files for psql, the largest tables first: each query that is 3 % of all work or more has a file
# of its own, smaller ones share one, so that two sessions end together and few connections are made. Standard input:
# "table<TAB>rows" lines, an empty line, then the queries. Work is rows times columns.
deal() {
    local output=$1 work=$2 snapshot=$3
    awk -F '\t' -v OFS='\t' '
        !NF { queries = 1; next }
        !queries { rows[$1] = $2; next }
        { match($2, /FROM \(?(SELECT.*FROM )?[a-z]+\.[a-z_]+/); table = substr($2, RSTART, RLENGTH)
          sub(/.* /, "", table); print rows[table] * (1 + split($2, columns, ",")), $0 }' \
        | sort -t "$(printf '\t')" -k1,1nr \
        | awk -F '\t' -v output="$output" -v work="$work" -v snapshot="$snapshot" '
            { cost[NR] = $1; total += $1
              text[NR] = $2 == "count" ? $3 ";" : "\\qecho " $2 "\n\\copy (" $3 ") TO \047" output "/" $2 "/data.csv\047 (FORMAT csv)" }
            END { for (i = 1; i <= NR; i++) {
                      if (i == 1 || load >= total * 0.03) {
                          load = 0; file = sprintf("%s/part%03d.sql", work, ++parts)
                          print "\\o " file ".log\nBEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;" > file
                          print "SET TRANSACTION SNAPSHOT \047" snapshot "\047;" > file }
                      load += cost[i]; print text[i] > file } }'
}

main() {
    local source=$1 output=$2 snapshot
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
    } | deal "$output" "$work" "$snapshot"

    printf '%s\n' "$work"/part*.sql \
        | xargs -P 2 -n 1 psql --no-psqlrc --quiet -At -F $'\n' -v ON_ERROR_STOP=1 -v QUIET=off "$source" -f
    printf 'COMMIT;\n\\q\n' >&"${LEADER[1]}"

    # A name is followed by "COPY rows written" or by the rows its table has for it.
    awk '$1 == "COPY" { written[name] = $2; next }  /^[0-9]+$/ { expected[name] = $1; next }  { name = $0 }
         END { for (name in expected) if (expected[name] > written[name]) print name "," expected[name] - written[name] }' \
        "$work"/*.log > "$output/rejects.csv"
    printf "%s\n" "$output"
}

main "$@"
