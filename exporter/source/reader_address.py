"""The address with which the readers' connectorx reaches the leader's server, no less strictly than the leader did.

Their connections know nothing of libpq's environment, service files and default files, so all of that is in the URI;
what connectorx cannot hold is refused.
"""

import ipaddress
import os
import pwd
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from exporter.errors import SourceError
from exporter.source.connection import Connection, effective
from exporter.source.queries import MARK, Address
from exporter.source.session_settings import later_settings, options

# Options of libpq that make a connection stricter in a way that connectorx does not have.
UNKNOWN = ("requirepeer", "sslcrl", "sslcrldir")
ENCRYPTED = b"ENCRYPTED"


def worker_address(
    connection: Connection, application: str, *, lock_seconds: int, settings: Mapping[str, str] | None = None
) -> Address:
    """The address with which connectorx reaches the leader's server, with equally strict encryption. The sessions have
    these further `settings`, whose values hold no blanks.

    Raises `SourceError` if connectorx cannot be that strict.
    """
    leader, info = effective(connection), connection.info
    mark = connection.execute("select current_setting(%s)", [MARK]).fetchone()
    # The leader's options come first, with those of the source URI; if a setting occurs twice, the later value counts.
    further = later_settings(connection) | dict(settings or {})
    later = [f"-c {name}={value}" for name, value in further.items()]
    session_options = options(application, lock_seconds=lock_seconds, mark=str(mark and mark[0]))
    query = {"options": " ".join((leader["options"], session_options, *later))}
    host = info.host
    if host.startswith("/"):
        query["host"] = host
        host = "localhost"
    elif info.hostaddr:
        host = f"[{info.hostaddr}]" if ipaddress.ip_address(info.hostaddr).version == 6 else info.hostaddr
    query |= security(leader, encrypted=connection.pgconn.ssl_in_use, used_password=connection.pgconn.used_password)
    user = quote(info.user, safe="")
    password = f":{quote(info.password, safe='')}" if info.password else ""
    uri = f"postgresql://{user}{password}@{host}:{info.port}/{quote(info.dbname, safe='')}"
    return Address(uri, query, application, str(mark and mark[0]))


def security(leader: dict[str, str], *, encrypted: bool, used_password: bool) -> dict[str, str]:
    """The URI parameters with which connectorx connects as strictly as the leader did, by the leader's options.

    connectorx does not have `verify-full`: `sslrootcert` verifies the CA, and channel binding, which needs a SCRAM
    password, stands in for verifying the host's name (source-facts.md). Raises `SourceError` if that is impossible.
    """
    if refused := [name for name in UNKNOWN if leader.get(name)]:
        raise SourceError(f"{refused[0]} is not supported: the readers cannot verify it")
    binding = leader.get("channel_binding") == "require"
    if leader.get("require_auth") and used_password:
        if not encrypted:
            raise SourceError("require_auth is not supported without TLS: the readers cannot verify it")
        binding = True
    if not encrypted:
        return {"sslmode": "disable"}
    if leader.get("ssl_min_protocol_version") == "TLSv1.3":
        raise SourceError("ssl_min_protocol_version=TLSv1.3 is not supported: the readers accept TLS 1.2")
    query = {"sslmode": "require"} | verification(leader) | client_certificate(leader)
    if leader.get("sslmode") == "verify-full":
        if not used_password:
            raise SourceError("sslmode=verify-full needs a SCRAM password: channel binding verifies the host")
        binding = True
    return query | ({"channel_binding": "require"} if binding else {})


def verification(leader: dict[str, str]) -> dict[str, str]:
    """The root certificate by which the readers verify the server. Raises `SourceError` if they need one."""
    mode = leader.get("sslmode", "prefer")
    root = leader.get("sslrootcert") or default_file("root.crt")
    if mode in {"verify-ca", "verify-full"} and root in {"", "system"}:
        raise SourceError(f"sslmode={mode} needs sslrootcert=FILE in the source URI for the readers to verify")
    # With a root certificate libpq verifies the CA under sslmode=require too.
    return {"sslrootcert": root} if root and mode in {"require", "verify-ca", "verify-full"} else {}


def client_certificate(leader: dict[str, str]) -> dict[str, str]:
    """The certificate that libpq presents, and its key. Raises `SourceError` for a key that is encrypted."""
    certificate = leader.get("sslcert") or default_file("postgresql.crt")
    key = leader.get("sslkey") or default_file("postgresql.key")
    if not key or not Path(certificate).is_file() or leader.get("sslcertmode") == "disable":
        return {}  # libpq too goes on without a certificate that is not there
    with suppress(OSError):
        if ENCRYPTED in Path(key).read_bytes():
            raise SourceError(
                f"{key} is encrypted, which the readers cannot open; give a key without a password (openssl pkey"
                " -in KEY -out NEW), readable by this user alone"
            )
    return {"sslcert": certificate, "sslkey": key}


def default_file(name: str) -> str:
    """The path of a file in libpq's directory of certificates; empty if it is not there."""
    with suppress(KeyError):  # a user without an entry and without HOME
        home = os.environ.get("HOME") or pwd.getpwuid(os.geteuid()).pw_dir
        path = Path(home, ".postgresql", name)
        return str(path) if path.is_file() else ""
    return ""
