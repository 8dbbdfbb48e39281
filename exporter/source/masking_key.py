"""The secret key of a masked copy: read from its file or drawn, and what the readers' sessions need of it.

Tokens are HMAC-SHA-256 (RFC 2104) by a key for each domain, so that a phone and a code with the same text have
different tokens. The server has SHA-256 but no HMAC: it is given the keys as the two padded blocks that HMAC hashes.
"""

import hmac
import os
import re
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from exporter.errors import UsageError
from exporter.invocation import command
from exporter.model.treatments import DOMAINS

CONTEXT = "astrokiran-graph-exporter/1/"
KEY_BYTES, BLOCK_BYTES, TOKEN_BYTES = 32, 64, 16
INNER, OUTER = 0x36, 0x5C
HEX_KEY = re.compile(rf"[0-9a-fA-F]{{{2 * KEY_BYTES}}}\s*")
# The id of a key that is used once and forgotten.
ONCE = "once"


@dataclass(frozen=True, slots=True)
class RedactionKey:
    """A key of 32 bytes; `is_drawn` if it is for one run alone."""

    secret: bytes
    is_drawn: bool = False

    @property
    def id(self) -> str:
        """What tells this key from another, in 16 hexadecimal digits, without telling anything of it."""
        return ONCE if self.is_drawn else hmac.digest(self.secret, b"key id", "sha256").hex()[:16]

    def of_domain(self, domain: str) -> bytes:
        """The key of a domain, of 32 bytes."""
        return hmac.digest(self.secret, (CONTEXT + domain).encode(), "sha256")

    def settings(self) -> dict[str, str]:
        """The settings of a session that makes tokens: for each domain the two blocks, in hexadecimal digits."""
        found = {}
        for domain in DOMAINS:
            padded = self.of_domain(domain).ljust(BLOCK_BYTES, b"\0")
            found[inner_setting(domain)] = bytes(byte ^ INNER for byte in padded).hex()
            found[outer_setting(domain)] = bytes(byte ^ OUTER for byte in padded).hex()
        return found

    def __repr__(self) -> str:
        return "RedactionKey(…)"


def inner_setting(domain: str) -> str:
    """The setting with the block that is hashed before the value."""
    return f"exporter.{domain}_i"


def outer_setting(domain: str) -> str:
    """The setting with the block that is hashed before the inner hash."""
    return f"exporter.{domain}_o"


def drawn_key() -> RedactionKey:
    """A new key, for one run alone."""
    return RedactionKey(secrets.token_bytes(KEY_BYTES), is_drawn=True)


def read_key(path: Path) -> RedactionKey:
    """The key in a file: 64 hexadecimal digits. Raises `UsageError` unless it is a regular file that the user owns and
    nobody else can read."""
    try:
        # A pipe is not waited for.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if fault := file_fault(os.fstat(file.fileno())):
                raise UsageError(f"the redaction key {path} {fault}")
            content = file.read(2 * KEY_BYTES + 16)
    except OSError as error:
        raise UsageError(f"the redaction key {path} cannot be read: {error.strerror}") from None
    text = content.decode("ascii", "replace")
    if not HEX_KEY.fullmatch(text):
        raise UsageError(
            f"the redaction key {path} is not {2 * KEY_BYTES} hexadecimal digits; {command()} redact-key FILE makes one"
        )
    return RedactionKey(bytes.fromhex(text))


def file_fault(status: os.stat_result) -> str | None:
    """Why a file cannot hold a key, as the end of a sentence; None if it can."""
    if not stat.S_ISREG(status.st_mode):
        return "is not a regular file"
    if status.st_uid != os.geteuid():
        return "belongs to another user"
    if status.st_mode & 0o077:
        return "can be used by others; chmod 600 it, and make a new one if it may have been read"
    return None


def write_key_file(path: Path) -> RedactionKey:
    """Makes a new key and writes it to a new file that only the user can read. Raises `UsageError` if the file exists
    or cannot be written."""
    key = RedactionKey(secrets.token_bytes(KEY_BYTES))
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise UsageError(f"{path} exists, and a key is never overwritten: tokens made with it would be lost") from None
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o600)  # whatever the umask takes away
            file.write(key.secret.hex().encode() + b"\n")
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        with suppress(OSError):
            path.unlink()
        raise UsageError(f"cannot write {path}: {error.strerror}") from None
    return key
