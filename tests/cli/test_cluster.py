"""`--cluster`: which addresses are taken, who warns and who refuses, and that nobody else pays for Dask."""

import subprocess
import sys

import pytest

from exporter.cli.options import is_open
from exporter.errors import UsageError
from exporter.settings import load
from tests.support.commands import Exporter


@pytest.mark.parametrize("address", ["tcp://10.0.0.1:8786", "tls://scheduler:8786", "tcp://[::1]:8786"])
def test_an_address(address: str) -> None:
    """As Dask writes them."""
    assert load(None, cluster=address).cluster == address


@pytest.mark.parametrize("address", ["scheduler:8786", "tcp://scheduler", "tcp://user:secret@host:1", "ucx://host:1"])
def test_no_address(address: str) -> None:
    """What may hold a password is not repeated."""
    with pytest.raises(UsageError, match=r"--cluster.*: must be the address of a Dask scheduler") as refused:
        load(None, cluster=address)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "warns"),
    [
        (None, False),
        ("tls://scheduler:8786", False),
        ("tcp://localhost:8786", False),
        ("tcp://127.0.0.1:8786", False),
        ("tcp://[::1]:8786", False),
        ("tcp://scheduler:8786", True),
        ("tcp://10.0.0.1:8786", True),
        ("tcp://127.example.org:8786", True),
        ("tcp://127.0.0.2:8786", False),
    ],
)
def test_who_is_warned(address: str | None, warns: bool) -> None:
    """Whoever sends tasks in clear to another machine."""
    assert is_open(address) == warns


@pytest.mark.slow
def test_a_scheduler_that_is_not_there(exporter: Exporter) -> None:
    """Before anything else is tried."""
    done = exporter("export", "--cluster", "tcp://127.0.0.1:1", EXPORTER_SOURCE="postgresql://nobody@localhost/nothing")
    assert (done.code, done.out) == (4, "")
    assert done.err == "exporter: the scheduler tcp://127.0.0.1:1 does not answer; start it, or correct --cluster\n"


def test_a_local_graph_refuses_it(exporter: Exporter) -> None:
    """Rather than ignore what the settings file has."""
    done = exporter("local", "--source", "postgresql://nobody@localhost/nothing", EXPORTER_CLUSTER="tcp://127.0.0.1:1")
    assert done.code == 2
    assert done.err.startswith("exporter: a local graph is built by this machine alone: leave cluster out of")


def test_a_plain_export_does_not_load_it() -> None:
    """Neither as a leader nor as a worker."""
    modules = "exporter.cli.export, exporter.pipeline.run, exporter.pipeline.pool, exporter.pipeline.worker"
    program = f"import sys, {modules}; print(*{{'dask', 'distributed'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"
