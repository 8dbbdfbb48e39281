"""A frame shaped, and all that comes of it."""

from typing import Any

import polars as pl

from exporter.model.vocabulary import Node
from exporter.shape.key_index import KeyIndex
from exporter.shape.rows import Shaped, shape
from tests.support.strategies import OTHER_TABLES, TABLES


def outcome(shaped: Shaped) -> tuple[list[str], list[tuple[Any, ...]], list[tuple[Any, ...]], int]:
    """All of an entity: header, rows, reject lines, rows without a target."""
    return shaped.rows.columns, shaped.rows.rows(), shaped.rejects.rows(), shaped.no_target


def shaped(name: str, key_index: KeyIndex, **columns: Any) -> dict[str, Shaped]:
    """What a frame of those columns gives, by entity."""
    parts = shape(pl.DataFrame(columns), (TABLES | OTHER_TABLES)[name], key_index)
    return {part.entity.label if isinstance(part.entity, Node) else part.entity.name: part for part in parts}
