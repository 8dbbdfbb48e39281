#!/usr/bin/env bash
# Imports an export into Neo4j, and compares a running Neo4j with it. Copied into every export, it needs bash 3.2, the
# usual small programs and a Neo4j.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set +o posix
set -euo pipefail
unset CDPATH

usage() {
    cat <<'TEXT'
Usage: import.sh [OPTIONS] [EXPORT [DATABASE]]
       import.sh --verify [OPTIONS] [EXPORT [DATABASE]]

Imports the export in directory EXPORT into the Neo4j database DATABASE with neo4j-admin,
and compares the imported counts with the export's manifest. With --verify, it imports
nothing, but asks a running Neo4j by cypher-shell, and compares the nodes of each label,
the relationships of each pattern and the values of each property with the manifest.

  EXPORT            the export's directory; may be left out in the copy inside an export
  DATABASE          the database to make or to compare (default: neo4j)

Options:
  --database NAME   the same as DATABASE
  --no-checksums    do not compare the files with SHA256SUMS first (--verify: manifest.json)
  --help            this text

Options of an import:
  --overwrite       replace the database when it exists
  --no-cache        neither use nor make the start-up cache of Java 25 and newer, with
                    which all imports but the first are a fifth faster; it is kept in
                    XDG_CACHE_HOME (default: ~/.cache)
  --no-advice       do not say what to do next
  --heap SIZE       memory for Java objects, such as 2g or 512m (default: fits this machine)
  --off-heap SIZE   memory beside them, such as 4g (default: fits this machine)

Options of --verify:
  --bolt URI        where Neo4j answers (default: neo4j://localhost:7687)
  --user NAME       Neo4j user; the password is NEO4J_PASSWORD

Environment:
  NEO4J_HOME        the Neo4j to use: with bin/neo4j-admin, or with nothing but jars in lib/;
                    when it is not set, neo4j-admin on PATH. --verify needs bin/cypher-shell
                    there, or else cypher-shell on PATH
  NEO4J_CONF        its configuration directory (default: NEO4J_HOME/conf)
  JAVA_HOME         the Java to use (default: java on PATH); Neo4j 5 needs Java 17 or newer,
                    Neo4j 2025 and 2026 need 21 or newer
  HEAP_SIZE         like --heap
  NEO4J_USERNAME, NEO4J_PASSWORD
                    who --verify is (default: neo4j, where a password is given)

An import needs the database stopped: stop Neo4j first. Nothing in EXPORT is changed.

Exit codes:
  0    imported, or with --verify compared: the counts are the manifest's
  1    the counts differ, or the export is damaged
  2    usage: an option, a directory, an existing database, no Neo4j or Java found
  4    the import failed; the log is named. --verify: Neo4j does not answer
  130  interrupted; the import and all it started are gone
TEXT
}

say() { printf '%s\n' "$@" >&2; }
die() { # CODE SENTENCE LINE...
    local code=$1
    say "import.sh: $2"
    shift 2
    if [ $# -gt 0 ]; then printf '%s\n' "$@" >&2; fi
    exit "$code"
}

export_directory='' database=neo4j checksums=true verify=false of_import='' of_verify=''
overwrite=false use_cache=true next_steps=true heap=${HEAP_SIZE:-} off_heap='' cache=''
bolt=neo4j://localhost:7687 user='' shell=''
home='' admin='' java='' java_version='' conf='' data='' version=''
scratch='' group='' keep_log=false checksum=''

parse_arguments() {
    local positional=0
    while [ $# -gt 0 ]; do
        case $1 in
            --help | -h) usage && exit 0 ;;
            --verify) verify=true ;;
            --no-checksums) checksums=false ;;
            --overwrite) overwrite=true of_import=$1 ;;
            --no-cache) use_cache=false of_import=$1 ;;
            --no-advice) next_steps=false of_import=$1 ;;
            --database=* | --heap=* | --off-heap=* | --bolt=* | --user=*) set_option "${1%%=*}" "${1#*=}" ;;
            --database | --heap | --off-heap | --bolt | --user)
                [ $# -ge 2 ] || die 2 "$1 needs a value (see --help)"
                set_option "$1" "$2"
                shift ;;
            -*) die 2 "unknown option $1 (see --help)" ;;
            *)
                positional=$((positional + 1))
                case $positional in
                    1) export_directory=$1 ;;
                    2) database=$1 ;;
                    *) die 2 "too many arguments: $1 (see --help)" ;;
                esac ;;
        esac
        shift
    done
    if [ "$verify" = true ]; then
        [ -z "$of_import" ] || die 2 "$of_import is an option of an import, not of --verify (see --help)"
    else
        [ -z "$of_verify" ] || die 2 "$of_verify is an option of --verify (see --help)"
    fi
    database=$(printf '%s' "$database" | tr '[:upper:]' '[:lower:]')
    check_size --heap "$heap"
    check_size --off-heap "$off_heap"
    printf '%s\n' "$database" | LC_ALL=C grep -qE '^[a-z][a-z0-9.-]{2,62}$' ||
        die 2 "$database is no database name: 3 to 63 letters, digits, dots and dashes, a letter first"
    case $database in system*) die 2 "the name $database is Neo4j's own: choose another" ;; esac
}

