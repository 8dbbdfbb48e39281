"""What `exporter local` says of a graph: ages, what to type next."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from exporter.local.registry import Graph
from exporter.local.tables import contents_text, graphs_table, samples_text, usage_text
from exporter.model.sample_queries import FULL_CUSTOMER_JOURNEY
from exporter.text import format_age
from tests.support.local_graph import RECORD
from tests.support.manifests import WINDOW


def printed(content: object) -> list[str]:
    """Its lines, as long as they are."""
    console = Console(width=80)
    with console.capture() as captured:
        console.print(content, soft_wrap=True)
    return captured.get().splitlines()


def test_what_to_type_next() -> None:
    """Lines to paste, with the name where it is not the default one, and the Browser's address where there is one."""
    graph = Graph(Path("/data/sales"))
    lines = printed(usage_text(graph, RECORD))
    assert lines[:2] == ["", contents_text(graph, RECORD)]
    assert lines[2:] == [
        "  Bolt     bolt://127.0.0.1:17687",
        "  User     neo4j, the password is in /data/sales/password",
        "  Browser  this Neo4j has none; build the graph again without NEO4J_HOME to have one",
        "  Ask      exporter local query --name sales 'MATCH (g:Guide) RETURN g.full_name, g.tier LIMIT 5'",
        "  Samples  exporter local query --name sales 1",
        "  Stop     exporter local stop --name sales",
        "  Start    exporter local start --name sales",
    ]
    served = printed(usage_text(Graph(Path("/data/graph")), replace(RECORD, http_port=17474)))
    assert (served[4], served[7]) == ("  Browser  http://127.0.0.1:17474/browser/", "  Stop     exporter local stop")


COPY = replace(RECORD, window=replace(WINDOW, since=RECORD.snapshot_at - timedelta(days=7)), masked="analyst")


def test_what_a_copy_holds() -> None:
    """It is said that it is a window, of how much, and what masking does not do."""
    lines = printed(usage_text(Graph(Path("/data/sales")), COPY))
    assert lines[1:4] == [
        contents_text(Graph(Path("/data/sales")), RECORD),
        "  A window, since 2026-11-19 03:15 UTC, 1 % of the people (seed 7), what belongs to 1 Customer by "
        "phone_number, without Notification: 35,261 of 99,704 rows",
        "  Masked by the profile analyst: pseudonymised, not anonymous",
    ]


def test_copies_in_the_list(tmp_path: Path) -> None:
    """Two columns more, where there is one."""
    whole, copy = Graph(tmp_path / "all"), Graph(tmp_path / "week")
    for graph in (whole, copy):
        graph.directory.mkdir()
    whole.save(RECORD)
    titles = "graph  running  address                 nodes  snapshot  MB"
    assert printed(graphs_table([whole]))[0].split() == titles.split()
    copy.save(replace(COPY, window=replace(WINDOW, since=COPY.window.since, roots=[], sample=None, without=[])))
    lines = [line.split() for line in printed(graphs_table([whole, copy]))]
    assert [(line[0], *line[-2:]) for line in lines] == [
        ("graph", "window", "masked"), ("all", "–", "–"), ("week", "7d", "analyst"),
    ]  # fmt: skip
    assert copy.record() == replace(COPY, window=replace(COPY.window, roots=[], sample=None, without=[]))


def test_a_sample_query_can_be_pasted() -> None:
    """Between a line with its name and the next."""
    assert printed(samples_text([(FULL_CUSTOMER_JOURNEY, "RETURN 1")])) == [
        "",
        "// 1 Full Customer Journey",
        "RETURN 1;",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"), [(42, "42 s"), (200, "3 min 20 s"), (3900, "1 h 5 min"), (86400 * 12, "12 days")]
)
def test_ages_have_two_units(seconds: int, text: str) -> None:
    assert format_age(datetime.now(UTC) - timedelta(seconds=seconds)) == text
