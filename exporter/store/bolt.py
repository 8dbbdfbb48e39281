"""The driver's errors, as codes that may be shown."""

from neo4j.exceptions import DriverError, Neo4jError


def error_code(error: DriverError | Neo4jError) -> str:
    """`Neo.ClientError.…`, or the type of a driver's error. Their messages may quote the graph or an address with a
    password, so they are never passed on."""
    return (error.code if isinstance(error, Neo4jError) else None) or type(error).__name__
