"""The life of an export directory: partial under a lock, whole under its name, or gone."""

import errno
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from exporter.errors import BusyError, ExporterError, RunError, UsageError
from exporter.sink import layout
from exporter.sink import publish as publish_module
from exporter.sink.files import write_file
from exporter.sink.headers import headers
from exporter.sink.manifest import read_manifest
from exporter.sink.publish import PartialExport, link_latest, partial_export, remove
from exporter.sink.tally import Tally, new_tallies
from tests.support.manifests import METADATA, WINDOW

KEY = "age13p8np43evy4gulezw5z8n3rywydl3nsqxuwa2d2srp460m9gzdasnvpnzn"
SCRIPTS = Path(__file__).parents[2] / "scripts"

HOLD = """
import sys
from pathlib import Path
from exporter.sink.publish import partial_export
with partial_export(Path(sys.argv[1])) as partial:
    print(partial.directory.name, flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_export(output: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that is in the middle of an export there."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, output], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(".partial-")
        yield process
        process.kill()


@contextmanager
def nobody() -> Iterator[None]:
    """Without root's power to write everywhere, where the tests have it."""
    if os.getuid() != 0:
        yield
        return
    os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def publish(
    output: Path, skills: bytes = b'1,"Tarot",\n', *, archive: bool = False, recipients: Sequence[str] = ()
) -> Path:
    """An export that holds a skill and a reject, published."""
    with partial_export(output) as partial:
        data = write_file(partial.directory, Path("nodes/Skill/part-0001.csv"), skills, 1)
        rejects = write_file(partial.directory, Path("rejects/nodes/Skill/part-0001.csv"), b"reason\n", 1)
        skill = Tally(
            rows=1, values=Counter(id=1, name=1), rejects=Counter(null_id=1), files=(data,), reject_files=(rejects,)
        )
        write_file(partial.directory, Path("key-index/keys"), b"secret")
        manifest = partial.complete(
            new_tallies() | {"Skill": skill}, METADATA, lambda manifest: f"{manifest.totals.nodes} nodes"
        )
        assert read_manifest(partial.directory) == manifest
        if archive:
            partial.pack(recipients, lambda: None)
        return partial.publish()


def refusal(output: Path) -> ExporterError:
    with pytest.raises(ExporterError) as refused, partial_export(output):
        pass
    return refused.value


def test_a_published_export(tmp_path: Path) -> None:
    """It lies under its UTC second, `latest` leads there by a relative link, and nothing partial stays."""
    directory = publish(tmp_path)
    assert re.fullmatch(r"20\d{6}T\d{6}Z", directory.name)
    assert {path.name for path in tmp_path.iterdir()} == {".lock", "latest", directory.name}
    assert (tmp_path / "latest").readlink() == Path(directory.name)


def test_an_export_may_leave_latest_where_it_is(tmp_path: Path) -> None:
    """That of a rebuild, whose graph is not live yet; later `latest` is made to lead to it, in one step."""
    first = publish(tmp_path)
    with partial_export(tmp_path) as partial:
        partial.moves_latest = False
        partial.complete(new_tallies(), METADATA, lambda _: "")
        second = partial.publish()
    assert (tmp_path / "latest").readlink() == Path(first.name)
    link_latest(second)
    assert (tmp_path / "latest").readlink() == Path(second.name)
    assert {path.name for path in tmp_path.iterdir()} == {".lock", "latest", first.name, second.name}
    (tmp_path / "latest").unlink()
    link_latest(first)
    assert (tmp_path / "latest").readlink() == Path(first.name)


def test_a_copy_moves_a_link_of_its_own(tmp_path: Path) -> None:
    """`latest` stays with the last faithful export."""
    faithful = publish(tmp_path)
    with partial_export(tmp_path) as partial:
        partial.complete(new_tallies(), replace(METADATA, window=WINDOW), lambda _: "")
        copy = partial.publish()
    assert (tmp_path / "latest").readlink() == Path(faithful.name)
    assert (tmp_path / "latest-copy").readlink() == Path(copy.name)
    assert {path.name for path in tmp_path.iterdir()} == {".lock", "latest", "latest-copy", faithful.name, copy.name}


