"""The tables of masking: how personal each property is, and what a masked copy does with it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rich.table import Column, Table
from rich.text import Text

from exporter.model.redaction import Rules
from exporter.sink.copies import NOT_ANONYMOUS
from exporter.source.masking_key import ONCE
from exporter.text import visible

if TYPE_CHECKING:
    from exporter.preflight.masking import MaskedProperty, PlannedMasking

WEAK = "bold red"
CAUTION = f"{NOT_ANONYMOUS.capitalize()}: ids, times, amounts and the shape of the graph stay (docs/copies.md)."


def rules_table(rules: Rules) -> Table:
    """Every property of the model with its class and treatment; a label or pattern stands where its properties
    begin."""
    table = Table("label or pattern", "property", "class", "treatment", box=None, pad_edge=False)
    before = ""
    for name, rule in rules.items():
        entity, _, prop = name.rpartition(".")
        table.add_row("" if entity == before else entity, prop, rule.privacy_class, rule.treatment)
        before = entity
    return table


def rules_object(rules: Rules) -> list[dict[str, Any]]:
    """For `--json`: the properties in the order of the model."""
    return [
        {"property": name, "class": rule.privacy_class, "treatment": rule.treatment} for name, rule in rules.items()
    ]


def masking_table(properties: Iterable["MaskedProperty"], *, preview: bool) -> Table:
    """Properties of a source with their columns and what becomes of their values; with a preview, one value beside the
    shape of its origin."""
    columns = [Column("value as exported", overflow="fold"), Column("shape of its origin", overflow="fold")]
    table = Table("property", "column", "class", "treatment", *(columns if preview else []), box=None, pad_edge=False)
    for prop in properties:
        values = [Text(visible(value or ""), overflow="fold") for value in (prop.example, prop.shape)]
        table.add_row(
            Text(prop.name, overflow="fold"),
            Text(visible(f"{prop.table}.{prop.column}"), overflow="fold"),
            prop.privacy_class,
            Text(prop.treatment, WEAK if prop.is_weak else ""),
            *(values if preview else []),
        )
    return table


def masking_text(masking: "PlannedMasking", shown: int) -> str:
    """What a masking is, in sentences, one a line; `shown` properties stand in the table above."""
    key = (
        "a key for this export alone; --redact-key makes tokens last"
        if masking.key == ONCE
        else f"the key {masking.key}"
    )
    lines = [f"Masked as {masking.profile} (version {masking.version}) with {key}."]
    if others := len(masking.properties) - shown:
        lines.append(f"{others} more properties are kept as they are (see --notes).")
    return "\n".join([*lines, CAUTION])
