"""The suite of texts: what comes out of Neo4j of the texts that were put into PostgreSQL, cell by cell."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from exporter.store.provision import Neo4jHome
from tests.faults.frame import Fault, Outcome, Verdict
from tests.faults.ground import Ground
from tests.faults.large_texts import large_faults
from tests.faults.records import Suite
from tests.faults.text_graph import TextGraph, cell_differences, count_differences, reject_differences, text_graph
from tests.faults.text_source import Check, Key
from tests.faults.texts import Content, whole

NAME = "text"
# So many nodes are asked for at a time.
NODES = 2_000


def suite(content: Content | None = None, home: Neo4jHome | None = None) -> Suite:
    """All texts, large ones too, or those of a content; in the Neo4j of a home, or that of the demo."""
    texts = Texts(content or whole(), home, with_large=content is None)
    return Suite(NAME, texts.ground, texts.faults)


@dataclass(slots=True)
class Texts:
    """A suite's texts, and the one graph of them that all its grounds share."""

    content: Content
    home: Neo4jHome | None
    with_large: bool
    graph: TextGraph | None = None

    @contextmanager
    def ground(self) -> Iterator[Ground]:
        """A ground; the first one makes the graph."""
        with TemporaryDirectory(prefix="faults-") as name:
            ground = Ground("", "", Path(name), {})
            if self.graph is not None:
                yield ground
                return
            with text_graph(self.content, ground.directory, self.home) as self.graph:
                yield ground

    def faults(self, _: Ground, seed: int) -> Iterator[Fault]:
        """The comparisons of all cells, some at a time; of the rejects; of the counts. In a random order."""
        assert self.graph is not None
        graph = self.graph
        found: list[Fault] = [fault("counts", partial(count_differences, graph), 0, seed)]
        for rejects in graph.expected.rejects:
            compare = partial(reject_differences, graph, rejects)
            found.append(fault(f"rejects of {rejects.entity}", compare, rejects.expected.total(), seed))
        for check in graph.expected.checks:
            for number, keys in enumerate(batches(check)):
                compare = partial(cell_differences, graph, check, keys)
                found.append(fault(f"{check.name} {number}", compare, count_texts(check, keys), seed))
        if self.with_large:
            found += large_faults(NAME, graph.home, seed)
        random.Random(seed).shuffle(found)
        return iter(found)


def batches(check: Check) -> Iterator[list[Key]]:
    """The keys of a check, some at a time."""
    keys = iter(check.expected)
    while some := list(islice(keys, NODES)):
        yield some


def count_texts(check: Check, keys: Sequence[Key]) -> int:
    """How many cells of the source decide what the graph has to say of some keys: the values that are texts, or that
    there is nothing."""
    found = [check.expected[key] for key in keys]
    return sum(1 if row is None else sum(isinstance(value, str) for value in row) or 1 for row in found)


def fault(name: str, compare: Callable[[], str], texts: int, seed: int) -> Fault:
    """The comparison of so many texts."""

    def run(_: Ground, __: Path) -> Verdict:
        began = time.monotonic()
        wrong = compare()
        outcome = Outcome.SILENT if wrong else Outcome.WHOLE
        return Verdict(outcome, wrong, seconds=round(time.monotonic() - began, 1), times=max(1, texts))

    return Fault(NAME, name, seed, run)
