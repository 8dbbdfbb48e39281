#!/usr/bin/env bash
# Sets everything up on a machine with git, bash and Python 3.11, then runs every check and every test.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: scripts/test.sh [--quick | --coverage [PYTEST ARGUMENTS] | PYTEST ARGUMENTS]

Makes .venv from requirements.lock, then runs ruff, mypy, shellcheck, the headers' check and pytest. Tests use a real
PostgreSQL (from a wheel) and a real Neo4j (its jars are downloaded once into your cache directory).

  --quick             every check, and only the tests that are not marked `slow`: an answer in about five minutes
  --coverage          no check, every test, and which branches of exporter/{source,shape,sink,pipeline} they take, in all
                      processes; fails below 95 %
  PYTEST ARGUMENTS    no check, only pytest with these: scripts/test.sh tests/shape/test_ids.py

Some tests need a program or a Java that may not be there, and say so when they are skipped. Longer drills are asked for
in the environment: DRILL_FLIPS=10000, DRILL_KILLS=all, DRILL_REBUILD=all, DRILL_CLUSTER=all, DRILL_NEO4J=5.26 or
2026.09, DRILL_SCALE=8.
TEXT
}

# Some tests fail because to count takes time, memory and files, which they limit; what was covered is counted.
coverage() {
    local bin=$1
    shift
    "$bin/coverage" erase
    "$bin/coverage" run -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder "$@" || true
    "$bin/coverage" combine --quiet
    "$bin/coverage" report
}

main() {
    local root bin
    root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
    case ${1:-} in -h | --help) usage; return ;; esac
    # shellcheck source=scripts/environment.sh
    . "$root/scripts/environment.sh"
    environment_setup "$root"
    cd "$root"
    bin=.venv/bin
    if [ "${1:-}" = --quick ]; then
        shift
        set -- -m 'not slow' "$@"
    elif [ "${1:-}" = --coverage ]; then
        shift
        coverage "$bin" "$@"
        return
    elif [ "$#" -gt 0 ]; then
        exec "$bin/pytest" "$@"
    fi
    "$bin/ruff" check
    "$bin/ruff" format --check
    "$bin/mypy"
    git ls-files -z '*.sh' .ci/run | xargs -0 "$bin/shellcheck" -x
    "$bin/exporter" headers --check
    # Two files at a time, the drills early: most tests wait for a program or a server that takes one processor.
    exec "$bin/pytest" --numprocesses 2 --dist loadfile --no-loadscope-reorder "$@"
}

main "$@"
