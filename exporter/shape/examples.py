"""A few rejects of each kind, chosen where they are made. Loads no Polars: the leader needs none."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from exporter.model.tables import ends, node, tables
from exporter.model.vocabulary import IdRule, Pii

if TYPE_CHECKING:
    import polars as pl

EXAMPLES = 3
LONGEST = 60


@dataclass(frozen=True, slots=True)
class Example:
    """A reject as the report shows it. `value` is None for a null, and the mark (`phone`) of what is `masked`."""

    reason: str
    column: str
    key: str | None
    value: str | None
    masked: bool
    references: str | None


def examples(rejects: pl.DataFrame) -> tuple[Example, ...]:
    """The first few rejects of each reason and column, from a frame of them with the columns of the reject files."""
    few = rejects.group_by("reason", "column", maintain_order=True).head(EXAMPLES)
    return tuple(
        example(reason, table, column, key, value, references)
        for reason, table, column, key, value, references in few.select(
            "reason", "table", "column", "key", "value", "references"
        ).iter_rows()
    )


def example(
    reason: str, table: str, column: str, key: str | None, value: str | None, references: str | None
) -> Example:
    """A reject without the personal data in it: what the model marks never leaves the worker."""
    pii = next((pii_columns(table)[part] for part in column.split(":") if part in pii_columns(table)), None)
    if pii and value is not None:
        return Example(reason, column, shortened(key), pii, True, references)
    return Example(reason, column, shortened(key), shortened(value), False, references)


def shortened(text: str | None) -> str | None:
    return text if text is None or len(text) <= LONGEST else f"{text[:LONGEST]}…"


def gathered(found: Iterable[tuple[str, tuple[Example, ...]]]) -> dict[str, list[Example]]:
    """The first few examples of each reason and column by entity, of all that its chunks found."""
    kept: dict[str, list[Example]] = defaultdict(list)
    seen: Counter[tuple[str, str, str]] = Counter()
    for entity, few in found:
        for each in few:
            seen[entity, each.reason, each.column] += 1
            if seen[entity, each.reason, each.column] <= EXAMPLES:
                kept[entity].append(each)
    return kept


@cache
def pii_columns(table: str) -> dict[str, Pii]:
    """The columns of a table that hold personal data: those of marked properties, and those that a link by such a
    value goes by."""
    [found] = [each for each in tables() if each.name == table]
    marked_columns = {prop.name: prop.pii for prop in found.node.properties if prop.pii} if found.node else {}
    for relationship in found.relationships:
        for label, reference in ends(relationship):
            if link := reference.by_value:
                owned = {prop.name: prop.pii for prop in node(label).properties}
                pii = owned.get(link.owner_column) or (Pii.PHONE if link.id_rule is IdRule.PHONE else None)
                if pii:
                    marked_columns[link.column] = pii
    return marked_columns
