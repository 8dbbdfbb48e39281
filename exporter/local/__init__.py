"""Graphs on the user's own machine, by name: created, replaced, served, queried, listed and removed."""
