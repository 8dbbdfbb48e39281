"""AstroKiran's PostgreSQL services as one Neo4j graph."""

# The name under which it is installed, and of its directories among the user's data and caches.
DISTRIBUTION = "astrokiran-graph-exporter"
