"""The plan's queries, and the address to send them to, as plain data for the workers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
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
    application name is `application` and its own name (heartbeats.py).
    """

    server: str
    query: dict[str, str]
    application: str
    mark: str

    def of_reader(self, name: str) -> str:
        """The URI with which the reader of this name connects."""
        name = f"{self.application} {name}".replace(" ", "\\ ")
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
class OwnAddress:
    """Instead of an address, for a worker that makes its own (own_address.py): the prefix of its application name, how
    long it waits for a lock, and of a masked copy the id of the key."""

    application: str
    lock_seconds: int
    key_id: str | None = None


# Between the texts of a group, and in place of a null among them: the two least likely in a text.
SEPARATOR, NULL = "\x01", "\x02"


class Form(Enum):
    """How a column's values are packed: the width in bytes of those that have one, and the bytes that stand for null.
    Null is no boolean, and neither infinity nor a moment of datetimes and dates; but it is an integer, the least."""

    INT16 = (2, b"\x80\x00")
    INT32 = (4, b"\x80\x00\x00\x00")
    INT64 = (8, b"\x80\x00\x00\x00\x00\x00\x00\x00")
    BOOLEAN = (1, b"\x02")
    DATETIME = (8, b"\x80\x00\x00\x00\x00\x00\x00\x01")
    DATE = (4, b"\x80\x00\x00\x01")
    # Text of 36 letters, never null.
    UUID = (36, b"")
    TEXT = (0, NULL.encode())

    @property
    def width(self) -> int:
        return self.value[0]

    @property
    def null(self) -> bytes:
        return self.value[1]


@dataclass(frozen=True, slots=True)
class PackedColumn:
    """A column of a packed query. `nullable`: nulls are possible; `unambiguous`: no text of its type holds the
    separator or is the mark of null. `absent`: every value is null, and nothing is read for it."""

    name: str
    form: Form
    nullable: bool
    unambiguous: bool = False
    absent: bool = False

    @property
    def width(self) -> int:
        """How many columns of a packed result it takes."""
        return 0 if self.absent else 1 + self.counted

    @property
    def counted(self) -> bool:
        """Whether its non-null values are counted beside it: a value may look like null, and what the catalog promises
        of nulls is proved. Values of a fixed width are proved by their bytes."""
        integers = (Form.INT16, Form.INT32, Form.INT64)
        ambiguous = self.form is Form.TEXT and not self.unambiguous
        return not self.absent and (ambiguous or (self.nullable and self.form in integers))


@dataclass(frozen=True, slots=True)
class Read:
    """How a chunk is read: by the query `packed`, whose result has these `columns`, if the source can pack its rows and
    their values allow it; else by `plain`, whose result has a row for each of them. Both give the same frame.

    The result of a `joinable` read, packed if it can be, is small and always has one row, so that others can be joined
    to it. A table is read as it is stored, a view (`of_view`) with whatever indexes it has. An error names a row by its
    columns `key`.
    """

    plain: str
    packed: str | None = None
    columns: tuple[PackedColumn, ...] = ()
    joinable: bool = False
    of_view: bool = False
    key: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """How many columns the result of a joinable read has."""
        return 1 + sum(column.width for column in self.columns)


def joint_read(reads: Sequence[Read]) -> Read:
    """One read of several joinable ones: its one row has the columns of their results, side by side."""
    parts = [f'({read.packed or read.plain}) "{number}"' for number, read in enumerate(reads)]
    query = f"select * from {', '.join(parts)}"
    return Read(plain=query, packed=query)


@dataclass(frozen=True, slots=True)
class TableQueries:
    """The reads of one table, one for each chunk, whose frames (model/frame.py) together hold each row once.

    `fallback` has, at the same position, a plain read of the same chunk, used if a datetime or date in it is
    unrepresentable. `bytes` is the size of the whole table.
    """

    table: str
    reads: tuple[Read, ...]
    fallback: tuple[Read, ...]
    bytes: int


@dataclass(frozen=True, slots=True)
class KeyQueries:
    """The reads of a label's key set; `low` and `high` are its least and greatest key if keys are integers.

    If `gathered`, each returns one row with an array of all its keys, or null if there are none. `bytes` is the size of
    the whole table.
    """

    label: str
    reads: tuple[Read, ...]
    gathered: bool
    low: int | None
    high: int | None
    bytes: int

    @property
    def subject(self) -> str:
        return f"the keys of {self.label}"


@dataclass(frozen=True, slots=True)
class ValueQueries:
    """The reads of a label's (key, value) rows, for links by value, without rows that lose their key."""

    label: str
    column: str
    id_rule: IdRule
    reads: tuple[Read, ...]
    bytes: int

    @property
    def subject(self) -> str:
        return f"the values of {self.label}.{self.column}"


@dataclass(frozen=True, slots=True)
class DuplicateQuery:
    """The read of the row ids of a table's duplicates: rows that lose their key to another row."""

    table: str
    read: Read
    bytes: int

    @property
    def reads(self) -> tuple[Read, ...]:
        return (self.read,)

    @property
    def subject(self) -> str:
        return f"the duplicates of {self.table}"


@dataclass(frozen=True, slots=True)
class LinkQuery:
    """The read of the links of one chunk of a table, of `bytes` as a whole: what a window's closure needs of its rows.
    `number` counts the table's chunks of links from 1."""

    table: str
    number: int
    read: Read
    bytes: int

    @property
    def reads(self) -> tuple[Read, ...]:
        return (self.read,)

    @property
    def subject(self) -> str:
        return f"the links of {self.table}"


@dataclass(frozen=True, slots=True)
class IdSet:
    """A set of ids by its name, and how long its texts in a query are: `listed`, an array such as `{1,2}`, or `bits`,
    hexadecimal, in which the bit at an id less the least one is set. Either is None if it is too long for a query.

    The ids themselves are not here: queries have `placeholder`s for them.
    """

    name: str
    listed: int | None = None
    bits: int | None = None


def placeholder(name: str, form: str) -> str:
    """What stands in a query for a set of ids: `form` is low, high, listed or bits. A value of the source that looked
    like this would be compared with digits, and so be nothing's equal."""
    return f"@{name} {form}@"


# What reads a part of the key index.
IndexQuery = KeyQueries | ValueQueries | DuplicateQuery
