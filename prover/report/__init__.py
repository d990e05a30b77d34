"""report.html: a run as one file to read."""
