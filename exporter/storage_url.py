"""Addresses in object storage: `s3://BUCKET/PREFIX`, `gs://…`, `abfs://…`. They never hold credentials: those come from
each cloud's own chain (environment, files, the role of the machine)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated
from urllib.parse import parse_qsl, urlencode, urlsplit

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from exporter.setting_types import Text, is_loopback

# By scheme, the options of the query that pyarrow has and that are no secrets.
OPTIONS = {
    "s3": {"region", "scheme", "endpoint_override"},
    "gs": {"scheme", "endpoint_override", "project_id", "retry_limit_seconds"},
    "abfs": {
        "enable_tls", "blob_storage_authority", "dfs_storage_authority", "blob_storage_scheme", "dfs_storage_scheme",
        "credential_kind", "tenant_id", "client_id",
    },
}  # fmt: skip
OPTIONS["abfss"] = OPTIONS["abfs"]
BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]+")
# A container of an account; a key before the @ has a colon.
CONTAINER = re.compile(r"[a-z0-9$][a-z0-9-]*@[A-Za-z0-9.-]+(:[0-9]+)?")
NAME = re.compile(r"[A-Za-z0-9_=,+.-]+")
# What the options that are no plain words may be.
HOST = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:([0-9]{1,5}))?")
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
PLAIN_OR_NOT = re.compile("https?")
VALUES = {
    "scheme": PLAIN_OR_NOT, "blob_storage_scheme": PLAIN_OR_NOT, "dfs_storage_scheme": PLAIN_OR_NOT,
    "endpoint_override": HOST, "blob_storage_authority": HOST, "dfs_storage_authority": HOST,
    "enable_tls": re.compile("true|false"), "retry_limit_seconds": re.compile("[0-9]{1,6}"),
}  # fmt: skip
FORM = (
    "s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or abfs://CONTAINER@ACCOUNT/PREFIX, in letters, digits and _=,+.-, without "
    "credentials"
)


@dataclass(frozen=True, slots=True)
class StorageUrl:
    """A place in object storage. `bucket` is a bucket's name, or a container's with its account; `prefix` the names
    below it with slashes between, empty for the whole bucket."""

    scheme: str
    bucket: str
    prefix: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        query = f"?{urlencode(self.options, safe=':/[]')}" if self.options else ""
        return f"{self.scheme}://{'/'.join(part for part in (self.bucket, self.prefix) if part)}{query}"

    @property
    def name(self) -> str:
        """The last of its names; empty for a whole bucket."""
        return self.prefix.rpartition("/")[2]

    @property
    def parent(self) -> "StorageUrl":
        """What it is in."""
        return replace(self, prefix=self.prefix.rpartition("/")[0])

    @property
    def endpoint(self) -> str | None:
        """The host, and port, that is named in place of the cloud's own."""
        given = self.options.get("endpoint_override") or self.options.get("blob_storage_authority")
        return given and given.rpartition("//")[2]

    @property
    def is_plain(self) -> bool:
        """Whether what is sent there goes unencrypted over a network."""
        plain = "http" in (self.options.get("scheme"), self.options.get("blob_storage_scheme"))
        plain |= self.options.get("enable_tls") == "false"
        return plain and not is_loopback(self.endpoint or "")

    def below(self, name: str) -> "StorageUrl":
        """What it has under a name."""
        return replace(self, prefix=f"{self.prefix}/{name}" if self.prefix else name)


def parse_storage_url(text: str) -> StorageUrl:
    """The place of a URL. Raises `ValueError`, which does not repeat it, for anything else, and for credentials."""
    try:
        parts = urlsplit(text.strip())
        query = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True) if parts.query else []
    except ValueError:  # which would quote it
        raise ValueError(f"must be {FORM}") from None
    scheme, names = parts.scheme, parts.path.strip("/").split("/") if parts.path.strip("/") else []
    options = with_scheme(dict(query))
    right = (
        text.strip().isprintable()
        and scheme in OPTIONS
        and (BUCKET if scheme in ("s3", "gs") else CONTAINER).fullmatch(parts.netloc)
        and not parts.fragment
        and all(NAME.fullmatch(name) and name not in (".", "..") for name in names)
        and len(dict(query)) == len(query)
        and options.keys() <= OPTIONS[scheme]
        and all(is_value(name, value) for name, value in options.items())
    )
    if not right:
        raise ValueError(f"must be {FORM}")
    return StorageUrl(scheme, parts.netloc, "/".join(names), options)


def is_value(name: str, value: str) -> bool:
    """Whether an option may have a value."""
    match = VALUES.get(name, WORD).fullmatch(value)
    return match is not None and (match.re is not HOST or int(match[4] or 1) in range(1, 1 << 16))


def with_scheme(options: Mapping[str, str]) -> dict[str, str]:
    """The options with the scheme of an endpoint, `http://minio:9000`, as an option of its own."""
    scheme, separator, host = options.get("endpoint_override", "").partition("://")
    if not separator:
        return dict(options)
    if options.get("scheme", scheme) != scheme:
        scheme = ""  # which is none
    return {**options, "scheme": scheme, "endpoint_override": host.rstrip("/")}


def is_storage_url(text: str) -> str:
    """The text if it is a place in object storage. Raises for anything else."""
    try:
        parse_storage_url(text)
    except ValueError:
        raise PydanticCustomError("storage", "storage") from None
    return text


StorageText = Annotated[Text, AfterValidator(is_storage_url)]
