#!/usr/bin/env bash
# What one does without scripts/import.sh: `neo4j-admin database import full` of an export's files, default options.
# Usage: bare_import.sh EXPORT_DIRECTORY; NEO4J_HOME, NEO4J_CONF and JAVA_HOME choose the Neo4j. Of import.args only the
# files are taken, and that values hold line breaks, without which they could not be read.
set -euo pipefail

main() {
    local arguments=() line
    cd "$1"
    while IFS= read -r line; do
        case $line in --nodes=* | --relationships=* | --multiline-fields=*) arguments+=("$line") ;; esac
    done < import.args
    if [ -x "$NEO4J_HOME/bin/neo4j-admin" ]; then
        set -- "$NEO4J_HOME/bin/neo4j-admin"
    else
        set -- "$JAVA_HOME/bin/java" -cp "$NEO4J_HOME/lib/*" "-Dbasedir=$NEO4J_HOME" org.neo4j.server.startup.Neo4jAdminCommand
    fi
    # The report goes beside the log, not into the export.
    exec "$@" database import full neo4j --overwrite-destination=true --report-file="$NEO4J_CONF/../logs/import.report" \
        "${arguments[@]}"
}

main "$@"
