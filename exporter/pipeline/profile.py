"""Where an export's time went: by stage, table and worker, and its bottleneck."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from exporter.pipeline.timing import KEYS, READ, SHAPE, WRITE, TaskTimer
from exporter.sink.manifest import Totals

ACTIVITIES = (KEYS, READ, SHAPE, WRITE)


class ChunkTime(NamedTuple):
    """What a chunk cost: its table, the rows read, and the timer of its task."""

    table: str
    rows: int
    timer: TaskTimer


@dataclass(frozen=True, slots=True)
class Profile:
    """The timers of all tasks of a run (of the key index, and of the chunks), the seconds of its stages, the number of
    workers, when each stage began (by the timers' clock), and the seconds that flushing took after all tasks."""

    keys: list[TaskTimer]
    tables: list[ChunkTime]
    stages: Mapping[str, float]
    workers: int
    began: Mapping[str, float] = field(default_factory=dict)
    flushed: float = 0.0

    def costliest(self, number: int = 3) -> list[tuple[str, float]]:
        """The tables that took most of the workers' time, with the seconds."""
        cost: dict[str, float] = defaultdict(float)
        for table, _, timer in self.tables:
            cost[table] += sum(timer.seconds.values())
        return sorted(cost.items(), key=lambda item: -item[1])[:number]

    def bottleneck(self) -> str:
        """What the workers spent most of their time on: `database` or `disk`, waiting for it, or `CPU`, computing.

        Seconds of an activity that are not CPU seconds were spent waiting.
        """
        spent: dict[str, float] = defaultdict(float)
        if self.flushed:
            spent["disk"] = self.flushed * self.workers
        for timer in self.timers():
            for activity, seconds in timer.seconds.items():
                busy = min(timer.cpu_seconds[activity], seconds)
                spent["CPU"] += busy
                waited_for = "disk" if activity == WRITE else "database" if activity in (READ, KEYS) else "CPU"
                spent[waited_for] += seconds - busy
        return max(spent, key=lambda resource: spent[resource], default="database")

    def timers(self) -> Iterable[TaskTimer]:
        """The timer of every task."""
        yield from self.keys
        yield from (timer for _, _, timer in self.tables)

    def as_object(self) -> dict[str, Any]:
        """The profile as JSON: seconds by stage, table and worker, and every task with its seconds since the first."""
        began = min((timer.started for timer in self.timers()), default=0.0)
        working = sum(self.stages.get(name, 0.0) for name in ("keys", "close", "tables"))
        ordered = sorted(self.timers(), key=lambda timer: timer.started)
        workers = list(dict.fromkeys(timer.worker for timer in ordered))
        workers += [""] * (self.workers - len(workers))  # those that started too late for any task
        return {
            "stages": rounded(self.stages),
            "tables": [
                {"table": table, "rows": rows, **rounded(total_seconds(timers))}
                for table, rows, timers in self.by_table()
            ],
            "workers": [
                {"worker": number, **rounded(seconds), "idle": round(max(0.0, working - sum(seconds.values())), 3)}
                for number, worker in enumerate(workers, 1)
                for seconds in [total_seconds(timer for timer in self.timers() if timer.worker == worker)]
            ],
            "tasks": [
                {
                    "worker": workers.index(timer.worker) + 1,
                    "task": timer.task,
                    "started": round(timer.started - began, 3),
                    "ended": round(timer.ended - began, 3),
                    **rounded(timer.seconds),
                }
                for timer in ordered
            ],
            "bottleneck": self.bottleneck(),
        }

    def by_table(self) -> list[tuple[str, int, list[TaskTimer]]]:
        """Each table with its rows and the timers of its chunks, the costliest first."""
        rows: Counter[str] = Counter()
        timers: dict[str, list[TaskTimer]] = defaultdict(list)
        for table, chunk_rows, timer in self.tables:
            rows[table] += chunk_rows
            timers[table].append(timer)
        return [(table, rows[table], timers[table]) for table, _ in self.costliest(len(rows))]


def total_seconds(timers: Iterable[TaskTimer]) -> dict[str, float]:
    """Seconds of each activity over several tasks."""
    total = dict.fromkeys(ACTIVITIES, 0.0)
    for timer in timers:
        for activity, seconds in timer.seconds.items():
            total[activity] += seconds
    return total


def rounded(seconds: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in seconds.items()}


def totals_line(totals: Totals, profile: Profile) -> str:
    """What an export holds and how long it took; `totals` are the manifest's."""
    counts = f"{totals.nodes:,} nodes, {totals.relationships:,} relationships, {totals.rejects:,} rejects"
    return f"{counts}, {totals.bytes / 1e6:,.1f} MB in {sum(profile.stages.values()):.1f} s"


def cost_lines(profile: Profile) -> str:
    """An export's bottleneck, and the tables that took most of the workers' time, one per line."""
    costs = [f"  {seconds:8.1f} s  {table}" for table, seconds in profile.costliest()]
    return "\n".join([f"Limited most by the {profile.bottleneck()}. The costliest tables:", *costs])
