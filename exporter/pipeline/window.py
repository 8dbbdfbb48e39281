"""The leader's side of a window: links of every row, their closure, then the rows that are in. window_worker.py is the
workers' side."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from exporter.errors import UsageError
from exporter.model.window import CLOSED_LABELS, WHOLE, Closed, Window
from exporter.pipeline.attempts import Attempted
from exporter.pipeline.extract import Extract, miscounted
from exporter.pipeline.messages import CloseDone, IndexDone, LinksDone
from exporter.pipeline.tasks import close_window, read_links
from exporter.pipeline.timing import StageTimer
from exporter.pipeline.workload import IndexAttempt, Reading, together
from exporter.source.leader import Source
from exporter.source.queries import IndexQuery, TableQueries
from exporter.source.window_plan import DATED, WindowPlanner


def window_reading(reading: Reading, window: Window) -> "WindowReading":
    """What reads a window."""
    return WindowReading(reading, WindowPlanner(reading.planner, window))


@dataclass(frozen=True, slots=True)
class WindowReading:
    """What reading a window of a source into a partial export needs; `links` are the tasks that read links."""

    reading: Reading
    planner: WindowPlanner
    links: list[Future[Attempted[list[LinksDone]]]] = field(default_factory=list)

    @property
    def timer(self) -> StageTimer:
        return self.reading.timer

    def extracted(self, source: Source, begun: Extract, index_queries: list[IndexQuery]) -> Extract:
        """Reads the rows that are in; of what has `begun`, the views are counted. Raises `UsageError` if nobody asked
        for is in."""
        timer, reading = self.timer, self.reading
        with timer.stage("keys"):
            tasks = self.submit(index_queries)
            counts = begun.counts | source.count_tables()
            timer.listener.totals(counts, reading.context.heartbeats)
            index = self.complete_census(tasks)
        with timer.stage("close"):
            done = self.closed()
            index += done.index
            table_queries = self.table_queries(done)
        with timer.stage("tables"):
            timer.listener.totals(self.rows_in(done.closed, counts), reading.context.heartbeats)
            chunks = reading.exported(table_queries)
            chunks, index = reading.without_repeated_keys(chunks, index, lambda: self.table_queries(done))
        wrong = miscounted(counts, index, chunks, self.outside(done.closed, counts))
        counts |= source.recount(wrong - begun.counts.keys())
        outside = self.outside(done.closed, counts)
        return replace(begun, counts=counts, index=index, chunks=chunks, closed=done.closed, outside=outside)

    def submit(self, index_queries: Iterable[IndexQuery]) -> list[Future[IndexAttempt]]:
        """Starts reading links and the rest of the key index."""
        pool, context = self.reading.pool, self.reading.context
        self.links.extend(
            pool.submit(read_links, context, queries) for queries in together(self.planner.link_queries())
        )
        return self.reading.submit(index_queries)

    def complete_census(self, tasks: list[Future[IndexAttempt]]) -> list[IndexDone]:
        """The results of links and key index, of which a table's are complete if every row was read."""
        found = defaultdict[str, list[LinksDone]](list)
        for parts in self.reading.results(self.links):
            for done in parts:
                found[done.table].append(done)
        return [
            *self.reading.complete_index(tasks),
            *(IndexDone(done.timer) for parts in found.values() for done in parts[1:]),
            *(self.all_links(parts) for parts in found.values()),
        ]

    def all_links(self, parts: list[LinksDone]) -> IndexDone:
        """The result for all links of a table, whose number must be that of its rows if all are read."""
        table, rows = parts[0].table, sum(done.rows_read for done in parts)
        return IndexDone(parts[0].timer, table if self.planner.reads_every_link(table) else None, rows)

    def closed(self) -> CloseDone:
        """The closure over all links. Tables in which a key occurs twice, though the catalog promises otherwise, are
        distrusted from now on. Raises `UsageError` if there are no seeds."""
        reading, chunker = self.reading, self.planner.planner.chunker
        bytes = {label: chunker.bytes(reading.planner.source_of(label)) for label in CLOSED_LABELS}
        task = reading.pool.submit(close_window, reading.context, bytes)
        [done] = reading.results([task])
        if not seeds(done.closed):
            raise UsageError("nothing is in this window: no row of the source is what it asks for")
        pairs = reading.finished(reading.submit(self.planner.pair_queries(done.closed, done.sets)))
        repeated = [part.table for part in (*done.index, *pairs) if part.repeated and part.table]
        again = reading.finished(reading.submit(self.planner.distrust(repeated)))
        # Of pairs, not every row is read.
        done.index.extend([*(IndexDone(part.timer) for part in pairs), *again])
        return done

    def table_queries(self, done: CloseDone) -> tuple[TableQueries, ...]:
        """How the rows that are in are read."""
        return self.planner.table_queries(done.closed, done.sets)

    def rows_in(self, closed: Closed, counts: Mapping[str, int]) -> dict[str, int]:
        """How many rows of each table are in; `counts` are `count(*)` of every table."""
        return {name: count - outside for name, outside, count in self.each(closed, counts)}

    def outside(self, closed: Closed, counts: Mapping[str, int]) -> dict[str, int]:
        """How many rows of each table are outside: by their links, where all of these were read."""
        return {name: outside for name, outside, _ in self.each(closed, counts)}

    def each(self, closed: Closed, counts: Mapping[str, int]) -> Iterable[tuple[str, int, int]]:
        """Each table, its rows outside, and its rows."""
        for name, count in counts.items():
            if name in self.planner.removed:
                yield name, count, count
            elif name in WHOLE:
                yield name, 0, count
            else:
                read, inside = (sum(numbers) for numbers in zip(*closed.rows[name], strict=True))
                yield name, (read if self.planner.reads_every_link(name) else count) - inside, count


def seeds(closed: Closed) -> int:
    """How many rows are in because of what was asked for."""
    inside = sum(inside for name, parts in closed.rows.items() if name in DATED for _, inside in parts)
    return inside - sum(closed.pulled.values())
