"""Graphs on the user's machine: names, records, passwords, ports, locks, and what a run leaves behind."""

import json
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from exporter.errors import BusyError, RunError, UsageError
from exporter.local.registry import Graph, Record, first_free, graphs, locked, there, to_make
from exporter.store.provision import Neo4jHome

RECORD = Record(
    store="20261126T031500000000Z",
    bolt_port=17687,
    http_port=None,
    neo4j=Neo4jHome(Path("/opt/neo4j"), Path("/opt/java"), "2026.09.0"),
    database="astrokiran",
    snapshot_at=datetime(2026, 11, 26, 3, 15, tzinfo=UTC),
    nodes=7,
    relationships=5,
)


@pytest.fixture(autouse=True)
def data_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's data directory for graphs."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return tmp_path / "astrokiran-graph-exporter"


def made(name: str) -> Graph:
    """A graph that is there."""
    graph = to_make(name)
    graph.directory.mkdir(mode=0o700, parents=True)
    graph.settle(RECORD)
    return graph


@pytest.mark.parametrize("name", ["", "Graph", "a/b", "..", ".graph", "-x", "a b", "a" * 41, "graph\n"])
def test_what_is_no_name(name: str) -> None:
    """A name is a directory's, also where capitals are not told apart."""
    if name:
        with pytest.raises(UsageError, match="small letters"):
            to_make(name)
    else:
        assert to_make(name) == to_make(None) == to_make("graph")


def test_which_graph_is_meant() -> None:
    """By its name; without one, `graph` or the only one."""
    with pytest.raises(UsageError, match="no graph named graph; make one"):
        there(None)
    sales = made("sales")
    assert (there(None), there("sales")) == (sales, sales)
    with pytest.raises(UsageError, match="no graph named graph; those there are: sales"):
        there("graph")
    march = made("march")
    with pytest.raises(UsageError, match="those there are: march, sales"):
        there(None)
    assert graphs() == [march, sales]
    assert made("graph") == there(None)


def test_a_record_is_read_as_it_was_written(data_directory: Path) -> None:
    """For its owner alone, with nothing beside it; one that cannot be read says what to do."""
    graph = made("graph")
    assert graph.record() == RECORD
    assert [path.name for path in graph.directory.iterdir()] == ["graph.json"]
    assert (graph.directory / "graph.json").stat().st_mode & 0o777 == 0o600
    assert json.loads((graph.directory / "graph.json").read_text())["neo4j"]["home"] == "/opt/neo4j"
    (graph.directory / "graph.json").write_text("{}")
    with pytest.raises(UsageError, match="cannot be read: remove the graph"):
        graph.record()
    assert graph.readable_record() is None


def test_a_password_stays() -> None:
    """One for each graph, for its owner alone."""
    one, other = made("one"), made("other")
    assert one.password() == one.password() != other.password()
    assert len(one.password()) == 24
    assert (one.directory / "password").stat().st_mode & 0o777 == 0o600


def test_ports_are_kept_and_not_shared() -> None:
    """The one it had, else the first that neither another graph has nor anybody listens on."""
    graph = made("graph")
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as freed:
        busy, free = taken.getsockname()[1], freed.getsockname()[1]
        freed.close()
        assert first_free(free, range(busy, busy + 1), set()) == free
        assert first_free(busy, range(free, free + 1), set()) == free
        assert first_free(None, range(free, free + 1), {free}) == 0
    other = to_make("other")
    other.directory.mkdir()
    (other.directory / "graph.json").write_text("damaged")
    third = to_make("third")
    third.directory.mkdir()
    assert third.access(http=False).bolt_port not in (0, RECORD.bolt_port)
    assert (third.access(http=False).http_port, third.access(http=True).http_port is None) == (None, False)
    assert graph.access(http=False).password == graph.password()


def test_one_command_at_a_time(data_directory: Path) -> None:
    """By name; a directory that cannot be used, and one that breaks on the way, is said."""
    with (
        locked(to_make("one")),
        locked(to_make("other")),
        pytest.raises(BusyError, match="at work on the graph one"),
        locked(to_make("one")),
    ):
        raise AssertionError
    assert data_directory.stat().st_mode & 0o777 == 0o700
    with pytest.raises(RunError, match="nowhere: No such file or directory"), locked(to_make("one")):
        Path("nowhere").read_text()


def test_what_a_run_leaves_behind_goes() -> None:
    """At once, but for the evidence of a failure, which goes with the next run."""
    graph = made("graph")
    graph.password()
    for path in (f"{RECORD.store}/data", "2027/data", "2027/logs", "exports/rejected-1", "exports/.partial-1"):
        (graph.directory / path).mkdir(parents=True)
    (graph.directory / ".graph.json").write_text("cut sho")
    (graph.directory / "exports" / ".lock").write_text("")
    graph.sweep(evidence=True)
    assert contents(graph) == [
        RECORD.store, f"{RECORD.store}/data", "2027", "2027/logs", "exports", "exports/rejected-1", "graph.json",
        "password",
    ]  # fmt: skip
    graph.sweep()
    assert contents(graph) == [RECORD.store, f"{RECORD.store}/data", "graph.json", "password"]
    (graph.directory / "graph.json").unlink()
    graph.sweep()
    assert not graph.directory.exists()
    graph.sweep()


def contents(graph: Graph) -> list[str]:
    return sorted(path.relative_to(graph.directory).as_posix() for path in graph.directory.rglob("*"))
