"""The plan's queries, and the address to send them to, as plain data for the workers."""

from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode

from exporter.model.vocabulary import IdRule

# Tables are read as they are stored: an index that is no longer true (after a collation's update, or a failed build)
# would lose rows silently.
NO_INDEXES = " ".join(f"-c enable_{scan}=off" for scan in ("indexscan", "indexonlyscan", "bitmapscan"))
# A setting that no role, database or server has: a session without its value is one without our `options=`.
MARK = "exporter.session"


@dataclass(frozen=True, slots=True)
class Address:
    """Where and how the leader is connected, so that a worker can connect in the same way, or more strictly. `mark` is
    what proves that a session has the leader's settings.

    Workers receive it pickled through a pipe, so that the password is in no command line or environment. A reader's
    application name is `application` and its process id.
    """

    server: str
    query: dict[str, str]
    application: str
    mark: str

    def of_reader(self, process_id: int) -> str:
        """The URI with which a worker connects."""
        name = f"{self.application} {process_id}".replace(" ", "\\ ")
        query = self.query | {"options": f"{self.query['options']} -c application_name={name}"}
        return f"{self.server}?{urlencode(query, quote_via=quote)}"

    def without_indexes(self) -> "Address":
        """The same address for sessions that read tables, never indexes."""
        return replace(self, query=self.query | {"options": f"{self.query['options']} {NO_INDEXES}"})

    def marked(self, query: str) -> str:
        """A query that fails, or has no rows, in a session without our `options=`."""
        return f"select * from ({query}) marked where current_setting('{MARK}') = '{self.mark}'"

    def __repr__(self) -> str:
        return "Address(…)"


@dataclass(frozen=True, slots=True)
class TableQueries:
    """The queries of one table, one for each chunk, whose frames (model/frame.py) together hold each row once.

    `fallback` has, at the same position, a query for the same chunk, used if a datetime or date in it is
    unrepresentable. `bytes` is the size of the whole table.
    """

    table: str
    queries: tuple[str, ...]
    fallback: tuple[str, ...]
    bytes: int


@dataclass(frozen=True, slots=True)
class KeyQueries:
    """The queries of a label's key set; `low` and `high` are its least and greatest key if keys are integers.

    If `gathered`, each query returns one row with an array of all its keys, or null if there are none. `bytes` is
    the size of the whole table.
    """

    label: str
    queries: tuple[str, ...]
    gathered: bool
    low: int | None
    high: int | None
    bytes: int


@dataclass(frozen=True, slots=True)
class ValueQueries:
    """The queries of a label's (key, value) rows, for links by value, without rows that lose their key."""

    label: str
    column: str
    id_rule: IdRule
    queries: tuple[str, ...]
    bytes: int


@dataclass(frozen=True, slots=True)
class DuplicateQuery:
    """The query for the row ids of a table's duplicates: rows that lose their key to another row."""

    table: str
    query: str
    bytes: int


# What reads a part of the key index.
IndexQuery = KeyQueries | ValueQueries | DuplicateQuery