set_option() { # OPTION VALUE
    case $1 in
        --database) database=$2 ;;
        --heap) heap=$2 of_import=$1 ;;
        --off-heap) off_heap=$2 of_import=$1 ;;
        --bolt) bolt=$2 of_verify=$1 ;;
        --user) user=$2 of_verify=$1 ;;
    esac
}

check_size() { # OPTION VALUE
    [ -z "$2" ] || printf '%s\n' "$2" | grep -qE '^[1-9][0-9]*[kKmMgG]$' || die 2 "$1 $2: a size is like 2g or 512m"
}

# Leaves in home, version, conf, and admin or java what to run. All of them absolute, since the import runs elsewhere.
find_neo4j() {
    local java_home
    if [ -n "${NEO4J_HOME:-}" ]; then
        home=$(absolute "$NEO4J_HOME") || die 2 "NEO4J_HOME: there is no directory $NEO4J_HOME"
        if [ -x "$home/bin/neo4j-admin" ]; then admin=$home/bin/neo4j-admin; fi
    else
        admin=$(command -v neo4j-admin) ||
            die 2 'no Neo4j found: set NEO4J_HOME to its directory, or put neo4j-admin on PATH'
        admin=$(absolute "$(dirname "$admin")")/neo4j-admin
        home=$(home_of "$admin")
    fi
    if [ -n "${JAVA_HOME:-}" ]; then
        java_home=$(absolute "$JAVA_HOME") || die 2 "JAVA_HOME: there is no directory $JAVA_HOME"
        export JAVA_HOME="$java_home"
    fi
    conf=$home/conf
    # The Debian and RPM packages keep the configuration apart.
    if [ ! -e "$conf" ] && [ -e /etc/neo4j/neo4j.conf ] && [ -n "$admin" ]; then conf=/etc/neo4j; fi
    if [ -n "${NEO4J_CONF:-}" ]; then
        conf=$(absolute "$NEO4J_CONF") || die 2 "NEO4J_CONF: there is no directory $NEO4J_CONF"
    fi
    # Asking the launcher takes seconds; the name of the jar says it too.
    version=$(find "$home/lib/" -name 'neo4j-[0-9]*.jar' 2>/dev/null | sed -n 's/.*neo4j-\([0-9.]*\)\.jar$/\1/p') || true
    if [ -z "$admin" ]; then
        [ -n "$version" ] || die 2 "NEO4J_HOME ($home) holds neither bin/neo4j-admin nor Neo4j's jars in lib/"
        find_java
    elif [ -z "$version" ]; then
        version=$("$admin" --version 2>/dev/null) || die 2 "$admin does not run: '$admin --version' says why"
    fi
}

absolute() { (cd "$1" 2>/dev/null && pwd -P); }

# The directory above the bin/ in which a program really lies, behind all symbolic links.
home_of() (
    program=$1
    while [ -L "$program" ]; do
        cd "$(dirname "$program")"
        program=$(readlink "$program")
    done
    absolute "$(dirname "$program")/.."
)

find_java() {
    local needed=21
    if [ "${version%%.*}" = 5 ]; then needed=17; fi
    if [ -n "${JAVA_HOME:-}" ]; then
        java=$JAVA_HOME/bin/java
    else
        java=$(command -v java) || die 2 'no Java found: set JAVA_HOME to its directory, or put java on PATH'
    fi
    [ -x "$java" ] || die 2 "JAVA_HOME: there is no $java"
    java_version=$("$java" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p') || true
    [ "${java_version:=0}" -ge "$needed" ] ||
        die 2 "Neo4j $version needs Java $needed or newer, but $java is Java $java_version: set JAVA_HOME to a newer one"
}

# Changes into the export and leaves its absolute path in export_directory.
enter_export() {
    local own file
    if [ -z "$export_directory" ]; then
        own=$(absolute "$(dirname "${BASH_SOURCE[0]}")")
        [ -f "$own/manifest.json" ] || die 2 'which export? Name its directory (see --help)'
        export_directory=$own
    fi
    [ -d "$export_directory" ] || die 2 "there is no directory $export_directory"
    cd "$export_directory" 2>/dev/null || die 2 "$(id -un) may not enter $export_directory: run this as its owner"
    export_directory=$(pwd -P)
    case ${export_directory##*/} in
        .partial-*) die 2 "$export_directory is unfinished or was given up: name a finished export" ;;
    esac
    [ -e manifest.json ] || [ -e SHA256SUMS ] || die 2 "$export_directory is no export"
    for file in manifest.json SHA256SUMS import.args; do
        [ -e "$file" ] || die 1 "the export is damaged: $export_directory has no $file"
        [ -r "$file" ] || die 2 "$(id -un) may not read $export_directory/$file: run this as its owner"
    done
    grep -qE '^  "format": 1,?$' manifest.json || die 1 'manifest.json is not of format 1, the one this script knows'
}

# Says of when the data is. The days are counted here, since date has other options on macOS.
say_age() {
    local taken
    taken=$(sed -n 's/^    "snapshot_at": "\([-0-9]*T[0-9:]*\).*Z",*$/\1/p' manifest.json)
    awk -v taken="$taken" -v now="$(date -u +%s)" 'BEGIN {
        if (split(taken, part, /[-T:]/) != 6) exit
        year = part[1] - (part[2] < 3); month = (part[2] + 9) % 12
        days = 365 * year + int(year / 4) - int(year / 100) + int(year / 400) + int((153 * month + 2) / 5) + part[3] - 719469
        minutes = int((now - ((days * 24 + part[4]) * 60 + part[5]) * 60) / 60)
        age = minutes < 120 ? minutes " minutes" : minutes < 2880 ? int(minutes / 60) " hours" : int(minutes / 1440) " days"
        sub(/T/, " ", taken)
        print "The snapshot was taken at " taken " UTC, " age " ago"
    }' >&2
}

