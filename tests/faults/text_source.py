"""A source full of texts, and what has to become of each in the graph, by the rules of graph-model.md."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import psycopg
from psycopg import sql

from exporter.sample.source import create_tables
from tests.faults.texts import Content
from tests.support.reference_rules import code, names_nobody, text_auth_id

Key = int | str
Values = tuple[object, ...]
MOMENT = "2026-11-30 00:00:00+00"
# Of the text auth IDs that are numbers, every second one has a user.
USERS = frozenset([1, *range(0, 5000, 2)])
# So many code points stand in one device ID.
RUN = 32
# The first code points: the controls among them do not allow reading their table packed.
LATIN = 0x100
# So far apart are the code that a guide names and its owner, about, in the list of texts.
STEP = 7


@dataclass(frozen=True, slots=True)
class Check:
    """What the graph has to say, by the key of a node: the values of a query whose variable `n` is that node, none
    where nothing is found."""

    name: str
    match: str
    values: tuple[str, ...]
    expected: Mapping[Key, Values | None] = field(repr=False)

    @property
    def query(self) -> str:
        """Cypher that returns a key of the parameter `keys` and the values, row by row."""
        return f"UNWIND $keys AS key MATCH {self.match} RETURN key, {', '.join(self.values)}"


@dataclass(frozen=True, slots=True)
class Rejects:
    """The lines that an entity's reject files have to hold: of each reason, key and raw value how many."""

    entity: str
    expected: Counter[tuple[str, str, str | None]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Expected:
    """What has to become of a source."""

    checks: list[Check]
    rejects: list[Rejects]


# The properties that take any text, and what the other columns of their rows hold.
PLACES = {
    "Feedback": ("consultation.feedback", ("feedback_text", "status"), {"consultation_id": 1}),
    "Lead": (
        "marketing.leads", ("phone", "name", "source", "utm_source", "utm_medium", "utm_campaign", "status"), {}
    ),
    "Skill": ("guide.skills", ("name", "description"), {}),
    "Language": ("guide.languages", ("name",), {}),
    "BankAccount": ("guide.bank_account", ("account_holder_name", "bank_name", "ifsc_code"), {"guide_id": 1}),
    "SavedMessage": ("guide.saved_messages", ("title", "content"), {"guide_id": 1}),
}  # fmt: skip
UNDATED = ("guide.skills", "guide.languages", "guide.bank_account")


def fill(uri: str, content: Content) -> Expected:
    """Creates the tables in an empty database, fills them, and says what has to become of them."""
    create_tables(uri)
    with psycopg.connect(uri) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute("alter table guide.skills alter name drop not null")
        checks = [*plain_texts(connection, content)]
        users(connection)
        checks += devices(connection, content)
        of_guides, referred = guides(connection, content.hostile)
        of_notifications, addressed = notifications(connection, content)
        checks += [*of_guides, *of_notifications]
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("vacuum analyze")
    return Expected(checks, [referred, addressed])


def copy(connection: psycopg.Connection, table: str, columns: Sequence[str], rows: Iterator[Values]) -> None:
    """Adds rows to a table."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    into = sql.SQL("copy {} ({}) from stdin").format(sql.SQL(table), names)
    with connection.cursor().copy(into) as writer:
        for row in rows:
            writer.write_row(row)


def plain_texts(connection: psycopg.Connection, content: Content) -> Iterator[Check]:
    """Every code point alone, and every other text in each of the other columns, with different neighbours; in the
    middle of a row, at its end, beside nulls."""
    first = [text for text in content.code_points if ord(text) < LATIN]
    others = [text for text in content.code_points if ord(text) >= LATIN]
    yield place(connection, "Feedback", [*batches([*first, *content.hostile], 2)])
    yield place(connection, "Lead", [*batches(others, 7)])
    for label in ("Skill", "BankAccount", "SavedMessage"):
        width = len(PLACES[label][1])
        yield place(connection, label, [*rotated([*content.hostile, None], width)])
    yield place(connection, "Language", [*rotated(content.hostile, 1)])


def batches(texts: Sequence[str], width: int) -> Iterator[Values]:
    """Texts in rows of a width; the last one is filled up with nulls."""
    for first in range(0, len(texts), width):
        row = texts[first : first + width]
        yield (*row, *(None for _ in range(width - len(row))))


def rotated(texts: Sequence[str | None], width: int) -> Iterator[Values]:
    """Rows in which every column has every text, each beside others."""
    length = len(texts)
    for number in range(length):
        yield tuple(texts[(number + column * (length // width + 1)) % length] for column in range(width))


def place(connection: psycopg.Connection, label: str, rows: Sequence[Values]) -> Check:
    """Puts rows of texts into a table; they have to come out as they are."""
    table, properties, other = PLACES[label]
    constants = other | ({} if table in UNDATED else {"created_at": MOMENT})
    whole = ((number, *row, *constants.values()) for number, row in enumerate(rows, 1))
    copy(connection, table, ("id", *properties, *constants), whole)
    values = tuple(f"n.{name}" for name in properties)
    return Check(label, f"(n:{label} {{id: key}})", values, dict(enumerate(rows, 1)))


def users(connection: psycopg.Connection) -> None:
    """The users that text auth IDs may name."""
    rows = ((number, True, False, MOMENT) for number in USERS)
    copy(connection, "auth.auth_users", ("id", "is_active", "is_test_user", "created_at"), rows)


def devices(connection: psycopg.Connection, content: Content) -> Iterator[Check]:
    """Texts as parts of a key, both as a node's own and where a relationship names it: any text is one, as it is."""
    points = "".join(content.code_points)
    runs = [points[first : first + RUN] for first in range(0, len(points), RUN)]
    texts = list(dict.fromkeys([*content.hostile, *runs]))
    columns = ("id", "auth_user_id", "device_id", "fcm_token", "created_at")
    rows: Iterator[Values] = ((number, 1, text, text, MOMENT) for number, text in enumerate(texts, 1))
    copy(connection, "auth.user_devices", columns, rows)
    yield Check(
        "Device", "(a:AuthUser)-[:HAS_DEVICE]->(n:Device {device_id: key})", ("n.device_id", "n.fcm_token", "a.id"),
        {text: (text, text, 1) for text in texts},
    )  # fmt: skip
    sessions = {str(UUID(int=number)): text for number, text in enumerate(texts, 1)}
    rows = ((key, 1, text, True, MOMENT) for key, text in sessions.items())
    copy(connection, "auth.user_sessions", ("id", "auth_user_id", "device_id", "is_active", "created_at"), rows)
    yield Check(
        "ON_DEVICE", "(n:Session {id: key})-[:ON_DEVICE]->(d:Device)", ("d.device_id",),
        {key: (text,) for key, text in sessions.items()},
    )  # fmt: skip


def guides(connection: psycopg.Connection, texts: Sequence[str]) -> tuple[list[Check], Rejects]:
    """Texts as codes: trimmed, blank is none, and no two guides may own the one that a third names."""
    rows = [(texts[number], texts[(number * STEP + 1) % len(texts)]) for number in range(len(texts))]
    owners: dict[str | None, list[int]] = {}
    for number, (own, _) in enumerate(rows, 1):
        owners.setdefault(code(own), []).append(number)
    columns = ("id", "full_name", "referral_code", "referrer_code", "chat_enabled", "voice_enabled", "video_enabled")
    whole = ((number, "", *row, True, True, True, MOMENT) for number, row in enumerate(rows, 1))
    copy(connection, "guide.guide_profile", (*columns, "created_at"), whole)
    referred: dict[Key, Values | None] = {}
    rejects = Counter[tuple[str, str, str | None]]()
    for number, (_, named) in enumerate(rows, 1):
        found = owners.get(code(named), []) if code(named) else []
        referred[number] = (found[0],) if len(found) == 1 else None
        if code(named) and len(found) != 1:
            rejects["ambiguous_link" if found else "dangling_end", str(number), named] += 1
    codes: dict[Key, Values | None] = {number: (row[0],) for number, row in enumerate(rows, 1)}
    return [
        Check("Guide", "(n:Guide {id: key})", ("n.referral_code",), codes),
        Check("REFERRED_BY", "(n:Guide {id: key})-[:REFERRED_BY]->(g:Guide)", ("g.id",), referred),
    ], Rejects("Guide-REFERRED_BY-Guide", rejects)


def notifications(connection: psycopg.Connection, content: Content) -> tuple[list[Check], Rejects]:
    """Texts as text auth IDs, beside others as the properties of a node and of a relationship."""
    texts = [*rotated([*content.hostile, None], 6)]
    rows: dict[str, tuple[str, Values]] = {}
    for number in range(max(len(texts), len(content.auth_ids))):
        auth_id = content.auth_ids[number % len(content.auth_ids)]
        rows[str(UUID(int=number))] = (auth_id, texts[number % len(texts)])
    properties = ("event_type", "channel", "priority", "title", "body")
    connection.execute("alter table notifications.notifications alter event_type drop not null")
    columns = ("id", "auth_user_id", *properties, "target_type", "is_read", "created_at")
    whole = ((key, auth_id, *row, True, MOMENT) for key, (auth_id, row) in rows.items())
    copy(connection, "notifications.notifications", columns, whole)
    rejects = Counter[tuple[str, str, str | None]]()
    addressed: dict[Key, Values | None] = {}
    for key, (auth_id, row) in rows.items():
        user = text_auth_id(auth_id)
        addressed[key] = (user, row[-1]) if user in USERS else None
        if user not in USERS and not names_nobody(auth_id):
            rejects["malformed_id" if user is None else "dangling_end", key, auth_id] += 1
    own: dict[Key, Values | None] = {key: row[:-1] for key, (_, row) in rows.items()}
    return [
        Check("Notification", "(n:Notification {id: key})", tuple(f"n.{name}" for name in properties), own),
        Check("TO_USER", "(n:Notification {id: key})-[r:TO_USER]->(a:AuthUser)", ("a.id", "r.target_type"), addressed),
    ], Rejects("Notification-TO_USER-AuthUser", rejects)
