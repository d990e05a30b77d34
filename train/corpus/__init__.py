"""Theorems with verified proofs, made by the program itself, to train on and to measure with."""
