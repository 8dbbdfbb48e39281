"""How the model's names of tables and columns map to those of a real source, according to the settings."""

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from exporter.model.tables import tables
from exporter.text import visible


@dataclass(frozen=True, slots=True)
class NameMapping:
    """`tables`: model table -> real table; `columns`: model table -> {model column -> real column}.

    Names that are not mapped are the same in the source. A table's name is always `schema.table`.
    """

    tables: dict[str, str] = field(default_factory=dict)
    columns: dict[str, dict[str, str]] = field(default_factory=dict)

    def table(self, name: str) -> str:
        return self.tables.get(name, name)

    def column(self, table: str, name: str) -> str:
        return self.columns.get(table, {}).get(name, name)

    def schemas(self) -> list[str]:
        """The real schemas that hold the model's tables, sorted."""
        return sorted({self.table(table.name).rpartition(".")[0] for table in tables()})

    def names(self) -> list[str]:
        """The real names of the mapped tables."""
        return list(self.tables.values())

    def faults(self) -> list[str]:
        """A sentence for each name that is not in the model, and for each real name without a schema."""
        return [*self.table_faults(), *self.column_faults()]

    def table_faults(self) -> Iterator[str]:
        known = {table.name for table in tables()}
        for name in self.tables:
            if name not in known:
                yield f"[tables] maps {visible(name)}, which is not a table of the model{nearest(name, known)}"
        for name, real in self.tables.items():
            if len(real.split(".")) != 2:
                yield f"[tables] maps {visible(name)} to {visible(real)}, which is not schema.table"

    def column_faults(self) -> Iterator[str]:
        known = {table.name: table.columns() for table in tables()}
        for table, columns in self.columns.items():
            if table not in known:
                yield f"[columns] names {visible(table)}, which is not a table of the model{nearest(table, known)}"
                continue
            for column in columns:
                if column not in known[table]:
                    where = f'[columns."{table}"] {visible(column)}'
                    yield f"{where}: the model does not read such a column{nearest(column, known[table])}"


def nearest(name: str, existing: Iterable[str]) -> str:
    """`, the nearest name is …` if one is similar, else empty."""
    close = difflib.get_close_matches(name, list(existing), n=1, cutoff=0.6)
    return f", the nearest name is {visible(close[0])}" if close else ""
