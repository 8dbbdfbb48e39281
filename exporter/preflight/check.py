"""What `exporter check` finds out before an export: findings, an estimate, and the disk space for it."""

import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rich.filesize import decimal

from exporter.errors import SourceError, UsageError
from exporter.invocation import command
from exporter.model.render import model_sha256
from exporter.model.tables import tables
from exporter.preflight.estimate import Estimate, estimate, previous_export
from exporter.preflight.guesses import guess_missing
from exporter.preflight.masking import PlannedMasking, planned_masking
from exporter.preflight.preview import with_preview
from exporter.preflight.server import examine_server, examine_zone, try_reader
from exporter.preflight.statistics import read_statistics
from exporter.preflight.views import try_views
from exporter.preflight.window import WindowEstimate, estimate_window
from exporter.settings import Settings
from exporter.sink.output import check_output
from exporter.source.catalog import read_login
from exporter.source.compatibility import Finding, Severity, by_severity, examine, examine_model
from exporter.source.connection import Connection
from exporter.source.leader import Source, connected, current_catalog

# Where a finding is that has nothing to do with the source.
OUTPUT = "output"
# Measured on the sample and the benchmark's data: estimates are a tenth too high with statistics, a sixth too low
# without.
MARGIN = 1.25


@dataclass(frozen=True, slots=True)
class SourceServer:
    """The source's server as it describes itself; `standby` if it replicates another one."""

    host: str
    database: str
    version: str
    standby: bool


@dataclass(frozen=True, slots=True)
class Preflight:
    """The result of a check: findings, the most severe first, the estimate, and the free bytes of the output's disk.

    The server is None if the source is unreachable, the estimate also if the source cannot be exported. `guessed`: some
    findings name what `init` would guess. `window` and `masking` are of the copy that was asked for, if the source can
    be exported.
    """

    findings: list[Finding]
    output: Path
    server: SourceServer | None = None
    estimate: Estimate | None = None
    free_bytes: int = 0
    guessed: bool = False
    window: WindowEstimate | None = None
    masking: PlannedMasking | None = None

    @property
    def errors(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.severity is Severity.ERROR]

    @property
    def exportable(self) -> bool:
        return not self.errors

    @property
    def fits(self) -> bool:
        """Whether the source itself can be exported, wherever to."""
        return all(finding.where == OUTPUT for finding in self.errors)

    def as_object(self) -> dict[str, Any]:
        """The object of `exporter check --json`; docs/source.md lists its keys, which are those of these classes."""
        expected = self.estimate
        return {
            "exportable": self.exportable,
            "model": {"sha256": model_sha256()},
            "server": self.server and asdict(self.server),
            "findings": [asdict(finding) for finding in self.findings],
            "estimate": expected
            and {
                "rows": expected.rows,
                "bytes": expected.bytes,
                "seconds": round(expected.seconds, 1),
                "rule": expected.rule,
                "tables": [asdict(table) for table in expected.tables],
            },
            "window": self.window and self.window.as_object(),
            "redaction": self.masking and self.masking.as_object(),
            "output": {"directory": str(self.output), "free_bytes": self.free_bytes},
        }


def check(settings: Settings, *, preview: bool = False) -> Preflight:
    """Everything that can be found out before an export. Reads one row of each mapped view, with a `preview` also rows
    of the tables with masked columns, and writes nothing.

    Raises `UsageError` if no source is set, for a window that cannot be asked for, and for a key that cannot be used;
    `SourceError` or `RunError` if the source cannot be queried.
    """
    request = settings.redaction
    masking = planned_masking(request, settings.mapping) if request else None
    with connected(settings.source, "exporter check", **settings.timeouts) as connection:
        found = preflight(connection, settings)
        if not found.fits or found.estimate is None:
            return found
        mapping = settings.mapping
        source = Source(connection, mapping, current_catalog(connection, mapping))
        window = estimate_window(source, settings.window, settings.timezone) if settings.window else None
        if masking and request and preview:
            masking = with_preview(masking, source, request, settings.timezone)
        expected = found.estimate.bytes * (window.share if window else 1)
        findings = [*found.findings, *disk_space(settings.output, expected, found.free_bytes)]
        return replace(found, findings=by_severity(findings), window=window, masking=masking)


def preflight(connection: Connection, settings: Settings) -> Preflight:
    """The check of a connected source, but for the disk space. Raises `SourceError` or `RunError` if it cannot be
    queried."""
    free_bytes, place = free_disk_space(settings.output), examine_output(settings.output, settings.group)
    if faults := examine_model():
        return Preflight([*faults, *place], settings.output, read_server(connection), free_bytes=free_bytes)
    mapping = settings.mapping
    catalog = current_catalog(connection, mapping)
    login, guesses = read_login(connection), guess_missing(connection, catalog, mapping)
    names = [mapping.table(table.name) for table in tables()]
    statistics, locked = read_statistics(connection, names)
    findings = [
        *examine(catalog, mapping, login, guesses),
        *try_views(connection, catalog, mapping, settings.timezone),
        *examine_server(connection, names, login),
        *examine_zone(connection, catalog, mapping, settings.timezone),
        *try_reader(connection, settings.lock_timeout),
        *held_locks(locked, settings.lock_timeout),
    ]
    expected = None
    # An estimate of a part of the tables would mislead.
    if not any(finding.severity is Severity.ERROR for finding in findings):
        expected = estimate(catalog, statistics, mapping, previous_export(connection, settings))
    findings += place
    return Preflight(
        by_severity(findings),
        settings.output,
        read_server(connection),
        expected,
        free_bytes,
        guessed=bool(guesses.tables or guesses.columns),
    )


def unreachable(settings: Settings, error: SourceError) -> Preflight:
    """The result for a source that could not be queried: the error, and what is wrong with the output."""
    place = examine_output(settings.output, settings.group)
    findings = [Finding(Severity.ERROR, "source", str(error)), *place]
    return Preflight(findings, settings.output, free_bytes=free_disk_space(settings.output))


def examine_output(output: Path, group: str | None) -> list[Finding]:
    """An error for an output directory, or a group for it, that an export would refuse."""
    try:
        check_output(output, group)
    except UsageError as error:
        return [Finding(Severity.ERROR, OUTPUT, str(error))]
    return []


def read_server(connection: Connection) -> SourceServer:
    query = "select current_database(), current_setting('server_version'), pg_is_in_recovery()"
    row = connection.execute(query).fetchone()
    assert row is not None
    host = connection.info.host
    return SourceServer("localhost" if host.startswith("/") else host, *row)


def held_locks(locked: Mapping[str, str], lock_timeout: int) -> list[Finding]:
    """A warning for each table on which someone, by the table's name, holds a lock that an export would wait for."""
    remedy = f"an export waits for it, up to --lock-timeout ({lock_timeout}s)"
    return [Finding(Severity.WARNING, name, f"is locked right now by {who}", remedy) for name, who in locked.items()]


def disk_space(output: Path, expected: float, free_bytes: int) -> list[Finding]:
    """A warning if the output's disk may be too small for an export of about so many bytes."""
    needed = int(expected * MARGIN)
    if needed <= free_bytes:
        return []
    what = f"{decimal(free_bytes)} are free, and an export may take {decimal(needed)}"
    remedy = f"free some space ({command()} prune), or choose another --output"
    return [Finding(Severity.WARNING, str(output), what, remedy)]


def free_disk_space(output: Path) -> int:
    """Bytes this user may still write on the disk of a directory, or of its nearest parent that exists."""
    for directory in (output.absolute(), *output.absolute().parents):
        with suppress(OSError):
            return shutil.disk_usage(directory).free
    return 0
