"""How fast, how big and how gentle: the exporter beside its peers, on deterministic data in a PostgreSQL of its own."""
