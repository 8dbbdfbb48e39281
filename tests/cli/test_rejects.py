"""`exporter rejects`: what an export left out, as its manifest counts it."""

import json
from collections import Counter
from pathlib import Path

from tests.support.commands import Done, Exporter

HEADER = "reason,table,column,key,value,references\n"


def test_all_rejects_of_an_export_are_counted(exporter: Exporter, exported: tuple[Path, Done]) -> None:
    """By reason, the commonest first, and below it by label and pattern: the numbers are the manifest's."""
    directory = exported[0]
    manifest = json.loads((directory / "manifest.json").read_text())
    listed = json.loads(exporter("rejects", directory, "--json").out)
    assert (listed["format"], listed["directory"], listed["rejects"]) \
        == (1, str(directory), manifest["totals"]["rejects"])  # fmt: skip
    counted = {(group["entity"], group["reason"]): group["count"] for group in listed["groups"]}
    names = [node["label"] for node in manifest["nodes"]]
    names += [f"{pattern['start']}-{pattern['type']}-{pattern['end']}" for pattern in manifest["relationships"]]
    entries = [*manifest["nodes"], *manifest["relationships"]]
    assert counted == {
        (name, reason): count
        for name, entry in zip(names, entries, strict=True)
        for reason, count in entry["rejects"].items()
    }
    by_reason = Counter[str]()
    for (_, reason), count in counted.items():
        by_reason[reason] += count
    lines = exporter("rejects", directory.name, "--output", directory.parent).out.splitlines()
    assert [line.partition(":")[0] for line in lines if line and line[0] != " "][:-1] \
        == [f"{reason} {count:,}" for reason, count in by_reason.most_common()]  # fmt: skip
    assert lines[-1] == f"{manifest['totals']['rejects']:,} rejects in {directory}"


def test_rejects_are_chosen_by_reason_and_entity(exporter: Exporter, exported: tuple[Path, Done]) -> None:
    """Names that are not known are refused."""
    chosen = exporter("rejects", exported[0], "--reason", "dangling_end", "--entity", "Customer-HAS_AUTH-AuthUser").out
    first, entity, *_ = chosen.splitlines()
    assert first.startswith("dangling_end ") and entity.startswith("  Customer-HAS_AUTH-AuthUser ")
    wrong = [
        exporter("rejects", exported[0], flag, name) for flag, name in (("--reason", "dangling"), ("--entity", "X"))
    ]
    assert [(done.code, done.err[: done.err.index(";")]) for done in wrong] == [
        (2, "exporter: --reason dangling: there is none"),
        (2, "exporter: --entity X: there is none"),
    ]


def test_values_cannot_command_a_terminal(exporter: Exporter, tmp_path: Path) -> None:
    """Control characters are escaped, personal data is masked, null is not the empty text."""
    folder = tmp_path / "output" / "rejected-20261121T031500Z" / "nodes" / "Lead"
    folder.mkdir(parents=True)
    (folder / "part-0001.csv").write_text(
        f'{HEADER}malformed_id,marketing.leads,id,1,"\x1b[2J\r\n",\nmalformed_id,marketing.leads,id,,"",\n'
        "malformed_id,marketing.leads,phone,2,+4912345,\n",
        newline="",
    )
    done = exporter("rejects", "rejected-20261121T031500Z")
    assert done.out.splitlines()[1:] == [
        "  Lead 3",
        r"    key 1: id = \x1B[2J\r\n",
        "    key null: id = (empty)",
        "    key 2: phone = (phone, masked)",
        "",
        "3 rejects in output/rejected-20261121T031500Z",
    ]


def test_without_rejects_it_says_so(exporter: Exporter, tmp_path: Path) -> None:
    """In one line; and an export that is not there is a mistake of the user's."""
    (tmp_path / "output" / "rejected-20261121T031500Z").mkdir(parents=True)
    assert exporter("rejects", "rejected-20261121T031500Z") \
        == Done(0, "no rejects in output/rejected-20261121T031500Z\n", "")  # fmt: skip
    assert exporter("rejects").code == 2
