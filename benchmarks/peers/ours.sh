#!/usr/bin/env bash
# The exporter, with everything it does by default: rejects, counts, checksums, fsync.
# Usage: ours.sh SOURCE_URI OUTPUT_DIRECTORY; the last line is the export's own directory.
set -euo pipefail

exec exporter export --source "$1" --output "$2"
