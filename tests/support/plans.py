"""The plan of a whole run, which makes it in two steps."""

from dataclasses import dataclass

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
