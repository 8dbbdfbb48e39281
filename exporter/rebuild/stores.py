"""The stores of a rebuilt database: which one is live, which are kept, and the renames that swap them.

They are below `rebuild/` in Neo4j's data directory, so that a swap takes only renames:

    stores/20261125T031500Z/   one store: the name and manifest of the export it came from, and, unless it is the live
                               one, its two directories; .partial-... until a smoke test has verified it
    swap.json                  the swap in progress; a run that finds one left by a dead run undoes it
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from shutil import copyfile

from exporter.errors import UsageError
from exporter.published.history import readable_manifest
from exporter.sink.files import sync, write_private
from exporter.sink.layout import LOCK, MANIFEST, PARTIAL
from exporter.sink.lock import hold_lock
from exporter.sink.manifest import Manifest
from exporter.sink.publish import remove

ROOT = "rebuild"
STORES = "stores"
STORE = "store.json"
SWAP = "swap.json"
REMEDY = "it must be a directory that this user may write"


@dataclass(frozen=True, slots=True)
class StorePaths:
    """The two directories of a store."""

    database: Path
    transactions: Path

    @property
    def both(self) -> tuple[Path, Path]:
        return self.database, self.transactions


@dataclass(frozen=True, slots=True)
class Store:
    """A store, by its directory below `stores/`, and the name of the export it came from, if known."""

    directory: Path
    export: str | None

    @property
    def name(self) -> str:
        return self.directory.name

    @property
    def paths(self) -> StorePaths:
        """Where it is while it is not live."""
        return StorePaths(self.directory / "database", self.directory / "transactions")

    @property
    def manifest(self) -> Manifest | None:
        return readable_manifest(self.directory)

    def export_in(self, output: Path) -> Path | None:
        """The export it came from, if that is below this output directory: it has the same name and manifest."""
        export = output / (self.export or "")
        try:
            same = (export / MANIFEST).read_bytes() == (self.directory / MANIFEST).read_bytes()
        except OSError:
            return None
        return export if self.export and same else None

    def __str__(self) -> str:
        return f"the store of export {self.export}" if self.export else "the store from before the first rebuild"


@dataclass(frozen=True, slots=True)
class Swap:
    """A swap of the live store for another: the names of both."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores of one database; `live` is where Neo4j keeps the one it serves."""

    root: Path
    live: StorePaths

    def all(self) -> list[Store]:
        """Every verified store, the oldest first; none before the first rebuild."""
        try:
            directories = sorted(path for path in (self.root / STORES).iterdir() if path.is_dir())
        except FileNotFoundError:
            return []
        return [read_store(path) for path in directories if not path.name.startswith(PARTIAL)]

    def current(self) -> Store | None:
        """The live store; None before the first rebuild."""
        return next((store for store in reversed(self.all()) if not store.paths.database.exists()), None)

    def kept(self) -> list[Store]:
        """The stores that are not live, most recently live first: its directory changed last."""
        retired = [store for store in self.all() if store.paths.database.exists()]
        return sorted(retired, key=lambda store: store.directory.stat().st_mtime_ns, reverse=True)

    def add(self, staged: StorePaths, export: Path) -> Store:
        """Moves a store here from the stage; it stays partial until it is verified."""
        directory = self.root / STORES / f"{PARTIAL}{self.free_name()}"
        directory.mkdir(mode=0o700)
        copyfile(export / MANIFEST, directory / MANIFEST)
        write_private(directory / STORE, json.dumps({"export": export.name}).encode())
        added = Store(directory, export.name)
        for path, target in zip(staged.both, added.paths.both, strict=True):
            move(path, target)
        return added

    def free_name(self) -> str:
        """A new name; names sort by time."""
        return datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")

    def begin(self, new: Store) -> Swap:
        """Records that the live store is about to be swapped for another, before anything is done."""
        old = self.current()
        if not old:
            old = Store(self.root / STORES / self.free_name(), None)
            old.directory.mkdir(mode=0o700)
        swap = Swap(old.name, new.name)
        write_private(self.root / SWAP, json.dumps(asdict(swap)).encode())
        return swap

    def under_way(self) -> Swap | None:
        """The swap that has begun but not ended, in this run or in one that died."""
        try:
            return Swap(**json.loads((self.root / SWAP).read_bytes()))
        except FileNotFoundError:
            return None

    def moves(self, swap: Swap) -> list[tuple[Path, Path, Path]]:
        """For each of the two directories: its path in Neo4j, in the old store and in the new one."""
        old, new = (read_store(self.root / STORES / name).paths for name in (swap.old, swap.new))
        return list(zip(self.live.both, old.both, new.both, strict=True))

    def swap(self, swap: Swap) -> None:
        """The renames; Neo4j must be stopped."""
        for live, old, _ in self.moves(swap):
            if live.exists():
                move(live, old)
        for live, _, new in self.moves(swap):
            move(new, live)

    def committed(self, swap: Swap) -> bool:
        """Whether the new store was verified: then it has its final name."""
        return not (self.root / STORES / swap.new).exists()

    def moved(self, swap: Swap) -> bool:
        """Whether any rename of the swap was done."""
        return any(old.exists() or not new.exists() for _, old, new in self.moves(swap))

    def undo(self, swap: Swap) -> None:
        """Reverses the renames, however many were done; Neo4j must be stopped. A store that Neo4j created because
        somebody started it during the swap is set aside."""
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
        """Gives the new store its final name, since it is verified; `end` must follow."""
        new = self.root / STORES / swap.new
        if new.name.startswith(PARTIAL):
            new.rename(new.with_name(new.name.removeprefix(PARTIAL)))
        old = read_store(self.root / STORES / swap.old)
        if not old.export and not old.paths.database.exists():
            remove(old.directory)  # there was no live store to keep
        sync(self.root / STORES)

    def end(self) -> None:
        """Records that the swap has ended."""
        (self.root / SWAP).unlink()
        sync(self.root)

    def clean(self) -> bool:
        """Removes stores that were not verified, and the rest of interrupted removals. Returns whether there were
        any."""
        leftovers = list((self.root / STORES).glob(f"{PARTIAL}*"))
        for path in leftovers:
            remove(path)
        return bool(leftovers)

    def prune(self, keep: int) -> list[str]:
        """Removes all but `keep` stores, the live one among them; returns the names of those removed."""
        removed = self.kept()[keep - 1 :]
        for store in removed:
            trash = store.directory.with_name(f"{PARTIAL}{store.name}")
            store.directory.rename(trash)
            remove(trash)
        return [store.name for store in removed]


