"""The flags that several commands share, each with its help, stated once; and the settings that they give."""

from pathlib import Path
from typing import Annotated, Any

import typer

Source = Annotated[
    str | None,
    typer.Option(
        "--source",
        metavar="URI",
        help="postgresql://USER@HOST:PORT/DATABASE; else EXPORTER_SOURCE, else the settings file. Give a password by "
        "PGPASSWORD or PGPASSFILE: other users see a command line.",
        show_default=False,
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Settings file, instead of exporter.toml in this directory.",
        show_default=False,
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output", metavar="DIR", help="The export is a new directory below this one.", show_default="output"
    ),
]
Group = Annotated[
    str | None,
    typer.Option(
        "--group",
        metavar="GROUP",
        help="Let this group, such as that of Neo4j's user, read the export.",
        show_default="only its owner",
    ),
]
Keep = Annotated[int, typer.Option("--keep", metavar="N", min=1, help="How many of the newest exports stay.")]
Export = Annotated[Path, typer.Argument(metavar="EXPORT", help="An export's directory.")]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers", metavar="N", help="Processes that read at once, each with a connection.", show_default="2"
    ),
]
Memory = Annotated[
    str | None,
    typer.Option("--memory", metavar="SIZE", help="For all processes together, such as 640MB.", show_default="640MB"),
]
Timezone = Annotated[
    str | None,
    typer.Option("--timezone", metavar="ZONE", help="In which timestamps without a zone are read.", show_default="UTC"),
]
MaxRejects = Annotated[
    int | None,
    typer.Option(
        "--max-rejects", metavar="N", help="Publish nothing when there are more rejects.", show_default="no limit"
    ),
]
MaxDuration = Annotated[
    str | None,
    typer.Option(
        "--max-duration", metavar="TIME", help="Give up after this time, such as 90m.", show_default="no limit"
    ),
]
LockTimeout = Annotated[
    str | None,
    typer.Option("--lock-timeout", metavar="TIME", help="How long to wait for a table lock.", show_default="30s"),
]
StallTimeout = Annotated[
    str | None,
    typer.Option("--stall-timeout", metavar="TIME", help="How long a read may make no progress.", show_default="60s"),
]
Archive = Annotated[
    bool | None,
    typer.Option("--archive/--no-archive", help="Also pack the export as one .tar.zst beside it.", show_default="no"),
]
EncryptTo = Annotated[
    str | None,
    typer.Option(
        "--encrypt-to",
        metavar="KEYS",
        help="Encrypt the archive to these age public keys, with commas between them.",
        show_default=False,
    ),
]
Cache = Annotated[
    Path | None,
    typer.Option("--cache", metavar="DIR", help="Where Neo4j's jars are kept.", show_default="the XDG cache"),
]
ProfileFile = Annotated[
    Path | None,
    typer.Option("--profile", metavar="FILE", help="Write where the time went, as JSON.", show_default=False),
]


def settings_from(config: Path | None, **flags: Any) -> Any:
    """The settings of a command."""
    from exporter.settings import load

    return load(config, **flags)


PASSWORD_WARNING = "a password on the command line is seen by other users; use PGPASSWORD"


def warn_of_password(source: str | None) -> None:
    """Warns about a password that the command line showed to everybody."""
    from exporter.progress.log import log_stderr
    from exporter.source.connection import password_in

    if source and password_in(source):
        log_stderr(f"exporter: warning: {PASSWORD_WARNING}")
