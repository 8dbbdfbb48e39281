"""scripts/verify.sh with real servers: it finds the differences that `exporter verify --bolt` finds."""

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
from neo4j.exceptions import Neo4jError

from exporter.errors import UsageError
from exporter.sink.counts import counts_tsv
from exporter.sink.manifest import read_manifest
from exporter.store.configuration import Access, configure, environment
from exporter.store.provision import Neo4jHome
from exporter.store.server import serve
from exporter.store.verify import verify_bolt
from tests.support import tiny_export
from tests.support.installed_neo4j import LAUNCHER, cypher_shell

SCRIPT = tiny_export.SCRIPTS / "verify.sh"


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
        command = ["bash", str(SCRIPT), *map(str, arguments), str(export or self.export)]
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


@pytest.mark.slow
def test_the_imported_graph_has_no_difference(graph: Graph, tmp_path: Path) -> None:
    """The copy in the export needs no argument but the address; `import.sh --verify` is the same."""
    copy = shutil.copytree(graph.export, tmp_path / "it's 1, 2 & ३")
    for script in (["verify.sh"], ["import.sh", "--verify"]):
        command = ["bash", str(copy / script[0]), *script[1:], f"--bolt={graph.uri}"]
        done = subprocess.run(command, env=graph.variables, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr.splitlines()[:2], done.stdout) == (
            0,
            ["Checksums: 22 files", f"Counting all nodes, relationships and values in database neo4j at {graph.uri}"],
            f"Database neo4j at {graph.uri} holds 18 nodes, 5 relationships and 45 properties, "
            "all matching the manifest.\n",
        )


@pytest.mark.slow
def test_every_difference_is_found(graph: Graph, tmp_path: Path) -> None:
    """Nodes, relationships by both ends, values, and whatever the manifest does not know, whatever its name; the
    sentences are those of `exporter verify --bolt`."""
    copy = shutil.copytree(graph.export, tmp_path / "copy")
    manifest: Any = tiny_export.manifest(copy)
    manifest["nodes"][0]["property_counts"].update(phone_number=9, is_active=12)
    manifest["nodes"][1]["property_counts"] = {"customer_id": 2, "email": 1}
    manifest["nodes"][2]["label"] = "Sitting"
    manifest["nodes"][3]["rows"] = 12345678901
    manifest["relationships"][0]["end"] = "Session"
    manifest["relationships"][2]["property_counts"] = {"since": 0}
    tiny_export.write_manifest(copy, manifest)
    tiny_export.write_counts(copy, counts_tsv(read_manifest(copy)))
    with neo4j.GraphDatabase.driver(graph.uri) as driver:
        driver.execute_query(
            'CREATE ({added: true})-[:ADDED {`a, "b"`: 1}]->(:`a"b, "", 7 \\c` {added: true}),'
            " (:Role:AuthUser {added: true, id: 99})-[:HAS_SESSION]->(:Device {added: true})"
        )
        expected = verify_bolt(copy, graph.uri)
        found = graph.verify("--bolt", graph.uri, export=copy)
        driver.execute_query("MATCH (n) WHERE n.added DETACH DELETE n")
    first, *lines = failure(found)
    assert first == f"verify.sh: database neo4j at {graph.uri} differs from the manifest:"
    assert (found.returncode, found.stdout, len(lines) > 10) == (1, "", True)
    # What the manifest does not have comes last here.
    assert sorted(lines) == sorted(f"    {difference}" for difference in expected)


@pytest.mark.slow
def test_another_export_is_told_first(graph: Graph, tmp_path: Path) -> None:
    """As by `exporter verify --bolt`."""
    copy = shutil.copytree(graph.export, tmp_path / "copy")
    manifest: Any = tiny_export.manifest(copy)
    for node in manifest["nodes"]:
        node["rows"] += 1 if node["rows"] else 0
    tiny_export.write_manifest(copy, manifest)
    tiny_export.write_counts(copy, counts_tsv(read_manifest(copy)))
    expected = verify_bolt(copy, graph.uri)
    assert expected[0] == (
        "none of 3 labels agrees: was another export imported? (this one is of 2026-11-23 03:15:01 UTC)"
    )
    found = graph.verify("--bolt", graph.uri, export=copy)
    assert (found.returncode, failure(found)[1:]) == (1, [f"    {difference}" for difference in expected])


