"""The way in: connections and the shared snapshot, the catalog, the plan of reads, SQL text."""
