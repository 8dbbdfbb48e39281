"""The model's table and column names to those of a real installation, as the settings map them."""

from dataclasses import dataclass, field

from exporter.model.tables import tables


@dataclass(frozen=True, slots=True)
class NameMapping:
    """`tables`: model table -> real table; `columns`: model table -> {model column -> real column}."""

    tables: dict[str, str] = field(default_factory=dict)
    columns: dict[str, dict[str, str]] = field(default_factory=dict)

    def table(self, name: str) -> str:
        return self.tables.get(name, name)

    def column(self, table: str, name: str) -> str:
        return self.columns.get(table, {}).get(name, name)

    def schemas(self) -> list[str]:
        """The schemas that hold mapped tables."""
        return sorted({self.table(table.name).rpartition(".")[0] for table in tables()})

    def faults(self) -> list[str]:
        """What the mapping names that the model does not have, and real names without a schema."""
        known = {table.name: set(table.columns()) for table in tables()}
        found = [f"[tables] maps {name}, which is no table of the model" for name in self.tables if name not in known]
        found += [
            f"[tables] maps {name} to {real}, which is not schema.table"
            for name, real in self.tables.items()
            if len(real.split(".")) != 2
        ]
        for table, columns in self.columns.items():
            if table not in known:
                found.append(f"[columns] names {table}, which is no table of the model")
                continue
            found += [
                f"[columns.{table}] maps {column}, which the model does not read"
                for column in columns
                if column not in known[table]
            ]
        return found
