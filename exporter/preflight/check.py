"""A source looked at before an export: what differs from the model, what an export would take, and what room it has."""

import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.filesize import decimal

from exporter.errors import SourceError
from exporter.model.render import model_sha256
from exporter.model.tables import tables
from exporter.preflight.estimate import Estimate, estimate
from exporter.preflight.statistics import read_statistics
from exporter.published.history import readable_manifest
from exporter.settings import Settings
from exporter.sink.layout import LATEST
from exporter.source.compatibility import Finding, Severity, by_severity, examine, examine_model
from exporter.source.connection import Connection
from exporter.source.leader import connected, current_catalog

FORMAT = 1
# Measured on the sample and the benchmark's data: a tenth too much with statistics, a sixth too little without.
MARGIN = 1.25


@dataclass(frozen=True, slots=True)
class Server:
    """The server as it names itself; `standby`: it follows another one."""

    host: str
    database: str
    version: str
    standby: bool


@dataclass(frozen=True, slots=True)
class Checkup:
    """What was found, the gravest first; without a server, since that could not be asked."""

    findings: list[Finding]
    output: Path
    server: Server | None = None
    estimate: Estimate | None = None
    free: int = 0

    @property
    def exportable(self) -> bool:
        return all(finding.severity is not Severity.ERROR for finding in self.findings)

    def as_object(self) -> dict[str, Any]:
        """The object of `exporter check --json` (docs/source.md names its keys: those of these classes)."""
        known = self.estimate
        return {
            "format": FORMAT,
            "exportable": self.exportable,
            "model": {"sha256": model_sha256()},
            "server": self.server and asdict(self.server),
            "findings": [asdict(finding) for finding in self.findings],
            "estimate": known
            and {
                "rows": known.rows,
                "bytes": known.bytes,
                "seconds": round(known.seconds, 1),
                "rule": known.rule,
                "tables": [asdict(table) for table in known.tables],
            },
            "output": {"directory": str(self.output), "free_bytes": self.free},
        }


def check(settings: Settings) -> Checkup:
    """All that can be said before an export. Raises `SourceError` where the source cannot be asked."""
    with connected(settings.source, "exporter check", **settings.timeouts) as connection:
        return checkup(connection, settings)


def checkup(connection: Connection, settings: Settings) -> Checkup:
    """Looks at the source of a connection and at the output directory; reads no table and writes nothing.

    Raises `SourceError` or `RunError` where the source cannot be asked.
    """
    if faults := examine_model():
        return Checkup(faults, settings.output, ask_server(connection))
    mapping = settings.mapping
    catalog = current_catalog(connection, mapping)
    statistics, locked = read_statistics(connection, [mapping.table(table.name) for table in tables()])
    expected = estimate(catalog, statistics, mapping, readable_manifest(settings.output / LATEST))
    free = free_bytes(settings.output)
    findings = [*examine(catalog, mapping), *locks(locked, settings), *room(settings.output, expected, free)]
    return Checkup(by_severity(findings), settings.output, ask_server(connection), expected, free)


def unreachable(settings: Settings, error: SourceError) -> Checkup:
    """The checkup of a source that could not be asked, for the reason that the error says."""
    return Checkup([Finding(Severity.ERROR, "source", str(error))], settings.output, free=free_bytes(settings.output))


def ask_server(connection: Connection) -> Server:
    """What the server says of itself."""
    query = "select current_database(), current_setting('server_version'), pg_is_in_recovery()"
    row = connection.execute(query).fetchone()
    assert row is not None
    host = connection.info.host
    return Server("localhost" if host.startswith("/") else host, *row)


def locks(locked: list[str], settings: Settings) -> list[Finding]:
    """A warning for each table that somebody holds against an export."""
    wait = f"an export waits for it, --lock-timeout ({settings.lock_timeout}s) at the most"
    return [Finding(Severity.WARNING, name, "is locked at this moment, by a migration?", wait) for name in locked]


def room(output: Path, expected: Estimate, free: int) -> list[Finding]:
    """A warning where the disk of the output directory may be too small."""
    if expected.bytes * MARGIN <= free:
        return []
    what = f"{decimal(free)} are free, and an export may take {decimal(int(expected.bytes * MARGIN))}"
    return [Finding(Severity.WARNING, str(output), what, "make room (exporter prune), or choose another --output")]


def free_bytes(output: Path) -> int:
    """What this user may still write on the disk of a directory, or of the one in which it would be made."""
    for place in (output.absolute(), *output.absolute().parents):
        with suppress(OSError):
            return shutil.disk_usage(place).free
    return 0
