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

# Usage: environment_setup ROOT LOCK MEGABYTES DISK_MEGABYTES. Does nothing if .venv holds what the lock names, which is
# also true of requirements.lock.
environment_setup() {
    local root=$1 lock=$2 venv=$1/.venv stamp=$1/.venv/installed.lock unfinished=$1/.venv/unfinished clear=() python
    if [ -x "$venv/bin/exporter" ] && [ -x "$venv/bin/python" ] && [ ! -e "$unfinished" ] &&
        { cmp -s "$root/$lock" "$stamp" || cmp -s "$root/requirements.lock" "$stamp"; }; then
        return
    fi
    python=$(environment_python)
    printf 'Setting up .venv, once: about %s MB of Python packages, %s MB on the disk\n' "$3" "$4" >&2
    # What a stopped installation left is not trusted.
    [ ! -e "$unfinished" ] || clear=(--clear)
    if command -v uv >/dev/null 2>&1; then
        # uv, too, then trusts the system's certificates; the first name is that of older versions.
        export UV_NATIVE_TLS=${UV_NATIVE_TLS:-true} UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-true} VIRTUAL_ENV=$venv
        uv venv --quiet --allow-existing ${clear[@]+"${clear[@]}"} --python "$python" "$venv"
        touch "$unfinished"
        environment_run "$venv" "$3" "$4" uv pip install --compile-bytecode --require-hashes -r "$root/$lock"
        uv pip install --quiet --no-deps --no-build-isolation -e "$root"
    else
        "$python" -m venv ${clear[@]+"${clear[@]}"} "$venv"
        touch "$unfinished"
        environment_trust "$venv/bin/pip"
        environment_run "$venv" "$3" "$4" "$venv/bin/pip" install --disable-pip-version-check --quiet \
            --require-hashes -r "$root/$lock"
        "$venv/bin/pip" install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e "$root"
    fi
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

# Usage: environment_run VENV MEGABYTES DISK_MEGABYTES COMMAND... Runs an installer and shows how far it is: in place on
# a terminal, else as a dated line every few seconds. Its own words are shown if it fails.
environment_run() {
    local venv=$1 total=$2 disk=$3 log=$1/install.log tmp=$1/tmp status=0 logged=$SECONDS began=$SECONDS
    local installer before phase=downloading line
    shift 3
    rm -rf "$tmp"
    mkdir "$tmp"
    before=$(environment_megabytes "$venv")
    # In the background, and so out of reach of ^C: the trap ends it.
    TMPDIR=$tmp "$@" >"$log" 2>&1 &
    installer=$!
    trap 'kill "$installer" 2>/dev/null || true; wait "$installer" || true; exit 130' INT TERM HUP
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
    trap - INT TERM HUP
    [ ! -t 2 ] || printf '\r\033[K' >&2
    rm -rf "$tmp"
    [ "$status" -eq 0 ] || environment_failed "$log"
}

# Sets `line` of environment_run: the packages that have come, the rate, the time left; then those that are in place.
# uv does not say where it keeps what it has downloaded, so of uv the second is shown.
environment_measure() {
    local done_megabytes of=$total seconds left=''
    done_megabytes=$(environment_megabytes "$tmp")
    line=$(($(environment_megabytes "$venv") - done_megabytes - before))
    if [ "$phase" = downloading ] && [ "$line" -gt 10 ]; then
        phase=installing began=$SECONDS
    fi
    [ "$phase" = downloading ] || { done_megabytes=$line of=$disk; }
    seconds=$((SECONDS - began))
    if [ "$done_megabytes" -gt 0 ] && [ "$seconds" -gt 0 ] && [ "$of" -gt "$done_megabytes" ]; then
        left=$(printf ' · %s MB/s · %s s left' $((done_megabytes / seconds)) \
            $(((of - done_megabytes) * seconds / done_megabytes)))
    fi
    line="Python packages, $phase · $seconds s · $done_megabytes of about $of MB$left"
}

environment_megabytes() { du -sk "$1" 2>/dev/null | awk '{print int($1 * 1.024 / 1000)}'; }

# Shows an installer's last words, and what to do.
environment_failed() {
    local advice='check the network; behind a proxy, set HTTPS_PROXY'
    if grep -qiE 'certificate|SSLError|UnknownIssuer' "$1"; then
        advice="its certificate is not trusted: add the authority that signed it, such as your company's, to the system's"
        advice="$advice certificates, or name a file with it in SSL_CERT_FILE"
    elif grep -qi 'no space left' "$1"; then
        advice='the disk is full'
    fi
    grep -v 'WARNING: Retrying' "$1" | tail -n 6 >&2
    environment_die 4 "the Python packages could not be installed (see above): $advice; then run this again"
}
