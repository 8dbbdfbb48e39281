"""The flags of `exporter local`: one action at a time, and no flag is ignored."""

from pathlib import Path
from typing import Any

import pytest

from exporter.cli.local import only_action
from exporter.errors import UsageError


def action(**flags: Any) -> str | None:
    """The action that flags ask for, which are named as in Python."""
    actions = {f"--{name}": flags.pop(name, None) for name in ("from", "query", "start", "stop", "list", "remove")}
    name, cache = flags.pop("name", None), flags.pop("cache", None)
    settings = {"source": None, "workers": None, "max_rejects": None} | flags
    return only_action(actions, settings, name=name, cache=cache)


@pytest.mark.parametrize(
    ("flags", "requested"),
    [
        ({}, None),
        ({"source": "postgresql://x", "max_rejects": 0, "name": "sales", "cache": Path("c")}, None),
        ({"from": Path("e"), "name": "sales", "cache": Path("c")}, "--from"),
        ({"query": ""}, "--query"),
        ({"start": True, "stop": False, "cache": Path("c")}, "--start"),
        ({"list": True}, "--list"),
        ({"remove": True, "name": "sales"}, "--remove"),
    ],
)
def test_a_flag_asks_for_an_action(flags: dict[str, Any], requested: str | None) -> None:
    """Without one, the source is exported into a graph."""
    assert action(**flags) == requested


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ({"start": True, "stop": True}, "--start and --stop cannot be combined"),
        ({"from": Path("e"), "source": "postgresql://x"}, "--from and --source cannot be combined"),
        ({"query": "1", "max_rejects": 0}, "--query and --max-rejects cannot be combined"),
        ({"stop": True, "cache": Path("c")}, "--stop and --cache cannot be combined"),
        ({"list": True, "name": "sales"}, "--list and --name cannot be combined"),
        ({"remove": True}, "--remove needs --name: the graph to delete is never guessed"),
    ],
)
def test_flags_that_cannot_be_combined_are_refused(flags: dict[str, Any], sentence: str) -> None:
    """Each would be ignored otherwise."""
    with pytest.raises(UsageError, match=f"^{sentence}$"):
        action(**flags)
