"""The ids of a window stay in the census: queries have place-holders for them, which each worker fills as it reads.

Nothing that leaves a machine, be it a message, a log or a dashboard, tells whom a window holds.
"""

import re
from functools import lru_cache
from pathlib import Path

import polars as pl

from exporter.shape.kept import bits, ids_of
from exporter.source.queries import IdSet, placeholder

# Measured: connectorx takes 0.3 µs for each byte of a query, so that more than this is not worth what it saves.
QUERY_BYTES = 1 << 19
LISTED = 100_000
PLACEHOLDER = re.compile(placeholder("([A-Za-z]+/[A-Za-z]+)", "(low|high|listed|bits)"))


def id_set(name: str, ids: pl.Series) -> IdSet:
    """What a query can say of a set of ids (Int64, sorted, each once): the forms of SQL literals that are short
    enough, without the ids."""
    if not len(ids):
        return IdSet(name, listed=len("{}"))
    low, high = int(ids[0]), int(ids[-1])
    listed = len(listed_text(ids)) if len(ids) <= LISTED else None
    as_bits = 2 * (((high - low) >> 3) + 1) if (high - low) // 4 < QUERY_BYTES else None
    return IdSet(name, listed if listed and listed <= QUERY_BYTES else None, as_bits)


def listed_text(ids: pl.Series) -> str:
    """Ids as an array's text: {1,2}."""
    return f"{{{','.join(map(str, ids))}}}"


def filled(sets: Path, query: str) -> str:
    """A query with the ids in the place of its place-holders, from the sets below a directory."""
    return PLACEHOLDER.sub(lambda match: text_of(sets, match[1], match[2]), query)


@lru_cache(maxsize=16)
def text_of(sets: Path, name: str, form: str) -> str:
    """What a place-holder stands for: the least id, the greatest, all as an array, or as bits in hexadecimal digits."""
    ids = ids_of(sets, name)
    match form:
        case "low":
            return str(ids[0])
        case "high":
            return str(ids[-1])
        case "listed":
            return listed_text(ids)
        case _:
            return bits(ids).hex()
