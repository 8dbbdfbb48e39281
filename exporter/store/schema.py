"""The schema of an export, its constraints and indexes, applied to a running Neo4j."""

import neo4j
from neo4j.exceptions import DriverError, Neo4jError

from exporter.errors import RunError
from exporter.store.bolt import error_code

_INDEX_SECONDS = 600


def apply_schema(bolt_uri: str, schema_cypher: str, auth: tuple[str, str] | None = None) -> None:
    """Runs the statements of a schema.cypher, one per line, and waits until every index is online.

    Raises `RunError`, which names the statement, if the server refuses one.
    """
    statement = ""
    try:
        with neo4j.GraphDatabase.driver(bolt_uri, auth=auth) as driver:
            for line in schema_cypher.splitlines():
                statement = line.removesuffix(";")
                driver.execute_query(statement)
            statement = f"CALL db.awaitIndexes({_INDEX_SECONDS})"
            driver.execute_query(statement)
            statement = "SHOW INDEXES YIELD name, state WHERE state <> 'ONLINE' RETURN name"
            failed = [record["name"] for record in driver.execute_query(statement).records]
    except (DriverError, Neo4jError) as error:
        raise RunError(f"Neo4j refused a statement of the schema ({error_code(error)}): {statement}") from None
    if failed:
        raise RunError(f"these indexes did not come online: {', '.join(failed)}; see Neo4j's debug.log")
