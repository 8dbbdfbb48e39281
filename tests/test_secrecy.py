"""What processes that we start are not told, and that a crash leaves no core file."""

import os
import resource
import subprocess
import sys

import pytest

from exporter.secrecy import secrets_hidden, without_secrets

SECRET = {
    "PGPASSWORD": "a password",
    "EXPORTER_SOURCE": "postgresql://exporter:password@localhost/astrokiran",
    "EXPORTER_ROOTS": '["Customer:phone_number=9317355512"]',
}


@pytest.fixture
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets, and what is none."""
    for name, value in SECRET.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LANG_OF_A_TEST", "C")


@pytest.mark.usefixtures("_environment")
def test_a_server_gets_no_secrets() -> None:
    """All else of the environment it gets."""
    variables = without_secrets()
    assert variables["LANG_OF_A_TEST"] == "C"
    assert variables.keys() & {*SECRET, "NEO4J_PASSWORD"} == set()


@pytest.mark.usefixtures("_environment")
def test_what_is_started_gets_no_secrets() -> None:
    """The process that starts it has them again."""
    command = [sys.executable, "-c", "import os; print(*os.environ)"]
    with secrets_hidden():
        names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert "LANG_OF_A_TEST" in names
    assert not SECRET.keys() & set(names)
    assert {name: os.environ[name] for name in SECRET} == SECRET


def test_no_core_file() -> None:
    """Nor of what the process starts; it may still be asked for."""
    script = (
        "import resource; from exporter.secrecy import forbid_core_files; forbid_core_files();"
        " print(*resource.getrlimit(resource.RLIMIT_CORE))"
    )
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    started = ["bash", "-c", 'ulimit -Sc hard; exec "$@"', "bash", sys.executable, "-c", script]
    assert subprocess.run(started, capture_output=True, text=True, check=True).stdout.split() == ["0", str(hard)]
