"""Every failure a user can meet: one base error that carries the exit code of the contract, and its few kinds."""


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
    """A comparison found a difference: something is missing, or not as its manifest or the model says."""

    exit_code = 1


class UsageError(ExporterError):
    """A flag, a setting, or a directory that is missing or cannot be written."""

    exit_code = 2


class SourceError(ExporterError):
    """The source cannot be exported: unreachable, refused, or not what the model needs."""

    exit_code = 3


class RunError(ExporterError):
    """The run failed on the way; nothing was published."""

    exit_code = 4


class SnapshotError(RunError):
    """A reader cannot use the leader's snapshot. Why, the leader's connection tells."""


class BusyError(ExporterError):
    """Another export is running on this output directory."""

    exit_code = 5


class GuardError(ExporterError):
    """The new export is so unlike the one behind the live graph that a rebuild does not swap them."""

    exit_code = 6


class SwapError(ExporterError):
    """A rebuild failed with Neo4j stopped; the previous store was put back, and answers."""

    exit_code = 7


class DownError(ExporterError):
    """A rebuild left the live Neo4j not answering: somebody must look at it now."""

    exit_code = 8


class Interrupted(ExporterError):  # noqa: N818 - a signal is no error of anybody's
    """Stopped by SIGINT, SIGTERM or SIGHUP; nothing was published."""

    exit_code = 130
