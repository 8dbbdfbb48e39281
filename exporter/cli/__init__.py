"""The command line: one module per command, and the app that holds them.

Results are printed on stdout here; `main` turns an unhandled `ExporterError` into its message on stderr and its exit
code. Commands import what they need when they run: `--help` and completion do not load Polars, pydantic or a driver.
"""

import gc
import logging
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from exporter import DISTRIBUTION
from exporter.cli.check import check
from exporter.cli.demo import demo
from exporter.cli.export import export
from exporter.cli.headers import headers
from exporter.cli.init import init
from exporter.cli.local import app as local
from exporter.cli.model import model
from exporter.cli.prune import prune
from exporter.cli.rebuild import EXIT_CODES, rebuild
from exporter.cli.runs import runs
from exporter.cli.verify import verify
from exporter.errors import ExporterError
from exporter.interrupts import ignore_signals, interruptible

app = typer.Typer(
    name="exporter",
    help="Export AstroKiran's PostgreSQL services as one Neo4j graph: from one snapshot, as CSV files for neo4j-admin, "
    "every row accounted for.",
    epilog="Exit codes: 0 done; 1 a limit was exceeded or a difference found; 2 usage; 3 the source cannot be "
    "exported; 4 failed while running, nothing was published; 5 another export is running; 130 stopped by a signal. "
    "`rebuild` also has 6, 7 and 8.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


def print_version(wanted: bool) -> None:
    if wanted:
        print(version(DISTRIBUTION))
        raise typer.Exit


@app.callback()
def options(
    _: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=print_version, is_eager=True)
    ] = False,
) -> None:
    """Options of the command itself."""


# In the order of `--help`.
for command in (init, check, export, verify, runs, prune, headers, model, demo):
    app.command()(command)
app.command(epilog=EXIT_CODES)(rebuild)
app.add_typer(local)


def main() -> None:
    """Runs the `exporter` command, and turns every `ExporterError` into its message and exit code."""
    # Libraries' log messages are not for the user, and may quote the source.
    logging.lastResort = logging.NullHandler()  # None would say that nobody hears them
    try:
        # Only of an export is it true, and known here, what a signal leaves.
        with interruptible("nothing was published" if sys.argv[1:2] == ["export"] else ""):
            app()
    except ExporterError as error:
        from exporter.progress.log import log_error

        log_error(f"exporter: {error}")
        sys.exit(error.exit_code)
    finally:
        ignore_signals()
        # Otherwise the interpreter visits every object of every library several times as it exits.
        # Measured: 0.1 s, 4 % of an export of a million rows.
        gc.freeze()