@pytest.mark.slow
def test_a_login_that_is_refused(graph: Graph, each_neo4j: Neo4jHome, tmp_path: Path) -> None:
    """A wrong password, one that must be changed, and too many wrong ones: exit code 2 and what to do, for both."""
    password = "a long password"
    with serve(each_neo4j, tmp_path, Access(password=password)) as server:
        with neo4j.GraphDatabase.driver(server.bolt_uri, auth=server.access.login) as driver:
            driver.execute_query(f"CREATE USER alice SET PASSWORD '{password}' CHANGE REQUIRED", database_="system")
        sentences = {
            "wrong": (r"refused the user or the password: give the user", "Give the user with --user"),
            "alice": (r"nothing but change the password", "The first password allows nothing but to change it"),
            "limited": (r"refuses every login of this user for some seconds", "It refuses every login of this user"),
        }
        for case, (by_driver, by_script) in sentences.items():
            login = {"user": "alice" if case == "alice" else "neo4j", "password": password if case == "alice" else "x"}
            while case == "limited" and code_of(server.bolt_uri, login).endswith("Unauthorized"):
                pass
            with pytest.raises(UsageError, match=by_driver):
                verify_bolt(graph.export, server.bolt_uri, **login)
            done = graph.verify(
                "--bolt", server.bolt_uri, NEO4J_USERNAME=login["user"], NEO4J_PASSWORD=login["password"]
            )
            lines = failure(done)
            assert (done.returncode, lines[0]) == (2, f"verify.sh: Neo4j at {server.bolt_uri} refused the login")
            if case != "limited":  # which has passed by the time that the shell asks
                assert lines[-1].startswith(by_script), done.stderr


def code_of(uri: str, login: dict[str, str]) -> str:
    """The code with which a server refuses a login."""
    with (
        neo4j.GraphDatabase.driver(uri, auth=(login["user"], login["password"])) as driver,
        pytest.raises(Neo4jError) as refused,
    ):
        driver.verify_connectivity()
    return str(refused.value.code)


