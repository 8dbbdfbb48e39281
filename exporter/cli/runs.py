"""`exporter runs`: the existing exports, and what changed between two of them."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exporter.cli.completion import complete_export_name
from exporter.cli.options import Config, Json, Output, print_json, result_console, settings_from

if TYPE_CHECKING:
    from exporter.cli.run_tables import Runs
    from exporter.rebuild.store import Store
    from exporter.settings import Settings


def runs(
    context: typer.Context,
    output: Output = None,
    config: Config = None,
    diff: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--diff",
            metavar="A B",
            help="Compare two exports, by name or directory.",
            show_default=False,
            autocompletion=complete_export_name,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the exports in the output directory, or compare two of them by label and pattern.

    Marks: latest, where output/latest leads; latest-copy, the last window or masked export; live, what the Neo4j of
    the rebuild settings serves; rollback, what a rebuild with --rollback makes live again.
    """
    from exporter.cli.run_tables import runs_object, runs_table

    settings = settings_from(context, config)
    if diff:
        print_changes(settings, *diff, as_json=as_json)
        return
    found = find_runs(settings)
    if as_json:
        print_json(runs_object(settings.output, found))
    elif found.exports or found.rejected:
        result_console().print(runs_table(found))
    else:
        print(f"No exports in {settings.output}.")


def find_runs(settings: "Settings") -> "Runs":
    """The exports and kept rejects below the output directory, with their marks."""
    from exporter.cli.run_tables import Runs
    from exporter.published.history import exports, kept_rejects, latest
    from exporter.rebuild.status import known_stores
    from exporter.sink.layout import LATEST_COPY

    output, marks = settings.output, dict[str, list[str]]()
    published = exports(output)
    stores = known_stores(settings.rebuild)
    live, kept = (stores.current(), stores.kept()) if stores else (None, [])
    marked = {
        "latest": latest(output),
        "latest-copy": latest(output, LATEST_COPY),
        "live": live and export_of(live, output),
        "rollback": export_of(kept[0], output) if kept else None,
    }
    for mark, export in marked.items():
        if export:
            marks.setdefault(export.name, []).append(mark)
    return Runs(published, kept_rejects(output), marks)


def export_of(store: "Store", output: Path) -> Path | None:
    """The export behind a store; None, too, if this user may not read one of the two."""
    with suppress(OSError):
        return store.export_in(output)
    return None


def print_changes(settings: "Settings", before: str, after: str, *, as_json: bool) -> None:
    """Prints what changed from one export to another, and what makes them hard to compare."""
    from exporter.cli.run_tables import changes_table
    from exporter.published.diff import changes, diff_object, remarks
    from exporter.published.history import find_directory
    from exporter.sink.manifest import read_manifest
    from exporter.text import visible

    old, new = (find_directory(settings.output, name) for name in (before, after))
    manifests = read_manifest(old), read_manifest(new)
    if as_json:
        print_json(diff_object(old, new, manifests))
        return
    for remark in remarks(*manifests):
        print(visible(remark))
    differing = [change for change in changes(*manifests) if change.changed]
    if differing:
        result_console().print(changes_table(differing))
    else:
        print("Every label and pattern has the same numbers.")
