"""The variants of an import, each with one knob other than scripts/import.sh has it, and the commands that run them."""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from pathlib import Path

import psutil

from benchmarks.contenders import PEERS
from benchmarks.database import ROOT
from benchmarks.import_files import Input
from exporter.store.configuration import ADD_OPENS
from exporter.store.provision import Neo4jHome

SCRIPT = ROOT / "scripts" / "import.sh"
# A file system in memory, and our directory there, which whoever runs the variants makes and removes.
SHARED_MEMORY = Path("/dev/shm")
IN_MEMORY = SHARED_MEMORY / f"import-tuning-{os.getpid()}"
# What import.sh gives the importer on fewer processors, and Java from version 24 on.
MORE_THREADS = "8"
ALLOWED = ("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow")


class Program(Enum):
    """What is run: the importer's own Java class, Neo4j's launcher of it, or a script."""

    DIRECT = "org.neo4j.cli.AdminTool"
    LAUNCHER = "org.neo4j.server.startup.Neo4jAdminCommand"
    BARE = "bare_import.sh"
    SCRIPT = "import.sh"


class Cache(Enum):
    """The start-up cache: as import.sh has it (Java 25's, none before), none, or an archive of classes."""

    AS_IMPORT_SH = "as import.sh"
    NONE = "none"
    CLASSES = "classes"


@dataclass(frozen=True, slots=True)
class Variant:
    """An import and the knob in which it differs: options for Java, memory, options of the importer (None: without
    it), other files (see `REWRITINGS`), another start-up cache, another program."""

    name: str
    difference: str
    java: tuple[str, ...] = ()
    heap: str | None = None
    options: Mapping[str, str | None] = field(default_factory=dict)
    files: str | None = None
    cache: Cache = Cache.AS_IMPORT_SH
    program: Program = Program.DIRECT


def java(name: str, *options: str) -> Variant:
    return Variant(name, f"`{' '.join(options)}`", java=options)


def heap(name: str, size: str) -> Variant:
    return Variant(name, f"`-Xmx{size}`", heap=size)


def option(name: str, option: str, value: str) -> Variant:
    return Variant(name, f"`{option}={value}`", options={option: value})


BASELINE = Variant("baseline", "what import.sh runs, checksums and comparison left out")
HALF_OF_MEMORY = f"{psutil.virtual_memory().total >> 21}m"
MULTILINE, OFF_HEAP, TEMPORARY = "--multiline-fields", "--max-off-heap-memory", "--temp-path"
BUFFER, THREADS = "--read-buffer-size", "--threads"

VARIANTS = (
    BASELINE,
    Variant("bare", "neo4j-admin with default options (`bare_import.sh`)", program=Program.BARE),
    Variant("script", "`import.sh` itself, with checksums and comparison", program=Program.SCRIPT),
    Variant("launcher", "a second JVM (`Neo4jAdminCommand`); compare with no-cache", program=Program.LAUNCHER),
    Variant("no-cache", "no start-up cache", cache=Cache.NONE),
    Variant("class-data", "an archive of classes (`-XX:SharedArchiveFile`)", cache=Cache.CLASSES),
    Variant("no-class-data", "`-Xshare:off`, not even Java's own archive", java=("-Xshare:off",), cache=Cache.NONE),
    Variant("few-files", "one file for each entity", files="joined"),
    Variant("many-files", "16 files for each entity", files="split"),
    Variant("bare-strings", "quotes only where necessary", files="bare strings"),
    Variant("multiline-on", "no line breaks in values, `multiline` on", options={MULTILINE: "true"}, files="one line"),
    Variant("multiline-off", "no line breaks in values, `multiline` off", options={MULTILINE: None}, files="one line"),
    Variant("strings-first", "columns: strings before numbers and times", files="strings first"),
    Variant("strings-last", "columns: strings after numbers and times", files="strings last"),
    Variant("epoch-times", "what if: `datetime` as `long`", files="epoch times"),
    Variant("text-times", "what if: `datetime` as `string`", files="text times"),
    Variant("short-integers", "what if: `long` as `int`", files="short integers"),
    heap("heap-256m", "256m"),
    heap("heap-512m", "512m"),
    heap("heap-1g", "1g"),
    heap("heap-4g", "4g"),
    heap("heap-half", HALF_OF_MEMORY),
    Variant("heap-at-once", "the whole heap from the start", java=("-XX:InitialRAMPercentage=100",)),
    option("off-heap-200m", OFF_HEAP, "200m"),
    option("off-heap-1g", OFF_HEAP, "1g"),
    option("off-heap-4g", OFF_HEAP, "4g"),
    Variant("off-heap-default", "Neo4j's default, 90 % of free memory", options={OFF_HEAP: None}),
    java("serial", "-XX:+UseSerialGC"),
    java("parallel", "-XX:+UseParallelGC"),
    java("g1", "-XX:+UseG1GC"),
    java("z", "-XX:+UseZGC"),
    java("shenandoah", "-XX:+UseShenandoahGC"),
    java("compact-headers", "-XX:+UseCompactObjectHeaders"),
    java("c1-only", "-XX:TieredStopAtLevel=1"),
    java("c2-only", "-XX:-TieredCompilation"),
    java("no-performance-data", "-XX:-UsePerfData"),
    java("cuckoo", "-Dorg.neo4j.internal.batchimport.cache.idmapping.IdMappers.use_cuckoo=true"),
    java("batch-1000", "-Dorg.neo4j.batchimport.api.Configuration.DEFAULT_BATCH_SIZE=1000"),
    Variant("threads-default", f"without `{THREADS}`: one for each processor", options={THREADS: None}),
    option("threads-4", THREADS, "4"),
    option("threads-16", THREADS, "16"),
    Variant("buffer-default", f"without `{BUFFER}`: 4 MB", options={BUFFER: None}),
    option("buffer-64k", BUFFER, "64k"),
    option("buffer-1m", BUFFER, "1m"),
    option("buffer-16m", BUFFER, "16m"),
    Variant("neither", "without both: what the two bring together", options={THREADS: None, BUFFER: None}),
    option("parallel-io-on", "--high-parallel-io", "on"),
    option("parallel-io-off", "--high-parallel-io", "off"),
    Variant("temporary-memory", f"`{TEMPORARY}` in {SHARED_MEMORY}", options={TEMPORARY: str(IN_MEMORY)}),
    option("not-strict", "--strict", "false"),
    Variant("not-verbose", "without `--verbose`, which names the row of an error", options={"--verbose": None}),
)


