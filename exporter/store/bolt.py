"""The driver's errors, as codes and sentences that may be shown."""

from neo4j.exceptions import AuthError, DriverError, Neo4jError

_SECURITY = "Neo.ClientError.Security."
_REFUSALS = {
    f"{_SECURITY}CredentialsExpired": "Neo4j lets this user do nothing but change the password, as with the first one "
    "(ALTER CURRENT USER SET PASSWORD FROM 'old' TO 'new' on the database system): do that, then run this again",
    f"{_SECURITY}AuthenticationRateLimit": "Neo4j refuses every login of this user for some seconds, after too many "
    "wrong passwords: wait, then {login}",
    f"{_SECURITY}TokenExpired": "the login has expired: {login}",
}


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
