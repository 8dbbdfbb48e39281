"""What a masked copy of a source would hold: its properties with their columns, classes and treatments."""

from dataclasses import asdict, dataclass
from typing import Any

from exporter.model.redaction import VERSION, RedactionRequest, effective_rules, named_properties, rules_sha256
from exporter.source.mapping import NameMapping
from exporter.source.masking_key import ONCE, read_key


@dataclass(frozen=True, slots=True)
class MaskedProperty:
    """A property (`Label.property`), the column that it is read from by its names in the source, its class and
    treatment, and whether that is weaker than the class allows."""

    property: str
    table: str
    column: str
    privacy_class: str
    treatment: str
    is_weak: bool


@dataclass(frozen=True, slots=True)
class Masking:
    """A masking as it would be done: `key` is the id of the key, or `once`."""

    profile: str
    version: int
    sha256: str
    key: str
    properties: tuple[MaskedProperty, ...]

    @property
    def weakened(self) -> list[str]:
        return [prop.property for prop in self.properties if prop.is_weak]

    def as_object(self) -> dict[str, Any]:
        """The object `redaction` of `exporter check --json`."""
        return asdict(self) | {"weakened": self.weakened}


def masking_of(request: RedactionRequest, mapping: NameMapping) -> Masking:
    """What is masked how for a request. Raises `UsageError` for a key that cannot be used."""
    key = read_key(request.key_file).id if request.key_file else ONCE
    rules = effective_rules(request.changes, request.accept)
    properties = []
    for name, (entity, prop) in named_properties().items():
        rule = rules[name]
        column = mapping.column(entity.table, prop.name)
        table = mapping.table(entity.table)
        properties.append(
            MaskedProperty(name, table, column, rule.privacy_class.value, rule.treatment.value, rule.is_weak)
        )
    return Masking(request.profile, VERSION, rules_sha256(rules), key, tuple(properties))
