"""Graphs on the user's own machine, by name: made, replaced, served, asked, listed and removed."""
