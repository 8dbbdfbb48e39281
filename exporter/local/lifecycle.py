"""A graph made, replaced, started, stopped and removed. One that is being made counts when it is whole; until then,
and after any failure, the one that was there is as it was."""

from dataclasses import replace
from pathlib import Path

from exporter.errors import Interrupted, RunError, UsageError
from exporter.interrupts import disable_interrupts
from exporter.local.registry import EXPORTS, PASSWORD, RECORD, Graph, Record, locked
from exporter.settings import Settings
from exporter.sink.manifest import read_manifest
from exporter.store.deploy import Steps
from exporter.store.process import running, stop
from exporter.store.provision import Neo4jHome, default_cache, provision
from exporter.store.server import Access, Server, ample_heap

NO_SOURCE = "no source is set; give --source postgresql://USER@HOST/DATABASE, or --from with an export that is there"


def make(graph: Graph, origin: Settings | Path, *, cache: Path | None, steps: Steps) -> Record:
    """Makes a graph of a source, or of an export that is there, in place of the one of that name; leaves it running.

    Raises an `ExporterError` when a step fails, `LimitError` when something differs from the export's manifest.
    """
    with locked(graph):
        # What needs no Neo4j is known before one is downloaded.
        if isinstance(origin, Path):
            steps.check_files(origin)
        elif not origin.source:
            raise UsageError(NO_SOURCE)
        home = provision(cache or default_cache(), steps.console.print)
        graph.sweep()
        graph.directory.mkdir(mode=0o700, exist_ok=True)
        try:
            if isinstance(origin, Path):
                export = origin.resolve()
            else:
                # Whatever other exports are for: nobody else may enter the directory, and this one is soon gone.
                here = {"output": graph.directory / EXPORTS, "group": None, "archive": False, "encrypt_to": None}
                export = steps.export(origin.model_copy(update=here)).directory
            store = graph.new_store()
            steps.load(export, home, store)
            serve_instead(graph, describe(export, store, home), export, steps)
        except BaseException as error:
            disable_interrupts()
            graph.sweep(evidence=not isinstance(error, Interrupted))
            raise
        graph.sweep()
        return known(graph)


def serve_instead(graph: Graph, new: Record, export: Path, steps: Steps) -> None:
    """Verifies a new store on a server of its own, and lets it take the place of the graph that runs, if one does."""
    old, process = graph.record(), graph.server()
    access = Access(password=graph.password()) if process else graph.access(has_browser(new.neo4j))
    with steps.serve(new.neo4j, graph.directory / new.store, access, heap=ample_heap()) as server:
        steps.complete(export, server)
        if not process:
            stand(graph, new, server)
    if not process or not old:
        return
    try:
        stop(process)
        begin(graph, new, steps)
    except BaseException as error:
        disable_interrupts()
        stop(process)  # it may still be on its way
        graph.settle(old)
        try:
            begin(graph, old, steps)
        except RunError:
            raise RunError(f"{error}; the graph as it was does not start any more either") from None
        raise


def begin(graph: Graph, record: Record, steps: Steps) -> None:
    """Starts the server on a store, which counts and runs on from then."""
    access = graph.access(has_browser(record.neo4j))
    with steps.serve(record.neo4j, graph.directory / record.store, access, heap=ample_heap()) as server:
        stand(graph, record, server)


def stand(graph: Graph, record: Record, server: Server) -> None:
    """From here on the graph stands, and signals stop nothing any more."""
    disable_interrupts()
    graph.settle(replace(record, bolt_port=server.access.bolt_port, http_port=server.access.http_port))
    server.keep = True


def start(graph: Graph, *, cache: Path | None, steps: Steps) -> Record:
    """Starts a graph unless it runs, and says how it is reached."""
    with locked(graph):
        record = known(graph)
        if not graph.server():
            if not (graph.directory / record.store / "data").is_dir():  # else Neo4j would make an empty one
                raise UsageError(f"the store of the graph {graph.name} is gone; make it again")
            begin(graph, replace(record, neo4j=neo4j_of(record, cache, steps)), steps)
        return known(graph)


def halt(graph: Graph) -> bool:
    """Stops a graph; whether it ran."""
    with locked(graph):
        process = graph.server()
        if process:
            stop(process)
        return process is not None


def discard(graph: Graph) -> None:
    """Stops a graph and removes all of it."""
    with locked(graph):
        for store in graph.contents():
            if process := running(store):
                stop(process)
        (graph.directory / RECORD).unlink(missing_ok=True)  # first: what has no record is no graph
        (graph.directory / PASSWORD).unlink(missing_ok=True)
        graph.sweep()


def known(graph: Graph) -> Record:
    """The record of a graph that is there."""
    record = graph.record()
    if not record:
        raise UsageError(f"there is no graph named {graph.name} any more")
    return record


def describe(export: Path, store: Path, home: Neo4jHome) -> Record:
    """The record of a store whose server has no ports yet."""
    manifest = read_manifest(export)
    source, totals = manifest.source, manifest.totals
    return Record(store.name, 0, None, home, source.database, source.snapshot_at, totals.nodes, totals.relationships)


def neo4j_of(record: Record, cache: Path | None, steps: Steps) -> Neo4jHome:
    """The Neo4j that made a store, since another may not read it: where it was, or else brought along again."""
    home = record.neo4j
    jar, java = home.home / "lib" / f"neo4j-{home.version}.jar", home.java_home / "bin" / "java"
    if jar.is_file() and java.is_file():
        return home
    found = provision(cache or default_cache(), steps.console.print)
    if found.version != home.version:
        gone = java if jar.is_file() else jar
        raise UsageError(
            f"the graph needs Neo4j {home.version}, whose {gone} is gone; make it again, or bring that back"
        )
    return found


def has_browser(home: Neo4jHome) -> bool:
    """Whether a Neo4j has a Browser to serve: an archive beside its jars, or one of them."""
    return any(home.home.glob("web/neo4j-browser*.zip")) or any(home.home.glob("lib/neo4j-browser*.jar"))
