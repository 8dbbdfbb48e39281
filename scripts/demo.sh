#!/usr/bin/env bash
# Sets everything up on a machine with git, bash and Python 3.11, then runs every step on a sample (exporter demo).
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: scripts/demo.sh [OPTIONS]

Creates .venv from requirements-demo.lock, then runs `exporter demo OPTIONS`: a sample PostgreSQL, an export, an import
into a real Neo4j, verification, and the five sample queries. Everything it starts is stopped at the end.

  --scale N     how large the sample is; 1, the default, is about 100,000 rows
  --keep        leave Neo4j running, with Neo4j Browser, and print its address
  --output DIR  where the export is made (default: output/demo)
  --cache DIR   where Neo4j's jars are kept (default: your cache directory)
TEXT
}

main() {
    local root
    root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
    case ${1:-} in -h | --help) usage; return ;; esac
    # shellcheck source=scripts/environment.sh
    . "$root/scripts/environment.sh"
    environment_setup "$root" requirements-demo.lock
    exec "$root/.venv/bin/exporter" demo "$@"
}

main "$@"
