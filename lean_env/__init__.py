"""Lean as an environment. Knows nothing of models or search."""
