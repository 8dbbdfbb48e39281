#!/usr/bin/env bash
# Compares an export's files with its checksums, and a running Neo4j with the export. Every export has a copy beside
# import.sh, which shares code from here. It needs bash 3.2, the usual small programs and Neo4j's cypher-shell.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set +o posix
set -euo pipefail
unset CDPATH

usage() {
    cat <<'TEXT'
Usage: verify.sh [OPTIONS] [EXPORT [DATABASE]]

Compares the files of the export in directory EXPORT with its SHA256SUMS, then asks a running
Neo4j through cypher-shell for the nodes of each label, the relationships of each pattern and the
values of each property in DATABASE, and compares them with the export's manifest.

  EXPORT            the export's directory; may be left out in the copy inside an export
  DATABASE          the database to compare (default: neo4j)

Options:
  --bolt URI        where Neo4j answers (default: neo4j://localhost:7687)
  --user NAME       Neo4j user; the password is NEO4J_PASSWORD
  --database NAME   the same as DATABASE
  --no-checksums    do not compare the files with SHA256SUMS first
  --help            this text

Environment:
  NEO4J_HOME        the Neo4j whose bin/cypher-shell to use (default: cypher-shell on PATH)
  JAVA_HOME         the Java to use (default: java on PATH)
  NEO4J_USERNAME, NEO4J_PASSWORD
                    the user (default: neo4j, if a password is given) and the password

Exit codes:
  0    the counts match the manifest
  1    the counts differ, or the export is damaged
  2    usage: an option, a directory, no cypher-shell found, a login that is refused or expired
  4    Neo4j does not answer
  130  interrupted
TEXT
}

# Shared with import.sh -------------------------------------------------------------------------------------------------

# The globals of both scripts; the export is the working directory once it is entered.
export_directory=''  # EXPORT as the user wrote it
database=neo4j       # DATABASE, in lower case once it is checked
positionals=0        # how many of EXPORT and DATABASE were given
checksums=true       # whether to compare the files with SHA256SUMS
scratch=''           # a directory for temporary files, which clean_up removes
keep_scratch=false   # whether to keep it, since something in it explains a failure
java_files=''        # the temporary files of Java, in the scratch directory
group=''             # the running process group, if any
in_place=false       # whether progress is shown in place, each line ended by a carriage return
ticked=0             # the second in which progress was last shown
clear=''             # what empties the terminal's line before another is printed
if [ -t 2 ] && [ "${TERM:-dumb}" != dumb ]; then in_place=true && clear=$'\r\033[K'; fi

say() { # LINE...
    local line
    for line in "$@"; do printf '%s%s\n' "$clear" "$line" >&2; done
}

# Shows how far something is: in place every second, or in a log as a dated line every half minute.
tick() { # LINE
    if [ "$in_place" = true ]; then
        [ "$SECONDS" = "$ticked" ] || printf '%s%s\r' "$clear" "$1" >&2
    elif [ $((SECONDS - ticked)) -ge 30 ]; then
        say "$(LC_ALL=C date +%Y-%m-%dT%H:%M:%S%z) $1"
    else
        return 0
    fi
    ticked=$SECONDS
}

duration() { # SECONDS
    if [ "$1" -lt 60 ]; then printf '%s s' "$1"
    elif [ "$1" -lt 3600 ]; then printf '%s min %s s' $(($1 / 60)) $(($1 % 60))
    else printf '%s h %s min' $(($1 / 3600)) $(($1 % 3600 / 60)); fi
}

die() { # CODE SENTENCE LINE...
    local code=$1
    say "${0##*/}: $2" "${@:3}"
    exit "$code"
}

# Names of files and keys may come from anywhere: none shall command the terminal, or hide what follows it.
printable() {
    LC_ALL=C tr '\001-\011\013-\037\177' '?' | LC_ALL=C sed -e $'s/\302[\200-\237]/?/g' -e $'s/\330\234/?/g' \
        -e $'s/\342\200[\213\216\217\250-\256]/?/g' -e $'s/\342\201[\240-\257]/?/g' -e $'s/\357\273\277/?/g'
}

absolute() { (cd "$1" 2>/dev/null && pwd -P); }

take_positional() { # ARGUMENT
    positionals=$((positionals + 1))
    case $positionals in
        1) export_directory=$1 && [ -n "$1" ] || die 2 'EXPORT is empty: name its directory (see --help)' ;;
        2) database=$1 ;;
        *) die 2 "too many arguments: $1 (see --help)" ;;
    esac
}

