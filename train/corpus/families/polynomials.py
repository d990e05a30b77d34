"""Polynomials with whole coefficients, to compute what statements say of expressions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import Self

from train.corpus.families.writing import linear


@dataclass(frozen=True)
class Polynomial:
    """Monomials, each the sorted names of its variables with repetition, and their coefficients, none of them 0."""

    terms: tuple[tuple[tuple[str, ...], int], ...]

    @classmethod
    def of(cls, terms: Counter[tuple[str, ...]]) -> Self:
        """The sum of the terms."""
        kept = [(monomial, factor) for monomial, factor in terms.items() if factor]
        return cls(tuple(sorted(kept, key=lambda term: (-len(term[0]), term[0]))))

    @classmethod
    def number(cls, value: int) -> Self:
        """A constant."""
        return cls.of(Counter({(): value}))

    @classmethod
    def variable(cls, name: str) -> Self:
        """A variable."""
        return cls.of(Counter({(name,): 1}))

    def __add__(self, other: Polynomial) -> Polynomial:
        terms = Counter(dict(self.terms))
        for monomial, factor in other.terms:
            terms[monomial] += factor
        return Polynomial.of(terms)

    def __mul__(self, other: Polynomial) -> Polynomial:
        terms: Counter[tuple[str, ...]] = Counter()
        for a, factor in self.terms:
            for b, again in other.terms:
                terms[tuple(sorted(a + b))] += factor * again
        return Polynomial.of(terms)

    def __sub__(self, other: Polynomial) -> Polynomial:
        return self + other * Polynomial.number(-1)

    def constant(self) -> int:
        """The coefficient of the empty monomial."""
        return dict(self.terms).get((), 0)

    def is_natural(self) -> bool:
        """Whether no coefficient is negative."""
        return all(factor >= 0 for _, factor in self.terms)

    def __str__(self) -> str:
        return linear(((factor, _product(monomial)) for monomial, factor in self.terms if monomial), self.constant())


def _product(monomial: tuple[str, ...]) -> str:
    powers = ((name, len(list(same))) for name, same in groupby(monomial))
    return " * ".join(name if power == 1 else f"{name} ^ {power}" for name, power in powers)
