"""Graphs on the user's machine: names, records, passwords, ports, locks, and what a run leaves behind."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from exporter.errors import BusyError, RunError, UsageError
from exporter.local.registry import Graph, find, first_free, graph_named, graphs, locked
from tests.support.local_graph import RECORD


@pytest.fixture(autouse=True)
def data_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's data directory for graphs."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return tmp_path / "astrokiran-graph-exporter"


def saved(name: str) -> Graph:
    """A graph that exists."""
    graph = graph_named(name)
    graph.directory.mkdir(mode=0o700, parents=True)
    graph.save(RECORD)
    return graph


@pytest.mark.parametrize("name", ["", "Graph", "a/b", "..", ".graph", "-x", "a b", "a" * 41, "graph\n"])
def test_a_name_is_the_name_of_a_directory(name: str) -> None:
    """Also where capitals are not told apart."""
    if name:
        with pytest.raises(UsageError, match="lower-case letters"):
            graph_named(name)
    else:
        assert graph_named(name) == graph_named(None) == graph_named("graph")


def test_a_graph_is_found_by_its_name() -> None:
    """By its name; without one, `graph` or the only one."""
    with pytest.raises(UsageError, match="no graph yet; build one with exporter local --source URI"):
        find(None)
    sales = saved("sales")
    assert (find(None), find("sales")) == (sales, sales)
    with pytest.raises(UsageError, match="no graph named graph; existing graphs: sales"):
        find("graph")
    march = saved("march")
    with pytest.raises(UsageError, match="Give one with --name: march, sales"):
        find(None)
    assert graphs() == [march, sales]
    assert saved("graph") == find(None)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a user that does not exist")
def test_a_user_without_a_home_directory_is_told() -> None:
    """As a container's user may be: no entry in the list of users, no HOME."""
    code = "import os; from exporter.local.registry import find; os.setuid(54321); find(None)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env={"PATH": os.defpath}, capture_output=True, text=True)
    assert "UsageError: this user has no home directory to keep graphs in; set HOME or XDG_DATA_HOME" in done.stderr


def test_a_record_is_read_as_it_was_written(data_directory: Path) -> None:
    """For its owner alone, with nothing beside it; the error for one that cannot be read says what to do."""
    graph = saved("graph")
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
    one, other = saved("one"), saved("other")
    assert one.password() == one.password() != other.password()
    assert len(one.password()) == 24
    assert (one.directory / "password").stat().st_mode & 0o777 == 0o600


def test_ports_are_kept_and_not_shared() -> None:
    """The one it had, else the first that neither another graph has nor anybody listens on."""
    graph = saved("graph")
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as freed:
        busy, free = taken.getsockname()[1], freed.getsockname()[1]
        freed.close()
        assert first_free(free, range(busy, busy + 1), set()) == free
        assert first_free(busy, range(free, free + 1), set()) == free
        assert first_free(None, range(free, free + 1), {free}) == 0
    other = graph_named("other")
    other.directory.mkdir()
    (other.directory / "graph.json").write_text("damaged")
    third = graph_named("third")
    third.directory.mkdir()
    assert third.access(http=False).bolt_port not in (0, RECORD.bolt_port)
    assert (third.access(http=False).http_port, third.access(http=True).http_port is None) == (None, False)
    assert graph.access(http=False).password == graph.password()


def test_one_command_at_a_time(data_directory: Path) -> None:
    """By name; an error of the file system in between names its file."""
    with (
        locked(graph_named("one")),
        locked(graph_named("other")),
        pytest.raises(BusyError, match="working on the graph one"),
        locked(graph_named("one")),
    ):
        raise AssertionError
    assert data_directory.stat().st_mode & 0o777 == 0o700
    with pytest.raises(RunError, match="nowhere: No such file or directory"), locked(graph_named("one")):
        Path("nowhere").read_text()


def test_what_a_run_leaves_behind_goes() -> None:
    """At once, but for what shows why a run failed, which goes with the next one."""
    graph = saved("graph")
    graph.password()
    for path in (f"{RECORD.store}/data", "2027/data", "2027/logs", "exports/rejected-1", "exports/.partial-1"):
        (graph.directory / path).mkdir(parents=True)
    (graph.directory / ".graph.json").write_text("cut sho")
    (graph.directory / "exports" / ".lock").write_text("")
    graph.clean(keep_logs=True)
    assert contents(graph) == [
        RECORD.store, f"{RECORD.store}/data", "2027", "2027/logs", "exports", "exports/rejected-1", "graph.json",
        "password",
    ]  # fmt: skip
    graph.clean()
    assert contents(graph) == [RECORD.store, f"{RECORD.store}/data", "graph.json", "password"]
    (graph.directory / "graph.json").unlink()
    graph.clean()
    assert not graph.directory.exists()
    graph.clean()


def contents(graph: Graph) -> list[str]:
    return sorted(path.relative_to(graph.directory).as_posix() for path in graph.directory.rglob("*"))
