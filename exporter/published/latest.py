"""latest.json and latest-copy.json in object storage: which export below a prefix is the newest that is whole."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from exporter.published.history import is_stamp
from exporter.published.storage import Storage
from exporter.sink import layout

FORMAT = 1
MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class LatestPush:
    """The export that was pushed last: its name, the SHA-256 of its SHA256SUMS, when its snapshot was taken and when
    its push ended (UTC)."""

    export: str
    sha256sums: str
    snapshot_at: str
    pushed_at: str

    def as_object(self) -> dict[str, Any]:
        """The object of latest.json (docs/object-storage.md)."""
        return {"format": FORMAT, **asdict(self)}


def latest_name(*, copy: bool) -> str:
    """The name of the object: of faithful exports, or of copies."""
    return f"{layout.LATEST_COPY if copy else layout.LATEST}.json"


def read_latest(storage: Storage, name: str) -> LatestPush | None:
    """What an object of one of these names says; None if there is none, or it is none that this program writes."""
    content = storage.read_small(name, MOST_BYTES)
    try:
        found = json.loads(content or b"")
        pushed = LatestPush(**{key: str(found[key]) for key in LatestPush.__slots__})
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return pushed if found.get("format") == FORMAT and is_stamp(pushed.export) else None
