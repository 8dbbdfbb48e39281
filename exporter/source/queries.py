"""What is read, and from where: the plan's queries as plain data that goes to the workers."""

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from exporter.model.vocabulary import IdRule


@dataclass(frozen=True, slots=True)
class Address:
    """Where and how the leader is connected: enough for a worker to connect in the same way, or more strictly.

    Pickled to workers through a pipe; the password is in no command line and no environment. Each reader names itself
    to the server by `application` and its process id.
    """

    server: str
    query: dict[str, str]
    application: str

    def of_reader(self, process_id: int) -> str:
        """The URI for the reads of one worker."""
        name = f"{self.application} {process_id}".replace(" ", "\\ ")
        query = self.query | {"options": f"{self.query['options']} -c application_name={name}"}
        return f"{self.server}?{urlencode(query, quote_via=quote)}"

    def __repr__(self) -> str:
        return "Address(…)"


@dataclass(frozen=True, slots=True)
class TableQueries:
    """All reads of one table: a query a chunk, numbered from 1, whose frames together hold each row once.

    `fallback` reads the same chunks where a datetime or date in them is unrepresentable (model/frame.py).
    """

    table: str
    queries: tuple[str, ...]
    fallback: tuple[str, ...]
    bytes: int


@dataclass(frozen=True, slots=True)
class KeyQueries:
    """The reads of a label's key set; `low` and `high` bound integer keys where the server can tell them.

    `gathered`: each query gives all its keys as one array, or null where there are none. `bytes`: of the whole table.
    """

    label: str
    queries: tuple[str, ...]
    gathered: bool
    low: int | None
    high: int | None
    bytes: int


@dataclass(frozen=True, slots=True)
class ValueQueries:
    """The reads of a label's (key, value) rows for links by value; only winners are among them."""

    label: str
    column: str
    id_rule: IdRule
    queries: tuple[str, ...]
    bytes: int


@dataclass(frozen=True, slots=True)
class DuplicateQuery:
    """The read that finds the rows of a table that lose their key to another row."""

    table: str
    query: str
    bytes: int


@dataclass(frozen=True, slots=True)
class IndexQueries:
    """Everything that is read before the first row is shaped."""

    keys: tuple[KeyQueries, ...]
    values: tuple[ValueQueries, ...]
    duplicates: tuple[DuplicateQuery, ...]
