"""`exporter redact-key`: a new key for tokens."""

from pathlib import Path
from typing import Annotated

import typer

from exporter.cli.options import Json, print_json


def redact_key(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write, which must not exist yet.")],
    as_json: Json = False,
) -> None:
    """Make a secret key, so that masked exports have the same tokens every time; a file is never overwritten.

    Only you can read the file. Keep it from whoever reads the exports: with it, a phone number can be found by trying.
    """
    from exporter.source.masking_key import write_key_file

    key = write_key_file(file)
    if as_json:
        print_json({"file": str(file), "key": key.id})
        return
    print(f"Wrote {file}. Its id is {key.id}, as the manifests of exports with its tokens have it.")
    print(f"Next: --redact analyst --redact-key {file}, or redact_key_file in exporter.toml.")
