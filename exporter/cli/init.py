"""`exporter init`: a settings file for a source."""

import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from exporter.cli.options import Json, Source, print_json, settings_from, warn_of_secrets

# As in exporter/settings.py, which `--help` does not load.
DEFAULT_FILE = Path("exporter.toml")


def init(
    context: typer.Context,
    source: Source = None,
    output_file: Annotated[
        Path, typer.Option("--output-file", metavar="FILE", help="The settings file to write.")
    ] = DEFAULT_FILE,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
    as_json: Json = False,
) -> None:
    """Write a settings file for a source: every setting with a comment, and guesses how its names map to the model's.

    The source is --source or EXPORTER_SOURCE; its password is not written. The source itself is not changed.
    """
    from exporter.invocation import command
    from exporter.preflight.settings_file import (
        check_path,
        guess_names,
        guesses_object,
        nothing_similar,
        nothing_to_map,
        settings_text,
        summary,
        write_settings,
    )
    from exporter.progress.log import log_stderr
    from exporter.source.uri import password_in, without_password
    from exporter.text import quantity

    check_path(output_file, force=force)
    # An existing exporter.toml is about to be replaced, so it is not read.
    settings = settings_from(context, Path(os.devnull))
    warn_of_secrets(context)
    guesses, errors = guess_names(settings)
    write_settings(output_file, settings_text(without_password(settings.source), guesses), force=force)
    if password_in(settings.source):
        log_stderr(f"exporter: the password is not written into {output_file}; pass it in PGPASSWORD or PGPASSFILE")
    if as_json:
        print_json({"file": str(output_file), **guesses_object(guesses), "errors": errors})
        return
    print("\n".join(summary(guesses)))
    config = f" --config {shlex.quote(str(output_file))}" if output_file != DEFAULT_FILE else ""
    print(f"Wrote {output_file}. With it, a check finds {quantity(errors, 'error')}.")
    review = "review every name in it, complete what is commented out, and "
    if nothing_to_map(guesses):
        review = ""
    elif nothing_similar(guesses):
        review = "correct its source, and "
    print(f"Next: {review}run: {command()} check{config}")
