"""latest.json and latest-copy.json in object storage: which export below a prefix is the newest that is whole."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from exporter.errors import RunError, UsageError
from exporter.published.history import is_stamp
from exporter.published.storage import Storage
from exporter.published.storage_errors import StorageError
from exporter.sink import layout
from exporter.storage_url import StorageUrl

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
    try:
        found = json.loads(storage.read_small(name, MOST_BYTES) or b"")
        pushed = LatestPush(**{key: str(found[key]) for key in LatestPush.__slots__})
    except StorageError:
        raise
    except (RunError, ValueError, TypeError, KeyError, RecursionError):  # the first is of one that is too large
        return None
    return pushed if found.get("format") == FORMAT and is_stamp(pushed.export) else None


def check_prefix(url: StorageUrl) -> None:
    """Raises `UsageError` for a prefix that has the name of an export, of an archive, or of what leads to one: `pull`
    would take it for that."""
    names = url.prefix.split("/")
    leading = (layout.LATEST, layout.LATEST_COPY, latest_name(copy=False), latest_name(copy=True))
    if any(is_stamp(name.partition(".")[0]) for name in names) or names[-1] in leading:
        raise UsageError(f"{url} has the name of an export in it: name the prefix that exports are to be below")
