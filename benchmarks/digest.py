"""What a contender wrote, as numbers that can be compared: rows and a digest of each entity, however it is spelled."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

HEADERS = Path(__file__).resolve().parent.parent / "headers"
REJECT_COLUMNS = [(name, "key") for name in ("reason", "table", "column", "key", "value", "references")]


@dataclass(frozen=True, slots=True)
class Contents:
    """The rows of an entity and the sum of their hashes: the same whatever order and files they lie in."""

    rows: int
    digest: str


def contents(output: Path, *, rejects: bool) -> dict[str, Contents]:
    """The contents of every entity of the model under an output directory, by folder (`nodes/AuthUser`), and its reject
    lines if asked for (`rejects/nodes/AuthUser`)."""
    found = {}
    for header in sorted(HEADERS.glob("*.csv")):
        folder = Path("relationships" if header.name.count("-") == 2 else "nodes", header.stem)
        found[folder.as_posix()] = entity_contents(sorted((output / folder).glob("*.csv")), columns(header))
        if rejects:
            files = sorted((output / "rejects" / folder).glob("*.csv"))
            found[f"rejects/{folder.as_posix()}"] = entity_contents(files, REJECT_COLUMNS, header=True)
    return found


def columns(header: Path) -> list[tuple[str, str]]:
    """The columns of a header file as name and type; keys, start and end have the type `key`."""
    fields = header.read_text(encoding="utf-8").strip().split(",")
    pairs = [field.split(":", 1) for field in fields]
    return [(f"{number} {name}", "key" if "ID" in kind else kind) for number, (name, kind) in enumerate(pairs)]


def entity_contents(files: list[Path], typed: list[tuple[str, str]], header: bool = False) -> Contents:
    """Rows and digest of the files of one entity, read in batches; nothing and the empty string are two values."""
    if not any(file.stat().st_size for file in files):
        return Contents(rows=0, digest="0" * 32)
    rows = pl.scan_csv(
        [file for file in files if file.stat().st_size],
        has_header=header,
        schema=dict.fromkeys((name for name, _ in typed), pl.String),
    )
    row_hash = pl.struct(canonical(name, kind) for name, kind in typed).hash(seed=20261123)
    # The halves are summed apart, so that no sum overflows.
    halves = [(row_hash & 0xFFFFFFFF).sum().alias("low"), (row_hash // 0x100000000).sum().alias("high")]
    low, high, count = rows.select(*halves, pl.len()).collect(engine="streaming").row(0)
    return Contents(rows=count, digest=f"{high:016x}{low:016x}")


def canonical(name: str, kind: str) -> pl.Expr:
    """One spelling for each value: doubles by value, times without trailing zeros and with `Z` for UTC."""
    column = pl.col(name)
    match kind:
        case "double":
            return column.cast(pl.Float64).alias(name)
        case "datetime":
            local = column.str.replace(r"(Z|\+00(:00)?)$", "")
            return without_trailing_zeros(local).alias(name)
        case "localtime":
            return without_trailing_zeros(column).alias(name)
        case _:
            return column


def without_trailing_zeros(time: pl.Expr) -> pl.Expr:
    return time.str.replace(r"(\.[0-9]*?)0+$", "${1}").str.strip_suffix(".")