# The value of a setting of Neo4j, by the files that neo4j-admin reads, the strongest first.
setting() { # NAME
    local file value
    for file in neo4j-admin-database-import.conf neo4j-admin.conf neo4j.conf; do
        [ -r "$conf/$file" ] || continue
        value=$(sed -n "s/^[[:space:]]*$1[[:space:]]*=[[:space:]]*//p" "$conf/$file" | sed 's/[[:space:]]*$//' | tail -n 1)
        if [ -n "$value" ]; then
            printf '%s\n' "$value"
            return
        fi
    done
}

# Refuses a store that the server could not read afterwards, and a database that exists.
check_store() {
    local directory owner name
    data=$(setting 'server\.directories\.data')
    case ${data:=data} in /*) ;; *) data=$home/$data ;; esac
    directory=$data/databases
    while [ ! -e "$directory" ]; do directory=$(dirname "$directory"); done
    # shellcheck disable=SC2012 # stat has other options on macOS
    owner=$(ls -ldn "$directory" | awk '{print $3}') name=$(ls -ld "$directory" | awk '{print $3}')
    if [ "$(id -u)" = 0 ] && [ "$owner" != 0 ]; then
        refuse_owner "$directory belongs to $name: a store written by root would keep the server from starting" "$owner" "$name"
    elif [ ! -w "$directory" ] || [ ! -x "$directory" ]; then
        refuse_owner "$directory belongs to $name, and $(id -un) may not write there" "$owner" "$name"
    fi
    if [ "$overwrite" = false ] && [ -n "$(ls -A "$data/databases/$database" 2>/dev/null)" ]; then
        die 2 "the database $database exists in $data: --overwrite replaces it"
    fi
}

# Says which user may import, and how. The options besides --overwrite are left to that user.
refuse_owner() { # REASON OWNER_ID OWNER_NAME
    local account=$3 export_there=$export_directory first=''
    if [ "$3" = "$2" ]; then account="#$2"; fi
    if ! readable_by "$2" "$3"; then
        export_there=/var/tmp/${export_directory##*/}
        first="    cp -R$(printf ' %q' "$export_directory" "$export_there") && chown -R $3 $(printf %q "$export_there")"
        first="First give $3 a copy of the export, since it may not read this one:"$'\n'$first
    fi
    local reason=$1
    set -- sudo -u "$account" env "NEO4J_HOME=$home" "NEO4J_CONF=$conf" ${JAVA_HOME:+"JAVA_HOME=$JAVA_HOME"} \
        bash "$export_there/import.sh" "$export_there" "$database"
    if [ "$overwrite" = true ]; then set -- "$@" --overwrite; fi
    die 2 "$reason" ${first:+"$first"} 'Run the import as that user:' "   $(printf ' %q' "$@")"
}

# Whether a user may read the whole export, as its owner, as a member of a group, or as everybody may.
readable_by() { # USER_ID USER_NAME
    local directory=$export_directory group
    local list=(-perm -005 -o -user "$1" -perm -500) read=(-perm -004 -o -user "$1" -perm -400)
    local enter=(-perm -001 -o -user "$1" -perm -100)
    for group in $(id -G "$2" 2>/dev/null); do
        list+=(-o -group "$group" -perm -050) read+=(-o -group "$group" -perm -040) enter+=(-o -group "$group" -perm -010)
    done
    [ -z "$(find "$directory" -type d ! \( "${list[@]}" \) -print -o -type f ! \( "${read[@]}" \) -print)" ] || return 1
    while [ "$directory" != / ]; do
        directory=$(dirname "$directory")
        [ -n "$(find "$directory" -prune \( "${enter[@]}" \) -print)" ] || return 1
    done
}

