"""What a manifest says of a run, made up."""

from datetime import UTC, datetime

from exporter.sink.copies import (
    PulledEntry,
    RedactionEntry,
    RootEntry,
    UniquenessEntry,
    WindowEntry,
    WindowRows,
    WithoutProperty,
)
from exporter.sink.manifest import Metadata, Model, Options, Source, Tool

METADATA = Metadata(
    tool=Tool("astrokiran-graph-exporter", "1.0.0"),
    model=Model("0" * 64),
    source=Source(
        "astrokiran",
        "18.4",
        "db.example.org",
        datetime(2026, 11, 23, 3, 15, 1, 250_000, UTC),
        "0/16B3748",
        identity="postgresql:7301234567890123456/astrokiran",
    ),
    options=Options("UTC", {}, {}),
    started_at=datetime(2026, 11, 23, 3, 15, tzinfo=UTC),
    finished_at=datetime(2026, 11, 23, 3, 15, 2, 500_000, UTC),
)
WINDOW = WindowEntry(
    since=datetime(2026, 11, 16, 3, 15, 1, 250_000, UTC),
    until=None,
    sample=0.01,
    seed=7,
    roots=[RootEntry("Customer", "phone_number", 1)],
    without=["Notification"],
    rows=WindowRows(35_261, 99_704),
    pulled=[PulledEntry("(Notification)-[TO_USER]->(AuthUser)", 1_427)],
)
REDACTION = RedactionEntry(
    profile="analyst",
    version=1,
    sha256="0" * 64,
    key="once",
    treatments={"Customer.phone_number": "token:phone", "Customer.customer_id": "keep", "Guide.full_name": "keep"},
    weakened=["Guide.full_name"],
    suppressed={"Lead.utm_campaign": 3},
    k_anonymity=[UniquenessEntry("Lead", ["source"], 5, 100, 9, 2, 4, [WithoutProperty("source", 100, 0)])],
)
