#!/usr/bin/env bash
# Writes the locks from pyproject.toml: requirements.lock with everything, requirements-demo.lock with what a demo needs.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: scripts/lock.sh [OPTIONS OF uv pip compile]

Writes requirements.lock and, with the same versions, requirements-demo.lock. Needs uv. Versions stay as they are where
pyproject.toml allows; --upgrade takes the newest, --upgrade-package NAME that of one package.
TEXT
}

main() {
    case ${1:-} in -h | --help) usage; return ;; esac
    cd "$(dirname "${BASH_SOURCE[0]}")/.."
    local compile=(uv pip compile --quiet --universal --python-version 3.11 --generate-hashes
        --custom-compile-command scripts/lock.sh pyproject.toml)
    "${compile[@]}" --all-extras --output-file requirements.lock "$@"
    "${compile[@]}" --extra clone --extra demo --constraints requirements.lock --output-file requirements-demo.lock
}

main "$@"
