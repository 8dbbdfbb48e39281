#!/usr/bin/env bash
# The same export by hand: one \copy a file, two at once in one snapshot, references checked by joins, reject lines by
# anti-joins; then counts, checksums and a flush. With FILES_ONLY set, the 77 files alone.
# Usage: psql_script.sh SOURCE_URI OUTPUT_DIRECTORY
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PGTZ=UTC PGDATESTYLE=ISO PGCLIENTENCODING=UTF8

# Joins the indented lines of a shared list to the name above them: "folder<TAB>query", one a line.
queries() {
    sed -E -e '/^--/d' -f "$here/psql_script.sed" "$here/$1" | awk -v prefix="${2:-}" '
        /^ / { sub(/^ +/, " "); query = query $0; next }
        query { print name "\t" query; query = "" }  { name = prefix $0 }  END { print name "\t" query }'
}

# Deals the queries into files for psql, the most work first: each query that is 3 % of all work or more has a file of
# its own, smaller ones share one, so that two sessions end together and few connections are made. Standard input:
# "table<TAB>rows" lines, an empty line, then the queries. Work is the rows of all tables read, times columns.
deal() {
    local output=$1 work=$2 snapshot=$3
    awk -F '\t' -v OFS='\t' '
        !NF { queries = 1; next }
        !queries { rows[$1] = $2; next }
        { read = 0; rest = $2
          while (match(rest, /(FROM|JOIN) [a-z]+\.[a-z_]+/)) {
              read += rows[substr(rest, RSTART + 5, RLENGTH - 5)]; rest = substr(rest, RSTART + RLENGTH) }
          print read * ($1 ~ /^rejects/ ? 2 : 1 + split($2, columns, ",")), $0 }' \
        | sort -t "$(printf '\t')" -k1,1nr \
        | awk -F '\t' -v output="$output" -v work="$work" -v snapshot="$snapshot" '
            { cost[NR] = $1; total += $1; query = $3; options = "FORMAT csv"
              if ($2 ~ /^rejects/) {
                  query = " SELECT * FROM (" query ") line (reason, \"table\", \"column\", key, value, \"references\")"
                  options = options ", HEADER" }
              text[NR] = "\\qecho " $2 "\n\\copy (" query ") TO \047" output "/" $2 "/data.csv\047 (" options ")" }
            END { for (i = 1; i <= NR; i++) {
                      if (i == 1 || load >= total * 0.03) {
                          load = 0; file = sprintf("%s/part%03d.sql", work, ++parts)
                          print "\\o " file ".log\nBEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;" > file
                          print "SET TRANSACTION SNAPSHOT \047" snapshot "\047;" > file }
                      load += cost[i]; print text[i] > file } }'
}

# The counts, from the names and the "COPY rows" below them in psql's logs; then the checksums, while the files go to the
# disk: one is the processors' work, the other the disk's.
seal() {
    local output=$1 work=$2 digest=sha256sum
    # openssl uses the processor's own instructions: a quarter of the time.
    if command -v openssl > /dev/null; then digest='openssl dgst -sha256 -r'; fi
    awk '$1 == "COPY" { print name "," $2; next }  { name = $0 }' "$work"/*.log | sort > "$output/counts.csv"
    cd "$output"
    sync -f . &
    # shellcheck disable=SC2086  # a command and its arguments
    find . -name '*.csv' -print0 | xargs -0 -P 2 -n 16 $digest | sort -k 2 > SHA256SUMS
    wait "$!"
    sync SHA256SUMS .
}

main() {
    local source=$1 output=$2 snapshot
    work=$(mktemp -d)
    trap 'rm -rf -- "$work"' EXIT

    coproc LEADER { psql --no-psqlrc -Atq "$source"; }
    printf '%s\n' 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;' 'SELECT pg_export_snapshot();' >&"${LEADER[1]}"
    read -r snapshot <&"${LEADER[0]}"

    queries files.sql > "$work/queries"
    [ -n "${FILES_ONLY:-}" ] || queries rejects.sql rejects/ >> "$work/queries"
    cut -f 1 "$work/queries" | sed "s|^|$output/|" | xargs mkdir -p
    { psql --no-psqlrc -AtF "$(printf '\t')" "$source" -c "SELECT oid::regclass, reltuples FROM pg_class WHERE relkind = 'r'"
      echo
      cat "$work/queries"
    } | deal "$output" "$work" "$snapshot"

    printf '%s\n' "$work"/part*.sql \
        | xargs -P 2 -n 1 psql --no-psqlrc --quiet -At -F $'\n' -v ON_ERROR_STOP=1 -v QUIET=off "$source" -f
    printf 'COMMIT;\n\\q\n' >&"${LEADER[1]}"

    [ -n "${FILES_ONLY:-}" ] || seal "$output" "$work"
    printf "%s\n" "$output"
}

main "$@"
