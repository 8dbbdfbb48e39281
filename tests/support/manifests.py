"""What a manifest says of a run, made up."""

from datetime import UTC, datetime

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
