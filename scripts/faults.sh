#!/usr/bin/env bash
# Has faults happen while the exporter runs, and counts what became of the runs (docs/reliability.md). Linux only.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: scripts/faults.sh [--suite NAME]... [--n N] [--seed S] [--side-by-side N] [--results FILE]

Injects faults into exports of a small source, on a real PostgreSQL (from a wheel): each run has to be complete and
equal to an undisturbed one, or to end with an exit code, a sentence, and nothing left of it. Prints a table.

  --suite NAME        network, tls, server, standby, change, calls, processes, tampering, names, copies, cluster,
                      tls_copies, text, swap, swap_server; again for another one (default: all)
  --n N               so many faults of each suite (default: all of them)
  --seed S            which faults, in which order (default 1): the same seed gives the same
                      ones, if as many messages are recorded for them
  --side-by-side N    so many runs at the same time (default: one for each processor)
  --results FILE      append what became of each fault to this file, as lines of JSON (default output/faults.jsonl)

Exit codes: 0 every run was right, 1 the exporter is at fault.
TEXT
}

main() {
    local root
    root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
    case ${1:-} in -h | --help) usage; return ;; esac
    # shellcheck source=scripts/environment.sh
    . "$root/scripts/environment.sh"
    environment_setup "$root"
    cd "$root"
    # As installed: byte code is compiled once, not in each process of each run.
    unset PYTHONDONTWRITEBYTECODE
    exec .venv/bin/python -m tests.faults "$@"
}

main "$@"
