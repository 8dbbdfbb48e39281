"""Loaded into pytest while a mutant is judged: the tests that found the last ones come first, for they are likely to
find the next one. Their names are in the file MUTATION_KILLERS, the last one last. An example that fails is not made
smaller, for nobody reads it, and what computes for ever is ended."""

import os
import resource
from pathlib import Path

import pytest
from hypothesis import Phase, settings

FILE = Path(os.environ["MUTATION_KILLERS"])
# The tests of a module take half a minute, whole exports a minute.
CPU_SECONDS = 150

resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))


def pytest_configure() -> None:
    """Once conftest.py has chosen its profile."""
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile("judging", settings.get_profile("repeatable"), phases=phases)
    settings.load_profile("judging")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests that failed most recently, then all others in their order."""
    known = FILE.read_text("utf-8").splitlines() if FILE.exists() else []
    recency = {name: number for number, name in enumerate(known, 1)}
    items.sort(key=lambda item: recency.get(item.nodeid, 0), reverse=True)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Writes down what failed."""
    if report.failed:
        with FILE.open("a", encoding="utf-8") as file:
            file.write(report.nodeid + "\n")
