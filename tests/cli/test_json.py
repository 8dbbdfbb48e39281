"""`--json`: one object on stdout, which says what the text says."""

import json
from pathlib import Path

import psycopg

from exporter.model.graph import NODES, RELATIONSHIPS
from tests.support.commands import Done, Exporter


def test_an_export_as_json(exporter: Exporter, sample_database: str, tmp_path: Path) -> None:
    """Where it is, what it holds, why rows were left out, what it cost; a failure has no object."""
    done = exporter("export", "--json", "--archive", EXPORTER_SOURCE=sample_database)
    result = json.loads(done.out)
    (directory,) = (tmp_path / "output").glob("2*Z")
    manifest = json.loads((directory / "manifest.json").read_text())
    path = f"output/{directory.name}"
    assert {name: result.pop(name) for name in ("format", "directory", "report", "archive", "totals")} == {
        "format": 1,
        "directory": path,
        "report": f"{path}/report.html",
        "archive": f"{path}.tar.zst",
        "totals": manifest["totals"],
    }
    assert sum(result.pop("rejects").values()) == manifest["totals"]["rejects"]
    assert list(result.pop("seconds")) == ["check", "lock", "keys", "tables", "archive"]
    assert (list(result), result["pushed"]) == (["peak_memory", "pushed"], None)
    failed = exporter("export", "--json", "--max-rejects", "0", EXPORTER_SOURCE=sample_database)
    assert (failed.code, failed.out) == (1, "")


def test_headers_as_json(exporter: Exporter) -> None:
    """Written, and compared."""
    written = {"format": 1, "directory": "headers", "written": len(NODES) + len(RELATIONSHIPS), "differences": []}
    assert json.loads(exporter("headers", "--json").out) == written
    assert json.loads(exporter("headers", "--json", "--check").out) == written | {"written": 0}
    missing = exporter("headers", "other", "--json", "--check")
    assert (missing.code, len(json.loads(missing.out)["differences"])) == (1, written["written"])
    assert missing.err.endswith("exporter headers other\n")


def test_the_model_as_json(exporter: Exporter) -> None:
    """To the byte what its format of that name is, so that its digest is the manifest's."""
    assert exporter("model", "--json") == exporter("model", "--format", "json") != Done(0, "", "")


def test_init_as_json(exporter: Exporter, source: str) -> None:
    """Which names it guessed; the settings file is written all the same."""
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("alter table marketing.leads rename to lead")
        connection.execute("alter table guide.skills rename name to skill_name; drop table guide.languages cascade")
    done = exporter("init", "--json", EXPORTER_SOURCE=source)
    result = json.loads(done.out)
    assert (done.code, list(result)) == (0, ["format", "file", "tables", "columns", "errors"])
    assert result["tables"]["marketing.leads"] == {"name": "marketing.lead", "certain": True}
    assert result["columns"]["guide.skills.name"] == {"name": "skill_name", "certain": True}
    assert "guide.guide_profile" not in result["tables"]
    assert Path(result["file"]).name == "exporter.toml"
