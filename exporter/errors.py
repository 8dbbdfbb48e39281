"""Every failure a user can see: one base error with its exit code (contract.md), and its few kinds."""

OUT_OF_MEMORY = "this process is out of memory: give it more (ulimit -v, the limit of its cgroup)"


class ExporterError(Exception):
    """A failure with one sentence for the user.

    The message says what happened, where, and what to do. It never holds a password, a connection string or a cell
    of the source.
    """

    exit_code = 4


class LimitError(ExporterError):
    """The data broke a limit the user set."""

    exit_code = 1


class DifferenceError(ExporterError):
    """A comparison found a difference: something is missing, or does not match its manifest or the model."""

    exit_code = 1


class UsageError(ExporterError):
    """A flag, a setting, or a directory that is missing or cannot be written."""

    exit_code = 2


class SourceError(ExporterError):
    """The source cannot be exported: unreachable, refused, or not what the model needs."""

    exit_code = 3


class RunError(ExporterError):
    """The run failed; nothing was published."""

    exit_code = 4


class SnapshotError(RunError):
    """A reader cannot use the leader's snapshot; the leader's connection knows why."""


class LockedError(RunError):
    """A table is locked by another session for longer than --lock-timeout."""


class BusyError(ExporterError):
    """Another export is running on this output directory."""

    exit_code = 5


class GuardError(ExporterError):
    """The new export differs too much from the one behind the live graph, so a rebuild does not swap them."""

    exit_code = 6


class SwapError(ExporterError):
    """A rebuild failed with Neo4j stopped; the previous store was put back and answers."""

    exit_code = 7


class DownError(ExporterError):
    """A rebuild left the live Neo4j unavailable: somebody must look at it now."""

    exit_code = 8


class Stop(BaseException):
    """Carries the error of a signal or of the time limit to the block that they stop (interrupts.py).

    A signal lands in whichever frame is running, also in a library's, where an `except Exception` would take it for a
    fault of its own and go on.
    """

    def __init__(self, error: ExporterError) -> None:
        super().__init__(str(error))
        self.error = error


class Interrupted(ExporterError):  # noqa: N818 - a signal is nobody's error
    """Stopped by SIGINT, SIGTERM or SIGHUP; nothing was published."""

    exit_code = 130
