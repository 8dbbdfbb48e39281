"""What the demo shows on a screen of 80 columns."""

import io
from pathlib import Path
from unicodedata import category

from rich.console import Console, RenderableType

from exporter.demo.tables import answer_table, sample_text, summary_table, value_text
from exporter.pipeline.profile import Profile
from exporter.pipeline.run import ExportResult
from exporter.sample.answers import Answer
from exporter.sink.entries import NodeEntry, RelationshipEntry
from exporter.sink.manifest import Manifest, Totals
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
    """A value after the other, wrapped where the line ends, of a list the first five."""
    customer = {"country_code": "+91", "created_at": "2025-02-03T21:07:48.453000Z", "customer_id": 20003}
    booked = [{"consultation": number, "guide": "Acharya Divya", "mode": "VOICE"} for number in range(7)]
    answer = Answer(("c", "consultations", "payment_count"), ((customer, booked, 4),))
    assert on_screen(answer_table("Full Customer Journey ($phone = '98')", answer)) == (
        """
Full Customer Journey ($phone = '98')
c              country_code: +91, created_at: 2025-02-03T21:07:48.453000Z,
               customer_id: 20003
consultations  7: consultation: 0, guide: Acharya Divya, mode: VOICE;
               consultation: 1, guide: Acharya Divya, mode: VOICE; consultation:
               2, guide: Acharya Divya, mode: VOICE; consultation: 3, guide:
               Acharya Divya, mode: VOICE; consultation: 4, guide: Acharya
               Divya, mode: VOICE; and 2 more
payment_count  4
"""
    )


def test_a_table_leaves_room_for_vowel_signs() -> None:
    """A terminal that gives each of them a column breaks no line, however wide the table is."""
    names = ("नवरात्रि ऑफर की दीवाली", "A name that is long enough for two lines, or for three of them")
    shown = on_screen(
        answer_table("Offers", Answer(("name", "type", "rate"), tuple((n, "REFERRAL", 81.8) for n in names)))
    )
    widths = [len(line) - sum(category(letter) == "Mn" for letter in line) for line in shown.splitlines()]
    assert max(widths) <= 80
    assert shown.splitlines()[3].endswith("81.80")


def test_what_commands_a_terminal_is_escaped() -> None:
    """In a name as in a list of names."""
    assert (value_text("a\x1b[2Jb"), value_text(["a\rb"])) == ("a\\x1B[2Jb", "1: a\\rb")


def test_what_is_in_the_sample() -> None:
    """Three lines: its rows, its anomalies, the commonest kinds of them."""
    anomalies = {"births at 24:00:00": 2, "dangling references": 1234, "malformed auth ids": 40}
    assert sample_text(100607, anomalies) == (
        """\
100,607 rows of invented customers, guides, consultations, payments, …
1,276 of them are wrong on purpose, in 3 ways, as rows are in real life:
1,234 dangling references, 40 malformed auth ids, …"""
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
