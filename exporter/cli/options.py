"""The flags that several commands share, each with its help, and the settings made from a command's flags.

A flag made by `setting` is a setting: a command only has to accept it, `settings_from` finds it in the context.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from exporter.cli.completion import complete_export
from exporter.cli.copy_options import COPY_SETTINGS, PHONE, PHONE_WARNING, flag_values, read_roots
from exporter.cli.help import EXPORT_SETTINGS as EXPORT_SETTINGS
from exporter.cli.help import REBUILD_SETTINGS as REBUILD_SETTINGS
from exporter.text import visible_json


def setting(
    flag: str, metavar: str | None, help: str, *, default: str | bool = False, panel: str = EXPORT_SETTINGS
) -> Any:
    """The flag of a setting; `default` is only shown; exporter/settings.py has the real one."""
    return typer.Option(flag, metavar=metavar, help=help, show_default=default, rich_help_panel=panel)


Source = Annotated[
    str | None,
    setting(
        "--source",
        "URI",
        "Where to read from: postgresql://USER@HOST:PORT/DATABASE. Pass a password in PGPASSWORD or PGPASSFILE: other "
        "users can see a command line.",
    ),
]
SourceName = Annotated[
    str | None,
    setting(
        "--source-name",
        "NAME",
        "Tells this source from others, instead of the server's own identity, which a copy of its disk shares.",
    ),
]
Output = Annotated[
    str | None, setting("--output", "DIR", "Each export is a new directory below this one.", default="output")
]
Group = Annotated[
    str | None,
    setting("--group", "GROUP", "Let this group, such as Neo4j's, read the export.", default="only its owner"),
]
Workers = Annotated[
    str | None, setting("--workers", "N", "Processes that read at once, each with its own connection.", default="2")
]
Memory = Annotated[
    str | None, setting("--memory", "SIZE", "Memory for all processes together, such as 640MB.", default="640MB")
]
Timezone = Annotated[str | None, setting("--timezone", "ZONE", "Time zone of timestamps without one.", default="UTC")]
MaxRejects = Annotated[
    str | None, setting("--max-rejects", "N", "Publish nothing if there are more rejects.", default="no limit")
]
MaxDuration = Annotated[
    str | None, setting("--max-duration", "TIME", "Give up after this time, such as 90m.", default="no limit")
]
LockTimeout = Annotated[
    str | None, setting("--lock-timeout", "TIME", "How long to wait for a table lock.", default="30s")
]
StallTimeout = Annotated[
    str | None, setting("--stall-timeout", "TIME", "How long a read may go without progress.", default="60s")
]
Cluster = Annotated[
    str | None,
    setting("--cluster", "ADDRESS", "Have the workers of this Dask scheduler read, not processes of this machine."),
]
Archive = Annotated[
    bool | None,
    setting("--archive/--no-archive", None, "Also pack the export into a .tar.zst beside it.", default="no"),
]
EncryptTo = Annotated[
    str | None,
    setting("--encrypt-to", "KEYS", "Encrypt the archive to these age public keys, separated by commas."),
]
Push = Annotated[
    str | None,
    setting("--push", "URL", "Then copy it to object storage, such as s3://BUCKET/PREFIX (with --archive, that)."),
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
Keep = Annotated[int, typer.Option("--keep", metavar="N", min=1, help="How many of the newest exports to keep.")]
Export = Annotated[
    Path,
    typer.Argument(metavar="EXPORT", help="The directory of an export.", autocompletion=complete_export),
]
Cache = Annotated[
    Path | None,
    typer.Option("--cache", metavar="DIR", help="Where Neo4j's jars are kept.", show_default="the XDG cache"),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for programs.", show_default=False)]
ProfileFile = Annotated[
    Path | None,
    typer.Option("--profile", metavar="FILE", help="Write where the time went, as JSON.", show_default=False),
]


def setting_flags(context: typer.Context, *panels: str) -> dict[str, Any]:
    """The flags of the running command in these panels, which are settings, by the setting's name; None if not
    passed."""
    values = flag_values(context)
    return {
        parameter.name: values[parameter.name]
        for parameter in context.command.params
        if getattr(parameter, "rich_help_panel", None) in panels and parameter.name
    }


def settings_from(context: typer.Context, config: Path | None) -> Any:
    """The `Settings` of the running command: its flags over the environment over the settings file.

    Raises `UsageError` with all faults. Imports pydantic, which `--help` and completion do not need.
    """
    from exporter.settings import load

    flags = setting_flags(context, EXPORT_SETTINGS, COPY_SETTINGS)
    if flags.get("roots"):
        flags["roots"] = list(read_roots(flags["roots"]))
    return load(config, **flags, rebuild=setting_flags(context, REBUILD_SETTINGS))


# Of the objects that `--json` prints; another one would have keys gone or with another meaning.
JSON_FORMAT = 1


def print_json(content: Mapping[str, object]) -> None:
    """Prints a result as a JSON object on stdout, its `format` first; the non-ASCII letters of names stay letters where
    stdout can write them, controls are escaped."""
    ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    print(visible_json(json.dumps({"format": JSON_FORMAT, **content}, indent=2, ensure_ascii=ascii_only)))


def print_path(path: Path) -> None:
    """Prints a path on stdout, alone on its line and to the byte, whatever stdout's encoding."""
    sys.stdout.flush()
    sys.stdout.buffer.write(os.fsencode(path) + b"\n")


