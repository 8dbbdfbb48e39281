"""Whether a Java can run a Neo4j, known in a moment instead of after an import."""

import re
import subprocess
import zipfile
from contextlib import suppress
from pathlib import Path

from exporter.errors import UsageError

# The first version that wrote class files as it does, whose number follows Java's.
_CLASS_VERSION_BEFORE_JAVA_1 = 44


def check_java(java_home: Path, jar: Path, version: str) -> None:
    """Raises `UsageError` if the Java in `java_home` does not run, or is too old for the Neo4j of this main jar."""
    needed = java_needed(jar)
    if needed is None:
        return  # no jar of Neo4j's: others say so
    java = java_home / "bin" / "java"
    found = java_version(java)
    if found is None:
        raise UsageError(f"{java} does not run: '{java} -version' says why; set JAVA_HOME to another Java")
    if found < needed:
        raise UsageError(
            f"Neo4j {version} needs Java {needed} or newer, but {java} is Java {found}: set JAVA_HOME to a newer one"
        )


def java_needed(jar: Path) -> int | None:
    """The oldest Java that can load a jar's classes, as the first one says; None if it is not a jar with classes."""
    with suppress(OSError, zipfile.BadZipFile), zipfile.ZipFile(jar) as archive:
        for name in archive.namelist():
            if name.endswith(".class"):
                with archive.open(name) as file:
                    return int.from_bytes(file.read(8)[6:]) - _CLASS_VERSION_BEFORE_JAVA_1
    return None


def java_version(java: Path) -> int | None:
    """The major version of a Java; None if it does not tell."""
    try:
        told = subprocess.run([java, "-version"], capture_output=True, text=True, errors="replace").stderr
    except OSError:
        return None
    match = re.search(r'version "(\d+)', told)
    return int(match[1]) if match else None