# Refuses what sha256sum would read its own way: capital digits, other line ends, lines that are no checksums, and paths
# that are twice or outside.
check_grammar() {
    local line
    line=$(LC_ALL=C grep -anvE '^[0-9a-f]{64}  [A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$' SHA256SUMS) || true
    [ -z "$line" ] || die 1 "the export is damaged: line ${line%%:*} of SHA256SUMS is not as an export has it"
    [ -s SHA256SUMS ] && [ -z "$(tail -c 1 SHA256SUMS)" ] || die 1 'the export is damaged: SHA256SUMS is cut off'
    cut -c67- SHA256SUMS | LC_ALL=C sort -cu 2>/dev/null ||
        die 1 'the export is damaged: SHA256SUMS names a file twice, or not in order'
}

# Leaves in checksum the program that makes and checks SHA-256.
find_checksum() {
    if command -v sha256sum >/dev/null 2>&1; then
        checksum='sha256sum'
    elif command -v shasum >/dev/null 2>&1; then
        checksum='shasum -a 256'
    else
        die 2 'neither sha256sum nor shasum is on PATH: install one, or skip the comparison with --no-checksums'
    fi
}

verify_checksums() {
    local line done=0 total faults='' shown=$SECONDS
    check_grammar
    find_checksum
    total=$(grep -c '' SHA256SUMS) || true
    say "Checksums: $total files"
    while IFS= read -r line; do
        case $line in
            *': OK') ;;
            *': FAILED open or read')
                line=${line%: *}
                if [ -f "$line" ]; then die 2 "$(id -un) may not read $export_directory/$line: run this as its owner"; fi
                faults="$faults"$'\n'"    missing: $line" ;;
            *': FAILED') faults="$faults"$'\n'"    $(change_of "${line%: *}")" ;;
            *) faults="$faults"$'\n'"    $line" ;;
        esac
        done=$((done + 1))
        if [ -t 2 ]; then
            printf '\r  %s of %s' "$done" "$total" >&2
        elif [ $((SECONDS - shown)) -ge 10 ]; then
            say "  $done of $total" && shown=$SECONDS
        fi
    done < <($checksum -c SHA256SUMS 2>/dev/null || true)
    if [ "$done" != "$total" ]; then faults="$faults"$'\n'"    SHA256SUMS: $((total - done)) lines that are no checksums"; fi
    if [ -t 2 ]; then printf '\r\033[K' >&2; fi
    faults=$faults$(comm -13 <(cut -c67- SHA256SUMS | LC_ALL=C sort) \
        <(find . ! -type d ! -path ./SHA256SUMS | sed 's/^\.\///' | LC_ALL=C sort) | sed $'s/^/\\\n    not listed: /')
    [ -z "$faults" ] || die 1 "the export is damaged:$faults" 'Copy it again from where it was made, or make a new one.'
}

# Whether a data file that changed is only a part of what it was: most often a copy that broke off.
change_of() { # PATH
    local had has
    had=$(awk -v path="\"$1\"," '$1 == "\"path\":" {on = $2 == path}
        on && $1 == "\"bytes\":" {gsub(/[^0-9]/, "", $2); print $2; exit}' manifest.json)
    has=$(wc -c <"$1" | tr -d ' ')
    if [ -n "$had" ] && [ "$has" -lt "$had" ]; then
        printf 'cut off: %s, %s of its %s bytes\n' "$1" "$has" "$had"
    else
        printf 'changed: %s\n' "$1"
    fi
}

# MiB of memory that an import may use: what is available, within the limit of the control group.
available_memory() {
    local available limit group_directory
    if [ -r /proc/meminfo ]; then
        available=$(awk '/^MemAvailable:/ {print int($2 / 1024)}' /proc/meminfo)
        group_directory=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup 2>/dev/null) || true
        for limit in "$group_directory/memory.max" /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
            limit=$(cat "$limit" 2>/dev/null) || continue
            case $limit in *[!0-9]* | '') continue ;; esac
            if [ $((limit / 1048576)) -lt "${available:=1024}" ]; then available=$((limit / 1048576)); fi
        done
    else
        available=$(($(sysctl -n hw.memsize 2>/dev/null || echo 2147483648) / 2097152))
    fi
    printf '%s\n' "${available:-1024}"
}

choose_memory() {
    local available share
    available=$(available_memory)
    if [ -z "$heap" ]; then
        # A larger heap makes no import faster; 256 MiB import a million and a half nodes.
        share=$((available / 4))
        if [ "$share" -lt 256 ]; then share=256; elif [ "$share" -gt 2048 ]; then share=2048; fi
        heap=${share}m
    fi
    if [ -z "$off_heap" ]; then
        share=$((available * 3 / 8))
        if [ "$share" -lt 100 ]; then share=100; fi
        off_heap=${share}m
    fi
}

