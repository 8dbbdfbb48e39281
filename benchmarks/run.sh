#!/usr/bin/env bash
# The exporter beside its peers and the floors, on deterministic data in a PostgreSQL of its own. Linux only.
# Usage: run.sh [--scale N] [--rounds N] [--only NAME,…] [--server URI] [--data DIRECTORY] [--results FILE]; see --help.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/environment.sh
source "$root/scripts/environment.sh"

# The contenders' own packages, apart from the project's. BENCHMARK_PYTHON names a Python that has them, or some of them.
benchmark_python() {
    local venv=$root/benchmarks/.venv stamp=$root/benchmarks/.venv/installed.txt
    if ! cmp -s "$root/benchmarks/requirements.txt" "$stamp"; then
        printf 'Setting up benchmarks/.venv ...\n' >&2
        if command -v uv >/dev/null 2>&1; then
            uv venv --quiet --allow-existing --python "$(environment_python)" "$venv" >&2
            VIRTUAL_ENV=$venv uv pip install --quiet -r "$root/benchmarks/requirements.txt" >&2
        else
            "$(environment_python)" -m venv "$venv"
            "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$root/benchmarks/requirements.txt" >&2
        fi
        cp "$root/benchmarks/requirements.txt" "$stamp"
    fi
    printf '%s\n' "$venv/bin/python"
}

main() {
    local python
    environment_setup "$root"
    python=${BENCHMARK_PYTHON:-$(benchmark_python)}
    # As installed: byte code is compiled once, in the warm-up, not in each process of each run.
    unset PYTHONDONTWRITEBYTECODE
    PATH=$PATH:$root/.venv/bin PYTHONPATH=$root exec "$python" -m benchmarks.run "$@"
}

main "$@"