check_database() {
    database=$(printf '%s' "$database" | LC_ALL=C tr '[:upper:]' '[:lower:]')
    printf '%s\n' "$database" | LC_ALL=C grep -qE '^[a-z][a-z0-9.-]{2,62}$' ||
        die 2 "'$database' is not a database name: 3 to 63 letters, digits, dots and dashes, a letter first"
    case $database in system*) die 2 "the name $database is Neo4j's own: choose another" ;; esac
}

# Changes into the export; if none is named, into the one that contains this script. Refuses what is not a finished
# export, and links, pipes and devices in it before anything is opened: they could lead anywhere, or never end.
enter_export() {
    local directory=$export_directory file special
    if [ -z "$directory" ]; then
        directory=$(dirname "$0")
        [ -f "$directory/manifest.json" ] || die 2 'no export given: name its directory (see --help)'
    fi
    [ -d "$directory" ] || die 2 "there is no directory $directory"
    cd -P "$directory" 2>/dev/null || die 2 "$(id -un) cannot enter $directory: run this as its owner"
    case ${PWD##*/} in .partial-*) die 2 "$PWD is unfinished or abandoned: name a finished export" ;; esac
    [ -e manifest.json ] || [ -e SHA256SUMS ] || die 2 "$PWD is not an export"
    special=$(find . ! -type d ! -type f | sed 's/^\.\//    /' | printable | LC_ALL=C sort | sed -n '1,10p') || true
    [ -z "$special" ] || die 1 'the export is damaged: it may hold only plain files and directories, but these are neither:' "$special"
    if [ -r SHA256SUMS ] && [ ! -e counts.tsv ] && ! grep -q '  counts\.tsv$' SHA256SUMS; then
        die 2 "$PWD is an export of an earlier version: it has no counts.tsv" \
            'Its own import.sh imports it, and compares it with --verify:' "    bash $(printf %q "$PWD/import.sh")"
    fi
    for file in manifest.json SHA256SUMS counts.tsv import.args; do
        [ -e "$file" ] || die 1 "the export is damaged: $PWD has no $file"
        [ -r "$file" ] || die 2 "$(id -un) cannot read $PWD/$file: run this as its owner"
    done
    grep -qE '^ *"format": [12],?$' manifest.json ||
        die 1 'manifest.json is not of format 1 or 2, those that this script knows'
    if LC_ALL=C grep -qavE $'^[^\t]+\t[^\t]*\t[0-9]+$' counts.tsv || [[ $(tail -n 1 counts.tsv) != $'snapshot\tepoch\t'* ]]; then
        die 1 'the export is damaged: counts.tsv is malformed'
    fi
}

# The number in a line of counts.tsv.
counted() { # CELL CELL
    awk -F '\t' -v first="$1" -v second="$2" '$1 == first && $2 == second && $3 ~ /^[0-9]+$/ {print $3; exit}' counts.tsv
}

# Compares every file with SHA256SUMS, and reports all that are damaged, missing or not listed.
verify_checksums() {
    local checksum line file done=0 total faults=''
    check_grammar
    checksum=$(checksum_program)
    total=$(grep -c '' SHA256SUMS)
    say "Checksums: $total files"
    # Not by `< <(...)`: nothing would end the program with this script.
    in_group show_checksums compute_checksums || true
    while IFS= read -r line; do
        file=${line%: *}
        case $line in
            *': OK') ;;
            *': FAILED open or read')
                [ ! -f "$file" ] || die 2 "$(id -un) cannot read $PWD/$file: run this as its owner"
                faults="$faults"$'\n'"    missing: $file" ;;
            *': FAILED') faults="$faults"$'\n'"    $(change_of "$file")" ;;
            *) faults="$faults"$'\n'"    $line" ;;
        esac
        done=$((done + 1))
    done <"$scratch/log"
    if [ "$done" != "$total" ]; then faults="$faults"$'\n'"    SHA256SUMS: $((total - done)) lines that are not checksums"; fi
    faults=$faults$(comm -13 <(cut -c67- SHA256SUMS | LC_ALL=C sort) \
        <(find . ! -type d ! -path ./SHA256SUMS | sed 's/^\.\///' | LC_ALL=C sort) | printable | awk '{printf "\n    not listed: %s", $0}')
    [ -z "$faults" ] || die 1 "the export is damaged:$faults" 'Copy it again from where it was made, or make a new one.'
}

