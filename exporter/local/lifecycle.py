"""A graph created, replaced, started, stopped and deleted. A new store goes live when it is complete; until then,
and after any failure, the graph is unchanged."""

from dataclasses import replace
from pathlib import Path

from exporter.errors import Interrupted, RunError, Stop, UsageError
from exporter.interrupts import disable_interrupts
from exporter.local.names import RECORD
from exporter.local.registry import EXPORTS, PASSWORD, Graph, Record, locked
from exporter.settings import Settings
from exporter.sink.manifest import read_manifest
from exporter.store.configuration import Access, ample_heap
from exporter.store.deploy import Steps
from exporter.store.process import find_server, stop_server
from exporter.store.provision import Neo4jHome, has_browser, provision
from exporter.store.server import Server

NO_SOURCE = "no source is set; give --source postgresql://USER@HOST/DATABASE, or an existing export with --from"


def create(graph: Graph, origin: Settings | Path, *, cache: Path | None, steps: Steps) -> Record:
    """Creates a graph from a source or from an existing export, replacing one of the same name; leaves it running.

    Raises an `ExporterError` if a step fails, `DifferenceError` if something differs from the export's manifest.
    """
    with locked(graph):
        # Whatever needs no Neo4j is checked before one is downloaded.
        if isinstance(origin, Path):
            steps.check_files(origin)
        elif not origin.source:
            raise UsageError(NO_SOURCE)
        home = provision(cache, steps.show_line)
        graph.clean()
        graph.directory.mkdir(mode=0o700, exist_ok=True)
        try:
            export = origin.resolve() if isinstance(origin, Path) else temporary_export(graph, origin, steps)
            store = graph.new_store()
            steps.import_export(export, home, store)
            put_in_force(graph, new_record(export, store, home), export, steps)
        except BaseException as error:
            disable_interrupts()
            graph.clean(keep_logs=not isinstance(error, Interrupted | Stop))
            raise
        graph.clean()
        return require_record(graph)


def temporary_export(graph: Graph, settings: Settings, steps: Steps) -> Path:
    """An export of the source below the graph's directory, private to the user and removed by the next `clean`,
    whatever the settings say about other exports."""
    private = {"output": graph.directory / EXPORTS, "group": None, "archive": False, "encrypt_to": None}
    return steps.export(settings.model_copy(update=private)).directory


def put_in_force(graph: Graph, new: Record, export: Path, steps: Steps) -> None:
    """Verifies a new store on its own server, and swaps it with the graph's store, on its ports if it is running.

    If the new store does not start there, the old one is live again, and running.
    """
    old, process = graph.record(), graph.server()
    access = Access(password=graph.password()) if process else graph.access(has_browser(new.neo4j))
    with steps.serve(new.neo4j, graph.directory / new.store, access, heap=ample_heap()) as server:
        steps.complete(export, server)
        if not process:
            commit(graph, new, server)
    if not process or not old:
        return
    try:
        stop_server(process)
        serve_store(graph, new, steps)
    except BaseException as error:
        disable_interrupts()
        stop_server(process)  # it may not have ended yet
        graph.save(old)
        try:
            serve_store(graph, old, steps)
        except RunError:
            raise RunError(f"{error}; and the previous graph does not start either") from None
        raise


def serve_store(graph: Graph, record: Record, steps: Steps) -> None:
    """Starts the server on a record's store, which is then live and keeps running."""
    access = graph.access(has_browser(record.neo4j))
    with steps.serve(record.neo4j, graph.directory / record.store, access, heap=ample_heap()) as server:
        commit(graph, record, server)


def commit(graph: Graph, record: Record, server: Server) -> None:
    """Makes the store live, with its server's ports; from here on, signals no longer stop the run."""
    disable_interrupts()
    graph.save(replace(record, bolt_port=server.access.bolt_port, http_port=server.access.http_port))
    server.keep = True


def start(graph: Graph, *, cache: Path | None, steps: Steps) -> Record:
    """Starts a graph unless it is running, and returns its record."""
    with locked(graph):
        record = require_record(graph)
        if not graph.server():
            if not (graph.directory / record.store / "data").is_dir():  # otherwise Neo4j would create an empty one
                raise UsageError(f"the store of {graph.title} no longer exists; build it again")
            serve_store(graph, replace(record, neo4j=find_neo4j(record, cache, steps)), steps)
        return require_record(graph)


def stop(graph: Graph) -> bool:
    """Stops a graph; returns whether it was running."""
    with locked(graph):
        process = graph.server()
        if process:
            stop_server(process)
        return process is not None


def delete(graph: Graph) -> None:
    """Stops a graph and removes it completely."""
    with locked(graph):
        for store in graph.contents():
            if process := find_server(store):
                stop_server(process)
        (graph.directory / RECORD).unlink(missing_ok=True)  # first: without a record it no longer exists
        (graph.directory / PASSWORD).unlink(missing_ok=True)
        graph.clean()


def require_record(graph: Graph) -> Record:
    """The record of a graph. Raises `UsageError` if it has none."""
    record = graph.record()
    if not record:
        raise UsageError(f"{graph.title} no longer exists")
    return record


def new_record(export: Path, store: Path, home: Neo4jHome) -> Record:
    """The record of a store that was imported from an export, without ports yet."""
    manifest = read_manifest(export)
    source, totals = manifest.source, manifest.totals
    return Record(
        store.name, 0, None, home, source.database, source.snapshot_at, totals.nodes, totals.relationships,
        manifest.window, manifest.redaction.profile if manifest.redaction else None,
    )  # fmt: skip


def find_neo4j(record: Record, cache: Path | None, steps: Steps) -> Neo4jHome:
    """The Neo4j that made a store, since another version may be unable to read it: at its old place, or else
    provisioned again.

    Raises `UsageError` if only another version is available.
    """
    home = record.neo4j
    jar, java = home.home / "lib" / f"neo4j-{home.version}.jar", home.java_home / "bin" / "java"
    if jar.is_file() and java.is_file():
        return home
    provisioned = provision(cache, steps.show_line)
    if provisioned.version != home.version:
        missing = java if jar.is_file() else jar
        raise UsageError(
            f"the graph needs Neo4j {home.version}, but {missing} is missing; build the graph again, or restore it"
        )
    return provisioned
