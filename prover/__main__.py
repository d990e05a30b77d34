"""`python -m prover` is `prove`."""

from prover.cli import main

main()
