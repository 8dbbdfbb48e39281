#!/usr/bin/env bash
# neo4j-admin's import of one export, in variants that each differ in one knob from what import.sh runs. Linux only.
# Usage: import_tuning.sh [--export DIRECTORY] [--scale N] [--rounds N] [--only NAME,…] [--neo4j-home DIRECTORY] …; see --help.
# NEO4J_HOME and JAVA_HOME choose a Neo4j; without them its jars are downloaded once, as the demo does.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/environment.sh
source "$root/scripts/environment.sh"

main() {
    environment_setup "$root"
    PATH=$PATH:$root/.venv/bin PYTHONPATH=$root exec "$root/.venv/bin/python" -m benchmarks.import_tuning "$@"
}

main "$@"
