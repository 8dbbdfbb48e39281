#!/usr/bin/env bash
# Changes the exporter's code in one place after the other, and counts how many of the changes the tests find.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: scripts/mutation.sh [--n N] [--seed S] [--side-by-side N] [--share PERCENT] [--results FILE]

Makes a random choice of small changes (of the chunk plan, the key index, the rejects, publishing, the closure of a
window) and runs the tests of the changed module, then whole exports, on each. Prints the changes that no test found.

  --n N               so many changes (default 400)
  --seed S            which ones (default 1): the same seed gives the same ones
  --side-by-side N    so many at the same time (default: one for each processor)
  --share PERCENT     so many have to be found (default 85)
  --results FILE      append what became of each to this file, as lines of JSON (default output/mutation.jsonl)

Exit codes: 0 the tests found as many as they should, 1 they did not.
TEXT
}

# What changes the code, apart from the project's packages.
mutation_python() {
    local root=$1 venv=$1/tests/mutation/.venv stamp=$1/tests/mutation/.venv/installed.txt
    if ! cmp -s "$root/tests/mutation/requirements.txt" "$stamp"; then
        printf 'Setting up tests/mutation/.venv ...\n' >&2
        "$(environment_python)" -m venv "$venv"
        environment_trust "$venv/bin/pip"
        "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$root/tests/mutation/requirements.txt" >&2
        cp "$root/tests/mutation/requirements.txt" "$stamp"
    fi
    printf '%s\n' "$venv/bin/python"
}

main() {
    local root python
    root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
    case ${1:-} in -h | --help) usage; return ;; esac
    # shellcheck source=scripts/environment.sh
    . "$root/scripts/environment.sh"
    environment_setup "$root"
    python=$(mutation_python "$root")
    cd "$root"
    # As installed: byte code is compiled once, not in each process of each run.
    unset PYTHONDONTWRITEBYTECODE
    exec "$python" -m tests.mutation "$@"
}

main "$@"
