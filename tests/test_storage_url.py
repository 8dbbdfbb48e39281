"""Addresses in object storage: which are taken, and that none with credentials is, or is repeated."""

import pytest

from exporter.errors import UsageError
from exporter.settings import load
from exporter.storage_url import StorageUrl, parse_storage_url

WITH_KEYS = [
    "s3://AKIAKEY:canary@bucket/prefix",
    "s3://canary@bucket/prefix",
    "s3://bucket/prefix?access_key=canary",
    "s3://bucket/prefix?secret_key=canary&region=eu-central-1",
    "s3://bucket/prefix?endpoint_override=user:canary@minio:9000",
    "s3://bucket/prefix?endpoint_override=https://user:canary@minio",
    "s3://bucket/prefix?canary",
    "s3://bucket/prefix#canary",
    "gs://canary@bucket/prefix",
    "abfs://container:canary@account.dfs.core.windows.net/prefix",
    "abfs://:canary@account.dfs.core.windows.net/container",
    "abfs://container@account.dfs.core.windows.net/prefix?client_secret=canary",
    "abfs://container@account.dfs.core.windows.net/prefix?sig=canary",
]


@pytest.mark.parametrize(
    ("text", "expected", "written"),
    [
        ("s3://bucket", StorageUrl("s3", "bucket"), "s3://bucket"),
        ("s3://bucket/a/b/", StorageUrl("s3", "bucket", "a/b"), "s3://bucket/a/b"),
        ("gs://my-bucket_1/env=prod", StorageUrl("gs", "my-bucket_1", "env=prod"), "gs://my-bucket_1/env=prod"),
        (
            "s3://bucket/a?endpoint_override=minio:9000&scheme=http",
            StorageUrl("s3", "bucket", "a", {"endpoint_override": "minio:9000", "scheme": "http"}),
            "s3://bucket/a?endpoint_override=minio:9000&scheme=http",
        ),
        (
            "s3://bucket/a?endpoint_override=https://minio:9000/",
            StorageUrl("s3", "bucket", "a", {"endpoint_override": "minio:9000", "scheme": "https"}),
            "s3://bucket/a?endpoint_override=minio:9000&scheme=https",
        ),
        (
            "s3://bucket?endpoint_override=http://[::1]:9000",
            StorageUrl("s3", "bucket", "", {"endpoint_override": "[::1]:9000", "scheme": "http"}),
            "s3://bucket?endpoint_override=[::1]:9000&scheme=http",
        ),
        (
            "abfss://graph@account.dfs.core.windows.net/a",
            StorageUrl("abfss", "graph@account.dfs.core.windows.net", "a"),
            "abfss://graph@account.dfs.core.windows.net/a",
        ),
    ],
)
def test_what_is_taken(text: str, expected: StorageUrl, written: str) -> None:
    """And how it is written again, so that it can be pasted."""
    assert (parse_storage_url(text), str(parse_storage_url(text))) == (expected, written)
    assert parse_storage_url(written) == expected


@pytest.mark.parametrize(
    "text",
    [
        *WITH_KEYS, "", "bucket/prefix", "http://bucket/prefix", "s3:///prefix", "s3://b", "s3://bucket/../other",
        "s3://bucket/a//b", "s3://bucket/a b", "s3://bucket/a%2e%2e", "s3://[bucket/a", "s3://bucket/a?region=",
        "file:///tmp", "s3://bucket\n/a", "abfs://container/prefix",
        *(
            f"s3://bucket/a?{query}"
            for query in (
                "endpoint_override=http://", "endpoint_override=minio:99999", "endpoint_override=minio:port",
                "endpoint_override=minio:0", "endpoint_override=http://minio/path", "endpoint_override=ftp://minio",
                "endpoint_override=[::1", "endpoint_override=http://minio&scheme=https", "scheme=gopher",
                "region=../a", "region=a&region=b",
            )
        ),
    ],
)  # fmt: skip
def test_what_is_refused_is_not_repeated(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an argument and as a setting."""
    with pytest.raises(ValueError, match=r"^must be s3://BUCKET/PREFIX, .*, without credentials$") as refused:
        parse_storage_url(text)
    assert "canary" not in str(refused.value)
    if text:
        monkeypatch.setenv("EXPORTER_PUSH", text)
        with pytest.raises(UsageError, match=r"^EXPORTER_PUSH: must be s3://BUCKET/PREFIX") as wrong:
            load(None)
        assert "canary" not in str(wrong.value)


def test_below_and_above() -> None:
    """With the options of the URL."""
    url = parse_storage_url("s3://bucket/a/b?region=eu-central-1")
    assert (url.name, str(url.parent)) == ("b", "s3://bucket/a?region=eu-central-1")
    assert str(url.below("20261123T031500Z")) == "s3://bucket/a/b/20261123T031500Z?region=eu-central-1"
    assert str(parse_storage_url("s3://bucket").below("x")) == "s3://bucket/x"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("s3://bucket/a", False),
        ("s3://bucket/a?endpoint_override=minio:9000", False),
        ("s3://bucket/a?endpoint_override=minio:9000&scheme=http", True),
        ("s3://bucket/a?scheme=http", True),
        ("s3://bucket/a?endpoint_override=127.0.0.1:9000&scheme=http", False),
        ("s3://bucket/a?endpoint_override=127.0.0.1.example.org&scheme=http", True),
        ("abfs://graph@account.dfs.core.windows.net/a?enable_tls=false", True),
    ],
)
def test_what_is_unencrypted(text: str, plain: bool) -> None:
    """But on this machine."""
    assert parse_storage_url(text).is_plain is plain
