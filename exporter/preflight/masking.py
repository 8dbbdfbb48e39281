"""What a masked copy of a source would hold: its properties with their columns, classes and treatments."""

from dataclasses import asdict, dataclass
from typing import Any

from exporter.model.redaction import VERSION, RedactionRequest, effective_rules, named_properties, rules_sha256
from exporter.model.treatments import Treatment
from exporter.source.mapping import NameMapping
from exporter.source.masking_key import ONCE, read_key


@dataclass(frozen=True, slots=True)
class MaskedProperty:
    """A property (`Label.property`), the column that it is read from by its names in the source, its class and
    treatment, and whether that is weaker than the class allows.

    A preview has one value as it would be exported (None if it would be left out) and the shape of its origin, both
    None without a preview or a value.
    """

    name: str
    table: str
    column: str
    privacy_class: str
    treatment: str
    is_weak: bool
    example: str | None = None
    shape: str | None = None

    @property
    def is_kept(self) -> bool:
        return self.treatment == Treatment.KEEP and not self.is_weak


@dataclass(frozen=True, slots=True)
class PlannedMasking:
    """A masking as it would be done: `key` is the id of the key, or `once`."""

    profile: str
    version: int
    sha256: str
    key: str
    properties: tuple[MaskedProperty, ...]

    @property
    def weakened(self) -> list[str]:
        return [prop.name for prop in self.properties if prop.is_weak]

    def as_object(self) -> dict[str, Any]:
        """The object `redaction` of `exporter check --json`."""
        return asdict(self) | {
            "weakened": self.weakened,
            "properties": [
                {
                    "property": prop.name,
                    "column": f"{prop.table}.{prop.column}",
                    "class": prop.privacy_class,
                    "treatment": prop.treatment,
                    "example": prop.example,
                    "shape": prop.shape,
                }
                for prop in self.properties
            ],
        }


def planned_masking(request: RedactionRequest, mapping: NameMapping) -> PlannedMasking:
    """What is masked how for a request. Raises `UsageError` for a key that cannot be used."""
    key = read_key(request.key_file).id if request.key_file else ONCE
    rules = effective_rules(request.changes, request.accept)
    properties = []
    for name, (entity, prop) in named_properties().items():
        rule = rules[name]
        table, column = mapping.table(entity.table), mapping.column(entity.table, prop.name)
        properties.append(MaskedProperty(name, table, column, rule.privacy_class, rule.treatment, rule.is_weak))
    return PlannedMasking(request.profile, VERSION, rules_sha256(rules), key, tuple(properties))
