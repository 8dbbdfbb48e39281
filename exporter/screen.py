"""Results as a screen of 80 columns shows them: findings, outcomes, the model. The command line prints them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.filesize import decimal
from rich.table import Column, Table
from rich.text import Text

from exporter.estimate import Basis, Estimate
from exporter.history import Change, Run
from exporter.model.render import groups, pattern, reference_text
from exporter.model.tables import Table as SourceTable
from exporter.model.vocabulary import Node
from exporter.profile import Profile
from exporter.source.check import Finding, Severity

# How many tables a sentence names.
NAMES = 4
STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.NOTE: "dim"}


def counted(number: int, noun: str) -> str:
    """`no errors`, `1 error`, `1,200 errors`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}" if number else f"no {noun}s"


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
    return ", ".join(counted(count[severity], severity) for severity in Severity)


def estimate_text(known: Estimate, output: Path, free: int) -> str:
    """What an export would hold and take, by which rule, and what room there is; a sentence a line."""
    said = [
        f"An export, estimated: {rounded(known.rows)} rows, {decimal(known.bytes)}, {lasting(known.seconds)};"
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


def rounded(number: int) -> str:
    """Three digits of a number: what an estimate is good for."""
    return f"{float(f'{number:.3g}'):,.0f}"


def lasting(seconds: float) -> str:
    """`3 s`, `12 min`, `2 h 5 min`."""
    if seconds < 100:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def totals_line(totals: Mapping[str, int], profile: Profile) -> str:
    """What an export holds and how long it took; `totals` is the manifest's."""
    counts = ", ".join(f"{totals[what]:,} {what}" for what in ("nodes", "relationships", "rejects"))
    return f"{counts}, {totals['bytes'] / 1e6:,.1f} MB in {sum(profile.stages.values()):.1f} s"


def cost_lines(profile: Profile) -> str:
    """What held an export up, and which tables cost the workers most, a line each."""
    costs = [f"  {seconds:8.1f} s  {table}" for table, seconds in profile.costliest()]
    return "\n".join([f"Held up most by the {profile.bottleneck()}. The costliest tables:", *costs])


def runs_table(runs: Sequence[Run]) -> RenderableType:
    """Exports, oldest first: rows and how they changed since the one before, rejects, size, how long it took; and where
    there are archives, the size of each."""
    names = ["rows", "change", "rejects", "MB", "seconds"]
    if any(run.archive for run in runs):
        names.append("archive MB")
    table = Table("export", *(Column(name, justify="right") for name in names), box=None, pad_edge=False)
    before = None
    for run in runs:
        if not run.manifest:
            table.add_row(run.directory.name, Text("its manifest cannot be read", "bold red"))
            continue
        totals, took = run.manifest.totals, run.manifest.finished_at - run.manifest.started_at
        rows = totals.nodes + totals.relationships
        numbers = (f"{rows:,}", changed(before, rows), f"{totals.rejects:,}", f"{totals.bytes / 1e6:,.1f}")
        archive = [f"{run.archive.stat().st_size / 1e6:,.1f}"] if run.archive else []
        table.add_row(run.directory.name, *numbers, f"{took.total_seconds():,.1f}", *archive)
        before = rows
    return table


def changes_table(changes: Iterable[Change]) -> RenderableType:
    """Labels and patterns of two exports with rows and rejects of both."""
    right = [Column(name, justify="right") for name in ("rows", "then", "change", "rejects", "then")]
    table = Table(Column("label or pattern", overflow="fold"), *right, box=None, pad_edge=False)
    for each in changes:
        rows, rejects = (each.rows_before, each.rows_after), (each.rejects_before, each.rejects_after)
        cells = (*(f"{number:,}" for number in rows), changed(*rows), *(f"{number:,}" for number in rejects))
        table.add_row(each.name, *cells)
    return table


def changed(before: int | None, after: int) -> str:
    """`+3.1 %`, `-20.0 %`; nothing where there is nothing to compare with."""
    if before is None or before == after:
        return ""
    return f"{(after - before) / before:+.1%}".replace("%", " %") if before else "new"


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
        for made in table.relationships:
            start, end = map(reference_text, (made.start_reference, made.end_reference))
            patterns.add_row(pattern(made), f"{start} → {end}")
    below: list[RenderableType] = ["", patterns] if patterns.rows else []
    return [labels, *below, ""]


def label_text(node: Node) -> str:
    """Where a label's nodes come from, and below it its properties with type and kind of personal data."""
    properties = ", ".join(f"{p.name}:{p.type}" + (f" ({p.mark})" if p.mark else "") for p in node.properties)
    return f"{node.table} ({', '.join(node.key.columns)})\n{properties}"
