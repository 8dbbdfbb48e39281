"""Exports that are there: their history, what changed from one to another, pruning, verification."""
