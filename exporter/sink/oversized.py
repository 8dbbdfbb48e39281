"""Texts that no index of Neo4j can hold: the value stays in the graph, its index is left out of the schema."""

from collections.abc import Iterator

import polars as pl

from exporter.model.graph import INDEXES
from exporter.model.vocabulary import Entity, Node, Type
from exporter.sink.headers import columns
from exporter.sink.tally import LARGEST_TEXT, Oversized
from exporter.text import visible

SHOWN_LETTERS = 40


def oversized(entity: Entity, rows: pl.DataFrame) -> dict[str, Oversized]:
    """The indexed properties of rows (as `write_data` takes them) with a text that is too large, by name."""
    found = {}
    for name in indexed_texts(entity):
        sizes = rows[name].str.len_bytes()
        values = int((sizes > LARGEST_TEXT).sum())
        if values:
            longest = sizes.arg_max()
            assert longest is not None
            found[name] = Oversized(values, sizes[longest], shown_key(entity, rows[longest, 0]))
    return found


def indexed_texts(entity: Entity) -> Iterator[str]:
    """The string properties of an entity that its constraint or an index covers."""
    if isinstance(entity, Node):
        indexed = {prop.name for prop in entity.key_properties} | {
            prop for label, prop in INDEXES if label == entity.label
        }
        yield from (name for name, type in columns(entity) if type is Type.STRING and name in indexed)


def shown_key(node: Entity, key: object) -> str:
    """A node's key as messages show it, on one line: of a pair only the integer, of a long text only the beginning,
    since either may be the text that is too large."""
    text = str(key)
    if isinstance(node, Node) and not node.key_properties:
        return f"{text.partition(':')[0]}:…"
    return visible(text if len(text) <= SHOWN_LETTERS else f"{text[:SHOWN_LETTERS]}…")
