"""The words in which the graph is declared: property types, ID rules, references, nodes, relationships."""

from dataclasses import dataclass
from enum import StrEnum


class Type(StrEnum):
    """A property's Neo4j import type (graph-model.md, first paragraph)."""

    LONG = "long"
    DOUBLE = "double"
    BOOLEAN = "boolean"
    DATETIME = "datetime"
    DATE = "date"
    LOCALTIME = "localtime"
    STRING = "string"


class Pii(StrEnum):
    """What kind of personal data a property holds (graph-model.md, PII marks)."""

    PHONE = "phone"
    NAME = "name"
    TEXT = "text"
    TOKEN = "token"
    IP = "ip"
    BANK = "bank"
    BIRTH = "birth"


@dataclass(frozen=True, slots=True)
class Property:
    """A node or relationship property; it has its column's name."""

    name: str
    type: Type
    pii: Pii | None = None


@dataclass(frozen=True, slots=True)
class Constant:
    """A string property with the same value on every relationship; `by_value` is that of links made by value."""

    name: str
    value: str
    by_value: str | None = None

    @property
    def type(self) -> Type:
        return Type.STRING


class IdRule(StrEnum):
    """How the text of a key or reference is read (graph-model.md, Rules)."""

    INTEGER = "integer"  # Integer IDs
    UUID = "uuid"  # UUIDs
    TEXT_AUTH_ID = "text_auth_id"  # Text auth IDs
    PAIR = "pair"  # Device: an integer ID, a colon, a text taken as it is
    CODE = "code"  # Links by value: trimmed text
    PHONE = "phone"  # Phones: the last ten ASCII digits


@dataclass(frozen=True, slots=True)
class Key:
    """A label's key: its column (two for a pair) and how it is read. Both ends of every relationship inherit it."""

    columns: tuple[str, ...]
    id_rule: IdRule

    @property
    def type(self) -> Type:
        return Type.LONG if self.id_rule is IdRule.INTEGER else Type.STRING


@dataclass(frozen=True, slots=True)
class KeepLatest:
    """Which of several rows with one key is the node: latest first non-null of `columns`, then highest `tie`."""

    columns: tuple[str, ...]
    tiebreaker: str


@dataclass(frozen=True, slots=True)
class Node:
    """A node label and the table whose rows are its nodes."""

    label: str
    table: str
    key: Key
    properties: tuple[Property, ...]
    keep_latest: KeepLatest | None = None

    @property
    def key_properties(self) -> tuple[Property, ...]:
        """The key as a property; a pair is none."""
        return () if len(self.key.columns) > 1 else (Property(self.key.columns[0], self.key.type),)


@dataclass(frozen=True, slots=True)
class ByValue:
    """A link by value: the node whose `owner_column` equals the row's `column`, both read by `grammar`.

    An `exclusive` link also asks that no other exported row of the table has the same value.
    """

    column: str
    owner_column: str
    id_rule: IdRule
    exclusive: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a relationship's start or end comes from.

    `columns` hold the label's key, read by the label's grammar unless `grammar` says otherwise. A null in `optional`
    means that the row refers to nobody. `by_value` finds the node by another value: where no `columns` are given
    always, else only when no node has the key.
    """

    columns: tuple[str, ...] = ()
    optional: str | None = None
    id_rule: IdRule | None = None
    by_value: ByValue | None = None


@dataclass(frozen=True, slots=True)
class Relationship:
    """A relationship pattern and the table each of whose rows makes at most one."""

    start: str
    type: str
    end: str
    table: str
    start_reference: Reference
    end_reference: Reference
    properties: tuple[Property | Constant, ...] = ()

    @property
    def name(self) -> str:
        """The name of its folder and header: Customer-HAS_AUTH-AuthUser."""
        return f"{self.start}-{self.type}-{self.end}"


def integer(column: str) -> Key:
    """A key of an integer ID space."""
    return Key((column,), IdRule.INTEGER)


def uuid(column: str) -> Key:
    """A key of a UUID space."""
    return Key((column,), IdRule.UUID)


def pair(first: str, second: str) -> Key:
    """A key of two columns: an integer ID and a text, written `<first>:<second>`."""
    return Key((first, second), IdRule.PAIR)


def required(*columns: str) -> Reference:
    """A reference whose null is a reject (`null_id`)."""
    return Reference(columns)


def optional(*columns: str) -> Reference:
    """A reference to nobody where the last column is null."""
    return Reference(columns, optional=columns[-1])


def long(name: str) -> Property:
    return Property(name, Type.LONG)


def double(name: str) -> Property:
    return Property(name, Type.DOUBLE)


def boolean(name: str) -> Property:
    return Property(name, Type.BOOLEAN)


def datetime(name: str) -> Property:
    return Property(name, Type.DATETIME)


def date(name: str, pii: Pii | None = None) -> Property:
    return Property(name, Type.DATE, pii)


def localtime(name: str, pii: Pii | None = None) -> Property:
    return Property(name, Type.LOCALTIME, pii)


def string(name: str, pii: Pii | None = None) -> Property:
    return Property(name, Type.STRING, pii)
