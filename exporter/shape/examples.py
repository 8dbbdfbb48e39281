"""A few rejects of each kind, chosen where they arise. Does not load Polars: the leader needs none."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from exporter.model.tables import ends, node, tables
from exporter.model.vocabulary import Pii, Property

if TYPE_CHECKING:
    import polars as pl

EXAMPLES = 3
LONGEST = 60


@dataclass(frozen=True, slots=True)
class Example:
    """A reject as the report shows it. `value` is None for a null, and the PII mark (`phone`) if `masked`."""

    reason: str
    column: str
    key: str | None
    value: str | None
    masked: bool
    references: str | None


def examples(rejects: pl.DataFrame) -> tuple[Example, ...]:
    """The first few rejects of each reason and column, from a frame with the columns of a reject file (`REJECTS`)."""
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
    """A reject without personal data: values that the model marks never leave the worker."""
    pii = next((pii_columns(table)[part] for part in column.split(":") if part in pii_columns(table)), None)
    if pii and value is not None:
        return Example(reason, column, shortened(key), pii, True, references)
    return Example(reason, column, shortened(key), shortened(value), False, references)


def shortened(text: str | None) -> str | None:
    """A text, cut off if it is long."""
    return text if text is None or len(text) <= LONGEST else f"{text[:LONGEST]}…"


def gathered(of_chunks: Iterable[tuple[str, tuple[Example, ...]]]) -> dict[str, list[Example]]:
    """The first few examples of each reason and column by entity, from (entity, its examples in a chunk) pairs."""
    kept: dict[str, list[Example]] = defaultdict(list)
    seen: Counter[tuple[str, str, str]] = Counter()
    for entity, of_chunk in of_chunks:
        for reject in of_chunk:
            seen[entity, reject.reason, reject.column] += 1
            if seen[entity, reject.reason, reject.column] <= EXAMPLES:
                kept[entity].append(reject)
    return kept


@cache
def pii_columns(table_name: str) -> dict[str, Pii]:
    """The columns of a table that hold personal data, with their marks: those of marked properties, and those that
    a link by value compares with a marked property."""
    [table] = [table for table in tables() if table.name == table_name]
    marks = {prop.name: prop.pii for prop in table.node.properties if prop.pii} if table.node else {}
    for relationship in table.relationships:
        marks |= {prop.name: prop.pii for prop in relationship.properties if isinstance(prop, Property) and prop.pii}
        for label, reference in ends(relationship):
            if link := reference.by_value:
                owned = {prop.name: prop.pii for prop in node(label).properties if prop.pii}
                marks |= {link.column: owned[link.owner_column]} if link.owner_column in owned else {}
    return marks
