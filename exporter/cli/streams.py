"""stdout and stderr as commands need them: no letter, full disk or vanished reader ends one in a traceback."""

import io
import os
import sys

from exporter.errors import ExporterError


class OutputError(ExporterError, OSError):
    """A result cannot be written to stdout. Also an `OSError`, for those who go on without."""


class ReaderGoneError(OutputError):
    """Whoever read stdout has enough, as `head` has."""

    # As a shell tells a process that SIGPIPE ended.
    exit_code = 128 + 13


class Output(io.FileIO):
    """The file that stdout writes to. Raises an `OutputError` if that fails."""

    def write(self, data: object, /) -> int:
        try:
            return super().write(data)  # type: ignore[arg-type]  # of any buffer
        except BrokenPipeError:
            raise ReaderGoneError from None
        except OSError as error:
            raise OutputError(f"cannot write to stdout: {error.strerror}") from None


def prepare_streams() -> None:
    """Replaces stdout by one that raises `OutputError`; both streams escape the letters that they cannot write. Those
    that the caller closed lead nowhere, here and in the processes that are started."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
            os.set_inheritable(number, True)
    if sys.stdout is None:
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 - open until the process ends
    elif isinstance(stdout := sys.stdout, io.TextIOWrapper):
        file = io.BufferedWriter(Output(stdout.fileno(), "w", closefd=False))
        sys.stdout = io.TextIOWrapper(
            file, encoding=stdout.encoding, errors="backslashreplace", line_buffering=stdout.line_buffering
        )
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115 - open until the process ends
    elif isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.reconfigure(errors="backslashreplace")


def flush_stdout() -> None:
    """Writes what is left to write. Raises `OutputError` if that fails."""
    try:
        sys.stdout.flush()
    except OutputError:
        discard_stdout()
        raise


def discard_stdout() -> None:
    """Drops what is left to write, so that the interpreter does not try it again as it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
