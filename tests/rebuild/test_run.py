"""What a rebuild decides before and after Neo4j has its part; the drill does the rest with a real one."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from exporter.errors import DownError, ExporterError, UsageError
from exporter.interrupts import enable_interrupts
from exporter.published.history import find_directory
from exporter.rebuild.live import Live
from exporter.rebuild.report import Action, RebuildReport
from exporter.rebuild.retention import move_latest
from exporter.rebuild.run import Rebuild
from exporter.rebuild.store import StorePaths
from exporter.rebuild.stores import Stores
from exporter.settings import RebuildSettings, Settings
from exporter.store.provision import Neo4jHome
from tests.faults import stand_in
from tests.support import tiny_export
from tests.support.export_process import eventually
from tests.support.ports import closed_port

STAMPS = ["20261120T031500Z", "20261121T031500Z", "20261122T031500Z", "20261123T031500Z"]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Rebuild]:
    """A rebuild over a store that no rebuild made, and four exports; its Neo4j is stopped and cannot start."""
    data, output = tmp_path / "data", tmp_path / "output"
    paths = StorePaths(data / "databases" / "neo4j", data / "transactions" / "neo4j")
    for path in (*paths.both, data / "rebuild" / "stores"):
        path.mkdir(parents=True)
    (paths.database / "live").touch()
    for stamp in STAMPS:
        tiny_export.write(output / stamp)
    (output / "latest").symlink_to(STAMPS[-1])
    live = Live(
        home=Neo4jHome(tmp_path, tmp_path, "2026.09.0"),
        conf=tmp_path,
        data=data,
        store=paths,
        database="neo4j",
        bolt=f"bolt://127.0.0.1:{closed_port()}",
        user=None,
        password=None,
        stop_command="true",
        start_command="exit 3",
        timeout=30,
    )
    settings = Settings(output=output)
    yield Rebuild(settings, RebuildSettings(), RebuildReport(Action.REBUILD), live, Stores(data / "rebuild", paths))
    enable_interrupts()


def staged(run: Rebuild) -> StorePaths:
    paths = StorePaths(run.stores.root / "stage" / "databases", run.stores.root / "stage" / "transactions")
    for path in paths.both:
        path.mkdir(parents=True)
    return paths


def test_an_export_is_found_by_name(run: Rebuild, tmp_path: Path) -> None:
    """Below the output directory, or by its directory; a link is what it leads to."""
    newest = tmp_path / "output" / STAMPS[-1]
    found = [find_directory(newest.parent, name) for name in ("latest", STAMPS[-1], str(newest))]
    assert [directory.resolve() for directory in found] == [newest] * 3
    with pytest.raises(UsageError, match=r"there is no export 2025 in .*output; `exporter runs` lists them"):
        run.rebuild("2025", accept=False)


def test_an_export_that_was_named_stays(run: Rebuild, tmp_path: Path) -> None:
    """Though it is old, of no store, and cannot be imported: whoever named it has not said that it may go."""
    with pytest.raises(ExporterError):
        run.rebuild(STAMPS[0], accept=True)
    assert sorted(path.name for path in (tmp_path / "output").iterdir()) == [*STAMPS, "latest"]


def go_live(run: Rebuild, export: Path) -> None:
    """Makes the store of an export live, as a rebuild does."""
    swap = run.stores.begin(run.stores.add(staged(run), export))
    run.stores.swap(swap)
    run.stores.commit(swap)
    run.stores.adopt(swap)
    run.stores.end()


def test_latest_is_the_export_behind_the_live_graph(run: Rebuild, tmp_path: Path) -> None:
    """Of the output directory, if it is there; one from elsewhere leaves `latest` where it is."""
    output = tmp_path / "output"
    move_latest(run.stores, run.settings.output, run.report)
    assert (output / "latest").readlink() == Path(STAMPS[-1])
    go_live(run, output / STAMPS[1])
    move_latest(run.stores, run.settings.output, run.report)
    assert (output / "latest").readlink() == Path(STAMPS[1])
    go_live(run, tiny_export.write(tmp_path / "elsewhere" / "20261126T031500Z"))
    move_latest(run.stores, run.settings.output, run.report)
    assert (output / "latest").readlink() == Path(STAMPS[1])
    assert sorted(path.name for path in output.iterdir()) == [*STAMPS, "latest"]


def test_a_copy_does_not_become_latest(run: Rebuild, tmp_path: Path) -> None:
    """Though it was accepted as the live graph: whoever names `latest` means the whole source."""
    output = tmp_path / "output"
    go_live(run, tiny_export.make_copy(output / STAMPS[1]))
    move_latest(run.stores, run.settings.output, run.report)
    assert (output / "latest").readlink() == Path(STAMPS[-1])


def test_a_copy_is_not_rebuilt_from_unasked(run: Rebuild, tmp_path: Path) -> None:
    """Before anything is imported; one that is accepted goes on, to an import that cannot be here."""
    tiny_export.make_copy(tmp_path / "output" / STAMPS[1])
    with pytest.raises(UsageError, match="is a copy, which does not become the live graph unasked"):
        run.rebuild(STAMPS[1], accept=True)
    with pytest.raises(ExporterError) as failed:
        run.rebuild(STAMPS[1], accept=True, accept_copy=True)
    assert "unasked" not in str(failed.value)


def test_a_latest_that_cannot_be_moved_is_a_warning(
    run: Rebuild, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The graph is live whatever the link says."""
    output = tmp_path / "output"
    go_live(run, output / STAMPS[1])
    (output / "latest").unlink()
    (output / "latest").mkdir()
    move_latest(run.stores, run.settings.output, run.report)
    assert f"{output}/latest was not moved: " in capsys.readouterr().err
    assert sorted(path.name for path in output.iterdir()) == [*STAMPS, "latest"]


