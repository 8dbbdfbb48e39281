"""The source's URI: taken apart, without its password, and with everything that libpq adds to it."""

import os
import re
import socket
from contextlib import suppress
from difflib import get_close_matches
from typing import Any
from urllib.parse import unquote

import psycopg
from psycopg import conninfo
from psycopg.pq import Conninfo, ConnStatus, PGconn

from exporter.errors import UsageError
from exporter.invocation import command
from exporter.text import visible

Parameters = dict[str, Any]

PORT = 5432
# What libpq says before any server is asked.
UNUSABLE = "libpq cannot use the source URI and its environment"
# What libpq puts before the words of an attempt.
ADDRESS = re.compile(r'connection to server (at|on socket) "[^"]*".*? failed: ')


def password_in(uri: str) -> bool:
    """Whether a source URI carries a password."""
    with suppress(psycopg.Error):
        return bool(conninfo.conninfo_to_dict(uri).get("password"))
    return False


def without_password(uri: str) -> str:
    """A source URI without the passwords it carries, otherwise unchanged. Raises `UsageError` for a malformed one."""
    parse(uri)
    location, question_mark, query = uri.partition("?")
    scheme, _, address = location.partition("://")
    user_info, at, hosts = address.rpartition("@")
    user = user_info.partition(":")[0]
    secrets = ("password", "sslpassword")
    kept = [parameter for parameter in query.split("&") if unquote(parameter.partition("=")[0]) not in secrets]
    return f"{scheme}://{user}{at if user else ''}{hosts}{question_mark if any(kept) else ''}{'&'.join(kept)}"


def parse(uri: str) -> Parameters:
    """The connection parameters in a source URI. Raises `UsageError` for a malformed one, which repeats no part of it:
    what looks like a host, a database or an option may be the rest of a password."""
    if not re.match(r"postgres(ql)?://", uri):
        raise UsageError("the source is not a postgresql:// URI; give --source postgresql://USER@HOST/DATABASE")
    try:
        parameters = conninfo.conninfo_to_dict(uri)
    except psycopg.Error:
        help_text = f"`{command()} export --help`"
        raise UsageError(
            f"the source URI is malformed, or has an option that does not exist{nearest_option(uri)}; {help_text} shows"
            " its form"
        ) from None
    hosts, addresses, ports = (str(parameters.get(name) or "") for name in ("host", "hostaddr", "port"))
    if looks_cut(uri) or not re.fullmatch("[0-9,]*", ports) or "@" in hosts[1:]:
        raise UsageError("the source URI is malformed; write @ : / and % in a password as %40 %3A %2F and %25")
    if any(port and not 0 < int(port) < 65536 for port in ports.split(",")):
        raise UsageError("the source URI has a port that is not between 1 and 65535")
    numbers = {len(names.split(",")) for names in (hosts, addresses) if names}
    if len(numbers) > 1 or ("," in ports and numbers != {len(ports.split(","))}):
        raise UsageError("the source URI has not as many hosts as ports, or as addresses (hostaddr)")
    return parameters


def nearest_option(uri: str) -> str:
    """A part of a sentence: libpq's option that resembles an unknown one in the URI. Only the name of libpq's own is
    told: what stands in the URI may be the rest of a password."""
    known = [option.keyword.decode() for option in Conninfo.get_defaults()]
    names = [unquote(parameter.partition("=")[0]) for parameter in uri.partition("?")[2].split("&")]
    for name in names:
        if name not in known and (found := get_close_matches(name, known, n=1, cutoff=0.8)):
            return f" (the nearest is {found[0]})"
    return ""


def looks_cut(uri: str) -> bool:
    """Whether libpq takes a part of a password for the host, the database or an option, after an unescaped @ or /."""
    address = uri.partition("://")[2]
    user_info, at, _ = address.partition("/")[0].partition("@")
    location, _, query = (address.removeprefix(user_info + at) if at else address).partition("?")
    return "@" in location or bool(location[:1].strip("/") and not at and "@" in query)


def resolve(parameters: Parameters) -> dict[str, str]:
    """The options of libpq that have a value, as it completes these parameters from the environment (PGSSLMODE, …) and
    service files; without host, hostaddr and port. Nothing is contacted.

    Raises `UsageError`, in libpq's words, for an option whose value is wrong.
    """
    # libpq judges its options only as it connects: here to a port of our own, where nobody answers.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        here = {"host": "localhost", "hostaddr": "127.0.0.1", "port": listener.getsockname()[1]}
        attempt = PGconn.connect_start(conninfo.make_conninfo("", **(parameters | here)).encode())
        try:
            if attempt.status == ConnStatus.BAD:
                words = ADDRESS.sub("", " ".join(attempt.get_error_message().split()))
                raise UsageError(f"{UNUSABLE}: {visible(words)}")
            found = {option.keyword.decode(): option.val for option in attempt.info}
        finally:
            attempt.finish()
    options = {name: value.decode() for name, value in found.items() if value is not None and name not in here}
    # psycopg reads this one, and raises an error of its own.
    if not re.fullmatch(r"\s*-?[0-9]{1,9}\s*", options.get("connect_timeout", "0")):
        raise UsageError(f"{UNUSABLE}: connect_timeout must be a whole number")
    # Not judged above, where the port is our own; a service may have a port, too.
    port = os.environ.get("PGPORT", "")
    if not (parameters.get("port") or options.get("service") or re.fullmatch(r"[\s0-9,]*", port)):
        raise UsageError(f"{UNUSABLE}: PGPORT must be a whole number")
    return options
