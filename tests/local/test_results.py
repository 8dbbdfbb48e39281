"""Results of a query, printed: exact for programs, a table for people, harmless on a terminal."""

import csv
import io
import json
import time
from collections.abc import Iterator

import neo4j
import pytest
from rich.console import Console

from exporter.errors import Interrupted, Stop, UsageError
from exporter.local.queries import notifications, run_query
from exporter.local.results import COUNTED_ROWS, csv_line, more_text, print_lines, read_table, result_table, write_csv
from exporter.store.provision import Neo4jHome
from exporter.store.server import serve

HOSTILE = 'a\x1b[2J\r\n\x9b\u202e, "q"'
GRAPH = "CREATE (:Guide {id: 1, name: $name})-[:HAS_SKILL {since: 2020}]->(:Skill {id: 7})"


# Without a Neo4j ------------------------------------------------------------------------------------------------------


def shown(columns: list[str], rows: list[list[object]], more: int = 0) -> list[str]:
    """The lines of a table on 80 columns."""
    console = Console(width=80)
    with console.capture() as captured:
        console.print(result_table(columns, rows, more))
    return [line.rstrip() for line in captured.get().splitlines()]


def test_results_are_tables() -> None:
    """One row a line; one value a line where rows hold more than plain values. Names are as harmless as values."""
    assert shown(["name", "n"], [["Asha", 12], [None, 7.125], [HOSTILE, 12345]], more=1) == [
        "name                              n",
        "Asha                             12",
        "null                           7.12",
        r'a\x1B[2J\r\n\x9B\u202E, "q"  12,345',
        "… and 1 more row; --limit shows more than 3, --format csv all",
    ]
    assert shown(["name", "tags"], [["Asha", ["a", 1]]]) == [" name  Asha", ' tags  ["a", 1]', ""]
    assert shown(["a\x1bb"], [[True]]) == [r"a\x1Bb", "true"]
    assert shown(["n"], []) == ["no rows"]


def test_rows_that_are_not_shown_are_counted() -> None:
    """Up to a number."""
    assert more_text(1000, 1234) == "… and 1,234 more rows; --limit shows more than 1,000, --format csv all"
    assert more_text(1000, COUNTED_ROWS + 1).startswith("… and more than 100,000 more rows;")


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (["a", 1, None, ""], 'a,1,,""\n'),
        (["a,b", 'say "x"', "two\r\nlines", " blank "], '"a,b","say ""x""","two\r\nlines", blank \n'),
        ([None], '""\n'),
        ([["x", None]], '"[""x"", null]"\n'),
    ],
)
def test_csv_is_quoted(values: list[object], line: str) -> None:
    """As RFC 4180 has it; null is nothing, empty text is quoted."""
    assert csv_line(values) == line


# With one -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def uri(each_neo4j: Neo4jHome, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Neo4j with two nodes, one with a hostile name."""
    with serve(each_neo4j, tmp_path_factory.mktemp("store")) as server:
        with neo4j.GraphDatabase.driver(server.bolt_uri) as driver:
            driver.execute_query(GRAPH, {"name": HOSTILE})
        yield server.bolt_uri


@pytest.fixture
def driver(uri: str) -> Iterator[neo4j.Driver]:
    """A driver of the test's own."""
    with neo4j.GraphDatabase.driver(uri) as driver:
        yield driver


def test_programs_get_exact_values(driver: neo4j.Driver, capsys: pytest.CaptureFixture[str]) -> None:
    """As CSV, and as JSON lines; nodes and relationships with what tells them apart."""
    query = "MATCH p = (g:Guide)-[r]->(s) RETURN g.name AS name, 0.1 + 0.2 AS n, g, r, p"
    with run_query(driver, query) as result:
        assert print_lines(result, None, csv=False) is False
    row = json.loads(capsys.readouterr().out)
    guide, skill = row["p"]["nodes"]
    assert (row["name"], row["n"], row["g"]) == (HOSTILE, 0.1 + 0.2, guide)
    assert guide == {"element_id": guide["element_id"], "labels": ["Guide"], "properties": {"id": 1, "name": HOSTILE}}
    assert row["r"] == {
        "element_id": row["r"]["element_id"], "type": "HAS_SKILL", "start": guide["element_id"],
        "end": skill["element_id"], "properties": {"since": 2020},
    }  # fmt: skip
    assert row["p"]["relationships"] == [row["r"]] and skill["properties"] == {"id": 7}
    with run_query(driver, query) as result:
        print_lines(result, None, csv=True)
    [header, values] = csv.reader(io.StringIO(capsys.readouterr().out, newline=""))
    assert header == ["name", "n", "g", "r", "p"]
    assert values[:2] == [HOSTILE, "0.30000000000000004"]
    assert [json.loads(value) for value in values[2:]] == [row[name] for name in header[2:]]


