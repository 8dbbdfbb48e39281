#!/usr/bin/env bash
# Imports an export into Neo4j. Every export has a copy beside verify.sh, which holds the code that both share. It needs
# bash 3.2, the usual small programs and a Neo4j.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -euo pipefail

verify_script=$(dirname "$(readlink -f "${BASH_SOURCE[0]}" 2>/dev/null || printf '%s' "${BASH_SOURCE[0]}")")/verify.sh
[ -r "$verify_script" ] || { printf 'import.sh: there is no verify.sh beside it: copy both\n' >&2 && exit 2; }
# Its usage, parse_arguments and main are replaced below.
# shellcheck source=exporter/sink/verify.sh
. "$verify_script"

usage() {
    cat <<'TEXT'
Usage: import.sh [OPTIONS] [EXPORT [DATABASE]]
       import.sh --verify ...   runs verify.sh ..., which compares a running Neo4j with EXPORT

Compares the files of the export in directory EXPORT with its SHA256SUMS, imports them into the
Neo4j database DATABASE with neo4j-admin, and compares the imported counts with the export's
manifest. The database must be stopped: stop Neo4j first. Nothing in EXPORT is changed.

  EXPORT            the export's directory; may be left out in the copy inside an export
  DATABASE          the database to create (default: neo4j)

Options:
  --overwrite       replace the database if it exists
  --accept-copy     also by a copy: an export that is a window of its source, or masked
  --database NAME   the same as DATABASE
  --no-checksums    do not compare the files with SHA256SUMS first
  --no-cache        do not use the start-up cache of Java 25, kept in XDG_CACHE_HOME or ~/.cache
  --no-advice       do not print what to do next
  --in-place        end each line of progress with a carriage return, as on a terminal
  --heap SIZE       memory for Java objects, such as 2g (default: HEAP_SIZE, or to fit the machine)
  --off-heap SIZE   other memory, such as 512m (default: to fit the machine)
  --help            this text

Environment:
  NEO4J_HOME        the Neo4j to use: with bin/neo4j-admin, or only with jars in lib/
                    (default: neo4j-admin on PATH)
  NEO4J_CONF        its configuration directory (default: NEO4J_HOME/conf)
  JAVA_HOME         the Java to use (default: java on PATH): 17 or newer for Neo4j 5, else 21

Exit codes:
  0    imported, or with --verify compared: the counts match the manifest
  1    the counts differ, or the export is damaged
  2    usage: an option, a directory, an existing database, no Neo4j or Java found. --verify:
       a login that is refused or expired
  4    the import failed; the log is named. --verify: Neo4j does not answer
  130  interrupted; the import and everything it started were stopped
TEXT
}

# The globals in addition to those of verify.sh.
overwrite=false accept_copy=false use_cache=true advise=true   # what the options say
heap=${HEAP_SIZE:-} off_heap=''              # memory, with its unit
home='' conf='' version=''                   # the Neo4j to use: its directory, its configuration directory, its version
data='' transactions=''                      # where it keeps databases, and their transaction logs
admin=''                                     # its launcher; empty if there are only jars,
java='' java_version=''                      # which this Java runs

parse_arguments() {
    while [ $# -gt 0 ]; do
        case $1 in --database=* | --heap=* | --off-heap=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" ;; esac
        case $1 in --database | --heap | --off-heap) [ $# -ge 2 ] || die 2 "$1 needs a value (see --help)" ;; esac
        case $1 in
            --help | -h) usage && exit 0 ;;
            --overwrite) overwrite=true ;;
            --accept-copy) accept_copy=true ;;
            --no-checksums) checksums=false ;;
            --no-cache) use_cache=false ;;
            --no-advice) advise=false ;;
            --in-place) in_place=true ;;
            --database) database=$2 && shift ;;
            --heap) heap=$2 && shift ;;
            --off-heap) off_heap=$2 && shift ;;
            --bolt* | --user*) die 2 "${1%%=*} is an option of --verify (see --help)" ;;
            -*) die 2 "unknown option $1 (see --help)" ;;
            *) take_positional "$1" ;;
        esac
        shift
    done
    check_size --heap "$heap"
    check_size --off-heap "$off_heap"
    check_database
}

check_size() { # OPTION VALUE
    [ -z "$2" ] || printf '%s\n' "$2" | grep -qE '^[1-9][0-9]*[kKmMgG]$' || die 2 "$1 $2: give a size such as 2g or 512m"
}

