"""`scripts/faults.sh`: has the faults of a suite happen, and prints what became of them."""

import argparse
import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from tests.faults.frame import RIGHT
from tests.faults.records import Suite, run_suite, table

# Each is a module here with a `suite()`.
SUITES = (
    "network", "tls", "server", "standby", "change", "calls", "processes", "tampering", "names", "copies", "cluster",
    "tls_copies", "text", "swap", "swap_server",
)  # fmt: skip


def suite_of(name: str) -> Suite:
    """The suite of this name."""
    suite: Callable[[], Suite] = import_module(f"tests.faults.{name}").suite
    return suite()


def main() -> int:
    """Returns 0 if every run was right, 1 if there is a fault of the exporter."""
    parser = argparse.ArgumentParser(prog="scripts/faults.sh")
    parser.add_argument("--suite", choices=SUITES, action="append")
    parser.add_argument("--n", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--side-by-side", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--results", type=Path, default=Path("output/faults.jsonl"))
    options = parser.parse_args()
    found = []
    for suite in map(suite_of, options.suite or SUITES):
        found += run_suite(suite, options.n, options.seed, side_by_side=options.side_by_side, results=options.results)
    print(table(found))
    return int(any(verdict.outcome not in RIGHT for _, verdict in found))


if __name__ == "__main__":
    sys.exit(main())
