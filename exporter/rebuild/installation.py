"""Which Neo4j is rebuilt: the configured installation, its configuration, its directories, its user."""

import os
import pwd
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from exporter.errors import UsageError
from exporter.rebuild.live import Live, login
from exporter.rebuild.store import StorePaths
from exporter.rebuild.stores import ROOT, Stores
from exporter.settings import RebuildSettings
from exporter.store.provision import installed

PACKAGED_CONF = Path("/etc/neo4j")


@dataclass(frozen=True, slots=True)
class Installation:
    """Where an installed Neo4j has its configuration, its data, and its store of the rebuilt database."""

    conf: Path
    data: Path
    store: StorePaths

    @property
    def stores(self) -> Stores:
        """The stores of its rebuilds, to be looked at only: without the lock that a change needs."""
        return Stores(self.data / ROOT, self.store)


def find_live(settings: RebuildSettings) -> Live:
    """The Neo4j that the settings name. Raises `UsageError` if it does not exist, or this user may not rebuild it."""
    home = installed(home_of(settings))
    found = find_installation(settings)
    if settings.user and "NEO4J_PASSWORD" not in os.environ:
        raise UsageError("the Neo4j user of rebuild.user or NEO4J_USERNAME needs its password in NEO4J_PASSWORD")
    check_user(found.data)
    user, password = login(settings)
    stop_command, start_command = commands(settings, home.home / "bin" / "neo4j")
    return Live(
        home=home,
        conf=found.conf,
        data=found.data,
        store=found.store,
        database=settings.database,
        bolt=settings.bolt,
        user=user,
        password=password,
        stop_command=stop_command,
        start_command=start_command,
        timeout=settings.neo4j_timeout,
    )


def home_of(settings: RebuildSettings) -> Path:
    """The directory of the Neo4j that the settings name. Raises `UsageError` if they name none."""
    if not settings.neo4j_home:
        raise UsageError("which Neo4j? Set NEO4J_HOME, or neo4j_home in the table [rebuild] of the settings file")
    return settings.neo4j_home.absolute()


def find_installation(settings: RebuildSettings) -> Installation:
    """The directories of the Neo4j that the settings name, by its configuration. Raises `UsageError` if that cannot be
    read."""
    home = home_of(settings)
    conf = (settings.neo4j_conf or default_conf(home)).absolute()
    configured = read_conf(conf / "neo4j.conf")
    data = home / configured.get("server.directories.data", "data")
    transactions = home / configured.get("server.directories.transaction.logs.root", data / "transactions")
    return Installation(
        conf, data, StorePaths(data / "databases" / settings.database, transactions / settings.database)
    )


def commands(settings: RebuildSettings, program: Path) -> tuple[str, str]:
    """The commands that stop and start Neo4j: the configured ones, else `program`'s."""
    if not (settings.stop and settings.start) and not program.exists():
        raise UsageError(
            f"there is no {program}: set rebuild.stop and rebuild.start to commands that stop and start Neo4j"
        )
    quoted = shlex.quote(str(program))
    return settings.stop or f"{quoted} stop", settings.start or f"{quoted} start"


def default_conf(home: Path) -> Path:
    """The directory of a Neo4j's configuration: Debian and RPM packages keep it outside the home."""
    own = home / "conf"
    return PACKAGED_CONF if not own.exists() and (PACKAGED_CONF / "neo4j.conf").exists() else own


def read_conf(file: Path) -> dict[str, str]:
    """The settings of a neo4j.conf; if a name is repeated, the last one counts."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"cannot read {file} ({error.strerror}): set NEO4J_CONF to the directory of neo4j.conf"
        ) from None
    return dict(re.findall(r"^[ \t]*([\w.]+)[ \t]*=[ \t]*(.*?)[ \t]*$", text, re.MULTILINE))


def check_user(data: Path) -> None:
    """Raises `UsageError` unless this is the user that Neo4j runs as: a store owned by anyone else, including root,
    would keep Neo4j from starting."""
    directory = data / "databases" if (data / "databases").exists() else data
    try:
        owner = directory.stat().st_uid
    except OSError as error:
        raise UsageError(
            f"there is no data directory {data} ({error.strerror}): is this the right neo4j_home?"
        ) from None
    if owner != os.geteuid():
        name, me = user_name(owner), user_name(os.geteuid())
        raise UsageError(f"{directory} belongs to {name}, and this runs as {me}: run it as {name} (sudo -u {name} ...)")


def user_name(user_id: int) -> str:
    """A user's name; `#` and the number for one without a name."""
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        return f"#{user_id}"