# Sets home, version, conf, and admin or java to what to run, as absolute paths, since the import runs elsewhere.
find_neo4j() {
    if [ -n "${NEO4J_HOME:-}" ]; then
        home=$(absolute "$NEO4J_HOME") || die 2 "NEO4J_HOME: there is no directory $NEO4J_HOME"
        if [ -x "$home/bin/neo4j-admin" ]; then admin=$home/bin/neo4j-admin; fi
    else
        admin=$(command -v neo4j-admin) ||
            die 2 'no Neo4j found: set NEO4J_HOME to its directory, or put neo4j-admin on PATH'
        admin=$(absolute "$(dirname "$admin")")/neo4j-admin
        home=$(absolute "$(dirname "$(readlink -f "$admin" 2>/dev/null || printf '%s\n' "$admin")")/..")
    fi
    if [ -n "${JAVA_HOME:-}" ]; then
        java=$(absolute "$JAVA_HOME")/bin/java || die 2 "JAVA_HOME: there is no directory $JAVA_HOME"
        export JAVA_HOME="${java%/bin/java}"
    fi
    conf=$home/conf
    # Debian and RPM packages keep the configuration elsewhere.
    if [ ! -e "$conf" ] && [ -e /etc/neo4j/neo4j.conf ] && [ -n "$admin" ]; then conf=/etc/neo4j; fi
    if [ -n "${NEO4J_CONF:-}" ]; then
        conf=$(absolute "$NEO4J_CONF") || die 2 "NEO4J_CONF: there is no directory $NEO4J_CONF"
    fi
    # The launcher takes seconds to tell; the name of the jar has it, too.
    version=$(find "$home/lib/" -name 'neo4j-[0-9]*.jar' 2>/dev/null | sed -n 's/.*neo4j-\([0-9.]*\)\.jar$/\1/p') || true
    if [ -z "$admin" ]; then
        [ -n "$version" ] || die 2 "NEO4J_HOME ($home) holds neither bin/neo4j-admin nor Neo4j's jars in lib/"
        check_java
    elif [ -z "$version" ]; then
        version=$("$admin" --version 2>/dev/null) || die 2 "$admin does not run: '$admin --version' says why"
    fi
}

