"""`benchmarks/import_tuning.sh`: one export imported by neo4j-admin in variants that differ in one knob; one table."""

import argparse
import contextlib
import os
import re
import shutil
import statistics
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.contenders import CONTENDERS
from benchmarks.database import load, tuned_postgres
from benchmarks.import_files import REWRITINGS, Input, inputs, rewrite
from benchmarks.import_variants import (
    BASELINE,
    IN_MEMORY,
    SCRIPT,
    SHARED_MEMORY,
    VARIANTS,
    Importer,
    Variant,
    cache_options,
    command,
    write_arguments,
)
from benchmarks.meter import ContenderFailed, Measurement, measure
from benchmarks.results import machine, save, versions
from benchmarks.run import add_source_arguments, run
from exporter.errors import ExporterError
from exporter.interrupts import interruptible
from exporter.store.configuration import configure, environment
from exporter.store.provision import Neo4jHome, default_cache, provision

OURS = next(contender for contender in CONTENDERS if contender.name == "ours")
COUNTED = re.compile(r"(\d+) (nodes|relationships|properties)\b")
MEMORY = re.compile(r"\(heap (\w+), off-heap (\w+)\)")

Counts = dict[str, int]


@dataclass(frozen=True, slots=True)
class Tuning:
    """A variant's results: what was imported, seconds and seconds of CPU for each round, peak memory of the warm-up."""

    variant: str
    difference: str
    date: str
    machine: dict[str, str | int]
    versions: dict[str, str]
    imported: Counts
    memory: dict[str, str]
    wall: list[float]
    cpu: list[float]
    peak_memory: int


@dataclass(slots=True)
class Trial:
    """A variant that runs here: its command, its warm-up's counts and peak memory, and its measured rounds."""

    variant: Variant
    command: list[str]
    counts: Counts
    peak_memory: int
    rounds: list[Measurement] = field(default_factory=list)


