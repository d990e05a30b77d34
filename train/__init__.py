"""Training tactic models for the search they will run in."""