def test_a_terminal_gets_escapes(driver: neo4j.Driver) -> None:
    """In CSV too, which is exact elsewhere."""
    terminal = io.StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    with run_query(driver, "MATCH (g:Guide) RETURN g.name") as result:
        write_csv(result, None, terminal)
    assert terminal.getvalue() == 'g.name\n"a\\x1B[2J\\r\\n\\x9B\\u202E, ""q"""\n'


def test_people_get_a_table(driver: neo4j.Driver) -> None:
    """A path as Cypher writes it; only so many rows, and how many more there are."""
    console = Console(width=80, file=io.StringIO())
    with run_query(driver, "MATCH p = (:Skill)<--(:Guide {id: 1}) RETURN p") as result:
        console.print(read_table(result, None))
    with run_query(driver, "UNWIND range(1, 2500) AS n RETURN n") as result:
        console.print(read_table(result, 1))
    assert [line.rstrip() for line in console.file.getvalue().splitlines()] == [  # type: ignore[attr-defined]
        " p  (:Skill {id: 7})<-[:HAS_SKILL {since: 2020}]-(:Guide {id: 1, name:",
        r'    "a\u001b[2J\r\n\x9B\u202E, \"q\""})',
        "",
        "n",
        "1",
        "… and 2,499 more rows; --limit shows more than 1, --format csv all",
    ]


@pytest.mark.parametrize("as_csv", [True, False])
def test_a_limit_is_known_to_be_exceeded(
    as_csv: bool, driver: neo4j.Driver, capsys: pytest.CaptureFixture[str]
) -> None:
    """Or not."""
    for rows, exceeded in ((2, False), (3, True)):
        with run_query(driver, f"UNWIND range(1, {rows}) AS n RETURN n") as result:
            assert print_lines(result, 2, csv=as_csv) is exceeded
        assert len(capsys.readouterr().out.splitlines()) == 2 + as_csv


def test_neo4j_remarks_on_a_misspelt_label(driver: neo4j.Driver) -> None:
    """Once each, in its words; nothing on a query that is right."""
    with run_query(driver, "MATCH (g:Guid) MATCH (h:Guid) WHERE g.id = h.id RETURN g") as result:
        [remark] = [remark for remark in notifications(result) if "label" in remark]
    assert remark.startswith("warn: label does not exist. The label `Guid` does not exist")
    with run_query(driver, "MATCH (g:Guide) RETURN g") as result:
        assert notifications(result) == []


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("CREATE (n)", "Neo4j refuses the query: Writing in read access mode not allowed"),
        ("MATCH (n:`a\x1b[2J`) RETRN n", "Neo4j refuses the query: Invalid input 'RETRN'"),
        ("RETURN $`a\x1b[2J`", r"Neo4j refuses the query: Expected parameter\(s\): a\\x1B\[2J"),
        ("6", "there is no sample query 6: they are 1 to 5"),
        ("1", "the graph has no phone for which Full Customer Journey has an answer"),
    ],
)
def test_a_query_that_cannot_run_is_a_sentence(query: str, sentence: str, driver: neo4j.Driver) -> None:
    """In Neo4j's words, which cannot command a terminal either."""
    with pytest.raises(UsageError, match=sentence) as caught, run_query(driver, query) as result:
        result.consume()
    assert str(caught.value).isprintable()


def test_a_query_ends_with_the_command_that_asked(uri: str, driver: neo4j.Driver) -> None:
    """A signal does not wait for an answer that takes years, nor does Neo4j go on looking for it."""
    with (
        pytest.raises(Stop),
        neo4j.GraphDatabase.driver(uri) as stopped,
        run_query(stopped, "UNWIND range(1, 1000000000000) AS n RETURN count(n)"),
    ):
        raise Stop(Interrupted("stopped by SIGINT"))
    query = "SHOW TRANSACTIONS YIELD currentQuery WHERE currentQuery STARTS WITH 'UNWIND' RETURN currentQuery"
    while driver.execute_query(query).records:
        time.sleep(0.1)
