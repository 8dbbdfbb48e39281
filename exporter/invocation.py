"""How the user called this program, so that every command line it prints can be pasted as it stands."""

import shlex
import shutil
import sys
from pathlib import Path

NAME = "exporter"


def command() -> str:
    """`exporter` if the shell finds this very program under that name, else its path, as short as the working directory
    allows and quoted for a shell: `.venv/bin/exporter`."""
    called = Path(sys.argv[0]).absolute() if sys.argv and sys.argv[0] else Path()
    found = shutil.which(NAME)
    if called.name != NAME or (found and Path(found).absolute() == called):
        return NAME
    try:
        return shlex.quote(str(called.relative_to(Path.cwd())))
    except (OSError, ValueError):  # OSError: the working directory was removed
        return shlex.quote(str(called))
