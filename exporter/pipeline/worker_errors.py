"""Errors of a worker's tasks: what they say, and that they quote no cell."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from exporter.errors import ExporterError, RunError


@contextmanager
def sanitized_errors(subject: str) -> Iterator[None]:
    """Turns whatever the block raises into an `ExporterError` that names the subject and quotes no cell.

    A bug keeps its traceback's places but not its message: Polars' messages contain values.
    """
    try:
        yield
    except (ExporterError, KeyboardInterrupt, SystemExit):
        raise
    except OSError as error:
        # Polars gives the reason only in the error's text.
        raise RunError(f"cannot write the export: {error.strerror or error} (while writing {subject})") from None
    except MemoryError:
        raise RunError(f"a worker is out of memory (while handling {subject}); lower --memory or --workers") from None
    except BaseException as error:  # a panic of Polars is not an Exception
        places = ", ".join(f"{Path(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__))
        raise RunError(f"a bug, please report it: {type(error).__name__} while handling {subject} ({places})") from None
