"""How far reviewers agree: plain figures from plain rows, no database (see `coefficients`)."""
