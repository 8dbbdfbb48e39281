"""Results as a screen of 80 columns shows them."""

import io
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from exporter.estimate import Basis, Estimate, TableEstimate
from exporter.model.graph import NODES, RELATIONSHIPS
from exporter.model.render import pattern
from exporter.profile import Profile
from exporter.screen import (
    cost_lines,
    counted,
    estimate_text,
    estimates_table,
    findings_summary,
    findings_table,
    lasting,
    model_tables,
    totals_line,
)
from exporter.source.check import Finding, Severity
from exporter.stopwatch import READ, Stopwatch

FINDINGS = [
    Finding(Severity.ERROR, "wallet.invoices", "no such table", "create it, or map its name under [tables]"),
    Finding(Severity.NOTE, f"wallet.{'a_long_name_' * 6}", "is a view"),
]


def on_screen(shown: RenderableType) -> str:
    """What 80 columns show, without the blanks that fill the lines."""
    screen = io.StringIO()
    Console(file=screen, width=80).print(shown)
    return "".join(f"{line.rstrip()}\n" for line in screen.getvalue().splitlines())


@pytest.mark.parametrize(("number", "text"), [(0, "no errors"), (1, "1 error"), (1200, "1,200 errors")])
def test_counted_nouns(number: int, text: str) -> None:
    """None, one, many."""
    assert counted(number, "error") == text


def test_findings() -> None:
    """A name of any length is shown whole, and what to do stands in a line of its own."""
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
    given = [
        TableEstimate(
            "a.b", f"app.table_{number}", *((None, None) if basis is Basis.UNKNOWN else (12_345, 67_890)), basis
        )
        for number, basis in enumerate(bases)
    ]
    return Estimate(tuple(given), 7_500, "as fast as the previous export")


def test_an_estimate() -> None:
    """Three digits of the rows, and what the numbers do not come from ANALYZE for."""
    assert estimate_text(estimated(Basis.STATISTICS), Path("output"), 2_000_000_000) == (
        "An export, estimated: 12,300 rows, 67.9 kB, 2 h 5 min; 2.0 GB are free in output.\n"
        "Time: as fast as the previous export."
    )
    others = estimated(*[Basis.SIZE] * 6, Basis.PREVIOUS, Basis.UNKNOWN)
    assert estimate_text(others, Path("output"), 0).splitlines()[2:] == [
        "Never analyzed, so estimated by size: app.table_0, app.table_1, app.table_2, app.table_3 and 2 more.",
        "As many as in the previous export: app.table_6.",
        "Unknown, and not in these numbers: app.table_7.",
    ]


def test_an_estimate_by_table() -> None:
    """The largest first; what is unknown last."""
    assert on_screen(estimates_table(estimated(Basis.UNKNOWN, Basis.STATISTICS))) == (
        "table          rows    bytes  by\n"
        "app.table_1  12,345  67.9 kB  statistics\n"
        "app.table_0       ?        ?  unknown\n"
    )


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1 s"), (99, "99 s"), (150, "2 min"), (5940, "99 min"), (6000, "1 h 40 min")]
)
def test_lasting(seconds: float, text: str) -> None:
    """In the unit that one would say."""
    assert lasting(seconds) == text


def test_the_summary_of_findings() -> None:
    """How many there are of each severity, the gravest first."""
    assert findings_summary(FINDINGS) == "1 error, no warnings, 1 note"


def test_the_whole_model_fits() -> None:
    """Every pattern, table and property stands unbroken on 80 columns."""
    words = set(on_screen(model_tables()).replace(",", " ").split())
    assert {word for made in RELATIONSHIPS for word in pattern(made).split()} <= words
    assert {node.table for node in NODES} <= words
    assert {f"{given.name}:{given.type}" for node in NODES for given in node.properties} <= words


def test_a_group_of_the_model() -> None:
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


def test_the_outcome_of_an_export() -> None:
    """Counts, size and time on one line; below it the costliest tables."""
    totals = {"nodes": 30375, "relationships": 35294, "properties": 188897, "rejects": 118, "bytes": 4_200_000}
    watch = Stopwatch("guide.skills 1", seconds={READ: 2.5}, cpu_seconds={READ: 0.5})
    profile = Profile([], [("guide.skills", 1, watch)], {"check": 1.0, "tables": 3.64}, 2)
    assert totals_line(totals, profile) == "30,375 nodes, 35,294 relationships, 118 rejects, 4.2 MB in 4.6 s"
    assert cost_lines(profile) == ("Held up most by the database. The costliest tables:\n       2.5 s  guide.skills")
