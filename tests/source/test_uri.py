"""The source's URI: malformed ones, passwords in it, and what libpq adds to it."""

from contextlib import nullcontext
from pathlib import Path

import pytest

from exporter.errors import UsageError
from exporter.source.uri import parse, password_in, resolve, without_password

PASSWORD = "hunter2"
MALFORMED = "the source URI is malformed"
ESCAPE = MALFORMED + "; write @ : / and % in a password as %40 %3A %2F and %25"
SEE_HELP = MALFORMED + ", or has an option that does not exist; `exporter export --help` shows its form"
NO_URI = "the source is not a postgresql:// URI; give --source postgresql://USER@HOST/DATABASE"
UNEQUAL = "the source URI has not as many hosts as ports, or as addresses (hostaddr)"
NO_PORT = "the source URI has a port that is not between 1 and 65535"
LIBPQ = "libpq cannot use the source URI and its environment: "


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        (f"mysql://u:{PASSWORD}@db/source", NO_URI),
        (f"host=db user=u password={PASSWORD}", NO_URI),
        ("", NO_URI),
        (f"postgresql://u:{PASSWORD}%zz@db/source", SEE_HELP),
        (f"postgresql://u:{PASSWORD}@[::1/source", SEE_HELP),
        (f"postgresql://u:{PASSWORD}@db/source?colour=blue", SEE_HELP),
        (f"postgresql://u:x@db/source?sslmode=require&{PASSWORD}", SEE_HELP),
        (f"postgresql://u:pass word {PASSWORD}@db/source", SEE_HELP),
        (f"postgresql://u:p@{PASSWORD}@db/source", ESCAPE),
        (f"postgresql://u:p/{PASSWORD}@db/source", ESCAPE),
        (f"postgresql://u:12/{PASSWORD}@db/source", ESCAPE),
        (f"postgresql://u:12/p?sslmode={PASSWORD}@db/source", ESCAPE),
        (f"postgresql://u:{PASSWORD}", ESCAPE),
        (f"postgres://u:{PASSWORD}@db:54x/source", ESCAPE),
        (f"postgresql://u:x@p%40{PASSWORD}/source", ESCAPE),
        ("postgresql://u@db:70000/source", NO_PORT),
        ("postgresql://u@a:1,b:2,c:3/source?hostaddr=10.0.0.1", UNEQUAL),
    ],
)
def test_malformed_uris(uri: str, message: str) -> None:
    """They are the user's mistake; the message has nothing of the URI."""
    with pytest.raises(UsageError) as error:
        parse(uri)
    assert str(error.value) == message
    assert (error.value.__cause__, error.value.__suppress_context__ or not error.value.__context__) == (None, True)


@pytest.mark.parametrize(
    "uri",
    [
        "postgresql:///source?host=@/tmp&user=u",
        "postgresql://u@db/source?password=p@ss",
        "postgresql://u:p%40%2F%3A%25#?@a:1,[::1]:2/source",
        "postgresql://",
    ],
)
def test_sound_uris(uri: str) -> None:
    """An abstract socket, an @ where it cannot cut anything, several hosts, nothing at all."""
    assert isinstance(parse(uri), dict)


def test_a_password_is_noticed() -> None:
    """In either part of a URI; a malformed one is judged elsewhere."""
    uris = ["postgresql://u:x@db/source", "postgresql://u@db/source?password=x", "postgresql://u@db/source", "p%"]
    assert [password_in(uri) for uri in uris] == [True, True, False, False]


@pytest.mark.parametrize(
    ("uri", "left"),
    [
        (f"postgresql://u:{PASSWORD}@db:5433/source?sslmode=require", "postgresql://u@db:5433/source?sslmode=require"),
        (f"postgres://u@db/source?pass%77ord={PASSWORD}&sslmode=require", "postgres://u@db/source?sslmode=require"),
        (f"postgresql://:{PASSWORD}@/source?sslpassword={PASSWORD}", "postgresql:///source"),
        (f"postgresql://u%3A1:{PASSWORD}%40%3A@[::1]:5432,b:5433/s", "postgresql://u%3A1@[::1]:5432,b:5433/s"),
        ("postgresql:///source?host=/run/pg&user=u", "postgresql:///source?host=/run/pg&user=u"),
    ],
)
def test_a_uri_without_its_password(uri: str, left: str) -> None:
    """Wherever it is; everything else stays as it was written."""
    assert (without_password(uri), password_in(left)) == (left, False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("sslmode=requir", 'invalid sslmode value: "requir"'),
        ("target_session_attrs=primry", 'invalid target_session_attrs value: "primry"'),
        ("service=nowhere", 'definition of service "nowhere" not found'),
        ("connect_timeout=soon", "connect_timeout must be a whole number"),
        ("keepalives=yes", 'invalid integer value "yes" for connection option "keepalives"'),
    ],
)
def test_a_wrong_value_of_an_option(options: str, message: str) -> None:
    """It is the user's mistake, in libpq's words, and no server is asked."""
    with pytest.raises(UsageError) as error:
        resolve(parse(f"postgresql://u:{PASSWORD}@db.invalid/source?{options}"))
    assert str(error.value) == LIBPQ + message


@pytest.mark.parametrize(("uri", "refused"), [("postgresql:///source", True), ("postgresql://u@db:1/source", False)])
def test_a_port_that_is_no_number(uri: str, refused: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the environment it matters only if the URI has none."""
    monkeypatch.setenv("PGPORT", "soon")
    with pytest.raises(UsageError) if refused else nullcontext() as error:
        resolve(parse(uri))
    assert not error or str(error.value) == LIBPQ + "PGPORT must be a whole number"


def test_what_libpq_adds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """From the environment and from service files; the URI comes first, then the service, then the environment."""
    service = tmp_path / "services"
    service.write_text("[staging]\noptions=-c a.b=c\nsslmode=verify-ca\nconnect_timeout=7\n")
    monkeypatch.setenv("PGSERVICEFILE", str(service))
    monkeypatch.setenv("PGSSLROOTCERT", "/ca")
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "9")
    found = resolve(parse("postgresql://u@db/source?service=staging&sslmode=require"))
    names = ("user", "dbname", "options", "sslmode", "sslrootcert", "connect_timeout", "host")
    assert [found.get(name) for name in names] == ["u", "source", "-c a.b=c", "require", "/ca", "7", None]


@pytest.mark.parametrize(
    ("query", "nearest"),
    [("sslmod=require", " (the nearest is sslmode)"), ("a=1&conect_timeout=3", " (the nearest is connect_timeout)")],
)
def test_the_nearest_option_of_libpq_is_named(query: str, nearest: str) -> None:
    """By libpq's own name; the URI's is not repeated."""
    with pytest.raises(UsageError) as refused:
        parse(f"postgresql://u@h/d?{query}")
    assert str(refused.value) == SEE_HELP.replace(" not exist;", f" not exist{nearest};")
