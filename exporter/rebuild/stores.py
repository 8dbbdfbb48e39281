"""The stores of a rebuilt database: which one is live, which are kept, and the renames that exchange them.

Below `rebuild/` in Neo4j's data directory, so that a rename is all it takes:

    stores/20261125T031500Z/   one store: the export it came from and that one's manifest, and, unless it is the live
                               one, its two directories; .partial-... until a smoke test has proved it
    swap.json                  the swap under way; who finds it after a run that died undoes the swap
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from shutil import copyfile

from filelock import FileLock, Timeout

from exporter.errors import BusyError, UsageError
from exporter.published.history import readable_manifest
from exporter.sink.files import sync, write_file
from exporter.sink.layout import LOCK, MANIFEST, PARTIAL
from exporter.sink.manifest import Manifest
from exporter.sink.publish import remove

ROOT = "rebuild"
STORES = "stores"
STORE = "store.json"
SWAP = "swap.json"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the two directories of a store are."""

    database: Path
    transactions: Path

    @property
    def both(self) -> tuple[Path, Path]:
        return self.database, self.transactions


@dataclass(frozen=True, slots=True)
class Store:
    """A store by its directory below `stores/`, and the name of the export it came from where that is known."""

    directory: Path
    export: str | None

    @property
    def name(self) -> str:
        return self.directory.name

    @property
    def place(self) -> Place:
        """Where it lies while it is not live."""
        return Place(self.directory / "database", self.directory / "transactions")

    @property
    def manifest(self) -> Manifest | None:
        return readable_manifest(self.directory)

    @property
    def snapshot_at(self) -> datetime | None:
        """When what it holds was read from the source, by the manifest beside it."""
        manifest = self.manifest
        return manifest.source.snapshot_at if manifest else None

    def __str__(self) -> str:
        return f"the store of export {self.export}" if self.export else "the store that no rebuild made"


