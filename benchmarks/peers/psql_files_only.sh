#!/usr/bin/env bash
# The psql script without all that an export owes beside its files: no rejects, no counts, no checksums, no flush.
# Usage: psql_files_only.sh SOURCE_URI OUTPUT_DIRECTORY
FILES_ONLY=yes exec bash "$(dirname "${BASH_SOURCE[0]}")/psql_script.sh" "$@"
