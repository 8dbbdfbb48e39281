"""SELECT lists: how each column of the model is read from a table, as it is or masked."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from exporter.model import frame
from exporter.model.tables import Use
from exporter.source.columns import TEMPORAL, expression, raw_expression
from exporter.source.packing import Selected, packed_column, text_of
from exporter.source.queries import Form, PackedColumn
from exporter.source.select import SourceTable, joined_text, rank

if TYPE_CHECKING:
    from exporter.source.masking import Masking


@dataclass(frozen=True, slots=True)
class Selection:
    """How columns are read: timestamps without a zone are in `timezone`, and all are masked if there is a `masking`."""

    timezone: str
    masking: "Masking | None" = None

    def rows(self, source: SourceTable, *, ranked: bool, fallback: bool) -> list[Selected]:
        """The SELECT list of a table's raw frame (model/frame.py), `ranked` if a key may occur twice."""
        table = source.table
        selected = [self.column(source, name, use, fallback=fallback) for name, use in table.uses().items()]
        if fallback:
            selected += [self.raw_column(source, name) for name, use in table.uses().items() if use in TEMPORAL]
        key = source.relation.primary_key
        is_shown = key and (self.masking is None or self.masking.shows_key(source, key))
        if is_shown and key != tuple(source.column(c).name for c in table.key_columns):
            selected.append(text_of(joined_text(key), frame.PRIMARY_KEY))
        if ranked:
            # A view's rows have no id, but a chunk of a view holds all rows with the same key.
            if source.relation.is_table:
                selected.append(text_of(source.row_id(), frame.ROW, unambiguous=True))
            else:
                selected.append(Selected(rank(source, "> 1"), PackedColumn(frame.DUPLICATE, Form.BOOLEAN, False)))
        return selected

    def column(self, source: SourceTable, name: str, use: Use, *, fallback: bool, as_name: str = "") -> Selected:
        """A column of the model; named `as_name` if that is given."""
        if self.masking:
            masked = self.masking.column(source, name, use, fallback=fallback)
            return replace(masked, packed=replace(masked.packed, name=as_name or name))
        column, quoted = source.column(name), source.quoted(name)
        read = expression(column, use, source=quoted, timezone=self.timezone, fallback=fallback)
        return Selected(read, packed_column(column, use, as_name or name))

    def raw_column(self, source: SourceTable, name: str) -> Selected:
        """The text of a column's unrepresentable values; masked, only that there is one."""
        text = raw_expression(source.column(name), source=source.quoted(name), timezone=self.timezone)
        text = self.masking.raw(text) if self.masking else text
        return Selected(text, PackedColumn(frame.raw(name), Form.TEXT, nullable=True))

    def is_token(self, source: SourceTable, name: str) -> bool:
        """Whether a column is read as tokens, which are compared as they are."""
        return self.masking is not None and name in self.masking.masked(source).tokens
