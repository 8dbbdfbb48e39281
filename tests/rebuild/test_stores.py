"""The stores of a rebuild: every way in which a swap can be cut off is undone, and nothing else is lost."""

import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from exporter.errors import BusyError, UsageError
from exporter.rebuild import stores as module
from exporter.rebuild.store import Store, StorePaths
from exporter.rebuild.stores import Stores, open_stores
from tests.support import tiny_export
from tests.support.disks import small_disk


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory of Neo4j with a live store, and one on the stage."""
    for directory in (tmp_path / "data", tmp_path / "data" / "rebuild" / "stage" / "data"):
        for kind in ("databases", "transactions"):
            (directory / kind / "neo4j").mkdir(parents=True)
    mark(tmp_path / "data", "live")
    mark(tmp_path / "data" / "rebuild" / "stage" / "data", "new")
    return tmp_path / "data"


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """An export that the new store is of."""
    return tiny_export.write(tmp_path / "20261123T031500Z")


def mark(data: Path, name: str) -> None:
    for kind in ("databases", "transactions"):
        (data / kind / "neo4j" / name).touch()


def live_paths(data: Path) -> StorePaths:
    return StorePaths(data / "databases" / "neo4j", data / "transactions" / "neo4j")


def staged(data: Path) -> StorePaths:
    return live_paths(data / "rebuild" / "stage" / "data")


def served(data: Path) -> list[str]:
    """What marks the two directories where Neo4j has its live store."""
    return sorted(path.name for folder in live_paths(data).both for path in folder.iterdir())


def begun(stores: Stores, data: Path, export: Path) -> module.Swap:
    """A swap of the live store for one from the stage, of which nothing is done."""
    return stores.begin(stores.add(staged(data), export))


def test_a_swap_makes_the_new_store_live(data: Path, export: Path) -> None:
    """The new store is live and known by its export; the old one is kept, though of which export is not known."""
    with open_stores(data, live_paths(data)) as stores:
        swap = begun(stores, data, export)
        assert (stores.under_way(), stores.moved(swap), stores.committed(swap)) == (swap, False, False)
        stores.swap(swap)
        assert (served(data), stores.moved(swap), stores.committed(swap)) == (["new", "new"], True, False)
        stores.commit(swap)
        assert (stores.under_way(), stores.committed(swap)) == (swap, True)
        stores.adopt(swap)
        stores.end()
        assert stores.under_way() is None
        current, [kept] = stores.current(), stores.kept()
        assert current and (current.export, current.manifest is not None) == (export.name, True)
        assert (kept.export, kept.manifest) == (None, None)
        assert sorted(path.name for path in kept.directory.iterdir()) == ["database", "transactions"]


@pytest.mark.parametrize("done", range(5))
@pytest.mark.parametrize("undone", range(5))
def test_a_swap_that_is_cut_off_is_undone(
    data: Path, export: Path, monkeypatch: pytest.MonkeyPatch, done: int, undone: int
) -> None:
    """After any number of renames, and with the undoing cut off in its turn: the old store is live again, the new one
    is gone, and nothing is under way."""
    with open_stores(data, live_paths(data)) as stores:
        swap = begun(stores, data, export)
        for renames, step in ((done, stores.swap), (undone, stores.undo)):
            cut_off_after(renames, monkeypatch)
            with suppress(KeyboardInterrupt):
                step(swap)
            monkeypatch.undo()
    with open_stores(data, live_paths(data)) as stores:
        found = stores.under_way()
        assert found == swap
        stores.undo(found)
        assert (served(data), stores.moved(found)) == (["live", "live"], False)
        stores.end()
        stores.clean()
        assert (stores.kept(), stores.under_way()) == ([], None)
        assert [path.name for path in (data / "rebuild" / "stores").iterdir()] == [found.old]


def cut_off_after(renames: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets `renames` renames be done and dies before the next."""
    left = [renames]
    rename = module.move

    def move(path: Path, target: Path) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        rename(path, target)

    monkeypatch.setattr(module, "move", move)