def test_its_files(tmp_path: Path) -> None:
    """All that the contract names; an entity without rows has an empty data file; the key index is gone."""
    directory = publish(tmp_path)
    files = {path.relative_to(directory).as_posix(): path for path in directory.rglob("*") if path.is_file()}
    data = {path for path in files if path.startswith(("nodes/", "relationships/"))}
    assert set(files) - data == {
        *("manifest.json", "counts.tsv", "SHA256SUMS", "import.args", "schema.cypher", "report.html"),
        *("import.sh", "verify.sh"),
        *(f"headers/{file}" for file in headers()),
        "rejects/nodes/Skill/part-0001.csv",
    }
    assert {path: files[path].read_bytes() for path in data if files[path].stat().st_size} \
        == {"nodes/Skill/part-0001.csv": b'1,"Tarot",\n'}  # fmt: skip
    assert {path.rpartition("/")[0].partition("/")[2] for path in data} == {
        file.removesuffix(".csv") for file in headers()
    }
    for script in ("import.sh", "verify.sh"):
        assert (directory / script).read_bytes() == (SCRIPTS / script).read_bytes()
    assert (directory / "report.html").read_text() == "1 nodes"


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    """Files are 0600 and directories 0700, whatever the umask."""
    before = os.umask(0)
    try:
        directory = publish(tmp_path)
    finally:
        os.umask(before)
    modes = {(path.is_dir(), path.stat().st_mode & 0o777) for path in (directory, *directory.rglob("*"))}
    assert modes == {(True, 0o700), (False, 0o600)}
    assert (directory / "rejects").is_dir()
    assert (tmp_path / ".lock").stat().st_mode & 0o777 == 0o600


def test_the_checksums(tmp_path: Path) -> None:
    """Every other file has its digest there, in the form that sha256sum reads."""
    directory = publish(tmp_path)
    lines = (directory / "SHA256SUMS").read_text().splitlines()
    files = [path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()]
    assert sorted(lines) == sorted(
        f"{hashlib.sha256((directory / path).read_bytes()).hexdigest()}  {path}"
        for path in files
        if path != "SHA256SUMS"
    )


def test_the_manifest(tmp_path: Path) -> None:
    """It lists exactly the data files, empty ones too, and is the object that is given back."""
    directory = publish(tmp_path)
    manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
    listed = {file["path"]: file["rows"] for file in manifest["files"]}
    data = [
        p.relative_to(directory).as_posix()
        for kind in ("nodes", "relationships")
        for p in directory.glob(f"{kind}/*/*")
    ]
    assert listed == {path: int(path == "nodes/Skill/part-0001.csv") for path in data}
    assert manifest["totals"] == {"nodes": 1, "relationships": 0, "properties": 2, "bytes": 11, "rejects": 1}


def test_the_arguments_name_the_files(tmp_path: Path) -> None:
    """Every data file and header of the export is an argument's, and there is nothing else."""
    directory = publish(tmp_path)
    lines = (directory / "import.args").read_text().splitlines()
    named = [path for line in lines if line.count("=") == 2 for path in line.split("=")[2].split(",")]
    there = [
        p.relative_to(directory).as_posix()
        for kind in ("headers", "nodes", "relationships")
        for p in directory.rglob(f"{kind}/**/*.csv")
    ]
    assert sorted(named) == sorted(path for path in there if not path.startswith("rejects/"))


def test_line_breaks_are_announced(tmp_path: Path) -> None:
    """One entity with a line break in a value is enough."""
    with partial_export(tmp_path) as partial:
        partial.complete(new_tallies() | {"Skill": Tally(multiline=True)}, METADATA, lambda _: "")
        directory = partial.publish()
    assert "--multiline-fields=true\n" in (directory / "import.args").read_text()
    assert "--multiline-fields" not in (publish(tmp_path) / "import.args").read_text()


def test_latest_moves_to_the_newer_export(tmp_path: Path) -> None:
    """Two exports have two names even in the same second, and both stay."""
    first, second = publish(tmp_path), publish(tmp_path)
    assert first.name < second.name
    assert ((tmp_path / "latest").resolve(), first.is_dir()) == (second, True)


