"""Where an export's time went: by stage, table and worker, and what held it up."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from exporter.pipeline.stopwatch import KEYS, READ, SHAPE, WRITE, Stopwatch
from exporter.sink.manifest import Totals

ACTIVITIES = (KEYS, READ, SHAPE, WRITE)


@dataclass(frozen=True, slots=True)
class Profile:
    """All tasks of a run (`keys` and by table), the seconds of its stages and when each began (by the stopwatches'
    clock), how many workers it had, and how many seconds the disk still took when they were done."""

    keys: list[Stopwatch]
    tables: list[tuple[str, int, Stopwatch]]
    stages: Mapping[str, float]
    workers: int
    began: Mapping[str, float] = field(default_factory=dict)
    flushed: float = 0.0

    def costliest(self, number: int = 3) -> list[tuple[str, float]]:
        """The tables that took most of the workers' time, in seconds."""
        cost: Counter[str] = Counter()
        for table, _, watch in self.tables:
            cost[table] += sum(watch.seconds.values())  # type: ignore[assignment]
        return [(table, float(seconds)) for table, seconds in cost.most_common(number)]

    def bottleneck(self) -> str:
        """What the workers spent most of their time on: waiting for the database or the disk, or computing.

        Waiting is the time on the clock that is none on the CPU.
        """
        waited: dict[str, float] = defaultdict(float)
        if self.flushed:
            waited["disk"] = self.flushed * self.workers
        for watch in self.watches():
            for activity, seconds in watch.seconds.items():
                busy = min(watch.cpu_seconds[activity], seconds)
                waited["CPU"] += busy
                waited["disk" if activity == WRITE else "database" if activity in (READ, KEYS) else "CPU"] += (
                    seconds - busy
                )
        return max(waited, key=lambda place: waited[place], default="database")

    def watches(self) -> Iterable[Stopwatch]:
        """The stopwatch of every task."""
        yield from self.keys
        yield from (watch for _, _, watch in self.tables)

    def as_object(self) -> dict[str, Any]:
        """The profile as JSON: seconds by stage, table and worker, and every task on a timeline from its first."""
        began = min((watch.started for watch in self.watches()), default=0.0)
        busy = self.stages.get("keys", 0.0) + self.stages.get("tables", 0.0)
        processes = sorted({watch.worker for watch in self.watches()})
        processes += [0] * (self.workers - len(processes))  # workers that came too late for any task
        return {
            "stages": rounded(self.stages),
            "tables": [
                {"table": table, "rows": rows, **rounded(add(watches))} for table, rows, watches in self.by_table()
            ],
            "workers": [
                {"worker": number, **rounded(spent), "idle": round(max(0.0, busy - sum(spent.values())), 3)}
                for number, process in enumerate(processes, 1)
                for spent in [add(watch for watch in self.watches() if watch.worker == process)]
            ],
            "tasks": [
                {
                    "worker": processes.index(watch.worker) + 1,
                    "what": watch.what,
                    "started": round(watch.started - began, 3),
                    "ended": round(watch.ended - began, 3),
                    **rounded(watch.seconds),
                }
                for watch in sorted(self.watches(), key=lambda watch: watch.started)
            ],
            "bottleneck": self.bottleneck(),
        }

    def by_table(self) -> list[tuple[str, int, list[Stopwatch]]]:
        """Rows and stopwatches of each table, the costliest first."""
        rows: Counter[str] = Counter()
        watches: dict[str, list[Stopwatch]] = defaultdict(list)
        for table, count, watch in self.tables:
            rows[table] += count
            watches[table].append(watch)
        return [(table, rows[table], watches[table]) for table, _ in self.costliest(len(rows))]


def add(watches: Iterable[Stopwatch]) -> dict[str, float]:
    """Seconds of each activity over several tasks."""
    seconds = dict.fromkeys(ACTIVITIES, 0.0)
    for watch in watches:
        for activity, spent in watch.seconds.items():
            seconds[activity] += spent
    return seconds


def rounded(seconds: Mapping[str, float]) -> dict[str, float]:
    return {activity: round(spent, 3) for activity, spent in seconds.items()}


def totals_line(totals: Totals, profile: Profile) -> str:
    """What an export holds and how long it took; `totals` is the manifest's."""
    counts = f"{totals.nodes:,} nodes, {totals.relationships:,} relationships, {totals.rejects:,} rejects"
    return f"{counts}, {totals.bytes / 1e6:,.1f} MB in {sum(profile.stages.values()):.1f} s"


def cost_lines(profile: Profile) -> str:
    """What held an export up, and which tables cost the workers most, a line each."""
    costs = [f"  {seconds:8.1f} s  {table}" for table, seconds in profile.costliest()]
    return "\n".join([f"Held up most by the {profile.bottleneck()}. The costliest tables:", *costs])
