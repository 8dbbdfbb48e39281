"""The way of texts: a source, an export of it, a real import into a real Neo4j, and what that says over Bolt."""

import os
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import neo4j

from exporter.sample.postgres import create_database, embedded_postgres
from exporter.store.configuration import configure, environment
from exporter.store.provision import Neo4jHome, default_cache, provision
from exporter.store.schema import apply_schema
from exporter.store.server import serve
from tests.faults.text_source import Check, Expected, Key, Rejects, fill
from tests.faults.texts import Content
from tests.oracle.reading import FormError, read_rejects
from tests.support.export_process import EXPORTER
from tests.support.quick_java import quick_java, with_archive

SHOWN = 200


@dataclass(frozen=True, slots=True)
class TextGraph:
    """A graph of texts in a running Neo4j, the export that it came from, and what both have to hold."""

    home: Neo4jHome
    driver: neo4j.Driver
    bolt_uri: str
    export: Path
    expected: Expected


@contextmanager
def text_graph(content: Content, directory: Path, home: Neo4jHome | None) -> Iterator[TextGraph]:
    """The graph of some texts while the block runs; without a `home`, in the Neo4j that the demo brings along."""
    with embedded_postgres() as server:
        uri = create_database(server, "texts")
        expected = fill(uri, content)
        export = exported(uri, directory / "output")
    home = home or neo4j_home(directory)
    with graph_of(export, directory / "neo4j", home) as bolt_uri:
        apply_schema(bolt_uri, (export / "schema.cypher").read_text(encoding="utf-8"))
        with neo4j.GraphDatabase.driver(bolt_uri) as driver:
            yield TextGraph(home, driver, bolt_uri, export, expected)


def exported(uri: str, output: Path, *options: str) -> Path:
    """A new export of a source."""
    command = [str(EXPORTER), "export", "--quiet", "--output", str(output), *options]
    done = subprocess.run(
        command, env=os.environ | {"EXPORTER_SOURCE": uri}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.splitlines()[-1])


@contextmanager
def graph_of(export: Path, place: Path, home: Neo4jHome) -> Iterator[str]:
    """The address of a Neo4j with an export in it, in a new directory."""
    done = imported(export, place, home)
    assert done.returncode == 0, done.stderr
    with serve(home, place) as server:
        yield server.bolt_uri


def imported(export: Path, place: Path, home: Neo4jHome, *options: str) -> "subprocess.CompletedProcess[str]":
    """The import of an export, by the script in it."""
    command = ["bash", str(export / "import.sh"), *options, str(export)]
    variables = environment(home, configure(place)) | {"TMPDIR": str(place)}
    return subprocess.run(command, env=variables, capture_output=True, text=True, errors="replace", check=False)


def neo4j_home(directory: Path) -> Neo4jHome:
    """The Neo4j of NEO4J_HOME or of the demo, as tests start it."""
    os.environ.update(quick_java())
    cache = Path(os.environ.get("EXPORTER_TEST_CACHE") or default_cache())
    (directory / "java").mkdir(exist_ok=True)
    return with_archive(provision(cache, print), cache, directory / "java")


def cell_differences(graph: TextGraph, check: Check, keys: Sequence[Key]) -> str:
    """What the graph says of these keys other than it has to, in one line; nothing if they agree."""
    records = graph.driver.execute_query(check.query, keys=keys).records
    found = Counter((key, tuple(values)) for key, *values in records)
    wanted = Counter((key, row) for key in keys if (row := check.expected[key]) is not None)
    return in_a_line(wanted, found)


def reject_differences(graph: TextGraph, rejects: Rejects) -> str:
    """What an entity's reject files say other than they have to, in one line; nothing if they agree."""
    folder = graph.export / "rejects" / "relationships" / rejects.entity
    try:
        found = Counter((line.reason, line.key, line.value) for line in read_rejects(folder).elements())
    except FormError as error:
        return ascii(error)
    return in_a_line(rejects.expected, found)


def in_a_line(wanted: "Counter[Any]", found: "Counter[Any]") -> str:
    """How the first things differ that two have not in common, escaped."""
    missing, extra = wanted - found, found - wanted
    if not missing and not extra:
        return ""
    shown = [f"{name} {ascii(row)[:SHOWN]}" for name, rows in (("missing", missing), ("found", extra))
             for row in islice(rows, 2)]  # fmt: skip
    return f"{missing.total()} missing, {extra.total()} unexpected: {'; '.join(shown)}"


def count_differences(graph: TextGraph) -> str:
    """What `exporter verify` says against the graph."""
    command = [str(EXPORTER), "verify", str(graph.export), "--bolt", graph.bolt_uri]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return f"verify says {done.returncode}: {done.stdout}{done.stderr}" if done.returncode else ""
