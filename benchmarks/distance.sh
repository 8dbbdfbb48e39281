#!/usr/bin/env bash
# The export from a server ever farther away, behind a proxy that delays. Linux only.
# Usage: distance.sh [--rtt MS,…] [--scale N] [--rounds N] [--server URI] [--data DIRECTORY] [--results FILE]; see --help.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/environment.sh
source "$root/scripts/environment.sh"

main() {
    environment_setup "$root"
    PATH=$PATH:$root/.venv/bin PYTHONPATH=$root exec "$root/.venv/bin/python" -m benchmarks.distance "$@"
}

main "$@"
