"""One export from start to finish: extracted from the source, reconciled with its counts, and published.

settings -> plan -> key index -> chunks in worker processes -> publish
             |      keys, counts   read -> shape -> write
          catalog
"""

import functools
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from exporter import DISTRIBUTION
from exporter.errors import LimitError, RunError
from exporter.interrupts import time_limit
from exporter.invocation import command
from exporter.model.render import model_sha256
from exporter.pipeline.copies import window_entry
from exporter.pipeline.extract import Extract, extract
from exporter.pipeline.messages import ChunkDone
from exporter.pipeline.profile import ChunkTime, Profile
from exporter.pipeline.timing import ProgressListener, StageTimer
from exporter.pipeline.workers import Workers
from exporter.settings import Settings
from exporter.shape.examples import Example, gathered
from exporter.sink.layout import entities
from exporter.sink.manifest import Manifest, Metadata, Model, Options, Source, Tool
from exporter.sink.publish import PartialExport, partial_export
from exporter.sink.tally import Tally, new_tallies, unaccounted
from exporter.source.leader import connected

if TYPE_CHECKING:
    from exporter.pipeline.redaction import Redaction


@dataclass(frozen=True, slots=True)
class ExportResult:
    """A published export, and what it cost; `peak_memory` is in bytes, of this process and its children. `note`
    says what of a cluster was not used, in a sentence; empty if all was."""

    directory: Path
    manifest: Manifest
    profile: Profile
    peak_memory: int
    archive: Path | None = None
    note: str = ""


class ReportRenderer(Protocol):
    """Renders report.html for a new export; `examples` are a few rejects of each entity, by its name."""

    def __call__(
        self,
        manifest: Manifest,
        *,
        settings: Settings,
        profile: Profile,
        peak_memory: int,
        examples: Mapping[str, Sequence[Example]],
    ) -> str: ...


def export(
    settings: Settings,
    pool: Workers,
    listener: ProgressListener,
    *,
    render: ReportRenderer,
    move_latest: bool = True,
) -> ExportResult:
    """Exports the source into a new directory below `settings.output`; `pool` is used for nothing else. `render` makes
    the export's report; `latest` is left where it is unless `move_latest` is set.

    Raises an `ExporterError` with the contract's exit code; then nothing is published, nothing half-written is left,
    and no process or server-side query keeps running. Once an export is published, signals no longer stop the
    caller's `interruptible` block.
    """
    check_recipients(settings)
    redaction = masking_asked_for(settings)
    started_at = datetime.now(UTC)
    timer = StageTimer(listener)
    with time_limit(settings.max_duration), partial_export(settings.output, settings.group) as partial:
        partial.moves_latest = move_latest
        with connected(settings.source, f"exporter {partial.stamp}", **settings.timeouts) as connection:
            extracted = extract(settings, pool, connection, partial, timer, redaction)
        return publish(settings, partial, extracted, timer, started_at, render)


def publish(
    settings: Settings,
    partial: PartialExport,
    extracted: Extract,
    timer: StageTimer,
    started_at: datetime,
    render: ReportRenderer,
) -> ExportResult:
    """Completes the partial export and publishes it. Raises `RunError` if the counts do not add up, `LimitError` if
    there are more rejects than allowed."""
    tallies = reconcile(extracted)
    check_limit(settings, partial, tallies)
    metadata = metadata_of(settings, extracted, started_at)
    if redaction := extracted.redaction:
        metadata = replace(metadata, redaction=redaction.entry(tallies, partial.directory))
    with timer.stage("archive" if settings.archive else "publish"):
        flushed = partial.flusher.finish()
        profile = profile_of(extracted, timer, flushed)
        report = functools.partial(
            render,
            settings=settings,
            profile=profile,
            peak_memory=timer.peak_memory,
            examples=examples_of(extracted.chunks),
        )
        manifest = partial.complete(tallies, metadata, report)
        if settings.archive:
            partial.pack(settings.recipients, timer.tick)
        directory = partial.publish()
    archive = partial.published(partial.archive) if partial.archive else None
    return ExportResult(directory, manifest, profile, timer.peak_memory, archive, extracted.enrolled.note)


