"""Where the time of a run went: its stages, and below them what each worker did and when, on one axis."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from exporter.pipeline.profile import Profile, total_seconds
from exporter.pipeline.timing import KEYS, READ, SHAPE, WRITE, TaskTimer

STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800)
# The maximum number of ticks on an axis, and the last one's latest position, so that its label fits beside it.
TICKS = 8
LAST = 0.95
# The share of the axis that a block needs to be visible: smaller adjacent ones are merged. Many workers make it larger,
# so that the page has at most about `BLOCKS` of them.
SMALLEST, BLOCKS = 0.001, 4000


@dataclass(frozen=True, slots=True)
class Block:
    """Something that began `began` seconds after the run and took `seconds`; `spent` is the seconds by activity,
    `tasks` the number of tasks it stands for."""

    name: str
    began: float
    seconds: float
    spent: dict[str, float]
    tasks: int = 1

    @property
    def ended(self) -> float:
        return self.began + self.seconds

    def shares(self) -> list[tuple[str, float]]:
        """Each activity that took time, with its share of the total, in order."""
        spent = {activity: self.spent.get(activity, 0.0) for activity in (KEYS, READ, SHAPE, WRITE)}
        total = sum(spent.values())
        return [(activity, seconds / total) for activity, seconds in spent.items() if seconds]


@dataclass(frozen=True, slots=True)
class Timeline:
    """The axis in seconds since the run began, the stages, a list of blocks for each worker, and the tables, the
    costliest first, as blocks from 0 with their rows."""

    seconds: float
    ticks: list[float]
    stages: list[Block]
    workers: list[list[Block]]
    tables: list[tuple[Block, int]]


def timeline(profile: Profile) -> Timeline:
    """The timeline of a run, up to the last finished stage."""
    began = min(profile.began.values(), default=0.0)
    stages = [
        Block(name, profile.began[name] - began, seconds, {})
        for name, seconds in profile.stages.items()
        if name in profile.began
    ]
    tasks = [
        Block(timer.task, timer.started - began, timer.ended - timer.started, dict(timer.seconds))
        for timer in profile.timers()
    ]
    ended = max((block.ended for block in [*stages, *tasks]), default=0.0)
    by_worker: dict[str, list[Block]] = {}
    for timer, block in sorted(zip(profile.timers(), tasks, strict=True), key=lambda pair: pair[0].started):
        by_worker.setdefault(timer.worker, []).append(block)
    smallest = ended * max(SMALLEST, 2 * len(by_worker) / BLOCKS)
    workers = [list(merged(blocks, smallest)) for blocks in by_worker.values()]
    workers += [[] for _ in range(profile.workers - len(workers))]
    tables = [(total(table, timers), rows) for table, rows, timers in profile.by_table()]
    return Timeline(ended, ticks(ended), stages, workers, tables)


def merged(blocks: Iterable[Block], smallest: float) -> Iterator[Block]:
    """The blocks of one worker in order, with adjacent ones merged if they are of the same table, or one of them takes
    fewer than `smallest` seconds."""
    last: Block | None = None
    for block in blocks:
        if last is None:
            last = block
        elif mergeable(last, block, smallest):
            last = merge(last, block)
        else:
            yield last
            last = block
    if last:
        yield last


def mergeable(block: Block, following: Block, smallest: float) -> bool:
    """Whether two neighbours become one block."""
    touching = following.began - block.ended < smallest
    return touching and (block.name == following.name or min(block.seconds, following.seconds) < smallest)


def merge(block: Block, following: Block) -> Block:
    """One block of two, named after the larger."""
    larger = block if block.seconds >= following.seconds else following
    name = block.name if block.name == following.name else f"{larger.name.removesuffix(' …')} …"
    activities = block.spent | following.spent
    spent = {activity: block.spent.get(activity, 0.0) + following.spent.get(activity, 0.0) for activity in activities}
    seconds = following.ended - block.began
    return replace(block, name=name, seconds=seconds, spent=spent, tasks=block.tasks + following.tasks)


def total(table: str, timers: list[TaskTimer]) -> Block:
    """The tasks of a table together, as a block from 0."""
    spent = {activity: seconds for activity, seconds in total_seconds(timers).items() if seconds}
    return Block(table, 0.0, sum(spent.values()), spent, len(timers))


def ticks(seconds: float) -> list[float]:
    """Round times from 0 on, at most `TICKS`, and none at the very end."""
    step = next((step for step in STEPS if seconds / step <= TICKS), STEPS[-1])
    return [round(number * step, 3) for number in range(int(seconds * LAST / step) + 1)]
