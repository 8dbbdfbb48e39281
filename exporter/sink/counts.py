"""counts.tsv: all counts of a manifest as lines, so that scripts can compare them without parsing JSON."""

from collections.abc import Iterator
from dataclasses import asdict

from exporter.sink.copies import copy_lines
from exporter.sink.manifest import Manifest


def counts_tsv(manifest: Manifest) -> str:
    """The content of counts.tsv (contract.md, Counts for scripts): tab-separated, in the manifest's order.

    One line each for the rows of a label or pattern and the values of each of its properties; for the totals; for the
    bytes of each data file; for what makes a copy one; and for the snapshot's time, in seconds since 1970 (UTC).
    """
    return "".join(f"{subject}\t{detail}\t{count}\n" for subject, detail, count in counts(manifest))


def counts(manifest: Manifest) -> Iterator[tuple[str, str, int]]:
    """The cells of each line: what is counted, which part of it, and how many."""
    for entity in manifest.entities:
        yield entity.name, "", entity.rows
        yield from ((entity.name, prop, values) for prop, values in entity.property_counts.items())
    yield from (("total", total, count) for total, count in asdict(manifest.totals).items())
    yield from (("file", file.path, file.bytes) for file in manifest.files)
    yield from (("copy", text, count) for text, count in copy_lines(manifest.window, manifest.redaction))
    yield "snapshot", "epoch", int(manifest.source.snapshot_at.timestamp())