@contextmanager
def running_neo4j(data: Path) -> Iterator[None]:
    """A process that holds Neo4j's lock on a data directory while the block runs."""
    program = [sys.executable, stand_in.__file__]
    with subprocess.Popen([*program, "start", data, str(closed_port())]):
        eventually(lambda: stand_in.holder(data), "the lock")
        yield
        stand_in.stop(data)


def test_a_swap_that_only_lacked_its_end_moves_latest(run: Rebuild, tmp_path: Path) -> None:
    """The run died after the new store was verified: a repair does the rest, and only then has something to say."""
    output = tmp_path / "output"
    swap = run.stores.begin(run.stores.add(staged(run), output / STAMPS[1]))
    run.stores.swap(swap)
    run.stores.commit(swap)
    with running_neo4j(run.live.data):
        run.repair()
    assert ((output / "latest").readlink(), run.stores.under_way()) == (Path(STAMPS[1]), None)
    assert run.report.repaired
    (output / "latest").unlink()
    (output / "latest").symlink_to(STAMPS[2])
    run.repair()
    assert ((output / "latest").readlink(), run.report.repaired) == (Path(STAMPS[2]), False)


def test_a_host_that_lost_power_at_the_end_of_a_swap(run: Rebuild, tmp_path: Path) -> None:
    """The new store was verified, but its Neo4j is gone: the repair is over once it has started again."""
    swap = run.stores.begin(run.stores.add(staged(run), tmp_path / "output" / STAMPS[1]))
    run.stores.swap(swap)
    run.stores.commit(swap)
    sentence = "^THE LIVE GRAPH DOES NOT ANSWER: the new store is in place, but could not be started .* --repair$"
    for _ in range(2):
        with pytest.raises(DownError, match=sentence):
            run.repair()
        assert run.stores.under_way() == swap
    current = run.stores.current()
    assert current and current.export == STAMPS[1]


def test_what_version_1_0_left(run: Rebuild, tmp_path: Path) -> None:
    """It wrote down nothing of the verification, but gave the store its final name."""
    swap = run.stores.begin(run.stores.add(staged(run), tmp_path / "output" / STAMPS[1]))
    run.stores.swap(swap)
    assert not run.stores.committed(swap)
    (run.stores.root / "swap.json").write_text(json.dumps({"old": swap.old, "new": swap.new}))
    assert not run.stores.committed(swap)
    new = run.stores.root / "stores" / swap.new
    new.rename(new.with_name(swap.new.removeprefix(".partial-")))
    assert run.stores.committed(swap)


def test_a_rollback_says_what_it_brings_back(run: Rebuild, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is stopped: here it then fails, as nothing starts."""
    for stamp in STAMPS[1:3]:
        go_live(run, tmp_path / "output" / stamp)
    with pytest.raises(DownError):
        run.rollback()
    lines = [line.partition(" ")[2] for line in capsys.readouterr().err.splitlines()]
    counted = r"snapshot of Mon 23 Nov 2026 03:15 UTC, .* ago; 18 nodes, 5 relationships"
    assert re.fullmatch(rf"Going back to the store of export {STAMPS[1]}: {counted}", lines[0])
    assert re.fullmatch(rf"It replaces the store of export {STAMPS[2]}: {counted}", lines[1])
    assert lines[2:5] == [
        "Stopping the live Neo4j",
        "Swapping the stores",
        f"Starting the live Neo4j on the store of export {STAMPS[1]}",
    ]
    assert run.report.counts == {"nodes": 18, "relationships": 5, "properties": 45, "rejects": 2}


def test_a_neo4j_that_no_longer_starts_is_down(run: Rebuild, tmp_path: Path) -> None:
    """The old store is in paths, and what is under way stays written down for a repair."""
    new = run.stores.add(staged(run), tmp_path / "output" / STAMPS[-1])
    with pytest.raises(DownError, match=r"^THE LIVE GRAPH DOES NOT ANSWER: .* run: exporter rebuild --repair$"):
        run.swapper.swap(new, run.smoke_test)
    assert [path.name for path in run.live.store.database.iterdir()] == ["live"]
    assert run.stores.under_way() is not None
    assert list(run.report.seconds) == ["stop", "renames", "start", "put_back"]
    with pytest.raises(DownError):
        run.repair()


def test_the_exports_of_stores_stay(run: Rebuild, tmp_path: Path) -> None:
    """Besides the newest two, the one that a store came from."""
    run.stores.add(staged(run), tmp_path / "output" / STAMPS[0])
    for path in (run.stores.root / "stores").iterdir():
        path.rename(path.with_name(path.name.removeprefix(".partial-")))
    run.prune_exports()
    assert (run.report.removed_exports, run.report.removed_stores) == ([STAMPS[1]], [])
    assert sorted(path.name for path in (tmp_path / "output").glob("2*")) == [STAMPS[0], *STAMPS[2:]]


def test_a_rollback_needs_a_previous_store(run: Rebuild) -> None:
    """Before the second store there is none."""
    with pytest.raises(UsageError, match=r"there is no previous store in .* to go back to"):
        run.rollback()
