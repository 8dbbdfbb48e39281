"""One store of a rebuilt database: its two directories, and the export it came from."""

import json
from dataclasses import dataclass
from pathlib import Path

from exporter.errors import DifferenceError
from exporter.sink.layout import MANIFEST
from exporter.sink.manifest import Manifest, read_manifest

STORE = "store.json"


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
        """The manifest of the export it came from; None if it came from none, or that is damaged. Raises `OSError` if
        it cannot be read: a guard that took that for none would let anything pass."""
        try:
            return read_manifest(self.directory)
        except (DifferenceError, FileNotFoundError):
            return None

    def export_in(self, output: Path) -> Path | None:
        """The export it came from, if that is below this output directory: it has the same name and manifest. Raises
        `OSError` if one of the two cannot be read."""
        export = output / (self.export or "")
        try:
            same = (export / MANIFEST).read_bytes() == (self.directory / MANIFEST).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return export if self.export and same else None

    def __str__(self) -> str:
        return f"the store of export {self.export}" if self.export else "the store from before the first rebuild"


def read_store(directory: Path) -> Store:
    """The store in a directory; one without store.json was not made by a rebuild."""
    try:
        return Store(directory, json.loads((directory / STORE).read_bytes())["export"])
    except FileNotFoundError:
        return Store(directory, None)
