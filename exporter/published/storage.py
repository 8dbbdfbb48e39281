"""Objects in a bucket, by pyarrow's clients of S3, Google Cloud Storage and Azure.

An object appears when its stream is closed, and a stream that is dropped closes itself: whoever gives up must keep it.
Stores have metadata of their own kinds, and pyarrow writes none of S3's. All have a content type, so that is where the
SHA-256 of an object is: `text/csv; sha256=…`. Unless it is told not to, pyarrow packs what is called `.zst`.
"""

import ctypes
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.request import getproxies, proxy_bypass

from pyarrow import ArrowInvalid, fs

from exporter.errors import RunError, UsageError
from exporter.published.storage_errors import explain, is_missing, no_bucket, no_store
from exporter.storage_url import StorageUrl

# pyarrow uploads S3's parts of this size and no other; a longer piece is cut.
PART_BYTES = 10 << 20
# S3 takes no more parts of one object.
MOST_S3_BYTES = 10_000 * PART_BYTES
# Parts of one object that are under way at once; that is also the memory of one upload.
PARTS_AT_ONCE = 4
READ_BYTES = 8 << 20
# pyarrow's standard strategy has a budget of repeated requests for a client, which a store that is busy for minutes
# uses up; then nothing is repeated. This one has none.
REPEATS = fs.AwsDefaultS3RetryStrategy(max_attempts=2)
# A store that is busy may take longer than pyarrow's 1 and 3 seconds, to complete a large object for instance.
CONNECT_SECONDS, SILENT_SECONDS = 5, 30
CHECKSUM = re.compile(r"sha256=([0-9a-f]{64})")
PROXY = re.compile(r"https?://([^\s@/]+@)?([^\s@/:]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?")
CONTENT_TYPES = {".csv": "text/csv", ".json": "application/json", ".html": "text/html", ".tsv": "text/plain"}


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object: its bytes, and its SHA-256 if whoever wrote it said so."""

    bytes: int
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Storage:
    """What is below a URL; names are relative to it. Every method raises `StorageError`, with a sentence about the
    bucket and what to do."""

    url: StorageUrl
    filesystem: Any
    path: str

    def sizes(self, name: str = "", *, nested: bool = True) -> dict[str, int]:
        """The bytes of all objects below a name, by their names below it; not `nested`, of those directly there, where
        what has more below it is -1."""
        base = self.path_of(name)
        selector = fs.FileSelector(base, recursive=nested, allow_not_found=True)
        with self.explained("list"):
            found = self.filesystem.get_file_info(selector)
        if not all(info.path.startswith(f"{base}/") for info in found):
            raise no_store(self.url)
        return {
            str(PurePosixPath(info.path).relative_to(base)): info.size if info.type == fs.FileType.File else -1
            for info in found
            if info.type == fs.FileType.File or not nested
        }

    def find(self, name: str) -> StoredObject | None:
        """An object; None if there is none."""
        try:
            with self.explained("look at"), self.filesystem.open_input_file(self.path_of(name)) as file:
                kind, size = (file.metadata() or {}).get("Content-Type", b""), file.size()
        except FileNotFoundError:
            return None
        checksum = CHECKSUM.search(text_of(kind))
        return StoredObject(size, checksum and checksum[1])

    def read(self, name: str) -> Iterator[bytes]:
        """The content of an object, part by part. Raises `FileNotFoundError` if there is none."""
        with self.explained("read"):
            stream = self.filesystem.open_input_stream(self.path_of(name), compression=None)
        with stream:
            while True:
                with self.explained("read"):
                    part = stream.read(READ_BYTES)
                if not part:
                    return
                yield part

    def read_small(self, name: str, most: int = 256 << 20) -> bytes | None:
        """The whole content of an object; None if there is none. Raises `RunError` for one that is larger."""
        content = b""
        try:
            for part in self.read(name):
                content += part
                if len(content) > most:
                    raise RunError(
                        f"{self.url.below(name)} is larger than {most >> 20} MB: it is not what it should be"
                    )
        except FileNotFoundError:
            return None
        return content

    def write(self, name: str, parts: Iterable[bytes], sha256: str) -> None:
        """Writes an object, which appears or is replaced once all parts are there. Whatever `parts` raises is raised,
        and nothing appears."""
        kind = CONTENT_TYPES.get(PurePosixPath(name).suffix, "application/octet-stream")
        with self.explained("write"):
            stream = self.filesystem.open_output_stream(
                self.path_of(name), compression=None, metadata={"Content-Type": f"{kind}; sha256={sha256}"}
            )
        try:
            for number, part in enumerate(parts, 1):
                with self.explained("write"):
                    stream.write(part)
                    if number % PARTS_AT_ONCE == 0:
                        stream.flush()  # otherwise all of a large file would wait in memory
            with self.explained("write"):
                stream.close()
        except BaseException:
            keep_for_ever(stream)
            raise

    def check_bucket(self) -> None:
        """Raises `StorageError` if there is no such bucket: a list of what is in none is empty."""
        with self.explained("look at"):
            found = self.filesystem.get_file_info(self.path.partition("/")[0])
        if found.type == fs.FileType.NotFound:
            raise no_bucket(self.url)

    def path_of(self, name: str) -> str:
        """The path of an object, as pyarrow has it."""
        return f"{self.path}/{name}" if name else self.path

    @contextmanager
    def explained(self, verb: str) -> Iterator[None]:
        """Turns an error of the store into a sentence; that there is no such object stays what it is."""
        try:
            yield
        except FileNotFoundError:
            raise
        except (OSError, ArrowInvalid) as error:
            if verb == "read" and is_missing(error):  # which has gone since it was opened
                raise FileNotFoundError from None
            raise explain(error, self.url, verb) from None


def text_of(kind: bytes | str) -> str:
    """A content type as text."""
    return kind.decode("latin-1") if isinstance(kind, bytes) else kind


def keep_for_ever(stream: object) -> None:
    """Keeps a stream until the process has ended: dropped, it would complete its object with what it has."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(stream))


