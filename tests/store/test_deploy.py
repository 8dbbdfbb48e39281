"""The steps from an export to a graph that answers, on a real Neo4j: what is shown, and what stops them."""

from io import StringIO
from pathlib import Path

import neo4j
import psycopg
import pytest
from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from exporter.errors import DifferenceError
from exporter.settings import Settings
from exporter.sink.instructions import schema_cypher
from exporter.sink.layout import SCHEMA
from exporter.store.deploy import Steps, complete_graph
from exporter.store.provision import Neo4jHome
from tests.support import tiny_export


class Screen:
    """Keeps what is shown, as lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, content: RenderableType, /, *, soft_wrap: bool = False) -> None:
        self.lines += str(content).splitlines()


def test_an_export_becomes_a_graph(neo4j_home: Neo4jHome, tmp_path: Path) -> None:
    """Every step has a number and its seconds; a graph that was changed differs from the manifest."""
    screen, export = Screen(), tiny_export.write(tmp_path / "export")
    steps = Steps(screen)
    steps.check_files(export)
    steps.import_export(export, neo4j_home, tmp_path / "store")
    with steps.serve(neo4j_home, tmp_path / "store") as server:
        steps.complete(export, server)
        assert list(steps.seconds) == [line for line in screen.lines if " · " in line] == [
            "1 · Compare the export with its manifest",
            f"2 · Import into Neo4j {neo4j_home.version}",
            "3 · Start Neo4j",
            "4 · Constraints, indexes, verification",
        ]  # fmt: skip
        assert f"Neo4j answers at {server.bolt_uri}" in screen.lines
        assert screen.lines[-1] == "all counts match the manifest"
        with neo4j.GraphDatabase.driver(server.bolt_uri) as driver:
            driver.execute_query("MATCH (n:Customer) WITH n LIMIT 1 DETACH DELETE n")
            driver.execute_query("UNWIND range(10, 30) AS i CALL (i) { CREATE (:$(['Extra' + i])) }")
        with pytest.raises(DifferenceError) as different:
            complete_graph(export, server, lambda name, title: steps.step(f"{name}: {title}"))
    lines = str(different.value).splitlines()
    assert (lines[0], len(lines), lines[-1][:6]) == ("the graph differs from the manifest:", 12, "  and ")
    assert any(line.startswith("  Customer, nodes: 2 in manifest.json, 1 in Neo4j, and ") for line in lines)
    assert list(steps.seconds)[4:] == [
        "5 · schema: Creating constraints and indexes",
        "6 · verify: Comparing the graph with the manifest",
    ]


def test_a_line_ends_the_progress_that_is_shown() -> None:
    """A step that is over is not shown below its own result until the next one begins."""
    shown = StringIO()
    with Live(Text("  1/4 nodes: 2 s, 12 %"), console=Console(file=shown)) as live:
        Steps(Screen()).show_import_line("  1/4 nodes: 4 s", live)
    assert shown.getvalue().strip() == ""


def test_a_text_that_no_index_holds(
    neo4j_home: Neo4jHome, source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is in the graph; its index is left out, which is said, and every other one is there."""
    with psycopg.connect(source) as connection:
        connection.execute("INSERT INTO auth.auth_users (id, phone_number, created_at) VALUES (1, '1', now())")
        connection.execute(
            "INSERT INTO auth.user_devices (id, auth_user_id, device_id, created_at) "
            "VALUES (9, 1, repeat('x', 8165), now()), (10, 1, repeat('y', 8164), now())"
        )
    steps = Steps(Screen())
    result = steps.export(Settings(source=source, output=tmp_path / "output"))
    reason = "1 value exceeds the 8,164 bytes that an index holds; the largest, of the Device 1:…, has 8,165"
    assert f"exporter: warning: no index on Device.device_id: {reason}\n" in capsys.readouterr().err
    assert f"// No index on Device.device_id: {reason}\n" in (result.directory / SCHEMA).read_text()
    steps.import_export(result.directory, neo4j_home, tmp_path / "store")
    with (
        steps.serve(neo4j_home, tmp_path / "store") as server,
        neo4j.GraphDatabase.driver(server.bolt_uri) as driver,
    ):
        steps.complete(result.directory, server)
        texts = driver.execute_query("MATCH (n:Device) RETURN size(n.device_id) AS size ORDER BY size").records
        ranges = driver.execute_query("SHOW INDEXES YIELD name, type WHERE type = 'RANGE' RETURN name").records
    assert [record["size"] for record in texts] == [8164, 8165]
    statements = [line.split()[2] for line in schema_cypher().splitlines() if line.startswith("CREATE")]
    assert {record["name"] for record in ranges} == set(statements) - {"Device_device_id"}


def test_damaged_files_are_a_difference(tmp_path: Path) -> None:
    """They are found before anything is imported."""
    export = tiny_export.write(tmp_path / "export")
    (export / "nodes/Customer/part-0001.csv").write_text("7\n")
    with pytest.raises(DifferenceError, match=r"differs from its manifest: nodes/Customer/part-0001\.csv: changed"):
        Steps(Screen()).check_files(export)
