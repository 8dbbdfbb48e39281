"""How a Neo4j of our own is configured and reached: its directories, its ports on 127.0.0.1, its memory."""

import socket
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from exporter.secrecy import without_secrets
from exporter.store.provision import Neo4jHome

USER = "neo4j"
# Enough heap to run and serve small graphs.
SMALLEST_HEAP, LARGEST_HEAP = 512 << 20, 4 << 30
# Flags without which Neo4j does not run on the Java versions it supports.
ADD_OPENS = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in ("java.nio", "java.io", "sun.nio.ch")]

# Java would otherwise write messages and numbers as the user's language does.
ENGLISH = ["-Duser.language=en", "-Duser.country=US"]


@dataclass(frozen=True, slots=True)
class Access:
    """How a server is reached, from its own host only: its ports (0 for any), and the password of the user `neo4j`.
    Without a password it asks for none; without an `http_port` there is no HTTP and no Neo4j Browser."""

    bolt_port: int = 0
    http_port: int | None = None
    password: str | None = None

    @property
    def login(self) -> tuple[str, str] | None:
        """The driver's `auth`."""
        return (USER, self.password) if self.password else None

    def with_free_ports(self) -> "Access":
        """The same with ports that are free now: its own if they are, else others."""
        return replace(
            self,
            bolt_port=free_port(self.bolt_port),
            http_port=None if self.http_port is None else free_port(self.http_port),
        )

    def with_any_ports(self) -> "Access":
        """The same with any free ports."""
        return replace(self, bolt_port=0, http_port=None if self.http_port is None else 0)


OPEN = Access()


def free_port(wanted: int = 0) -> int:
    """The wanted port if it is free now, else any free one. Another program may take it before it is used."""
    try:
        with socket.create_server(("127.0.0.1", wanted)) as probe:
            port: int = probe.getsockname()[1]
            return port
    except OSError:
        if not wanted:
            raise
        return free_port()


def configure(directory: Path, access: Access = OPEN, *, database: str = "neo4j") -> Path:
    """Writes `directory/conf/neo4j.conf`, with data, logs and run-time files in `directory`; returns `directory/conf`.
    `database` is the server's database besides `system`.

    It is the NEO4J_CONF of both import and server, so that they find the same store. An import does not need ports.
    """
    conf, data, logs, run = (directory.resolve() / name for name in ("conf", "data", "logs", "run"))
    settings = {
        "server.default_listen_address": "127.0.0.1",
        "server.bolt.listen_address": f"127.0.0.1:{access.bolt_port}",
        # The address that Neo4j Browser is told to connect to.
        "server.bolt.advertised_address": f"127.0.0.1:{access.bolt_port}",
        "server.http.enabled": str(access.http_port is not None).lower(),
        "server.http.listen_address": f"127.0.0.1:{access.http_port or 0}",
        "server.https.enabled": "false",
        "server.directories.data": data,
        "server.directories.logs": logs,
        "server.directories.run": run,
        "initial.dbms.default_database": database,
        "server.memory.pagecache.size": "128m",
        "dbms.security.auth_enabled": str(access.password is not None).lower(),
        "dbms.usage_report.enabled": "false",
        # Otherwise Neo4j Browser reports its use to its makers.
        "client.allow_telemetry": "false",
        # Otherwise each of the two databases takes 256 MB from the start.
        "db.tx_log.preallocate": "false",
        # Otherwise a stop waits ten seconds for connections to settle; versions without the setting start anyway.
        "internal.dbms.bolt.netty_server_shutdown_quiet_period": "0",
        "server.config.strict_validation.enabled": "false",
    }
    lines = [f"{name}={value}" for name, value in settings.items()]
    # For neo4j-admin, whose launcher takes Java's flags from here.
    lines += [f"server.jvm.additional={flag}" for flag in ADD_OPENS]
    for folder in (conf, data, logs, run):
        folder.mkdir(parents=True, exist_ok=True)
    (conf / "neo4j.conf").write_text("\n".join([*lines, ""]), encoding="utf-8")
    return conf


def environment(home: Neo4jHome, conf: Path) -> dict[str, str]:
    """The environment that makes import.sh and the server use this Neo4j and this configuration."""
    chosen = {"NEO4J_HOME": home.home, "JAVA_HOME": home.java_home, "NEO4J_CONF": conf}
    return in_english(without_secrets()) | {name: str(path) for name, path in chosen.items()}


def in_english(variables: dict[str, str]) -> dict[str, str]:
    """An environment in which the system speaks English, since what Java quotes of it is searched; paths are UTF-8 as
    before."""
    encoding = variables.get("LC_ALL") or variables.get("LC_CTYPE") or variables.get("LANG") or ""
    kept = {name: value for name, value in variables.items() if name not in ("LC_ALL", "LANGUAGE")}
    utf_8 = encoding if "utf" in encoding.lower() else "C.UTF-8"
    return kept | {"LANG": "C", "LC_MESSAGES": "C", "LC_CTYPE": utf_8}


def ample_heap() -> int:
    """Bytes for a server's Java objects: an eighth of the memory, from 512 MB to 4 GB."""
    return max(SMALLEST_HEAP, min(LARGEST_HEAP, psutil.virtual_memory().total // 8))
