"""Whether the values of a masked export have the forms that its treatments give them: this needs no original, and finds
whatever let one through."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

from exporter.model.frame import REDACTED
from exporter.model.graph import GRAPH
from exporter.model.redaction import Rules, column_rules, named_properties
from exporter.model.render import model_sha256
from exporter.model.tables import node, tables
from exporter.model.treatments import DATE_PARTS, PrivacyClass, Rule, Treatment
from exporter.model.vocabulary import Entity, Node
from exporter.published.readable import readable
from exporter.sink import layout
from exporter.sink.entries import EntityEntry
from exporter.sink.headers import columns
from exporter.sink.manifest import Manifest
from exporter.source.categories import LONGEST_CATEGORY, MANY_DIGITS, NO_CATEGORY
from exporter.source.common_values import COMMON_ROWS
from exporter.source.masking import UUID
from exporter.text import visible

TOKEN = "[0-9a-f]{32}"
MIDNIGHT = r"(T00:00:00(\.0+)?Z)?"
DATES = {Treatment.YEAR: "-01-01", Treatment.MONTH: "-[0-9]{2}-01", Treatment.DAY: "-[0-9]{2}-[0-9]{2}"}
NUMBER = r"-?[0-9]+"
# A reject names its row by its primary key if that is numbers and UUIDs, else by its place. A number may be any that
# PostgreSQL has; one in a text may have blanks around it, a UUID there capital letters.
BLANKS = r"[ \t\n\x0B\f\r]*"
KEY = rf"{BLANKS}({NUMBER}(\.[0-9]+)?(e[+-]?[0-9]+)?|-?Infinity|NaN|(?i:{UUID})|{TOKEN})?{BLANKS}"
ROW_KEY = rf"row [0-9]+|{KEY}(:{KEY})*"
VALUE = rf"({NUMBER}|{UUID})?(:({NUMBER}|{UUID})?)*"


def masking_differences(export: Path, manifest: Manifest) -> Iterator[str]:
    """Where values of an export do not have the form of their treatment in its manifest, one sentence for each property
    and for the rejects of each entity; none for an export that is not masked. No sentence has a value.

    Every data file is read once, as a stream.
    """
    if not manifest.redaction:
        return
    if manifest.model.sha256 != model_sha256():
        yield f"the masking cannot be checked: the graph model is that of version {visible(manifest.tool.version)}"
        return
    rules, faults = read_rules(manifest.redaction.treatments)
    yield from faults
    if faults:
        return
    entries = {entry.name: entry for entry in manifest.entities}
    for entity in layout.entities():
        if entry := entries.get(entity.name):
            yield from data_differences(export, entity, rules)
            yield from common_differences(export, entry, rules)
            yield from reject_differences(export, entry, rules)


def read_rules(treatments: Mapping[str, str]) -> tuple[Rules, list[str]]:
    """The rule of every property of the model by a manifest's treatments, and what is wrong with these."""
    names, known = named_properties(), set(Treatment)
    faults = [f"redaction: {visible(name)} is not a property of the model" for name in treatments if name not in names]
    faults += [f"redaction: {name} has no treatment" for name in names if name not in treatments]
    faults += [
        f"redaction: {name} has the unknown treatment {visible(treatment)}"
        for name, treatment in treatments.items()
        if name in names and treatment not in known
    ]
    if faults:
        return {}, faults
    return {name: Rule(GRAPH.privacy[name], Treatment(treatments[name])) for name in names}, []


def data_differences(export: Path, entity: Entity, rules: Rules) -> Iterator[str]:
    """A sentence for each column of an entity's data files whose values do not all have the form of its treatment."""
    names = [name for name, _ in columns(entity)]
    treatments = {name: treatment_of(entity, name, rules) for name in names}
    checks = {name: form(entity, name, treatment) for name, treatment in treatments.items()}
    wrong = [(~check).fill_null(False).sum().alias(name) for name, check in checks.items() if check is not None]
    if not wrong:
        return
    counts = Counter[str]()
    for path in sorted((export / layout.data_folder(entity)).glob("*.csv")):
        if path.stat().st_size:
            with readable(path.relative_to(export).as_posix()):
                file = pl.scan_csv(path, glob=False, has_header=False, infer_schema=False, new_columns=names)
                counts.update(file.select(wrong).collect(engine="streaming").row(0, named=True))
    for name, count in counts.items():
        if count:
            yield f"{entity.name}.{name.lstrip(':')}: {count} values do not have the form of {treatments[name]}"