check_java() {
    local needed=21
    if [ "${version%%.*}" = 5 ]; then needed=17; fi
    : "${java:=$(command -v java)}"
    [ -n "$java" ] || die 2 'no Java found: set JAVA_HOME to its directory, or put java on PATH'
    [ -x "$java" ] || die 2 "JAVA_HOME: there is no $java"
    java_version=$("$java" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p') || true
    [ "${java_version:=0}" -ge "$needed" ] ||
        die 2 "Neo4j $version needs Java $needed or newer, but $java is Java $java_version: set JAVA_HOME to a newer one"
}

# The value of a Neo4j setting in the files that neo4j-admin reads; the last one takes precedence.
setting() { # NAME
    local file
    for file in neo4j.conf neo4j-admin.conf neo4j-admin-database-import.conf; do
        sed -n "s/^[[:space:]]*$1[[:space:]]*=[[:space:]]*\(.*[^[:space:]]\)[[:space:]]*$/\1/p" "$conf/$file" 2>/dev/null || true
    done | tail -n 1
}

# Sets data and transactions.
find_store() {
    data=$(setting 'server\.directories\.data')
    case ${data:=data} in /*) ;; *) data=$home/$data ;; esac
    transactions=$(setting 'server\.directories\.transaction\.logs\.root')
    case ${transactions:=$data/transactions} in /*) ;; *) transactions=$home/$transactions ;; esac
}

holds_files() { [ -n "$(ls -A "$1" 2>/dev/null)" ]; } # DIRECTORY

# Refuses directories in which the server could not use this user's store, and an existing database.
check_store() {
    local part
    for part in "$data/databases" "$transactions"; do check_owner "$part"; done
    [ "$overwrite" = false ] || return 0
    if holds_files "$data/databases/$database"; then
        die 2 "the database $database exists in $data: --overwrite replaces it"
    elif holds_files "$transactions/$database"; then
        die 2 "$transactions still holds transaction logs of a database $database: --overwrite replaces them"
    fi
}

# Whether the export is not the whole source, or not as it is there.
is_copy() { grep -qE '^ *"format": 2,?$' manifest.json; }

# What a copy is, in indented lines; an export of another hand may not say it.
copy_lines() {
    local lines
    lines=$(sed -n $'s/^copy\t\\([^\t]*\\)\t.*/    \\1/p' counts.tsv | printable | sed -n '1,10p')
    printf '%s\n' "${lines:-    a window of its source, or masked}"
}

# Refuses to put a copy in the place of a database that may hold everything.
check_copy() {
    is_copy && [ "$accept_copy" = false ] || return 0
    holds_files "$data/databases/$database" || holds_files "$transactions/$database" || return 0
    die 2 "this export is a copy, and would replace the database $database: --accept-copy replaces it all the same" \
        "$(copy_lines)"
}

# Says what will be in the database.
say_contents() {
    if is_copy; then say 'This export is a copy, not the whole source as it is:' "$(copy_lines)"
    else say 'This export is the whole source'; fi
    say_age
}

check_owner() { # DIRECTORY
    local directory=$1 owner
    while [ ! -e "$directory" ]; do directory=$(dirname "$directory"); done
    # shellcheck disable=SC2012 # stat has other options on macOS
    owner=$(ls -ld "$directory" | awk '{print $3}')
    if [ ! -w "$directory" ] || [ ! -x "$directory" ] || { [ "$(id -u)" = 0 ] && [ ! -O "$directory" ]; }; then
        die 2 "$directory belongs to $owner, whose server could not open a store written by $(id -un): run this as $owner"
    fi
}

say_age() {
    local taken minutes
    taken=$(counted snapshot epoch)
    [ -n "$taken" ] || return 0
    minutes=$((($(date +%s) - 10#$taken) / 60))
    if [ "$minutes" = 0 ]; then say 'The snapshot is less than a minute old'
    elif [ "$minutes" -lt 120 ]; then say "The snapshot is $minutes minute$([ "$minutes" = 1 ] || echo s) old"
    elif [ "$minutes" -lt 2880 ]; then say "The snapshot is $((minutes / 60)) hours old"
    else say "The snapshot is $((minutes / 1440)) days old"; fi
}

# MiB of memory that an import may use: what is available (on macOS half of the total), within control groups' limits.
available_memory() {
    {
        sed -n 's/^MemAvailable: *\([0-9]*\) kB$/\1 1024/p' /proc/meminfo || sysctl -n hw.memsize | sed 's/$/ 0.5/' || true
        cat "/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)/memory.max" /sys/fs/cgroup/memory.max \
            /sys/fs/cgroup/memory/memory.limit_in_bytes || true
    } 2>/dev/null | LC_ALL=C awk '
        /^[0-9]+( |$)/ {mib = int($1 * (NF > 1 ? $2 : 1) / 1048576); if (!limits++ || mib < least) least = mib}
        END {print limits ? least : 1024}'
}

# MiB of heap for so many buffers, into each of which every line must fit.
buffers() { # NUMBER
    local kib
    kib=$(sed -n 's/^--read-buffer-size=\([0-9]*\)k$/\1/p' import.args)
    printf '%s\n' $(($1 * ${kib:-4096} / 1024))
}

# Measured (docs/import-tuning.md): of the heap, each thread takes up to twelve buffers, and what they share eight.
BUFFERS_A_THREAD=12 BUFFERS_SHARED=8

# Sets heap and off_heap, in MiB where no option has them.
choose_memory() {
    local available share lines
    available=$(available_memory)
    # A larger heap does not make an import faster; 256 MiB are enough for one and a half million nodes. But two threads
    # must have their buffers, which are large if a line is.
    share=$((available / 4))
    share=$((share < 256 ? 256 : share > 2048 ? 2048 : share))
    lines=$(buffers $((2 * BUFFERS_A_THREAD + BUFFERS_SHARED)))
    if [ "$lines" -gt $((available * 5 / 8)) ]; then lines=$((available * 5 / 8)); fi
    heap=${heap:-$((share < lines ? lines : share))m}
    share=$((available * 3 / 8))
    if [ "$share" -gt $((available * 7 / 8 - $(heap_mib))) ]; then share=$((available * 7 / 8 - $(heap_mib))); fi
    off_heap=${off_heap:-$((share < 100 ? 100 : share))m}
}

# The heap in MiB.
heap_mib() {
    case $heap in
        *[gG]) printf '%s\n' $((${heap%?} * 1024)) ;;
        *[kK]) printf '%s\n' $((${heap%?} / 1024)) ;;
        *) printf '%s\n' "${heap%?}" ;;
    esac
}

# The file of classes that Java loaded, linked and profiled in an earlier import by this Neo4j and this Java; empty if
# there can be none. Java ignores one that does not fit.
cache_file() {
    local fingerprint folder=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
    if [ "$use_cache" = false ] || [ -n "$admin" ] || [ "$java_version" -lt 25 ] || [ -z "$folder" ]; then return; fi
    folder=$folder/astrokiran-graph-exporter
    # Java takes a colon for the end of the cache's path.
    case $folder${TMPDIR:-} in *:*) return ;; esac
    (umask 077 && mkdir -p "$folder") 2>/dev/null && [ -w "$folder" ] || return 0
    fingerprint=$( (printf '%s' "$home" && "$java" -version 2>&1) | cksum 2>/dev/null) || return 0
    printf '%s\n' "$folder/import-$version-${fingerprint%% *}.aot"
}

