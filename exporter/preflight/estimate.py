"""What an export would hold and take, estimated without reading a table (docs/source.md, Estimates)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from exporter.model.tables import Table, tables
from exporter.model.vocabulary import Type
from exporter.preflight.statistics import Statistics, Width
from exporter.sink.headers import columns
from exporter.sink.layout import Entity, data_folder
from exporter.sink.manifest import Manifest
from exporter.source.catalog import Column, Relation
from exporter.source.mapping import NameMapping

# Measured with two workers on two cores (docs/performance.md): 1, 3 and 10 million rows took 4, 8 and 20 seconds, and
# the last of them made 1.6 GB. Rows much wider than those go by their bytes.
START_SECONDS = 2.0
ROWS_A_SECOND = 550_000
BYTES_A_SECOND = 90_000_000
# A previous export tells the time of one that is about as large.
ALIKE = 2.0

# Bytes of a value in a data file with what quotes it; of a text without statistics, as if it had 20 letters.
WIDTHS = {Type.LONG: 8, Type.DOUBLE: 8, Type.BOOLEAN: 5, Type.DATETIME: 27, Type.DATE: 10, Type.LOCALTIME: 15}
QUOTES = 2
TEXT = 20
# Also of an end that is a text: those are uuids.
UUID = 36


class Basis(StrEnum):
    """What a table's numbers come from."""

    STATISTICS = "statistics"  # ANALYZE's, scaled to the table's size
    SIZE = "size"  # the table's size and the width of its types: it was never analyzed
    PREVIOUS = "previous export"  # that of a view, and of a locked table, from the export before
    UNKNOWN = "unknown"  # that of those without one


@dataclass(frozen=True, slots=True)
class TableEstimate:
    """A table of the model, its name in the source, its rows and the bytes of its data files; None where unknown."""

    table: str
    name: str
    rows: int | None
    bytes: int | None
    basis: Basis


@dataclass(frozen=True, slots=True)
class Estimate:
    """The tables that are there, the seconds of an export, and by which rule they were found."""

    tables: tuple[TableEstimate, ...]
    seconds: float
    rule: str

    @property
    def rows(self) -> int:
        return sum(each.rows or 0 for each in self.tables)

    @property
    def bytes(self) -> int:
        return sum(each.bytes or 0 for each in self.tables)

    def based_on(self, basis: Basis) -> list[str]:
        """The tables whose numbers come from there, by their names in the source."""
        return [each.name for each in self.tables if each.basis is basis]


def estimate(
    catalog: Mapping[str, Relation],
    statistics: Mapping[str, Statistics],
    mapping: NameMapping,
    previous: Manifest | None,
) -> Estimate:
    """What an export of the mapped tables that exist would hold and take; `previous` is an export made before."""
    found = []
    for table in tables():
        name = mapping.table(table.name)
        before = written(table, previous)
        if name in catalog and (known := statistics.get(name)):
            # As wide as before, where that is known.
            made = known.rows * before.bytes / before.rows if before and before.rows else None
            if made is None:
                made = known.rows * row_width(table, catalog[name], known, mapping) + known.toast
            basis = Basis.STATISTICS if known.analyzed else Basis.SIZE
            found.append(TableEstimate(table.name, name, known.rows, round(made), basis))
        elif name in catalog and before:
            found.append(TableEstimate(table.name, name, before.rows, before.bytes, Basis.PREVIOUS))
        elif name in catalog:
            found.append(TableEstimate(table.name, name, None, None, Basis.UNKNOWN))
    return timed(tuple(found), previous)


def timed(found: tuple[TableEstimate, ...], previous: Manifest | None) -> Estimate:
    """The tables with the time that they take: as the previous export where that was about as large."""
    rows, size = sum(each.rows or 0 for each in found), sum(each.bytes or 0 for each in found)
    before = sum(each.rows for table in tables() if (each := written(table, previous)))
    took = (previous.finished_at - previous.started_at).total_seconds() if previous else 0.0
    if before and took > 0 and before / ALIKE <= rows <= before * ALIKE:
        return Estimate(found, took * rows / before, "as fast as the previous export")
    seconds = START_SECONDS + max(rows / ROWS_A_SECOND, size / BYTES_A_SECOND)
    rule = (
        f"at {ROWS_A_SECOND:,} rows or {BYTES_A_SECOND / 1e6:g} MB a second, as measured on two cores; yours may differ"
    )
    return Estimate(found, seconds, rule)


def row_width(table: Table, relation: Relation, known: Statistics, mapping: NameMapping) -> float:
    """Bytes that a row of a table gives to the data files of all its entities: each value, and the comma or line end
    after it."""
    width = 0.0
    for entity in made_of(table):
        for name, type_ in columns(entity):
            real = mapping.column(table.name, name)
            width += 1 + value_width(type_, relation.columns.get(real), known.widths.get(real))
    return width


def value_width(type_: Type, column: Column | None, width: Width | None) -> float:
    """Bytes of a value; a text without quotes is as wide as it is stored."""
    if type_ is not Type.STRING:
        bare: float = WIDTHS[type_]
    elif column is None or column.base == "uuid":
        bare = UUID + QUOTES
    else:
        bare = QUOTES + (max(0.0, width.bytes - 1) if width and column.category == "S" else TEXT)
    return bare * (1 - width.nulls) if width else bare


@dataclass(frozen=True, slots=True)
class Written:
    """What a table gave to an export: its rows, and the bytes of their data files."""

    rows: int
    bytes: int


def written(table: Table, previous: Manifest | None) -> Written | None:
    """What a table gave to a previous export, if that has it."""
    if previous is None:
        return None
    folders = {data_folder(entity).as_posix() for entity in made_of(table)}
    rows = [entity.table_rows for entity in previous.entities if entity.folder in folders]
    size = sum(file.bytes for file in previous.files if file.path.rpartition("/")[0] in folders)
    return Written(max(rows), size) if rows else None


def made_of(table: Table) -> list[Entity]:
    """The entities that a table's rows make."""
    return [*([table.node] if table.node else []), *table.relationships]