# Leaves in cache the file of classes that Java has loaded, linked and profiled in an earlier import of this Neo4j by
# this Java; empty where there can be none. One that does not fit is ignored by Java.
choose_cache() {
    local fingerprint folder=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
    if [ "$use_cache" = false ] || [ -n "$admin" ] || [ "$java_version" -lt 25 ] || [ -z "$folder" ]; then return; fi
    folder=$folder/astrokiran-graph-exporter
    # Java takes a colon in the path of a cache for the end of it.
    case $folder${TMPDIR:-} in *:*) return ;; esac
    (umask 077 && mkdir -p "$folder") 2>/dev/null && [ -w "$folder" ] || return 0
    fingerprint=$( (printf '%s' "$home" && "$java" -version 2>&1) | cksum 2>/dev/null) || return 0
    cache=$folder/import-$version-${fingerprint%% *}.aot
}

# Puts the cache that this import made where the next one finds it.
keep_cache() {
    if [ -s "$scratch/cache" ]; then mv -f "$scratch/cache" "$cache" 2>/dev/null || true; fi
}

# Neo4j's reader of a file sleeps up to a tenth of a second at its end; with more threads than processors, others import
# meanwhile. Measured (docs/import-tuning.md): two processors take a fifth to a third less time, and more threads than
# eight no less. Each holds some buffers, which must leave room on the heap.
THREADS=8
more_threads_help() {
    local buffer room=${heap%?}
    case $heap in *[gG]) room=$((room * 1024)) ;; *[kK]) room=$((room / 1024)) ;; esac
    buffer=$(sed -n 's/^--read-buffer-size=\([0-9]*\)k$/\1/p' import.args)
    [ "$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)" -lt "$THREADS" ] &&
        [ $((${buffer:-4096} * THREADS * 24 / 1024)) -le "$room" ]
}

run_import() {
    local status=0
    set -- database import full "$database" "--overwrite-destination=$overwrite" \
        "--report-file=$scratch/report" "--max-off-heap-memory=$off_heap"
    if more_threads_help; then set -- "$@" "--threads=$THREADS"; fi
    # Neo4j 5 names the row that failed only when it is verbose.
    if [ "${version%%.*}" = 5 ]; then set -- "$@" --verbose; fi
    set -- "$@" @import.args
    if [ -n "$admin" ]; then
        set -- "$admin" "$@"
    else
        set -- org.neo4j.cli.AdminTool "$@"
        if [ "$java_version" -ge 24 ]; then
            set -- --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow "$@"
        fi
        if [ -n "$cache" ] && [ -r "$cache" ]; then
            set -- "-XX:AOTCache=$cache" -Xlog:disable "$@"
        elif [ -n "$cache" ]; then
            set -- "-XX:AOTCacheOutput=$scratch/cache" -Xlog:disable "$@"
        fi
        set -- "$java" "-Xmx$heap" --add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/java.io=ALL-UNNAMED \
            --add-opens=java.base/sun.nio.ch=ALL-UNNAMED -Dfile.encoding=UTF-8 -cp "$home/lib/*" "$@"
    fi
    # Java takes the bytes of a path by the locale; without one it would lose all that is not ASCII.
    case ${LC_ALL:-${LC_CTYPE:-${LANG:-}}} in *[Uu][Tt][Ff]*) ;; *) export LC_ALL=C.UTF-8 ;; esac
    export HEAP_SIZE=$heap
    if [ -z "$admin" ] || [ -n "${NEO4J_HOME:-}" ]; then export NEO4J_HOME=$home; fi
    if [ -z "$admin" ] || [ -d "$conf" ]; then export NEO4J_CONF=$conf; fi
    say "Importing into database $database of Neo4j $version in $data (heap $heap, off-heap $off_heap)"
    in_group show_phases "$@" || status=$?
    [ "$status" = 0 ] || explain_failure "$status"
}

# Runs a command in a process group of its own, since the death of a launcher alone would leave its Java at work. What it
# says goes into the log; SHOW says meanwhile how far it is.
in_group() { # SHOW COMMAND...
    local show=$1 status=0
    shift
    set -m
    "$@" </dev/null >"$scratch/log" 2>&1 &
    group=$!
    set +m
    "$show"
    wait "$group" 2>/dev/null || status=$?
    group=''
    return "$status"
}

