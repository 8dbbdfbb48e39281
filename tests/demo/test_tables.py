"""What the demo shows on a screen of 80 columns."""

import io
from pathlib import Path

from rich.console import Console, RenderableType

from exporter.demo.tables import anomalies_table, answer_table, summary_table
from exporter.pipeline.profile import Profile
from exporter.pipeline.run import ExportResult
from exporter.sample.answers import Answer
from exporter.sink.manifest import Manifest, NodeEntry, RelationshipEntry, Totals
from tests.support.manifests import METADATA


def on_screen(shown: RenderableType) -> str:
    """What 80 columns show, without the blanks that fill the lines."""
    screen = io.StringIO()
    Console(file=screen, width=80).print(shown)
    return "".join(f"{line.rstrip()}\n" for line in screen.getvalue().splitlines())


def test_an_answer_of_plain_values() -> None:
    """Side by side, numbers to the right, floats with two decimals, the first five rows; a name is no markup."""
    rows = (("Priya [Rao]", 15542.000000000002, 43), *((f"Guide {number}", 1.0, number) for number in range(6)))
    assert on_screen(answer_table("Guide Earnings", Answer(("g.full_name", "total_earnings", "orders"), rows))) == (
        """
Guide Earnings
g.full_name  total_earnings  orders
Priya [Rao]       15,542.00      43
Guide 0                1.00       0
Guide 1                1.00       1
Guide 2                1.00       2
Guide 3                1.00       3
… and 2 more rows
"""
    )


def test_an_answer_of_whole_nodes() -> None:
    """A value a line, cut where the line ends."""
    customer = {"country_code": "+91", "created_at": "2025-02-03T21:07:48.453000Z", "customer_id": 20003}
    booked = [{"consultation": 700263, "guide": "Acharya Divya Iyer", "mode": "VOICE"}] * 2
    answer = Answer(("c", "consultations", "payment_count"), ((customer, booked, 4),))
    assert on_screen(answer_table("Full Customer Journey ($phone = '98')", answer)) == (
        """
Full Customer Journey ($phone = '98')
c              country_code: +91, created_at: 2025-02-03T21:07:48.453000Z, cust…
consultations  2: consultation: 700263, guide: Acharya Divya Iyer, mode: VOICE;…
payment_count  4
"""
    )


def test_the_anomalies() -> None:
    """Every kind with its rows."""
    assert on_screen(anomalies_table({"dangling references": 1234, "births at 24:00:00": 2})) == (
        """\
anomalies in the sample   rows
dangling references      1,234
births at 24:00:00           2
"""
    )


def test_the_summary() -> None:
    """Counts, rejects by reason, the commonest first, seconds, memory."""
    nodes = [NodeEntry("Skill", "guide.skills", 12345, 3, {}, {"null_id": 1})]
    rejects = {"null_id": 1, "dangling_end": 4}
    relationships = [RelationshipEntry("Guide", "HAS_SKILL", "Skill", "guide.guide_skills", 2, 0, {}, 0, rejects)]
    totals = Totals(nodes=12345, relationships=2, properties=3, rejects=6, bytes=7)
    manifest = Manifest(
        1, METADATA.tool, METADATA.model, METADATA.source, METADATA.options, METADATA.started_at, METADATA.finished_at,
        nodes, relationships, [], totals,
    )  # fmt: skip
    result = ExportResult(Path("output/x"), manifest, Profile([], [], {}, 2), 300 << 20)
    assert on_screen(summary_table(result, {"1 · A sample source": 1.04, "2 · Export": 2.0})) == (
        """\
nodes                      12,345
relationships                   2
properties                      3
rejects                         6
  dangling_end                  4
  null_id                       2
1 · A sample source         1.0 s
2 · Export                  2.0 s
total                       3.0 s
peak memory of the export  300 MB
"""
    )