# Neo4j's file reader sleeps up to a tenth of a second at the end of a file; with more threads than processors, others
# import meanwhile. Measured (docs/import-tuning.md): two processors take a fifth to a third less time; more than eight
# threads gain nothing. Each thread holds some buffers, which must leave room on the heap.
THREADS=8

# The option that sets another number of threads than there are processors: as many more as help, or as many as the heap
# has room for; nothing if it need not be set.
threads_option() {
    local threads
    threads=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
    if [ "$threads" -lt "$THREADS" ] && [ "$(buffers $((THREADS * 2 * BUFFERS_A_THREAD)))" -le "$(heap_mib)" ]; then
        printf -- '--threads=%s\n' "$THREADS"
    elif ! has_room "$threads"; then
        while [ "$threads" -gt 1 ] && ! has_room "$threads"; do threads=$((threads - 1)); done
        printf -- '--threads=%s\n' "$threads"
    fi
}

has_room() { # THREADS
    [ "$(buffers $(($1 * BUFFERS_A_THREAD + BUFFERS_SHARED)))" -le "$(heap_mib)" ]
}

# Sets `command` to the import's command line. Without a launcher, Java gets what the launcher would pass.
importer_command() { # CACHE
    local threads
    command=(database import full "$database" "--overwrite-destination=$overwrite" "--report-file=$scratch/report"
        "--max-off-heap-memory=$off_heap")
    threads=$(threads_option)
    if [ -n "$threads" ]; then command+=("$threads"); fi
    # Neo4j 5 names the failed row only with --verbose.
    if [ "${version%%.*}" = 5 ]; then command+=(--verbose); fi
    command+=(@import.args)
    if [ -n "$admin" ]; then command=("$admin" "${command[@]}") && return; fi
    command=("-Xmx$heap" --add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/java.io=ALL-UNNAMED
        --add-opens=java.base/sun.nio.ch=ALL-UNNAMED -Dfile.encoding=UTF-8 -cp "$home/lib/*" org.neo4j.cli.AdminTool
        "${command[@]}")
    if [ "$java_version" -ge 24 ]; then
        command=(--enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow "${command[@]}")
    fi
    if [ -r "$1" ]; then
        command=("-XX:AOTCache=$1" -Xlog:disable "${command[@]}")
    elif [ -n "$1" ]; then
        command=("-XX:AOTCacheOutput=$scratch/cache" -Xlog:disable "${command[@]}")
    fi
    command=("$java" "${command[@]}")
}

run_import() {
    local cache status=0 command
    cache=$(cache_file)
    importer_command "$cache"
    prepare_java
    export HEAP_SIZE=$heap
    if [ -z "$admin" ] || [ -n "${NEO4J_HOME:-}" ]; then export NEO4J_HOME=$home; fi
    if [ -z "$admin" ] || [ -d "$conf" ]; then export NEO4J_CONF=$conf; fi
    say "Importing into database $database of Neo4j $version in $data (heap $heap, off-heap $off_heap)"
    in_group show_steps "${command[@]}" || status=$?
    [ "$status" = 0 ] || explain_failure "$status"
    compare_counts
    # The next import uses the cache that this one made.
    if [ -s "$scratch/cache" ]; then mv -f "$scratch/cache" "$cache" 2>/dev/null || true; fi
}

STEPS=(preparing nodes relationships linking 'counts and indexes')

