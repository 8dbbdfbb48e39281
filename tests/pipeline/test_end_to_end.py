"""The main job on the sample: source, export, a real import, a real server, the five queries."""

import os
import subprocess
import sys
from pathlib import Path

import neo4j
import psycopg

from exporter.model.sample_queries import QUERIES
from exporter.sample.answers import answer_from_graph, answer_from_source, differences, parameters
from exporter.store.configuration import configure, environment
from exporter.store.provision import Neo4jHome
from exporter.store.schema import apply_schema
from exporter.store.server import serve

EXPORTER = Path(sys.executable).with_name("exporter")


def test_the_graph_answers_as_the_source(sample_database: str, each_neo4j: Neo4jHome, tmp_path: Path) -> None:
    """On both versions: imported counts, every count over Bolt, and the answers of the five sample queries."""
    (tmp_path / "out put").mkdir()
    exported = subprocess.run(
        [EXPORTER, "export", "--output", tmp_path / "out put"],
        env={**os.environ, "EXPORTER_SOURCE": sample_database},
        check=True,
        capture_output=True,
        text=True,
    )
    directory = Path(exported.stdout.splitlines()[-1])
    assert (tmp_path / "out put" / "latest").resolve() == directory.resolve()
    directory_of_neo4j = tmp_path / "neo4j"
    command = ["bash", str(directory / "import.sh"), str(directory)]
    subprocess.run(command, env=environment(each_neo4j, configure(directory_of_neo4j)), check=True, capture_output=True)
    with serve(each_neo4j, directory_of_neo4j) as server:
        apply_schema(server.bolt_uri, (directory / "schema.cypher").read_text(encoding="utf-8"))
        verified = subprocess.run(
            [EXPORTER, "verify", directory, "--bolt", server.bolt_uri], capture_output=True, text=True
        )
        assert verified.returncode == 0, verified.stdout + verified.stderr
        with psycopg.connect(sample_database) as connection, neo4j.GraphDatabase.driver(server.bolt_uri) as driver:
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
