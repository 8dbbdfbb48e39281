"""Where the time of a run went: its stages, and below them what each worker did when, on one axis."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from exporter.pipeline.profile import Profile
from exporter.pipeline.timing import KEYS, READ, SHAPE, WRITE, TaskTimer

STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800)
# An axis has at most so many ticks, and a block at least this share of it: smaller ones that touch become one.
TICKS = 8
SMALLEST = 0.001
# Where the last tick may stand, so that its time finds room beside it.
LAST = 0.95


@dataclass(frozen=True, slots=True)
class Block:
    """Something that was done from `began` for `seconds` (both from the run's begin); `spent` is seconds by activity,
    `tasks` is of how many tasks it is made."""

    what: str
    began: float
    seconds: float
    spent: dict[str, float]
    tasks: int = 1

    @property
    def ended(self) -> float:
        return self.began + self.seconds

    def shares(self) -> list[tuple[str, float]]:
        """Each activity with its share of the whole, in their order."""
        spent = {
            KEYS: self.spent.get(KEYS, 0.0),
            READ: self.spent.get(READ, 0.0),
            SHAPE: self.spent.get(SHAPE, 0.0),
            WRITE: self.spent.get(WRITE, 0.0),
        }
        total = sum(spent.values())
        return [(name, seconds / total) for name, seconds in spent.items() if seconds]


@dataclass(frozen=True, slots=True)
class Timeline:
    """The axis, in seconds from the run's begin; stages; a list of blocks for each worker, and the costliest tables
    with their rows, as blocks from 0."""

    seconds: float
    ticks: list[float]
    stages: list[Block]
    workers: list[list[Block]]
    tables: list[tuple[Block, int]]


def timeline(profile: Profile) -> Timeline:
    """The profile of a run, up to its last stage that has ended, as it is drawn."""
    began = min(profile.began.values(), default=0.0)
    stages = [
        Block(name, profile.began[name] - began, seconds, {})
        for name, seconds in profile.stages.items()
        if name in profile.began
    ]
    tasks = [
        Block(watch.task, watch.started - began, watch.ended - watch.started, dict(watch.seconds))
        for watch in profile.timers()
    ]
    ends = max((each.ended for each in [*stages, *tasks]), default=0.0)
    lanes: dict[int, list[Block]] = {}
    for watch, block in sorted(zip(profile.timers(), tasks, strict=True), key=lambda each: each[0].started):
        lanes.setdefault(watch.worker, []).append(block)
    workers = [list(merged(blocks, ends * SMALLEST)) for blocks in lanes.values()]
    workers += [[] for _ in range(profile.workers - len(workers))]
    tables = [(total(table, watches), rows) for table, rows, watches in profile.by_table()]
    return Timeline(ends, ticks(ends), stages, workers, tables)


def merged(blocks: Iterable[Block], smallest: float) -> Iterator[Block]:
    """Blocks of one worker, where those of one table that touch are one, and so are neighbours too small to be seen."""
    held: Block | None = None
    for block in blocks:
        small = held is not None and min(held.seconds, block.seconds) < smallest
        if held and block.began - held.ended < smallest and (held.what == block.what or small):
            larger = held if held.seconds >= block.seconds else block
            what = held.what if held.what == block.what else f"{larger.what.removesuffix(' …')} …"
            spent = {name: held.spent.get(name, 0.0) + block.spent.get(name, 0.0) for name in held.spent | block.spent}
            held = replace(
                held, what=what, seconds=block.ended - held.began, spent=spent, tasks=held.tasks + block.tasks
            )
        else:
            if held:
                yield held
            held = block
    if held:
        yield held


def total(what: str, watches: list[TaskTimer]) -> Block:
    """All tasks of a table together."""
    spent: dict[str, float] = {}
    for watch in watches:
        for name, seconds in watch.seconds.items():
            spent[name] = spent.get(name, 0.0) + seconds
    return Block(what, 0.0, sum(spent.values()), spent, len(watches))


def ticks(seconds: float) -> list[float]:
    """Round times from 0 on, as many as can be read, and none at the very end."""
    step = next((step for step in STEPS if seconds / step <= TICKS), STEPS[-1])
    return [round(number * step, 3) for number in range(int(seconds * LAST / step) + 1)]