compute_checksums() { LC_ALL=C $checksum -c SHA256SUMS 2>/dev/null; }

# Shows how many files are done, until all are.
show_checksums() {
    local pause=0.05
    while kill -0 "$group" 2>/dev/null; do
        sleep "$pause"
        pause=0.5
        tick "  $(grep -c '' "$scratch/log") of $total"
    done
}

# Refuses what sha256sum would interpret in its own way: capital digits, other line ends, lines that are not checksums,
# and paths that are repeated or lead outside.
check_grammar() {
    local line
    line=$(LC_ALL=C grep -anvE '^[0-9a-f]{64}  [A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$' SHA256SUMS) || true
    [ -z "$line" ] || die 1 "the export is damaged: line ${line%%:*} of SHA256SUMS is malformed"
    [ -s SHA256SUMS ] && [ -z "$(tail -c 1 SHA256SUMS)" ] || die 1 'the export is damaged: SHA256SUMS is cut off'
    cut -c67- SHA256SUMS | LC_ALL=C sort -cu 2>/dev/null ||
        die 1 'the export is damaged: SHA256SUMS lists a file twice, or is not sorted'
}

checksum_program() {
    if command -v sha256sum >/dev/null 2>&1; then
        printf 'sha256sum\n'
    elif command -v shasum >/dev/null 2>&1; then
        printf 'shasum -a 256\n'
    else
        die 2 'neither sha256sum nor shasum is on PATH: install one, or skip the comparison with --no-checksums'
    fi
}

# Whether a changed data file was cut off, most often by an interrupted copy.
change_of() { # FILE
    local had has
    had=$(counted file "$1")
    has=$(wc -c <"$1" | tr -d ' ')
    if [ "$has" -lt "${had:-0}" ]; then
        printf 'cut off: %s, %s of its %s bytes\n' "$1" "$has" "$had"
    else
        printf 'changed: %s\n' "$1"
    fi
}

# Runs a command in its own process group, since killing only a launcher would leave its Java running. Its output goes
# to the log; SHOW reports the progress meanwhile. If this script is killed, the end of its pipe ends the group.
in_group() { # SHOW COMMAND...
    local show=$1 status=0
    shift
    set -m
    "$@" </dev/null >"$scratch/log" 2>&1 &
    group=$!
    set +m
    exec 9> >(trap '' INT TERM HUP && exec >/dev/null 2>&1 && { read -r _ || kill -TERM -- "-$group"; })
    "$show"
    wait "$group" 2>/dev/null || status=$?
    group=''
    (trap '' PIPE && printf 'ended\n' >&9) 2>/dev/null || true
    exec 9>&-
    return "$status"
}

# Stops what is running, with everything it started, and prints the consequence.
interrupted() { # [SENTENCE]
    trap '' INT TERM HUP
    group=${group:-$(jobs -p)} # the signal may come between a start and the line that notes it
    if [ -n "$group" ]; then
        stop_group
        [ -z "${1:-}" ] || say "$1"
    fi
    die 130 'interrupted'
}

