"""The command line of `exporter local`: what its flags and names ask for, and that none is ignored."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from exporter.cli import app
from exporter.errors import UsageError
from exporter.local.registry import Graph, graph_named
from tests.support.local_graph import RECORD


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No graph, no settings file, and no source in the environment."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("EXPORTER_SOURCE", raising=False)
    monkeypatch.chdir(tmp_path)


def run(*words: str) -> tuple[str, str]:
    """Stdout and stderr of `exporter local …`, which ends well."""
    result = CliRunner().invoke(app, ["local", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout, result.stderr


def saved(name: str) -> Graph:
    """A graph that is not running."""
    graph = graph_named(name)
    graph.directory.mkdir(parents=True)
    graph.save(RECORD)
    return graph


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("--from e --source postgresql://x", "--from cannot be combined with --source"),
        ("--from e --max-rejects 0 --config c", "--from cannot be combined with --config and --max-rejects"),
        ("--workers 2", "--workers cannot stand without --source"),
        ("--name sales --cache c", "--cache and --name cannot stand without --source or --from"),
        ("--name sales start", "--name must follow start"),
        ("--source postgresql://x list", "--source must follow list"),
        ("--json list", "--json must follow list"),
        ("remove", "which graph? Name it: exporter local remove NAME; it is never guessed"),
        ("stop one --name other", "two names of one graph: one and --name other"),
        ("query --format csv --json 1", "--json and --format csv cannot be combined"),
        ("query 1", "there is no graph yet; build one with exporter local --source URI, or --from EXPORT"),
        ("--from e", "there is no directory e"),
    ],
)
def test_what_would_be_ignored_is_refused(line: str, sentence: str) -> None:
    """With a sentence that says which flag."""
    with pytest.raises(UsageError) as caught:
        run(*line.split())
    assert str(caught.value).startswith(sentence)


def test_a_source_in_the_settings_alone_builds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The graphs are listed, and how to build one is said."""
    Path("exporter.toml").write_text('source = "postgresql://127.0.0.1:1/nowhere"\n')
    empty = f"There is no graph in {graph_named(None).directory.parent}.\n"
    hint = "To build one: exporter local --source postgresql://USER@HOST/DATABASE, or --from EXPORT\n"
    assert run() == (empty, hint)
    monkeypatch.setenv("EXPORTER_SOURCE", "postgresql://127.0.0.1:1/nowhere")
    assert run()[1] == hint.replace("postgresql://USER@HOST/DATABASE", '"$EXPORTER_SOURCE"')
    assert run("list") == (empty, "")
    for secret in ("postgresql://user:secret@host/database", "postgresql://host/database?password=secret"):
        monkeypatch.setenv("EXPORTER_SOURCE", secret)
        assert run()[1] == hint


def test_the_list_as_json() -> None:
    """One object; of a graph whose record cannot be read, its name."""
    assert json.loads(run("list", "--json")[0]) == {"format": 1, "graphs": []}
    sales, broken = saved("sales"), saved("broken")
    (broken.directory / "graph.json").write_text("{}")
    expected = {
        "name": "sales",
        "running": False,
        "bolt": "bolt://127.0.0.1:17687",
        "browser": None,
        "user": "neo4j",
        "password_file": str(sales.directory / "password"),
        "database": "astrokiran",
        "snapshot_at": "2026-11-26T03:15:00Z",
        "window": None,
        "masked": None,
        "nodes": 7,
        "relationships": 5,
        "neo4j": "2026.09.0",
        "bytes": sales.size(),
    }
    unknown = dict.fromkeys(expected) | {
        "name": "broken", "user": "neo4j", "password_file": str(broken.directory / "password"), "bytes": broken.size(),
    }  # fmt: skip
    listed = {"format": 1, "graphs": [unknown, expected]}
    assert json.loads(run("--json")[0]) == json.loads(run("list", "--json")[0]) == listed


def test_a_graph_is_named_by_argument_or_flag() -> None:
    """The only one need not be named, but to remove it."""
    saved("sales")
    assert run("stop")[0] == run("stop", "sales")[0] == run("stop", "--name", "sales")[0] == "sales: was not running\n"
    assert json.loads(run("stop", "--json")[0]) == {"format": 1, "name": "sales", "was_running": False}
    with pytest.raises(UsageError, match="it is never guessed"):
        run("remove")
    with pytest.raises(UsageError, match="there is no graph named sale; existing graphs: sales"):
        run("remove", "sale")
    assert run("remove", "sales", "--name", "sales")[0] == "sales: removed\n"
    saved("sales")
    assert json.loads(run("remove", "--json", "--name", "sales")[0]) == {"format": 1, "name": "sales"}
    assert not graph_named("sales").directory.exists()


def test_a_graph_that_is_not_running_says_how_to_start_it() -> None:
    """The default name is not said twice."""
    for name, title, flag in (("sales", "the graph sales", " --name sales"), ("graph", "the graph", "")):
        saved(name)
        with pytest.raises(UsageError) as caught:
            run("query", "1")
        assert str(caught.value) == f"{title} is not running; start it: exporter local start{flag}"
