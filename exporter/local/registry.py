"""The graphs on the user's machine: each is a directory with a record, which names its live store.

<data directory>/
  .graph.lock                  held while a command creates, starts, stops or removes the graph
  graph/
    graph.json                 the record: which store, its ports, its Neo4j; replaced in one step
    password                   of the user neo4j
    20261126T031500123456Z/    the store: conf, data, logs, run
    exports/                   while a graph is being made
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
from pydantic import TypeAdapter, ValidationError

from exporter.errors import RunError, UsageError
from exporter.invocation import command
from exporter.local.names import DEFAULT, NAME, RECORD, data_directory, graph_names
from exporter.published.extent import Extent
from exporter.sink.copies import WindowEntry
from exporter.sink.files import write_private
from exporter.sink.layout import REJECTED
from exporter.sink.lock import hold_lock
from exporter.sink.publish import remove
from exporter.store.configuration import Access, free_port
from exporter.store.process import find_server
from exporter.store.provision import Neo4jHome

# Neo4j's default ports, 7687 and 7474, are left to the user's own Neo4j.
BOLT_PORTS, HTTP_PORTS = range(17687, 17787), range(17474, 17574)
PASSWORD, EXPORTS = "password", "exports"


@dataclass(frozen=True, slots=True)
class Record:
    """What `graph.json` holds: the live store, how it is served, and what is in it: all of the database, or a window of
    it, and by which profile it was masked, if it was."""

    store: str
    bolt_port: int
    http_port: int | None
    neo4j: Neo4jHome
    database: str
    snapshot_at: datetime
    nodes: int
    relationships: int
    window: WindowEntry | None = None
    masked: str | None = None

    @property
    def extent(self) -> Extent:
        """The window, and when its snapshot was taken."""
        return Extent(self.window, None, self.snapshot_at)


_RECORD = TypeAdapter(Record)


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph, by its directory; it exists if it has a record."""

    directory: Path

    @property
    def name(self) -> str:
        return self.directory.name

    @property
    def title(self) -> str:
        """Its name in a sentence: `the graph`, `the graph sales`."""
        return "the graph" if self.name == DEFAULT else f"the graph {self.name}"

    @property
    def flag(self) -> str:
        """The flag that names it on a command line, after a blank; empty for the default name."""
        return "" if self.name == DEFAULT else f" --name {self.name}"

    def record(self) -> Record | None:
        """Its record; None if no store was ever complete. Raises `UsageError` for an unreadable one."""
        try:
            return _RECORD.validate_json((self.directory / RECORD).read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError):
            raise UsageError(f"{self.directory / RECORD} cannot be read: remove the graph and build it again") from None

    def readable_record(self) -> Record | None:
        """Its record; None also for an unreadable one."""
        with suppress(UsageError):
            return self.record()
        return None

    def save(self, record: Record) -> None:
        """Makes the record's store live, in one step."""
        write_private(self.directory / RECORD, _RECORD.dump_json(record, indent=2, by_alias=True))

    def server(self) -> psutil.Process | None:
        """The process that is serving it, if any."""
        record = self.record()
        return find_server(self.directory / record.store) if record else None

    def password(self) -> str:
        """Its password, generated at first: a graph that replaces another keeps it."""
        path = self.directory / PASSWORD
        if not path.exists():
            write_private(path, secrets.token_urlsafe(18).encode())
        return path.read_text(encoding="ascii")

    def access(self, http: bool) -> Access:
        """How to serve it: on its previous ports if they are free, else on the first ones that no graph has."""
        own = self.record()
        others = [record for graph in graphs() if graph.name != self.name and (record := graph.readable_record())]
        bolt = first_free(own.bolt_port if own else None, BOLT_PORTS, {other.bolt_port for other in others})
        if not http:
            return Access(bolt, None, self.password())
        http_port = first_free(own.http_port if own else None, HTTP_PORTS, {other.http_port for other in others})
        return Access(bolt, http_port, self.password())

    def new_store(self) -> Path:
        """A directory for a store that is not live yet."""
        directory = self.directory / datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        directory.mkdir(mode=0o700)
        return directory

    def clean(self, *, keep_logs: bool = False) -> None:
        """Removes whatever the record does not name: what a run left behind, or a replaced store. What shows why a run
        failed can be kept until the next one: its logs, and the reject files of a broken limit."""
        record = self.record()
        kept = {RECORD, PASSWORD, record.store if record else ""}
        for path in self.contents():
            if path.name in kept:
                continue
            if not keep_logs or not path.is_dir():
                remove(path)
                continue
            for part in path.iterdir():
                if part.name != "logs" and not part.name.startswith(REJECTED):
                    remove(part)
            with suppress(OSError):  # not empty
                path.rmdir()
        if not record and {path.name for path in self.contents()} <= {PASSWORD}:
            remove(self.directory)

    def contents(self) -> list[Path]:
        return list(self.directory.iterdir()) if self.directory.is_dir() else []

    def size(self) -> int:
        """Its bytes on disk."""
        blocks = 0
        for path in self.directory.rglob("*"):
            with suppress(FileNotFoundError):  # Neo4j has just removed it
                blocks += path.lstat().st_blocks
        return blocks * 512


def first_free(previous: int | None, candidates: range, taken: set[int | None]) -> int:
    """The first of `previous` and the candidates that is free and not `taken` by another graph; 0 if none is."""
    ports = (port for port in (previous, *candidates) if port and port not in taken)
    return next((port for port in ports if free_port(port) == port), 0)


def graphs() -> list[Graph]:
    """The graphs that exist, by name."""
    return [Graph(data_directory() / name) for name in graph_names()]


def graph_named(name: str | None) -> Graph:
    """The graph with a name, whether it exists or not. Raises `UsageError` for a malformed name."""
    name = name or DEFAULT
    if not NAME.fullmatch(name):
        raise UsageError(
            f"--name {name}: a name is lower-case letters, digits, _ and -, at most 40, the first a letter or digit"
        )
    return Graph(data_directory() / name)


def find(name: str | None) -> Graph:
    """The existing graph with a name; without a name, `graph` or else the only one. Raises `UsageError` if there is
    none."""
    wanted, existing = graph_named(name), graphs()
    if name is None and len(existing) == 1:
        return existing[0]
    if wanted in existing:
        return wanted
    names = ", ".join(graph.name for graph in existing)
    if not existing:
        raise UsageError(f"there is no graph yet; build one with {command()} local --source URI, or --from EXPORT")
    if name is None:
        raise UsageError(f"which graph? Give one with --name: {names}")
    raise UsageError(f"there is no graph named {name}; existing graphs: {names}")


@contextmanager
def locked(graph: Graph) -> Iterator[None]:
    """Holds a graph for one command. Raises as `hold_lock` does, and `RunError` for an `OSError` in the block."""
    busy = f"another command is working on {graph.title}; wait for it"
    lock = graph.directory.with_name(f".{graph.name}.lock")
    with hold_lock(lock, busy=busy, remedy="set XDG_DATA_HOME to another directory"):
        try:
            yield
        except OSError as error:
            raise RunError(f"{error.filename or lock.parent}: {error.strerror}") from None