def failure(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The lines on stderr from the error on, without the progress before it."""
    lines = done.stderr.splitlines()
    return lines[[line.startswith("verify.sh: ") for line in lines].index(True) :]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "altered", "difference"),
    [
        ("Customer\tcountry_code\t1\n", "Customer\tcountry_code\t2\n", "Customer.country_code: 2 in manifest.json, 1"),
        ("\nSession\t\t3\n", "\n", "Session, nodes: 0 in manifest.json, 3"),
        (
            "Customer-HAS_AUTH-AuthUser\t\t2\n",
            "Customer-HAS_AUTH-AuthUser\t\t1\n",
            "(Customer)-[HAS_AUTH]->(AuthUser), relationships: 1 in manifest.json, 2",
        ),
    ],
)
def test_counts_that_were_altered(graph: Graph, line: str, altered: str, difference: str, tmp_path: Path) -> None:
    """And SHA256SUMS alike: the graph still has the counts of the data."""
    copy = shutil.copytree(graph.export, tmp_path / "copy")
    counts = (copy / "counts.tsv").read_text()
    assert line in counts
    tiny_export.write_counts(copy, counts.replace(line, altered))
    found = graph.verify("--bolt", graph.uri, export=copy)
    assert (found.returncode, failure(found)[1:]) == (1, [f"    {difference} in Neo4j"])


@pytest.mark.slow
def test_names_with_line_breaks_and_tabs(graph: Graph) -> None:
    """Each stays one cell of one line."""
    with neo4j.GraphDatabase.driver(graph.uri) as driver:
        driver.execute_query("CREATE (:`line\nbreak\tand tab` {`\r\n\t`: 1, added: true})")
        found = graph.verify("--bolt", graph.uri)
        driver.execute_query("MATCH (n) WHERE n.added DETACH DELETE n")
    assert (found.returncode, failure(found)[1:]) == (1, ["    line break and tab: none in manifest.json, 1 in Neo4j"])


@pytest.mark.slow
def test_a_server_that_does_not_answer(graph: Graph) -> None:
    """One that is not there and a database that is not there: exit code 4, where, and what cypher-shell said."""
    for arguments, where in (
        (("--bolt", "bolt://127.0.0.1:1"), "database neo4j at bolt://127.0.0.1:1"),
        (("--bolt", graph.uri, "--database=elsewhere"), f"database elsewhere at {graph.uri}"),
    ):
        done = graph.verify(*arguments)
        lines = failure(done)
        assert (done.returncode, done.stdout, len(lines)) == (4, "", 3), done.stderr
        assert lines[0] == f"verify.sh: Neo4j does not answer for {where}"
        assert lines[1].startswith("    ") and lines[2] == "Is it running, and is the database online?"


@pytest.mark.slow
def test_an_interrupt_leaves_no_process(graph: Graph) -> None:
    """Asking a server that says nothing."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"bolt://127.0.0.1:{silent.getsockname()[1]}"
        command = ["bash", str(SCRIPT), "--bolt", address, str(graph.export)]
        process = subprocess.Popen(command, env=graph.variables, stderr=subprocess.PIPE, text=True)
        connection, _ = silent.accept()
        assert shells(address) != []
        process.send_signal(signal.SIGTERM)
        errors = process.communicate(timeout=60)[1]
        connection.close()
    assert (process.returncode, errors.splitlines()[-2:]) == (130, ["Stopping ...", "verify.sh: interrupted"])
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


def refusal(export: Path, *arguments: object, **changes: str) -> str:
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
        (["--overwrite"], {}, "unknown option --overwrite (see --help)"),
        (["--bolt"], {}, "--bolt {export}: give an address such as bolt://127.0.0.1:7687"),
        (["a", "b"], {}, "too many arguments: {export} (see --help)"),
        (["--bolt", "localhost:7687"], {}, "--bolt localhost:7687: give an address such as bolt://127.0.0.1:7687"),
        (
            ["--bolt", "bolt://neo4j:secret@localhost"],
            {},
            "--bolt: the address must not contain a user or password: give --user and NEO4J_PASSWORD",
        ),
        (["--user", "neo4j"], {}, "--user needs its password in NEO4J_PASSWORD"),
        ([], {"NEO4J_USERNAME": "neo4j"}, "NEO4J_USERNAME needs its password in NEO4J_PASSWORD"),
        (
            ["--database", "x"],
            {},
            "'x' is not a database name: 3 to 63 letters, digits, dots and dashes, a letter first",
        ),
        (
            [],
            {"NEO4J_HOME": "/gone"},
            "no cypher-shell found: set NEO4J_HOME to a Neo4j that has it, or put cypher-shell on PATH",
        ),
    ],
)
def test_misuse_is_told(export: Path, arguments: list[str], changes: dict[str, str], sentence: str) -> None:
    """Each with exit code 2 and one sentence, which never quotes a password."""
    assert refusal(export, *arguments, **changes) == f"2 verify.sh: {sentence.format(export=export)}\n"


@pytest.mark.parametrize(
    "edit",
    [
        lambda counts: "",
        lambda counts: counts[:-1] + "\r\n",
        lambda counts: counts.replace("\t13\n", "\t13.0\n", 1),
        lambda counts: counts.replace("\t13\n", "\t\n", 1),
        lambda counts: counts.replace("AuthUser\t\t", "AuthUser\t", 1),
        lambda counts: counts.replace("AuthUser\t\t", "\t\t", 1),
        lambda counts: counts[: counts.index("snapshot")],
        lambda counts: counts + "\n",
    ],
)
def test_counts_of_another_make_are_refused(export: Path, edit: Callable[[str], str]) -> None:
    """Whatever their checksum says."""
    tiny_export.write_counts(export, edit((export / "counts.tsv").read_text()))
    assert refusal(export) == "1 verify.sh: the export is damaged: counts.tsv is malformed\n"


def test_damage_is_refused(export: Path) -> None:
    """By the checksums, before anything is compared with Neo4j."""
    counts = export / "counts.tsv"
    counts.write_text(counts.read_text().replace("Session\t\t3", "Session\t\t4"))
    assert refusal(export) == (
        "1 Checksums: 22 files\n"
        "verify.sh: the export is damaged:\n"
        "    changed: counts.tsv\n"
        "Copy it again from where it was made, or make a new one.\n"
    )
    assert refusal(export, "--no-checksums").startswith("4 Counting all nodes")
    counts.unlink()
    assert refusal(export) == f"1 verify.sh: the export is damaged: {export} has no counts.tsv\n"


def test_a_manifest_of_another_format_is_refused(export: Path) -> None:
    tiny_export.write_manifest(export, {**tiny_export.manifest(export), "format": 3})
    sentence = "manifest.json is not of format 1 or 2, those that this script knows"
    assert refusal(export) == f"1 verify.sh: {sentence}\n"
