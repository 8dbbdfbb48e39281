"""What an export will hold and how long it will take, estimated without reading a table (docs/source.md, Estimates)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from exporter.errors import UsageError
from exporter.model.render import model_sha256
from exporter.model.tables import Table, tables
from exporter.model.vocabulary import Entity, Type
from exporter.preflight.statistics import ColumnStatistics, TableStatistics
from exporter.published.history import recent
from exporter.settings import Settings
from exporter.sink.headers import columns
from exporter.sink.layout import data_folder
from exporter.sink.manifest import Manifest
from exporter.source.catalog import Column, Relation
from exporter.source.connection import Connection
from exporter.source.identity import source_identity
from exporter.source.mapping import NameMapping

# Measured with two workers on two cores (docs/performance.md): 1, 3 and 10 million rows took 4, 8 and 20 seconds; the
# largest wrote 1.6 GB. Much wider rows take time by their bytes.
START_SECONDS = 2.0
ROWS_A_SECOND = 550_000
BYTES_A_SECOND = 90_000_000
# A previous export predicts the time of an export at most this many times larger or smaller.
COMPARABLE = 2.0

# Bytes of a value in a data file, including quotes; a text without statistics is assumed to have 20 letters.
WIDTHS = {Type.LONG: 8, Type.DOUBLE: 8, Type.BOOLEAN: 5, Type.DATETIME: 27, Type.DATE: 10, Type.LOCALTIME: 15}
QUOTES = 2
TEXT = 20
# Also the width of a relationship's end whose key is text: such keys are UUIDs.
UUID = 36


class Basis(StrEnum):
    """What a table's numbers come from."""

    STATISTICS = "statistics"  # ANALYZE's, scaled to the table's size
    SIZE = "size"  # the table's size and the width of its types: it was never analyzed
    PREVIOUS = "previous export"  # for a view or a locked table
    UNKNOWN = "unknown"  # for those, without a previous export


@dataclass(frozen=True, slots=True)
class TableEstimate:
    """A table of the model, its name in the source, its rows and the bytes of its data files; None if unknown."""

    table: str
    name: str
    rows: int | None
    bytes: int | None
    basis: Basis


@dataclass(frozen=True, slots=True)
class Estimate:
    """The existing tables, the seconds an export takes, and the rule behind that time."""

    tables: tuple[TableEstimate, ...]
    seconds: float
    rule: str

    @property
    def rows(self) -> int:
        return sum(table.rows or 0 for table in self.tables)

    @property
    def bytes(self) -> int:
        return sum(table.bytes or 0 for table in self.tables)

    def based_on(self, basis: Basis) -> list[str]:
        """The tables whose numbers have this basis, by their names in the source."""
        return [table.name for table in self.tables if table.basis is basis]


def estimate(
    catalog: Mapping[str, Relation],
    statistics: Mapping[str, TableStatistics],
    mapping: NameMapping,
    previous: Manifest | None,
) -> Estimate:
    """The estimate for the mapped tables that exist.

    `statistics` are by names in the source; `previous` is the manifest of an earlier export, if there is one.
    """
    estimates = tuple(
        estimate_table(table, relation, statistics.get(name), mapping, previous)
        for table in tables()
        if (relation := catalog.get(name := mapping.table(table.name)))
    )
    return with_seconds(estimates, previous)


def previous_export(connection: Connection, settings: Settings) -> Manifest | None:
    """The newest export of this source and graph model below the output directory, if there is one. Raises `RunError`
    if the connection is lost."""
    identity = settings.source_name or source_identity(connection)
    try:
        earlier = recent(settings.output, identity, model_sha256(), 1)
    except UsageError:  # there is no such directory yet
        return None
    return earlier[0].manifest if earlier else None


def estimate_table(
    table: Table,
    relation: Relation,
    known: TableStatistics | None,
    mapping: NameMapping,
    previous: Manifest | None,
) -> TableEstimate:
    """A table's rows and bytes: by its statistics, else as in the previous export."""
    name, before = mapping.table(table.name), contribution(table, previous)
    if known and before and before.rows:
        size = known.rows * before.bytes / before.rows  # rows are as wide as they were
    elif known:
        size = known.rows * row_width(table, relation, known, mapping) + known.toast
    elif before:
        return TableEstimate(table.name, name, before.rows, before.bytes, Basis.PREVIOUS)
    else:
        return TableEstimate(table.name, name, None, None, Basis.UNKNOWN)
    return TableEstimate(table.name, name, known.rows, round(size), Basis.STATISTICS if known.analyzed else Basis.SIZE)


def with_seconds(estimates: tuple[TableEstimate, ...], previous: Manifest | None) -> Estimate:
    """The estimate with its time: at the speed of the previous export if that is comparable, else as measured."""
    rows, size = sum(table.rows or 0 for table in estimates), sum(table.bytes or 0 for table in estimates)
    rows_before = sum(part.rows for table in tables() if (part := contribution(table, previous)))
    seconds_before = (previous.finished_at - previous.started_at).total_seconds() if previous else 0.0
    if rows_before and seconds_before > 0 and rows_before / COMPARABLE <= rows <= rows_before * COMPARABLE:
        return Estimate(estimates, seconds_before * rows / rows_before, "as fast as the previous export")
    seconds = START_SECONDS + max(rows / ROWS_A_SECOND, size / BYTES_A_SECOND)
    rule = (
        f"at {ROWS_A_SECOND:,} rows or {BYTES_A_SECOND / 1e6:g} MB a second, as measured on two cores; yours may differ"
    )
    return Estimate(estimates, seconds, rule)


def row_width(table: Table, relation: Relation, known: TableStatistics, mapping: NameMapping) -> float:
    """Bytes that a row of a table adds to the data files of all its entities: each value, and a comma or line end."""
    width = 0.0
    for entity in entities_of(table):
        for name, type_ in columns(entity):
            real_name = mapping.column(table.name, name)
            width += 1 + value_width(type_, relation.columns.get(real_name), known.columns.get(real_name))
    return width


def value_width(type_: Type, column: Column | None, known: ColumnStatistics | None) -> float:
    """Average bytes of a value in a data file, nulls counted as empty. The database stores a text with a byte of
    length before it."""
    if type_ is not Type.STRING:
        width: float = WIDTHS[type_]
    elif column is None or column.base == "uuid":
        width = UUID + QUOTES
    else:
        width = QUOTES + (max(0.0, known.bytes - 1) if known and column.category == "S" else TEXT)
    return width * (1 - known.nulls) if known else width


@dataclass(frozen=True, slots=True)
class Contribution:
    """A table's rows in an export, and the bytes of the data files made of them."""

    rows: int
    bytes: int


def contribution(table: Table, manifest: Manifest | None) -> Contribution | None:
    """What a table contributed to an export; None if it was not part of it."""
    if manifest is None:
        return None
    folders = {data_folder(entity).as_posix() for entity in entities_of(table)}
    rows = [entity.table_rows for entity in manifest.entities if entity.folder in folders]
    size = sum(file.bytes for file in manifest.files if file.path.rpartition("/")[0] in folders)
    return Contribution(max(rows), size) if rows else None


def entities_of(table: Table) -> list[Entity]:
    """The node and relationships made of a table's rows."""
    return [*([table.node] if table.node else []), *table.relationships]
