"""`exporter push`: an export, or an archive of one, into object storage."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exporter.cli.completion import complete_pushable
from exporter.cli.options import Json, print_json
from exporter.errors import ExporterError, Interrupted, RunError, UsageError
from exporter.invocation import command

if TYPE_CHECKING:
    from exporter.published.push import Pushed
    from exporter.published.transfers import Show
    from exporter.storage_url import StorageUrl

Url = Annotated[
    str,
    typer.Argument(
        metavar="URL",
        help="s3://BUCKET/PREFIX, gs:// or abfs://; S3 elsewhere by ?endpoint_override=HOST:PORT. Never with "
        "credentials: they come from the environment, or the role of the machine.",
    ),
]


def push(
    export: Annotated[
        Path,
        typer.Argument(
            metavar="EXPORT",
            help="The directory of an export, or its archive.",
            autocompletion=complete_pushable,
        ),
    ],
    url: Url,
    as_json: Json = False,
) -> None:
    """Copy an export to object storage; the last line on stdout is its URL.

    Data first, SHA256SUMS last: what has none is not whole. Run it again after a failure: what is there already is left
    alone.
    """
    from exporter.interrupts import disable_interrupts, interruptible
    from exporter.progress.status import transfer
    from exporter.published.push import push as push_export

    target = storage_url(url)
    with interruptible("what was pushed is not whole; run it again, and it goes on where it stopped"):
        pushed = push_export(export, target, transfer)
    disable_interrupts()  # it is there
    print_summary(pushed)
    if as_json:
        print_json(pushed_object(pushed))
    else:
        print(pushed.url)


def storage_url(text: str) -> "StorageUrl":
    """The place that a URL names, with a warning if what goes there is not encrypted. Raises `UsageError` for anything
    else, and never repeats it: it may hold a key."""
    from exporter.progress.log import log_stderr
    from exporter.storage_url import parse_storage_url

    try:
        url = parse_storage_url(text)
    except ValueError as error:
        raise UsageError(f"URL: {error}") from None
    if url.is_plain:
        log_stderr("exporter: warning: what goes to or comes from this URL is not encrypted on its way")
    return url


def check_push(url: str) -> None:
    """Raises `UsageError` for a setting `push` to which no export can be pushed: now, not after the export."""
    from exporter.published.latest import check_prefix
    from exporter.storage_url import parse_storage_url

    check_prefix(parse_storage_url(url))


def push_published(export: Path, url: str, pending: Sequence[str], show: "Show | None" = None) -> "Pushed":
    """Pushes what was just published, an export or its archive. `pending` are the signals that
    came too late to stop what was before, noted by the caller's `interruptible` block.

    Raises `Interrupted`, and `RunError` if the push fails, which name the command that goes on with it. A signal stops
    the push alone, not what the caller does before and after it: what that is said to leave is no longer true.
    """
    from exporter.interrupts import disable_interrupts, interruptible
    from exporter.progress.status import transfer
    from exporter.published.push import push as push_export

    again = shlex.join([command(), "push", str(export), url])
    consequence = f"{export} is complete, and not pushed. To push it: {again}"
    try:
        with interruptible(consequence):
            if pending:
                raise Interrupted(f"stopped by {pending[0]}; {consequence}")
            pushed = push_export(export, storage_url(url), show or transfer)
    except Interrupted:
        raise
    except (ExporterError, OSError) as error:
        reason = str(error) if isinstance(error, ExporterError) else error.strerror
        raise RunError(f"{export} is complete, but was not pushed: {reason}. To push it: {again}") from None
    finally:
        disable_interrupts()
    return pushed


def print_summary(pushed: "Pushed") -> None:
    """Prints what a push did on stderr."""
    from exporter.progress.log import log_stderr

    log_stderr(summary(pushed))


def summary(pushed: "Pushed") -> str:
    """What a push did, in a sentence."""
    from exporter.text import format_seconds, quantity

    there = pushed.objects - pushed.sent
    text = f"Pushed {quantity(pushed.sent, 'object')}, {pushed.sent_bytes / 1e6:,.1f} MB, to {pushed.url} "
    text += f"in {format_seconds(pushed.seconds)}"
    if there:
        text += f"; {quantity(there, 'object')} {'was' if there == 1 else 'were'} there already"
    return text + (f"; {pushed.latest} leads to it" if pushed.latest else "")


def pushed_object(pushed: "Pushed") -> dict[str, object]:
    """What `--json` prints."""
    return {
        "url": str(pushed.url),
        "objects": pushed.objects,
        "bytes": pushed.bytes,
        "sent": pushed.sent,
        "sent_bytes": pushed.sent_bytes,
        "latest": pushed.latest,
        "seconds": round(pushed.seconds, 3),
    }