@dataclass(frozen=True, slots=True)
class Swap:
    """Which store leaves and which one comes, by name."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores of one database; `live` is where Neo4j has the one it serves."""

    root: Path
    live: Place

    def all(self) -> list[Store]:
        """Every proved store, the oldest first."""
        found = sorted(path for path in (self.root / STORES).iterdir() if path.is_dir())
        return [store(path) for path in found if not path.name.startswith(PARTIAL)]

    def current(self) -> Store | None:
        """The live one, unless no rebuild has made it."""
        return next((each for each in reversed(self.all()) if not each.place.database.exists()), None)

    def kept(self) -> list[Store]:
        """Those that are not live, the one that was live last first: a directory changes when its store comes in."""
        retired = [each for each in self.all() if each.place.database.exists()]
        return sorted(retired, key=lambda each: each.directory.stat().st_mtime_ns, reverse=True)

    def add(self, staged: Place, export: Path) -> Store:
        """Takes in a store from the stage, as a partial one until it is proved."""
        directory = self.root / STORES / f"{PARTIAL}{self.free_name()}"
        directory.mkdir(mode=0o700)
        copyfile(export / MANIFEST, directory / MANIFEST)
        write_file(directory, Path(STORE), json.dumps({"export": export.name}).encode())
        sync(directory / STORE)
        added = Store(directory, export.name)
        for path, target in zip(staged.both, added.place.both, strict=True):
            move(path, target)
        return added

    def free_name(self) -> str:
        return datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")

    def begin(self, new: Store) -> Swap:
        """Writes down that the live store is about to be exchanged for another, before anything is done."""
        old = self.current()
        if not old:
            old = Store(self.root / STORES / self.free_name(), None)
            old.directory.mkdir(mode=0o700)
        swap = Swap(old.name, new.name)
        unfinished = f"{SWAP}.partial"
        (self.root / unfinished).unlink(missing_ok=True)
        write_file(self.root, Path(unfinished), json.dumps(asdict(swap)).encode())
        sync(self.root / unfinished)
        (self.root / unfinished).rename(self.root / SWAP)
        sync(self.root)
        return swap

    def under_way(self) -> Swap | None:
        """The swap that a run which died has not ended."""
        try:
            return Swap(**json.loads((self.root / SWAP).read_bytes()))
        except FileNotFoundError:
            return None

    def moves(self, swap: Swap) -> list[tuple[Path, Path, Path]]:
        """For each of the two directories: its place in Neo4j, in the old store and in the new one."""
        old, new = (store(self.root / STORES / name).place for name in (swap.old, swap.new))
        return list(zip(self.live.both, old.both, new.both, strict=True))

    def exchange(self, swap: Swap) -> None:
        """The renames. Neo4j is stopped."""
        for live, old, _ in self.moves(swap):
            if live.exists():
                move(live, old)
        for live, _, new in self.moves(swap):
            move(new, live)

    def committed(self, swap: Swap) -> bool:
        """Whether the new store was proved: it has its name then."""
        return not (self.root / STORES / swap.new).exists()

    def moved(self, swap: Swap) -> bool:
        """Whether a rename of the swap is done."""
        return any(old.exists() or not new.exists() for _, old, new in self.moves(swap))

    def undo(self, swap: Swap) -> None:
        """The renames back, however many were done. Neo4j is stopped. A store that Neo4j made itself in the midst of a
        swap, started by somebody else, is set aside."""
        for live, old, new in self.moves(swap):
            if live.exists() and not new.exists():
                move(live, new)
            if old.exists():
                if live.exists():
                    aside = self.root / f"set-aside-{self.free_name()}"
                    aside.mkdir(mode=0o700)
                    move(live, aside / old.name)
                move(old, live)

    def commit(self, swap: Swap) -> None:
        """The new store is proved, and gets its name. What follows is `end`."""
        new = self.root / STORES / swap.new
        if new.name.startswith(PARTIAL):
            new.rename(new.with_name(new.name.removeprefix(PARTIAL)))
        old = store(self.root / STORES / swap.old)
        if not old.export and not old.place.database.exists():
            remove(old.directory)  # there was no live store, so none left
        sync(self.root / STORES)

    def end(self) -> None:
        """No swap is under way any more."""
        (self.root / SWAP).unlink()
        sync(self.root)

    def clean(self) -> None:
        """Removes what was not proved, and what a removal left."""
        for path in (self.root / STORES).glob(f"{PARTIAL}*"):
            remove(path)

    def prune(self, keep: int) -> list[str]:
        """Removes all but `keep` stores, the live one among them; gives the names of what was removed."""
        removed = self.kept()[keep - 1 :]
        for each in removed:
            doomed = each.directory.with_name(f"{PARTIAL}{each.name}")
            each.directory.rename(doomed)
            remove(doomed)
        return [each.name for each in removed]


def store(directory: Path) -> Store:
    """A store by its directory; one without a note is not of our making."""
    try:
        return Store(directory, json.loads((directory / STORE).read_bytes())["export"])
    except FileNotFoundError:
        return Store(directory, None)


def move(path: Path, target: Path) -> None:
    """A rename, durable on both sides."""
    path.rename(target)
    sync(path.parent)
    sync(target.parent)


@contextmanager
def opened(data: Path, live: Place) -> Iterator[Stores]:
    """The stores below a data directory, held for one rebuild at a time; a process that dies lets go of them.

    Raises `UsageError` where they cannot be written, or where a rename would not do; `BusyError` when another rebuild
    is running.
    """
    root = data / ROOT
    try:
        (root / STORES).mkdir(mode=0o700, parents=True, exist_ok=True)
        root.chmod(0o700)
        for path in live.both:
            path.parent.mkdir(parents=True, exist_ok=True)
        if len({path.stat().st_dev for path in (root, *(path.parent for path in live.both))}) > 1:
            raise UsageError(f"{data} and the stores of Neo4j must be on one file system, since stores are renamed")
        lock = FileLock(root / LOCK, mode=0o600)
        lock.acquire(timeout=0)
    except Timeout:
        raise BusyError(f"another rebuild is running on {data}; wait for it") from None
    except (OSError, NotImplementedError) as error:
        raise UsageError(f"cannot write to {root}: {getattr(error, 'strerror', 'it has no locks')}") from None
    try:
        yield Stores(root, live)
    finally:
        lock.release()
