"""docs/graph.md is true: its diagram is the model's, its tables are the code's. Its recipes run with README's."""

from exporter.model.graph import NODES
from exporter.model.render import mermaid
from exporter.model.tables import ordered_relationships, tables
from exporter.model.vocabulary import Type
from exporter.shape.rejects import Reason
from exporter.source.columns import accepted
from tests.support.pages import read_page

PAGE = read_page("docs/graph.md")


def test_the_diagram_is_the_models() -> None:
    """After a change of the model, `exporter model --format mermaid` prints the new one."""
    assert PAGE.blocks("mermaid") == [f"{mermaid()}\n"]


def test_the_counts_are_the_models() -> None:
    """Of tables, labels and patterns, also in README's first sentences."""
    counts = f"{len(NODES)} node labels and {len(ordered_relationships())} relationship patterns"
    assert f"\n{len(tables())} tables become {counts}." in PAGE.text
    beginning = " ".join(read_page("README.md").text.partition("```")[0].split())
    assert f" {len(tables())} tables " in beginning and f" {counts} " in beginning


def test_reasons_come_in_the_order_in_which_they_decide() -> None:
    """All of them; their meanings are the report's, too (tests/report/test_content.py)."""
    assert [row[0] for row in PAGE.table("Reason")] == list(Reason)


def test_column_types_are_what_the_check_accepts() -> None:
    """For each property type; that of strings is in words."""
    rows = dict(PAGE.table("Property"))
    assert list(rows) == list(Type)
    assert {name: rows[name] for name in rows if name != Type.STRING} \
        == {type_: accepted(type_) for type_ in Type if type_ is not Type.STRING}  # fmt: skip
