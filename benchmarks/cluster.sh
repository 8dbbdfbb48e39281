#!/usr/bin/env bash
# The export by 1, 2 and 3 workers of a Dask cluster on this machine, beside as many local workers. Linux only.
# Usage: cluster.sh [--scale N] [--rounds N] [--server URI] [--data DIRECTORY] [--results FILE]; see --help.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/environment.sh
source "$root/scripts/environment.sh"

main() {
    environment_setup "$root"
    PATH=$PATH:$root/.venv/bin PYTHONPATH=$root exec "$root/.venv/bin/python" -m benchmarks.cluster "$@"
}

main "$@"
