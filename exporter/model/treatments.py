"""The words for how personal a property is, and for what a masked copy does with it."""

from dataclasses import dataclass
from enum import StrEnum


class PrivacyClass(StrEnum):
    """How personal a property is: what a masked copy may do with it."""

    KEY = "key"  # identifies a node and joins it to others
    TECHNICAL = "technical"  # amounts, counts, flags, times of events
    REFERENCE = "reference"  # texts written by staff, in tables that hold nothing else
    CATEGORY = "category"  # one of a few words
    QUASI = "quasi"  # identifies nobody alone, but may in combination: a birth date, a city
    DIRECT = "direct"  # names or reaches a person
    TEXT = "text"  # free text, which may hold anything
    SECRET = "secret"  # grants access to something


class Treatment(StrEnum):
    """What becomes of a property's values in a masked copy."""

    KEEP = "keep"
    CATEGORY = "category"  # kept if it looks like a category
    COMMON = "common"  # kept if enough rows of its table have it
    YEAR = "year"  # a date or datetime, cut to its year
    MONTH = "month"
    DAY = "day"
    LABEL = "label"  # the node's label and key
    PRESENCE = "presence"  # only whether there is a text, and whether it is empty
    DROP = "drop"
    # A keyed hash; one value has one token in each domain.
    TOKEN_PHONE = "token:phone"
    TOKEN_CODE = "token:code"
    TOKEN_DEVICE = "token:device"
    TOKEN_IP = "token:ip"
    TOKEN_SESSION = "token:session"  # in the form of a UUID
    TOKEN_DOCUMENT = "token:document"

    @property
    def domain(self) -> str | None:
        """The domain of its tokens; None if it makes none."""
        name, _, domain = self.partition(":")
        return domain if name == "token" else None


TOKENS = frozenset(treatment for treatment in Treatment if treatment.domain)
DOMAINS = tuple(treatment.domain for treatment in Treatment if treatment.domain)
DATE_PARTS = frozenset({Treatment.YEAR, Treatment.MONTH, Treatment.DAY})
# Only whether there is a value may be learnt from these.
NOTHING_LEFT = frozenset({Treatment.PRESENCE, Treatment.DROP})
WORDS = frozenset({Treatment.CATEGORY, Treatment.COMMON})

# The treatments that each class allows; any other is weaker than the class asks for.
ALLOWED: dict[PrivacyClass, frozenset[Treatment]] = {
    PrivacyClass.KEY: frozenset(Treatment),
    PrivacyClass.TECHNICAL: frozenset(Treatment),
    PrivacyClass.REFERENCE: frozenset(Treatment),
    PrivacyClass.CATEGORY: WORDS | NOTHING_LEFT,
    PrivacyClass.QUASI: WORDS | DATE_PARTS | NOTHING_LEFT,
    PrivacyClass.DIRECT: TOKENS | NOTHING_LEFT | {Treatment.LABEL},
    PrivacyClass.TEXT: NOTHING_LEFT,
    PrivacyClass.SECRET: frozenset({Treatment.DROP}),
}
# The treatment of the properties of a class; in the others, each property has its own.
OF_CLASS = {
    PrivacyClass.KEY: Treatment.KEEP,
    PrivacyClass.TECHNICAL: Treatment.KEEP,
    PrivacyClass.REFERENCE: Treatment.KEEP,
    PrivacyClass.CATEGORY: Treatment.CATEGORY,
    PrivacyClass.TEXT: Treatment.PRESENCE,
    PrivacyClass.SECRET: Treatment.DROP,
}


@dataclass(frozen=True, slots=True)
class Rule:
    """A property's class, and what a masked copy does with it."""

    privacy_class: PrivacyClass
    treatment: Treatment

    @property
    def is_weak(self) -> bool:
        """Whether the treatment leaves more than the class allows."""
        return self.treatment not in ALLOWED[self.privacy_class]