@dataclass(frozen=True)
class Importer:
    """A Neo4j to import with: its environment, and the memory that import.sh would give it here."""

    home: Neo4jHome
    variables: Mapping[str, str]
    heap: str
    off_heap: str

    @property
    def program(self) -> str:
        return str(self.home.java_home / "bin" / "java")

    @cached_property
    def java_version(self) -> int:
        output = subprocess.run([self.program, "-version"], capture_output=True, text=True, check=True).stderr
        found = re.search(r' version "(\d+)', output)
        if not found:
            raise SystemExit(f"{self.program} does not say its version")
        return int(found[1])

    @cached_property
    def known_options(self) -> set[str]:
        command = [*self.java((), self.heap), Program.DIRECT.value, "database", "import", "full", "--help"]
        output = subprocess.run(command, env=self.variables, capture_output=True, text=True, check=True).stdout
        return set(re.findall(r"--[a-z-]+", output))

    def java(self, options: tuple[str, ...], heap: str) -> list[str]:
        allowed = ALLOWED if self.java_version >= 24 else ()
        return [self.program, *options, f"-Xmx{heap}", *ADD_OPENS, *allowed, "-Dfile.encoding=UTF-8", "-cp", self.jars]

    @property
    def jars(self) -> str:
        return f"{self.home.home}/lib/*"

    def options(self, exported: Mapping[str, str], report: Path) -> dict[str, str]:
        """What import.sh tells the importer."""
        verbose = {"--verbose": ""} if self.home.version.startswith("5.") else {}
        own = {"--overwrite-destination": "false", "--report-file": str(report), OFF_HEAP: self.off_heap}
        if (os.cpu_count() or 1) < int(MORE_THREADS):
            own[THREADS] = MORE_THREADS
        return {**own, **verbose, **exported}

    def why_not(self, variant: Variant, baseline: Mapping[str, str]) -> str | None:
        """Why this version and this Java cannot run a variant, if they cannot."""
        probe = subprocess.run([self.program, *variant.java, "-version"], capture_output=True, check=False)
        if probe.returncode:
            return f"this Java {self.java_version} refuses {' '.join(variant.java)}"
        if variant.cache is Cache.NONE and not variant.java and self.java_version < 25:
            return f"the baseline has no cache with Java {self.java_version} either"
        for name, value in variant.options.items():
            if value is None and name not in baseline:
                return f"the baseline has no {name} either"
            if name not in self.known_options:
                return f"Neo4j {self.home.version} has no {name}"
        if TEMPORARY in variant.options and not SHARED_MEMORY.is_dir():
            return f"there is no {SHARED_MEMORY}"
        return None


def cache_options(variant: Variant, importer: Importer, cache: Path, *, train: bool) -> tuple[str, ...]:
    """What makes Java write, or use, a variant's start-up cache; nothing for one without."""
    if variant.program is not Program.DIRECT or variant.cache is Cache.NONE:
        return ()
    if variant.cache is Cache.CLASSES:
        return (f"-XX:{'ArchiveClassesAtExit' if train else 'SharedArchiveFile'}={cache}", "-Xlog:disable")
    if importer.java_version < 25:
        return ()
    return (f"-XX:{'AOTCacheOutput' if train else 'AOTCache'}={cache}", "-Xlog:disable")


def command(
    variant: Variant, importer: Importer, export: Path, arguments: Path, cache_options: tuple[str, ...]
) -> list[str]:
    """The command that runs a variant: the scripts on an export, the others with a file of arguments."""
    sanitized_errors = ["database", "import", "full", "neo4j", f"@{arguments}"]
    match variant.program:
        case Program.BARE:
            return ["bash", str(PEERS / variant.program.value), str(export)]
        case Program.SCRIPT:
            return ["bash", str(SCRIPT), str(export)]
        case Program.LAUNCHER:
            home = importer.home.home
            return [
                importer.program,
                "-cp",
                importer.jars,
                f"-Dbasedir={home}",
                variant.program.value,
                *sanitized_errors,
            ]
        case Program.DIRECT:
            java = importer.java((*variant.java, *cache_options), variant.heap or importer.heap)
            return [*java, variant.program.value, *sanitized_errors]


def write_arguments(options: Mapping[str, str], entities: list[Input], file: Path) -> None:
    """The importer's arguments, one a line and each quoted as a whole, options first."""
    lines = [f"{name}={value}" if value else name for name, value in options.items()]
    lines += [f"{entity.option}={','.join(map(str, (entity.header, *entity.files)))}" for entity in entities]
    file.write_text("".join(f'"{line}"\n' for line in lines), encoding="utf-8")
