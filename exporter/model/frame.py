"""The raw frame: what one read of a table hands from `source` to `shape`.

It has a column for each column of the model that is read from the table, under the model's name:

- integer columns as integers, booleans as booleans,
- `datetime` properties as a UTC timestamp and `date` properties as a date,
- everything else as text in PostgreSQL's own spelling,

and whichever of the columns below the table needs. Their names contain a space, so no model column has the same name.

If a datetime or date is unrepresentable, the frame comes from a *fallback* read: it is null there, and a column beside
it (`raw`) holds its text.

In a masked copy the values are masked (redaction.py) before they come here.
"""

from dataclasses import dataclass

# Text of the primary key, its parts joined by a colon; absent if the key's own columns hold the same.
PRIMARY_KEY = "primary key"
# Text that identifies a row within its table in this snapshot (its ctid).
ROW = "row id"
# Whether another row with the same key precedes this one.
DUPLICATE = "is duplicate"
# Whether the row's own time is within the window (Boolean, never null); absent if the window has no times.
IN_TIME = "in time"


def raw(column: str) -> str:
    """The column that holds the database's text of an unrepresentable datetime or date, null elsewhere."""
    return f"{column} raw"


# What stands in a masked copy for a text that is not told, and for an ID that is none.
REDACTED = "[redacted]"
# A value that does not look like one of a few words, and is left out; no such word is a control character.
SUPPRESSED = "\x03"


@dataclass(frozen=True, slots=True)
class Masked:
    """What is known of a table's masked columns (the model's names).

    `shown`: their values may stand in the rejects, since they hold only keys that are kept. `suppressed`: they may hold
    `SUPPRESSED`. `tokens`: they hold tokens, which no rule reads.
    """

    shown: frozenset[str]
    suppressed: frozenset[str]
    tokens: frozenset[str]
