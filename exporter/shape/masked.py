"""What a masked copy does not tell: values in rejects, keys that say more than which row it is, suppressed values."""

from collections import Counter
from dataclasses import replace

import polars as pl

from exporter.model.frame import PRIMARY_KEY, REDACTED, SUPPRESSED, Masked
from exporter.model.tables import Table
from exporter.shape.rejects import joined_text
from exporter.shape.rows import Shaped


def with_shown_key(raw: pl.DataFrame, table: Table) -> pl.DataFrame:
    """A masked frame in which a row has a primary key that may stand in the rejects: where its own is masked away, the
    row's number in the frame, such as `row 7`."""
    texts = [column for column in table.key_columns if raw.schema[column] == pl.String]
    if PRIMARY_KEY in raw.columns or not texts:
        return raw
    hidden = pl.any_horizontal(pl.col(column) == REDACTED for column in texts).fill_null(False)
    number = pl.concat_str(pl.lit("row "), pl.int_range(1, pl.len() + 1))
    return raw.with_columns(pl.when(hidden).then(number).otherwise(joined_text(table.key_columns)).alias(PRIMARY_KEY))


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
