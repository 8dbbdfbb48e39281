"""What a masked copy does not tell: values in rejects, keys that say more than which row it is, suppressed values."""

from collections import Counter
from dataclasses import replace

import polars as pl

from exporter.model.frame import PRIMARY_KEY, REDACTED, SUPPRESSED, Masked
from exporter.model.tables import Table
from exporter.model.vocabulary import IdRule
from exporter.shape.ids import canonical
from exporter.shape.rejects import joined_text
from exporter.shape.rows import Shaped


def with_shown_key(raw: pl.DataFrame, table: Table, columns: Masked) -> pl.DataFrame:
    """A masked frame in which a row has a primary key that may stand in the rejects: its canonical key, or where it has
    none, the row's number in the frame, such as `row 7`."""
    texts = [name for name in table.key_columns if name not in columns.shown and raw.schema[name] == pl.String]
    if PRIMARY_KEY in raw.columns or not texts:
        return raw
    uses, hidden, known = table.uses(), pl.repeat(False, raw.height, eager=True), raw
    for name in texts:
        use = uses[name]
        if isinstance(use, IdRule):
            key = canonical(raw[name], use)
            hidden |= key.is_null() & raw[name].is_not_null()
            known = known.with_columns(key.cast(pl.String).alias(name))
        elif name not in columns.tokens:  # the text of a pair, kept as it is
            hidden |= raw[name].is_not_null()
    number = pl.concat_str(pl.lit("row "), pl.int_range(1, pl.len() + 1))
    keys = known.select(pl.when(hidden).then(number).otherwise(joined_text(table.key_columns)).alias(PRIMARY_KEY))
    return raw.with_columns(keys)


def masked(shaped: Shaped, columns: Masked) -> Shaped:
    """What a masked frame contributes to an entity: its rejects tell no value but shown keys, and suppressed values are
    null, and counted by property."""
    rejects = masked_rejects(shaped.rejects, columns)
    rows, suppressed = shaped.rows, Counter[str]()
    for name in columns.suppressed.intersection(rows.columns):
        if found := int((rows[name] == SUPPRESSED).sum()):
            suppressed[name] = found
            rows = rows.with_columns(pl.when(pl.col(name) != SUPPRESSED).then(pl.col(name)).alias(name))
    return replace(shaped, rows=rows, rejects=rejects, suppressed=suppressed)


def masked_rejects(rejects: pl.DataFrame, columns: Masked) -> pl.DataFrame:
    """Reject lines in which only keys of columns that may be shown have their values."""
    if not rejects.height:
        return rejects
    shown = [name for name in rejects["column"].unique() if columns.shown.issuperset(name.split(":"))]
    hidden = pl.col("value").is_not_null() & ~pl.col("column").is_in(shown)
    return rejects.with_columns(value=pl.when(hidden).then(pl.lit(REDACTED)).otherwise(pl.col("value")))
