"""docs/nightly.md and the recipes beside it: their tables are the code's, and those they are for can read them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from exporter import rebuild
from exporter.rebuild.report import DONE, FAILED, NOTHING
from exporter.settings import NEO4J_VARIABLES, RebuildSettings, load
from tests.support.pages import ROOT, read_page

PAGE = read_page("docs/nightly.md")
EXPORTER = Path(sys.executable).with_name("exporter")
UNITS = ("exporter-rebuild.service", "exporter-rebuild.timer")


def help_of(*command: str | Path) -> str:
    return subprocess.run([*command, "--help"], capture_output=True, text=True, check=True).stdout


def variable_of(name: str) -> str:
    """The environment variable of a rebuild's setting."""
    return NEO4J_VARIABLES.get(name) or f"EXPORTER_REBUILD_{name.upper()}"


def test_the_flow_is_that_of_the_code() -> None:
    """The drawing stands in the package, too."""
    assert PAGE.blocks("text")[0] in (rebuild.__doc__ or "")


def test_settings_are_the_codes() -> None:
    """Each with its flag, if it has one, variable, default, and what it must be."""
    rows = {row[0]: row[1:] for row in PAGE.table("Setting")}
    listed = help_of(EXPORTER, "rebuild")
    assert list(rows) == list(RebuildSettings.model_fields)
    for name, (flag, variable, default, must_be) in rows.items():
        field = RebuildSettings.model_fields[name]
        own_flag = f"--{name.replace('_', '-')}"
        assert (variable, must_be) == (variable_of(name), field.description)
        assert flag == (own_flag if f" {own_flag} " in listed else "")
        settings = load(None, rebuild={name: default} if default else None).rebuild
        assert getattr(settings, name) == field.default


def test_results_are_the_codes() -> None:
    """Every word that the object may have for what happened."""
    match = re.search(r"^`result` is (.*?)\. \*\*", PAGE.text, re.MULTILINE | re.DOTALL)
    assert match and set(re.findall(r"`([a-z ]+)`", match[1])) == {*DONE.values(), *FAILED.values(), NOTHING, "failed"}


def test_flags_of_the_script_exist() -> None:
    """On the page's command lines; `exporter rebuild` takes them."""
    used = {flag for line in re.findall(r"rebuild\.sh(.*)", PAGE.text) for flag in re.findall(r"--[a-z-]+", line)}
    command = help_of(EXPORTER, "rebuild")
    assert len(used) >= 4
    assert [flag for flag in sorted(used) if f" {flag} " not in command] == []


def test_the_script_points_to_the_command() -> None:
    """Its help repeats none of the command's options."""
    script = help_of(ROOT / "scripts" / "rebuild.sh")
    assert "`exporter rebuild --help`" in script and "docs/nightly.md" in script
    assert re.findall(r"^ +-", script, re.MULTILINE) == []


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not here")
@pytest.mark.parametrize("comment", ["#", ""], ids=["with sudo", "without sudo"])
def test_systemd_accepts_the_units(tmp_path: Path, comment: str) -> None:
    """Without a complaint, once the exporter is where they say; also with the settings that forbid sudo."""
    for name in UNITS:
        text = (ROOT / "docs" / "systemd" / name).read_text(encoding="utf-8")
        text = re.sub(r"^#(?=[A-Z]\w+=)", comment, text, flags=re.MULTILINE)
        assert comment or "\nNoNewPrivileges=yes\n" in text or name.endswith(".timer")
        (tmp_path / name).write_text(text.replace("/opt/exporter", str(ROOT)), encoding="utf-8")
    command = ["systemd-analyze", "verify", *(tmp_path / name for name in UNITS)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, [line for line in done.stderr.splitlines() if "exporter-rebuild" in line]) == (0, [])


def test_the_cron_job_runs_alone() -> None:
    """Never two at a time, no second attempt, and settings that there are."""
    job = yaml.safe_load((ROOT / "docs" / "kubernetes" / "rebuild-cronjob.yaml").read_text(encoding="utf-8"))
    assert (job["kind"], job["spec"]["concurrencyPolicy"], job["spec"]["jobTemplate"]["spec"]["backoffLimit"]) \
        == ("CronJob", "Forbid", 0)  # fmt: skip
    [container] = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    known = {"EXPORTER_SOURCE", "EXPORTER_OUTPUT", *map(variable_of, RebuildSettings.model_fields)}
    assert {variable["name"] for variable in container["env"]} <= known
    assert container["command"][:2] == ["exporter", "rebuild"]


def test_the_crontab_has_the_line_of_the_page() -> None:
    """A time, and the line that the page shows."""
    lines = (ROOT / "docs" / "cron.txt").read_text(encoding="utf-8").splitlines()
    [job] = [line for line in lines if re.match(r"\d", line)]
    assert re.match(r"15 3 \* \* \*  cd /srv/graph && ", job)
    assert any(job.startswith(block.strip()) for block in PAGE.blocks("text"))
