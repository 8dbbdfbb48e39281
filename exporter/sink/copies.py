"""What a manifest says of a copy: which window of the source it is, and what was masked in it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field, PlainSerializer, TypeAdapter

# The law's word for what masking does, wherever somebody could take it for more.
NOT_ANONYMOUS = "pseudonymised, not anonymous"


def timestamp(moment: datetime) -> str:
    """A time as the manifest writes it: UTC, with microseconds, such as 2026-11-23T03:15:01.250000Z."""
    # Not strftime, which leaves out the zeros before a year.
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


Timestamp = Annotated[datetime, PlainSerializer(timestamp)]
OptionalTimestamp = Annotated[datetime | None, PlainSerializer(lambda moment: moment and timestamp(moment))]


@dataclass(frozen=True, slots=True)
class RootEntry:
    """A root by its label and property, and how many rows had the value, which is not written anywhere."""

    label: str
    property: str
    matched: int

    def __str__(self) -> str:
        return f"{self.matched:,} {self.label} by {self.property}"


@dataclass(frozen=True, slots=True)
class WindowRows:
    """How many rows of the source's tables are in a window, and how many there are."""

    inside: Annotated[int, Field(alias="in")]
    of: int

    def __str__(self) -> str:
        return f"{self.inside:,} of {self.of:,} rows"


@dataclass(frozen=True, slots=True)
class PulledEntry:
    """Rows that are in only because a row that is in needs them, by the reference that did."""

    by: str
    rows: int


@dataclass(frozen=True, slots=True)
class WindowEntry:
    """The window that an export is, as it was resolved in the snapshot.

    `sample` is a share of people, above 0 and at most 0.5; None where no people were drawn.
    """

    since: OptionalTimestamp
    until: OptionalTimestamp
    sample: float | None
    seed: int
    roots: list[RootEntry]
    without: list[str]
    rows: WindowRows
    pulled: list[PulledEntry]

    def __str__(self) -> str:
        """`since 2026-11-16 03:15 UTC, 5 % of the people, without Notification`."""
        parts = [f"since {minute(self.since)}"] if self.since else []
        parts += [f"until {minute(self.until)}"] if self.until else []
        if self.sample is not None:
            parts.append(f"{100 * self.sample:g} % of the people" + (f" (seed {self.seed})" if self.seed else ""))
        parts += [f"what belongs to {' and '.join(map(str, self.roots))}"] if self.roots else []
        parts += [f"without {' and '.join(self.without)}"] if self.without else []
        return ", ".join(parts)


def minute(moment: datetime) -> str:
    """`2026-11-16 03:15 UTC`."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "minutes") + " UTC"


@dataclass(frozen=True, slots=True)
class WithoutProperty:
    """How rare the tuples of a label's properties are without one of them."""

    property: str
    smallest: int
    small: int


@dataclass(frozen=True, slots=True)
class UniquenessEntry:
    """How rare the tuples of some of a label's properties are: in how many classes of equal tuples its `rows` fall, how
    many rows the `smallest` has, and how many rows are in a `small` class, one of fewer than `k` rows.

    Nulls count as values. `without` says the same without each of the properties in turn; it is empty if there is only
    one. Without rows, there are no classes, and the smallest has none.
    """

    label: str
    properties: list[str]
    k: int
    rows: int
    classes: int
    smallest: int
    small: int
    without: list[WithoutProperty]


@dataclass(frozen=True, slots=True)
class RedactionEntry:
    """What was masked, by which version of which profile, `sha256` being that of the effective treatments.

    `key` is the id of the key that the tokens were made with, or `once`: one that was used for this export alone.
    `treatments` has that of every property by its name (`Customer.phone_number`), `weakened` the properties that are
    masked less than their class demands, `suppressed` how many values of a property were left out since they did not
    look like one of a few. `note` says what masking is not.
    """

    profile: str
    version: int
    sha256: str
    key: str
    treatments: dict[str, str]
    weakened: list[str]
    suppressed: dict[str, int]
    k_anonymity: list[UniquenessEntry]
    note: str = NOT_ANONYMOUS

    def __str__(self) -> str:
        """`masked by the profile analyst`."""
        return f"masked by the profile {self.profile}"

    @property
    def masked(self) -> int:
        """How many properties are not kept as they are."""
        return sum(treatment != "keep" for treatment in self.treatments.values())


_WINDOW = TypeAdapter(WindowEntry)


def window_object(window: WindowEntry | None) -> dict[str, Any] | None:
    """A window as the manifest has it; None for none."""
    return _WINDOW.dump_python(window, mode="json", by_alias=True) if window else None


def copy_lines(window: WindowEntry | None, redaction: RedactionEntry | None) -> list[tuple[str, int]]:
    """What makes an export a copy, as sentences without a full stop, each with the number of rows that are in, or of
    properties that are masked; none for a faithful export."""
    lines = [(f"a window, {window}: {window.rows}", window.rows.inside)] if window else []
    if redaction:
        lines.append((f"{redaction}: {NOT_ANONYMOUS}", redaction.masked))
    return lines
