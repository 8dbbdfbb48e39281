"""Files of an export that may come from another hand: one that is not CSV, as this program writes it, is a
difference."""

from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl

from exporter.errors import DifferenceError
from exporter.text import visible


@contextmanager
def readable(path: str) -> Iterator[None]:
    """Raises `DifferenceError` if the block cannot read this file or folder of an export as CSV."""
    try:
        yield
    except pl.exceptions.PolarsError as error:
        kind = type(error).__name__  # its text may quote the file
        raise DifferenceError(f"{visible(path)}: cannot be read as CSV: {kind}") from None
