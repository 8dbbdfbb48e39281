"""The demo: a sample source in its own PostgreSQL, and a Neo4j to import it into."""
