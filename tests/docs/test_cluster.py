"""docs/cluster.md: its units are accepted by systemd, and its manifest starts workers as the page asks."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.pages import ROOT, read_page

UNITS = ("exporter-dask-scheduler.service", "exporter-dask-worker@.service")
PAGE = read_page("docs/cluster.md")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not here")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    """With programs, users and files that are here."""
    for name in UNITS:
        text = (ROOT / "docs" / "systemd" / name).read_text(encoding="utf-8")
        text = text.replace("/opt/exporter/.venv/bin/dask", "/bin/true").replace("User=exporter", "User=root")
        (tmp_path / name.replace("@", "@1")).write_text(text)
    command = ["systemd-analyze", "verify", *(tmp_path / name.replace("@", "@1") for name in UNITS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    about_ours = [line for line in done.stderr.splitlines() if "exporter-dask" in line]
    assert about_ours == [], done.stderr


def test_workers_are_started_as_the_page_asks() -> None:
    """By both recipes: one thread, no nanny; the cluster's volume is where the leader writes."""
    cluster, job = yaml.safe_load_all((ROOT / "docs" / "kubernetes" / "dask-cluster.yaml").read_text(encoding="utf-8"))
    [worker] = cluster["spec"]["worker"]["spec"]["containers"]
    [leader] = job["spec"]["template"]["spec"]["containers"]
    unit = (ROOT / "docs" / "systemd" / UNITS[1]).read_text(encoding="utf-8")
    for command in (" ".join(worker["args"]), unit):
        assert "--nthreads 1 --no-nanny" in command
    assert "`dask worker SCHEDULER --nthreads 1 --no-nanny`" in PAGE.text
    assert worker["volumeMounts"] == leader["volumeMounts"]
    users = [spec["securityContext"] for spec in (cluster["spec"]["worker"]["spec"], job["spec"]["template"]["spec"])]
    assert users[0] == users[1]


def test_the_variables_are_dask_s() -> None:
    """Each names a setting that Dask knows."""
    import distributed  # noqa: F401 - its settings are known once it is loaded
    from dask import config

    lines = [line for line in PAGE.blocks("sh")[0].splitlines() if line.startswith("DASK_")]
    assert len(lines) == 8
    for line in lines:
        name = line.partition("=")[0].removeprefix("DASK_").lower().replace("__", ".").replace("_", "-")
        config.get(name)  # raises for one that does not exist
