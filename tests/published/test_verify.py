"""Verification finds every difference between manifest, files and graph, and nothing where there is none."""

import contextlib
import json
import os
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import neo4j
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.errors import DifferenceError, RunError, UsageError
from exporter.published.verify import data_rows, verify_files
from exporter.sink.manifest import read_manifest
from exporter.store.configuration import configure, environment
from exporter.store.provision import Neo4jHome
from exporter.store.server import serve
from exporter.store.verify import Found, differences, verify_bolt
from tests.support import tiny_export

Edit = Callable[[dict[str, Any]], object]


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return tiny_export.write(tmp_path / "export")


def edited(export: Path, edit: Edit) -> list[str]:
    """The differences after a change of the manifest, with checksums that are right."""
    manifest = tiny_export.manifest(export)
    edit(manifest)
    tiny_export.write_manifest(export, manifest)
    return verify_files(export)


def test_a_whole_export_has_no_difference(export: Path) -> None:
    """All bytes are seen, and told while they are."""
    seen: list[tuple[int, int]] = []
    assert verify_files(export, lambda done, total: seen.append((done, total))) == []
    total = sum(path.stat().st_size for path in export.rglob("*") if path.is_file() and path.name != "SHA256SUMS")
    assert (len(seen), seen[-1]) == (22, (total, total))


def test_a_directory_that_looks_like_a_pattern(tmp_path: Path) -> None:
    """Its name is taken literally."""
    assert verify_files(tiny_export.write(tmp_path / "a[b]*")) == []


def test_files_that_are_missing_added_or_changed(export: Path) -> None:
    """All at once."""
    (export / "nodes/Device/part-0001.csv").unlink()
    (export / "nodes/extra.csv").write_text("x")
    (export / "import.args").write_text("--id-type=string\n")
    assert verify_files(export) == [
        "nodes/Device/part-0001.csv: missing",
        "nodes/extra.csv: not listed in SHA256SUMS",
        "import.args: changed, its SHA-256 differs from SHA256SUMS",
    ]


def test_no_manifest_and_no_checksums(export: Path, tmp_path: Path) -> None:
    """One of the two is damage; without either the directory is not an export."""
    (export / "manifest.json").unlink()
    assert verify_files(export) == ["manifest.json: missing", "manifest.json is missing"]
    (export / "SHA256SUMS").unlink()
    for directory, sentence in ((export, "is not an export"), (tmp_path / "gone", "there is no directory ")):
        with pytest.raises(UsageError, match=sentence):
            verify_files(directory)
    tiny_export.write(export)
    (export / "SHA256SUMS").unlink()
    assert verify_files(export) == ["SHA256SUMS is missing"]


def test_only_plain_files_are_opened(export: Path, tmp_path: Path) -> None:
    """Links, also to what is right, a pipe that nobody writes to and a socket are refused, all at once; the export
    itself may be a link, as `latest` is."""
    (tmp_path / "latest").symlink_to(export)
    assert verify_files(tmp_path / "latest") == []
    (export / "schema.cypher").rename(tmp_path / "schema.cypher")
    (export / "schema.cypher").symlink_to(tmp_path / "schema.cypher")
    (export / "nodes/Session").rename(tmp_path / "Session")
    (export / "nodes/Session").symlink_to(tmp_path / "Session")
    (export / "manifest.json").unlink()
    os.mkfifo(export / "manifest.json")
    (export / "nodes/gone").symlink_to("nowhere")
    with socket.socket(socket.AF_UNIX) as listening, contextlib.chdir(export):
        listening.bind("so\x1bcket")
        assert verify_files(tmp_path / "latest") == [
            f"{name}: neither a plain file nor a directory, so nothing was read"
            for name in ("manifest.json", "nodes/Session", "nodes/gone", "schema.cypher", "so\\x1Bcket")
        ]
    with pytest.raises(DifferenceError, match=r"^manifest\.json is not a plain file$"):
        read_manifest(export)


