#!/usr/bin/env bash
# From the source to a running, verified graph, beside a bare import of the same files with default options. Linux only.
# Usage: rebuild.sh [--scale N] [--rounds N] [--server URI] [--data DIRECTORY] [--results FILE]; see --help.
# NEO4J_HOME and JAVA_HOME choose a Neo4j; without them its jars are downloaded once, as the demo does.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/environment.sh
source "$root/scripts/environment.sh"

main() {
    environment_setup "$root"
    PATH=$PATH:$root/.venv/bin PYTHONPATH=$root exec "$root/.venv/bin/python" -m benchmarks.rebuild "$@"
}

main "$@"
