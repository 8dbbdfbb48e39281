"""AstroKiran's PostgreSQL services as one Neo4j graph."""