# Shows the step that the import is in, until it ends: in place how far it is, and how long it took when it is done; in
# a log each step as it begins, and now and then how far it is.
show_steps() {
    local running=true step=0 reached percent began=$SECONDS
    while [ "$running" = true ]; do
        sleep 0.5
        kill -0 "$group" 2>/dev/null || running=false # the log is whole then, and is read once more
        # Not by `< <(...)`, during which bash 5.2 cannot run a trap (see clean_up in verify.sh).
        progress >"$scratch/progress" || true
        read -r reached percent <"$scratch/progress" || continue
        while [ "$step" -lt "$reached" ]; do
            [ "$in_place" = false ] || [ "$step" = 0 ] || say "$(step_line "$step"): $(duration $((SECONDS - began)))"
            step=$((step + 1)) began=$SECONDS
            [ "$in_place" = true ] || say "$(step_line "$step")"
        done
        [ "$running" = false ] || tick "$(step_line "$step"): $(how_far $((SECONDS - began)) "$percent")"
    done
    [ "$in_place" = false ] || [ "$step" -lt 4 ] || say "$(step_line 4): $(duration $((SECONDS - began)))"
}

step_line() { # STEP
    printf '  %s%s' "$([ "$1" = 0 ] || echo "$1/4 ")" "${STEPS[$1]}"
}

# Time and percent so far, and the time that is left if the step goes on as it has.
how_far() { # SECONDS PERCENT
    duration "$1"
    [ -z "$2" ] || printf ', %s %%' "$2"
    if [ "${2:-0}" -ge 5 ] && [ "$2" -lt 99 ] && [ "$1" -ge 3 ]; then
        printf ', about %s left' "$(duration $(($1 * (100 - $2) / $2)))"
    fi
}

# The number of the step that neo4j-admin is in, and the percent of it that is done if the log tells. A step is fifty
# dots for each twentieth; Neo4j 5 with --verbose has other titles and prints how many entities are done, or which of
# the relationship types.
progress() {
    tr '\r' '\n' <"$scratch/log" | LC_ALL=C awk -v nodes="$(counted total nodes)" -v relationships="$(counted total relationships)" '
        function enter(number, entities) { step = number; total = entities; done = 0 }
        BEGIN { unit["K"] = 1e3; unit["M"] = 1e6; unit["G"] = unit["B"] = 1e9; unit["T"] = 1e12 }
        /^\(1\/4\)/ || /^Nodes, started/ { enter(1, nodes) }
        /^\(2\/4\)/ || /^Relationships, started/ { enter(2, relationships) }
        /^\(3\/4\)/ || /^Node Degrees, started/ { enter(3, 0) }
        /^\(4\/4\)/ || /^Node counts and / { enter(4, 0) }
        step && /^[-.]+( |$)/ { done += gsub(/[-.]/, "") / 10 }
        total && /^\[.*\] *[0-9]/ {
            sub(/.*\] */, "")
            match($0, /^[0-9.]+/)
            factor = substr($0, RLENGTH + 1, 1)
            done = 100 * $0 * (factor in unit ? unit[factor] : 1) / total
        }
        step == 3 && match($0, /[0-9]+\/[0-9]+, started/) {
            split(substr($0, RSTART, RLENGTH), part, "/")
            done = 100 * (part[1] - 1) / part[2]
        }
        END { print step + 0, (done < 1 ? "" : done > 99 ? 99 : int(done)) }'
}

# Ends with exit code 4 and the lines of the log that say what to do.
explain_failure() { # STATUS
    local advice='' where written needed
    logged() { grep -qiE "$1" "$scratch/log"; }
    if logged 'database is in use'; then
        advice='The database is in use: stop the Neo4j server that runs on it, and run this again.'
    elif logged 'database already exist'; then
        advice='The database exists: --overwrite replaces it.'
    elif logged 'Java heap space|OutOfMemoryError' || [ "$1" = 137 ]; then
        advice="It ran out of memory: increase --heap (it had $heap) or --off-heap (it had $off_heap)."
        needed=$(buffers $((BUFFERS_A_THREAD + BUFFERS_SHARED)))
        [ "$needed" -lt "$(heap_mib)" ] || advice="$advice Its longest line takes a heap of about ${needed}m."
    elif logged 'No space left on device'; then
        advice="The disk is full: make room for $data."
    elif logged 'UnsupportedClassVersionError|Unsupported Java'; then
        advice="Neo4j $version needs a newer Java: set JAVA_HOME to one."
    fi
    # Where and what, without the row's values, which are somebody's data.
    where=$(sed -n -e 's/.*\[source:\(.*\), position:[0-9]*, line:\([0-9]*\)\].*/\1: line \2/p' -e '/: line [0-9]*$/p' \
        -e 's/^\(.*Exception: \)*\(.*original error: \)*\(.*referring to missing node.*\)/\3/p' \
        -e 's/^\(.*Exception: \)*\(.* is defined more than once.*\)/\2/p' -e "/doesn't exist\$/p" \
        -e '/Row has more columns/p' -e '/^Unknown option/p' "$scratch/log" | printable |
        awk '!seen[$0]++ && NR < 7 {print "    " $0}')
    written=$(half_written)
    keep_scratch=true
    die 4 "the import failed (neo4j-admin ended with $1)" ${advice:+"$advice"} ${where:+"$where"} ${written:+"$written"} \
        "The whole log is $scratch/log"
}

