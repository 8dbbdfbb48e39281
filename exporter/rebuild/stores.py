"""The stores of a rebuilt database: which one is live, which are kept, and the renames that swap them.

They are below `rebuild/` in Neo4j's data directory, so that a swap takes only renames:

    stores/20261125T031500Z/   one store: the name and manifest of the export it came from, and, unless it is the live
                               one, its two directories; .partial-... until a smoke test has verified it
    swap.json                  the swap in progress; a run that finds one left by a dead run undoes it
    committed.json             its name once the new store is verified: what is left of the swap is then ended

Each step is durable before the next: a host may lose power at any moment.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from exporter.errors import UsageError
from exporter.rebuild.store import STORE, Store, StorePaths, read_store
from exporter.sink.files import sync, sync_tree, write_private
from exporter.sink.layout import LOCK, MANIFEST, PARTIAL
from exporter.sink.lock import hold_lock
from exporter.sink.publish import remove

ROOT = "rebuild"
STORES = "stores"
SWAP = "swap.json"
COMMITTED = "committed.json"
REMEDY = "it must be a directory that this user may write"


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
        """Moves a store here from the stage, with the files that Neo4j did not make durable itself; it stays partial
        until it is verified."""
        for path in staged.both:
            sync_tree(path)
        directory = self.root / STORES / f"{PARTIAL}{self.free_name()}"
        make_directory(directory)
        write_private(directory / MANIFEST, (export / MANIFEST).read_bytes())
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
            make_directory(old.directory)
        swap = Swap(old.name, new.name)
        write_private(self.root / SWAP, json.dumps(asdict(swap)).encode())
        return swap

    def under_way(self) -> Swap | None:
        """The swap that has begun but not ended, in this run or in one that died."""
        for name in (SWAP, COMMITTED):
            with suppress(FileNotFoundError):
                return Swap(**json.loads((self.root / name).read_bytes()))
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
        """Whether the new store was verified, and stays."""
        # Version 1.0 did not write that down, but gave the new store its final name.
        named = self.final(swap) != swap.new and self.has(self.final(swap))
        return named or (self.root / COMMITTED).exists()

    def final(self, swap: Swap) -> str:
        """The name that the new store has once it is verified."""
        return swap.new.removeprefix(PARTIAL)

    def has(self, name: str) -> bool:
        return (self.root / STORES / name).exists()

    def moved(self, swap: Swap) -> bool:
        """Whether any rename of the swap was done."""
        return any(old.exists() or not new.exists() for _, old, new in self.moves(swap))

    def undo(self, swap: Swap) -> None:
        """Reverses the renames, however many were done; Neo4j must be stopped. A store that Neo4j created because
        somebody started it during the swap is set aside."""
        moves = self.moves(swap)
        for live, _, new in moves:  # both, before one of the old store's: never are they mixed
            if live.exists() and not new.exists():
                move(live, new)
        for live, old, _ in moves:
            if old.exists():
                if live.exists():
                    aside = self.root / f"set-aside-{self.free_name()}"
                    make_directory(aside)
                    move(live, aside / old.name)
                move(old, live)

    def commit(self, swap: Swap) -> None:
        """Records that the new store is verified, and stays; `adopt` and `end` must follow. Raises `OSError` if that
        cannot be recorded: then it does not stay. It takes no room on a disk that may be full."""
        try:
            (self.root / SWAP).rename(self.root / COMMITTED)
            sync(self.root)
        except OSError:
            if not self.committed(swap):
                raise

    def adopt(self, swap: Swap) -> None:
        """Gives the new store, which was committed, its final name; what stood for an old one that was not there goes,
        lest it be taken for the live one. Raises `OSError`."""
        if not self.has(self.final(swap)):
            (self.root / STORES / swap.new).rename(self.root / STORES / self.final(swap))
        old = read_store(self.root / STORES / swap.old)
        if not old.export and self.has(swap.old) and not old.paths.database.exists():
            shutil.rmtree(old.directory)
        sync(self.root / STORES)

    def end(self) -> None:
        """Records that the swap has ended."""
        for name in (SWAP, COMMITTED):
            (self.root / name).unlink(missing_ok=True)
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


def make_directory(path: Path) -> None:
    """A new directory for its owner alone, made durable: what is moved into it shall not be lost with it."""
    path.mkdir(mode=0o700)
    sync(path.parent)


def move(path: Path, target: Path) -> None:
    """A rename, made durable in both directories; first where it is from now on, lest it be in neither."""
    path.rename(target)
    sync(target.parent)
    sync(path.parent)


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
        for path in (root / STORES, root, *(path.parent for path in live.both)):
            sync(path.parent)
        if len({path.stat().st_dev for path in (root, *(path.parent for path in live.both))}) > 1:
            raise UsageError(f"{data} and the stores of Neo4j must be on one file system, since stores are renamed")
    except OSError as error:
        raise UsageError(f"cannot write to {root}: {error.strerror}; {REMEDY}") from None
    with hold_lock(root / LOCK, busy=f"another rebuild is running on {data}; wait for it", remedy=REMEDY):
        yield Stores(root, live)
