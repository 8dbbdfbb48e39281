"""report.html: what an export holds, where its time went, what was left out, and what changed; one offline page."""
