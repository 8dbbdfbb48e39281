"""Where the graphs on the user's machine are and what they are called; light enough for the completion of a shell."""

import re
from pathlib import Path

from platformdirs import user_data_path

from exporter import DISTRIBUTION
from exporter.errors import UsageError

DEFAULT = "graph"
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
RECORD = "graph.json"


def data_directory() -> Path:
    """The user's data directory for the graphs: XDG_DATA_HOME is respected. Raises `UsageError` for a user without a
    home directory."""
    try:
        return user_data_path(DISTRIBUTION, appauthor=False)
    except RuntimeError:  # neither HOME nor an entry in the list of users
        raise UsageError("this user has no home directory to keep graphs in; set HOME or XDG_DATA_HOME") from None


def graph_names() -> list[str]:
    """The names of the graphs that exist, in order."""
    return sorted(record.parent.name for record in data_directory().glob(f"*/{RECORD}"))