def test_a_store_that_neo4j_made_meanwhile_is_set_aside(
    data: Path, export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host lost power with the old store away; Neo4j started and made an empty one, which is set aside."""
    with open_stores(data, live_paths(data)) as stores:
        swap = begun(stores, data, export)
        cut_off_after(2, monkeypatch)
        with pytest.raises(KeyboardInterrupt):
            stores.swap(swap)
        monkeypatch.undo()
        for path in live_paths(data).both:
            path.mkdir()
        mark(data, "empty")
        stores.undo(swap)
        assert served(data) == ["live", "live"]
        assert sorted(path.name for path in stores.root.glob("set-aside-*/*/empty")) == ["empty", "empty"]


def test_the_undoing_never_mixes_two_stores(data: Path, export: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it is cut off: a Neo4j that is started then would take one's transactions for the other's."""
    with open_stores(data, live_paths(data)) as stores:
        swap = begun(stores, data, export)
        stores.swap(swap)
        for _ in range(4):
            cut_off_after(1, monkeypatch)
            with suppress(KeyboardInterrupt):
                stores.undo(swap)
            monkeypatch.undo()
            there = [path for path in live_paths(data).both if path.exists()]
            assert len({path.name for folder in there for path in folder.iterdir()}) < 2
        assert served(data) == ["live", "live"]


def test_a_first_store_has_nothing_to_go_back_to(data: Path, export: Path) -> None:
    """A Neo4j that was never started has none; then there is nothing to go back to but that."""
    for path in live_paths(data).both:
        subprocess.run(["rm", "-r", path], check=True)
    with open_stores(data, live_paths(data)) as stores:
        swap = begun(stores, data, export)
        stores.swap(swap)
        assert served(data) == ["new", "new"]
        stores.undo(swap)
        assert not any(path.exists() for path in live_paths(data).both)
        stores.swap(swap)
        stores.commit(swap)
        stores.adopt(swap)
        stores.end()
        current = stores.current()
        assert current and (stores.kept(), stores.all(), current.export) == ([], [current], export.name)


def test_a_store_knows_its_export(data: Path, export: Path) -> None:
    """By name and manifest: another export of the same second, below another directory, is not taken for it."""
    with open_stores(data, live_paths(data)) as stores:
        store = stores.add(staged(data), export)
        assert store.export_in(export.parent) == export
        tiny_export.change_source(export, "another")
        assert store.export_in(export.parent) is None
        assert store.export_in(data) is None
        assert Store(store.directory, None).export_in(export.parent) is None


def rebuilt(stores: Stores, data: Path, export: Path, count: int) -> list[Store]:
    """`count` stores, live one after the other."""
    live = []
    for number in range(count):
        for path in staged(data).both:
            path.mkdir(parents=True, exist_ok=True)
        named = export.with_name(f"2026112{number}T031500Z")
        if not named.exists():
            tiny_export.write(named)
        swap = begun(stores, data, named)
        stores.swap(swap)
        stores.commit(swap)
        stores.adopt(swap)
        stores.end()
        current = stores.current()
        assert current
        live.append(current)
    return live


def test_the_newest_stores_are_kept(data: Path, export: Path) -> None:
    """The one that was live last is the first to go back to, also after that was done; the others go, oldest first."""
    with open_stores(data, live_paths(data)) as stores:
        first, second, third = rebuilt(stores, data, export, 3)
        assert [store.export for store in stores.kept()] == [second.export, first.export, None]
        swap = stores.begin(stores.kept()[0])
        stores.swap(swap)
        stores.commit(swap)
        stores.adopt(swap)
        stores.end()
        assert stores.current() == second
        assert [store.export for store in stores.kept()] == [third.export, first.export, None]
        gone = stores.kept()[1:]
        assert stores.prune(2) == [store.name for store in gone]
        assert (stores.kept(), stores.prune(2)) == ([third], [])
        assert stores.prune(1) == [third.name]
        assert (stores.all(), served(data).count("new")) == ([second], 0)


def test_one_rebuild_at_a_time(data: Path) -> None:
    """Another one is told to wait."""
    with (
        open_stores(data, live_paths(data)),
        pytest.raises(BusyError, match=r"another rebuild is running on .*; wait for it"),
        open_stores(data, live_paths(data)),
    ):
        pass


def test_a_store_on_another_file_system_is_refused(data: Path) -> None:
    """There a rename would not do."""
    other = data.parent / "other"
    other.mkdir()
    with small_disk(other) as instead:
        if instead:
            pytest.skip("no file system can be mounted here")
        live = StorePaths(data / "databases" / "neo4j", other / "neo4j")
        with pytest.raises(UsageError, match="must be on one file system"), open_stores(data, live):
            pass


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The error names it."""
    (tmp_path / "rebuild").touch()
    with (
        pytest.raises(UsageError, match=rf"cannot write to {tmp_path}/rebuild: (File exists|Not a directory)"),
        open_stores(tmp_path, live_paths(tmp_path)),
    ):
        pass


def test_only_the_owner_may_look(data: Path) -> None:
    """Stores are the database itself."""
    with open_stores(data, live_paths(data)) as stores:
        assert stores.root.stat().st_mode & 0o077 == 0
