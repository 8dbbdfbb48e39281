"""A source in which every rule and every reject reason occurs at its edges, against expectations computed in SQL."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import neo4j
import psycopg
import pytest
from oracle import expected, source
from oracle.comparison import export_differences
from oracle.graph import graph_differences
from oracle.manifest import manifest_differences

from exporter.demo.neo4j import Neo4jHome
from exporter.demo.postgres import create_database
from exporter.demo.server import configure, environment, serve

EXPORTER = Path(sys.executable).with_name("exporter")
ROOT = Path(__file__).parent.parent
NODE_REASONS = {"null_id", "malformed_id", "duplicate_id", "unrepresentable_value"}
RELATIONSHIP_REASONS = {
    "null_id",
    "malformed_id",
    "duplicate_id",
    "ambiguous_link",
    "dangling_start",
    "dangling_end",
    "duplicate_relationship",
}

Expectations = dict[str, expected.Entity]


def run_exporter(*arguments: object) -> str:
    """The standard output of the command line, which must succeed."""
    done = subprocess.run([EXPORTER, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def export(uri: str, output: Path, *options: str) -> Path:
    """An export of the source: the directory that the last line names."""
    return Path(run_exporter("export", "--source", uri, "--output", output, *options).splitlines()[-1])


@pytest.fixture(scope="module")
def dirty_database(postgres: str) -> str:
    """The URI of the dirty source."""
    uri = create_database(postgres, "dirty")
    source.fill(uri)
    return uri


@pytest.fixture(scope="module")
def expectations(dirty_database: str) -> Expectations:
    """What an export of the dirty source must hold."""
    with psycopg.connect(dirty_database) as connection:
        return expected.load(connection)


@pytest.fixture(scope="module")
def dirty_export(dirty_database: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of the dirty source."""
    return export(dirty_database, tmp_path_factory.mktemp("output"))


@pytest.fixture(scope="module")
def dirty_graph(
    dirty_export: Path, neo4j_home: Neo4jHome, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[neo4j.Driver]:
    """A running Neo4j with the export imported by scripts/import.sh."""
    directory = tmp_path_factory.mktemp("neo4j")
    conf = configure(directory)
    command = [ROOT / "scripts" / "import.sh", dirty_export]
    done = subprocess.run(command, env=environment(neo4j_home, conf), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with serve(neo4j_home, directory) as server, neo4j.GraphDatabase.driver(server.bolt_uri) as driver:
        yield driver


def test_the_dirty_source_holds_every_reject_reason(expectations: Expectations) -> None:
    """Else the comparisons below would say less than they seem to."""
    found = {kind: set() for kind in ("node", "relationship")}
    for entity in expectations.values():
        found[entity.kind] |= entity.reasons().keys()
    assert found == {"node": NODE_REASONS, "relationship": RELATIONSHIP_REASONS}
    assert all(entity.exported for entity in expectations.values())


def test_every_row_and_reject_is_as_the_rules_say(dirty_export: Path, expectations: Expectations) -> None:
    """Entity by entity: headers, keys, every property's type and text, every line of the rejects."""
    assert export_differences(dirty_export, expectations) == []


def test_the_manifest_accounts_for_every_row(dirty_export: Path, expectations: Expectations) -> None:
    """Counts, sums, files, digests, modes and names are the contract's."""
    model = run_exporter("model", "--format", "json")
    assert manifest_differences(dirty_export, expectations, "dirty", model) == []


def test_every_property_arrives_in_neo4j(dirty_graph: neo4j.Driver, expectations: Expectations) -> None:
    """Type and value of every property of every node and relationship, by way of the real import and Bolt."""
    assert graph_differences(dirty_graph, expectations) == []