stop_group() {
    local waited=0
    say 'Stopping ...'
    kill -TERM -- "-$group" 2>/dev/null || true
    while kill -0 -- "-$group" 2>/dev/null && [ "$waited" -lt 40 ]; do
        sleep 0.25
        waited=$((waited + 1))
    done
    kill -KILL -- "-$group" 2>/dev/null || true
    wait "$group" 2>/dev/null || true
    group=''
}

# However the script ends. Where a signal comes while it expands `$(...)`, bash 5.2 finds a syntax error in the trap,
# ends, and runs only this.
clean_up() {
    if [ -n "$group" ]; then
        trap '' INT TERM HUP
        stop_group
        trap remove_files EXIT
        die 130 'interrupted'
    fi
    remove_files
}

remove_files() {
    [ "$in_place" = false ] || printf '%s' "$clear" >&2
    if [ -n "$java_files" ]; then rm -rf "$java_files"; fi
    if [ "$keep_scratch" = false ] && [ -n "$scratch" ]; then rm -rf "$scratch"; fi
}

# Makes every Java write numbers and messages in English, since they are read here, and leave its temporary files where
# they are removed. The launchers of Neo4j take no options of Java's, but every Java takes this variable.
prepare_java() {
    local quote="'" encoding=${LC_ALL:-${LC_CTYPE:-${LANG:-}}}
    java_files=$(mktemp -d "$scratch/java.XXXXXX")
    case $java_files in *\'*) quote='"' ;; esac
    export JAVA_TOOL_OPTIONS="${JAVA_TOOL_OPTIONS:+$JAVA_TOOL_OPTIONS }-Duser.language=en -Duser.country=US"
    JAVA_TOOL_OPTIONS="$JAVA_TOOL_OPTIONS $quote-Djava.io.tmpdir=$java_files$quote"
    # It takes the system's messages and the encoding of paths from the locale; without one, it would lose whatever is
    # not ASCII.
    case $encoding in *[Uu][Tt][Ff]*) ;; *) encoding=C.UTF-8 ;; esac
    unset LC_ALL LANGUAGE
    export LANG=C LC_CTYPE="$encoding" LC_MESSAGES=C
}

# Comparing a running Neo4j ---------------------------------------------------------------------------------------------

bolt=neo4j://localhost:7687
user=''

parse_arguments() {
    while [ $# -gt 0 ]; do
        case $1 in --bolt=* | --user=* | --database=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" ;; esac
        case $1 in --bolt | --user | --database) [ $# -ge 2 ] || die 2 "$1 needs a value (see --help)" ;; esac
        case $1 in
            --help | -h) usage && exit 0 ;;
            --bolt) bolt=$2 && shift ;;
            --user) user=$2 && shift ;;
            --database) database=$2 && shift ;;
            --no-checksums) checksums=false ;;
            -*) die 2 "unknown option $1 (see --help)" ;;
            *) take_positional "$1" ;;
        esac
        shift
    done
    check_database
    case $bolt in
        *@*) die 2 '--bolt: the address must not contain a user or password: give --user and NEO4J_PASSWORD' ;;
        bolt://?* | bolt+s://?* | bolt+ssc://?* | neo4j://?* | neo4j+s://?* | neo4j+ssc://?*) ;;
        *) die 2 "--bolt $bolt: give an address such as bolt://127.0.0.1:7687" ;;
    esac
    if [ -z "${NEO4J_PASSWORD:-}" ] && [ -n "$user${NEO4J_USERNAME:-}" ]; then
        die 2 "$([ -n "$user" ] && echo --user || echo NEO4J_USERNAME) needs its password in NEO4J_PASSWORD"
    fi
    user=${user:-${NEO4J_USERNAME:-${NEO4J_PASSWORD:+neo4j}}}
    if [ -n "$user" ]; then export NEO4J_USERNAME="$user"; fi
}

find_shell() {
    local shell
    if [ -n "${NEO4J_HOME:-}" ] && [ -x "$NEO4J_HOME/bin/cypher-shell" ]; then
        shell=$NEO4J_HOME/bin/cypher-shell
    else
        shell=$(command -v cypher-shell) ||
            die 2 'no cypher-shell found: set NEO4J_HOME to a Neo4j that has it, or put cypher-shell on PATH'
    fi
    printf '%s/cypher-shell\n' "$(absolute "$(dirname "$shell")")"
}

