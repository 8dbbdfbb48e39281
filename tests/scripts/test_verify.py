"""scripts/import.sh --verify against real servers: it finds the differences that `exporter verify --bolt` finds."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import neo4j
import psutil
import pytest

from exporter.store.configuration import configure, environment
from exporter.store.provision import Neo4jHome
from exporter.store.server import serve
from exporter.store.verify import verify_bolt
from tests.support import tiny_export
from tests.support.installed_neo4j import LAUNCHER, cypher_shell

SCRIPT = tiny_export.SCRIPT


@dataclass(frozen=True, slots=True)
class Graph:
    """An export, the Bolt address of a server that holds it, and the environment of a host with cypher-shell."""

    export: Path
    uri: str
    variables: dict[str, str]

    def verify(
        self, *arguments: object, export: Path | None = None, **changes: str
    ) -> subprocess.CompletedProcess[str]:
        """What the script says of the graph."""
        command = ["bash", str(SCRIPT), "--verify", *map(str, arguments), str(export or self.export)]
        return subprocess.run(command, env=self.variables | changes, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def graph(each_neo4j: Neo4jHome, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    """The tiny export in both versions of Neo4j."""
    directory = tmp_path_factory.mktemp("verified")
    export = tiny_export.write(directory / "20261123T031500Z")
    conf = configure(directory / "store")
    variables = environment(each_neo4j, conf)
    subprocess.run(["bash", str(export / "import.sh")], env=variables, check=True, capture_output=True)
    program = directory / "home" / "bin" / "cypher-shell"
    program.parent.mkdir(parents=True)
    java = each_neo4j.java_home / "bin" / "java"
    main = "org.neo4j.shell.Main"
    program.write_text(LAUNCHER.format(java=java, lib=cypher_shell(cache), home=directory, main=main))
    program.chmod(0o755)
    with serve(each_neo4j, directory / "store") as server:
        yield Graph(export, server.bolt_uri, {**variables, "NEO4J_HOME": str(directory / "home")})


def test_the_imported_graph_has_no_difference(graph: Graph, tmp_path: Path) -> None:
    """The copy in the export needs no argument but the address; a real manifest's last line ends, too."""
    copy = shutil.copytree(graph.export, tmp_path / "it's 1, 2 & ३")
    (copy / "manifest.json").write_text((copy / "manifest.json").read_text() + "\n")
    tiny_export.write_checksums(copy)
    command = ["bash", str(copy / "import.sh"), "--verify", f"--bolt={graph.uri}"]
    done = subprocess.run(command, env=graph.variables, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.splitlines()[0], done.stdout) == (
        0,
        f"Counting all nodes, relationships and values in database neo4j at {graph.uri}",
        f"Database neo4j at {graph.uri} holds 18 nodes, 5 relationships and 45 properties, each as the manifest says.\n",  # noqa: E501
    )


def test_every_difference_is_found(graph: Graph, tmp_path: Path) -> None:
    """Nodes, relationships by both ends, values, and whatever the manifest does not know, whatever its name; the
    sentences are those of `exporter verify --bolt`."""
    copy = shutil.copytree(graph.export, tmp_path / "copy")
    manifest = tiny_export.manifest(copy)
    change(manifest["nodes"][0], phone_number=-1, is_active=1)
    change(manifest["nodes"][1], country_code=-1, email=1)
    del manifest["nodes"][1]["property_counts"]["country_code"]
    manifest["nodes"][2]["label"] = "Sitting"
    manifest["relationships"][0]["end"] = "Session"
    manifest["relationships"][2]["property_counts"] = {"since": 0}
    tiny_export.write_manifest(copy, manifest)
    with neo4j.GraphDatabase.driver(graph.uri) as driver:
        driver.execute_query(
            'CREATE ({added: true})-[:ADDED {`a, "b"`: 1}]->(:`a"b, "", 7 \\c` {added: true}),'
            " (:Role:AuthUser {added: true, id: 99})-[:HAS_SESSION]->(:Device {added: true})"
        )
        expected = verify_bolt(copy, graph.uri)
        found = graph.verify("--bolt", graph.uri, export=copy)
        driver.execute_query("MATCH (n) WHERE n.added DETACH DELETE n")
    lines = sanitized_errors(found)
    assert lines.pop(0) == f"import.sh: database neo4j at {graph.uri} differs from the manifest:"
    named = [line.removeprefix("    ").replace('\\"', '"').replace("\\\\", "\\") for line in lines]
    assert (found.returncode, found.stdout, len(named) > 15) == (1, "", True)
    # Several labels of one node come in the order of the database.
    assert [each.replace("Role:AuthUser", "AuthUser:Role") for each in named] == expected


