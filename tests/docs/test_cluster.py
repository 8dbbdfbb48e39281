"""docs/cluster.md: its units are accepted by systemd, and its manifest starts workers as the page asks."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.pages import ROOT, read_page

UNITS = ("exporter-dask-scheduler.service", "exporter-dask-worker@.service")
PAGE = read_page("docs/cluster.md")


def manifests() -> list[Any]:
    """The objects of the recipe for Kubernetes: the cluster, the leader's job, and the policy."""
    return list(yaml.safe_load_all((ROOT / "docs" / "kubernetes" / "dask-cluster.yaml").read_text(encoding="utf-8")))


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
    cluster, job, _ = manifests()
    [worker] = cluster["spec"]["worker"]["spec"]["containers"]
    [leader] = job["spec"]["template"]["spec"]["containers"]
    unit = (ROOT / "docs" / "systemd" / UNITS[1]).read_text(encoding="utf-8")
    for command in (" ".join(worker["args"]), unit):
        assert "--nthreads 1 --no-nanny" in command
    assert "`dask worker SCHEDULER --nthreads 1 --no-nanny`" in PAGE.text
    assert worker["volumeMounts"] == leader["volumeMounts"]


def test_every_pod_can_read_its_key() -> None:
    """The files of a secret are root's and of the pod's group, and all pods are the same user's."""
    cluster, job, _ = manifests()
    for pod in (
        cluster["spec"]["worker"]["spec"],
        cluster["spec"]["scheduler"]["spec"],
        job["spec"]["template"]["spec"],
    ):
        assert pod["securityContext"] == {"runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001}
        [mode] = [volume["secret"]["defaultMode"] for volume in pod["volumes"] if "secret" in volume]
        assert mode == 0o440


def test_who_reaches_the_scheduler() -> None:
    """The cluster's own pods and the leader; nobody reaches the dashboard."""
    cluster, job, policy = manifests()
    leader = job["spec"]["template"]["metadata"]["labels"]
    own = {"dask.org/cluster-name": cluster["metadata"]["name"]}
    assert policy["spec"]["podSelector"]["matchLabels"] == own
    [rule] = policy["spec"]["ingress"]
    assert [peer["podSelector"]["matchLabels"] for peer in rule["from"]] == [own, leader]
    assert [port["port"] for port in cluster["spec"]["scheduler"]["service"]["ports"]] == [8786]
    [scheduler] = cluster["spec"]["scheduler"]["spec"]["containers"]
    unit = (ROOT / "docs" / "systemd" / UNITS[0]).read_text(encoding="utf-8")
    for command in (" ".join(scheduler["args"]), unit):
        assert "--dashboard-address 127.0.0.1:8787" in command


def test_a_machine_of_many_workers_may_be_lost() -> None:
    """By both recipes the scheduler forgives a task more lost workers than Dask's three, as the page asks."""
    name = "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES"
    cluster, _, _ = manifests()
    [scheduler] = cluster["spec"]["scheduler"]["spec"]["containers"]
    unit = (ROOT / "docs" / "systemd" / UNITS[0]).read_text(encoding="utf-8")
    assert {"name": name, "value": "16"} in scheduler["env"]
    assert f"Environment={name}=16\n" in unit
    assert f"`{name}`" in PAGE.text


def test_the_variables_are_dask_s() -> None:
    """Each names a setting that Dask knows."""
    import distributed  # noqa: F401 - its settings are known once it is loaded
    from dask import config

    lines = [line for line in PAGE.blocks("sh")[0].splitlines() if line.startswith("DASK_")]
    assert len(lines) == 8
    for line in lines:
        name = line.partition("=")[0].removeprefix("DASK_").lower().replace("__", ".").replace("_", "-")
        config.get(name)  # raises for one that does not exist
