#!/usr/bin/env bash
# Creates .venv from requirements.lock, with uv if available, else with python3 and pip. Sourced by demo.sh and test.sh.
# To update the lock: uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes -o requirements.lock

environment_die() { printf '%s: %s\n' "${0##*/}" "$1" >&2; exit 2; }

# The first Python 3.11 or newer on PATH.
environment_python() {
    local candidate
    for candidate in python3.13 python3.12 python3.11 python3; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    environment_die 'no Python 3.11 or newer on PATH; install one and run this again'
}

# Usage: environment_setup ROOT. Does nothing if .venv is up to date with the lock.
environment_setup() {
    local root=$1 venv=$1/.venv stamp python
    stamp=$venv/installed.lock
    if [ -x "$venv/bin/exporter" ] && cmp -s "$root/requirements.lock" "$stamp"; then
        return
    fi
    python=$(environment_python)
    printf 'Setting up %s from requirements.lock ...\n' '.venv' >&2
    if command -v uv >/dev/null 2>&1; then
        uv venv --quiet --allow-existing --python "$python" "$venv"
        VIRTUAL_ENV=$venv uv pip install --quiet --compile-bytecode --require-hashes -r "$root/requirements.lock"
        VIRTUAL_ENV=$venv uv pip install --quiet --no-deps --no-build-isolation -e "$root"
    else
        "$python" -m venv "$venv"
        "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$root/requirements.lock"
        "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e "$root"
    fi
    cp "$root/requirements.lock" "$stamp"
}
