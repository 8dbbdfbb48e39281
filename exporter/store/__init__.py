"""A Neo4j of our own: provisioned, imported into, started, given its schema, and verified."""
