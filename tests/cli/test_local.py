"""The flags of `exporter local`: one action at a time, and no flag that is ignored."""

from pathlib import Path
from typing import Any

import pytest

from exporter.cli.local import only_action
from exporter.errors import UsageError


def action(**flags: Any) -> str | None:
    """What is asked for; flags as Python names them."""
    actions = {f"--{name}": flags.pop(name, None) for name in ("from", "query", "start", "stop", "list", "remove")}
    name, cache = flags.pop("name", None), flags.pop("cache", None)
    exporting = {"source": None, "workers": None, "max_rejects": None} | flags
    return only_action(actions, exporting, name=name, cache=cache)


@pytest.mark.parametrize(
    ("flags", "wanted"),
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
def test_what_is_asked_for(flags: dict[str, Any], wanted: str | None) -> None:
    """Without a flag for something else, a graph of the source."""
    assert action(**flags) == wanted


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ({"start": True, "stop": True}, "--start and --stop do not go together"),
        ({"from": Path("e"), "source": "postgresql://x"}, "--from and --source do not go together"),
        ({"query": "1", "max_rejects": 0}, "--query and --max-rejects do not go together"),
        ({"stop": True, "cache": Path("c")}, "--stop and --cache do not go together"),
        ({"list": True, "name": "sales"}, "--list and --name do not go together"),
        ({"remove": True}, "--remove needs --name: which graph is to go is never guessed"),
    ],
)
def test_what_does_not_go_together(flags: dict[str, Any], sentence: str) -> None:
    """What would be ignored is refused."""
    with pytest.raises(UsageError, match=f"^{sentence}$"):
        action(**flags)