def test_a_failed_export_leaves_nothing(tmp_path: Path) -> None:
    """Its partial directory is removed, `latest` stays where it was."""
    first = publish(tmp_path)
    with pytest.raises(RuntimeError, match="lost"), partial_export(tmp_path) as partial:
        partial.write(Path("nodes/Skill/part-0001.csv"), b"half")
        raise RuntimeError("lost")
    assert {path.name for path in tmp_path.iterdir()} == {".lock", "latest", first.name}
    assert (tmp_path / "latest").resolve() == first


@pytest.mark.parametrize(("keys", "suffix"), [([], ".tar.zst"), ([KEY], ".tar.zst.age")])
def test_an_archive(tmp_path: Path, keys: list[str], suffix: str) -> None:
    """It lies beside its export, under its name."""
    directory = publish(tmp_path, archive=True, recipients=keys)
    archive = tmp_path / f"{directory.name}{suffix}"
    assert {path.name for path in tmp_path.iterdir()} == {".lock", "latest", directory.name, archive.name}
    assert archive.stat().st_mode & 0o777 == 0o600


def test_an_archive_that_fails(tmp_path: Path) -> None:
    """Then nothing is published: a full disk is told, and neither the export nor half an archive stays."""
    first = publish(tmp_path)
    with (
        pytest.raises(RunError, match="No space left on device; nothing was published"),
        partial_export(tmp_path) as partial,
    ):
        partial.complete(new_tallies(), METADATA, lambda _: "")
        partial.pack([], full_disk)
    assert {path.name for path in tmp_path.iterdir()} == {".lock", "latest", first.name}


def full_disk() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_publishing_that_fails(tmp_path: Path) -> None:
    """Somebody has put a directory where the link goes: directory and archive both go."""
    with pytest.raises(RunError, match="nothing was published"), partial_export(tmp_path) as partial:
        partial.complete(new_tallies(), METADATA, lambda _: "")
        partial.pack([], lambda: None)
        (tmp_path / "latest").mkdir()
        partial.publish()
    assert {path.name for path in tmp_path.iterdir()} == {".lock", "latest"}


def test_a_link_that_cannot_be_moved(tmp_path: Path) -> None:
    """Nothing is left of the attempt."""
    export = publish(tmp_path)
    (tmp_path / "latest").unlink()
    (tmp_path / "latest").mkdir()
    with pytest.raises(OSError, match="latest"):
        link_latest(export)
    assert {path.name for path in tmp_path.iterdir()} == {".lock", "latest", export.name}


def test_every_directory_is_durable_before_it_is_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the output, once the names are there and once the link is moved."""
    synced = list[Path]()
    monkeypatch.setattr(publish_module, "sync", synced.append)
    export = publish(tmp_path)
    inside = [path.relative_to(export) for path in (export, *export.rglob("*")) if path.is_dir()]
    partial = tmp_path / f"{layout.PARTIAL}{export.name}"
    assert sorted(synced[:-2]) == sorted(partial / path for path in inside)
    assert synced[-2:] == [tmp_path] * 2


def test_kept_rejects(tmp_path: Path) -> None:
    """Where a limit was broken, the reject files stay and nothing else."""
    with partial_export(tmp_path) as partial:
        write_file(partial.directory, Path("rejects/nodes/Skill/part-0001.csv"), b"reason\n")
        write_file(partial.directory, Path("nodes/Skill/part-0001.csv"), b"1\n")
        kept = partial.keep_rejects()
    assert kept == tmp_path / f"rejected-{partial.stamp}"
    assert [path.relative_to(kept).as_posix() for path in kept.rglob("*.csv")] == ["nodes/Skill/part-0001.csv"]
    assert {path.name for path in tmp_path.iterdir()} == {".lock", kept.name}


def test_what_a_dead_run_left_is_removed(tmp_path: Path) -> None:
    """Partial directories and the link of a publishing that was cut off; a link is not followed, and an export that is
    being pulled is none."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").touch()
    output = tmp_path / "output"
    (output / ".partial-20200101T000000Z" / "nodes").mkdir(parents=True)
    (output / ".partial-20200101T000000Z" / "nodes" / "part.csv").touch()
    (output / ".partial-20200101T000000Z.tar.zst").touch()
    (output / ".partial-latest").symlink_to("20200101T000000Z")
    (output / ".partial-link").symlink_to(outside)
    pulling = output / f"{layout.PULLING}20200101T000000Z"  # another process may do that now
    pulling.mkdir()
    with partial_export(output) as partial:
        assert {path.name for path in output.iterdir()} == {".lock", partial.directory.name, pulling.name}
    assert (outside / "precious").exists()


