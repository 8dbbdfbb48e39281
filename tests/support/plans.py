"""The plan of a whole run, which makes it in two steps."""

from dataclasses import dataclass

from exporter.source.plan import Planner
from exporter.source.queries import DuplicateQuery, KeyQueries, TableQueries, ValueQueries


@dataclass(frozen=True, slots=True)
class Plan:
    """All queries of a run."""

    tables: tuple[TableQueries, ...]
    keys: tuple[KeyQueries, ...]
    values: tuple[ValueQueries, ...]
    duplicates: tuple[DuplicateQuery, ...]


def plan_of(planner: Planner) -> Plan:
    """All queries that a planner composes."""
    index_queries = planner.index_queries()
    return Plan(planner.table_queries(), index_queries.keys, index_queries.values, index_queries.duplicates)
