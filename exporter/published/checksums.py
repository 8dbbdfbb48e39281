"""SHA256SUMS of an export: which files it lists, and whether a directory has just those."""

import re
from pathlib import Path

from exporter.errors import DifferenceError
from exporter.sink.layout import ARGUMENTS, CHECKSUMS, MANIFEST, SCHEMA
from exporter.text import visible

# Stricter than sha256sum, as in verify.sh: no capital digits, other line ends, comments or paths leading outside.
PATH_PART = rb"[A-Za-z0-9_-][A-Za-z0-9_.-]*"
CHECKSUM_LINE = re.compile(rb"([0-9a-f]{64})  (%b(?:/%b)*)" % (PATH_PART, PATH_PART))


def read_checksums(export: Path) -> dict[str, str]:
    """Path -> SHA-256, from SHA256SUMS; empty if it is missing. Raises as `parse_checksums` does."""
    try:
        content = (export / CHECKSUMS).read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        return {}
    return parse_checksums(content)


def parse_checksums(content: bytes) -> dict[str, str]:
    """Path -> SHA-256, from the content of a SHA256SUMS. Raises `DifferenceError` for one that is malformed."""
    *lines, rest = content.split(b"\n")
    sums: dict[str, str] = {}
    for number, line in enumerate([*lines, rest] if rest else lines, 1):
        match = CHECKSUM_LINE.fullmatch(line)
        if not match:
            raise DifferenceError(f"line {number} of {CHECKSUMS} is malformed")
        sums[match[2].decode()] = match[1].decode()
    if rest or not lines:
        raise DifferenceError(f"{CHECKSUMS} is cut off")
    if list(sums) != sorted(sums) or len(sums) < len(lines):
        raise DifferenceError(f"{CHECKSUMS} lists a file twice, or is not sorted")
    return sums


def listing_differences(export: Path, sums: dict[str, str]) -> list[str]:
    """Files that are listed but missing, or present but not listed."""
    present = {path.relative_to(export).as_posix() for path in export.rglob("*") if not path.is_dir()} - {CHECKSUMS}
    missing = [f"{path}: missing" for path in sorted((sums.keys() | {ARGUMENTS, MANIFEST, SCHEMA}) - present)]
    return missing + [f"{visible(path)}: not listed in {CHECKSUMS}" for path in sorted(present - sums.keys())]
