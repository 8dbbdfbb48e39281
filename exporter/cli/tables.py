"""Results as a screen of 80 columns shows them: findings, outcomes, the model. The command line prints them."""

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
from exporter.text import format_change, format_clock, format_estimate, quantity, round_estimate

# How many tables a sentence names.
NAMES = 4
STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.NOTE: "dim"}


def findings_table(findings: Iterable[Finding]) -> RenderableType:
    """Findings one below the other: where in the first line, then what, then what to do."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for finding in findings:
        said = [finding.where, finding.what, *([f"→ {finding.remedy}"] if finding.remedy else [])]
        table.add_row(Text(finding.severity, STYLES[finding.severity]), Text("\n".join(said), overflow="fold"))
    return table


def findings_summary(findings: Iterable[Finding]) -> str:
    """`1 error, no warnings, 22 notes`."""
    count = Counter(finding.severity for finding in findings)
    return ", ".join(quantity(count[severity], severity) for severity in Severity)


def estimate_text(known: Estimate, output: Path, free: int) -> str:
    """What an export would hold and take, by which rule, and what room there is; a sentence a line."""
    said = [
        f"An export, estimated: {round_estimate(known.rows)} rows, {decimal(known.bytes)}, {format_estimate(known.seconds)};"
        f" {decimal(free)} are free in {output}.",
        f"Time: {known.rule}.",
    ]
    for basis, remark in (
        (Basis.SIZE, "never analyzed, so estimated by size: {}."),
        (Basis.PREVIOUS, "as many as in the previous export: {}."),
        (Basis.UNKNOWN, "unknown, and not in these numbers: {}."),
    ):
        if names := known.based_on(basis):
            shown = ", ".join(names[:NAMES]) + (f" and {len(names) - NAMES} more" if len(names) > NAMES else "")
            said.append(remark[0].upper() + remark[1:].format(shown))
    return "\n".join(said)


def estimates_table(known: Estimate) -> RenderableType:
    """The tables with rows and bytes of their data files, the largest first."""
    table = Table(
        "table", Column("rows", justify="right"), Column("bytes", justify="right"), "by", box=None, pad_edge=False
    )
    for each in sorted(known.tables, key=lambda each: -(each.bytes or 0)):
        rows, size = (f"{each.rows:,}", decimal(each.bytes or 0)) if each.rows is not None else ("?", "?")
        table.add_row(Text(each.name, overflow="fold"), rows, size, each.basis)
    return table


def runs_table(runs: Sequence[PublishedExport]) -> RenderableType:
    """Exports, oldest first: when they were begun (UTC), rows and how they changed since the one before of the same
    database, rejects, size, how long they took, and where there are archives, the size of each. What is wrong with a
    manifest stands below."""
    names = ["rows", "change", "rejects", "size", "took", *(["archive"] if any(run.archive for run in runs) else [])]
    right = [Column(name, justify="right", no_wrap=True) for name in names]
    table = Table(Column("export", no_wrap=True), Column("begun", no_wrap=True), *right, box=None, pad_edge=False)
    faults: list[Text] = []
    before: dict[str, int] = {}
    for run in runs:
        name, begun = run.directory.name, f"{run.begun_at:%a %d %b %H:%M}"
        if not run.manifest:
            table.add_row(name, begun, *("?" for _ in right))
            faults.append(Text(f"{name}: {run.fault}", "bold red"))
            continue
        totals, took = run.manifest.totals, run.manifest.finished_at - run.manifest.started_at
        rows = totals.nodes + totals.relationships
        change = format_change(before.get(run.manifest.source.database), rows)
        numbers = (f"{rows:,}", change, f"{totals.rejects:,}", decimal(totals.bytes))
        archive = [decimal(run.archive.stat().st_size)] if run.archive else []
        table.add_row(name, begun, *numbers, format_clock(took.total_seconds()), *archive)
        before[run.manifest.source.database] = rows
    return Group(table, *faults)


def changes_table(changes: Iterable[Change]) -> RenderableType:
    """Labels and patterns of two exports with rows and rejects of both."""
    names = ("rows\nbefore", "rows\nafter", "\nchange", "rejects\nbefore", "rejects\nafter")
    right = [Column(name, justify="right", no_wrap=True) for name in names]
    table = Table(Column("\nlabel or pattern", overflow="fold"), *right, box=None, pad_edge=False)
    for each in changes:
        rows, rejects = (each.rows_before, each.rows_after), (each.rejects_before, each.rejects_after)
        cells = (*(f"{number:,}" for number in rows), format_change(*rows), *(f"{number:,}" for number in rejects))
        table.add_row(each.pattern, *cells)
    return table


def model_tables() -> RenderableType:
    """The graph model, group by group in import order: labels, and below them patterns."""
    return Group(*(each for group, members in groups().items() for each in group_tables(group, members)))


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
    below: list[RenderableType] = ["", patterns] if patterns.rows else []
    return [labels, *below, ""]


def label_text(node: Node) -> str:
    """Where a label's nodes come from, and below it its properties with type and kind of personal data."""
    properties = ", ".join(f"{p.name}:{p.type}" + (f" ({p.pii})" if p.pii else "") for p in node.properties)
    return f"{node.table} ({', '.join(node.key.columns)})\n{properties}"
