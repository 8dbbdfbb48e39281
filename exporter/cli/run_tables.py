"""The tables of `exporter runs`, designed for 80 columns, and the same for programs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.filesize import decimal
from rich.table import Column, Table
from rich.text import Text

from exporter.published.diff import Change
from exporter.published.extent import extent_of, short_window
from exporter.published.history import PublishedExport, begun_at, comparable
from exporter.sink.copies import timestamp, window_object
from exporter.sink.layout import REJECTED
from exporter.sink.manifest import Manifest
from exporter.text import format_change, format_clock, visible

UNKNOWN = "?"


@dataclass(frozen=True, slots=True)
class Runs:
    """What there is below an output directory: exports and kept rejects, oldest first, and the marks of exports by
    name: latest, latest-copy, live, rollback."""

    exports: Sequence[PublishedExport]
    rejected: Sequence[Path] = ()
    marks: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def sources(self) -> dict[str | None, str]:
        """The sources by their identities, numbered in the order of their first exports; `?` for the unknown one."""
        identities = dict.fromkeys(run.manifest.source.identity for run in self.exports if run.manifest)
        known = [identity for identity in identities if identity is not None]
        numbered: dict[str | None, str] = {identity: str(number) for number, identity in enumerate(known, 1)}
        return numbered | ({None: UNKNOWN} if None in identities else {})

    def tells_sources(self) -> bool:
        """Whether there is more to say of the sources than that all exports are of one."""
        sources = self.sources()
        return len(sources) > 1 or None in sources

    def previous(self) -> Iterator[tuple[PublishedExport, Manifest | None]]:
        """Each export with the last one before it that is of the same source, graph model and window, and masked
        alike."""
        earlier: list[Manifest] = []
        for run in self.exports:
            manifest = run.manifest
            if not manifest:
                yield run, None
                continue
            yield run, next((before for before in reversed(earlier) if comparable(before, manifest)), None)
            earlier.append(manifest)

    def tells_copies(self) -> bool:
        """Whether some exports are windows of their source, or masked."""
        return any(run.manifest.is_copy for run in self.exports if run.manifest)

    def new_models(self) -> set[str]:
        """The names of the exports that have another graph model than the last one before of their source."""
        models: dict[str, str] = {}
        names = set()
        for run in self.exports:
            if run.manifest and (identity := run.manifest.source.identity):
                model = run.manifest.model.sha256
                if models.get(identity, model) != model:
                    names.add(run.directory.name)
                models[identity] = model
        return names


def runs_table(runs: Runs) -> RenderableType:
    """The exports: when they began (UTC), their rows and the change since the previous export of the same source, model
    and window, rejects, size, duration, and, where exports have them, archive size and marks (`new model` for one that
    has another than the last). Where some are copies, their windows and maskings take the place of the time, which the
    names say, too. Sources, if there are several, faulty manifests and kept rejects are listed below."""
    sources, told, copies = runs.sources(), runs.tells_sources(), runs.tells_copies()
    archived = any(run.archive for run in runs.exports)
    names = ["rows", "change", "rejects", "size", "took", *(["archive"] if archived else [])]
    shown = Table(
        Column("export", no_wrap=True),
        *([Column("source")] if told else []),
        *([Column("window"), Column("masked", no_wrap=True)] if copies else [Column("begun")]),
        *[Column(name, justify="right", no_wrap=True) for name in names],
        box=None,
        pad_edge=False,
    )
    new_models, faults = runs.new_models(), list[Text]()
    for run, before in runs.previous():
        manifest, name = run.manifest, run.directory.name
        marks = ", ".join([*runs.marks.get(name, ()), *(["new model"] if name in new_models else [])])
        cells: list[str | Text] = [Text.assemble(name, *([("\n" + marks, "bold")] if marks else []))]
        if told:
            cells.append(sources[manifest.source.identity] if manifest else UNKNOWN)
        if copies:
            cells += copy_cells(manifest) if manifest else (UNKNOWN, UNKNOWN)
        else:
            # Without the day of the week there is room for the sources on 80 columns.
            cells.append(f"{run.begun_at:{'%d %b %H:%M' if told else '%a %d %b %H:%M'}}")
        if manifest:
            archive = [decimal(run.archive.stat().st_size)] if run.archive else []
            shown.add_row(*cells, *numbers(manifest, before), *archive)
        else:
            shown.add_row(*cells, *(UNKNOWN for _ in names))
            faults.append(Text(f"{name}: {visible(run.fault)}", "bold red"))
    return Group(shown, *(source_lines(runs) if told else []), *faults, *rejected_lines(runs))


def copy_cells(manifest: Manifest) -> tuple[str, str]:
    """An export's window and the profile that masked it; a dash for none."""
    window = short_window(extent_of(manifest)) if manifest.window else "–"
    return window, visible(manifest.redaction.profile) if manifest.redaction else "–"