def masking_asked_for(settings: Settings) -> "Redaction | None":
    """The masking that is asked for, if one is. Raises `UsageError` for rules or a key that cannot be."""
    if settings.redaction is None:
        return None
    from exporter.pipeline.redaction import redaction_of  # few exports are masked

    return redaction_of(settings.redaction)


def profile_of(extracted: Extract, timer: StageTimer, flushed: float) -> Profile:
    """Where the time went; the last stage is still running, and its seconds are added when it ends."""
    chunks = [ChunkTime(done.chunk.table, done.rows_read, done.timer) for done in extracted.chunks]
    keys = [done.timer for done in extracted.index]
    return Profile(keys, chunks, timer.times.seconds, extracted.enrolled.workers, timer.times.began, flushed)


def reconcile(extracted: Extract) -> dict[str, Tally]:
    """What was written of each entity. Raises `RunError` unless every row of every table was read, also for the key
    index (references to unread keys would dangle), or is outside of the window, and is accounted for in every
    entity."""
    counts, outside = extracted.counts, extracted.outside
    tallies = new_tallies()
    rows_read: Counter[str] = Counter()
    for done in extracted.chunks:
        rows_read[done.chunk.table] += done.rows_read
        for part in done.parts:
            tallies[part.name] += part.tally
    for entity in entities() if outside else ():
        tallies[entity.name] += Tally(outside=outside[entity.table])
    wrong = [
        f"{counts[done.table]} rows in the snapshot, {done.rows_read} were read for {done.timer.task}"
        for done in extracted.index
        if done.table and done.rows_read != counts[done.table]
    ]
    if wrong := wrong + unaccounted(tallies, counts, rows_read, outside):
        raise RunError("the counts do not add up, nothing was published: " + "; ".join(wrong))
    return tallies


def check_recipients(settings: Settings) -> None:
    """Raises `UsageError` if the archive is to be encrypted to something that is not a public key."""
    if settings.archive and settings.recipients:
        from exporter.sink.archive import public_keys  # loads the cipher, which few need

        public_keys(settings.recipients)


def check_limit(settings: Settings, partial: PartialExport, tallies: dict[str, Tally]) -> None:
    """Raises `LimitError` if there are more rejects than the user allows; the reject files are kept."""
    rejects = sum(tally.rejects.total() for tally in tallies.values())
    if settings.max_rejects is not None and rejects > settings.max_rejects:
        kept = partial.keep_rejects()
        raise LimitError(
            f"{rejects:,} rejects exceed --max-rejects {settings.max_rejects}, nothing was published: "
            f"{commonest(tallies)}; see them by {command()} rejects {shlex.quote(str(kept))}"
        )


def commonest(tallies: Mapping[str, Tally], most: int = 3) -> str:
    """The commonest reasons of rejects, each with its entity: `812 dangling_end in Customer-HAS_AUTH-AuthUser, …`."""
    counts = Counter(
        {(reason, name): count for name, tally in tallies.items() for reason, count in tally.rejects.items()}
    )
    texts = [f"{count:,} {reason} in {name}" for (reason, name), count in counts.most_common(most)]
    return ", ".join([*texts, *([f"{len(counts) - most} more kinds"] if len(counts) > most else [])])


def examples_of(chunks: Iterable[ChunkDone]) -> dict[str, list[Example]]:
    """A few rejects of each entity by its name, from the first chunks that have some."""
    ordered = sorted(chunks, key=lambda done: done.chunk.number)
    return gathered((part.name, part.examples) for done in ordered for part in done.parts)


def metadata_of(settings: Settings, extracted: Extract, started_at: datetime) -> Metadata:
    """What the manifest says of the run besides its contents."""
    snapshot = extracted.snapshot
    return Metadata(
        tool=Tool(DISTRIBUTION, version(DISTRIBUTION)),
        model=Model(model_sha256()),
        source=Source(
            snapshot.database,
            snapshot.server_version,
            snapshot.host,
            snapshot.taken_at,
            snapshot.wal_lsn,
            identity=settings.source_name or snapshot.identity,
        ),
        options=Options(settings.timezone, settings.tables, settings.columns, extracted.enrolled.cluster),
        started_at=started_at,
        finished_at=datetime.now(UTC),
        window=window_entry(extracted),
    )
