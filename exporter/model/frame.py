"""The raw frame: what one read of a table hands from `source` to `shape`.

It has a column for every column of the model that the table is read for, under the model's name:

- integer columns as integers, booleans as booleans,
- `datetime` properties as a UTC timestamp and `date` properties as a date,
- everything else as text in PostgreSQL's own spelling,

and those of the columns below that the table needs. Their names hold a blank, so no column of a model can be one.

Where a datetime or date is unrepresentable, the frame is of a *fallback* read: those are null in it, and a column
beside each (`raw`) holds their text.
"""

# Text of the primary key, its parts joined by a colon; absent where the key's own columns say the same.
PRIMARY_KEY = "primary key"
# Text that tells a row from every other of its table in this snapshot (its ctid).
ROW = "row id"
# Whether another row with the same key comes before this one.
DUPLICATE = "is duplicate"


def raw(column: str) -> str:
    """The column that holds the database's text of an unrepresentable datetime or date, null elsewhere."""
    return f"{column} raw"
