"""What the shell offers for the names of exports and graphs; nothing heavy is imported."""

import os
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import typer

from exporter.errors import UsageError

SETTINGS, MANIFEST = "exporter.toml", "manifest.json"


def complete_graph(incomplete: str) -> list[str]:
    """The graphs on this machine."""
    from exporter.local.names import graph_names

    with suppress(OSError, UsageError):
        return [name for name in graph_names() if name.startswith(incomplete)]
    return []


def complete_export(context: typer.Context, incomplete: str) -> list[str]:
    """The paths of exports: those in the output directory, and those in the directory that is being typed."""
    typed = incomplete[: incomplete.rfind(os.sep) + 1]
    directories = {f"{output_directory(context)}{os.sep}", *([typed] if typed else [])}
    paths = {f"{directory}{name}" for directory in directories for name in export_names(directory)}
    return sorted(path for path in paths if path.startswith(incomplete))


def complete_export_name(context: typer.Context, incomplete: str) -> list[str]:
    """The exports in the output directory by name, and others by their path."""
    names = {name for name in export_names(output_directory(context)) if name.startswith(incomplete)}
    return sorted(names) + (complete_export(context, incomplete) if os.sep in incomplete else [])


def complete_pushable(context: typer.Context, incomplete: str) -> list[str]:
    """The paths of exports and of their archives."""
    exports = complete_export(context, incomplete)
    packed = [f"{path}{suffix}" for path in exports for suffix in (".tar.zst", ".tar.zst.age")]
    return sorted([*exports, *(path for path in packed if Path(path).is_file())])


def export_names(directory: str) -> Iterator[str]:
    """The entries of a directory that are exports, `latest` among them."""
    with suppress(OSError):
        for path in Path(directory).iterdir():
            if not path.name.startswith(".") and (path / MANIFEST).is_file():
                yield path.name


def output_directory(context: typer.Context) -> str:
    """The output directory as the command will know it: of its flag, the environment, or the settings file."""
    for given in (context.params.get("output"), os.environ.get("EXPORTER_OUTPUT")):
        if given:
            return str(given)
    with suppress(OSError, ValueError):  # an error in the file is the command's to tell
        settings = tomllib.loads(Path(context.params.get("config") or SETTINGS).read_text(encoding="utf-8"))
        return str(settings.get("output") or "output")
    return "output"


def complete_labels(incomplete: str) -> list[str]:
    """The labels that a window may leave out, behind those that were named already."""
    from exporter.model.window import REMOVABLE

    named, comma, label = incomplete.rpartition(",")
    return [
        f"{named}{comma}{name}" for name in sorted(REMOVABLE) if name.startswith(label) and name not in named.split(",")
    ]


def complete_root(incomplete: str) -> list[str]:
    """The labels and properties by which a root is found."""
    from exporter.model.window import ROOT_LABELS, root_properties

    roots = [f"{label}:{prop}=" for label in ROOT_LABELS for prop in root_properties(label)]
    return [root for root in roots if root.startswith(incomplete)]


def complete_profile(incomplete: str) -> list[str]:
    """The one profile of masking."""
    return [name for name in ("analyst",) if name.startswith(incomplete)]