# A line for each phase as it begins, until the import ends.
show_phases() {
    local reached shown=0 names='nodes:relationships:linking:counts and indexes'
    while kill -0 "$group" 2>/dev/null; do
        sleep 0.5
        # Neo4j 5 names its phases otherwise when it is verbose.
        reached=$(awk '/^\(1\/4\)|^Nodes, started/ {n = 1} /^\(2\/4\)|^Relationships, started/ {n = 2}
            /^\(3\/4\)|^Node Degrees, started/ {n = 3} /^\(4\/4\)|^Node counts and / {n = 4} END {print n + 0}' "$scratch/log")
        while [ "$shown" -lt "$reached" ]; do
            shown=$((shown + 1))
            say "  $shown/4 $(printf '%s\n' "$names" | cut -d: -f$shown)"
        done
    done
}

# Ends with exit code 4 and the lines of the log that tell a reader at night what to do.
explain_failure() { # STATUS
    local advice='' where
    says() { grep -qiE "$1" "$scratch/log"; }
    if says 'database is in use'; then
        advice='The database is in use: stop the Neo4j server that runs on it, and run this again.'
    elif says 'database already exist'; then
        advice='The database exists: --overwrite replaces it.'
    elif says 'Java heap space|OutOfMemoryError' || [ "$1" = 137 ]; then
        advice="It ran out of memory: give it more with --heap (it had $heap) or --off-heap (it had $off_heap)."
    elif says 'No space left on device'; then
        advice="The disk is full: make room for $data."
    elif says 'UnsupportedClassVersionError|Unsupported Java'; then
        advice="Neo4j $version needs a newer Java: set JAVA_HOME to one."
    fi
    # Where and what, without the values of the row: they are somebody's data.
    where=$(sed -n -e 's/.*\[source:\(.*\), position:[0-9]*, line:\([0-9]*\)\].*/\1: line \2/p' -e '/: line [0-9]*$/p' \
        -e 's/^\(.*Exception: \)*\(.*original error: \)*\(.*referring to missing node.*\)/\3/p' \
        -e 's/^\(.*Exception: \)*\(.* is defined more than once.*\)/\2/p' -e "/doesn't exist\$/p" \
        -e '/Row has more columns/p' -e '/^Unknown option/p' "$scratch/log" | awk '!seen[$0]++ && NR < 7 {print "    " $0}')
    if says 'left as they are|IMPORT FAILED' || [ "$1" -ge 128 ]; then
        where="${where:+$where$'\n'}The database $database is half-written now: import again with --overwrite."
    fi
    keep_log=true
    die 4 "the import failed (neo4j-admin ended with $1)" ${advice:+"$advice"} ${where:+"$where"} \
        "The whole log is $scratch/log"
}

# The number that the manifest's totals or the importer's last lines give.
expected() { awk -v key="\"$1\":" '/^  "totals": / {on = 1} on && $1 == key {gsub(/[^0-9]/, "", $2); print $2}' manifest.json; }
imported() { sed -n "s/^  \([0-9][0-9]*\) $1\$/\1/p" "$scratch/log" | tail -n 1; }

compare_counts() {
    local what differences=''
    for what in nodes relationships properties; do
        [ "$(imported $what)" = "$(expected $what)" ] ||
            differences="$differences"$'\n'"    $what: the manifest has $(expected $what), Neo4j imported $(imported $what)"
    done
    [ -z "$differences" ] && return
    keep_log=true
    die 1 "the imported counts differ from the manifest:$differences" "The whole log is $scratch/log" \
        "Do not use the database $database; import the export again, and report this if the counts differ again."
}

# What to do next, as command lines with this Neo4j's paths, address and database.
say_next() {
    local start='' listen host
    if [ "$conf" = /etc/neo4j ]; then
        start=': sudo systemctl start neo4j'
    elif [ -x "$home/bin/neo4j" ]; then
        start=": $(printf %q "$home/bin/neo4j") start"
    fi
    if [ "$database" != neo4j ]; then
        start=", in Community with initial.dbms.default_database=$database, in Enterprise create it then$start"
    fi
    listen=$(setting 'server\.bolt\.listen_address')
    case $listen in '' | *:*) ;; *) listen=$listen:7687 ;; esac
    host=${listen%:*}
    case $host in '' | 0.0.0.0 | '[::]') host=localhost ;; esac
    bolt=bolt://$host:${listen##*:}
    # Port 0 is whichever is free when Neo4j starts.
    case $bolt in bolt://localhost:7687 | *:0 | *:) bolt='' ;; esac
    set -- cypher-shell
    if [ -x "$home/bin/cypher-shell" ]; then set -- "$home/bin/cypher-shell"; fi
    set -- "$@" ${bolt:+-a "$bolt"} -d "$database" -f "$export_directory/schema.cypher"
    say 'Next:' "    start Neo4j$start" "   $(printf ' %q' "$@")"
    set -- bash "$export_directory/import.sh" --verify ${bolt:+--bolt "$bolt"}
    if [ "$database" != neo4j ]; then set -- "$@" --database "$database"; fi
    say "   $(printf ' %q' "$@")"
}

# Leaves in shell the cypher-shell to ask, and in the environment who asks.
find_shell() {
    case $bolt in
        *@*) die 2 "--bolt: no user or password may stand in the address: give --user and NEO4J_PASSWORD" ;;
        bolt://?* | bolt+s://?* | bolt+ssc://?* | neo4j://?* | neo4j+s://?* | neo4j+ssc://?*) ;;
        *) die 2 "--bolt $bolt: an address is like bolt://127.0.0.1:7687" ;;
    esac
    if [ -n "${NEO4J_HOME:-}" ] && [ -x "$NEO4J_HOME/bin/cypher-shell" ]; then
        shell=$(absolute "$NEO4J_HOME")/bin/cypher-shell
    else
        shell=$(command -v cypher-shell) ||
            die 2 'no cypher-shell found: put NEO4J_HOME/bin/cypher-shell there, or cypher-shell on PATH'
        shell=$(absolute "$(dirname "$shell")")/cypher-shell
    fi
    if [ -n "$user" ] && [ -z "${NEO4J_PASSWORD:-}" ]; then die 2 '--user needs its password in NEO4J_PASSWORD'; fi
    user=${user:-${NEO4J_USERNAME:-${NEO4J_PASSWORD:+neo4j}}}
    if [ -n "$user" ]; then export NEO4J_USERNAME="$user"; fi
}

