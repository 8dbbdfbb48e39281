"""The command line: one module per command, and the app that holds them.

Results are printed on stdout here; `main` turns an unhandled `ExporterError` into its message on stderr and its exit
code. Commands import what they need when they run: `--help` and completion do not load Polars, pydantic or a driver.
"""

import errno
import gc
import logging
import sys
import threading
from contextlib import suppress
from importlib.metadata import version
from typing import Annotated

import typer

from exporter import DISTRIBUTION
from exporter.cli.check import check
from exporter.cli.demo import demo
from exporter.cli.export import export
from exporter.cli.headers import headers
from exporter.cli.help import complete_commands, usage_error
from exporter.cli.init import init
from exporter.cli.local import app as local
from exporter.cli.model import model
from exporter.cli.prune import prune
from exporter.cli.pull import pull
from exporter.cli.push import push
from exporter.cli.rebuild import EXIT_CODES, rebuild
from exporter.cli.redact_key import redact_key
from exporter.cli.rejects import rejects
from exporter.cli.runs import runs
from exporter.cli.streams import OutputError, ReaderGoneError, discard_stdout, flush_stdout, prepare_streams
from exporter.cli.verify import verify
from exporter.errors import OUT_OF_MEMORY, ExporterError, RunError, UsageError
from exporter.interrupts import end_process, hide_stops, ignore_signals, interruptible

# What a disk, a network file system or a limit of the system may say wherever a file is used.
OF_THE_SYSTEM = {
    errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ESTALE, errno.EFBIG, errno.EMFILE, errno.ENFILE,
    errno.ENOMEM, errno.ENODEV, errno.ENXIO,
}  # fmt: skip

app = typer.Typer(
    name="exporter",
    help="Export AstroKiran's PostgreSQL services as one Neo4j graph: from one snapshot, as CSV files for neo4j-admin, "
    "every row accounted for.",
    epilog="Exit codes: 0 done; 1 a limit was exceeded or a difference found; 2 usage; 3 the source cannot be "
    "exported; 4 failed while running, nothing was published (or only not pushed); 5 another export is running; "
    "130 stopped by a signal. "
    "`rebuild` also has 6, 7 and 8.",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def print_version(wanted: bool) -> None:
    if wanted:
        print(version(DISTRIBUTION))
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    _: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=print_version, is_eager=True)
    ] = False,
) -> None:
    """Options of the command itself. Without a command, its help."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(UsageError.exit_code)


# In the order of `--help`.
for command in (init, check, export, verify, push, pull, runs, rejects, prune, headers, model, demo, redact_key):
    app.command()(command)
app.command(epilog=EXIT_CODES)(rebuild)
app.add_typer(local)
complete_commands(app)


def main() -> None:
    """Runs the `exporter` command, and turns every `ExporterError` into its message and exit code."""
    prepare_streams()
    hide_stops()
    threading.excepthook = tell_of_thread
    # What libraries log is not for the user, and may quote the source.
    logging.lastResort = logging.NullHandler()  # None would say that nobody hears them
    logging.getLogger("exporter").addHandler(LogLines())
    logging.getLogger("exporter").propagate = False
    try:
        code = run()
    finally:
        ignore_signals()
        # Otherwise the interpreter visits every object of every library several times as it exits.
        # Measured: 0.1 s, 4 % of an export of a million rows.
        gc.freeze()
    end_process(code)


def run() -> int:
    """Runs the command line, and returns the exit code; an error's message is on stderr then. A file or directory that
    this user may not use, and a disk that fails, are errors wherever they turn up."""
    name = next((argument for argument in sys.argv[1:] if not argument.startswith("-")), "")
    try:
        # Only of an export is it true, and known here, what a signal leaves.
        with interruptible("nothing was published" if name == "export" else ""):
            try:
                code: int = app(standalone_mode=False) or 0
            except typer.TyperException as error:
                raise usage_error(error, name) from None
            flush_stdout()
            ignore_signals()  # it is done: no signal makes it stopped
            return code
    except ReaderGoneError as error:
        discard_stdout()
        return error.exit_code
    except ExporterError as error:
        return failed(str(error), error.exit_code)
    except (ImportError, MemoryError, OSError, RuntimeError, SystemError) as error:
        if (sentence := refusal_of_the_system(error)) is None:
            raise  # a bug
        return failed(sentence, UsageError.exit_code if isinstance(error, PermissionError) else RunError.exit_code)


def refusal_of_the_system(error: Exception) -> str | None:
    """What the system refused, and what to do; None if it refused nothing."""
    if isinstance(error, MemoryError):
        return OUT_OF_MEMORY
    if isinstance(error, SystemError):
        return f"a library failed ({error}), as some do when memory is short: give this process more (ulimit -v)"
    if isinstance(error, ImportError):  # too little memory to map a library shows as this
        last = str(error).splitlines()[-1:] or ["of an unknown name"]
        advice = "give this process more memory (ulimit -v), or install the exporter again"
        return f"a library cannot be loaded ({last[0].strip()}): {advice}"
    if "can't start new thread" in str(error) or (isinstance(error, OSError) and error.errno == errno.EAGAIN):
        return "the system allows no further thread or process: allow more memory (ulimit -v) or processes (ulimit -u)"
    if isinstance(error, PermissionError) and error.filename is not None:
        return f"cannot use {error.filename}: {error.strerror}; run this as its owner"
    if isinstance(error, OSError) and error.errno in OF_THE_SYSTEM:
        return f"cannot read or write {error.filename or 'a file'}: {error.strerror}"
    return None


def tell_of_thread(died: threading.ExceptHookArgs) -> None:
    """Says why a thread died, unless the system refused it something: then the command fails, and says so."""
    if not isinstance(died.exc_value, Exception) or refusal_of_the_system(died.exc_value) is None:
        threading.__excepthook__(died)


def failed(sentence: str, code: int) -> int:
    """Says why the command failed; returns the exit code as `flushed` does."""
    from exporter.progress.log import log_error

    log_error(f"exporter: {sentence}")
    return flushed(code)


def flushed(code: int) -> int:
    """The exit code of a failure, after what was printed before it is written, if that is possible."""
    with suppress(OutputError):
        flush_stdout()
    return code


class LogLines(logging.Handler):
    """The program's own log on stderr: warnings as messages, the rest, which only -v lets through, as dated lines."""

    def emit(self, record: logging.LogRecord) -> None:
        from exporter.progress.log import log_dated, log_stderr

        if record.levelno >= logging.WARNING:
            log_stderr(f"exporter: warning: {record.getMessage()}")
        else:
            log_dated(record.getMessage())
