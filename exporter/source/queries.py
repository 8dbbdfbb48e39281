"""The plan's queries, and the address that they go to, as plain data that is sent to the workers."""

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from exporter.model.vocabulary import IdRule


@dataclass(frozen=True, slots=True)
class Address:
    """Where and how the leader is connected: enough for a worker to connect in the same way, or more strictly.

    It reaches the workers pickled through a pipe, so that its password is in no command line and no environment. Each
    reader's application name is `application` and its process id.
    """

    server: str
    query: dict[str, str]
    application: str

    def of_reader(self, process_id: int) -> str:
        """The URI by which one worker connects."""
        name = f"{self.application} {process_id}".replace(" ", "\\ ")
        query = self.query | {"options": f"{self.query['options']} -c application_name={name}"}
        return f"{self.server}?{urlencode(query, quote_via=quote)}"

    def __repr__(self) -> str:
        return "Address(…)"


@dataclass(frozen=True, slots=True)
class TableQueries:
    """The queries of one table, one for each chunk, whose frames (model/frame.py) together hold each row once.

    `fallback` has a query for the same chunk in the same position, for where a datetime or date in it is
    unrepresentable. `bytes` is the size of the whole table.
    """

    table: str
    queries: tuple[str, ...]
    fallback: tuple[str, ...]
    bytes: int


@dataclass(frozen=True, slots=True)
class KeyQueries:
    """The queries of a label's key set; `low` and `high` are its least and greatest key where keys are integers.

    Where `gathered`, each query returns one row with an array of all its keys, or null where there are none. `bytes` is
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
    """The queries of a label's (key, value) rows, for links by value; rows that lose their key are not among them."""

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
