"""`exporter prune`: old exports removed."""

from exporter.cli.options import Config, Keep, Output, settings_from


def prune(keep: Keep, output: Output = None, config: Config = None) -> None:
    """Remove old exports, never the one that is latest, and rejects that were kept before the oldest that stays."""
    from exporter.published.prune import prune as prune_exports

    removed = prune_exports(settings_from(config, output=output).output, keep)
    for directory in removed:
        print(f"removed {directory}")
    if not removed:
        print("Nothing is to be removed.")
