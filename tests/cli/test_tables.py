"""The tables that commands print, on 80 columns."""

import io
import re
from pathlib import Path

from rich.console import Console, RenderableType

from exporter.cli.tables import (
    estimate_text,
    estimates_table,
    findings_summary,
    findings_table,
    model_tables,
)
from exporter.model.graph import NODES, RELATIONSHIPS
from exporter.model.render import pattern
from exporter.pipeline.profile import Profile, cost_lines, totals_line
from exporter.pipeline.timing import READ, TaskTimer
from exporter.preflight.estimate import Basis, Estimate, TableEstimate
from exporter.sink.manifest import Totals
from exporter.source.compatibility import Finding, Severity

FINDINGS = [
    Finding(Severity.ERROR, "wallet.invoices", "no such table", "create it, or map its name under [tables]"),
    Finding(Severity.NOTE, f"wallet.{'a_long_name_' * 6}", "is a view"),
]


def on_screen(shown: RenderableType) -> str:
    """What 80 columns show, without the blanks that fill the lines."""
    screen = io.StringIO()
    Console(file=screen, width=80).print(shown)
    return "".join(f"{line.rstrip()}\n" for line in screen.getvalue().splitlines())


def test_findings_are_never_cut_off() -> None:
    """A long name is folded; what to do has a line of its own."""
    assert on_screen(findings_table(FINDINGS)) == (
        "error  wallet.invoices\n"
        "       no such table\n"
        "       → create it, or map its name under [tables]\n"
        "note   wallet.a_long_name_a_long_name_a_long_name_a_long_name_a_long_name_a_long\n"
        "       _name_\n"
        "       is a view\n"
    )


def estimated(*bases: Basis) -> Estimate:
    """An estimate of a table for each basis."""
    tables = [
        TableEstimate(
            "a.b", f"app.table_{number}", *((None, None) if basis is Basis.UNKNOWN else (12_345, 67_890)), basis
        )
        for number, basis in enumerate(bases)
    ]
    return Estimate(tuple(tables), 7_500, "as fast as the previous export")


def test_an_estimate_says_what_it_is_based_on() -> None:
    """Rows have three digits; tables without ANALYZE's statistics are named."""
    assert estimate_text(estimated(Basis.STATISTICS), Path("output"), 2_000_000_000) == (
        "Estimated export: 12,300 rows, 67.9 kB, 2 h 5 min; 2.0 GB free in output.\n"
        "Time: as fast as the previous export."
    )
    others = estimated(*[Basis.SIZE] * 6, Basis.PREVIOUS, Basis.UNKNOWN)
    assert estimate_text(others, Path("output"), 0).splitlines()[2:] == [
        "Never analyzed, so estimated by size: app.table_0, app.table_1, app.table_2, app.table_3 and 2 more.",
        "As many as in the previous export: app.table_6.",
        "Unknown, not included above: app.table_7.",
    ]


def test_estimates_are_sorted_by_size() -> None:
    """The largest first, unknown ones last."""
    assert on_screen(estimates_table(estimated(Basis.UNKNOWN, Basis.STATISTICS))) == (
        "table          rows    bytes  by\n"
        "app.table_1  12,345  67.9 kB  statistics\n"
        "app.table_0       ?        ?  unknown\n"
    )


def test_findings_are_counted_by_severity() -> None:
    """The most severe first."""
    assert findings_summary(FINDINGS) == "1 error, no warnings, 1 note"


def test_the_whole_model_fits() -> None:
    """Every pattern, table and property stands unbroken on 80 columns."""
    words = set(on_screen(model_tables()).replace(",", " ").split())
    assert {word for relationship in RELATIONSHIPS for word in pattern(relationship).split()} <= words
    assert {node.table for node in NODES} <= words
    assert {f"{prop.name}:{prop.type}" for node in NODES for prop in node.properties} <= words


def test_the_model_is_printed_by_group() -> None:
    """Labels with table, key and properties; below them the patterns with the columns of both ends."""
    assert """
Auth
label     table and key, properties
AuthUser  auth.auth_users (id)
          phone_number:string (phone), is_active:boolean, is_test_user:boolean,
          created_at:datetime, updated_at:datetime
Role      auth.auth_user_roles (id)
          role:string, is_active:boolean, created_at:datetime

pattern                        start → end
(AuthUser)-[HAS_ROLE]->(Role)  auth_user_id → id
""" in on_screen(model_tables())


def test_an_export_is_summed_up_in_a_line() -> None:
    """Counts, size and time; below it the costliest tables."""
    totals = Totals(nodes=30375, relationships=35294, properties=188897, rejects=118, bytes=4_200_000)
    watch = TaskTimer("guide.skills 1", seconds={READ: 2.5}, cpu_seconds={READ: 0.5})
    profile = Profile([], [("guide.skills", 1, watch)], {"check": 1.0, "tables": 3.64}, 2)
    assert totals_line(totals, profile) == "30,375 nodes, 35,294 relationships, 118 rejects, 4.2 MB in 4.6 s"
    assert cost_lines(profile) == ("Limited most by the database. The costliest tables:\n       2.5 s  guide.skills")


def test_the_legend_of_the_model_explains_its_signs() -> None:
    """Each sign stands in the tables above it, too."""
    printed = io.StringIO()
    Console(width=160, file=printed).print(model_tables())
    tables, _, legend = printed.getvalue().partition("How to read it")
    signs = (r"→", r"\w \?", r", else by \w", r"\w = \w+ \?", r"\{\w+\}", r"\(phone\)", r"\(text\)")
    assert [sign for sign in signs if not (re.search(sign, tables) and re.search(sign, legend))] == []
