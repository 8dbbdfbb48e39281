"""Planners, and the plan of a whole run, which makes it in two steps."""

from dataclasses import dataclass

from exporter.source.catalog import Size, read_catalog
from exporter.source.chunks import Chunker
from exporter.source.connection import Connection
from exporter.source.leader import Source
from exporter.source.mapping import NameMapping
from exporter.source.plan import Planner
from exporter.source.queries import DuplicateQuery, IndexQuery, KeyQueries, TableQueries, ValueQueries


@dataclass(frozen=True, slots=True)
class Plan:
    """All queries of a run."""

    tables: tuple[TableQueries, ...]
    index: list[IndexQuery]

    @property
    def keys(self) -> list[KeyQueries]:
        return [query for query in self.index if isinstance(query, KeyQueries)]

    @property
    def values(self) -> list[ValueQueries]:
        return [query for query in self.index if isinstance(query, ValueQueries)]

    @property
    def duplicates(self) -> list[DuplicateQuery]:
        return [query for query in self.index if isinstance(query, DuplicateQuery)]


def plan_of(planner: Planner) -> Plan:
    """All queries that a planner composes."""
    return Plan(planner.table_queries(), planner.index_queries())


def planner_of(
    leader: Connection,
    *,
    timezone: str = "UTC",
    chunk_bytes: int = 1 << 30,
    mapping: NameMapping | None = None,
    sizes: dict[str, Size] | None = None,
) -> Planner:
    """A planner for the source of a connection, some tables of which have other `sizes`."""
    mapping = mapping or NameMapping()
    checked = Source(leader, mapping, read_catalog(leader, mapping.schemas()))
    chunker = Chunker(leader, checked.sizes() | (sizes or {}), checked.count_views(), chunk_bytes)
    return Planner(checked, timezone, chunker)
