"""The demo: a sample source in a PostgreSQL of its own, and a Neo4j to import it into."""
