"""docs/nightly.md and the recipes beside it: their tables are the code's, and those they are for can read them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from exporter import errors, rebuild
from exporter.rebuild.report import DONE, FAILED
from exporter.settings import RebuildSettings, load_rebuild, rebuild_variable
from tests.support.live_rebuild import PAGE, ROOT, blocks

EXPORTER = Path(sys.executable).with_name("exporter")
UNITS = ("exporter-rebuild.service", "exporter-rebuild.timer")


def table(heading: str) -> list[list[str]]:
    """The cells of the page's table whose head begins with this word, without backticks."""
    found = re.search(rf"^\| {heading} \|.*\n\|[-|]+\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    assert found, heading
    rows = found[1].replace("`", "").splitlines()
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def help_of(*command: str | Path) -> str:
    return subprocess.run([*command, "--help"], capture_output=True, text=True, check=True).stdout


def test_the_flow_is_that_of_the_code() -> None:
    """The drawing stands in the package, too."""
    assert blocks("text")[0] in (rebuild.__doc__ or "")


def test_the_settings() -> None:
    """Every setting with its flag, variable, default, and what it must be."""
    rows = {row[0]: row[1:] for row in table("Setting")}
    said = help_of(EXPORTER, "rebuild")
    assert list(rows) == list(RebuildSettings.model_fields)
    for name, (flag, variable, default, must_be) in rows.items():
        field = RebuildSettings.model_fields[name]
        assert (flag, variable, must_be) == (f"--{name.replace('_', '-')}", rebuild_variable(name), field.description)
        assert f" {flag} " in said
        stated = load_rebuild(None, **{name: default}) if default else load_rebuild(None)
        assert getattr(stated, name) == field.default


def test_the_exit_codes() -> None:
    """Every code that an error carries, on the page and in the command's help."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    codes = sorted({0, *(kind.exit_code for kind in kinds)})
    assert [int(row[0]) for row in table("Code")] == codes
    listed = " ".join(help_of(EXPORTER, "rebuild").partition("Exit codes:")[2].split())
    for code in (0, 6, 7, 8, 130):
        assert re.search(rf"\b{code}\b", listed)


def test_the_results() -> None:
    """Every word that the object may have for what happened."""
    said = re.search(r"^`result` is (.*?)\. \*\*", PAGE, re.MULTILINE | re.DOTALL)
    assert said and set(re.findall(r"`([a-z ]+)`", said[1])) == {*DONE.values(), *FAILED.values(), "failed"}


def test_every_flag_exists() -> None:
    """On the page's command lines."""
    command = help_of(EXPORTER, "rebuild")
    used = {
        flag
        for line in re.findall(r"(?:rebuild\.sh|exporter rebuild)(.*)", PAGE)
        for flag in re.findall(r"--[a-z-]+", line)
    }
    assert len(used) >= 4
    assert [flag for flag in sorted(used) if f" {flag} " not in command] == []


def test_the_script_points_to_the_command() -> None:
    """Its help repeats none of the command's options."""
    said = help_of(ROOT / "scripts" / "rebuild.sh")
    assert "`exporter rebuild --help`" in said and "docs/nightly.md" in said
    assert re.findall(r"^ +-", said, re.MULTILINE) == []


def test_the_links() -> None:
    """Every file that is linked to is there."""
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / target).exists(), target


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not here")
def test_the_units(tmp_path: Path) -> None:
    """systemd has no word against them, once the exporter is where they say."""
    for name in UNITS:
        text = (ROOT / "docs" / "systemd" / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace("/opt/exporter", str(ROOT)), encoding="utf-8")
    command = ["systemd-analyze", "verify", *(tmp_path / name for name in UNITS)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, [line for line in done.stderr.splitlines() if "exporter-rebuild" in line]) == (0, [])


def test_the_cron_job() -> None:
    """Never two at a time, no second attempt, and settings that there are."""
    job = yaml.safe_load((ROOT / "docs" / "kubernetes" / "rebuild-cronjob.yaml").read_text(encoding="utf-8"))
    assert (job["kind"], job["spec"]["concurrencyPolicy"], job["spec"]["jobTemplate"]["spec"]["backoffLimit"]) \
        == ("CronJob", "Forbid", 0)  # fmt: skip
    [container] = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    known = {"EXPORTER_SOURCE", "EXPORTER_OUTPUT", *map(rebuild_variable, RebuildSettings.model_fields)}
    assert {each["name"] for each in container["env"]} <= known
    assert container["command"][:2] == ["exporter", "rebuild"]


def test_the_crontab() -> None:
    """A time, and the line that the page shows."""
    lines = (ROOT / "docs" / "cron.txt").read_text(encoding="utf-8").splitlines()
    [line] = [each for each in lines if re.match(r"\d", each)]
    assert re.match(r"15 3 \* \* \*  cd /srv/graph && ", line)
    assert any(line.startswith(block.strip()) for block in blocks("text"))
