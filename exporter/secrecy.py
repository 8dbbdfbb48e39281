"""What this process has been told in confidence, and who else would see it: what it starts, and whoever opens a core
file."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# Variables that tell where the source is and whom a window asks for, and passwords and keys.
SECRETS = ("EXPORTER_SOURCE", "EXPORTER_ROOTS", "PGPASSWORD", "NEO4J_PASSWORD")
OF_OBJECT_STORAGE = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def forbid_core_files() -> None:
    """From now on this process, and all that it starts, leave no core file when they crash: it would hold rows, the
    password and the redaction key. Whoever wants one may raise the limit again."""
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def without_secrets() -> dict[str, str]:
    """This process's environment without the source's address and passwords: a server does not need them, and would
    keep them readable as long as it runs."""
    return {name: value for name, value in os.environ.items() if name not in SECRETS}


@contextmanager
def secrets_hidden() -> Iterator[None]:
    """While the block runs, the environment has no secrets: what is started in it inherits none. Nothing may connect to
    the source meanwhile, since libpq looks there for its password."""
    hidden = {name: os.environ.pop(name) for name in (*SECRETS, *OF_OBJECT_STORAGE) if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)
