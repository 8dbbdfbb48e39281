"""counts.tsv: every count of a manifest as lines, so that a script compares them without reading JSON."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any


def counts_tsv(manifest: Mapping[str, Any]) -> str:
    """The content of counts.tsv (contract.md, An export): tab-separated, in the manifest's order.

    A line for the rows of each label and pattern and for the values of each of its properties; the totals; the bytes
    of each data file; the second of the snapshot since 1970 in UTC.
    """
    return "".join(f"{what}\t{which}\t{count}\n" for what, which, count in counts(manifest))


def counts(manifest: Mapping[str, Any]) -> Iterator[tuple[str, str, int]]:
    """The cells of each line."""
    for entity in (*manifest["nodes"], *manifest["relationships"]):
        name = entity["label"] if "label" in entity else f"{entity['start']}-{entity['type']}-{entity['end']}"
        yield name, "", entity["rows"]
        yield from ((name, prop, values) for prop, values in entity["property_counts"].items())
    yield from (("total", what, count) for what, count in manifest["totals"].items())
    yield from (("file", file["path"], file["bytes"]) for file in manifest["files"])
    yield "snapshot", "epoch", int(datetime.fromisoformat(manifest["source"]["snapshot_at"]).timestamp())
