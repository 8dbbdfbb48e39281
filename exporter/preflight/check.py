"""What `exporter check` finds out before an export: findings, an estimate, and the disk space for it."""

import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.filesize import decimal

from exporter.errors import SourceError
from exporter.model.render import model_sha256
from exporter.model.tables import tables
from exporter.preflight.estimate import Estimate, estimate, previous_export
from exporter.preflight.statistics import read_statistics
from exporter.settings import Settings
from exporter.source.compatibility import Finding, Severity, by_severity, examine, examine_model
from exporter.source.connection import Connection
from exporter.source.leader import connected, current_catalog

FORMAT = 1
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

    Server and estimate are None if the source is unreachable.
    """

    findings: list[Finding]
    output: Path
    server: SourceServer | None = None
    estimate: Estimate | None = None
    free_bytes: int = 0

    @property
    def exportable(self) -> bool:
        return all(finding.severity is not Severity.ERROR for finding in self.findings)

    def as_object(self) -> dict[str, Any]:
        """The object of `exporter check --json`; docs/source.md lists its keys, which are those of these classes."""
        expected = self.estimate
        return {
            "format": FORMAT,
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
            "output": {"directory": str(self.output), "free_bytes": self.free_bytes},
        }


def check(settings: Settings) -> Preflight:
    """Everything that can be found out before an export. Reads no table and writes nothing.

    Raises `UsageError` if no source is set, `SourceError` or `RunError` if it cannot be queried.
    """
    with connected(settings.source, "exporter check", **settings.timeouts) as connection:
        return preflight(connection, settings)


def preflight(connection: Connection, settings: Settings) -> Preflight:
    """The check of a connected source. Raises `SourceError` or `RunError` if it cannot be queried."""
    if faults := examine_model():
        return Preflight(faults, settings.output, read_server(connection), free_bytes=free_disk_space(settings.output))
    mapping = settings.mapping
    catalog = current_catalog(connection, mapping)
    statistics, locked = read_statistics(connection, [mapping.table(table.name) for table in tables()])
    expected = estimate(catalog, statistics, mapping, previous_export(connection, settings))
    free_bytes = free_disk_space(settings.output)
    findings = [
        *examine(catalog, mapping),
        *held_locks(locked, settings.lock_timeout),
        *disk_space(settings.output, expected, free_bytes),
    ]
    return Preflight(by_severity(findings), settings.output, read_server(connection), expected, free_bytes)


def unreachable(settings: Settings, error: SourceError) -> Preflight:
    """The result for a source that could not be queried: the error is its only finding."""
    finding = Finding(Severity.ERROR, "source", str(error))
    return Preflight([finding], settings.output, free_bytes=free_disk_space(settings.output))


def read_server(connection: Connection) -> SourceServer:
    query = "select current_database(), current_setting('server_version'), pg_is_in_recovery()"
    row = connection.execute(query).fetchone()
    assert row is not None
    host = connection.info.host
    return SourceServer("localhost" if host.startswith("/") else host, *row)


def held_locks(locked: list[str], lock_timeout: int) -> list[Finding]:
    """A warning for each table on which someone holds a lock that an export would wait for."""
    remedy = f"an export waits for it, up to --lock-timeout ({lock_timeout}s)"
    return [Finding(Severity.WARNING, name, "is locked right now, perhaps by a migration", remedy) for name in locked]


def disk_space(output: Path, expected: Estimate, free_bytes: int) -> list[Finding]:
    """A warning if the output's disk may be too small for an export."""
    needed = int(expected.bytes * MARGIN)
    if needed <= free_bytes:
        return []
    what = f"{decimal(free_bytes)} are free, and an export may take {decimal(needed)}"
    remedy = "free some space (exporter prune), or choose another --output"
    return [Finding(Severity.WARNING, str(output), what, remedy)]


def free_disk_space(output: Path) -> int:
    """Bytes this user may still write on the disk of a directory, or of its nearest parent that exists."""
    for directory in (output.absolute(), *output.absolute().parents):
        with suppress(OSError):
            return shutil.disk_usage(directory).free
    return 0
