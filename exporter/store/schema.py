"""The schema of an export, its constraints and indexes, applied to a running Neo4j."""

from contextlib import suppress

import neo4j
from neo4j.exceptions import ClientError, DriverError, Neo4jError

from exporter.errors import RunError
from exporter.store.bolt import error_code, query_rows

_AWAIT = "CALL db.awaitIndexes(3600)"


def apply_schema(bolt_uri: str, schema_cypher: str, auth: tuple[str, str] | None = None) -> None:
    """Runs the statements of a schema.cypher, one per line, and waits until every index is online; a comment line says
    why an index was left out.

    Raises `RunError`, which names the statement that the server refuses, or the indexes that did not come online.
    """
    lines = [line.removesuffix(";") for line in schema_cypher.splitlines() if not line.startswith("//")]
    statement = ""
    try:
        with neo4j.GraphDatabase.driver(bolt_uri, auth=auth) as driver:
            for statement in lines:
                if statement != _AWAIT:
                    query_rows(driver, neo4j.Query(statement))
            statement = _AWAIT
            with suppress(ClientError):  # which does not name the index that failed
                query_rows(driver, neo4j.Query(statement))
            statement = "SHOW INDEXES YIELD name, state WHERE state <> 'ONLINE' RETURN name"
            failed = [record["name"] for record in query_rows(driver, neo4j.Query(statement))]
    except (DriverError, Neo4jError) as error:
        raise RunError(f"Neo4j refused a statement of the schema ({error_code(error)}): {statement}") from None
    if failed:
        raise RunError(f"these indexes did not come online: {', '.join(sorted(failed))}; see Neo4j's debug.log")