def treatment_of(entity: Entity, name: str, rules: Rules) -> Treatment:
    """The treatment of a column of data files: a property's, or that of the key of a label; constants are kept."""
    owner = key_owner(entity, name)
    names = [f"{owner.label}.{column}" for column in owner.key.columns] if owner else [f"{entity.name}.{name}"]
    # Of a pair, only the text has a rule.
    return next((rules[key].treatment for key in names if key in rules), Treatment.KEEP)


def key_owner(entity: Entity, name: str) -> Node | None:
    """The label whose key is in a column that is no property: an end, or the key of a pair; None for a property."""
    if not name.startswith(":"):
        return None
    if isinstance(entity, Node):
        return entity
    return node(entity.start if name == ":START_ID" else entity.end)


def form(entity: Entity, name: str, treatment: Treatment) -> pl.Expr | None:
    """What must hold for the values of a column with this treatment (Boolean; null for a null that may be); None if
    anything may be there."""
    value, owner = pl.col(name), key_owner(entity, name)
    if owner and len(owner.key.columns) > 1 and treatment.domain:
        return matches(name, f"{NUMBER}:{TOKEN}")
    if treatment in DATE_PARTS:
        return matches(name, rf"-?[0-9]{{4,}}{DATES[treatment]}{MIDNIGHT}")
    if treatment.domain:
        return matches(name, UUID if treatment is Treatment.TOKEN_SESSION else TOKEN)
    match treatment:
        case Treatment.CATEGORY:
            too_long = value.str.len_bytes() > LONGEST_CATEGORY
            return ~(too_long | value.str.contains(NO_CATEGORY) | value.str.contains(MANY_DIGITS))
        case Treatment.LABEL:
            return value == pl.concat_str(pl.lit(f"{entity.name} "), pl.col(columns(entity)[0][0]))
        case Treatment.PRESENCE:
            return value.is_in(["", REDACTED])
        case Treatment.DROP:
            return value.is_null()
        case _:
            return None  # kept, or common, which no single value shows


def matches(name: str, pattern: str) -> pl.Expr:
    """Whether a column's whole text matches a pattern; null for null."""
    return pl.col(name).str.contains(rf"^(?:{pattern})$")


def common_differences(export: Path, entry: EntityEntry, rules: Rules) -> Iterator[str]:
    """A sentence for each property that should have only common values, and has others: values that fewer rows of its
    table have than are common, even if all rows that are not in the export had them, too."""
    common = {name for name, rule in rules.items() if rule.treatment is Treatment.COMMON}
    names = [name for name in entry.property_counts if f"{entry.name}.{name}" in common]
    allowed = COMMON_ROWS - (entry.table_rows - entry.rows)
    files = [path for path in sorted((export / entry.folder).glob("*.csv")) if path.stat().st_size]
    if not names or not files or allowed <= 1:
        return
    [entity] = [entity for entity in layout.entities() if entity.name == entry.name]
    titles = [name for name, _ in columns(entity)]
    every = pl.scan_csv(files, glob=False, has_header=False, infer_schema=False, new_columns=titles)
    for name in names:
        sizes = every.select(pl.col(name).drop_nulls().hash().alias("hash")).group_by("hash").len()
        with readable(entry.folder):
            rare = sizes.filter(pl.col("len") < allowed).select(pl.col("len").sum()).collect(engine="streaming").item()
        if rare:
            yield f"{entry.name}.{name}: {rare} values are not common"


def reject_differences(export: Path, entry: EntityEntry, rules: Rules) -> Iterator[str]:
    """Sentences for the rejects of an entity whose values are told though they are no keys, or whose keys tell more
    than which row it is."""
    kept = Rule(PrivacyClass.KEY, Treatment.KEEP)
    table = next(table for table in tables() if table.name == entry.table)
    shown = [name for name, rule in column_rules(table, rules).items() if rule == kept]
    is_shown = pl.col("column").str.split(":").list.eval(pl.element().is_in(shown)).list.all()
    is_told = pl.col("value") != REDACTED
    wrong = {
        "values are neither [redacted] nor keys": is_told & ~(is_shown & matches("value", VALUE)),
        "keys do not only say which row it is": ~matches("key", ROW_KEY),
    }
    counts = Counter[str]()
    for path in sorted((export / layout.REJECTS / entry.folder).glob("*.csv")):
        with readable(path.relative_to(export).as_posix()):
            file = pl.scan_csv(path, glob=False, infer_schema=False)
            found = file.select(fault.fill_null(False).sum().alias(what) for what, fault in wrong.items())
            counts.update(found.collect(engine="streaming").row(0, named=True))
    yield from (f"rejects of {entry.name}: {count} {what}" for what, count in counts.items() if count)
