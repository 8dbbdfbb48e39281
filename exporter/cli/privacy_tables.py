"""The tables of masking: how personal each property is, and what a masked copy does with it."""

from typing import TYPE_CHECKING, Any

from rich.table import Table

from exporter.model.redaction import Rules

if TYPE_CHECKING:
    pass

# What a masked copy leaves as it is.
KEPT = "keep"
WEAK = "bold red"


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
