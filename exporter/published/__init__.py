"""Published exports: their history, what changed between them, pruning, verification."""