# The manifest's counts as lines: name, property (empty for rows), count; a relationship's name is its pattern.
manifest_counts() {
    sed -e $'/^total\t/d' -e $'/^file\t/d' -e $'/^copy\t/d' -e $'/^snapshot\t/d' \
        -e $'s/^\\([^-\t]*\\)-\\([^-\t]*\\)-\\([^-\t]*\\)\t/(\\1)-[\\2]->(\\3)\t/' counts.tsv
}

# The same for the database, in one scan of its nodes and one of its relationships. Every name is one cell on one line.
ask_neo4j() { # SHELL
    local names="reduce(names = '', label IN COLLECT {UNWIND LABELS AS label RETURN label ORDER BY label} | names + ':' + label)"
    names="substring($names, 1)"
    local blank="reduce(text = TEXT, space IN ['\t', '\n', '\r'] | replace(text, space, ' '))"
    local lines="WITH name, property, sum(rows) AS rows
        RETURN ${blank/TEXT/name} + '\t' + ${blank/TEXT/property} + '\t' + toString(rows) AS line"
    NEO4J_CYPHER_SHELL_HISTORY=in-memory "$1" -a "$bolt" -d "$database" --access-mode read --non-interactive --format plain "
        MATCH (n) WITH labels(n) AS labels, keys(n) AS keys, count(*) AS rows
        WITH CASE labels WHEN [] THEN 'no label' ELSE ${names/LABELS/labels} END AS name, keys, rows
        UNWIND [''] + keys AS property $lines
        UNION ALL
        MATCH (a)-[r]->(b) WITH labels(a) AS start, type(r) AS type, labels(b) AS end, keys(r) AS keys, count(*) AS rows
        WITH '(' + ${names/LABELS/start} + ')-[' + type + ']->(' + ${names/LABELS/end} + ')' AS name, keys, rows
        UNWIND [''] + keys AS property $lines
    " >"$scratch/answer"
}

