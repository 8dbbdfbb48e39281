"""What a manifest says of each label and pattern."""

from dataclasses import dataclass

from exporter.model.vocabulary import Entity, Node
from exporter.sink import layout
from exporter.sink.tally import Tally, rows_left_out


@dataclass(frozen=True, slots=True)
class NodeEntry:
    """A label: its nodes, their non-null property values in total and by property, its rejects by reason, and the rows
    of its table that are outside of the window, if the export is one."""

    label: str
    table: str
    rows: int
    properties: int
    property_counts: dict[str, int]
    rejects: dict[str, int]
    outside_window: int = 0

    @property
    def name(self) -> str:
        """As in folders and headers: AuthUser."""
        return self.label

    @property
    def pattern(self) -> str:
        """As in messages, which for a label is the same."""
        return self.label

    @property
    def folder(self) -> str:
        """The folder of its data files, and below rejects/ of its reject files."""
        return f"{layout.NODES}/{self.name}"

    @property
    def table_rows(self) -> int:
        """The rows of its table in the snapshot (contract.md: every row is accounted for)."""
        return self.rows + rows_left_out(self.rejects) + self.outside_window


@dataclass(frozen=True, slots=True)
class RelationshipEntry:
    """A pattern, with the same numbers; `no_target` counts the rows without a target."""

    start: str
    type: str
    end: str
    table: str
    rows: int
    properties: int
    property_counts: dict[str, int]
    no_target: int
    rejects: dict[str, int]
    outside_window: int = 0

    @property
    def name(self) -> str:
        """As in folders and headers: Customer-HAS_AUTH-AuthUser."""
        return f"{self.start}-{self.type}-{self.end}"

    @property
    def pattern(self) -> str:
        """As in messages: (Customer)-[HAS_AUTH]->(AuthUser)."""
        return f"({self.start})-[{self.type}]->({self.end})"

    @property
    def folder(self) -> str:
        """The folder of its data files, and below rejects/ of its reject files."""
        return f"{layout.RELATIONSHIPS}/{self.name}"

    @property
    def table_rows(self) -> int:
        """The rows of its table in the snapshot."""
        return self.rows + self.no_target + rows_left_out(self.rejects) + self.outside_window


EntityEntry = NodeEntry | RelationshipEntry


def entry(entity: Entity, tally: Tally) -> EntityEntry:
    """The entry of a label or pattern. A label's key counts as a property; a pair and both ends of a pattern do not."""
    keys = entity.key_properties if isinstance(entity, Node) else ()
    values = {prop.name: tally.values[prop.name] for prop in (*keys, *entity.properties)}
    properties, rejects = sum(values.values()), dict(sorted(tally.rejects.items()))
    if isinstance(entity, Node):
        return NodeEntry(entity.label, entity.table, tally.rows, properties, values, rejects, tally.outside)
    return RelationshipEntry(
        entity.start, entity.type, entity.end, entity.table, tally.rows, properties, values, tally.no_target, rejects,
        tally.outside,
    )  # fmt: skip
