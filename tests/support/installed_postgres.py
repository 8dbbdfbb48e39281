"""A PostgreSQL of the system's packages, if there is one: unlike the embedded one it speaks TLS."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.ports import closed_port

HBA = """
local all all trust
hostssl all certified all scram-sha-256 clientcert=verify-ca
host all all all scram-sha-256
"""
SETTINGS = """
ssl = on
ssl_cert_file = 'server.crt'
ssl_key_file = 'server.key'
ssl_ca_file = 'ca.crt'
fsync = off
"""


def programs() -> Path | None:
    """The directory of the newest installed server's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[4]))
    return found[-1].parent if found and shutil.which("openssl") else None


@contextmanager
def tls_server(programs: Path) -> Iterator[tuple[int, Path]]:
    """A server on a port of 127.0.0.1 that knows the role `postgres` on its socket, and the directory of that socket,
    of the CA's certificate `ca.crt`, and of a client's `client.crt` and `client.key`."""
    with TemporaryDirectory(prefix="postgres-", dir="/tmp") as name:
        directory, port = Path(name), closed_port()
        user = pwd.getpwnam("postgres").pw_uid if os.geteuid() == 0 else None
        owner = os.geteuid() if user is None else user
        os.chown(directory, owner, -1)

        def run(*command: str | Path) -> None:
            subprocess.run(command, check=True, capture_output=True, cwd=directory, user=user)

        data = directory / "data"
        run(programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-locale", "-E", "UTF8")
        certificates(directory, owner)
        for file in ("server.crt", "server.key", "ca.crt"):
            shutil.copy2(directory / file, data / file)
            os.chown(data / file, owner, -1)
        (data / "pg_hba.conf").write_text(HBA)
        with (data / "postgresql.conf").open("a") as settings:
            settings.write(SETTINGS + f"port = {port}\nunix_socket_directories = '{directory}'\n")
        run(programs / "pg_ctl", "-D", data, "-w", "-l", directory / "log", "start")
        try:
            yield port, directory
        finally:
            run(programs / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")


def certificates(directory: Path, owner: int) -> None:
    """A CA, and the certificates of a server `localhost` and of a client that it signed."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=directory)

    key = ("-newkey", "rsa:2048", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=ca", "-days", "2")
    for name, subject in (("server", "localhost"), ("client", "certified")):
        openssl("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={subject}")
        signed = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2")
        openssl("x509", "-req", "-in", f"{name}.csr", *signed, "-out", f"{name}.crt")
    for path in directory.glob("*.key"):
        path.chmod(0o600)
    os.chown(directory / "server.key", owner, -1)
