"""`exporter prune`: old exports removed."""

import typer

from exporter.cli.options import Config, Keep, Output, settings_from


def prune(context: typer.Context, keep: Keep, output: Output = None, config: Config = None) -> None:
    """Remove old exports, but never the latest, and rejects kept from runs before the oldest remaining one."""
    from exporter.published.prune import prune as prune_exports

    removed = prune_exports(settings_from(context, config).output, keep)
    for directory in removed:
        print(f"removed {directory}")
    if not removed:
        print("Nothing to remove.")