def result_console(width: int = 160) -> Any:
    """Where tables go; if stdout is not a terminal, of a width that is enough for most."""
    from exporter.progress.console import SafeConsole

    return SafeConsole(width=None if sys.stdout.isatty() else width, highlight=False)


CLUSTER_WARNING = (
    "tcp:// to another machine is neither encrypted nor authenticated: whoever reaches the scheduler can act as the "
    "workers; use tls://, or a network of their own"
)


def is_open(cluster: str | None) -> bool:
    """Whether a scheduler's address is of another machine, and without TLS."""
    from exporter.setting_types import is_loopback

    scheme, _, place = (cluster or "tls://").partition("://")
    return scheme == "tcp" and not is_loopback(place)


PASSWORD_WARNING = "a password on the command line is visible to other users; use PGPASSWORD"


def warn_of_secrets(context: typer.Context) -> None:
    """Warns about a password and about phone numbers on the command line, which everybody can see."""
    from exporter.progress.log import log_stderr
    from exporter.source.uri import password_in

    values = flag_values(context)
    if values.get("source") and password_in(values["source"]):
        log_stderr(f"exporter: warning: {PASSWORD_WARNING}")
    if any(PHONE.match(text) for text in values.get("roots") or ()):
        log_stderr(f"exporter: warning: {PHONE_WARNING}")


def warn_of_cluster(settings: Any) -> None:
    """Warns about a scheduler that others may reach, too."""
    from exporter.progress.log import log_stderr

    if is_open(settings.cluster):
        log_stderr(f"exporter: warning: {CLUSTER_WARNING}")


def warn_of_masking(settings: Any) -> None:
    """Says how far tokens agree, and warns about properties that are masked less than their class asks for."""
    from exporter.progress.log import log_stderr

    if settings.redaction and settings.redaction.key_file is None:
        log_stderr("exporter: tokens will agree within this export and with no other; --redact-key makes them last")
    warn_of_weak_masking(settings)


def warn_of_weak_masking(settings: Any) -> None:
    """Warns about properties that are masked less than their class asks for."""
    from exporter.model.redaction import effective_rules, weakened
    from exporter.progress.log import log_stderr

    request = settings.redaction
    if request is None:
        return
    rules = effective_rules(request.changes, request.accept)
    if names := weakened(rules):
        listed = ", ".join(f"{name} ({rules[name].treatment})" for name in names)
        log_stderr(f"exporter: warning: masked less than their class asks for: {listed}")