def numbers(manifest: Manifest, before: Manifest | None) -> tuple[str, ...]:
    """An export's rows, their change, rejects, size and duration."""
    totals, took = manifest.totals, manifest.finished_at - manifest.started_at
    return (
        f"{rows_of(manifest):,}",
        format_change(rows_of(before) if before else None, rows_of(manifest)),
        f"{totals.rejects:,}",
        decimal(totals.bytes),
        format_clock(took.total_seconds()),
    )


def rows_of(manifest: Manifest) -> int:
    """The nodes and relationships of an export."""
    return manifest.totals.nodes + manifest.totals.relationships


def source_lines(runs: Runs) -> Iterator[Text]:
    """What the numbers of the sources mean: the last host, database and identity of each."""
    last = {run.manifest.source.identity: run.manifest.source for run in runs.exports if run.manifest}
    for identity, number in runs.sources().items():
        if identity is None:
            text = "not known, since version 1.0 did not record it; compared with nothing"
        else:
            text = f"{last[identity].database} at {last[identity].host} ({identity})"
        yield Text(f"source {number}: {visible(text)}", "dim")


def rejected_lines(runs: Runs) -> Iterator[Text]:
    """The runs of which only rejects were kept."""
    for path in runs.rejected:
        began = begun_at(path.name.removeprefix(REJECTED))
        yield Text(f"{path.name}: {began:%a %d %b %H:%M}, too many rejects (--max-rejects); not published", "yellow")


def runs_object(output: Path, runs: Runs) -> dict[str, Any]:
    """The object of `exporter runs --json` (docs/settings.md)."""
    return {
        "output": str(output),
        "exports": [run_object(run, before, runs.marks) for run, before in runs.previous()],
        "rejected": [
            {"name": path.name, "begun_at": timestamp(begun_at(path.name.removeprefix(REJECTED)))}
            for path in runs.rejected
        ],
    }


def run_object(run: PublishedExport, before: Manifest | None, marks: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """An export for programs; of one with a faulty manifest only the name, the time and the fault."""
    manifest, name = run.manifest, run.directory.name
    content: dict[str, Any] = {
        "name": name,
        "begun_at": timestamp(run.begun_at),
        "marks": list(marks.get(name, ())),
        "archive_bytes": run.archive.stat().st_size if run.archive else None,
        "fault": None if manifest else run.fault,
    }
    if manifest:
        totals, took = manifest.totals, manifest.finished_at - manifest.started_at
        content |= {
            "source": manifest.source.identity,
            "model": manifest.model.sha256,
            "snapshot_at": timestamp(manifest.source.snapshot_at),
            "window": window_object(manifest.window),
            "masked": manifest.redaction.profile if manifest.redaction else None,
            "seconds": round(took.total_seconds(), 3),
            "nodes": totals.nodes,
            "relationships": totals.relationships,
            "rejects": totals.rejects,
            "bytes": totals.bytes,
            "rows_before": rows_of(before) if before else None,
        }
    return content


def changes_table(changes: Iterable[Change]) -> RenderableType:
    """Labels and patterns with rows and rejects of two exports."""
    names = ("rows\nbefore", "rows\nafter", "\nchange", "rejects\nbefore", "rejects\nafter")
    right = [Column(name, justify="right", no_wrap=True) for name in names]
    table = Table(Column("\nlabel or pattern", overflow="fold"), *right, box=None, pad_edge=False)
    for change in changes:
        rows, rejects = (change.rows_before, change.rows_after), (change.rejects_before, change.rejects_after)
        cells = (*(f"{number:,}" for number in rows), format_change(*rows), *(f"{number:,}" for number in rejects))
        table.add_row(Text(visible(change.pattern)), *cells)
    return table