def read_store(directory: Path) -> Store:
    """The store in a directory; one without store.json was not made by a rebuild."""
    try:
        return Store(directory, json.loads((directory / STORE).read_bytes())["export"])
    except FileNotFoundError:
        return Store(directory, None)


def move(path: Path, target: Path) -> None:
    """A rename, made durable in both directories."""
    path.rename(target)
    sync(path.parent)
    sync(target.parent)


@contextmanager
def open_stores(data: Path, live: StorePaths) -> Iterator[Stores]:
    """The stores below a data directory, locked for one rebuild.

    Raises `UsageError` if they cannot be written or renamed to Neo4j's directories, `BusyError` if another rebuild is
    running.
    """
    root = data / ROOT
    try:
        (root / STORES).mkdir(mode=0o700, parents=True, exist_ok=True)
        root.chmod(0o700)
        for path in live.both:
            path.parent.mkdir(parents=True, exist_ok=True)
        if len({path.stat().st_dev for path in (root, *(path.parent for path in live.both))}) > 1:
            raise UsageError(f"{data} and the stores of Neo4j must be on one file system, since stores are renamed")
    except OSError as error:
        raise UsageError(f"cannot write to {root}: {error.strerror}; {REMEDY}") from None
    with hold_lock(root / LOCK, busy=f"another rebuild is running on {data}; wait for it", remedy=REMEDY):
        yield Stores(root, live)
