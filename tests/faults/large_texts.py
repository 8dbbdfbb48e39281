"""Texts of megabytes, each on the whole way: what comes out of Neo4j, or who refuses it and how."""

import csv
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import neo4j
import psycopg

from exporter.sample.postgres import create_database, embedded_postgres
from exporter.sample.source import create_tables
from exporter.store.provision import Neo4jHome
from exporter.store.server import serve
from tests.faults.frame import Fault, Outcome, Verdict
from tests.faults.ground import Ground
from tests.faults.text_graph import exported, imported

MEGABYTE = 1_000_000
# What reading such a text over Bolt takes.
HEAP = 1 << 30
# By what they are: what is repeated, and up to how many bytes.
LARGE = {
    "a text of 100 MB": [('a line of it, "quoted", with \\ and \u0928\n', 100 * MEGABYTE)],
    "texts of 20 MB": [("text ", 20 * MEGABYTE), ('"', 20 * MEGABYTE), ("\u0928\U0001f600", 20 * MEGABYTE)],
}
TOO_LITTLE = re.compile(r"import\.sh: the import failed .*\n.*It ran out of memory: increase --heap")


def large_faults(name: str, home: Neo4jHome, seed: int) -> Iterator[Fault]:
    """The large texts, each with its import of its own: the buffers of an import are as large as its longest line."""
    for what, made_of in LARGE.items():
        yield Fault(name, what, seed, Large(tuple(made_of), home).run)


@dataclass(frozen=True, slots=True)
class Large:
    """Large texts, as a property, and as an ID that is none."""

    made_of: Sequence[tuple[str, int]]
    home: Neo4jHome

    def texts(self) -> list[str]:
        return [piece * (length // len(piece.encode())) for piece, length in self.made_of]

    def run(self, _: Ground, directory: Path) -> Verdict:
        """What becomes of the texts: whole, or refused by the import for lack of memory, in a sentence."""
        began, texts = time.monotonic(), self.texts()
        export = self.export(directory)
        store = directory / "neo4j"
        done = imported(export, store, self.home)
        if done.returncode == 4 and TOO_LITTLE.search(done.stderr):
            outcome, said = Outcome.REFUSED, done.stderr.strip()
        elif done.returncode:
            outcome, said = Outcome.WRONG_CODE, f"exit code {done.returncode}: {done.stderr}"
        else:
            said = self.rejected(export, texts[0]) or self.compared(store, texts)
            outcome = Outcome.SILENT if said else Outcome.WHOLE
        return Verdict(outcome, said, done.returncode, round(time.monotonic() - began, 1), times=1 + len(texts))

    def export(self, directory: Path) -> Path:
        """An export of a source with the texts."""
        with embedded_postgres() as server:
            uri = create_database(server, "large")
            create_tables(uri)
            with psycopg.connect(uri) as connection:
                message = "insert into guide.saved_messages values (%s, 1, '', %s, now())"
                for number, text in enumerate(self.texts(), 1):
                    connection.execute(message, (number, text))
                connection.execute(
                    "insert into notifications.notifications (id, auth_user_id, event_type, is_read, created_at)"
                    " values (gen_random_uuid(), %s, '', true, now())",
                    (self.texts()[0],),
                )
            return exported(uri, directory / "output")

    def rejected(self, export: Path, text: str) -> str:
        """What is wrong with the reject of the text that is no ID."""
        csv.field_size_limit(1 << 30)
        [path] = (export / "rejects/relationships/Notification-TO_USER-AuthUser").iterdir()
        with path.open(encoding="utf-8", newline="") as file:
            values = [line["value"] for line in csv.DictReader(file)]
        return "" if values == [text] else f"{len(values)} rejects, another text"

    def compared(self, store: Path, texts: Sequence[str]) -> str:
        """Which texts are others in the graph."""
        query = "MATCH (n:SavedMessage {id: $id}) RETURN n.content AS text"
        with serve(self.home, store, heap=HEAP) as server, neo4j.GraphDatabase.driver(server.bolt_uri) as driver:
            found = [driver.execute_query(query, id=number).records[0]["text"] for number in range(1, len(texts) + 1)]
        others = [number for number, pair in enumerate(zip(texts, found, strict=True), 1) if pair[0] != pair[1]]
        return f"these texts are others: {others}" if others else ""