# Refuses a manifest that is not the one of SHA256SUMS.
verify_manifest() {
    check_grammar
    find_checksum
    grep '  manifest\.json$' SHA256SUMS | $checksum -c >/dev/null 2>&1 ||
        die 1 'the export is damaged: manifest.json is not the one of SHA256SUMS' \
            'Copy it again from where it was made, or make a new one.'
}

# Every count of the manifest as a line of what cypher-shell prints of it: "Role", "", 4 for the nodes of a label, and
# "Role", "id", 4 for the values of a property. Fails where it is not written as an export has it, or does not add up.
manifest_counts() {
    LC_ALL=C awk '
        function refuse() { wrong = 1; exit }
        function number() { if (NF != 2 || $2 !~ /^[0-9]+,?$/) refuse(); sub(/,$/, "", $2); return $2 }
        function word() { if (NF != 2 || $2 !~ /^"[A-Za-z_][A-Za-z0-9_]*",$/) refuse(); return substr($2, 2, length($2) - 3) }
        function count(property, values) { if (name == "") refuse(); printf "\"%s\", \"%s\", %s\n", name, property, values }
        /^  "(nodes|relationships)": [[]$/ { section = substr($1, 2, length($1) - 3); next }
        /^  "totals": [{]$/ { section = "totals"; next }
        section == "" || /^  []}],?$/ { section = ""; next }
        section == "totals" { key = $1; total[key] = number(); next }
        /^    [{]$/ { name = start = type = properties = inside = ""; values = 0; next }
        /^    [}],?$/ { if (name == "" || values != properties) refuse(); entities++; next }
        /^      "label": / { name = word(); next }
        /^      "start": / { start = word(); next }
        /^      "type": / { type = word(); next }
        /^      "end": / && start != "" && type != "" { name = "(" start ")-[" type "]->(" word() ")"; next }
        /^      "rows": / { count("", number()); sum[section] += $2; next }
        /^      "properties": / { properties = number(); sum["properties"] += properties; next }
        /^      "(property_counts|rejects)": [{]$/ { inside = $1; next }
        /^      [}],?$/ { inside = ""; next }
        inside == "\"property_counts\":" { property = $1; gsub(/[":]/, "", property); count(property, number()); values += $2; next }
        inside == "\"rejects\":" { number(); next }
        /^      "(property_counts|rejects)": [{][}],?$/ || /^      "(table|no_target)": / { next }
        { refuse() }
        END {
            split("nodes relationships properties", what, " ")
            for (each in what) if (sprintf("%.0f", sum[what[each]]) != total["\"" what[each] "\":"]) wrong = 1
            exit wrong || !entities || section != ""
        }' manifest.json
}

# The same of the database, in one scan of its nodes and one of its relationships.
ask_neo4j() {
    local names="substring(reduce(names = '', label IN LABELS | names + ':' + label), 1)"
    local columns="replace(replace(name, '\n', ' '), '\r', ' ') AS name, replace(replace(property, '\n', ' '), '\r', ' ') AS property"
    NEO4J_CYPHER_SHELL_HISTORY=in-memory "$shell" -a "$bolt" -d "$database" --access-mode read --non-interactive --format plain "
        MATCH (n) WITH labels(n) AS labels, keys(n) AS keys, count(*) AS rows
        WITH CASE labels WHEN [] THEN 'no label' ELSE ${names/LABELS/labels} END AS name, keys, rows
        UNWIND [''] + keys AS property RETURN $columns, sum(rows) AS rows
        UNION ALL
        MATCH (a)-[r]->(b) WITH labels(a) AS start, type(r) AS type, labels(b) AS end, keys(r) AS keys, count(*) AS rows
        WITH '(' + ${names/LABELS/start} + ')-[' + type + ']->(' + ${names/LABELS/end} + ')' AS name, keys, rows
        UNWIND [''] + keys AS property RETURN $columns, sum(rows) AS rows
    " >"$scratch/answer"
}

# The differences between two files of such lines, a sentence each; counts that are not there are 0.
differences() { # MANIFEST NEO4J
    LC_ALL=C awk '
        function differ(what, had, has) { if (had != has) print name what ": " had " in manifest.json, " has " in Neo4j" }
        {
            rows = $0; sub(/.*", /, "", rows)
            split(substr($0, 2), part, /", "/); name = part[1]; property = part[2]; sub(/", [0-9]*$/, "", property)
            count[FILENAME, name, property] = rows
            if (!((name, property) in seen)) {
                if (!(name in properties)) { names[++entities] = name; by[name] = FILENAME }
                seen[name, property]; place[name, ++properties[name]] = property
            }
        }
        END {
            for (number = 1; number <= entities; number++) {
                name = names[number]
                if (by[name] != ARGV[1]) { print name ": none in manifest.json, " count[ARGV[2], name, ""] " in Neo4j"; continue }
                for (which = 1; which <= properties[name]; which++) {
                    property = place[name, which]
                    what = property != "" ? "." property : name ~ /^[(]/ ? ", relationships" : ", nodes"
                    differ(what, (ARGV[1], name, property) in count ? count[ARGV[1], name, property] : "0", \
                        (ARGV[2], name, property) in count ? count[ARGV[2], name, property] : "0")
                }
            }
        }' "$1" "$2"
}

verify_graph() {
    local status=0 found
    find_shell
    enter_export
    if [ "$checksums" = true ]; then verify_manifest; fi
    scratch=$(mktemp -d "${TMPDIR:-/tmp}/import.XXXXXX")
    manifest_counts >"$scratch/manifest" ||
        die 1 'manifest.json is not written as an export has it, or its counts do not add up: it cannot be compared'
    say "Counting all nodes, relationships and values in database $database at $bolt"
    in_group show_seconds ask_neo4j || status=$?
    [ "$status" = 0 ] || explain_silence
    if [ "$(head -n 1 "$scratch/answer")" != 'name, property, rows' ] ||
        sed 1d "$scratch/answer" | LC_ALL=C grep -qavE '^".*", ".*", [0-9]+$'; then
        keep_log=true
        die 4 "what cypher-shell answers is not understood, so nothing was compared: see $scratch/answer"
    fi
    sed 1d "$scratch/answer" | LC_ALL=C sort >"$scratch/neo4j"
    found=$(differences "$scratch/manifest" "$scratch/neo4j")
    if [ -n "$found" ]; then
        die 1 "database $database at $bolt differs from the manifest:" "$(printf '%s\n' "$found" | sed 's/^/    /')"
    fi
    printf 'Database %s at %s holds %s nodes, %s relationships and %s properties, each as the manifest says.\n' \
        "$database" "$bolt" "$(expected nodes)" "$(expected relationships)" "$(expected properties)"
}

# A line now and then until the answer is there.
show_seconds() {
    local shown=$SECONDS
    while kill -0 "$group" 2>/dev/null; do
        sleep 0.2
        if [ $((SECONDS - shown)) -ge 10 ]; then shown=$SECONDS && say "  counting for $SECONDS s"; fi
    done
}

# Ends with exit code 4 and what cypher-shell said: it asked for counts alone, so no data is in it.
explain_silence() {
    local advice='Is it running, and is the database online?'
    if grep -qiE 'unauthorized|authentication|credentials' "$scratch/log"; then
        advice='Give the user with --user (or NEO4J_USERNAME) and the password in NEO4J_PASSWORD.'
    elif grep -qE 'JAVA_HOME|UnsupportedClassVersionError|[Uu]nsupported Java|java: ' "$scratch/log"; then
        advice='cypher-shell needs another Java: set JAVA_HOME to one.'
    fi
    die 4 "Neo4j does not answer for database $database at $bolt" \
        "$(grep -vE '^(WARNING: .*)?$' "$scratch/log" | head -n 3 | sed 's/^/    /')" "$advice"
}

# Puts down what runs, with all it started.
interrupted() {
    local waited=0
    trap '' INT TERM HUP
    if [ -n "$group" ]; then
        say 'Stopping ...'
        kill -TERM -- "-$group" 2>/dev/null || true
        while kill -0 -- "-$group" 2>/dev/null && [ "$waited" -lt 40 ]; do
            sleep 0.25
            waited=$((waited + 1))
        done
        kill -KILL -- "-$group" 2>/dev/null || true
        wait "$group" 2>/dev/null || true
        [ "$verify" = true ] || say "The database $database is half-written now: import again with --overwrite."
    fi
    die 130 'interrupted'
}

clean_up() { if [ "$keep_log" = false ] && [ -n "$scratch" ]; then rm -rf "$scratch"; fi; }

import_export() {
    find_neo4j
    enter_export
    check_store
    say_age
    if [ "$checksums" = true ]; then verify_checksums; fi
    choose_memory
    choose_cache
    scratch=$(mktemp -d "${TMPDIR:-/tmp}/import.XXXXXX")
    run_import
    compare_counts
    keep_cache
    printf 'Imported %s nodes, %s relationships and %s properties into database %s in %s s, as the manifest says.\n' \
        "$(imported nodes)" "$(imported relationships)" "$(imported properties)" "$database" "$SECONDS"
    if [ "$next_steps" = true ]; then say_next; fi
}

main() {
    trap interrupted INT TERM HUP
    trap clean_up EXIT
    parse_arguments "$@"
    if [ "$verify" = true ]; then verify_graph; else import_export; fi
}

main "$@"
