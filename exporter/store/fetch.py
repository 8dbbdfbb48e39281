"""Fetching a file by HTTPS: the system's certificates, the environment's proxies, and a sentence for each failure."""

import hashlib
import os
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import requests
import truststore
import urllib3.exceptions
from requests.utils import get_environ_proxies, select_proxy

CHUNK_BYTES = 1 << 16
CONNECT_SECONDS, READ_SECONDS = 10, 30
# OpenSSL's codes for a chain that ends with an authority that is not known: self-signed, or its issuer is missing.
UNKNOWN_AUTHORITY = (18, 19, 20, 21)

PROXY_REMEDY = "check HTTPS_PROXY and NO_PROXY"
NETWORK_REMEDY = "check the network; if this host is reached through a proxy, set HTTPS_PROXY"
CERTIFICATE_REMEDY = (
    "add the authority that signed it, such as your company's, to the system's certificates, or name a file with it in "
    "SSL_CERT_FILE"
)


class WrongContentError(Exception):
    """What came is not the file that was asked for."""


@contextmanager
def system_trust() -> Iterator[None]:
    """While the block runs, TLS trusts the authorities of the system (on Linux also those of SSL_CERT_FILE), besides
    those that requests trusts by itself: its own, or those of REQUESTS_CA_BUNDLE."""
    truststore.inject_into_ssl()
    try:
        yield
    finally:
        truststore.extract_from_ssl()


def fetch(session: requests.Session, url: str, target: Path, sha256: str, *, on_bytes: Callable[[int], None]) -> None:
    """Downloads a file beside `target`, verifies its checksum, and renames it. `on_bytes` is called with the bytes that
    have come so far; an error that it raises ends the download.

    Raises `requests.RequestException` or a urllib3 error, `OSError` for the disk, `WrongContentError` for another file.
    """
    part = target.with_name(f"{target.name}.part")
    digest, received = hashlib.sha256(), 0
    with session.get(url, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS)) as answer, part.open("wb") as file:
        answer.raise_for_status()
        for chunk in answer.iter_content(CHUNK_BYTES):
            file.write(chunk)
            digest.update(chunk)
            received += len(chunk)
            on_bytes(received)
    if digest.hexdigest() != sha256:
        raise WrongContentError
    part.rename(target)


def explain(error: Exception, url: str) -> str:
    """What went wrong with a download, where, and what to do, for each error that `fetch` raises."""
    host = urlsplit(url).hostname
    found = list(causes(error))
    for cause in found:
        match cause:
            case ssl.SSLCertVerificationError(verify_code=code, verify_message=reason):
                remedy = CERTIFICATE_REMEDY if code in UNKNOWN_AUTHORITY else "check the clock, and who answers there"
                return f"the certificate of {host} is not trusted ({reason}): {remedy}"
            case requests.exceptions.ProxyError():
                return f"the proxy {proxy_of(url)} does not lead to {host} ({innermost(found)}): {PROXY_REMEDY}"
            case requests.exceptions.HTTPError(response=requests.Response() as answer):
                return f"{host} answered {answer.status_code} {answer.reason}: {NETWORK_REMEDY}"
            case urllib3.exceptions.NameResolutionError():
                return f"the address of {host} cannot be found: {NETWORK_REMEDY}"
            case requests.exceptions.Timeout() | urllib3.exceptions.TimeoutError() | TimeoutError():
                return f"{host} does not answer: {NETWORK_REMEDY}"
            case WrongContentError():
                name = urlsplit(url).path.rpartition("/")[2]
                return f"what {host} sent as {name} is another file: see whether a proxy changes downloads"
    if isinstance(error, OSError) and not isinstance(error, requests.RequestException):
        return f"a file could not be written ({innermost(found)}): check the disk"
    return f"the connection to {host} failed ({innermost(found)}): {NETWORK_REMEDY}"


def causes(error: BaseException) -> Iterator[BaseException]:
    """An error and all that are inside it: requests and urllib3 wrap them as arguments and as reasons."""
    yield error
    inner = [*error.args, getattr(error, "reason", None), error.__cause__]
    for cause in {id(cause): cause for cause in inner if isinstance(cause, BaseException)}.values():
        yield from causes(cause)


def innermost(found: list[BaseException]) -> str:
    """The system's own word for the innermost error, else its kind."""
    last = found[-1]
    if isinstance(last, OSError) and not isinstance(last, requests.RequestException):
        return os.strerror(last.errno) if last.errno else str(last)
    return type(last).__name__


def proxy_of(url: str) -> str:
    """Host and port of the proxy for a URL, without the user and password that its own URL may hold."""
    proxy = urlsplit(select_proxy(url, get_environ_proxies(url)) or "")
    return f"{proxy.hostname}:{proxy.port}" if proxy.port else str(proxy.hostname)
