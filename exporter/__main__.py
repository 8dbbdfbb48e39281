"""The command's entry, also as `python -m exporter`. A signal that comes while the rest is loading ends it quietly."""

import os
import signal
from types import FrameType

from exporter.errors import OUT_OF_MEMORY, RunError
from exporter.secrecy import forbid_core_files

STOPPED = 130


def main() -> None:
    """Runs the `exporter` command."""
    forbid_core_files()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup sets it
            signal.signal(number, stop)
    try:
        from exporter.cli import main as run  # loads for a tenth of a second

        run()
    except MemoryError:  # not even enough to load or to say what else was wrong
        os.write(2, f"exporter: {OUT_OF_MEMORY}\n".encode())
        os._exit(RunError.exit_code)


def stop(number: int, _: FrameType | None) -> None:
    """Ends the process at once: nothing has begun."""
    os.write(2, f"exporter: stopped by {signal.Signals(number).name}\n".encode())
    os._exit(STOPPED)


if __name__ == "__main__":
    main()
