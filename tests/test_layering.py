"""Imports go down: each room of the package knows only those below it, and no room knows its neighbours."""

import ast
from pathlib import Path

import exporter

PACKAGE = Path(exporter.__file__).parent
# From the bottom up (house-style.md, The layout).
FLOORS = (
    {"errors", "text", "invocation", "secrecy"},
    {"model", "interrupts", "setting_types"},
    {"source", "shape", "sink", "sample", "origins", "copy_settings", "rebuild_settings", "storage_url"},
    {"settings", "published"},
    {"pipeline", "preflight"},
    {"progress", "report"},
    {"store"},
    {"local", "rebuild", "demo"},
    {"cli"},
    {"__main__"},
)


def test_every_room_has_a_floor() -> None:
    """A new room is put where it belongs, or it is not found by the next test."""
    rooms = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in PACKAGE.rglob("*.py")}
    assert rooms - {"__init__"} == set().union(*FLOORS)


def test_no_import_goes_up_or_sideways() -> None:
    """Within a function or at the top of a file."""
    floor_of = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
    wrong = []
    for path in sorted(PACKAGE.rglob("*.py")):
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for module in imported_modules(node):
                imported = module.split(".")[1]
                if imported != room and floor_of.get(imported, -1) >= floor_of[room]:
                    wrong.append(f"{path.relative_to(PACKAGE)} imports {module}")
    assert wrong == []


def imported_modules(node: ast.AST) -> list[str]:
    """The modules of the package that a statement imports, in whichever way."""
    match node:
        case ast.ImportFrom(module="exporter", names=names):
            return [f"exporter.{alias.name}" for alias in names]
        case ast.ImportFrom(module=str(module)) if module.startswith("exporter."):
            return [module]
        case ast.Import(names=names):
            return [alias.name for alias in names if alias.name.startswith("exporter.")]
        case _:
            return []
