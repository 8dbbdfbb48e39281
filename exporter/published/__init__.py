"""Exports that are there: their history, what changed from one to the next, pruning, verification."""
