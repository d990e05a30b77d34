"""A native Lean with its own project, such as Mathlib, through the community REPL."""
