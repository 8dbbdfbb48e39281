"""report.html of a new export: gathers what it shows, and never makes the export fail that it describes."""

import traceback
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from exporter.pipeline.profile import Profile
from exporter.published.extent import extent_of
from exporter.published.history import recent
from exporter.report.content import content
from exporter.report.limits import Limits
from exporter.report.page import page
from exporter.settings import Settings
from exporter.shape.examples import Example
from exporter.sink.manifest import Manifest
from exporter.text import format_duration, quantity

# How many earlier exports a trend shows: with the new one, two weeks of nightly exports.
EARLIER = 13
# The settings to show; never the source, whose URI may contain a password.
SHOWN = (
    "source_name", "output", "group", "workers", "memory", "timezone", "max_rejects", "max_duration", "lock_timeout",
    "stall_timeout", "archive", "encrypt_to", "tables", "columns",
)  # fmt: skip
DURATIONS = {"max_duration", "lock_timeout", "stall_timeout"}


def report(
    manifest: Manifest,
    *,
    settings: Settings,
    profile: Profile,
    peak_memory: int,
    examples: Mapping[str, Sequence[Example]],
) -> str:
    """The page of an export that is about to be published below `settings.output`.

    `peak_memory` is in bytes, `examples` are a few rejects of each entity by its name. The export matters more than
    its report: if the page cannot be made, this is a page that says why.
    """
    try:
        identity, model = manifest.source.identity, manifest.model.sha256
        earlier = recent(settings.output, identity, model, EARLIER, extent=extent_of(manifest))
        limits = Limits(settings.rebuild.max_drop, settings.rebuild.max_rejects_rise)
        shown = shown_settings(settings) | shown_cluster(manifest)
        return page(content(manifest, examples, earlier, shown, peak_memory, limits), profile)
    except Exception as error:
        return error_page(error)


def shown_settings(settings: Settings) -> dict[str, str]:
    """The settings of a run by name, as people write them."""
    return {name.replace("_", " "): format_setting(name, getattr(settings, name)) for name in SHOWN}


def shown_cluster(manifest: Manifest) -> dict[str, str]:
    """By whom the source was read, if a cluster did; never its address."""
    if (cluster := manifest.options.cluster) is None:
        return {}
    return {"cluster": f"{quantity(cluster.workers, 'worker')} on {quantity(cluster.hosts, 'machine')}"}


def format_setting(name: str, value: Any) -> str:
    """A setting's value: `640 MB`, `30 s`, `no limit`, `marketing.leads = crm.prospects`."""
    if value is None:
        return "none" if name in ("source_name", "group", "encrypt_to") else "no limit"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name == "memory":
        return f"{value >> 20} MB"
    if name in DURATIONS:
        return format_duration(value)
    if name == "columns":
        value = {f"{table}.{column}": real for table, columns in value.items() for column, real in columns.items()}
    if isinstance(value, dict):
        return "; ".join(f"{own} = {real}" for own, real in value.items()) or "as in the model"
    return str(value)


def error_page(error: Exception) -> str:
    """A page that says where the report failed, without the error's message, which may quote the source."""
    places = ", ".join(f"{Path(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__))
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>No report</title>\n'
        "<p>The report of this export could not be made; the export itself is complete, see manifest.json."
        f"<p>A bug, please report it: {escape(type(error).__name__)} ({escape(places)})\n"
    )