@dataclass(slots=True)
class Bench:
    """Where the variants run: the export, the importer, and a scratch directory with the store they write."""

    export: Path
    importer: Importer
    scratch: Path
    entities: dict[str | None, list[Input]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def measured(self, command: list[str], *, sample_memory: bool = False) -> Measurement:
        """One import into a store that is not there yet; what earlier ones left to be flushed is flushed before."""
        log, data = self.scratch / "log", self.scratch / "store" / "data"
        shutil.rmtree(data, ignore_errors=True)
        os.sync()
        return measure(command, data, log, environment=self.importer.variables, sample_memory=sample_memory)

    def trial(self, variant: Variant) -> Trial | None:
        """A variant's warm-up, which is not timed; None, with the reason noted, where it cannot run."""
        options, exported = inputs(self.export)
        baseline = self.importer.options(options, self.scratch / "report")
        reason = self.importer.why_not(variant, baseline)
        if not reason:
            if variant.files and variant.files not in self.entities:
                directory = self.scratch / "files" / variant.files
                self.entities[variant.files] = rewrite(exported, REWRITINGS[variant.files], directory)
            try:
                return self.warm_up(variant, self.arguments(variant, baseline))
            except ContenderFailed as failure:
                print(failure, file=sys.stderr)
                reason = f"it failed: {str(failure).strip().splitlines()[-1]}"
        self.left_out[variant.name] = reason
        print(f"left out: {variant.name}, because {reason}", file=sys.stderr)
        return None

    def arguments(self, variant: Variant, baseline: Mapping[str, str]) -> Path:
        """The file with a variant's arguments for the importer."""
        options = {name: value for name, value in {**baseline, **variant.options}.items() if value is not None}
        file = self.scratch / f"{variant.name}.args"
        write_arguments(options, self.entities[variant.files], file)
        return file

    def warm_up(self, variant: Variant, arguments: Path) -> Trial:
        """Trains the start-up cache for a variant's Java, where it has one of its own, and runs the variant once."""
        # Java takes a colon in the name for the end of it.
        cache = self.scratch / " ".join(["cache", variant.cache.value, *variant.java]).replace(":", "")
        training = cache_options(variant, self.importer, cache, train=True)
        if training and not cache.exists():
            self.measured(command(variant, self.importer, self.export, arguments, training))
            if not cache.exists():
                raise ContenderFailed("this Java makes no such start-up cache")
        use = cache_options(variant, self.importer, cache, train=False)
        timed = command(variant, self.importer, self.export, arguments, use)
        warm = self.measured(timed, sample_memory=True)
        print(f"warm-up: {variant.name} {warm.wall:.2f} s", file=sys.stderr)
        return Trial(variant, timed, counts(warm), warm.peak_memory)


def counts(measured: Measurement) -> Counts:
    """How many nodes, relationships and properties an import says at its end that it imported."""
    return {counted: int(number) for number, counted in COUNTED.findall(measured.stdout)}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/import_tuning.sh", description=__doc__)
    add_source_arguments(parser)
    parser.add_argument("--export", type=Path, metavar="DIR", help="import this export instead of making one")
    parser.add_argument("--neo4j-home", type=Path, metavar="DIR", help="the Neo4j, like NEO4J_HOME: lib/ with its jars")
    parser.add_argument("--only", default="", metavar="NAME,…", help="of " + ", ".join(v.name for v in VARIANTS))
    options = parser.parse_args()
    wanted = set(filter(None, options.only.split(",")))
    if unknown := wanted - {variant.name for variant in VARIANTS}:
        parser.error(f"no variant is called {', '.join(sorted(unknown))}")
    options.variants = [v for v in VARIANTS if not wanted or v.name in wanted or v is BASELINE]
    if options.neo4j_home:
        os.environ["NEO4J_HOME"] = str(options.neo4j_home.resolve())
    return options


def exported(options: argparse.Namespace, scratch: Path) -> Path:
    """The given export, or one of the benchmark's database; its PostgreSQL has stopped before anything is timed."""
    if options.export:
        return Path(options.export).resolve()
    source = contextlib.nullcontext(options.server) if options.server else tuned_postgres(options.data / "postgres")
    with source as uri:
        _, export = run(OURS, load(uri, options.scale), scratch)
    return export


def prepare(home: Neo4jHome, export: Path, scratch: Path) -> Bench:
    """The bench, after a real import.sh: it proves the export, makes its own start-up cache and says what memory it
    gives Neo4j on this machine."""
    variables = environment(home, configure(scratch / "store")) | {"XDG_CACHE_HOME": str(scratch / "cache")}
    variables.pop("HEAP_SIZE", None)
    log = scratch / "log"
    measure(["bash", str(SCRIPT), str(export)], scratch / "none", log, environment=variables)
    memory = MEMORY.search(log.read_text(encoding="utf-8"))
    if not memory:
        raise SystemExit("import.sh does not say the memory it gives Neo4j")
    bench = Bench(export, Importer(home, variables | {"HEAP_SIZE": memory[1]}, memory[1], memory[2]), scratch)
    bench.entities[None] = inputs(export)[1]
    for cache in (scratch / "cache").rglob("*.aot"):
        (scratch / f"cache {BASELINE.cache.value}").hardlink_to(cache)
    return bench


def warm_trials(bench: Bench, variants: list[Variant]) -> list[Trial]:
    """All variants that run here, each warmed up; ends the benchmark when one imports anything else."""
    trials: list[Trial] = []
    for variant in variants:
        trial = bench.trial(variant)
        if trial:
            trials.append(trial)
        elif variant is BASELINE:
            raise SystemExit("the baseline does not run here")
        if trial and (len(trial.counts) != 3 or trial.counts != trials[0].counts):
            raise SystemExit(f"{variant.name} imported {trial.counts}, the baseline {trials[0].counts}")
    return trials


def run_rounds(bench: Bench, trials: list[Trial], rounds: int) -> None:
    """Measures every trial once a round; another one is the first of each round."""
    for number in range(rounds):
        turn = number % len(trials)
        for trial in trials[turn:] + trials[:turn]:
            measured = bench.measured(trial.command)
            if counts(measured) != trial.counts:
                raise SystemExit(f"{trial.variant.name} imported {counts(measured)}, before {trial.counts}")
            trial.rounds.append(measured)
            print(f"round {number + 1}: {trial.variant.name} {measured.wall:.2f} s", file=sys.stderr)


def tunings(bench: Bench, trials: list[Trial]) -> list[Tuning]:
    importer = bench.importer
    return [
        Tuning(
            variant=trial.variant.name,
            difference=trial.variant.difference,
            date=datetime.now(UTC).isoformat(timespec="seconds"),
            machine=machine(),
            versions=versions(Neo4j=importer.home.version, Java=str(importer.java_version)),
            imported=trial.counts,
            memory={"heap": importer.heap, "off-heap": importer.off_heap},
            wall=[round(measured.wall, 3) for measured in trial.rounds],
            cpu=[round(measured.client_cpu, 3) for measured in trial.rounds],
            peak_memory=trial.peak_memory,
        )
        for trial in trials
    ]


def table(results: list[Tuning], left_out: Mapping[str, str]) -> str:
    """The results as a Markdown table; the ratio is of the medians, to the baseline's."""
    first = results[0]
    imported = ", ".join(f"{number} {what}" for what, number in first.imported.items())
    memory = ", ".join(f"{name} {size}" for name, size in first.memory.items())
    programs = ", ".join(f"{name} {first.versions[name]}" for name in ("Neo4j", "Java"))
    lines = [
        f"{programs}, {memory}, {len(first.wall)} rounds of {imported}",
        "",
        "| variant | what differs | wall min s | median s | ratio | CPU s | peak MB |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for result in results:
        median = statistics.median(result.wall)
        lines.append(
            f"| {result.variant} | {result.difference} | {min(result.wall):.2f} | {median:.2f} "
            f"| {median / statistics.median(first.wall):.2f} | {statistics.median(result.cpu):.2f} "
            f"| {result.peak_memory / 1e6:.0f} |"
        )
    if left_out:
        lines += ["", "Left out: " + "; ".join(f"{name} ({reason})" for name, reason in left_out.items())]
    return "\n".join(lines)


def tune(options: argparse.Namespace, scratch: Path) -> None:
    """The whole benchmark, in a directory that goes away with it."""
    home = provision(default_cache(), lambda sentence: print(sentence, file=sys.stderr))
    bench = prepare(home, exported(options, scratch), scratch)
    trials = warm_trials(bench, options.variants)
    run_rounds(bench, trials, options.rounds)
    results = tunings(bench, trials)
    save(results, options.results or options.data / "import_tuning.jsonl")
    print(table(results, bench.left_out))


def main() -> None:
    options = arguments()
    options.data.mkdir(parents=True, exist_ok=True)
    try:
        with interruptible(), contextlib.ExitStack() as stack:
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=options.data)))
            if SHARED_MEMORY.is_dir():
                IN_MEMORY.mkdir()
                stack.callback(shutil.rmtree, IN_MEMORY, ignore_errors=True)
            tune(options, scratch)
    except ExporterError as error:
        print(f"import_tuning.sh: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main()
