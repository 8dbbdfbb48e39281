"""A source before an export: check, estimate, and the settings file that `init` writes."""
