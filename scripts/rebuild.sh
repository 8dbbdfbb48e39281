#!/usr/bin/env bash
# The nightly rebuild of a live graph, for cron and systemd: finds the exporter and runs `exporter rebuild`.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: scripts/rebuild.sh [OPTIONS]

Exports the source, imports the export into a stage beside the live graph, lets a private Neo4j make constraints and
indexes and compares every count; then stops the live Neo4j, exchanges the stores by renames, starts it and compares
again. On a failure after the stop, the old store comes back. Run it as the user that Neo4j runs as. The exporter is the
one in .venv beside scripts/, else the one on PATH.

  --config FILE           settings, instead of exporter.toml in the working directory
  --from EXPORT           take this export, by name or directory, instead of a new one
  --accept-changes        swap, however unlike the new export is the one before
  --rollback              only put the previous store back
  --repair                only put right what a run that was killed left
  --keep N                how many stores and exports stay (default: 2)
  --max-drop PERCENT      how much of its rows each label or pattern may lose (default: 20%)
  --metrics FILE          also write a Prometheus textfile
  --log-format json       lines of JSON on stderr
  --help                  this text; `exporter rebuild --help` has all options, docs/nightly.md all settings

Progress goes to stderr. The last line on stdout is a JSON object: what happened, seconds by step, downtime, counts.

Exit codes:
  0    done: the live graph is the new one
  1    the import or the graph differs from the manifest, or --max-rejects; the live graph is as it was
  2    usage: an option, a setting, a directory, the wrong user; the live graph is as it was
  3    the source cannot be exported; the live graph is as it was
  4    failed on the way: a full disk, a killed process, a server that does not answer; the live graph is as it was
  5    another rebuild or export is running; the live graph is as it was
  6    the guard: the new export is too unlike the one behind the live graph, which is as it was
  7    the swap failed; the old store is back and answers
  8    THE LIVE GRAPH DOES NOT ANSWER: somebody must look now
  130  stopped by a signal; the live graph is as it was
TEXT
}

main() {
    local root exporter
    case ${1:-} in -h | --help) usage; return ;; esac
    root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
    exporter=$root/.venv/bin/exporter
    if [ ! -x "$exporter" ]; then
        exporter=$(command -v exporter) || {
            printf 'rebuild.sh: there is no exporter in %s/.venv and none on PATH: run scripts/demo.sh once\n' "$root" >&2
            exit 2
        }
    fi
    exec "$exporter" rebuild "$@"
}

main "$@"
