"""Theorems to prove, and the performance benchmarks of the program itself."""