def sanitized_errors(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What it said after the lines of its progress."""
    return [line for line in done.stderr.splitlines() if not line.lower().lstrip().startswith("counting ")]


def change(entity: Any, **by: int) -> None:
    """Changes property counts of an entity, and their sum with them. All changes together must add up to nothing, or
    the manifest would contradict its own totals."""
    for name, difference in by.items():
        entity["property_counts"][name] = entity["property_counts"].get(name, 0) + difference
        entity["properties"] += difference


def test_names_with_line_breaks(graph: Graph) -> None:
    """Each stays one line."""
    with neo4j.GraphDatabase.driver(graph.uri) as driver:
        driver.execute_query("CREATE (:`line\nbreak` {`\r\n`: 1, added: true})")
        found = graph.verify("--bolt", graph.uri)
        driver.execute_query("MATCH (n) WHERE n.added DETACH DELETE n")
    assert (found.returncode, sanitized_errors(found)[1:]) == (1, ["    line break: none in manifest.json, 1 in Neo4j"])


def test_a_server_that_does_not_answer(graph: Graph) -> None:
    """One that is not there and a database that is not there: exit code 4, where, and what cypher-shell said."""
    for arguments, where in (
        (("--bolt", "bolt://127.0.0.1:1"), "database neo4j at bolt://127.0.0.1:1"),
        (("--bolt", graph.uri, "--database=elsewhere"), f"database elsewhere at {graph.uri}"),
    ):
        done = graph.verify(*arguments)
        lines = sanitized_errors(done)
        assert (done.returncode, done.stdout, len(lines)) == (4, "", 3), done.stderr
        assert lines[0] == f"import.sh: Neo4j does not answer for {where}"
        assert lines[1].startswith("    ") and lines[2] == "Is it running, and is the database online?"


def test_an_interrupt_leaves_no_process(graph: Graph) -> None:
    """Asking a server that says nothing."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"bolt://127.0.0.1:{silent.getsockname()[1]}"
        command = ["bash", str(SCRIPT), "--verify", "--bolt", address, str(graph.export)]
        process = subprocess.Popen(command, env=graph.variables, stderr=subprocess.PIPE, text=True)
        connection, _ = silent.accept()
        assert shells(address) != []
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=60)[1]
        connection.close()
    assert (process.returncode, said.splitlines()[-2:]) == (130, ["Stopping ...", "import.sh: interrupted"])
    for _ in range(100):
        if not shells(address):
            break
        time.sleep(0.1)
    assert shells(address) == []


def shells(address: str) -> list[int]:
    """The running cypher-shells that ask at this address."""
    found = []
    for process in psutil.process_iter():
        try:
            line = process.cmdline()
        except psutil.Error:
            continue
        if "org.neo4j.shell.Main" in line and address in line:
            found.append(process.pid)
    return found


# Without a server ----------------------------------------------------------------------------------------------------


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return tiny_export.write(tmp_path / "20261123T031500Z")


def misused(export: Path, *arguments: object, **changes: str) -> str:
    """What a verification says that is refused before any server is asked; /bin/false stands for a cypher-shell."""
    shell = export.parent / "home" / "bin" / "cypher-shell"
    shell.parent.mkdir(parents=True, exist_ok=True)
    if not shell.exists():
        shell.symlink_to("/bin/false")
    variables = {"PATH": os.defpath, "NEO4J_HOME": str(shell.parent.parent), **changes}
    command = ["bash", str(SCRIPT), *map(str, arguments), str(export)]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert done.stdout == ""
    return f"{done.returncode} {done.stderr}"


