"""What went wrong with a bucket, in a sentence that says where and what to do. The store's own text is never repeated:
it may quote a key, or what was signed by one."""

import re

from exporter.errors import RunError
from exporter.storage_url import StorageUrl

# As pyarrow writes an error of S3, of Google's client, and of Azure's.
S3_ERROR = re.compile(
    r"AWS Error (?P<code>\w+)(?: \(HTTP status (?P<status>\d+)\))? during \w+ operation"
    r"(?:: Unable to parse ExceptionName: (?P<name>\w+))?"
)
CURL_ERROR = re.compile(r"curlCode: (\d+)")
OTHER_ERROR = re.compile(r"Status\((?P<google>[A-Z_]+)|Azure Error: \[(?P<azure>\w+)\]")

CREDENTIALS = {
    "s3": "AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the role of this machine",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS, or the service account of this machine",
    "abfs": "AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, or the identity of this machine",
}
CREDENTIALS["abfss"] = CREDENTIALS["abfs"]
NO_BUCKET = {"NO_SUCH_BUCKET", "NoSuchBucket", "ContainerNotFound", "InvalidBucketName"}
DENIED = {"ACCESS_DENIED", "AccessDenied", "AllAccessDisabled", "PERMISSION_DENIED", "AuthorizationPermissionMismatch",
          "AuthorizationFailure"}  # fmt: skip
UNKNOWN_USER = {"INVALID_ACCESS_KEY_ID", "SIGNATURE_DOES_NOT_MATCH", "INVALID_CLIENT_TOKEN_ID", "UNRECOGNIZED_CLIENT",
                "MISSING_AUTHENTICATION_TOKEN", "INVALID_SIGNATURE", "UNAUTHENTICATED", "AuthenticationFailed",
                "NoAuthenticationInformation", "InvalidToken"}  # fmt: skip
EXPIRED = {"ExpiredToken", "EXPIRED_TOKEN", "TokenRefreshRequired", "REQUEST_EXPIRED"}
WRONG_CLOCK = {"REQUEST_TIME_TOO_SKEWED", "RequestTimeTooSkewed"}
ELSEWHERE = {
    "PermanentRedirect",
    "TemporaryRedirect",
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
}
BUSY = {"SLOW_DOWN", "SERVICE_UNAVAILABLE", "INTERNAL_FAILURE", "THROTTLING", "REQUEST_TIMEOUT", "UNAVAILABLE",
        "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "ServerBusy", "OperationTimedOut", "InternalError",
        "TooManyRequests", "OperationAborted"}  # fmt: skip
# Timed out, too many requests.
BUSY_STATUS = (408, 429)
# libcurl's numbers.
NO_PROXY, NO_HOST, NO_CONNECTION, TIMEOUT = 5, 6, 7, 28
TLS_HANDSHAKE, TLS_AUTHORITY, TLS_FILE = 35, 60, 77
CURL = {
    NO_PROXY: ("the address of the proxy cannot be found", "check HTTPS_PROXY and NO_PROXY"),
    NO_HOST: ("its address cannot be found", "check the network and endpoint_override"),
    NO_CONNECTION: (
        "it refuses the connection, or nothing is there",
        "check the network, the proxy and endpoint_override",
    ),
    TIMEOUT: ("it does not answer", "check the network"),
    TLS_HANDSHAKE: ("TLS fails", "give ?scheme=http if it is meant to be unencrypted"),
    TLS_AUTHORITY: ("its certificate is not trusted", "name a file with its authority in SSL_CERT_FILE"),
    TLS_FILE: ("the authorities to trust cannot be read", "check SSL_CERT_FILE"),
}


class StorageError(RunError):
    """The object store failed or refused. `passing` is set if trying again may help."""

    def __init__(self, message: str, *, passing: bool = False) -> None:
        super().__init__(message)
        self.passing = passing


def explain(error: Exception, url: StorageUrl, verb: str) -> StorageError:
    """The error of a store as ours; `verb` is what was tried, such as `write`."""
    text = str(error)
    bucket = place_of(url)
    match = S3_ERROR.search(text) or OTHER_ERROR.search(text)
    found = {value for value in match.groupdict().values() if value} if match else set()
    status = next((int(code) for code in found if code.isdigit()), 0)
    if "NETWORK_CONNECTION" in found:
        return unreachable(text, bucket)
    if status >= 500 or status in BUSY_STATUS or found & BUSY:
        shown = ", ".join(sorted(found - {"UNKNOWN"}))
        return StorageError(f"{bucket} is not available now ({shown}): try again later", passing=True)
    if found & NO_BUCKET:
        return no_bucket(url)
    if reason := refusal(found, status, url):
        return StorageError(f"{bucket} {reason}")
    shown = ", ".join(sorted(found - {"UNKNOWN"})) or type(error).__name__
    return StorageError(f"{bucket} refuses to {verb} ({shown}): check the URL, and what the store says of itself")


def is_missing(error: Exception) -> bool:
    """Whether a store says that there is no such object."""
    match = S3_ERROR.search(str(error))
    return match is not None and not {"NO_SUCH_KEY", "NoSuchKey"}.isdisjoint(match.groups())


def no_bucket(url: StorageUrl) -> StorageError:
    """The error for a bucket that is not there."""
    return StorageError(f"{place_of(url)} does not exist: create it, or correct the URL")


def no_store(url: StorageUrl) -> StorageError:
    """The error for what answers, and does not what a store does."""
    return StorageError(
        f"{place_of(url)} does not answer as an object store: check the URL, endpoint_override, and whether something "
        "else answers in its place, such as a proxy"
    )


def place_of(url: StorageUrl) -> str:
    """A bucket, and whose it is if that is said."""
    return f"the bucket {url.bucket}" + (f" at {url.endpoint}" if url.endpoint else "")


def unreachable(text: str, bucket: str) -> StorageError:
    """The sentence for a store that cannot be reached."""
    curl = CURL_ERROR.search(text)
    number = int(curl[1]) if curl else 0
    reason, remedy = CURL.get(number, ("the connection is lost", "check the network"))
    return StorageError(f"{bucket} cannot be reached ({reason}): {remedy}", passing=number not in (35, 60, 77))


def refusal(found: set[str], status: int, url: StorageUrl) -> str | None:
    """The end of the sentence for a store that answers and refuses; None for a reason that is not known here."""
    credentials = CREDENTIALS[url.scheme]
    if found & UNKNOWN_USER:
        return f"does not accept the credentials: check {credentials}"
    if found & EXPIRED:
        return "does not accept the credentials, which have expired: renew them"
    if found & WRONG_CLOCK:
        return "refuses requests of this machine's clock: set the clock"
    if found & ELSEWHERE or status in (301, 307):
        return "is in another region: add ?region=REGION to the URL"
    if status == 407:
        return "is behind a proxy that wants credentials: check HTTPS_PROXY and NO_PROXY"
    if found & DENIED:
        return f"denies access: check {credentials}, and that they may list, read and write there"
    return None
