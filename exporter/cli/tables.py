"""The tables that commands print, designed for 80 columns: findings, estimates, the model."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.console import Group, RenderableType
from rich.filesize import decimal
from rich.table import Column, Table
from rich.text import Text

from exporter.model.render import groups, pattern, reference_text
from exporter.model.tables import Table as SourceTable
from exporter.model.vocabulary import Node
from exporter.preflight.estimate import Basis, Estimate
from exporter.preflight.window import WindowEstimate
from exporter.source.compatibility import Finding, Severity
from exporter.text import format_duration, quantity, round_estimate, visible, write_share

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


def window_text(window: WindowEstimate) -> str:
    """What a window asks for, one sentence per line."""
    lines = [
        f"Estimated window: {round_estimate(window.rows)} of {round_estimate(window.of)} rows, as the "
        "planner expects; the rows that they refer to, and what belongs to these, come on top.",
        *(f"{name}: {value}." for name, value in asked_for(window)),
    ]
    if window.unknown:
        lines.append(f"Unknown, since locked: {', '.join(window.unknown)}.")
    return "\n".join(lines)


def asked_for(estimate: WindowEstimate) -> Iterator[tuple[str, str]]:
    """What limits a window, each by its name; roots by how many there are."""
    window = estimate.window
    for name, moment in estimate.times.items():
        yield name.capitalize(), f"{moment.replace(tzinfo=None).isoformat(' ', 'seconds')} UTC"
    if window.sample is not None:
        yield (
            "Sample",
            f"{write_share(window.sample)} of the people" + (f" (seed {window.seed})" if window.seed else ""),
        )
    if window.roots:
        counts = Counter((root.label, root.property) for root in window.roots)
        yield "Roots", ", ".join(f"{count:,} {label} by {name}" for (label, name), count in counts.items())
    if window.without:
        yield "Without", ", ".join(sorted(window.without))


def window_table(window: WindowEstimate) -> RenderableType:
    """The tables, with the rows that a window asks for and all of their rows, in the model's order."""
    shown = Table("table", Column("rows", justify="right"), Column("of", justify="right"), box=None, pad_edge=False)
    for table in window.tables:
        numbers = ("?" if number is None else f"{number:,}" for number in (table.rows, table.of))
        shown.add_row(Text(table.name, overflow="fold"), *numbers)
    return shown


# What the signs in the tables of the model mean.
LEGEND = """How to read it
start → end        the columns of the pattern's table with the keys of its two nodes
user_id ?          may be empty: then there is no relationship
id, else by phone  where no node has the key: the one node with this phone
code = referrer ?  the node whose code is this referrer; none if it is empty
{via}              a property of the relationship
(phone), (text)    personal data, and of which kind"""


def model_tables() -> RenderableType:
    """The graph model, group by group in import order: labels, and below them patterns. A legend ends it."""
    parts = [part for group, members in groups().items() for part in group_tables(group, members)]
    return Group(*parts, Text(LEGEND))


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
