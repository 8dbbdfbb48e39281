"""report.html of a new export: gathers what it tells and never fails the export that it tells of."""

import traceback
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from exporter.errors import Interrupted, RunError
from exporter.pipeline.profile import Profile
from exporter.pipeline.tasks import ChunkDone
from exporter.published.history import recent
from exporter.report.content import content
from exporter.report.page import page, seconds_text
from exporter.settings import Settings
from exporter.shape.examples import gathered

# How many earlier exports a trend shows: with the new one, two weeks of nights.
EARLIER = 13
# What is shown of the settings; never the source, whose URI may hold a password.
SHOWN = (
    "output", "group", "workers", "memory", "timezone", "max_rejects", "max_duration", "lock_timeout", "stall_timeout",
    "archive", "encrypt_to", "tables", "columns",
)  # fmt: skip
SPANS = {"max_duration", "lock_timeout", "stall_timeout"}


def report(
    manifest: Mapping[str, Any],
    *,
    settings: Settings,
    profile: Profile,
    peak_memory: int,
    chunks: Iterable[ChunkDone],
) -> str:
    """The page of an export that is about to be published below `settings.output`; `peak_memory` is in bytes.

    An export is worth more than its picture: where the page cannot be made, this is one that says why.
    """
    try:
        earlier = recent(settings.output, manifest["source"]["database"], EARLIER)
        ordered = sorted(chunks, key=lambda done: done.chunk.number)
        examples = gathered((part.name, part.examples) for done in ordered for part in done.parts)
        return page(content(manifest, examples, earlier, shown(settings), peak_memory), profile)
    except (Interrupted, RunError):
        raise  # a signal, or the time limit
    except Exception as error:
        return error_page(error)


def shown(settings: Settings) -> dict[str, str]:
    """The settings of a run by name, as people write them."""
    return {name.replace("_", " "): said(name, getattr(settings, name)) for name in SHOWN}


def said(name: str, value: Any) -> str:
    """A setting's value: `640 MB`, `30 s`, `no limit`, `marketing.leads = crm.prospects`."""
    if value is None:
        return "none" if name in ("group", "encrypt_to") else "no limit"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name == "memory":
        return f"{value >> 20} MB"
    if name in SPANS:
        return seconds_text(float(value))
    if name == "columns":
        value = {f"{table}.{column}": given for table, names in value.items() for column, given in names.items()}
    if isinstance(value, dict):
        return "; ".join(f"{own} = {given}" for own, given in value.items()) or "as in the model"
    return str(value)


def error_page(error: Exception) -> str:
    """A page that says where the report failed, without the error's message: it may quote the source."""
    places = ", ".join(f"{Path(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__))
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>No report</title>\n'
        "<p>The report of this export could not be made; the export itself is whole, see manifest.json."
        f"<p>A bug, please report it: {escape(type(error).__name__)} ({escape(places)})\n"
    )
