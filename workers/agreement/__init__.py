"""How far reviewers agree: plain figures from plain rows, no data base (see `coefficients`)."""
