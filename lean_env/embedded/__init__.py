"""Real Lean that comes with the package: a WebAssembly build, run by Node, without Mathlib."""
