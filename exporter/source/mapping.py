"""How the model's names of tables and columns map to those of a real source, according to the settings."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from exporter.model.tables import tables


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

    def faults(self) -> list[str]:
        """A sentence for each name that is not in the model, and for each real name without a schema."""
        return [*self.table_faults(), *self.column_faults()]

    def table_faults(self) -> Iterator[str]:
        known = {table.name for table in tables()}
        for name in self.tables:
            if name not in known:
                yield f"[tables] maps {name}, which is not a table of the model"
        for name, real in self.tables.items():
            if len(real.split(".")) != 2:
                yield f"[tables] maps {name} to {real}, which is not schema.table"

    def column_faults(self) -> Iterator[str]:
        known = {table.name: table.columns() for table in tables()}
        for table, columns in self.columns.items():
            if table not in known:
                yield f"[columns] names {table}, which is not a table of the model"
                continue
            for column in columns:
                if column not in known[table]:
                    yield f"[columns.{table}] maps {column}, which the model does not read"
