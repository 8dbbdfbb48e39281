"""The tables that commands print, designed for 80 columns: findings, estimates, exports, changes, the model."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.filesize import decimal
from rich.table import Column, Table
from rich.text import Text

from exporter.model.render import groups, pattern, reference_text
from exporter.model.tables import Table as SourceTable
from exporter.model.vocabulary import Node
from exporter.preflight.estimate import Basis, Estimate
from exporter.published.diff import Change
from exporter.published.history import PublishedExport
from exporter.source.compatibility import Finding, Severity
from exporter.text import format_change, format_clock, format_duration, quantity, round_estimate, visible

# How many tables a sentence names before it only counts the rest.
NAMES_SHOWN = 4
STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.NOTE: "dim"}


def findings_table(findings: Iterable[Finding]) -> RenderableType:
    """Findings in a list, each with where, what, and what to do on separate lines."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for finding in findings:
        lines = [finding.where, finding.what, *([f"→ {finding.remedy}"] if finding.remedy else [])]
        text = Text("\n".join(map(visible, lines)), overflow="fold")
        table.add_row(Text(finding.severity, STYLES[finding.severity]), text)
    return table


def findings_summary(findings: Iterable[Finding]) -> str:
    """`1 error, no warnings, 22 notes`."""
    count = Counter(finding.severity for finding in findings)
    return ", ".join(quantity(count[severity], severity) for severity in Severity)


def estimate_text(estimate: Estimate, output: Path, free_bytes: int) -> str:
    """Rows, bytes and time of an export, the free space, and what the numbers are based on; one sentence per line."""
    lines = [
        f"Estimated export: {round_estimate(estimate.rows)} rows, {decimal(estimate.bytes)}, "
        f"{format_duration(max(1, estimate.seconds))}; {decimal(free_bytes)} free in {output}.",
        f"Time: {estimate.rule}.",
    ]
    for basis, remark in (
        (Basis.SIZE, "Never analyzed, so estimated by size"),
        (Basis.PREVIOUS, "As many as in the previous export"),
        (Basis.UNKNOWN, "Unknown, not included above"),
    ):
        if names := estimate.based_on(basis):
            more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
            lines.append(f"{remark}: {', '.join(names[:NAMES_SHOWN])}{more}.")
    return "\n".join(lines)


def estimates_table(estimate: Estimate) -> RenderableType:
    """The tables, with rows and bytes of their data files, the largest first."""
    shown = Table(
        "table", Column("rows", justify="right"), Column("bytes", justify="right"), "by", box=None, pad_edge=False
    )
    for table in sorted(estimate.tables, key=lambda table: -(table.bytes or 0)):
        rows, size = (f"{table.rows:,}", decimal(table.bytes or 0)) if table.rows is not None else ("?", "?")
        shown.add_row(Text(table.name, overflow="fold"), rows, size, table.basis)
    return shown


def runs_table(runs: Sequence[PublishedExport]) -> RenderableType:
    """Exports, oldest first: when they began (UTC), their rows and the change since the previous export of the same
    database, rejects, size, duration, and archive size if there is any archive. Faulty manifests are listed below."""
    names = ["rows", "change", "rejects", "size", "took", *(["archive"] if any(run.archive for run in runs) else [])]
    right = [Column(name, justify="right", no_wrap=True) for name in names]
    table = Table(Column("export", no_wrap=True), Column("begun", no_wrap=True), *right, box=None, pad_edge=False)
    faults: list[Text] = []
    previous_rows: dict[str, int] = {}  # by database
    for run in runs:
        name, begun = run.directory.name, f"{run.begun_at:%a %d %b %H:%M}"
        if not run.manifest:
            table.add_row(name, begun, *("?" for _ in right))
            faults.append(Text(f"{name}: {run.fault}", "bold red"))
            continue
        totals, took = run.manifest.totals, run.manifest.finished_at - run.manifest.started_at
        rows = totals.nodes + totals.relationships
        change = format_change(previous_rows.get(run.manifest.source.database), rows)
        numbers = (f"{rows:,}", change, f"{totals.rejects:,}", decimal(totals.bytes))
        archive = [decimal(run.archive.stat().st_size)] if run.archive else []
        table.add_row(name, begun, *numbers, format_clock(took.total_seconds()), *archive)
        previous_rows[run.manifest.source.database] = rows
    return Group(table, *faults)


def changes_table(changes: Iterable[Change]) -> RenderableType:
    """Labels and patterns with rows and rejects of two exports."""
    names = ("rows\nbefore", "rows\nafter", "\nchange", "rejects\nbefore", "rejects\nafter")
    right = [Column(name, justify="right", no_wrap=True) for name in names]
    table = Table(Column("\nlabel or pattern", overflow="fold"), *right, box=None, pad_edge=False)
    for change in changes:
        rows, rejects = (change.rows_before, change.rows_after), (change.rejects_before, change.rejects_after)
        cells = (*(f"{number:,}" for number in rows), format_change(*rows), *(f"{number:,}" for number in rejects))
        table.add_row(change.pattern, *cells)
    return table


def model_tables() -> RenderableType:
    """The graph model, group by group in import order: labels, and below them patterns."""
    return Group(*(part for group, members in groups().items() for part in group_tables(group, members)))


def group_tables(group: str, members: list[SourceTable]) -> list[RenderableType]:
    """A group's labels with table, key and properties, and its patterns with the columns of both ends."""
    labels = Table("label", "table and key, properties", title=group, title_justify="left", box=None, pad_edge=False)
    patterns = Table(Column("pattern", no_wrap=True), "start → end", box=None, pad_edge=False)
    for table in members:
        if table.node:
            labels.add_row(table.node.label, label_text(table.node))
        for relationship in table.relationships:
            start, end = map(reference_text, (relationship.start_reference, relationship.end_reference))
            patterns.add_row(pattern(relationship), f"{start} → {end}")
    return [labels, "", patterns, ""] if patterns.rows else [labels, ""]


def label_text(node: Node) -> str:
    """A label's table and key, and on the next line its properties with type and kind of personal data."""
    properties = ", ".join(
        f"{prop.name}:{prop.type}" + (f" ({prop.pii})" if prop.pii else "") for prop in node.properties
    )
    return f"{node.table} ({', '.join(node.key.columns)})\n{properties}"
