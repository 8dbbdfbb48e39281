"""Queries that a signal ends at once, and the driver's errors, as codes and sentences that may be shown."""

import time

import neo4j
from neo4j.exceptions import AuthError, DriverError, Neo4jError

# As long as the driver's own functions.
_RETRY_SECONDS = 30
_PAUSE_SECONDS = 1

_SECURITY = "Neo.ClientError.Security."
_REFUSALS = {
    f"{_SECURITY}CredentialsExpired": "Neo4j lets this user do nothing but change the password, as with the first one "
    "(ALTER CURRENT USER SET PASSWORD FROM 'old' TO 'new' on the database system): do that, then run this again",
    f"{_SECURITY}AuthenticationRateLimit": "Neo4j refuses every login of this user for some seconds, after too many "
    "wrong passwords: wait, then {login}",
    f"{_SECURITY}TokenExpired": "the login has expired: {login}",
}


def query_rows(
    driver: neo4j.Driver, query: neo4j.Query, *, database: str | None = None, access: str = neo4j.WRITE_ACCESS
) -> list[neo4j.Record]:
    """The rows of a query, which is repeated for some time if the error is a passing one. Raises the driver's errors.

    After an error or a signal the session stays open: as it closes, it waits for its query, and so do the driver's own
    functions. The driver's end stops both.
    """
    deadline = time.monotonic() + _RETRY_SECONDS
    while True:
        session = driver.session(database=database, default_access_mode=access)
        try:
            rows = list(session.run(query))
            session.close()
            return rows
        except (DriverError, Neo4jError) as error:
            if not error.is_retryable() or time.monotonic() > deadline:
                raise
        time.sleep(_PAUSE_SECONDS)


def error_code(error: DriverError | Neo4jError) -> str:
    """`Neo.ClientError.…`, or the type of a driver's error. Their messages may quote the graph or an address with a
    password, so they are never passed on."""
    return (error.code if isinstance(error, Neo4jError) else None) or type(error).__name__


def login_refusal(error: DriverError | Neo4jError, *, user_from: str = "--user (or NEO4J_USERNAME)") -> str | None:
    """Why the server refused the login and what to do, as a sentence; None if the error is about something else.
    `user_from` is what sets the user."""
    login = f"give the user with {user_from} and the password in NEO4J_PASSWORD"
    if refusal := _REFUSALS.get(error_code(error)):
        return refusal.format(login=login)
    return f"Neo4j refused the user or the password: {login}" if isinstance(error, AuthError) else None
