"""The roots of a window stay in the census: what is sent to a worker does not tell whose rows are asked for."""

import json
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from exporter.model.window import Root, Window
from exporter.sink.layout import KEY_INDEX

ROOTS = Path(KEY_INDEX, "roots.json")


def without_roots(window: Window, partial: Path) -> Window:
    """A window without the values of its roots and the ids that they have, which a file of the partial export gets."""
    if not window.roots:
        return window
    path = partial / ROOTS
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps({label: list(ids) for label, ids in window.people.items()}), encoding="utf-8")
    return replace(window, roots=tuple(Root(root.label, root.property, "") for root in window.roots), people={})


def with_roots(window: Window, partial: Path) -> Window:
    """The window with the ids of its roots again."""
    return replace(window, people=people_of(partial / ROOTS)) if window.roots else window


@lru_cache(maxsize=1)
def people_of(path: Path) -> dict[str, tuple[int, ...]]:
    """The ids in a file that `without_roots` wrote."""
    return {label: tuple(ids) for label, ids in json.loads(path.read_text(encoding="utf-8")).items()}
