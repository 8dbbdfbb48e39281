"""What the demo prints, for 80 columns: what is in the sample, the queries' answers, the summary."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any
from unicodedata import category

from rich.console import Group, RenderableType
from rich.constrain import Constrain
from rich.table import Column, Table
from rich.text import Text

from exporter.pipeline.run import ExportResult
from exporter.sample.answers import Answer
from exporter.text import quantity, visible

WIDTH = 80
SHOWN_ROWS = 5
SHOWN_KINDS = 2


def sample_text(rows: int, anomalies: Mapping[str, int]) -> str:
    """What is in the sample: its rows, and the commonest of its anomalies (kind -> rows)."""
    faults = Counter(anomalies)
    commonest = ", ".join(f"{number:,} {kind}" for kind, number in faults.most_common(SHOWN_KINDS))
    return (
        f"{rows:,} rows of invented customers, guides, consultations, payments, …\n"
        f"{faults.total():,} of them are wrong on purpose, in {len(faults)} ways, as rows are in real life:\n"
        f"{commonest}, …"
    )


def answer_table(title: str, answer: Answer) -> RenderableType:
    """The first rows of an answer; one value per line if rows hold nodes or lists."""
    rows = answer.rows[:SHOWN_ROWS]
    if any(isinstance(value, dict | list) for row in rows for value in row):
        table = Table(Column(style="bold", no_wrap=True), Column(), box=None, pad_edge=False, show_header=False)
        for row in rows:
            for name, value in zip(answer.columns, row, strict=True):
                table.add_row(name, Text(value_text(value)))
    else:
        table = Table(box=None, pad_edge=False)
        for number, name in enumerate(answer.columns):
            numeric = any(isinstance(row[number], int | float) for row in rows)
            table.add_column(name, justify="right" if numeric else "left", no_wrap=numeric)
        for row in rows:
            table.add_row(*(Text(value_text(value)) for value in row))
    more = len(answer.rows) - len(rows)
    below = [Text(f"… and {quantity(more, 'more row')}", "dim")] if more else []
    return Group("", Text(title, "italic"), Constrain(table, WIDTH - vowel_signs(rows)), *below)


def vowel_signs(rows: Iterable[Iterable[Any]]) -> int:
    """The columns to leave free: as many as a row has marks such as the vowel signs of Devanagari, which take no column
    by rich's tables, and one on many terminals."""
    return max((sum(category(letter) == "Mc" for letter in "".join(map(value_text, row))) for row in rows), default=0)


def value_text(value: Any) -> str:
    """A value as people read it: floats with two decimals, lists with their length and first members."""
    match value:
        case float():
            return f"{value:,.2f}"
        case dict():
            return ", ".join(f"{name}: {value_text(member)}" for name, member in value.items())
        case list():
            more = [f"and {len(value) - SHOWN_ROWS} more"] if len(value) > SHOWN_ROWS else []
            return f"{len(value)}: " + "; ".join([*map(value_text, value[:SHOWN_ROWS]), *more])
        case _:
            return visible(str(value))


def summary_table(result: ExportResult, seconds: Mapping[str, float]) -> RenderableType:
    """The demo's results: counts, rejects by reason, seconds by step, memory."""
    table = Table(Column(style="bold"), Column(justify="right"), box=None, show_header=False, pad_edge=False)
    totals = result.manifest.totals
    for name in ("nodes", "relationships", "properties", "rejects"):
        table.add_row(name, f"{getattr(totals, name):,}")
    reasons: Counter[str] = Counter()
    for entry in result.manifest.entities:
        reasons.update(entry.rejects)
    for reason, rejects in reasons.most_common():
        table.add_row(f"  {reason}", f"{rejects:,}", style="dim")
    for title, taken in seconds.items():
        table.add_row(title, f"{taken:.1f} s")
    table.add_row("total", f"{sum(seconds.values()):.1f} s")
    table.add_row("peak memory of the export", f"{result.peak_memory >> 20} MB")
    return table