@pytest.mark.parametrize(("change", "sentence"), tiny_export.DAMAGED_CHECKSUMS)
def test_checksums_of_another_grammar_are_refused(export: Path, change: Callable[[str], str], sentence: str) -> None:
    """Those that import.sh refuses, with its sentences; nothing else is compared then."""
    sums = export / "SHA256SUMS"
    sums.write_bytes(change(sums.read_text()).encode())
    [found] = verify_files(export)
    assert re.fullmatch(sentence, found)


@pytest.mark.parametrize(
    ("edit", "differences"),
    [
        (lambda m: m.update(format=3), ["manifest.json has format 3, and this program reads formats 1 and 2"]),
        (lambda m: m.pop("totals"), ["manifest.json is not what this program writes: see totals"]),
        (
            lambda m: m["nodes"][0].update(rows="many"),
            ["manifest.json is not what this program writes: see nodes.0.rows"],
        ),
        (
            lambda m: m["totals"].update(nodes=19, relationships=4, properties=46, bytes=1, rejects=0),
            [
                "totals.nodes: 19 in manifest.json, 18 in nodes",
                "totals.relationships: 4 in manifest.json, 5 in relationships",
                "totals.properties: 46 in manifest.json, 45 in the entities",
                "totals.bytes: 1 in manifest.json, 794 in files",
                "totals.rejects: 0 in manifest.json, 2 in the entities",
            ],
        ),
        (
            lambda m: m["nodes"][1]["property_counts"].update(country_code=2),
            ["Customer, properties: 3 in manifest.json, 4 in property_counts"],
        ),
        (
            lambda m: m["nodes"][0]["rejects"].update(null_id=1, duplicate_id=1),
            [
                "AuthUser, rejects for duplicate_id: 1 in manifest.json, 0 in the reject files",
                "AuthUser, rejects for null_id: 1 in manifest.json, 2 in the reject files",
            ],
        ),
    ],
)
def test_a_manifest_that_does_not_add_up(export: Path, edit: Edit, differences: list[str]) -> None:
    assert edited(export, edit) == differences


def test_a_file_that_was_taken_from_the_checksums_too(export: Path) -> None:
    """An import needs it, whatever SHA256SUMS says."""
    (export / "import.args").unlink()
    tiny_export.write_checksums(export)
    assert verify_files(export) == ["import.args: missing"]


def test_counts_that_are_not_the_manifests(export: Path) -> None:
    """counts.tsv is what the scripts compare with, so it must say what the manifest says."""
    content = (export / "counts.tsv").read_text(encoding="utf-8")
    tiny_export.write_counts(export, content.replace("total\tnodes\t", "total\tnodes\t1"))
    assert verify_files(export) == ["counts.tsv: its counts are not those of manifest.json"]


def test_rows_that_the_manifest_does_not_have(export: Path) -> None:
    """The number of rows is counted in the files; a data file beside those of the manifest is one too many."""
    (export / "nodes/Customer/part-0002.csv").write_text('9,"+1"\n')
    [file] = [file for file in tiny_export.manifest(export)["files"] if "HAS_SESSION" in file["path"]]
    found = f"{file['path']}: 3 rows, {file['bytes']} bytes, SHA-256 {file['sha256'][:8]}…"
    expected = f"manifest.json has 2, {file['bytes']} and {file['sha256'][:8]}…"

    def lose_a_row(manifest: dict[str, Any]) -> None:
        [changed] = [entry for entry in manifest["files"] if entry["path"] == file["path"]]
        changed["rows"] = 2

    assert edited(export, lose_a_row) == [
        "nodes/Customer/part-0002.csv: not in manifest.json",
        f"{found}; {expected}",
        "(AuthUser)-[HAS_SESSION]->(Session), rows: 3 in manifest.json, 2 in its files",
    ]


