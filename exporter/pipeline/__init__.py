"""One export from start to finish: the leader, its workers, what they exchange, and what it costs."""
