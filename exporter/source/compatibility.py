"""The source compared with the model: every difference at once, each with what to do about it."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from exporter.model.graph import SKIPPED_TABLES
from exporter.model.tables import Table, Use, tables
from exporter.model.validate import problems
from exporter.model.vocabulary import IdRule
from exporter.source.catalog import FOREIGN, MATERIALIZED, VIEW, Relation
from exporter.source.columns import accepted, fits, is_cast
from exporter.source.mapping import NameMapping


class Severity(StrEnum):
    ERROR = "error"  # the source cannot be exported
    WARNING = "warning"  # it can, but somebody should take a look
    NOTE = "note"  # worth knowing


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference: where (a table or column), what it is, and what to do about it."""

    severity: Severity
    where: str
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f"; {self.remedy}" if self.remedy else "")


def examine(catalog: dict[str, Relation], mapping: NameMapping) -> list[Finding]:
    """All differences between the source and the model, errors first, in the model's order; if the model itself is
    faulty, only its faults."""
    if faults := examine_model():
        return faults
    findings: list[Finding] = []
    for table in tables():
        findings += examine_table(table, catalog, mapping)
    mapped = {mapping.table(table.name) for table in tables()}
    findings += [
        Finding(Severity.WARNING, name, "is neither mapped nor on the skip list", "it is not exported")
        for name in sorted(catalog)
        if name not in mapped and name not in SKIPPED_TABLES
    ]
    return by_severity(findings)


def examine_model() -> list[Finding]:
    """The faults of the model itself; a source cannot be compared with a faulty model."""
    return [Finding(Severity.ERROR, "model", problem, "correct exporter/model") for problem in problems()]


def by_severity(findings: Iterable[Finding]) -> list[Finding]:
    """The most severe first, otherwise in their order."""
    order = list(Severity)
    return sorted(findings, key=lambda finding: order.index(finding.severity))


def examine_table(table: Table, catalog: dict[str, Relation], mapping: NameMapping) -> list[Finding]:
    """The findings of one table of the model."""
    name = mapping.table(table.name)
    where = name if name == table.name else f"{name} (for {table.name})"
    relation = catalog.get(name)
    if relation is None:
        near = nearest(name, catalog)
        return [Finding(Severity.ERROR, where, "no such table" + near, "create it, or map its name under [tables]")]
    findings: list[Finding] = []
    if relation.kind in (MATERIALIZED, FOREIGN):
        kind = "materialized view" if relation.kind == MATERIALIZED else "foreign table"
        findings.append(Finding(Severity.ERROR, where, f"is a {kind}, which no lock protects", "map its base table"))
    if not relation.usable:
        findings.append(
            Finding(Severity.ERROR, where, "no USAGE on its schema", f"GRANT USAGE ON SCHEMA {relation.schema}")
        )
    elif not relation.readable:
        findings.append(Finding(Severity.ERROR, where, "no SELECT on the table", f"GRANT SELECT ON {name}"))
    if relation.row_security:
        remedy = "export with a role that has BYPASSRLS, or row security hides rows"
        findings.append(Finding(Severity.ERROR, where, "row-level security applies to this role", remedy))
    if relation.kind == VIEW:
        findings.append(Finding(Severity.NOTE, where, "is a view", "the order of rows with the same key is undefined"))
    for column, use in table.columns().items():
        findings += examine_column(table, relation, mapping.column(table.name, column), use, where)
    return findings


def examine_column(table: Table, relation: Relation, name: str, use: Use | None, where: str) -> list[Finding]:
    """The findings of one column; `name` is its real name."""
    column = relation.columns.get(name)
    if column is None:
        near = nearest(name, relation.columns)
        remedy = f'add it, or map its name under [columns."{table.name}"]'
        return [Finding(Severity.ERROR, f"{where}.{name}", "no such column" + near, remedy)]
    findings = []
    if relation.readable and not column.readable:
        findings.append(Finding(Severity.ERROR, f"{where}.{name}", "no SELECT on the column", f"GRANT SELECT ({name})"))
    if use is None:
        return findings
    wanted = f"an ID ({use.replace('_', ' ')})" if isinstance(use, IdRule) else f"a {use}"
    if not fits(column, use):
        what = f"type {column.type} does not fit {wanted}"
        findings.append(Finding(Severity.ERROR, f"{where}.{name}", what, f"accepted: {accepted(use)}"))
    elif is_cast(column, use):
        findings.append(Finding(Severity.NOTE, f"{where}.{name}", f"type {column.type} is cast to be read as {wanted}"))
    return findings


def nearest(name: str, existing: Iterable[str]) -> str:
    """`, the nearest name is …` if one is similar, else empty."""
    close = difflib.get_close_matches(name, list(existing), n=1, cutoff=0.6)
    return f", the nearest name is {close[0]}" if close else ""
