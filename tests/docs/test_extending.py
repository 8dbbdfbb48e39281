"""docs/extending.md is true: its edits, applied in their order to a copy of the program, do what it says."""

import json
import re
from pathlib import Path
from typing import Any

import psycopg
import pytest

from exporter.sample.postgres import create_database
from exporter.sample.source import fill_sample
from tests.support.copied_tree import ROOT, apply, blocks, copy_tree, run

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
SECTIONS = dict(section.split("\n", 1) for section in PAGE.split("\n## ")[1:])
[COMMANDS] = blocks(PAGE, "sh")
GRAPH_SECTIONS = ("A property", "A label", "A relationship", "An ID rule")


@pytest.fixture(scope="module")
def source(postgres: str) -> str:
    """A sample with campaigns, and with a guide whose referrer's code is written in another case."""
    uri = create_database(postgres, "extending")
    fill_sample(uri, scale=0.01)
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("insert into offers.offer_campaigns select n, min(offer_id), 'Diwali'"
                           " from offers.offer_definitions, generate_series(1, 3) n group by n")  # fmt: skip
        connection.execute("update guide.guide_profile set referral_code = 'Om1' where id = 1")
        connection.execute("update guide.guide_profile set referrer_code = ' oM1 ' where id = 2")
    return uri


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The copy, with the edits of all sections that change the graph."""
    tree = copy_tree(tmp_path_factory.mktemp("extending"))
    for section in GRAPH_SECTIONS:
        changes = blocks(SECTIONS[section], "diff")
        assert changes, section
        for change in changes:
            apply(tree, change)
    return tree


@pytest.fixture(scope="module")
def manifest(tree: Path, source: str) -> dict[str, Any]:
    """The manifest of an export by the copy, after the page's commands."""
    done = run(tree, f"{COMMANDS}\nexporter export", source)
    assert done.returncode == 0, done.stdout + done.stderr
    content: dict[str, Any] = json.loads((tree / "output" / "latest" / "manifest.json").read_text(encoding="utf-8"))
    return content


def entity(manifest: dict[str, Any], **names: str) -> dict[str, Any]:
    """The manifest's entry of a label or a pattern."""
    [found] = [
        entry
        for entry in (*manifest["nodes"], *manifest["relationships"])
        if all(entry.get(key) == name for key, name in names.items())
    ]
    return dict(found)


def test_headers(tree: Path, manifest: dict[str, Any]) -> None:
    """`exporter headers` has written those of the new label and pattern, and the new property into its label's."""
    names = ("OTPAttempt", "Campaign", "Offer-HAS_CAMPAIGN-Campaign")
    assert [(tree / "headers" / f"{name}.csv").read_text(encoding="utf-8") for name in names] == [
        "id:ID(OTPAttempt){id-type:long},phone_number:string,purpose:string,is_used:boolean,validation_attempts:long,"
        "created_at:datetime,expires_at:datetime\n",
        "id:ID(Campaign){id-type:long},name:string\n",
        ":START_ID(Offer),:END_ID(Campaign)\n",
    ]


def test_a_property(manifest: dict[str, Any], source: str) -> None:
    """It has as many values as its column."""
    with psycopg.connect(source) as connection:
        row = connection.execute("select count(phone_number) from auth.otp_attempts").fetchone()
    assert row and row[0] > 0
    assert entity(manifest, label="OTPAttempt")["property_counts"]["phone_number"] == row[0]


def test_a_label_and_a_relationship(manifest: dict[str, Any]) -> None:
    """Each campaign is a node, and belongs to its offer."""
    campaign = entity(manifest, label="Campaign")
    assert (campaign["rows"], campaign["property_counts"], campaign["rejects"]) == (3, {"id": 3, "name": 3}, {})
    pattern = entity(manifest, start="Offer", type="HAS_CAMPAIGN", end="Campaign")
    assert (pattern["rows"], pattern["no_target"], pattern["rejects"]) == (3, 0, {})


def test_an_id_rule(tree: Path, manifest: dict[str, Any], source: str) -> None:
    """The referrer is found whatever the case of the code, by its token too."""
    assert manifest
    masked = run(tree, "exporter export --redact analyst", source)
    assert masked.returncode == 0, masked.stderr
    for export in ("latest", "latest-copy"):
        folder = tree / "output" / export / "relationships" / "Guide-REFERRED_BY-Guide"
        rows = "".join(path.read_text(encoding="utf-8") for path in folder.iterdir()).splitlines()
        assert [row for row in rows if row.startswith("2,")] == ['2,1,"referrer_code"']


@pytest.mark.parametrize("command", ["check", "export", "headers"])
def test_a_faulty_declaration_is_refused(command: str, source: str, tmp_path: Path) -> None:
    """With exit code 3 and everything that is wrong with it, before anything is read."""
    tree = copy_tree(tmp_path)
    [node, *_] = blocks(SECTIONS["A label"], "diff")
    [pattern] = blocks(SECTIONS["A relationship"], "diff")
    apply(tree, node)
    apply(tree, pattern.replace('"Offer",  ', '"Offfer", '))
    done = run(tree, f"exporter {command}", source)
    faults = [
        "model: table offers.offer_campaigns is both exported and on the skip list; correct exporter/model",
        "model: Offfer-HAS_CAMPAIGN-Campaign: there is no label Offfer; correct exporter/model",
        "model: Campaign.id has no privacy class; correct exporter/model",
        "model: Campaign.name has no privacy class; correct exporter/model",
    ]
    told = [line.strip().removeprefix("error: ") for line in (done.stdout + done.stderr).splitlines()]
    assert (done.returncode, [line for line in told if line.startswith("model: ")]) == (3, faults)
    assert list((tree / "output").glob("[!.]*")) == []


def test_a_setting(source: str, tmp_path: Path) -> None:
    """It has a flag, an environment variable and a place in the settings file, and a sentence for a wrong value."""
    tree = copy_tree(tmp_path)
    for change in blocks(SECTIONS["A setting"], "diff"):
        apply(tree, change)
    flag = run(tree, "exporter export --min-nodes=-1", source)
    variable = run(tree, "exporter check", source, EXPORTER_MIN_NODES="many")
    (tree / "exporter.toml").write_text("min_nodes = 1.5\n", encoding="utf-8")
    line = run(tree, "exporter check", source)
    places = ("--min-nodes -1", "EXPORTER_MIN_NODES=many", "exporter.toml line 1, min_nodes = 1.5")
    assert [(wrong.returncode, wrong.stderr) for wrong in (flag, variable, line)] \
        == [(2, f"exporter: {place}: must be a whole number, 0 or more\n") for place in places]  # fmt: skip
    assert run(tree, "exporter check", source, EXPORTER_MIN_NODES="7").returncode == 0
    assert "min_nodes = 1000" in run(tree, "exporter init --force && cat exporter.toml", source).stdout


def test_what_the_page_names_is_there() -> None:
    """Files, links, and the names in them."""
    paths = re.findall(r"`((?:exporter|tests|docs)/[\w/.-]+)`", PAGE) + re.findall(r"--- (\S+)", PAGE)
    links = [f"docs/{link}" for link in re.findall(r"\]\(([\w/.-]+)\)", PAGE)]
    assert [path for path in (*paths, *links) if not (ROOT / path).exists()] == []
