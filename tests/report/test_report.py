"""report.html of real exports: part of the export, true, and never in the way."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from exporter.errors import Interrupted
from exporter.interrupts import interruptible
from exporter.published.verify import verify_files
from exporter.report import report as module
from exporter.report.report import SHOWN, error_page, format_setting, report, shown_settings
from exporter.settings import RebuildSettings, Settings
from tests.support.exporting import export

PHONE = "+91 98765 00000"


@pytest.fixture
def dirty(source: str) -> str:
    """A source with a wallet of no guide whose phone two guides share, and a skill of a guide that is not there."""
    with psycopg.connect(source) as connection:
        connection.execute("set session_replication_role = replica")
        guide = "(%s, 'A', %s, true, true, true, now())"
        columns = "(id, full_name, phone_number, chat_enabled, voice_enabled, video_enabled, created_at)"
        connection.execute(f"insert into guide.guide_profile {columns} values {guide}, {guide}", [1, PHONE, 2, PHONE])
        columns = "(consultant_id, phone_number, revenue_share, accepts_promotional_offers, created_at)"
        connection.execute(f"insert into wallet.consultant_wallets {columns} values (9, %s, 1, true, now())", [PHONE])
        connection.execute("insert into guide.skills (id, name) values (1, 'x')")
        connection.execute("insert into guide.guide_skills (guide_id, skill_id) values (77, 1)")
    return source


def test_a_report(dirty: str, tmp_path: Path) -> None:
    """It is listed among the checksums, has the manifest's numbers and the rejects' values, but no phone; the second
    one tells what changed since the first, and the last is undisturbed by manifests that cannot be read."""
    settings = Settings(source=dirty, output=tmp_path)
    first = export(settings).directory
    page = (first / "report.html").read_text()
    assert "  report.html\n" in (first / "SHA256SUMS").read_text() and verify_files(first) == []
    assert "nothing before" in page
    assert "<code>77</code>" in page and "masked: phone" in page and PHONE not in page and "98765" not in page
    rejects = json.loads((first / "manifest.json").read_bytes())["totals"]["rejects"]
    assert f'<p class="big">{rejects}</p>' in page

    with psycopg.connect(dirty) as connection:
        connection.execute("insert into guide.skills (id, name) values (2, 'y'), (3, 'z')")
    second = export(settings).directory
    page = (second / "report.html").read_text()
    assert f"<code>{first.name}</code>" in page and "+200 %" in page and "<strong>Nothing to look at</strong>" in page
    links = re.findall(r'href="(?!#|data:)([^"]+)"', page)
    assert len(links) > 3 and all((second / link).exists() for link in links)

    (first / "manifest.json").write_text("[]")
    (second / "manifest.json").unlink()
    third = export(settings).directory
    assert "nothing before" in (third / "report.html").read_text()


def test_the_verdict_follows_the_settings(dirty: str, tmp_path: Path) -> None:
    """Of two guides one is left: as much as may be lost, or too much."""
    allowing, usual = (
        Settings(source=dirty, output=tmp_path, rebuild=RebuildSettings(max_drop=percent)) for percent in (50, 20)
    )
    export(usual)
    with psycopg.connect(dirty) as connection:
        connection.execute("delete from guide.guide_profile where id = 2")
    page = (export(allowing).directory / "report.html").read_text()
    assert "<strong>1 change close to a limit</strong>" in page and "may lose 50 % of its rows" in page
    with psycopg.connect(dirty) as connection:
        connection.execute("delete from guide.guide_profile")
    page = (export(usual).directory / "report.html").read_text()
    assert "<strong>3 things to look at</strong>" in page  # its wallet is another's now, and a reject
    assert '<li class="over"><a href="#Guide">Guide</a> gone: no rows instead of 1</li>' in page


def test_what_is_shown_of_the_settings() -> None:
    """All but the source, the addresses of a cluster and a bucket, and what a copy's banner says, the values of roots
    not even there: whoever adds a setting decides whether it may be seen."""
    of_copies = {"since", "until", "sample", "sample_seed", "roots", "without"}
    of_copies |= {name for name in Settings.model_fields if name.startswith("redact")}
    assert {*SHOWN, "source", "rebuild", "cluster", "push", *of_copies} == set(Settings.model_fields)
    settings = Settings(
        source="postgresql://somebody:secret@db.example.org/astrokiran",
        max_duration="2h",
        tables={"marketing.leads": "crm.prospects"},
        columns={"marketing.leads": {"phone": "contact_number"}},
    )
    assert shown_settings(settings) == {
        "source name": "none", "output": "output", "group": "none", "workers": "2", "memory": "640 MB",
        "timezone": "UTC", "max rejects": "no limit", "max duration": "2 h 0 min", "lock timeout": "30 s",
        "stall timeout": "1 min 0 s",
        "archive": "no", "encrypt to": "none",
        "tables": "marketing.leads = crm.prospects", "columns": "marketing.leads.phone = contact_number",
    }  # fmt: skip
    assert format_setting("tables", {}) == "as in the model"


def test_a_report_that_is_interrupted(dirty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal that comes while it is made stops the export, as at any other time."""

    def stop(*_: object) -> str:
        signal.raise_signal(signal.SIGINT)
        return "a page"

    monkeypatch.setattr(module, "page", stop)
    with pytest.raises(Interrupted), interruptible():
        export(Settings(source=dirty, output=tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_a_report_that_fails(dirty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The export is published all the same; its report says where it failed, and quotes nothing."""

    def fail(*_: object) -> str:
        raise ValueError("secret")

    monkeypatch.setattr(module, "page", fail)
    directory = export(Settings(source=dirty, output=tmp_path)).directory
    page = (directory / "report.html").read_text()
    assert "the export itself is complete" in page and "ValueError (report.py:" in page and "secret" not in page
    assert verify_files(directory) == []
    assert error_page(ValueError("x")).count("<p>") == 2
    broken = report(None, settings=Settings(), profile=None, peak_memory=0, examples={})  # type: ignore[arg-type]
    assert broken.count("AttributeError") == 1


def test_the_leader_needs_no_polars() -> None:
    """Half a second and 60 MB that a report is not worth."""
    modules = "exporter.pipeline.run, exporter.progress.live, exporter.report.report"
    code = f"import sys, {modules}; sys.exit('polars' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
