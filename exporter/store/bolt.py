"""What the driver raises, as a code that may be shown."""

from neo4j.exceptions import DriverError, Neo4jError


def error_code(error: DriverError | Neo4jError) -> str:
    """`Neo.ClientError.…`, or the kind of a driver's error. The sentence of either may quote the graph or an address
    with a password, so it is never passed on."""
    return (error.code if isinstance(error, Neo4jError) else None) or type(error).__name__
