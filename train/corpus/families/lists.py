"""Lists: operations of the library and functions given by their recursion equations; induction and rewriting."""

from __future__ import annotations

import random

from train.corpus.families.writing import Draft, conjunction, linear, several, times


def generate(rng: random.Random, difficulty: int) -> str:
    """A claim about one given function, or several claims about two."""
    if difficulty == 1 and rng.random() < 0.5:
        return _library(rng)
    kinds = (_measure, _measure, _transform, _transform, _accumulate, _selection, _membership)
    kind = rng.choice(kinds)
    return kind(rng, difficulty)


def _library(rng: random.Random) -> str:
    """An identity between terms built from append, map, reverse and length."""
    term = _term(rng, 2 + rng.randrange(3))
    sizes = [(1, f"{name}.length") for name in term if name in ("xs", "ys", "zs")]
    text = _shown(term)
    return Draft("α : Type", "f g : α → α", "xs ys zs : List α").show(f"({text}).length = {linear(_collected(sizes))}")


def _term(rng: random.Random, size: int) -> list[str]:
    """A term in prefix notation."""
    if size == 0:
        return [rng.choice(("xs", "ys", "zs"))]
    head = rng.choice(("++", "++", "map f", "map g", "reverse"))
    if head == "++":
        left = rng.randrange(size)
        return [head, *_term(rng, left), *_term(rng, size - 1 - left)]
    return [head, *_term(rng, size - 1)]


def _shown(term: list[str]) -> str:
    def read() -> str:
        head = queue.pop(0)
        if head == "++":
            left = read()
            return f"({left} ++ {read()})"
        if head.startswith("map"):
            return f"({read()}.map {head[4:]})"
        return f"{read()}.reverse" if head == "reverse" else head

    queue = list(term)
    text = read()
    return text[1:-1] if text.startswith("(") and text.endswith(")") else text


def _collected(sizes: list[tuple[int, str]]) -> list[tuple[int, str]]:
    names = dict.fromkeys(name for _, name in sizes)
    return [(sum(k for k, other in sizes if other == name), name) for name in names]


def _measure(rng: random.Random, difficulty: int) -> str:
    """f : List ℕ → ℕ that adds up something over the elements."""
    k, c = rng.randrange(1, 6), rng.randrange(0, 6)
    element = rng.choice(
        (str(c + 1), linear([(k, "x")], c), linear([(k, "x ^ 2")], c), f"({linear([(k, 'x')], c)}) * x")
    )
    constant = element == str(c + 1)
    draft = Draft("f : List ℕ → ℕ", "g : ℕ → ℕ" if difficulty > 2 else "").suppose("f [] = 0")
    draft.suppose(
        f"∀ x xs, f (x :: xs) = {element} + f xs" if rng.random() < 0.6 else f"∀ x xs, f (x :: xs) = f xs + {element}"
    )
    scale = rng.randrange(2, 6)
    targets = [
        "∀ xs ys, f (xs ++ ys) = f xs + f ys",
        "∀ xs, f xs.reverse = f xs",
        "∀ xs ys, f (xs ++ ys) = f (ys ++ xs)",
        "∀ xs ys zs, f (xs ++ (ys ++ zs)) = f (zs ++ (xs ++ ys))",
        "∀ xs ys, f xs ≤ f (xs ++ ys)",
        f"∀ xs ys, {scale} * f (xs ++ ys) = {scale} * f ys + {scale} * f xs",
        "∀ xs, f (xs ++ xs) = 2 * f xs",
        "∀ xs ys, ∃ zs, f zs = f xs + f ys",
        f"∀ xs, ∃ ys, f ys = {scale} * f xs" if scale < 4 else "∀ xs, ∃ ys, f xs ≤ f ys",
    ]
    if constant:
        targets += [f"∀ xs, f xs = {times(c + 1, 'xs.length')}", "∀ xs y ys, f (xs ++ y :: ys) = f (y :: (xs ++ ys))"]
        if difficulty > 2:
            targets += ["∀ xs, f (xs.map g) = f xs", "∀ xs ys, f ((xs ++ ys).map g) = f ys + f xs"]
    else:
        targets += ["∀ x y xs, f (x :: y :: xs) = f (y :: x :: xs)", "∀ x xs, f xs ≤ f (x :: xs)"]
    if difficulty > 2 and not constant:
        targets.append("(∀ x, g x = x) → ∀ xs, f (xs.map g) = f xs")
    return draft.show(conjunction(rng.sample(targets, several(rng, difficulty))))


