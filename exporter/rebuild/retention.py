"""What follows a swap: `latest` leads to the live export, and old stores and exports go. Nothing here fails a rebuild,
since the graph is what matters: it only warns."""

from pathlib import Path

from exporter.errors import ExporterError
from exporter.published.history import latest
from exporter.published.prune import prune
from exporter.rebuild.report import RebuildReport, one_line
from exporter.rebuild.stores import Stores
from exporter.sink.manifest import read_manifest
from exporter.sink.publish import link_latest


def move_latest(stores: Stores, output: Path, report: RebuildReport) -> None:
    """Makes `latest` lead to the export behind the live store, if that is in the output directory and no copy."""
    try:
        store = stores.current()
        export = store.export_in(output) if store else None
        if export and not read_manifest(export).is_copy and export != latest(output):
            link_latest(export)
    except (ExporterError, OSError) as error:
        report.log.write(f"{output}/latest was not moved: {one_line(error)}", "warning")


def prune_stores(stores: Stores, keep: int, report: RebuildReport) -> None:
    """Removes all but `keep` stores, with the live one."""
    try:
        report.removed_stores += stores.prune(keep)
    except OSError as error:
        report.log.write(f"old stores were not removed: {one_line(error)}", "warning")


def prune_exports(stores: Stores, output: Path, keep: int, report: RebuildReport) -> None:
    """Removes all but `keep` exports, but none that a store was made from."""
    try:
        needed = [store.export for store in stores.all() if store.export]
        removed = prune(output, keep, needed)
    except (ExporterError, OSError) as error:
        report.log.write(f"old exports were not removed: {one_line(error)}", "warning")
    else:
        report.removed_exports += [removal.path.name for removal in removed]
