"""The schema of an export, its constraints and indexes, applied to a running Neo4j."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import neo4j
from neo4j.exceptions import ClientError, DriverError, Neo4jError

from exporter.errors import RunError
from exporter.store.bolt import error_code, query_rows

AWAIT = "CALL db.awaitIndexes(3600)"
Rows = list[neo4j.Record]


def apply_schema(bolt_uri: str, schema_cypher: str, auth: tuple[str, str] | None = None) -> None:
    """Creates the schema of a schema.cypher and waits until every index is online. Raises as `create_schema` and
    `await_indexes` do."""
    create_schema(bolt_uri, schema_cypher, auth)
    await_indexes(bolt_uri, auth)


def create_schema(bolt_uri: str, schema_cypher: str, auth: tuple[str, str] | None = None) -> None:
    """Runs the statements of a schema.cypher, one per line, but does not wait for the indexes, which the server then
    populates; a comment line says why an index was left out.

    Raises `RunError`, which names the statement that the server refuses.
    """
    lines = [line.removesuffix(";") for line in schema_cypher.splitlines() if not line.startswith("//")]
    with refusals_named(bolt_uri, auth) as run:
        for statement in lines:
            if statement != AWAIT:
                run(statement)


def await_indexes(bolt_uri: str, auth: tuple[str, str] | None = None) -> None:
    """Waits until every index is online. Raises `RunError`, which names those that did not come online."""
    with refusals_named(bolt_uri, auth) as run:
        with suppress(ClientError):  # which does not name the index that failed
            run(AWAIT)
        failed = [row["name"] for row in run("SHOW INDEXES YIELD name, state WHERE state <> 'ONLINE' RETURN name")]
    if failed:
        raise RunError(f"these indexes did not come online: {', '.join(sorted(failed))}; see Neo4j's debug.log")


@contextmanager
def refusals_named(bolt_uri: str, auth: tuple[str, str] | None) -> Iterator[Callable[[str], Rows]]:
    """What runs a statement and returns its rows; a refusal becomes a `RunError` with the statement."""
    last = ""

    def run(statement: str) -> Rows:
        nonlocal last
        last = statement
        return query_rows(driver, neo4j.Query(statement))

    try:
        with neo4j.GraphDatabase.driver(bolt_uri, auth=auth) as driver:
            yield run
    except (DriverError, Neo4jError) as error:
        raise RunError(f"Neo4j refused a statement of the schema ({error_code(error)}): {last}") from None
