"""What a rebuild decides before and after Neo4j has its part; the drill does the rest with a real one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from exporter.errors import DownError, ExporterError, GuardError, UsageError
from exporter.interrupts import enable_interrupts
from exporter.published.history import find_directory
from exporter.rebuild.live import Live
from exporter.rebuild.report import Action, RebuildReport
from exporter.rebuild.run import Rebuild
from exporter.rebuild.stores import StorePaths, Stores
from exporter.settings import RebuildSettings, Settings
from exporter.store.provision import Neo4jHome
from tests.support import tiny_export
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


def shrink(export: Path) -> Path:
    """Takes away the rows of a label, by the manifest."""
    manifest = tiny_export.manifest(export)
    manifest["nodes"][1]["rows"] = 0  # type: ignore[index]
    tiny_export.write_manifest(export, manifest)
    return export


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


def test_the_first_rebuild_compares_with_the_export_before(run: Rebuild, tmp_path: Path) -> None:
    """Nobody knows what the live graph came from: the export before has to do, and without one nothing is compared."""
    output = tmp_path / "output"
    run.guard(output / STAMPS[-1], "it")
    run.guard(shrink(output / STAMPS[0]), "it")
    with pytest.raises(GuardError, match="Customer: 2 rows before, 0 now"):
        run.guard(shrink(output / STAMPS[-1]), "it")


def test_later_rebuilds_compare_with_the_live_export(run: Rebuild, tmp_path: Path) -> None:
    """The export behind the live store counts, not the one before."""
    output = tmp_path / "output"
    swap = run.stores.begin(run.stores.add(staged(run), output / STAMPS[0]))
    run.stores.swap(swap)
    run.stores.commit(swap)
    run.stores.end()
    for stamp in STAMPS[1:]:
        shrink(output / stamp)
    with pytest.raises(GuardError, match="Customer: 2 rows before, 0 now"):
        run.guard(output / STAMPS[-1], "it")


def test_a_neo4j_that_no_longer_starts_is_down(run: Rebuild, tmp_path: Path) -> None:
    """The old store is in paths, and what is under way stays written down for a repair."""
    new = run.stores.add(staged(run), tmp_path / "output" / STAMPS[-1])
    with pytest.raises(DownError, match=r"^THE LIVE GRAPH DOES NOT ANSWER: .* run: exporter rebuild --repair$"):
        run.swap(new, run.smoke_test)
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
    assert run.report.removed == [STAMPS[1]]
    assert sorted(path.name for path in (tmp_path / "output").glob("2*")) == [STAMPS[0], *STAMPS[2:]]


def test_a_rollback_needs_a_previous_store(run: Rebuild) -> None:
    """Before the second store there is none."""
    with pytest.raises(UsageError, match=r"there is no previous store in .* to go back to"):
        run.rollback()