@given(st.lists(st.lists(st.none() | st.text('a,"\n\r \\\ufeff', max_size=5), min_size=2, max_size=3), max_size=8))
def test_rows_are_counted_whatever_they_hold(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    path = tmp_path_factory.getbasetemp() / "counted.csv"
    lines = [",".join("" if text is None else '"' + text.replace('"', '""') + '"' for text in row) for row in rows]
    path.write_bytes("".join(f"{line}\n" for line in lines).encode())
    assert data_rows(path) == len(rows)


@pytest.fixture(scope="module")
def imported(neo4j_home: Neo4jHome, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """An export and the Bolt address of a server that holds it."""
    directory = tmp_path_factory.mktemp("imported")
    export = tiny_export.write(directory / "export")
    conf = configure(directory / "store")
    command = ["bash", str(export / "import.sh")]
    subprocess.run(command, env=environment(neo4j_home, conf), check=True, capture_output=True)
    with serve(neo4j_home, directory / "store") as server:
        yield export, server.bolt_uri


def test_the_imported_graph_has_no_difference(imported: tuple[Path, str]) -> None:
    export, uri = imported
    assert verify_bolt(export, uri) == []
    assert verify_bolt(export, uri, user="neo4j", password="not looked at by a server without authentication") == []


def test_every_difference_of_the_graph_is_found(imported: tuple[Path, str], tmp_path: Path) -> None:
    """Nodes, relationships by both ends, values, and whatever the manifest does not know."""
    export, uri = imported
    manifest = tiny_export.manifest(export)
    manifest["nodes"][0]["property_counts"]["phone_number"] = 9
    del manifest["nodes"][1]["property_counts"]["country_code"]
    manifest["nodes"][2]["label"] = "Sitting"
    manifest["nodes"][3]["rows"] = 1
    manifest["relationships"][0]["end"] = "Session"
    manifest["relationships"][1]["property_counts"]["via"] = 3
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    assert verify_bolt(tmp_path, uri) == [
        "AuthUser.phone_number: 9 in manifest.json, 10 in Neo4j",
        "Customer.country_code: 0 in manifest.json, 1 in Neo4j",
        "Sitting, nodes: 3 in manifest.json, 0 in Neo4j, and 2 of its properties",
        "Device, nodes: 1 in manifest.json, 0 in Neo4j",
        "(Customer)-[HAS_AUTH]->(Session), relationships: 2 in manifest.json, 0 in Neo4j, and 1 of its properties",
        "(AuthUser)-[HAS_SESSION]->(Session).via: 3 in manifest.json, 0 in Neo4j",
        "(Customer)-[HAS_AUTH]->(AuthUser): none in manifest.json, 2 in Neo4j",
        "Session: none in manifest.json, 3 in Neo4j",
    ]


def test_another_export_is_told_first(export: Path) -> None:
    """Where no label has its nodes; where one has, the differences stand alone."""
    manifest = read_manifest(export)
    found = {"AuthUser": Found(7), "Customer": Found(9), "Session": Found(1), "Oth\x1ber": Found(1)}
    first, *others = differences(manifest, found)
    taken = "(this one is of 2026-11-23 03:15:01 UTC)"
    assert first == f"none of 3 labels agrees: was another export imported? {taken}"
    assert others[0] == "AuthUser, nodes: 13 in manifest.json, 7 in Neo4j, and 3 of its properties"
    assert others[-1] == "Oth\\x1Ber: none in manifest.json, 1 in Neo4j"
    assert differences(manifest, found | {"Session": Found(3)})[0] == others[0]
    assert differences(manifest, {})[0] == (
        f"none of 3 labels agrees, the database is empty: was the export imported here? {taken}"
    )


def test_what_was_added_to_the_graph_is_found(imported: tuple[Path, str]) -> None:
    """A node without a label, and a type that the manifest does not have."""
    export, uri = imported
    with neo4j.GraphDatabase.driver(uri) as driver:
        driver.execute_query("CREATE ({added: true})-[:ADDED]->({added: true})")
        assert verify_bolt(export, uri) == [
            "()-[ADDED]->(): none in manifest.json, 1 in Neo4j",
            "no label: none in manifest.json, 2 in Neo4j",
        ]
        driver.execute_query("MATCH (n) WHERE n.added DETACH DELETE n")


def test_a_server_that_does_not_answer(imported: tuple[Path, str], tmp_path: Path) -> None:
    """One that is not there, one that says nothing, a database that is not there: all exit code 4."""
    export, uri = imported
    with socket.socket() as silent, pytest.raises(RunError, match=r"Neo4j does not answer \(ServiceUnavailable\)"):
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        verify_bolt(export, f"bolt://127.0.0.1:{silent.getsockname()[1]}")
    with pytest.raises(RunError, match=r"Neo4j does not answer \(ServiceUnavailable\)"):
        verify_bolt(export, "bolt://127.0.0.1:1")
    with pytest.raises(RunError, match="is database elsewhere online"):
        verify_bolt(export, uri, database="elsewhere")
    for address in ("127.0.0.1:7687", "http://127.0.0.1", "bolt://"):
        with pytest.raises((UsageError, RunError)):
            verify_bolt(export, address)
    with pytest.raises(DifferenceError, match=r"manifest\.json is missing"):
        verify_bolt(tmp_path, uri)


def test_all_entities_of_a_table_have_as_many_rows(export: Path) -> None:
    """Rows outside of the window are among them; what makes more or fewer is a difference of every export."""
    edited(export, lambda m: m["nodes"][1].update(outside_window=7))
    sentence = "tiny.customer: 9 rows are accounted for in Customer, 2 in (Customer)-[HAS_AUTH]->(AuthUser)"
    assert verify_files(export) == [sentence]
    assert edited(export, lambda m: m["relationships"][0].update(outside_window=6, no_target=1)) == []


def test_a_masked_export_of_another_hand(export: Path) -> None:
    """The forms of its values are looked at, so its treatments must be there."""
    tiny_export.make_copy(export)
    assert verify_files(export) == ["the masking cannot be checked: the graph model is that of version 1.0.0"]
    tiny_export.make_copy(export, redaction=None)
    assert verify_files(export) == []


def test_names_of_another_hand_cannot_command_the_terminal(export: Path) -> None:
    """Nor is half a character a traceback: JSON can hold it, UTF-8 cannot."""
    assert edited(export, lambda m: m["nodes"][1].update(label="Cust\x1b[2Jomer"))[0] == (
        "Cust\\x1B[2Jomer, rows: 2 in manifest.json, 0 in its files"
    )
    (export / "manifest.json").write_text((export / "manifest.json").read_text().replace("\\u001b", "\\ud800"))
    tiny_export.write_checksums(export)
    assert verify_files(export) == ["manifest.json is not JSON"]


def test_a_reject_file_that_is_no_csv(export: Path) -> None:
    """A difference, though its checksum is right."""
    (export / "rejects/nodes/AuthUser/part-0001.csv").write_text("cause\nnull_id\n")
    tiny_export.write_checksums(export)
    path = "rejects/nodes/AuthUser/part-0001.csv"
    assert verify_files(export) == [f"{path}: cannot be read as CSV: ColumnNotFoundError"]


def test_what_an_import_is_told(export: Path) -> None:
    """Which files it reads by which headers, and that it skips nothing, though the checksums are right."""
    arguments = (export / "import.args").read_text()
    for old, new, sentence in (
        ("nodes/AuthUser/part-0002.csv", "nodes/AuthUser/part-0001.csv", "headers and data files are not those of"),
        ("--nodes=Session=", "--nodes=Sessions=", "headers and data files are not those of"),
        ("--bad-tolerance=0\n", "", "without --bad-tolerance=0, an import would skip rows"),
    ):
        (export / "import.args").write_text(arguments.replace(old, new, 1))
        tiny_export.write_checksums(export)
        [found] = verify_files(export)
        assert sentence in found
