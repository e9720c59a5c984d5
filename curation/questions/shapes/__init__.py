"""Which column of a file is what, and how its rows become questions. A plain library, without Django."""