# The differences between two files of such lines, one sentence each, as in `exporter verify --bolt`; a missing count
# is 0. Where the rows of a name differ, its values are bound to, and are only counted.
differences() { # MANIFEST NEO4J
    LC_ALL=C awk -F '\t' -v taken="$(snapshot_time)" '
        function expected(name, property) { return (name, property) in had ? had[name, property] : "0" }
        function found(name, property) { return (name, property) in has ? has[name, property] : "0" }
        function differ(name, property) { return expected(name, property) + 0 != found(name, property) + 0 }
        FILENAME == ARGV[1] { had[$1, $2] = $3; known[$1] }
        FILENAME == ARGV[2] { has[$1, $2] = $3; filled = 1 }
        FILENAME == ARGV[1] && $2 == "" && $3 > 0 && $1 !~ /^[(]/ { labels++; label[$1] }
        !(($1, $2) in seen) { seen[$1, $2]; name[++lines] = $1; property[lines] = $2 }
        END {
            for (one in label) if (!differ(one, "")) agree++
            if (labels && !agree) {
                if (filled) print "none of " labels " labels agrees: was another export imported? (this one is of " taken ")"
                else print "none of " labels " labels agrees, the database is empty: was the export imported here? (this one is of " taken ")"
            }
            for (line = 1; line <= lines; line++)
                if (property[line] != "" && differ(name[line], "") && differ(name[line], property[line])) more[name[line]]++
            for (line = 1; line <= lines; line++) {
                one = name[line]; value = property[line]
                if (!differ(one, value) || (value != "" && differ(one, ""))) continue
                if (!(one in known)) {
                    if (value == "") print one ": none in manifest.json, " found(one, "") " in Neo4j"
                    continue
                }
                kind = value != "" ? "." value : one ~ /^[(]/ ? ", relationships" : ", nodes"
                text = one kind ": " expected(one, value) " in manifest.json, " found(one, value) " in Neo4j"
                print text (one in more ? ", and " more[one] " of its properties" : "")
            }
        }' "$1" "$2"
}

# When the snapshot of the export was taken; the option differs on macOS.
snapshot_time() {
    local epoch
    epoch=$(counted snapshot epoch)
    { LC_ALL=C date -u -d "@$epoch" '+%Y-%m-%d %H:%M:%S UTC' || LC_ALL=C date -u -r "$epoch" '+%Y-%m-%d %H:%M:%S UTC'; } 2>/dev/null
}

verify_graph() { # SHELL
    local status=0 found
    manifest_counts >"$scratch/manifest"
    say "Counting all nodes, relationships and values in database $database at $bolt"
    in_group show_seconds ask_neo4j "$1" || status=$?
    [ "$status" = 0 ] || explain_silence
    # In plain output, a string is in quotes, with its quotes and backslashes escaped.
    LC_ALL=C sed -e 's/^"\(.*\)"$/\1/' -e 's/\\\(["\\]\)/\1/g' "$scratch/answer" >"$scratch/lines"
    sed 1d "$scratch/lines" | LC_ALL=C sort >"$scratch/neo4j"
    if [ "$(head -n 1 "$scratch/lines")" != line ] || LC_ALL=C grep -qavE $'^[^\t]+\t[^\t]*\t[0-9]+$' "$scratch/neo4j"; then
        keep_scratch=true
        die 4 "cypher-shell gave an unexpected answer, so nothing was compared: see $scratch/answer"
    fi
    found=$(differences "$scratch/manifest" "$scratch/neo4j")
    [ -z "$found" ] || die 1 "database $database at $bolt differs from the manifest:" "$(printf '%s\n' "$found" | printable | sed 's/^/    /')"
    printf 'Database %s at %s holds %s, all matching the manifest.\n' "$database" "$bolt" "$(awk -F '\t' '
        {if ($2 != "") properties += $3; else if (/^[(]/) relationships += $3; else nodes += $3}
        END {printf "%.0f nodes, %.0f relationships and %.0f properties", nodes, relationships, properties}' "$scratch/manifest")"
}

# Shows for how long it has been counting, until the answer arrives.
show_seconds() {
    local began=$SECONDS
    while kill -0 "$group" 2>/dev/null; do
        sleep 0.2
        tick "  $(duration $((SECONDS - began)))"
    done
}

# Ends with cypher-shell's message, which contains no data: the query returns only counts. A refused login is exit code
# 2, any other failure 4.
explain_silence() {
    local code=2 what="Neo4j at $bolt refused the login" advice
    logged() { grep -qiE "$1" "$scratch/log"; }
    if logged 'incorrect authentication details too many times'; then
        advice='It refuses every login of this user for some seconds: wait, then give the right password in NEO4J_PASSWORD.'
    elif logged 'must be changed before'; then
        advice='The first password allows nothing but to change it: do that, then run this again.'
    elif logged 'unauthorized|authentication|credentials'; then
        advice='Give the user with --user (or NEO4J_USERNAME) and the password in NEO4J_PASSWORD.'
    else
        code=4 what="Neo4j does not answer for database $database at $bolt"
        advice='Is it running, and is the database online?'
        if logged 'JAVA_HOME|UnsupportedClassVersionError|unsupported Java|java: '; then
            advice='cypher-shell needs another Java: set JAVA_HOME to one.'
        fi
    fi
    die "$code" "$what" "$(grep -vE '^(WARNING: .*|Picked up JAVA_TOOL_OPTIONS.*)?$' "$scratch/log" | sed -n '1,3s/^/    /p')" "$advice"
}

main() {
    local shell
    trap interrupted INT TERM HUP
    trap clean_up EXIT
    parse_arguments "$@"
    shell=$(find_shell)
    enter_export
    scratch=$(mktemp -d "${TMPDIR:-/tmp}/verify.XXXXXX")
    if [ "$checksums" = true ]; then verify_checksums; fi
    prepare_java
    verify_graph "$shell"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then main "$@"; fi
