"""Results as a screen of 80 columns shows them: findings, outcomes, the model. The command line prints them."""

from collections import Counter
from collections.abc import Iterable, Mapping

from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from exporter.model.render import groups, pattern, reference_text
from exporter.model.tables import Table as SourceTable
from exporter.model.vocabulary import Node
from exporter.profile import Profile
from exporter.source.check import Finding, Severity

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


def totals_line(totals: Mapping[str, int], profile: Profile) -> str:
    """What an export holds and how long it took; `totals` is the manifest's."""
    counts = ", ".join(f"{totals[what]:,} {what}" for what in ("nodes", "relationships", "rejects"))
    return f"{counts}, {totals['bytes'] / 1e6:,.1f} MB in {sum(profile.stages.values()):.1f} s"


def cost_lines(profile: Profile) -> str:
    """What held an export up, and which tables cost the workers most, a line each."""
    costs = [f"  {seconds:8.1f} s  {table}" for table, seconds in profile.costliest()]
    return "\n".join([f"Held up most by the {profile.bottleneck()}. The costliest tables:", *costs])


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
