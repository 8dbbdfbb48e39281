"""`exporter init`: a settings file for a source."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exporter.cli.options import (
    Source,
    settings_from,
    warn_of_password,
)

if TYPE_CHECKING:
    pass


# As in exporter/settings.py, which `--help` does not load.
DEFAULT_FILE = Path("exporter.toml")


def init(
    source: Source = None,
    output_file: Annotated[
        Path, typer.Option("--output-file", metavar="FILE", help="Where the settings are written.")
    ] = DEFAULT_FILE,
    force: Annotated[bool, typer.Option("--force", help="Replace the file when it exists.")] = False,
) -> None:
    """Write a settings file for a source: every setting of an export with a comment, and its names as guessed.

    The source is --source or EXPORTER_SOURCE; a password in it is not written. Nothing of the source is changed.
    """
    from exporter.preflight.settings_file import check_place, guess_names, settings_text, summary, write_settings
    from exporter.progress.log import log_stderr
    from exporter.source.connection import password_in, without_password
    from exporter.text import quantity

    check_place(output_file, force=force)
    # An exporter.toml that is there is not read: it is what is made.
    settings = settings_from(Path(os.devnull), source=source)
    warn_of_password(source)
    guesses, faults = guess_names(settings)
    write_settings(output_file, settings_text(without_password(settings.source), guesses), force=force)
    if password_in(settings.source):
        log_stderr(f"exporter: the password is not written into {output_file}; give it by PGPASSWORD or PGPASSFILE")
    print("\n".join(summary(guesses)))
    command = "exporter check" + (f" --config {output_file}" if output_file != DEFAULT_FILE else "")
    print(f"{output_file} is written. With it, a check finds {quantity(faults, 'error')}.")
    print(f"Next: look at every name in it, complete what is commented out, and run: {command}")
