"""The way out: the layout of an export, headers, CSV files, manifest, import arguments, publishing."""