def test_one_export_at_a_time(tmp_path: Path) -> None:
    """A second one is refused at once, and does not touch what the first has."""
    with another_export(tmp_path):
        before = sorted(path.name for path in tmp_path.iterdir())
        refused = refusal(tmp_path)
        assert (type(refused), refused.exit_code) == (BusyError, 5)
        assert str(refused) == f"another export is running on {tmp_path}; wait for it, or choose another --output"
        assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_dead_process_holds_no_lock(tmp_path: Path) -> None:
    """After a SIGKILL the next export runs, and removes what was left."""
    with another_export(tmp_path) as process:
        process.kill()
        process.wait()
        assert list(tmp_path.glob(".partial-*"))
        with partial_export(tmp_path) as partial:
            assert [path.name for path in tmp_path.glob(".partial-*")] == [partial.directory.name]


def test_the_lock_is_free_again_after_an_export(tmp_path: Path) -> None:
    """Also in the same process, after a success and after a failure."""
    publish(tmp_path)
    with pytest.raises(RuntimeError), partial_export(tmp_path):
        raise RuntimeError
    with partial_export(tmp_path) as partial:
        assert partial.directory.is_dir()


def test_the_output_directory_is_made(tmp_path: Path) -> None:
    """One level of it, for its owner alone; a missing parent is more likely a typing error."""
    with partial_export(tmp_path / "output"):
        assert (tmp_path / "output").stat().st_mode & 0o777 == 0o700
    refused = refusal(tmp_path / "no" / "such")
    assert (type(refused), str(refused)) \
        == (UsageError, f"{tmp_path}/no does not exist; create it, or choose another --output")  # fmt: skip


def test_an_output_that_is_a_file(tmp_path: Path) -> None:
    """It is told for what it is."""
    (tmp_path / "output").touch()
    refused = refusal(tmp_path / "output")
    assert (type(refused), str(refused)) \
        == (UsageError, f"{tmp_path}/output is not a directory; choose another --output")  # fmt: skip


def test_an_output_that_cannot_be_written() -> None:
    """A directory of somebody else's that may only be read, or below one."""
    with tempfile.TemporaryDirectory() as directory:
        output = Path(directory)
        output.chmod(0o555)
        with nobody():
            refused = [str(refusal(output)), str(refusal(output / "new"))]
    assert refused == [
        f"{directory} is not writable; choose another --output",
        f"cannot create {directory}/new: Permission denied; choose another --output",
    ]


def test_a_name_that_is_taken_is_waited_out(tmp_path: Path) -> None:
    """Neither an export nor kept rejects of the same second are ever mixed with another's."""
    with partial_export(tmp_path) as partial:
        kept = PartialExport(tmp_path, partial.stamp)
        write_file(partial.directory, Path("rejects/nodes/Skill/part-0001.csv"), b"reason\n")
        kept.keep_rejects()
    with partial_export(tmp_path) as later:
        assert later.stamp > partial.stamp
        (tmp_path / f"{later.stamp}.tar.zst").touch()
    with partial_export(tmp_path) as last:
        assert last.stamp > later.stamp


def test_what_is_removed(tmp_path: Path) -> None:
    """Files, links but not what they lead to, whole directories; what is not there is no error."""
    (tmp_path / "directory" / "inside").mkdir(parents=True)
    (tmp_path / "kept").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("kept")
    for name in ("directory", "file", "link", "gone"):
        remove(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
