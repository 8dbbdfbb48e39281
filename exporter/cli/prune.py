"""`exporter prune`: old exports removed."""

from typing import Annotated

import typer

from exporter.cli.options import Config, Json, Keep, Output, print_json, settings_from


def prune(
    context: typer.Context,
    keep: Keep,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    output: Output = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Remove old exports, and rejects kept from runs before the oldest remaining one.

    Copies (windows, and masked exports) are counted apart, so that they never push out other exports. Never removes the
    latest export or the latest copy, nor those behind the stores of the Neo4j in the rebuild settings.
    """
    from rich.filesize import decimal

    from exporter.published.prune import outdated, removals_object
    from exporter.published.prune import prune as prune_exports
    from exporter.rebuild.status import known_stores

    settings = settings_from(context, config)
    stores = known_stores(settings.rebuild)
    needed = [store.export for store in stores.all() if store.export] if stores else []
    removals = (outdated if dry_run else prune_exports)(settings.output, keep, needed)
    if as_json:
        print_json(removals_object(removals, dry_run=dry_run))
        return
    removed, freed = ("would remove", "Would free") if dry_run else ("removed", "Freed")
    for removal in removals:
        print(f"{removed} {removal.path} ({decimal(removal.bytes)})")
    if removals:
        print(f"{freed} {decimal(sum(removal.bytes for removal in removals))}.")
    else:
        print("Nothing to remove.")
