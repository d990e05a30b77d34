"""Proofs that must count: one of each kind that people and models write."""

from __future__ import annotations

from dataclasses import dataclass

from lean_env.engine import Theorem

MINIF2F = "import Mathlib\n\nset_option maxHeartbeats 400000\n\nopen BigOperators Real Nat Topology Rat"


@dataclass(frozen=True)
class Honest:
    """A statement and its proof."""

    title: str
    statement: str
    proof: str
    header: str = ""
    name: str = "x"

    @property
    def theorem(self) -> Theorem:
        """What is proved."""
        return Theorem(self.name, self.statement, self.header)


def of(title: str, claim: str, proof: str, header: str = "") -> Honest:
    """A proof of `theorem x CLAIM := by sorry`."""
    return Honest(title, f"theorem x {claim} := by sorry", proof, header)


HONEST = (
    # Single tactics.
    of("rfl", ": (2 : ℕ) + 2 = 4", "rfl"),
    of("omega", "(a b : ℕ) (h : a < b) : a + 1 ≤ b", "omega"),
    of("grind", "(a b : ℤ) (h : a = b + 1) : a * a = b * b + 2 * b + 1", "grind"),
    of("grind with options", "(p q : Prop) (h : p ∨ q) : q ∨ p", "grind (splits := 5)"),
    of("simp", "(l : List ℕ) : (l ++ []).length = l.length", "simp"),
    of("simp with a flag", ": (3 : ℕ) ∣ 9 ∧ True", "simp +decide"),
    of("simp with a configuration", "(a : ℕ) : a + 0 = a", "simp (config := { maxSteps := 1000, decide := true })"),
    of("simp with limits", "(a : ℕ) : a + 0 = a", "simp (maxSteps := 1000) -zeta"),
    of("simp only", "(a b : ℕ) : a + b + 0 = b + a", "simp only [Nat.add_zero, Nat.add_comm]"),
    of("simp at", "(a : ℕ) (h : a + 0 = 3) : a = 3", "simp at h\nexact h"),
    of("simp_all", "(p q : Prop) (hp : p) (hq : p → q) : q", "simp_all"),
    of("decide", ": ∀ a b : Fin 3, a + b = b + a", "decide"),
    of("decide with the kernel", ": 2 ^ 64 % 7 = 2", "decide +kernel"),
    of("decide with a configuration", ": 2 ^ 64 % 7 = 2", "decide (config := { kernel := true })"),
    of("exact", "(p : Prop) (h : p) : p", "exact h"),
    of("assumption", "(p q : Prop) (hp : p) (_ : q) : p", "assumption"),
    of("contradiction", "(p : Prop) (h : p) (n : ¬ p) : False", "contradiction"),
    of("trivial", ": True", "trivial"),
    of("rw at an occurrence", "(a b : ℕ) (h : a = b) : a + a = a + b", "rw (occs := .pos [2]) [h]"),
    of("ac_rfl", "(a b c : ℕ) : a + (b + c) = c + b + a", "ac_rfl"),
    of("norm_cast", "(a b : ℕ) (h : (a : ℤ) = b) : a = b", "exact_mod_cast h"),
    of("subst", "(a b : ℕ) (h : a = b) : b = a", "subst h\nrfl"),
    of("injection", "(a b : ℕ) (h : a.succ = b.succ) : a = b", "injection h"),
    of("exfalso", "(h : (1 : ℕ) = 2) : (3 : ℕ) = 4", "exfalso\nomega"),
    of("exact?", "(a b : ℕ) : a + b = b + a", "exact?"),
    of("show_term", "(p : Prop) (h : p) : p", "show_term exact h"),
    # Steps.
    of("intro and apply", "(p q r : Prop) : (p → q) → (q → r) → p → r", "intro f g h\napply g\napply f\nexact h"),
    of("constructor and bullets", "(p q : Prop) (hp : p) (hq : q) : p ∧ q", "constructor\n· exact hp\n· exact hq"),
    of(
        "nested bullets",
        "(p q r : Prop) (hp : p) (hq : q) (hr : r) : (p ∧ q) ∧ r",
        "constructor\n· constructor\n  · exact hp\n  · exact hq\n· exact hr",
    ),
    of("anonymous constructor", "(p q : Prop) (h : p ∧ q) : q ∧ p", "exact ⟨h.2, h.1⟩"),
    of("refine with holes", "(p q : Prop) (h : p ∧ q) : q ∧ p", "refine ⟨?_, ?_⟩\n· exact h.2\n· exact h.1"),
    of("cases", "(p q : Prop) (h : p ∨ q) : q ∨ p", "cases h with\n| inl h => exact .inr h\n| inr h => exact .inl h"),
    of(
        "rcases",
        "(p q r : Prop) (h : p ∧ (q ∨ r)) : q ∨ r",
        "rcases h with ⟨_, hq | hr⟩\n· left; exact hq\n· right; exact hr",
    ),
    of("obtain", "(h : ∃ n : ℕ, n > 3) : ∃ n : ℕ, n > 2", "obtain ⟨n, hn⟩ := h\nexact ⟨n, by omega⟩"),
    of("rintro", ": ∀ p q : Prop, p ∧ q → q ∧ p", "rintro p q ⟨hp, hq⟩\nexact ⟨hq, hp⟩"),
    of("induction", "(n : ℕ) : 0 + n = n", "induction n with\n| zero => rfl\n| succ n ih => rw [← Nat.add_assoc, ih]"),
    of(
        "strong induction",
        "(n : ℕ) : n < 2 ^ n",
        "induction n using Nat.strongRecOn with\n| _ n ih =>\n  exact Nat.lt_two_pow_self",
    ),
    of("induction of a list", "(l : List ℕ) : l.map id = l", "induction l with\n| nil => rfl\n| cons a l ih => simp"),
    of("by_cases", "(p : Prop) : p ∨ ¬ p", "by_cases h : p\n· exact .inl h\n· exact .inr h"),
    of("excluded middle", "(p : Prop) : ¬ ¬ p → p", "intro h\nexact Classical.byContradiction h"),
    of("split", "(n : ℕ) : (if n = 0 then 1 else n) > 0", "split\n· decide\n· omega"),
    of("rw", "(a b c : ℕ) (h : a = b) (k : b = c) : a = c", "rw [h, k]"),
    of("nth rewrite in conv", "(a b : ℕ) (h : a = b) : a + a = a + b", "conv => lhs; arg 2; rw [h]"),
    of("conv in", "(a b : ℕ) : a * b + 0 = b * a", "conv in a * b => rw [Nat.mul_comm]\nrfl"),
    of("calc", "(a b c : ℕ) (h : a = b) (k : b < c) : a < c", "calc\n  a = b := h\n  _ < c := k"),
    of(
        "calc with tactics",
        "(a : ℕ) : 2 * a = a + a",
        "calc 2 * a\n    = a * 2 := by rw [Nat.mul_comm]\n  _ = a + a := by omega",
    ),
    of("have", "(a : ℕ) (h : a > 2) : a * a > 4", "have k : a ≥ 3 := by omega\nhave := Nat.mul_le_mul k k\nomega"),
    of(
        "have with a block",
        "(a : ℕ) : a ≤ a * a",
        "have h : a = 0 ∨ 1 ≤ a := by\n  cases a with\n  | zero => left; rfl\n  | succ n =>\n"
        "    right\n    omega\nrcases h with h | h\n· simp [h]\n"
        "· exact Nat.le_mul_of_pos_left a h",
    ),
    of("suffices", "(a b : ℕ) (h : a = b) : b = a", "suffices k : a = b by exact k.symm\nexact h"),
    of("show", "(a : ℕ) : a.succ = a + 1", "show a + 1 = a + 1\nrfl"),
    of("change", "(a : ℕ) : a.succ = a + 1", "change a + 1 = a + 1\nrfl"),
    of("generalize", "(a b : ℕ) (h : a * b = 3) : a * b + 1 = 4", "generalize a * b = c at *\nomega"),
    of("revert", "(a : ℕ) (h : a = 3) : a + 1 = 4", "revert h\nintro k\nomega"),
    of("specialize", "(f : ∀ n : ℕ, n + 0 = n) : 3 + 0 = 3", "specialize f 3\nexact f"),
    of("exists", ": ∃ n : ℕ, n * n = 49", "exists 7"),
    of("use of a witness", ": ∃ n m : ℕ, n + m = 5 ∧ n * m = 6", "exact ⟨2, 3, rfl, rfl⟩"),
    of("funext", "(f : ℕ → ℕ) (h : ∀ n, f n = n) : f = id", "funext n\nexact h n"),
    of("ext", "(a b : ℕ × ℕ) (h : a.1 = b.1) (k : a.2 = b.2) : a = b", "ext\n· exact h\n· exact k"),
    of(
        "combinators",
        "(p q : Prop) (hp : p) (hq : q) : p ∧ q ∧ p",
        "refine ⟨?_, ?_, ?_⟩ <;> first | exact hp | exact hq",
    ),
    of("all_goals and any_goals", "(a : ℕ) : a = a ∧ a ≤ a", "constructor\nall_goals (try rfl)\nany_goals omega"),
    of("repeat", "(p : Prop) (h : p) : p ∧ p ∧ p", "repeat (first | exact h | constructor)"),
    of("case", "(p q : Prop) (hp : p) (hq : q) : p ∧ q", "constructor\ncase right => exact hq\ncase left => exact hp"),
    of(
        "next and rename_i",
        "(n : ℕ) : n = 0 ∨ n > 0",
        "cases n\nnext => left; rfl\nnext => right; rename_i m; exact Nat.succ_pos m",
    ),
    of("semicolons in parentheses", "(p q : Prop) (hp : p) (hq : q) : p ∧ q", "(constructor; exact hp; exact hq)"),
    of("set and let", "(a : ℕ) : a + a = 2 * a", "let b := a + a\nhave h : b = a + a := rfl\nomega"),
    # Terms, and what they add: match_1, _proof_1 and their like.
    of(
        "term with match",
        "(n : ℕ) : n = 0 ∨ n ≥ 1",
        "exact match n with\n  | 0 => .inl rfl\n  | k + 1 => .inr (by omega)",
    ),
    of("tactic match", "(n : ℕ) : n = 0 ∨ n ≥ 1", "match n with\n| 0 => left; rfl\n| k + 1 => right; omega"),
    of("match with a proof", "(h : ∃ n : ℕ, n > 3) : ∃ n : ℕ, n > 1", "match h with\n| ⟨n, hn⟩ => exact ⟨n, by omega⟩"),
    of(
        "pattern in fun", ": (∃ n : ℕ, n > 3) → ∃ n : ℕ, n > 1", "exact fun ⟨n, hn⟩ => ⟨n, Nat.lt_trans (by decide) hn⟩"
    ),
    of("if in a term", "(p : Prop) [Decidable p] : p ∨ ¬ p", "exact if h : p then .inl h else .inr h"),
    of(
        "recursion by let rec",
        ": ∀ n : ℕ, 0 + n = n",
        "let rec go : ∀ n : ℕ, 0 + n = n\n  | 0 => rfl\n  | n + 1 => congrArg (· + 1) (go n)\nexact go",
    ),
    of(
        "where",
        "(n : ℕ) : 0 + n = n",
        "exact go n\nwhere\n  go : ∀ n : ℕ, 0 + n = n\n  | 0 => rfl\n  | n + 1 => congrArg (· + 1) (go n)",
    ),
    of("nofun", ": ¬ (1 : ℕ) = 2", "nofun"),
    of("transport", "(a b : ℕ) (h : a = b) (k : a > 2) : b > 2", "exact h ▸ k"),
    of("match in the statement", ": (match (3 : ℕ) with | 0 => False | _ => True)", "trivial"),
    of("proof in the statement", ": (⟨2, by omega⟩ : Fin 3).val = 2", "rfl"),
    of(
        "match in statement and proof",
        "(n : ℕ) : (match n with | 0 => 0 | _ + 1 => 1) ≤ 1",
        "match n with\n| 0 => decide\n| _ + 1 => exact Nat.le_refl 1",
    ),
    of("instance of its own", ": ∃ a : ℕ, a = 0", "letI : Inhabited ℕ := ⟨0⟩\nexact ⟨default, rfl⟩"),
    of(
        "decidability by choice",
        "(p : ℕ → Prop) : (∃ n, p n) ∨ ∀ n, ¬ p n",
        "classical\nby_cases h : ∃ n, p n\n· exact .inl h\n· exact .inr fun n hn => h ⟨n, hn⟩",
    ),
    # How it is written.
    of("comments", ": (1 : ℕ) + 1 = 2", "-- by computing\nrfl /- that is /- all -/ -/ -- sorry: nothing more"),
    of("words of danger in comments", ": True", "-- no sorry, no axiom, no native_decide\ntrivial"),
    of("keywords in names", "(sorryNot : ℕ) (h : sorryNot = 1) : sorryNot = 1", "have axiomatic := h\nexact axiomatic"),
    of("unicode names", "(α₁ β' : ℕ) (h₀ : α₁ = β') : β' = α₁", "have ħ := h₀\nexact ħ.symm"),
    of("names in guillemets", "(«a b» : ℕ) : «a b» = «a b»", "rfl"),
    of("blank lines", "(p q : Prop) (hp : p) (hq : q) : p ∧ q", "constructor\n\n· exact hp\n\n\n· exact hq\n"),
    of("indented lines", "(p q : Prop) (hp : p) (hq : q) : p ∧ q", "  constructor\n  · exact hp\n  · exact hq"),
    of("carriage returns", "(p q : Prop) (hp : p) (hq : q) : p ∧ q", "constructor\r\n· exact hp\r\n· exact hq\r\n"),
    of("a limit raised", "(a b : ℕ) (h : a < b) : a + 1 ≤ b", "set_option maxHeartbeats 400000 in\nomega"),
    of("a recursion limit raised", ": (List.range 100).length = 100", "set_option maxRecDepth 4000 in\ndecide"),
    of("an option for names", ": ∀ n : ℕ, n = n", "set_option tactic.hygienic false in\nintros\nrfl"),
    of("a name space opened", "(a b : ℕ) (h : a < b) : a + 1 ≤ b", "open Nat in\nexact succ_le_of_lt h"),
    Honest("a dotted name", "theorem Nat.my_fact (n : ℕ) : n = n := by sorry", "rfl", name="Nat.my_fact"),
    Honest("a name in guillemets", "theorem «my fact» (n : ℕ) : n = n := by sorry", "rfl", name="«my fact»"),
    Honest("a name with a point", "theorem «my.fact» (n : ℕ) : n = n := by sorry", "rfl", name="«my.fact»"),
    Honest("sorry without by", "theorem x (n : ℕ) : n = n := sorry", "rfl"),
    Honest("sorry on its own line", "theorem x\n    (n : ℕ) :\n    n = n := by\n  sorry\n", "rfl"),
    Honest("a docstring", "/-- Everything is itself. -/\ntheorem x (n : ℕ) : n = n := by sorry", "rfl"),
    Honest("universes", "theorem x.{u} (α : Type u) (a : α) : a = a := by sorry", "rfl"),
    Honest("a universe without name", "theorem x (α : Type _) (a : α) : a = a := by sorry", "rfl"),
    # With the header of miniF2F and the prelude.
    of("a finite sum", ": ∑ k ∈ Finset.range 5, k = 10", "decide", MINIF2F),
    of(
        "a sum by induction",
        "(n : ℕ) : 2 * ∑ k ∈ Finset.range n, k = n * (n - 1)",
        "induction n with\n| zero => simp\n| succ n ih =>\n  rw [Finset.sum_range_succ]\n"
        "  cases n with\n  | zero => simp\n  | succ m => simp at *; grind",
        MINIF2F,
    ),
    of("a product", ": ∏ k ∈ Finset.Icc 1 5, k = 120", "decide +kernel", MINIF2F),
    of("a factorial", ": 5 ! = 120", "rfl", MINIF2F),
    of("a prime", ": Nat.Prime 97", "decide +kernel", MINIF2F),
    of("real numbers", "(x y : ℝ) (h₀ : x + y = 7) (h₁ : x - y = 3) : x = 5", "grind", MINIF2F),
    of("powers of real numbers", "(x : ℝ) (h : x ^ 2 = 4) (k : x ≠ 2) : x = -2", "grind", MINIF2F),
    of("rational numbers", "(x : ℚ) (h : 2 * x = 6) : x = 3", "grind", MINIF2F),
    of(
        "a comment in the header",
        "(n : ℕ) : n = n",
        "rfl",
        "-- from the book\nimport Mathlib.Tactic\nopen Nat\nopen scoped Real",
    ),
)
