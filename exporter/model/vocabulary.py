"""The words in which the graph is declared: property types, ID rules, references, nodes, relationships, the graph."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial

from exporter.model.treatments import PrivacyClass, Treatment


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
    """A node or relationship property, named after its column."""

    type: Type
    name: str
    pii: Pii | None = None


@dataclass(frozen=True, slots=True)
class Constant:
    """A string property with the same value on every relationship.

    `by_value`, if set, is the value on relationships that were linked by value because no node has the key.
    """

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
    PAIR = "pair"  # Device: an integer ID, a colon, a text taken verbatim
    CODE = "code"  # Links by value: trimmed text, none where blank
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
    """Which of several rows with one key is the node: latest first non-null of `columns`, then highest `tiebreaker`."""

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
    def name(self) -> str:
        """The name of its folder and header: AuthUser."""
        return self.label

    @property
    def key_properties(self) -> tuple[Property, ...]:
        """The key as a property; none where it is a pair."""
        return (Property(self.key.type, self.key.columns[0]),) if len(self.key.columns) == 1 else ()


@dataclass(frozen=True, slots=True)
class ByValue:
    """A link by value: the node whose `owner_column` equals the row's `column`, both read by `id_rule`.

    An `exclusive` link also requires that no other exported row of the same table has the value.
    """

    column: str
    owner_column: str
    id_rule: IdRule
    exclusive: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a relationship's start or end comes from.

    `columns` hold the label's key, read by its ID rule unless `id_rule` says otherwise. A null in the column `optional`
    means that the row has no target. `by_value` finds the node by another value: always if there are no `columns`, else
    only if no node has the key.
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
        """The name of its folder and header, such as Customer-HAS_AUTH-AuthUser."""
        return f"{self.start}-{self.type}-{self.end}"


Entity = Node | Relationship


@dataclass(frozen=True, slots=True)
class Group:
    """A heading of the declaration: the labels below it, and the join tables that belong to it.

    The rows of a join table are not nodes; each makes a relationship. It is imported before the tables of the labels.
    """

    name: str
    nodes: tuple[Node, ...]
    join_tables: tuple[str, ...] = ()

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the group's tables, in import order."""
        return (*self.join_tables, *(node.table for node in self.nodes))


@dataclass(frozen=True, slots=True, eq=False)  # hashed by identity, since what derives from a graph is cached
class Graph:
    """A whole declaration.

    `indexes` are (label, property) pairs; `skipped_tables` are known and not exported; `privacy` maps every property
    (`Label.property` or `Start-TYPE-End.property`) to its class, and `treatments` those whose class does not say what
    a masked copy does with them.
    """

    groups: tuple[Group, ...]
    relationships: tuple[Relationship, ...]
    indexes: tuple[tuple[str, str], ...] = ()
    skipped_tables: frozenset[str] = frozenset()
    privacy: Mapping[str, PrivacyClass] = field(default_factory=dict)
    treatments: Mapping[str, Treatment] = field(default_factory=dict)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Every label, in import order."""
        return tuple(node for group in self.groups for node in group.nodes)


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
    """A reference that has no target where the last column is null."""
    return Reference(columns, optional=columns[-1])


# Properties, by their name and what personal data they hold.
long = partial(Property, Type.LONG)
double = partial(Property, Type.DOUBLE)
boolean = partial(Property, Type.BOOLEAN)
datetime = partial(Property, Type.DATETIME)
date = partial(Property, Type.DATE)
localtime = partial(Property, Type.LOCALTIME)
string = partial(Property, Type.STRING)
