"""A Neo4j that the exporter brings along: where it comes from, and a server on an imported store."""
