"""A whole plan at once, as a run makes it in two steps."""

from dataclasses import dataclass

from exporter.source.plan import Planner
from exporter.source.queries import KeyReads, LoserReads, TableReads, ValueReads


@dataclass(frozen=True, slots=True)
class Plan:
    """All reads of a run."""

    tables: tuple[TableReads, ...]
    keys: tuple[KeyReads, ...]
    values: tuple[ValueReads, ...]
    losers: tuple[LoserReads, ...]


def plan_of(planner: Planner) -> Plan:
    """What a planner plans."""
    census = planner.census()
    return Plan(planner.tables(), census.keys, census.values, census.losers)
