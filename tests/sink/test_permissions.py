"""Who may read an export: its owner alone, or with `--group` a group too, up to the import by one of its members."""

import grp
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from exporter.errors import UsageError
from exporter.sink.files import write_file
from exporter.sink.permissions import check_group_access, group_id, open_directory, open_export
from exporter.sink.publish import partial_export
from exporter.store.configuration import configure, environment
from exporter.store.provision import Neo4jHome
from tests.support import tiny_export

OWN = grp.getgrgid(os.getegid()).gr_name
NOBODY = 65534


def modes(directory: Path) -> set[tuple[bool, int, int]]:
    """Whether each thing is a directory, who may what there, and its group."""
    found = [directory, *directory.rglob("*")]
    return {(path.is_dir(), path.stat().st_mode & 0o777, path.stat().st_gid) for path in found}


@pytest.fixture
def foreign() -> str:
    """A group that this user is not in."""
    mine = {os.getegid(), *os.getgroups()}
    return next(group.gr_name for group in grp.getgrall() if group.gr_gid not in {*mine, NOBODY})


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory that every user may enter; those of pytest are closed."""
    with tempfile.TemporaryDirectory() as path:
        Path(path).chmod(0o755)
        yield Path(path)


def test_a_group_is_known_by_its_name(tmp_path: Path) -> None:
    """One that is not there is refused before anything is made."""
    assert group_id(OWN) == os.getegid()
    with pytest.raises(UsageError) as refused, partial_export(tmp_path / "output", "of-nobody"):
        pass
    assert (
        str(refused.value)
        == "there is no group of-nobody; --group takes the name of a group, such as that of Neo4j's user"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_group_of_others_is_refused(foreign: str) -> None:
    """Only root may give files away."""
    root = os.getuid() == 0
    if root:
        assert group_id(foreign) == grp.getgrnam(foreign).gr_gid
        os.setresuid(NOBODY, NOBODY, 0)
    try:
        with pytest.raises(UsageError) as refused:
            group_id(foreign)
    finally:
        if root:
            os.setresuid(0, 0, 0)
    assert str(refused.value) \
        == f"you are not in the group {foreign}, so you cannot give it an export; join it and log in again"  # fmt: skip


def test_an_export_is_opened_when_it_is_whole(tmp_path: Path) -> None:
    """Until then it is private; the output directory is opened where we made it, and the lock file never."""
    output = tmp_path / "output"
    with partial_export(output, OWN) as partial:
        write_file(partial.directory, Path("rejects/nodes/Skill/part-0001.csv"), b"1\n")
        assert modes(partial.directory) == {(True, 0o700, os.getegid()), (False, 0o600, os.getegid())}
        published = partial.publish()
    assert modes(published) == {(True, 0o750, os.getegid()), (False, 0o640, os.getegid())}
    assert (output.stat().st_mode & 0o777, (output / ".lock").stat().st_mode & 0o777) == (0o750, 0o600)


def test_kept_rejects_stay_private(tmp_path: Path) -> None:
    """They are nothing that is imported."""
    with partial_export(tmp_path / "output", OWN) as partial:
        write_file(partial.directory, Path("rejects/nodes/Skill/part-0001.csv"), b"1\n")
        kept = partial.keep_rejects()
    assert {mode for _, mode, _ in modes(kept)} == {0o700, 0o600}


def test_an_output_directory_that_the_group_may_not_enter(tmp_path: Path) -> None:
    """It was there before: whoever made it decides, and is told how."""
    output = tmp_path / "output"
    output.mkdir(mode=0o700)
    with pytest.raises(UsageError) as refused, partial_export(output, OWN):
        pass
    assert str(refused.value) == (
        f"the group {OWN} may not enter {output}, so it could not read an export there; allow it: "
        f"chgrp {OWN} {output} && chmod g+rx {output}"
    )
    assert list(output.iterdir()) == []
    for mode in (0o710, 0o750):
        output.chmod(mode)
        check_group_access(output, os.getegid(), OWN)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may run an import as another user")
def test_a_member_imports(provisioned: Neo4jHome, directory: Path, foreign: str) -> None:
    """Neo4j's user, who owns its data and is only in the group, needs no copy of the export, and root is told the
    import alone; without the group it may not read, and root is told to make a copy."""
    user = pwd.getpwnam("nobody")
    export = tiny_export.write(directory / "output" / "20261123T031500Z")
    for path in (directory / "output", *(directory / "output").rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
    shutil.copytree(provisioned.home / "lib", directory / "neo4j" / "lib")
    (directory / "neo4j" / "lib").chmod(0o755)
    configure(directory / "store")
    for path in (directory / "store", *(directory / "store").rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid)
    variables = environment(provisioned, directory / "store" / "conf") | {"NEO4J_HOME": str(directory / "neo4j")}
    variables |= {"TMPDIR": str(directory / "store"), "HOME": str(directory / "store")}

    def run(uid: int, gid: int, *command: str) -> subprocess.CompletedProcess[str]:
        identity = {"user": uid, "group": gid, "extra_groups": [gid]}
        return subprocess.run(command, env=variables, cwd=directory, capture_output=True, text=True, **identity)  # type: ignore[call-overload,no-any-return]

    if run(user.pw_uid, user.pw_gid, f"{provisioned.java_home}/bin/java", "-version").returncode != 0:
        pytest.skip("the Java of this environment lies where other users may not go")
    script = ("bash", str(tiny_export.SCRIPT), "--no-cache", str(export))
    assert run(user.pw_uid, user.pw_gid, *script).returncode == 2
    open_export(export, user.pw_gid)
    open_directory(export.parent, user.pw_gid)
    advised = run(0, 0, *script)
    assert (advised.returncode, advised.stderr.endswith(": run this as nobody\n")) == (2, True)
    assert run(user.pw_uid, group_id(foreign), *script).returncode == 2
    imported = run(user.pw_uid, user.pw_gid, *script)
    assert (imported.returncode, imported.stdout[:18]) == (0, "Imported 18 nodes,"), imported.stderr