@pytest.mark.parametrize(
    ("arguments", "changes", "sentence"),
    [
        (["--verify", "--overwrite"], {}, "--overwrite is an option of an import, not of --verify (see --help)"),
        (["--verify", "--heap=2g"], {}, "--heap is an option of an import, not of --verify (see --help)"),
        (["--bolt", "bolt://localhost"], {}, "--bolt is an option of --verify (see --help)"),
        (
            ["--verify", "--bolt", "localhost:7687"],
            {},
            "--bolt localhost:7687: an address is like bolt://127.0.0.1:7687",
        ),
        (
            ["--verify", "--bolt", "bolt://neo4j:secret@localhost"],
            {},
            "--bolt: no user or password may stand in the address: give --user and NEO4J_PASSWORD",
        ),
        (["--verify", "--user", "neo4j"], {}, "--user needs its password in NEO4J_PASSWORD"),
        (
            ["--verify", "--database", "x"],
            {},
            "x is no database name: 3 to 63 letters, digits, dots and dashes, a letter first",
        ),
        (
            ["--verify"],
            {"NEO4J_HOME": "/gone"},
            "no cypher-shell found: put NEO4J_HOME/bin/cypher-shell there, or cypher-shell on PATH",
        ),
    ],
)
def test_misuse_is_told(export: Path, arguments: list[str], changes: dict[str, str], sentence: str) -> None:
    """Each with exit code 2 and one sentence, which never quotes a password."""
    assert misused(export, *arguments, **changes) == f"2 import.sh: {sentence}\n"


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace('"rows": 13', '"rows": 12', 1),
        lambda text: text.replace('"rows": 13', '"rows": 13.0', 1),
        lambda text: text.replace('"rows": 13', '"rows": "13"', 1),
        lambda text: text.replace('"id": 13', '"id": 12', 1),
        lambda text: text.replace('        "id": 13,\n', "", 1),
        lambda text: text.replace('      "properties": 3,\n', "", 1),
        lambda text: text.replace('"label": "Customer"', '"label": "Cust"omer"', 1),
        lambda text: text.replace('      "label": "Customer",\n', "", 1),
        lambda text: text.replace('      "type": "HAS_AUTH",\n', "", 1),
        lambda text: text.replace('      "rejects": {}', '      "rejects": {},\n      "more": 1', 1),
        lambda text: text.replace('"nodes": 18', '"nodes": 19', 1),
        lambda text: text[: text.index('  "relationships": [')] + text[text.index('  "files": [') :],
        lambda text: text[: text.index('  "totals"')],
        lambda text: json.dumps(json.loads(text)).replace('"format": 1', '\n  "format": 1,\n', 1),
        lambda text: json.dumps(json.loads(text), indent=1).replace(' "format": 1', '  "format": 1', 1),
    ],
)
def test_a_manifest_of_another_make_is_refused(export: Path, edit: Callable[[str], str]) -> None:
    """Whatever its checksum says: it is read line by line, as our own code writes it."""
    path = export / "manifest.json"
    path.write_text(edit(path.read_text()))
    tiny_export.write_checksums(export)
    assert misused(export, "--verify").splitlines()[0] == (
        "1 import.sh: manifest.json is not written as an export has it, or its counts do not add up: "
        "it cannot be compared"
    )


def test_a_damaged_manifest_is_refused(export: Path) -> None:
    """By its checksum, before anything is compared with it."""
    path = export / "manifest.json"
    path.write_text(path.read_text().replace("tiny.session", "tinY.session"))
    assert misused(export, "--verify").splitlines()[0] == (
        "1 import.sh: the export is damaged: manifest.json is not the one of SHA256SUMS"
    )
    assert misused(export, "--verify", "--no-checksums").startswith("4 Counting all nodes")
    with (export / "SHA256SUMS").open("a") as sums:
        sums.write("# comment\n")
    assert "SHA256SUMS is not as an export has it" in misused(export, "--verify")
