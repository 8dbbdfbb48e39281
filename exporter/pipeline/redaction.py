"""The masking of one run: its rules and key, what readers and workers need of them, and what the manifest says."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from exporter.model.redaction import (
    QUASI_IDENTIFIERS,
    VERSION,
    RedactionRequest,
    Rules,
    effective_rules,
    rules_sha256,
    weakened,
)
from exporter.sink.copies import RedactionEntry, UniquenessEntry
from exporter.sink.tally import Tally
from exporter.source.masking_key import RedactionKey, drawn_key, read_key


@dataclass(frozen=True, slots=True)
class Redaction:
    """What was asked for, the effective rules, and the key of the tokens."""

    request: RedactionRequest
    rules: Rules
    key: RedactionKey

    def entry(self, tallies: Mapping[str, Tally], export: Path) -> RedactionEntry:
        """What the manifest says of the masking of a partial export. Raises `LimitError` as `checked_uniqueness`
        does."""
        return RedactionEntry(
            profile=self.request.profile,
            version=VERSION,
            sha256=rules_sha256(self.rules),
            key=self.key.id,
            treatments={name: str(rule.treatment) for name, rule in self.rules.items()},
            weakened=weakened(self.rules),
            suppressed={
                f"{entity}.{name}": count
                for entity, tally in tallies.items()
                for name, count in sorted(tally.suppressed.items())
            },
            k_anonymity=checked_uniqueness(self.request, export),
        )


def redaction_of(request: RedactionRequest) -> Redaction:
    """The masking that is asked for. Raises `UsageError` for rules or a key that cannot be."""
    rules = effective_rules(request.changes, request.accept)
    return Redaction(request, rules, read_key(request.key_file) if request.key_file else drawn_key())


def checked_uniqueness(request: RedactionRequest, export: Path) -> list[UniquenessEntry]:
    """How rare the people in a partial export are, by the declared properties and those asked for. Raises `LimitError`
    if more are than the user allows."""
    from exporter.published.uniqueness import (  # loads Polars, which the leader seldom needs
        check_uniqueness,
        uniqueness,
    )

    sets = dict.fromkeys((*QUASI_IDENTIFIERS, *request.quasi))
    entries = [uniqueness(export, label, properties, request.k) for label, properties in sets]
    check_uniqueness(entries, request.max_small)
    return entries
