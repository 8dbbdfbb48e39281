#!/usr/bin/env bash
# The nightly rebuild of a live graph, for cron and systemd: finds the exporter and runs `exporter rebuild`.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: scripts/rebuild.sh [OPTIONS]

Runs `exporter rebuild OPTIONS`, by the exporter in .venv beside scripts/, else by the one on PATH. Run it as the user
that Neo4j runs as. `exporter rebuild --help` has the options and exit codes; docs/nightly.md says more of both.
TEXT
}

main() {
    local root exporter
    case ${1:-} in -h | --help) usage; return ;; esac
    root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
    exporter=$root/.venv/bin/exporter
    if [ ! -x "$exporter" ]; then
        exporter=$(command -v exporter) || {
            printf 'rebuild.sh: there is no exporter in %s/.venv and none on PATH: run scripts/demo.sh once\n' "$root" >&2
            exit 2
        }
    fi
    exec "$exporter" rebuild "$@"
}

main "$@"
