#!/usr/bin/env bash
# Creates .venv from a lock, with uv if available, else with python3 and pip. Sourced by demo.sh and test.sh.
# scripts/lock.sh writes the locks.

LINE_SECONDS=5

environment_die() { printf '%s: %s\n' "${0##*/}" "$2" >&2; exit "$1"; }

# The first Python 3.11 or newer on PATH.
environment_python() {
    local candidate
    for candidate in python3.13 python3.12 python3.11 python3; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    environment_die 2 'no Python 3.11 or newer on PATH; install one and run this again'
}

# Usage: environment_setup ROOT [LOCK]. LOCK is requirements.lock or requirements-demo.lock. Does nothing if .venv holds
# what the lock names, which is also true of requirements.lock.
environment_setup() {
    local root=$1 lock=${2:-requirements.lock} venv=$1/.venv unfinished=$1/.venv/unfinished
    local stamp=$venv/installed.lock total disk python install
    # Megabytes to download, and on the disk.
    case $lock in
        requirements-demo.lock) total=246 disk=860 ;;
        *) total=301 disk=1100 ;;
    esac
    if [ -x "$venv/bin/exporter" ] && [ -x "$venv/bin/python" ] && [ ! -e "$unfinished" ] &&
        { cmp -s "$root/$lock" "$stamp" || cmp -s "$root/requirements.lock" "$stamp"; }; then
        return
    fi
    python=$(environment_python)
    # What a stopped installation left is not trusted.
    [ ! -e "$unfinished" ] || rm -rf "$venv"
    if [ -e "$stamp" ]; then
        printf 'Updating .venv\n' >&2
        total=0 disk=0 # not known
    else
        printf 'Setting up .venv, once: about %s MB of Python packages, %s MB on the disk\n' "$total" "$disk" >&2
    fi
    mkdir -p "$venv"
    if command -v uv >/dev/null 2>&1; then
        # uv, too, then trusts the system's certificates; the first name is that of older versions.
        export UV_NATIVE_TLS=${UV_NATIVE_TLS:-true} UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-true} VIRTUAL_ENV=$venv
        uv venv --quiet --allow-existing --python "$python" "$venv"
        install=(uv pip install)
    else
        environment_run preparing "$python" -m venv "$venv"
        environment_trust "$venv/bin/pip"
        install=("$venv/bin/pip" install --disable-pip-version-check)
    fi
    touch "$unfinished"
    environment_run downloading "${install[@]}" --require-hashes -r "$root/$lock"
    environment_run finishing "${install[@]}" --no-deps --no-build-isolation -e "$root"
    cp "$root/$lock" "$stamp"
    rm "$unfinished"
}

# Usage: environment_trust PIP. Before version 24.2, pip trusts only its own authorities unless it is told of others.
environment_trust() {
    local file
    [ -z "${PIP_CERT:-}${REQUESTS_CA_BUNDLE:-}${CURL_CA_BUNDLE:-}" ] || return 0
    "$1" --version | grep -qE '^pip (1?[0-9]|2[0-3]|24\.[01])\.' || return 0
    ! "$1" config list | grep -qE '^[a-z:]+\.cert=' || return 0
    for file in "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt \
        /etc/ssl/ca-bundle.pem /etc/ssl/cert.pem; do
        if [ -n "$file" ] && [ -r "$file" ]; then
            export PIP_CERT=$file
            return
        fi
    done
}

# Usage: environment_run PHASE COMMAND... Runs a step of environment_setup and shows how far it is: in place on a
# terminal, else as a dated line every few seconds.
environment_run() {
    local phase=$1 log=$venv/install.log tmp=$venv/tmp status=0 logged=$SECONDS began=$SECONDS megabytes=0
    local installer before line
    shift
    rm -rf "$tmp"
    mkdir "$tmp"
    before=$(environment_megabytes "$venv")
    # In the background, and so out of reach of ^C: the trap ends it, however this ends (bash 5.2 cannot run the trap of
    # a signal while it expands `$(...)`, and ends with a syntax error).
    TMPDIR=$tmp "$@" >"$log" 2>&1 &
    installer=$!
    trap 'kill "$installer" 2>/dev/null || true; wait "$installer" || true' EXIT
    trap 'exit 130' INT TERM HUP
    while kill -0 "$installer" 2>/dev/null; do
        environment_measure
        if [ -t 2 ]; then
            printf '\r%s\033[K' "$line" >&2
        elif [ $((SECONDS - logged)) -ge "$LINE_SECONDS" ]; then
            logged=$SECONDS
            printf '%s %s\n' "$(date +%Y-%m-%dT%H:%M:%S%z)" "$line" >&2
        fi
        sleep 1
    done
    wait "$installer" || status=$?
    trap - EXIT INT TERM HUP
    [ ! -t 2 ] || printf '\r\033[K' >&2
    rm -rf "$tmp"
    [ "$status" -eq 0 ] || environment_failed "$log"
}

# Sets `line` of environment_run: the packages that have come, the rate, the time left; then those that are in place.
# Of uv, whose downloads are in its own cache, only the latter.
environment_measure() {
    local now installed seconds
    now=$(environment_megabytes "$tmp")
    installed=$(($(environment_megabytes "$venv") - now - before))
    if [ "$phase" = downloading ] && [ "$installed" -gt 10 ]; then
        phase=installing began=$SECONDS megabytes=0 total=$disk
    fi
    seconds=$((SECONDS - began))
    line="Python packages, $phase · $seconds s"
    case $phase in
        installing) now=$installed ;;
        downloading) ;;
        *) return ;;
    esac
    # pip has some files twice for a moment.
    [ "$now" -le "$megabytes" ] || megabytes=$now
    if [ "$total" -eq 0 ]; then
        line="$line · $megabytes MB"
        return
    fi
    [ "$megabytes" -le "$total" ] || megabytes=$total
    [ "$megabytes" -eq 0 ] || line="$line · $megabytes of about $total MB"
    if [ "$megabytes" -gt 0 ] && [ "$seconds" -gt 0 ]; then
        line="$line · $((megabytes / seconds)) MB/s · $(((total - megabytes) * seconds / megabytes)) s left"
    fi
}

# Files that go away under du are no failure.
environment_megabytes() { { du -sk "$1" 2>/dev/null || true; } | awk '{print int($1 * 1.024 / 1000)}'; }

# Says why an installer failed, where and what to do, from what it wrote; else it shows its last words.
environment_failed() {
    local log=$1 host reason advice
    host=$(grep -oE "https://[A-Za-z0-9.-]+|host='[A-Za-z0-9.-]+" "$log" | sed -e "s|https://||" -e "s|host='||" | tail -n 1) || true
    if grep -qiE 'certificate|SSLError|UnknownIssuer' "$log"; then
        reason="the certificate of ${host:-the package index} is not trusted"
        advice="add the authority that signed it, such as your company's, to the system's certificates, or name a file with"
        advice="$advice it in SSL_CERT_FILE"
    elif grep -qi 'no space left' "$log"; then
        reason='the disk is full' advice='make room'
    elif grep -qiE 'proxy|connect|timed? ?out|resol' "$log"; then
        reason="${host:-the package index} cannot be reached"
        advice='check the network and, behind a proxy, HTTPS_PROXY'
    else
        tail -n 6 "$log" >&2
        reason='see above' advice='mend that'
    fi
    environment_die 4 "the Python packages could not be installed: $reason: $advice, then run this again (details: $log)"
}
