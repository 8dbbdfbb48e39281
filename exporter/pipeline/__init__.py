"""One export from start to finish: the leader, its workers, what they tell each other, and what it took."""