def _transform(rng: random.Random, difficulty: int) -> str:
    """f : List α → List α that puts something in the place of each element."""
    pieces = rng.choice(
        (("x",), ("g x",), ("x", "x"), ("x", "g x"), ("g x", "g x"), ("x", "x", "x"), ("g (g x)",), ("x", "a"))
    )
    draft = Draft("α : Type", "g : α → α", "a : α", "f : List α → List α").suppose("f [] = []")
    draft.suppose(f"∀ x xs, f (x :: xs) = {' :: '.join(pieces)} :: f xs")
    targets = [
        f"∀ xs, (f xs).length = {times(len(pieces), 'xs.length')}",
        "∀ xs ys, f (xs ++ ys) = f xs ++ f ys",
        f"∀ xs ys, (f (xs ++ ys)).length = {linear([(len(pieces), 'xs.length'), (len(pieces), 'ys.length')])}",
        "∀ xs ys zs, f (xs ++ ys ++ zs) = f xs ++ (f ys ++ f zs)",
        "∀ xs, xs.length ≤ (f xs).length",
        f"∀ xs, (f (f xs)).length = {times(len(pieces) ** 2, 'xs.length')}",
        "∀ xs, f xs = [] → xs = []",
        "∀ xs ys, f xs = f ys → xs.length = ys.length",
        f"∃ xs, (f xs).length = {len(pieces) * rng.randrange(1, 4)}",
    ]
    if pieces == ("g x",):
        targets += [
            "∀ xs, f xs = xs.map g",
            "∀ xs, f xs.reverse = (f xs).reverse",
            "(∀ x, g (g x) = x) → ∀ xs, f (f xs) = xs",
        ]
    if pieces == ("x",):
        targets += ["∀ xs, f xs = xs", "∀ xs ys, f xs ++ ys = xs ++ f ys"]
    if "g x" in pieces:
        targets.append(
            f"(∀ x, g x = x) → ∀ xs ys, (f (xs ++ ys)).length = {times(len(pieces), '(ys.length + xs.length)')}"
        )
    return draft.show(conjunction(rng.sample(targets, several(rng, difficulty))))


def _accumulate(rng: random.Random, difficulty: int) -> str:
    """f : List ℕ → ℕ → ℕ that carries a sum along."""
    k = rng.randrange(1, 5)
    element = rng.choice((linear([(k, "x")]), str(k), linear([(k, "x")], rng.randrange(1, 5))))
    draft = Draft("f : List ℕ → ℕ → ℕ").suppose("∀ n, f [] n = n", f"∀ x xs n, f (x :: xs) n = f xs (n + {element})")
    m = rng.randrange(1, 9)
    targets = [
        "∀ xs n, f xs n = f xs 0 + n",
        "∀ xs ys n, f (xs ++ ys) n = f ys (f xs n)",
        f"∀ xs n, f xs (n + {m}) = f xs n + {m}",
        "∀ xs n, n ≤ f xs n",
        f"∀ xs n m, n ≤ m → f xs n ≤ f xs (m + {m})",
        "∀ xs n, ∃ m, f xs n = n + m",
        f"∀ xs, ∃ n, {m} + f xs 0 = f xs n",
    ]
    if element == str(k):
        targets += [f"∀ xs n, f xs n = n + {times(k, 'xs.length')}", f"∀ xs n, {times(k, 'xs.length')} ≤ f xs n"]
    return draft.show(conjunction(rng.sample(targets, several(rng, difficulty))))


