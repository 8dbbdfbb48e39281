"""A reader tried before an export, as `exporter check` does."""

from collections.abc import Iterator

import pytest

from exporter.errors import SourceError
from exporter.source import probe
from exporter.source.connection import Connection, connect
from exporter.source.probe import probe_reader
from exporter.source.queries import Address


@pytest.fixture
def leader(postgres: str) -> Iterator[Connection]:
    with connect(postgres, "exporter test", lock_seconds=1) as connection:
        yield connection


def test_a_reader_that_can_read(leader: Connection) -> None:
    """It leaves the connection as it was."""
    probe_reader(leader, "exporter test", lock_seconds=1)
    assert leader.execute("show transaction_isolation").fetchone() == ("repeatable read",)
    assert leader.info.transaction_status == 0


@pytest.mark.slow
def test_a_reader_that_is_refused(postgres: str, leader: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is the server's, though connectorx has none but words."""
    address = probe.worker_address

    def elsewhere(*args: Connection | str, **kwargs: int) -> Address:
        found = address(*args, **kwargs)  # type: ignore[arg-type]
        server = found.server.rpartition("/")[0] + "/nothing"
        return Address(server, found.query, found.application, found.mark)

    monkeypatch.setattr(probe, "worker_address", elsewhere)
    with pytest.raises(SourceError) as error:
        probe_reader(leader, "exporter test", lock_seconds=1)
    assert str(error.value).startswith("a reader was refused: the source postgres@")
    assert str(error.value).endswith('/nothing: FATAL: database "nothing" does not exist')


def test_a_reader_that_hangs(leader: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is killed after a while."""
    monkeypatch.setattr(probe, "PROBE_SECONDS", 0)
    with pytest.raises(SourceError) as error:
        probe_reader(leader, "exporter test", lock_seconds=1)
    assert str(error.value) == "a reader had no answer within 0 seconds"
