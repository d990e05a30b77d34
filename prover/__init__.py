"""The program: puts benchmark, engine, policy and strategy together."""