def _selection(rng: random.Random, difficulty: int) -> str:
    """filter, take, drop and foldr of the library, with hypotheses."""
    k, c = rng.randrange(2, 6), rng.randrange(0, 8)
    test = rng.choice((f"x % {k} == {c % k}", f"{c} < x", f"x == {c}", f"{k} * x < {c + 9}", f"x % {k} != {c % k}"))
    chosen = f"(fun x => {test})"
    fold = f"(fun x n => {linear([(k, 'x')], c)} + n)"
    draft = Draft("xs ys : List ℕ", "f : ℕ → ℕ").suppose(f"∀ x, f x = {linear([(1, 'x')], c)}")
    targets = [
        f"(xs ++ ys).filter {chosen} = xs.filter {chosen} ++ ys.filter {chosen}",
        f"(xs.filter {chosen}).length ≤ xs.length",
        f"xs.foldr {fold} {c} = xs.foldr {fold} 0 + {c}",
        f"(xs ++ ys).foldr {fold} 0 = xs.foldr {fold} 0 + ys.foldr {fold} 0",
        f"((xs ++ ys).map f).foldr {fold} 0 = (ys.map f).foldr {fold} 0 + (xs.map f).foldr {fold} 0",
        f"∃ zs, (xs ++ zs).length = xs.length + {k}",
        f"∃ zs : List ℕ, zs.map f = [{c + 1}, {c + k}]",
        f"∃ zs : List ℕ, zs.length = {k} ∧ zs.filter {chosen} = zs"
        if "==" not in test or "%" in test
        else f"∃ zs, zs ++ xs = {c} :: {k} :: xs",
        f"(xs.filter {chosen}).filter {chosen} = xs.filter {chosen}",
        f"{times(c, 'xs.length')} ≤ (xs.map f).foldr (fun x n => x + n) 0",
        f"∀ n, xs.foldr (fun _ m => m + {k}) n = {linear([(1, 'n'), (k, 'xs.length')])}",
        f"(xs.map f).length + {c} = {linear([(1, 'xs.length')], c)}",
    ]
    return draft.show(conjunction(rng.sample(targets, several(rng, difficulty))))


def _membership(rng: random.Random, difficulty: int) -> str:
    """Which elements a list has, and which lists have an element."""
    draft = Draft("α : Type", "P Q : α → Prop", "xs ys : List α", "a b : α")
    facts = [
        "∀ x, x ∈ xs → P x",
        "∀ x, x ∈ ys → P x",
        "∀ x, P x → Q x",
        "a ∈ xs",
        "b ∈ ys",
        "P a → Q b",
        "∀ x, x ∈ ys → x ∈ xs",
    ]
    needs: dict[str, set[int]] = {
        "∀ x, x ∈ xs ++ ys → P x": {0, 1},
        "∀ x, x ∈ ys ++ xs → Q x": {0, 1, 2},
        "∃ x, x ∈ xs ∧ P x": {0, 3},
        "∃ x, x ∈ ys.reverse ∧ Q x": {1, 2, 4},
        "∃ zs : List α, a ∈ zs ∧ b ∈ zs ∧ ∀ x, x ∈ zs → P x": {0, 1, 3, 4},
        "∃ zs : List α, zs ≠ [] ∧ ∀ x, x ∈ zs → Q x": {0, 2, 3},
        "∃ us vs : List α, xs = us ++ a :: vs": {3},
        "∀ x, x ∈ a :: ys → x ∈ xs": {3, 6},
        "∀ x, x ∈ ys ++ [a] → P x": {0, 3, 6},
        "Q b": {0, 3, 5},
        "∃ x y, x ∈ xs ∧ y ∈ xs ∧ P x ∧ P y": {0, 3, 4, 6},
        "∃ n, n < xs.length": {3},
        "∃ zs : List α, zs.length = xs.length + ys.length ∧ ∀ x, x ∈ zs → P x": {0, 1},
        "xs ≠ [] ∧ ys ≠ []": {3, 4},
        "∃ x, x ∈ xs ++ ys ∧ P x ∧ ∃ y, y ∈ ys ∧ P y": {0, 1, 3, 4},
        "∀ x, x ∈ (xs ++ ys).reverse → Q x ∨ x = a": {0, 1, 2},
        "∀ f : α → α, (∀ x, P x → Q (f x)) → ∀ x, x ∈ xs.map f → Q x": {0},
        "∀ f : α → α, f a ∈ (xs ++ ys).map f ∧ f b ∈ (ys ++ xs).map f": {3, 4},
    }
    chosen = rng.sample(sorted(needs), several(rng, difficulty))
    needed = sorted({place for target in chosen for place in needs[target]})
    rng.shuffle(needed)
    return draft.suppose(*(facts[place] for place in needed)).show(conjunction(chosen))
