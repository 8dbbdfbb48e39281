"""Sources in which every rule and every reject reason occurs at its edges, against expectations computed in SQL."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import neo4j
import psycopg
import pytest

from exporter.sample.postgres import create_database
from exporter.store.configuration import configure, environment
from exporter.store.provision import Neo4jHome
from exporter.store.server import serve
from tests.oracle import expectations, expected, source
from tests.oracle.comparison import export_differences
from tests.oracle.graph import graph_differences
from tests.oracle.manifest import manifest_differences
from tests.oracle.renaming import rename
from tests.support.stalling_source import copy_database

pytestmark = pytest.mark.slow

EXPORTER = Path(sys.executable).with_name("exporter")
ROOT = Path(__file__).parents[2]
DECLARED_SCHEMA = ROOT / "exporter" / "sample" / "schema.sql"
NODE_REASONS = {"null_id", "malformed_id", "duplicate_id", "unrepresentable_value"}
RELATIONSHIP_REASONS = {"null_id", "malformed_id", "duplicate_id", "ambiguous_link"}
RELATIONSHIP_REASONS |= {"dangling_start", "dangling_end", "duplicate_relationship"}


def as_found(_: psycopg.Connection) -> None:
    """The dirty rows as they are."""


def declare(connection: psycopg.Connection) -> None:
    """The dirty rows in the column types of the specification."""
    source.declare(connection, DECLARED_SCHEMA.read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Variant:
    """A source: what is made of the dirty rows, or of nothing; the zone of its timestamps, whether its names are
    mapped, and how it is exported."""

    make: Callable[[psycopg.Connection], None] = as_found
    empty: bool = False
    zone: str = "UTC"
    renamed: bool = False
    options: tuple[str, ...] = ()


VARIANTS = {
    "as found": Variant(),
    "declared types": Variant(declare, zone="Asia/Kolkata", options=("--workers=1",)),
    "other names": Variant(zone="America/New_York", renamed=True, options=("--workers=3",)),
    "no rows": Variant(source.make, empty=True),
}


@dataclass(frozen=True, slots=True)
class Exported:
    """An export, the database it comes from, and what it must contain."""

    directory: Path
    database: str
    expectations: dict[str, expected.Entity] = field(repr=False)


def run_exporter(*arguments: object) -> str:
    """The standard output of the command line, which must succeed."""
    done = subprocess.run([EXPORTER, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def export(uri: str, name: str, directory: Path) -> Exported:
    """Makes the variant of the database of `uri`, computes what must come out, and exports it."""
    variant = VARIANTS[name]
    settings = directory / "exporter.toml"
    with psycopg.connect(uri, autocommit=True) as connection:
        variant.make(connection)
        expectations.compute(connection, zone=variant.zone)
        entities = expected.load(connection)
        settings.write_text(rename(connection) if variant.renamed else "", encoding="utf-8")
        source.mislead(connection)
        database = connection.info.dbname
    options = ("--source", uri, "--output", directory, "--config", settings, "--timezone", variant.zone)
    printed = run_exporter("export", *options, *variant.options)
    return Exported(Path(printed.splitlines()[-1]), database, entities)


@pytest.fixture(scope="module", params=VARIANTS)
def exported(
    request: pytest.FixtureRequest, postgres: str, dirty_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Exported:
    """An export of each variant."""
    name = f"dirty: {request.param}"
    empty = VARIANTS[request.param].empty
    uri = create_database(postgres, name) if empty else copy_database(dirty_database, name)
    return export(uri, request.param, tmp_path_factory.mktemp("output"))


@pytest.fixture(scope="module")
def graph(exported: Exported, neo4j_home: Neo4jHome, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The Bolt URI of a running Neo4j with the export imported by scripts/import.sh."""
    directory = tmp_path_factory.mktemp("neo4j")
    conf = configure(directory)
    command = [ROOT / "scripts" / "import.sh", exported.directory]
    done = subprocess.run(command, env=environment(neo4j_home, conf), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with serve(neo4j_home, directory) as server:
        yield server.bolt_uri


@pytest.mark.parametrize("exported", ["as found"], indirect=True)
def test_the_dirty_source_holds_every_reject_reason(exported: Exported) -> None:
    """Otherwise the comparisons below would prove less than they seem to."""
    found: dict[str, set[str]] = {"node": set(), "relationship": set()}
    for entity in exported.expectations.values():
        found[entity.kind] |= entity.reasons().keys()
    assert found == {"node": NODE_REASONS, "relationship": RELATIONSHIP_REASONS}
    assert all(entity.exported for entity in exported.expectations.values())


def test_every_row_and_reject_is_as_the_rules_say(exported: Exported) -> None:
    """Entity by entity: headers, keys, every property's type and text, every line of the rejects."""
    assert export_differences(exported.directory, exported.expectations) == []


def test_the_manifest_accounts_for_every_row(exported: Exported) -> None:
    """Counts, sums, files, digests, modes and names are the contract's, and `verify` finds nothing."""
    model = run_exporter("model", "--format", "json")
    assert manifest_differences(exported.directory, exported.expectations, exported.database, model) == []
    run_exporter("verify", exported.directory)


@pytest.mark.parametrize("exported", ["as found"], indirect=True)
def test_every_property_arrives_in_neo4j(exported: Exported, graph: str) -> None:
    """Type and value of every property of every node and relationship, by way of the real import and Bolt."""
    with neo4j.GraphDatabase.driver(graph) as driver:
        assert graph_differences(driver, exported.expectations) == []
    run_exporter("verify", exported.directory, "--bolt", graph)
