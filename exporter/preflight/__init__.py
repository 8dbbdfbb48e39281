"""Before an export: the check of a source, the estimate, and the settings file that `init` writes."""
