"""The main job on the sample: source, export, a real import, a real server, the five queries; and what a window is."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import neo4j
import psycopg
import pytest
from psycopg import sql

from exporter.model.graph import NODES
from exporter.model.sample_queries import QUERIES
from exporter.model.vocabulary import IdRule, Type
from exporter.sample.answers import answer_from_graph, answer_from_source, differences, parameters
from exporter.store.configuration import configure, environment
from exporter.store.provision import Neo4jHome
from exporter.store.schema import apply_schema
from exporter.store.server import serve
from tests.oracle.reading import read_fields, read_header, read_import_args
from tests.oracle.window import entities_of
from tests.support.stalling_source import copied

EXPORTER = Path(sys.executable).with_name("exporter")
DAYS = ("--since=2026-11-21", "--until=2026-11-22T12:00Z")


@dataclass(frozen=True, slots=True)
class Imported:
    """An export, and the Bolt URI of the Neo4j that it was imported into."""

    directory: Path
    bolt_uri: str


def exported(uri: str, output: Path, *flags: str) -> Path:
    """An export by the command line, with the source from the environment."""
    command = [EXPORTER, "export", "--output", output, *flags]
    done = subprocess.run(command, env={**os.environ, "EXPORTER_SOURCE": uri}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.splitlines()[-1])


def verify(export: Path, bolt_uri: str) -> None:
    """Compares a running Neo4j with an export; there must be no difference."""
    done = subprocess.run([EXPORTER, "verify", export, "--bolt", bolt_uri], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def imported(
    sample_database: str, each_neo4j: Neo4jHome, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Imported]:
    """The sample's export, imported into both versions."""
    output = tmp_path_factory.mktemp("out put")
    directory = exported(sample_database, output)
    assert (output / "latest").resolve() == directory.resolve()
    with imported_into(each_neo4j, tmp_path_factory.mktemp("neo4j"), directory) as done:
        yield done


@contextmanager
def imported_into(home: Neo4jHome, place: Path, export: Path) -> Iterator[Imported]:
    """An export, imported into a Neo4j of its own."""
    command = ["bash", str(export / "import.sh"), str(export)]
    subprocess.run(command, env=environment(home, configure(place)), check=True, capture_output=True)
    with serve(home, place) as server:
        apply_schema(server.bolt_uri, (export / "schema.cypher").read_text(encoding="utf-8"))
        yield Imported(export, server.bolt_uri)


def test_the_graph_answers_as_the_source(sample_database: str, imported: Imported) -> None:
    """On both versions: imported counts, every count over Bolt, and the answers of the five sample queries."""
    verify(imported.directory, imported.bolt_uri)
    with psycopg.connect(sample_database) as connection, neo4j.GraphDatabase.driver(imported.bolt_uri) as driver:
        values = parameters(connection)
        for query in QUERIES:
            expected = answer_from_source(connection, query, values)
            assert expected.rows, query.name
            assert differences(query, expected, answer_from_graph(driver, query, values)) == [], query.name
        schema = driver.execute_query("SHOW CONSTRAINTS YIELD name RETURN count(*) AS constraints").records
        indexes = driver.execute_query(
            "SHOW INDEXES YIELD owningConstraint, type WHERE owningConstraint IS NULL AND type = 'RANGE'"
            " RETURN count(*) AS indexes"
        ).records
        assert (schema[0]["constraints"], indexes[0]["indexes"]) == (32, 10)


def test_a_window_is_what_its_nodes_leave_of_the_graph(
    sample_database: str, imported: Imported, tmp_path: Path
) -> None:
    """On both versions: the graph, reduced by Cypher to a window's nodes, has exactly the window's nodes, relationships
    and properties. The last test of this graph."""
    window = exported(sample_database, tmp_path, *DAYS)
    with neo4j.GraphDatabase.driver(imported.bolt_uri) as driver:
        before = nodes_in(driver)
        reduce_to(driver, window)
        assert 0 < nodes_in(driver) < before
    verify(window, imported.bolt_uri)


def nodes_in(driver: neo4j.Driver) -> int:
    """The number of nodes in a graph."""
    return int(driver.execute_query("MATCH (n) RETURN count(n) AS nodes").records[0]["nodes"])


def reduce_to(driver: neo4j.Driver, window: Path) -> None:
    """Deletes every node that a window has not; devices first: without a key of their own, they go by their auth
    user's."""
    nodes, _ = entities_of(window)
    for node in sorted(NODES, key=lambda node: node.label != "Device"):
        texts = [id for (id,) in nodes[node.label].ids.values()]
        ids = [int(id or "") for id in texts] if node.key.type is Type.LONG else texts
        if node.key.id_rule is IdRule.PAIR:
            found = "(a:AuthUser)-[:HAS_DEVICE]->(n:Device) WITH n, toString(a.id) + ':' + n.device_id AS id"
        else:
            found = f"(n:{node.label}) WITH n, n.{node.key.columns[0]} AS id"
        driver.execute_query(f"MATCH {found} WHERE NOT id IN $ids DETACH DELETE n", ids=ids)


# What the sample queries find or show, and is masked.
SHOWN = {"Customer": "phone_number", "AuthUser": "phone_number", "Guide": "full_name"}


def test_a_masked_window_answers_as_its_rows(sample_database: str, neo4j_home: Neo4jHome, tmp_path: Path) -> None:
    """The five sample queries, the first by the token of a phone, as SQL on a source that has nothing
    but the rows of the window, masked."""
    plain = exported(sample_database, tmp_path / "plain", *DAYS)
    masked = exported(sample_database, tmp_path / "masked", *DAYS, "--redact=analyst")
    with (
        copied(sample_database, "windowed") as uri,
        imported_into(neo4j_home, tmp_path / "neo4j", masked) as imported,
        psycopg.connect(uri) as connection,
        neo4j.GraphDatabase.driver(imported.bolt_uri) as driver,
    ):
        keep_rows(connection, plain)
        mask_rows(connection, masked)
        values = parameters(connection)
        assert re.fullmatch("[0-9a-f]{32}", str(values["phone"]))
        for query in QUERIES:
            expected = answer_from_source(connection, query, values)
            assert expected.rows, query.name
            assert differences(query, expected, answer_from_graph(driver, query, values)) == [], query.name


def keep_rows(connection: psycopg.Connection, window: Path) -> None:
    """Deletes every row of the source that is no node of an unmasked window; devices go by their auth user's."""
    nodes, _ = entities_of(window)
    connection.execute("set session_replication_role = replica")  # in any order, whatever refers to a row
    for node in NODES:
        if node.key.id_rule is not IdRule.PAIR:
            delete = sql.SQL("delete from {} where {}::text not in (select unnest(%s::text[]))").format(
                sql.Identifier(*node.table.split(".")), sql.Identifier(node.key.columns[0])
            )
            connection.execute(delete, [[id for (id,) in nodes[node.label].ids.values()]])


def mask_rows(connection: psycopg.Connection, masked: Path) -> None:
    """Gives the rows of the source the masked values that the sample queries show."""
    files = read_import_args(masked).nodes
    for node in NODES:
        if name := SHOWN.get(node.label):
            header, *data = files[node.label]
            place = [column.name for column in read_header(header)].index(name)
            rows = [(fields[0][0], fields[place][0]) for path in data for fields in read_fields(path)]
            update = sql.SQL(
                "update {} set {} = value from unnest(%s::bigint[], %s::text[]) new (own, value) where {} = own"
            ).format(sql.Identifier(*node.table.split(".")), sql.Identifier(name), sql.Identifier(node.key.columns[0]))
            connection.execute(update, [list(column) for column in zip(*rows, strict=True)])