def open_storage(url: StorageUrl) -> Storage:
    """The objects below a URL. Nothing is asked of the store yet, but in which region a bucket of AWS is. Raises
    `StorageError`."""
    try:
        if url.scheme == "s3":
            filesystem, path = s3_filesystem(url), url.bucket
        else:
            options = {"retry_limit_seconds": "60", **url.options} if url.scheme == "gs" else url.options
            filesystem, path = fs.FileSystem.from_uri(str(StorageUrl(url.scheme, url.bucket, "", options)))
    except (OSError, ArrowInvalid) as error:
        raise explain(error, url, "open") from None
    return Storage(url, filesystem, f"{path}/{url.prefix}" if url.prefix else path)


def s3_filesystem(url: StorageUrl) -> Any:
    """The client of a bucket of S3, or of what has S3's interface. Small objects take one request."""
    scheme = url.options.get("scheme", "https")
    return fs.S3FileSystem(
        region=url.options.get("region") or region_of(url),
        scheme=scheme,
        endpoint_override=url.endpoint,
        connect_timeout=CONNECT_SECONDS,
        request_timeout=SILENT_SECONDS,
        allow_delayed_open=True,
        retry_strategy=REPEATS,
        proxy_options=proxy(scheme, url.endpoint or f"{url.bucket}.s3.amazonaws.com"),
        tls_ca_file_path=os.environ.get("SSL_CERT_FILE") or None,
    )


def region_of(url: StorageUrl) -> str | None:
    """The region of a bucket of AWS, as AWS tells it; None where it does not, or somebody else has the bucket: then the
    environment and the configuration decide."""
    if url.endpoint or os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT_URL_S3"):
        return None
    try:
        region: str = fs.resolve_s3_region(url.bucket)
    except OSError:
        return None
    return region


def proxy(scheme: str, host: str) -> str | None:
    """The proxy by which the environment reaches a host, if any: pyarrow knows none by itself. Raises `UsageError` for
    what is none, and does not repeat it: it may hold a password."""
    address = getproxies().get(scheme)
    if not address or proxy_bypass(host.rpartition(":")[0] or host):
        return None
    address = address if "://" in address else f"http://{address}"
    if not PROXY.fullmatch(address):
        raise UsageError(f"{scheme}_proxy in the environment is not the URL of a proxy, such as http://proxy:3128")
    return address