# The consequence of an import that did not end, if it had begun to write.
half_written() {
    if [ "$advise" = true ] && grep -qE '^Import starting|, started ' "$scratch/log" 2>/dev/null; then
        printf 'The database %s is half-written now: import again with --overwrite.\n' "$database"
    fi
}

# The number in the importer's last lines.
imported() { sed -n "s/^  \([0-9][0-9]*\) $1\$/\1/p" "$scratch/log" | tail -n 1; }

compare_counts() {
    local unit differences=''
    for unit in nodes relationships properties; do
        [ "$(imported $unit)" = "$(counted total $unit)" ] ||
            differences="$differences"$'\n'"    $unit: the manifest has $(counted total $unit), Neo4j imported $(imported $unit)"
    done
    [ -n "$differences" ] || return 0
    keep_scratch=true
    die 1 "the imported counts differ from the manifest:$differences" "The whole log is $scratch/log" \
        "Do not use the database $database; import the export again, and report this if the counts differ again."
}

# Prints what to do next, as commands with this Neo4j's paths, address and database.
say_next() {
    local start='' shell=cypher-shell bolt name='' password="'your password'" lines=('Next:')
    if [ -x "$home/bin/neo4j" ]; then start=": $(printf %q "$home/bin/neo4j") start"; fi
    if [ "$conf" = /etc/neo4j ]; then start=': sudo systemctl start neo4j'; fi
    if [ "$database" != neo4j ]; then
        name=$database
        start=", in Community with initial.dbms.default_database=$name, in Enterprise create it then$start"
    fi
    if [ -x "$home/bin/cypher-shell" ]; then shell=$home/bin/cypher-shell; fi
    # Port 0 means any free port when Neo4j starts.
    bolt=$(setting 'server\.bolt\.listen_address' | sed -e '/:/!s/$/:7687/' -e 's/^0\.0\.0\.0:/:/' -e 's/^\[::]:/:/' \
        -e 's/^:/localhost:/' -e '/^localhost:7687$/d' -e '/:0*$/d' -e 's/^/bolt:\/\//')
    if has_logins && ! has_users; then
        lines+=("    $(printf %q "${admin:-neo4j-admin}") dbms set-initial-password $password")
    fi
    lines+=("    start Neo4j$start")
    if has_logins && [ -z "${NEO4J_PASSWORD:-}" ]; then
        lines+=("    export NEO4J_USERNAME=neo4j NEO4J_PASSWORD=$password")
    fi
    say "${lines[@]}" \
        "   $(printf ' %q' "$shell" ${bolt:+-a "$bolt"} -d "$database" -f "$PWD/schema.cypher")" \
        "   $(printf ' %q' bash "$PWD/verify.sh" ${bolt:+--bolt "$bolt"} ${name:+--database "$name"})"
}

has_logins() { [ "$(setting 'dbms\.security\.auth_enabled')" != false ]; }

# A Neo4j without users makes one when it starts, whose password allows nothing but to change it.
has_users() { [ -e "$data/databases/system" ] || [ -e "$data/dbms/auth.ini" ]; }

main() {
    local argument verify=false
    for argument in "$@"; do
        shift
        if [ "$argument" = --verify ]; then verify=true; else set -- "$@" "$argument"; fi
    done
    if [ "$verify" = true ]; then exec bash "$verify_script" "$@"; fi
    trap 'interrupted "$(half_written)"' INT TERM HUP
    trap clean_up EXIT
    parse_arguments "$@"
    find_neo4j
    enter_export
    find_store
    check_store
    check_copy
    say_contents
    scratch=$(mktemp -d "${TMPDIR:-/tmp}/import.XXXXXX")
    if [ "$checksums" = true ]; then verify_checksums; fi
    choose_memory
    run_import
    printf 'Imported %s nodes, %s relationships and %s properties into database %s in %s s, matching the manifest.\n' \
        "$(imported nodes)" "$(imported relationships)" "$(imported properties)" "$database" "$SECONDS"
    if [ "$advise" = true ]; then say_next; fi
}

main "$@"
