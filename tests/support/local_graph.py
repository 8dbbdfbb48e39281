"""A graph on the user's machine as the tests of `exporter local` have it: its record."""

from datetime import UTC, datetime
from pathlib import Path

from exporter.local.registry import Record
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
