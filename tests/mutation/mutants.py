"""Small changes of the exporter's code, each of which should make a test fail."""

import ast
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

# The chunk plan, the key index, the rejects, publishing and the closure of a window: the tests that are for each, and
# those that see its effect in a whole export, asked only if the first find nothing.
WHOLE_EXPORTS = ("tests/pipeline/test_dirty.py::test_every_row_and_reject_is_as_the_rules_say[as found]",)
WHOLE_WINDOWS = (
    "tests/pipeline/test_windows.py",
    "tests/pipeline/test_dirty_windows.py::test_a_window_is_an_induced_subgraph[as found-a day]",
)
TESTS = {
    "exporter/source/plan.py": (("tests/source/test_plan.py",), ("tests/source/test_packing.py", *WHOLE_EXPORTS)),
    "exporter/source/chunks.py": (("tests/source/test_chunks.py", "tests/source/test_plan.py"), WHOLE_EXPORTS),
    "exporter/shape/key_index.py": (
        ("tests/shape/test_key_index.py", "tests/shape/test_references.py", "tests/shape/test_rows.py"),
        WHOLE_EXPORTS,
    ),
    "exporter/shape/text_index.py": (
        ("tests/shape/test_key_index.py", "tests/shape/test_references.py"),
        ("tests/pipeline/test_text_keys.py", *WHOLE_EXPORTS),
    ),
    "exporter/shape/rejects.py": (("tests/shape/test_rejects.py", "tests/sink/test_csv.py"), WHOLE_EXPORTS),
    "exporter/sink/publish.py": (
        ("tests/sink/test_publish.py", "tests/sink/test_permissions.py"),
        ("tests/pipeline/test_attempts.py",),
    ),
    "exporter/shape/closure.py": (("tests/shape/test_closure.py",), WHOLE_WINDOWS),
    "exporter/source/window_plan.py": (("tests/source/test_window_plan.py",), WHOLE_WINDOWS),
    "exporter/source/window_rows.py": (("tests/source/test_window_rows.py",), WHOLE_WINDOWS),
}

Position = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A module with one change: where it is, what kind it is of, and the module's code with it."""

    path: str
    position: Position
    operator: str
    code: str

    def difference(self, root: Path) -> str:
        """The line that is changed, before and after."""
        old, new = (root / self.path).read_text().splitlines(), self.code.splitlines()
        before, after = next(((a, b) for a, b in zip(old, new, strict=False) if a != b), ("", ""))
        return f"{before.strip()} -> {after.strip()}" if before else f"{old[self.position[0] - 1].strip()} -> (gone)"


def chosen(root: Path, n: int, seed: int) -> list[Mutant]:
    """A random choice of the mutants of all modules: at most one of each kind at each place, none in annotations, which
    say nothing of what the code does."""
    chance = random.Random(seed)
    every = [mutant for path in TESTS for mutant in of_module(root, path, chance)]
    return chance.sample(every, min(n, len(every)))


def of_module(root: Path, path: str, chance: random.Random) -> Iterator[Mutant]:
    """One mutant of each kind at each place of a module."""
    source = (root / path).read_text()
    tree = get_ast(source)
    excepted = annotations(source)
    places: dict[tuple[Position, str], list[tuple[str, int]]] = {}
    for name in operator_names():
        if get_operator(name).arguments():
            continue
        operator = get_operator(name)()
        positions = (place for node in ast_nodes(tree) for place in operator.mutation_positions(node))
        for occurrence, (start, end) in enumerate(positions):
            if not any(first <= start and end <= last for first, last in excepted):
                kind = "_".join(name.split("_")[:1])
                places.setdefault((start, kind), []).append((name, occurrence))
    for (start, _), choices in sorted(places.items()):
        name, occurrence = chance.choice(choices)
        code = mutate_code(source, get_operator(name)(), occurrence)
        if code is not None and code != source:
            yield Mutant(path, start, name.removeprefix("core/"), code)


def annotations(source: str) -> list[tuple[Position, Position]]:
    """Where the types of parameters, results and variables stand."""
    found: list[ast.expr | None] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.arg | ast.AnnAssign):
            found.append(node.annotation)
        elif isinstance(node, ast.FunctionDef):
            found.append(node.returns)
    return [
        ((node.lineno, node.col_offset), (node.end_lineno or node.lineno, node.end_col_offset or node.col_offset))
        for node in found
        if node is not None
    ]
