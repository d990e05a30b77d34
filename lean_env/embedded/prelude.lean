/-!
# The prelude of the embedded engine

Canonical miniF2F statements are written for Mathlib. This file lets them elaborate unmodified over core Lean, with
the meaning that they have in Mathlib. Rules it keeps:

* Every definition is Mathlib's, junk values included (x / 0 = 0, √ of a negative number is 0, ⌊x⌋₊ of one is 0, sums
  over the empty set, Nat.divisors 0 = ∅). Its docstring names the definition, and where the text differs, the lemma of
  Mathlib that says both are equal.
* Nothing is assumed: ℝ is constructed from Cauchy sequences of rational numbers, as in Mathlib, and proved to be a
  complete ordered field; the kernel checks every proof here.
* What Mathlib has and this file has not stays unknown to the elaborator, so that such a statement is reported as
  unsupported and never read with another meaning.

Mathlib's algebraic classes are replaced by those of core that `grind` works on (`Lean.Grind.CommRing`,
`Lean.Grind.Field`, `Lean.Grind.OrderedRing`, `Std.IsLinearOrder`); the operations of the number types are the same.
Lemmas have Mathlib's names. `grind` knows absolute values, square roots, floors, membership, parity, and sums and
products over ranges.

The file has two parts. The library, up to the line `END OF LIBRARY`, is compiled once and imported. The rest, the
scope, is run at every start.
-/

@[expose] public noncomputable section

universe u v

-- a family of lemmas shares one list of instances, though some could do with fewer
set_option linter.unusedSectionVars false

/-! ## Notations and namespaces -/

notation "ℕ" => Nat
notation "ℤ" => Int
notation "ℚ" => Rat

namespace BigOperators
end BigOperators
namespace Topology
end Topology
namespace Real
end Real

/-! ## Logic and functions -/

/-- Mathlib's `ExistsUnique`: there is exactly one. -/
def ExistsUnique {α : Sort u} (p : α → Prop) : Prop := ∃ x, p x ∧ ∀ y, p y → y = x

syntax "∃! " ident (" : " term)? ", " term : term
macro_rules
  | `(∃! $x:ident, $p) => `(ExistsUnique fun $x:ident => $p)
  | `(∃! $x:ident : $t, $p) => `(ExistsUnique fun $x:ident : $t => $p)

/-- Mathlib's `Function.Bijective`. -/
def Function.Bijective {α : Sort u} {β : Sort v} (f : α → β) : Prop := Injective f ∧ Surjective f

/-- Mathlib's `Equiv`: a map with a two-sided inverse. -/
structure Equiv (α : Sort u) (β : Sort v) where
  /-- The map. -/
  toFun : α → β
  /-- Its inverse. -/
  invFun : β → α
  left_inv : ∀ x, invFun (toFun x) = x
  right_inv : ∀ x, toFun (invFun x) = x

infixl:25 " ≃ " => Equiv

instance {α : Sort u} {β : Sort v} : CoeFun (Equiv α β) fun _ => α → β := ⟨Equiv.toFun⟩

/-! ## Sets -/

/-- Mathlib's `Set`: a set is its membership predicate. -/
def Set (α : Type u) : Type u := α → Prop

/-- Mathlib's `setOf`: the set of the elements with a property. -/
def setOf {α : Type u} (p : α → Prop) : Set α := p

syntax "{" ident " | " term "}" : term
syntax "{" ident " : " term " | " term "}" : term
macro_rules
  | `({$x:ident | $p}) => `(setOf fun $x:ident => $p)
  | `({$x:ident : $t | $p}) => `(setOf fun $x:ident : $t => $p)

namespace Set

/-- Mathlib's `Set.Mem`. -/
protected def Mem {α : Type u} (s : Set α) (a : α) : Prop := s a

instance {α : Type u} : Membership α (Set α) := ⟨Set.Mem⟩
/-- Mathlib's `Set.Elem`: a set as the subtype of its elements. -/
instance {α : Type u} : CoeSort (Set α) (Type u) := ⟨fun s => {x // x ∈ s}⟩
instance {α : Type u} : EmptyCollection (Set α) := ⟨fun _ => False⟩
instance {α : Type u} : Singleton α (Set α) := ⟨fun a => {x | x = a}⟩
instance {α : Type u} : Insert α (Set α) := ⟨fun a s => {x | x = a ∨ x ∈ s}⟩
instance {α : Type u} : Union (Set α) := ⟨fun s t => {x | x ∈ s ∨ x ∈ t}⟩
instance {α : Type u} : Inter (Set α) := ⟨fun s t => {x | x ∈ s ∧ x ∈ t}⟩
instance {α : Type u} : SDiff (Set α) := ⟨fun s t => {x | x ∈ s ∧ x ∉ t}⟩
instance {α : Type u} : HasSubset (Set α) := ⟨fun s t => ∀ a, a ∈ s → a ∈ t⟩

/-- Mathlib's `Set.univ`. -/
def univ {α : Type u} : Set α := fun _ => True
/-- Mathlib's `Set.image`, written `f '' s`. -/
def image {α : Type u} {β : Type v} (f : α → β) (s : Set α) : Set β := {y | ∃ x, x ∈ s ∧ f x = y}
/-- Mathlib's `Set.preimage`, written `f ⁻¹' s`. -/
def preimage {α : Type u} {β : Type v} (f : α → β) (s : Set β) : Set α := {x | f x ∈ s}
/-- Mathlib's `Set.range`. -/
def range {α : Type u} {ι : Sort v} (f : ι → α) : Set α := {y | ∃ x, f x = y}
/-- Mathlib's `Set.Nonempty`. -/
protected def Nonempty {α : Type u} (s : Set α) : Prop := ∃ x, x ∈ s

infixl:80 " '' " => Set.image
infixl:80 " ⁻¹' " => Set.preimage

theorem ext {α : Type u} {a b : Set α} (h : ∀ x : α, x ∈ a ↔ x ∈ b) : a = b := funext fun x => propext (h x)
theorem ext_iff {α : Type u} {a b : Set α} : a = b ↔ ∀ x : α, x ∈ a ↔ x ∈ b := ⟨by rintro rfl x; rfl, ext⟩
@[simp, grind =] theorem mem_setOf_eq {α : Type u} {a : α} {p : α → Prop} : (a ∈ setOf p) = p a := rfl
@[simp, grind =] theorem mem_univ {α : Type u} (x : α) : (x ∈ (univ : Set α)) = True := rfl
@[simp, grind =] theorem mem_empty_iff_false {α : Type u} (x : α) : x ∈ (∅ : Set α) ↔ False := Iff.rfl
@[simp, grind =] theorem mem_singleton_iff {α : Type u} {a b : α} : a ∈ ({b} : Set α) ↔ a = b := Iff.rfl
@[simp, grind =] theorem mem_insert_iff {α : Type u} {x a : α} {s : Set α} : x ∈ insert a s ↔ x = a ∨ x ∈ s := Iff.rfl
@[simp, grind =] theorem mem_union {α : Type u} (x : α) (s t : Set α) : x ∈ s ∪ t ↔ x ∈ s ∨ x ∈ t := Iff.rfl
@[simp, grind =] theorem mem_inter_iff {α : Type u} (x : α) (s t : Set α) : x ∈ s ∩ t ↔ x ∈ s ∧ x ∈ t := Iff.rfl
@[simp, grind =] theorem mem_diff {α : Type u} {s t : Set α} (x : α) : x ∈ s \ t ↔ x ∈ s ∧ x ∉ t := Iff.rfl
@[simp, grind =] theorem mem_preimage {α : Type u} {β : Type v} {f : α → β} {s : Set β} {a : α} :
    a ∈ f ⁻¹' s ↔ f a ∈ s := Iff.rfl
@[simp, grind =] theorem mem_image {α : Type u} {β : Type v} (f : α → β) (s : Set α) (y : β) :
    y ∈ f '' s ↔ ∃ x, x ∈ s ∧ f x = y := Iff.rfl
@[simp, grind =] theorem mem_range {α : Type u} {ι : Sort v} {f : ι → α} {y : α} : y ∈ range f ↔ ∃ x, f x = y := Iff.rfl
theorem subset_def {α : Type u} {s t : Set α} : (s ⊆ t) = ∀ x, x ∈ s → x ∈ t := rfl

/-! Intervals: Mathlib's `Set.Icc` and its siblings. -/

/-- Mathlib's `Set.Icc`. -/
def Icc {α : Type u} [LE α] (a b : α) : Set α := {x | a ≤ x ∧ x ≤ b}
/-- Mathlib's `Set.Ico`. -/
def Ico {α : Type u} [LE α] [LT α] (a b : α) : Set α := {x | a ≤ x ∧ x < b}
/-- Mathlib's `Set.Ioc`. -/
def Ioc {α : Type u} [LE α] [LT α] (a b : α) : Set α := {x | a < x ∧ x ≤ b}
/-- Mathlib's `Set.Ioo`. -/
def Ioo {α : Type u} [LT α] (a b : α) : Set α := {x | a < x ∧ x < b}
/-- Mathlib's `Set.Ici`. -/
def Ici {α : Type u} [LE α] (a : α) : Set α := {x | a ≤ x}
/-- Mathlib's `Set.Ioi`. -/
def Ioi {α : Type u} [LT α] (a : α) : Set α := {x | a < x}
/-- Mathlib's `Set.Iic`. -/
def Iic {α : Type u} [LE α] (b : α) : Set α := {x | x ≤ b}
/-- Mathlib's `Set.Iio`. -/
def Iio {α : Type u} [LT α] (b : α) : Set α := {x | x < b}

@[simp, grind =] theorem mem_Icc {α : Type u} [LE α] {a b x : α} : x ∈ Icc a b ↔ a ≤ x ∧ x ≤ b := Iff.rfl
@[simp, grind =] theorem mem_Ico {α : Type u} [LE α] [LT α] {a b x : α} : x ∈ Ico a b ↔ a ≤ x ∧ x < b := Iff.rfl
@[simp, grind =] theorem mem_Ioc {α : Type u} [LE α] [LT α] {a b x : α} : x ∈ Ioc a b ↔ a < x ∧ x ≤ b := Iff.rfl
@[simp, grind =] theorem mem_Ioo {α : Type u} [LT α] {a b x : α} : x ∈ Ioo a b ↔ a < x ∧ x < b := Iff.rfl
@[simp, grind =] theorem mem_Ici {α : Type u} [LE α] {a x : α} : x ∈ Ici a ↔ a ≤ x := Iff.rfl
@[simp, grind =] theorem mem_Ioi {α : Type u} [LT α] {a x : α} : x ∈ Ioi a ↔ a < x := Iff.rfl
@[simp, grind =] theorem mem_Iic {α : Type u} [LE α] {b x : α} : x ∈ Iic b ↔ x ≤ b := Iff.rfl
@[simp, grind =] theorem mem_Iio {α : Type u} [LT α] {b x : α} : x ∈ Iio b ↔ x < b := Iff.rfl

end Set

/-! ## Order -/

section
variable {α : Type u} [LE α]
/-- Mathlib's `upperBounds`. -/
def upperBounds (s : Set α) : Set α := {x | ∀ a, a ∈ s → a ≤ x}
/-- Mathlib's `lowerBounds`. -/
def lowerBounds (s : Set α) : Set α := {x | ∀ a, a ∈ s → x ≤ a}
/-- Mathlib's `BddAbove`. -/
def BddAbove (s : Set α) : Prop := (upperBounds s).Nonempty
/-- Mathlib's `BddBelow`. -/
def BddBelow (s : Set α) : Prop := (lowerBounds s).Nonempty
/-- Mathlib's `IsLeast`: `a` is a member of `s` and below every member. -/
def IsLeast (s : Set α) (a : α) : Prop := a ∈ s ∧ a ∈ lowerBounds s
/-- Mathlib's `IsGreatest`: `a` is a member of `s` and above every member. -/
def IsGreatest (s : Set α) (a : α) : Prop := a ∈ s ∧ a ∈ upperBounds s
/-- Mathlib's `IsLUB`. -/
def IsLUB (s : Set α) (a : α) : Prop := IsLeast (upperBounds s) a
/-- Mathlib's `IsGLB`. -/
def IsGLB (s : Set α) (a : α) : Prop := IsGreatest (lowerBounds s) a

@[simp, grind =] theorem mem_upperBounds {s : Set α} {a : α} : a ∈ upperBounds s ↔ ∀ x, x ∈ s → x ≤ a := Iff.rfl
@[simp, grind =] theorem mem_lowerBounds {s : Set α} {a : α} : a ∈ lowerBounds s ↔ ∀ x, x ∈ s → a ≤ x := Iff.rfl
@[grind =] theorem isLeast_iff {s : Set α} {a : α} : IsLeast s a ↔ a ∈ s ∧ ∀ x, x ∈ s → a ≤ x := Iff.rfl
@[grind =] theorem isGreatest_iff {s : Set α} {a : α} : IsGreatest s a ↔ a ∈ s ∧ ∀ x, x ∈ s → x ≤ a := Iff.rfl
end

/-- Mathlib's `SupSet`. -/
class SupSet (α : Type u) where
  /-- The supremum of a set. -/
  sSup : Set α → α
/-- Mathlib's `InfSet`. -/
class InfSet (α : Type u) where
  /-- The infimum of a set. -/
  sInf : Set α → α
export SupSet (sSup)
export InfSet (sInf)
open Classical in
/-- Mathlib's `sInf` on ℕ: the least member, and 0 for the empty set (`Nat.sInf_def`). -/
instance : InfSet ℕ := ⟨fun s => if h : ∃ n, IsLeast s n then choose h else 0⟩

section
variable {α : Type u} {β : Type v}
/-- Mathlib's `Monotone`. -/
def Monotone [LE α] [LE β] (f : α → β) : Prop := ∀ ⦃a b⦄, a ≤ b → f a ≤ f b
/-- Mathlib's `Antitone`. -/
def Antitone [LE α] [LE β] (f : α → β) : Prop := ∀ ⦃a b⦄, a ≤ b → f b ≤ f a
/-- Mathlib's `StrictMono`. -/
def StrictMono [LT α] [LT β] (f : α → β) : Prop := ∀ ⦃a b⦄, a < b → f a < f b
/-- Mathlib's `StrictAnti`. -/
def StrictAnti [LT α] [LT β] (f : α → β) : Prop := ∀ ⦃a b⦄, a < b → f b < f a
/-- Mathlib's `MonotoneOn`. -/
def MonotoneOn [LE α] [LE β] (f : α → β) (s : Set α) : Prop := ∀ ⦃a⦄, a ∈ s → ∀ ⦃b⦄, b ∈ s → a ≤ b → f a ≤ f b
/-- Mathlib's `StrictMonoOn`. -/
def StrictMonoOn [LT α] [LT β] (f : α → β) (s : Set α) : Prop := ∀ ⦃a⦄, a ∈ s → ∀ ⦃b⦄, b ∈ s → a < b → f a < f b
end

/-! ## Absolute value and parity -/

/-- Mathlib's `abs`, which is `a ⊔ -a`. -/
def abs {α : Type u} [Max α] [Neg α] (a : α) : α := max a (-a)

macro:max atomic("|" noWs) a:term noWs "|" : term => `(abs $a)

/-- Mathlib's `Even`. -/
def Even {α : Type u} [Add α] (a : α) : Prop := ∃ r, a = r + r
/-- Mathlib's `Odd`. -/
def Odd {α : Type u} [Lean.Grind.Semiring α] (a : α) : Prop := ∃ m, a = 2 * m + 1
/-- Mathlib's `IsSquare`. -/
def IsSquare {α : Type u} [Mul α] (a : α) : Prop := ∃ r, a = r * r

@[grind =] theorem Nat.even_iff {n : ℕ} : Even n ↔ n % 2 = 0 := ⟨by rintro ⟨r, rfl⟩; omega, fun h => ⟨n / 2, by omega⟩⟩
@[grind =] theorem Nat.odd_iff {n : ℕ} : Odd n ↔ n % 2 = 1 :=
  ⟨by rintro ⟨r, rfl⟩; omega, fun h => ⟨n / 2, by omega⟩⟩
@[grind =] theorem Int.even_iff {n : ℤ} : Even n ↔ n % 2 = 0 := ⟨by rintro ⟨r, rfl⟩; omega, fun h => ⟨n / 2, by omega⟩⟩
@[grind =] theorem Int.odd_iff {n : ℤ} : Odd n ↔ n % 2 = 1 :=
  ⟨by rintro ⟨r, rfl⟩; omega, fun h => ⟨n / 2, by omega⟩⟩
instance (n : ℕ) : Decidable (Even n) := decidable_of_iff _ Nat.even_iff.symm
instance (n : ℕ) : Decidable (Odd n) := decidable_of_iff _ Nat.odd_iff.symm
instance (n : ℤ) : Decidable (Even n) := decidable_of_iff _ Int.even_iff.symm
instance (n : ℤ) : Decidable (Odd n) := decidable_of_iff _ Int.odd_iff.symm

/-! ## Natural numbers -/

namespace Nat

/-- Mathlib's `Nat.Prime` is `Irreducible p`; this is its `Nat.prime_def`. -/
@[pp_nodot] protected def Prime (p : ℕ) : Prop := 2 ≤ p ∧ ∀ m, m ∣ p → m = 1 ∨ m = p

theorem Prime.two_le {p : ℕ} (h : p.Prime) : 2 ≤ p := h.1
theorem Prime.pos {p : ℕ} (h : p.Prime) : 0 < p := by have := h.1; omega
theorem Prime.one_lt {p : ℕ} (h : p.Prime) : 1 < p := h.1
theorem Prime.ne_zero {p : ℕ} (h : p.Prime) : p ≠ 0 := by have := h.1; omega
theorem Prime.ne_one {p : ℕ} (h : p.Prime) : p ≠ 1 := by have := h.1; omega
theorem Prime.eq_one_or_self_of_dvd {p : ℕ} (h : p.Prime) (m : ℕ) (hm : m ∣ p) : m = 1 ∨ m = p := h.2 m hm

/-- `Nat.sqrt`, digit by digit in base 4. The first argument is fuel, so that it computes in the kernel. -/
def sqrt.go : ℕ → ℕ → ℕ
  | 0, _ => 0
  | fuel + 1, n =>
    if n = 0 then 0 else
      let r := 2 * go fuel (n / 4)
      if (r + 1) * (r + 1) ≤ n then r + 1 else r

/-- Mathlib's `Nat.sqrt`: the largest `r` with `r * r ≤ n`; see `Nat.sqrt_le` and `Nat.lt_succ_sqrt`. -/
def sqrt (n : ℕ) : ℕ := sqrt.go (n.log2 + 1) n

theorem sqrt.go_spec : ∀ (fuel n : ℕ), n < 2 ^ fuel → go fuel n * go fuel n ≤ n ∧ n < (go fuel n + 1) * (go fuel n + 1)
  | 0, n, h => by simp at h; subst h; simp [go]
  | fuel + 1, n, h => by
    have ih := go_spec fuel (n / 4) (by rw [Nat.pow_succ] at h; omega)
    rw [go]
    generalize go fuel (n / 4) = r at *
    have := Nat.div_add_mod n 4
    have := Nat.mod_lt n (show 4 > 0 by decide)
    split
    · subst n; simp
    · simp only []
      split <;> constructor <;> grind

theorem sqrt_le (n : ℕ) : sqrt n * sqrt n ≤ n := (sqrt.go_spec _ n Nat.lt_log2_self).1
theorem lt_succ_sqrt (n : ℕ) : n < succ (sqrt n) * succ (sqrt n) := (sqrt.go_spec _ n Nat.lt_log2_self).2
theorem sqrt_eq_iff {n r : ℕ} : sqrt n = r ↔ r * r ≤ n ∧ n < (r + 1) * (r + 1) := by
  have h₁ := sqrt_le n
  have h₂ := lt_succ_sqrt n
  constructor
  · rintro rfl; exact ⟨h₁, h₂⟩
  · rintro ⟨h₃, h₄⟩
    have := Nat.mul_self_lt_mul_self_iff.1 (Nat.lt_of_le_of_lt h₁ h₄)
    have := Nat.mul_self_lt_mul_self_iff.1 (Nat.lt_of_le_of_lt h₃ h₂)
    omega
@[simp] theorem sqrt_eq (n : ℕ) : sqrt (n * n) = n := sqrt_eq_iff.2 ⟨Nat.le_refl _, by grind⟩

/-- Trial division up to the square root decides primality. -/
theorem prime_iff_trial {p : ℕ} : p.Prime ↔ 2 ≤ p ∧ ∀ m, m < sqrt p + 1 → 2 ≤ m → ¬ p % m = 0 := by
  constructor
  · rintro ⟨h₁, h₂⟩
    refine ⟨h₁, fun m hm h2 h0 => ?_⟩
    rcases h₂ m (Nat.dvd_of_mod_eq_zero h0) with rfl | rfl
    · omega
    · have := sqrt_le m
      have : m * 2 ≤ m * m := Nat.mul_le_mul_left m h2
      have : m ≤ sqrt m := by omega
      have := Nat.mul_le_mul this this
      omega
  · rintro ⟨h₁, h₂⟩
    refine ⟨h₁, fun m hm => ?_⟩
    obtain ⟨k, hk⟩ := hm
    have h₃ := lt_succ_sqrt p
    by_cases hm1 : m = 1
    · exact .inl hm1
    by_cases hk1 : k = 1
    · subst hk1; right; simp [hk]
    exfalso
    have hm0 : m ≠ 0 := by rintro rfl; simp at hk; omega
    have hk0 : k ≠ 0 := by rintro rfl; simp at hk; omega
    by_cases hle : m < sqrt p + 1
    · exact h₂ m hle (by omega) (by rw [hk]; simp)
    by_cases hle' : k < sqrt p + 1
    · exact h₂ k hle' (by omega) (by rw [hk]; simp)
    have := Nat.mul_le_mul (Nat.le_of_not_lt hle) (Nat.le_of_not_lt hle')
    simp only [Nat.succ_eq_add_one] at h₃
    omega

instance decidablePrime (p : ℕ) : Decidable p.Prime := decidable_of_iff _ prime_iff_trial.symm

theorem prime_two : Nat.Prime 2 := by decide
theorem prime_three : Nat.Prime 3 := by decide
theorem prime_five : Nat.Prime 5 := by decide
theorem not_prime_zero : ¬ Nat.Prime 0 := by decide
theorem not_prime_one : ¬ Nat.Prime 1 := by decide
theorem prime_def {p : ℕ} : p.Prime ↔ 2 ≤ p ∧ ∀ m, m ∣ p → m = 1 ∨ m = p := Iff.rfl
theorem Prime.eq_two_or_odd {p : ℕ} (h : p.Prime) : p = 2 ∨ p % 2 = 1 := by
  by_cases h2 : 2 ∣ p
  · have := h.2 2 h2; omega
  · omega

theorem Prime.coprime_iff_not_dvd {p n : ℕ} (pp : p.Prime) : Coprime p n ↔ ¬p ∣ n := by
  constructor
  · intro h hd
    have := Nat.dvd_gcd (Nat.dvd_refl p) hd
    rw [show p.gcd n = 1 from h] at this
    exact pp.ne_one (Nat.dvd_one.1 this)
  · intro h
    rcases pp.2 _ (Nat.gcd_dvd_left p n) with h1 | h1
    · exact h1
    · exact absurd (h1 ▸ Nat.gcd_dvd_right p n) h

theorem Prime.dvd_mul {p m n : ℕ} (pp : p.Prime) : p ∣ m * n ↔ p ∣ m ∨ p ∣ n := by
  constructor
  · intro h
    by_cases hm : p ∣ m
    · exact .inl hm
    · exact .inr ((pp.coprime_iff_not_dvd.2 hm).dvd_of_dvd_mul_left h)
  · rintro (h | h)
    · exact Nat.dvd_trans h (Nat.dvd_mul_right m n)
    · exact Nat.dvd_trans h (Nat.dvd_mul_left n m)

theorem Prime.dvd_of_dvd_pow {p m n : ℕ} (pp : p.Prime) (h : p ∣ m ^ n) : p ∣ m := by
  induction n with
  | zero => simp at h; exact absurd h pp.ne_one
  | succ n ih => rw [Nat.pow_succ] at h; exact (pp.dvd_mul.1 h).elim ih id

/-- Mathlib's `Nat.factorial`. -/
def factorial : ℕ → ℕ
  | 0 => 1
  | n + 1 => (n + 1) * factorial n

@[inherit_doc] scoped notation:10000 n "!" => Nat.factorial n

@[simp, grind =] theorem factorial_zero : factorial 0 = 1 := rfl
@[grind =] theorem factorial_succ (n : ℕ) : factorial (n + 1) = (n + 1) * factorial n := rfl
theorem factorial_pos : ∀ n : ℕ, 0 < factorial n
  | 0 => by decide
  | n + 1 => Nat.mul_pos (Nat.succ_pos n) (factorial_pos n)
theorem dvd_factorial : ∀ {m n : ℕ}, 0 < m → m ≤ n → m ∣ factorial n
  | _, 0, h, h' => by omega
  | m, n + 1, h, h' => by
    rw [factorial_succ]
    by_cases e : m = n + 1
    · subst e; exact Nat.dvd_mul_right _ _
    · exact Nat.dvd_trans (dvd_factorial h (by omega)) (Nat.dvd_mul_left _ _)

/-- Mathlib's `Nat.choose`. -/
def choose : ℕ → ℕ → ℕ
  | _, 0 => 1
  | 0, _ + 1 => 0
  | n + 1, k + 1 => choose n k + choose n (k + 1)

@[simp] theorem choose_zero_right : ∀ n : ℕ, choose n 0 = 1
  | 0 => rfl
  | _ + 1 => rfl
@[simp] theorem choose_zero_succ (k : ℕ) : choose 0 (k + 1) = 0 := rfl
@[grind =] theorem choose_succ_succ (n k : ℕ) : choose (n + 1) (k + 1) = choose n k + choose n (k + 1) := rfl
theorem choose_eq_zero_of_lt : ∀ {n k : ℕ}, n < k → choose n k = 0
  | _, 0, h => by omega
  | 0, _ + 1, _ => rfl
  | n + 1, k + 1, h => by rw [choose_succ_succ, choose_eq_zero_of_lt (by omega), choose_eq_zero_of_lt (by omega)]
@[simp] theorem choose_self : ∀ n : ℕ, choose n n = 1
  | 0 => rfl
  | n + 1 => by rw [choose_succ_succ, choose_self n, choose_eq_zero_of_lt (Nat.lt_succ_self n)]
@[simp] theorem choose_one_right : ∀ n : ℕ, choose n 1 = n
  | 0 => rfl
  | n + 1 => by rw [choose_succ_succ, choose_one_right n]; simp; omega

/-- Mathlib's `Nat.ModEq`. -/
def ModEq (n a b : ℕ) : Prop := a % n = b % n
@[inherit_doc] scoped notation:50 a " ≡ " b " [MOD " n "]" => Nat.ModEq n a b
instance (n a b : ℕ) : Decidable (ModEq n a b) := inferInstanceAs (Decidable (a % n = b % n))
@[simp, grind =] theorem modEq_iff_mod_eq {n a b : ℕ} : ModEq n a b ↔ a % n = b % n := Iff.rfl

/-- The digits of `n` in base `b ≥ 2`; the first argument is fuel. -/
def digits.go (b : ℕ) : ℕ → ℕ → List ℕ
  | 0, _ => []
  | fuel + 1, n => if n = 0 then [] else n % b :: go b fuel (n / b)

/-- Mathlib's `Nat.digits`: least significant digit first, none for 0; in base 1 `n` ones, in base 0 `[n]`. -/
def digits : ℕ → ℕ → List ℕ
  | 0, n => if n = 0 then [] else [n]
  | 1, n => List.replicate n 1
  | b + 2, n => digits.go (b + 2) n n

/-- Mathlib's `Nat.log`: the largest `k` with `b ^ k ≤ n`, and 0 where there is none (`b ≤ 1` or `n < b`). -/
def log (b n : ℕ) : ℕ := if b ≤ 1 then 0 else (digits b n).length - 1

end Nat

/-- Mathlib's `Int.ModEq`. -/
def Int.ModEq (n a b : ℤ) : Prop := a % n = b % n
@[inherit_doc] notation:50 a " ≡ " b " [ZMOD " n "]" => Int.ModEq n a b
instance (n a b : ℤ) : Decidable (Int.ModEq n a b) := inferInstanceAs (Decidable (a % n = b % n))
@[simp, grind =] theorem Int.modEq_iff_emod_eq {n a b : ℤ} : Int.ModEq n a b ↔ a % n = b % n := Iff.rfl

/-! ## Finite sets -/

/-- Mathlib's `Finset`: a finite set of elements. Mathlib takes duplicate-free multisets, that is duplicate-free lists
up to permutation; two duplicate-free lists are permutations of each other just when they have the same members
(`Finset.perm`), which is the relation used here. -/
instance Finset.setoid (α : Type u) : Setoid {l : List α // l.Nodup} where
  r a b := ∀ x, x ∈ a.1 ↔ x ∈ b.1
  iseqv := ⟨fun _ _ => Iff.rfl, fun h x => (h x).symm, fun h k x => (h x).trans (k x)⟩

@[inherit_doc Finset.setoid] def Finset (α : Type u) : Type u := Quotient (Finset.setoid α)

namespace Finset

/-- Duplicate-free lists with the same members are permutations of each other. -/
theorem perm {α : Type u} : ∀ {l₁ l₂ : List α}, l₁.Nodup → l₂.Nodup → (∀ x, x ∈ l₁ ↔ x ∈ l₂) → l₁.Perm l₂
  | [], l₂, _, _, h => by
    have : l₂ = [] := List.eq_nil_iff_forall_not_mem.2 fun x hx => by simpa using (h x).2 hx
    rw [this]
  | a :: l₁, l₂, n₁, n₂, h => by
    obtain ⟨s, t, rfl⟩ := List.append_of_mem ((h a).1 (List.mem_cons_self ..))
    have n₃ : (a :: (s ++ t)).Nodup := (List.perm_middle.nodup_iff).1 n₂
    rw [List.nodup_cons] at n₁ n₃
    refine (List.Perm.cons a (perm n₁.2 n₃.2 fun x => ?_)).trans List.perm_middle.symm
    have := h x
    by_cases e : x = a
    · subst e; exact ⟨fun k => absurd k n₁.1, fun k => absurd k n₃.1⟩
    · simpa [e] using this

variable {α : Type u} {β : Type v}

/-- The finite set of the members of a duplicate-free list. -/
def ofList (l : List α) (h : l.Nodup) : Finset α := Quotient.mk _ ⟨l, h⟩

/-- Membership; Mathlib's `a ∈ s.val`. -/
protected def Mem (s : Finset α) (a : α) : Prop := Quotient.lift (fun l => a ∈ l.1)
  (fun x y h => propext ((show ∀ z, z ∈ x.1 ↔ z ∈ y.1 from h) a)) s
instance : Membership α (Finset α) := ⟨Finset.Mem⟩
/-- Mathlib's coercion of a finite set to a set. -/
instance : CoeTC (Finset α) (Set α) := ⟨fun s => {x | x ∈ s}⟩
/-- Mathlib's coercion of a finite set to the type of its elements. -/
instance : CoeSort (Finset α) (Type u) := ⟨fun s => {x // x ∈ s}⟩

theorem mem_ofList {l : List α} {h : l.Nodup} {a : α} : a ∈ ofList l h ↔ a ∈ l := Iff.rfl

theorem ext {s t : Finset α} (h : ∀ a, a ∈ s ↔ a ∈ t) : s = t := by
  induction s using Quotient.ind
  induction t using Quotient.ind
  exact Quotient.sound h
theorem ext_iff {s t : Finset α} : s = t ↔ ∀ a, a ∈ s ↔ a ∈ t := ⟨by rintro rfl a; rfl, ext⟩

/-- Every finite set is the set of the members of a list. -/
theorem exists_list (s : Finset α) : ∃ l h, s = ofList l h := by
  induction s using Quotient.ind with | _ l => exact ⟨l.1, l.2, rfl⟩

instance decidableMem [DecidableEq α] (a : α) (s : Finset α) : Decidable (a ∈ s) :=
  Quotient.recOnSubsingleton (motive := fun s : Finset α => Decidable (a ∈ s)) s
    fun l => inferInstanceAs (Decidable (a ∈ l.1))
instance decidableForall (p : α → Prop) [DecidablePred p] (s : Finset α) : Decidable (∀ x, x ∈ s → p x) :=
  Quotient.recOnSubsingleton (motive := fun s : Finset α => Decidable (∀ x, x ∈ s → p x)) s
    fun l => inferInstanceAs (Decidable (∀ x, x ∈ l.1 → p x))
instance decidableExists (p : α → Prop) [DecidablePred p] (s : Finset α) : Decidable (∃ x, x ∈ s ∧ p x) :=
  Quotient.recOnSubsingleton (motive := fun s : Finset α => Decidable (∃ x, x ∈ s ∧ p x)) s
    fun l => inferInstanceAs (Decidable (∃ x, x ∈ l.1 ∧ p x))

instance : HasSubset (Finset α) := ⟨fun s t => ∀ ⦃a⦄, a ∈ s → a ∈ t⟩
theorem subset_iff {s t : Finset α} : s ⊆ t ↔ ∀ ⦃x⦄, x ∈ s → x ∈ t := Iff.rfl
instance [DecidableEq α] (s t : Finset α) : Decidable (s ⊆ t) := inferInstanceAs (Decidable (∀ x, x ∈ s → x ∈ t))
instance [DecidableEq α] : DecidableEq (Finset α) := fun s t =>
  decidable_of_iff (s ⊆ t ∧ t ⊆ s) ⟨fun h => ext fun _ => ⟨fun k => h.1 k, fun k => h.2 k⟩,
    by rintro rfl; exact ⟨fun _ h => h, fun _ h => h⟩⟩

instance : EmptyCollection (Finset α) := ⟨ofList [] List.nodup_nil⟩
instance : Inhabited (Finset α) := ⟨∅⟩
@[simp, grind =] theorem mem_empty_iff (a : α) : a ∈ (∅ : Finset α) ↔ False := by
  show a ∈ [] ↔ False
  simp
theorem notMem_empty (a : α) : a ∉ (∅ : Finset α) := by simp
instance : Singleton α (Finset α) := ⟨fun a => ofList [a] (by simp)⟩
@[simp, grind =] theorem mem_singleton {a b : α} : b ∈ ({a} : Finset α) ↔ b = a := by
  show b ∈ [a] ↔ b = a
  simp

theorem nodup_insert [DecidableEq α] (a : α) {l : List α} (h : l.Nodup) : (l.insert a).Nodup := by
  by_cases k : a ∈ l
  · rwa [List.insert_of_mem k]
  · rw [List.insert_of_not_mem k]; exact List.nodup_cons.2 ⟨k, h⟩

instance [DecidableEq α] : Insert α (Finset α) := ⟨fun a => Quotient.lift
  (fun l => ofList (l.1.insert a) (nodup_insert a l.2))
  fun x y h => Quotient.sound fun z => by
    show z ∈ x.1.insert a ↔ z ∈ y.1.insert a
    rw [List.mem_insert_iff, List.mem_insert_iff, show z ∈ x.1 ↔ z ∈ y.1 from h z]⟩
@[simp, grind =] theorem mem_insert [DecidableEq α] {a b : α} {s : Finset α} : a ∈ insert b s ↔ a = b ∨ a ∈ s := by
  obtain ⟨l, h, rfl⟩ := exists_list s
  exact List.mem_insert_iff

/-- Mathlib's `Finset.filter`. -/
def filter (p : α → Prop) [DecidablePred p] : Finset α → Finset α := Quotient.lift
  (fun l => ofList (l.1.filter fun x => p x) (l.2.filter _))
  fun x y h => Quotient.sound fun z => by
    show z ∈ x.1.filter _ ↔ z ∈ y.1.filter _
    rw [List.mem_filter, List.mem_filter, show z ∈ x.1 ↔ z ∈ y.1 from h z]
@[simp, grind =] theorem mem_filter {p : α → Prop} [DecidablePred p] {s : Finset α} {a : α} :
    a ∈ filter p s ↔ a ∈ s ∧ p a := by
  obtain ⟨l, h, rfl⟩ := exists_list s
  show a ∈ l.filter _ ↔ a ∈ l ∧ p a
  simp [List.mem_filter]

/-- The finite set of the members of any list; Mathlib's `List.toFinset`. -/
def ofAnyList [DecidableEq α] : List α → Finset α
  | [] => ∅
  | a :: l => insert a (ofAnyList l)
theorem mem_ofAnyList [DecidableEq α] {a : α} {l : List α} : a ∈ ofAnyList l ↔ a ∈ l := by
  induction l with
  | nil => simp [ofAnyList]
  | cons b l ih => simp [ofAnyList, ih]

/-- Mathlib's `Finset.image`. -/
def image [DecidableEq β] (f : α → β) : Finset α → Finset β := Quotient.lift (fun l => ofAnyList (l.1.map f))
  fun x y h => ext fun z => by
    simp only [mem_ofAnyList, List.mem_map, show ∀ z, z ∈ x.1 ↔ z ∈ y.1 from h]
@[simp, grind =] theorem mem_image [DecidableEq β] {f : α → β} {s : Finset α} {b : β} :
    b ∈ image f s ↔ ∃ a, a ∈ s ∧ f a = b := by
  obtain ⟨l, h, rfl⟩ := exists_list s
  show b ∈ ofAnyList (l.map f) ↔ ∃ a, a ∈ l ∧ f a = b
  simp [mem_ofAnyList]

section
variable [DecidableEq α]
instance : Union (Finset α) := ⟨fun s t => Quotient.liftOn₂ s t (fun a b => ofAnyList (a.1 ++ b.1))
  fun a b c d h k => ext fun z => by
    simp only [mem_ofAnyList, List.mem_append, show z ∈ a.1 ↔ z ∈ c.1 from h z, show z ∈ b.1 ↔ z ∈ d.1 from k z]⟩
instance : Inter (Finset α) := ⟨fun s t => s.filter (· ∈ t)⟩
instance : SDiff (Finset α) := ⟨fun s t => s.filter (· ∉ t)⟩
@[simp, grind =] theorem mem_union {s t : Finset α} {a : α} : a ∈ s ∪ t ↔ a ∈ s ∨ a ∈ t := by
  obtain ⟨l, h, rfl⟩ := exists_list s
  obtain ⟨m, k, rfl⟩ := exists_list t
  exact mem_ofAnyList.trans List.mem_append
@[simp, grind =] theorem mem_inter {s t : Finset α} {a : α} : a ∈ s ∩ t ↔ a ∈ s ∧ a ∈ t := mem_filter
@[simp, grind =] theorem mem_sdiff {s t : Finset α} {a : α} : a ∈ s \ t ↔ a ∈ s ∧ a ∉ t := mem_filter
end

/-- Mathlib's `Finset.card`. -/
def card : Finset α → ℕ := Quotient.lift (fun l => l.1.length) fun a b h => (perm a.2 b.2 h).length_eq

/-! ### Sums and products -/

/-- Mathlib's `Finset.sum`, for values in a semiring (Mathlib: a commutative additive monoid). -/
protected def sum {ι : Type u} {M : Type v} [Lean.Grind.Semiring M] (s : Finset ι) (f : ι → M) : M :=
  Quotient.liftOn s
  (fun l => l.1.foldr (fun i x => f i + x) 0)
  fun a b h => (perm a.2 b.2 h).foldr_eq' (by intros; grind) 0

/-- Mathlib's `Finset.prod`, for values in a commutative semiring (Mathlib: a commutative monoid). -/
protected def prod {ι : Type u} {M : Type v} [Lean.Grind.CommSemiring M] (s : Finset ι) (f : ι → M) : M :=
  Quotient.liftOn s
  (fun l => l.1.foldr (fun i x => f i * x) 1)
  fun a b h => (perm a.2 b.2 h).foldr_eq' (by intros; grind) 1

end Finset

/-! ### Intervals and the remaining operations -/

/-- Mathlib's `LocallyFiniteOrder`: intervals are finite. -/
class LocallyFiniteOrder (α : Type u) [LE α] [LT α] where
  finsetIcc : α → α → Finset α
  finsetIco : α → α → Finset α
  finsetIoc : α → α → Finset α
  finsetIoo : α → α → Finset α
  finset_mem_Icc : ∀ a b x : α, x ∈ finsetIcc a b ↔ a ≤ x ∧ x ≤ b
  finset_mem_Ico : ∀ a b x : α, x ∈ finsetIco a b ↔ a ≤ x ∧ x < b
  finset_mem_Ioc : ∀ a b x : α, x ∈ finsetIoc a b ↔ a < x ∧ x ≤ b
  finset_mem_Ioo : ∀ a b x : α, x ∈ finsetIoo a b ↔ a < x ∧ x < b

/-- Mathlib's `Fintype`: a type with finitely many elements. -/
class Fintype (α : Type u) where
  /-- All elements. -/
  elems : Finset α
  complete : ∀ x : α, x ∈ elems

namespace Finset

section
variable {α : Type u} [LE α] [LT α] [LocallyFiniteOrder α]
/-- Mathlib's `Finset.Icc`. -/
def Icc (a b : α) : Finset α := LocallyFiniteOrder.finsetIcc a b
/-- Mathlib's `Finset.Ico`. -/
def Ico (a b : α) : Finset α := LocallyFiniteOrder.finsetIco a b
/-- Mathlib's `Finset.Ioc`. -/
def Ioc (a b : α) : Finset α := LocallyFiniteOrder.finsetIoc a b
/-- Mathlib's `Finset.Ioo`. -/
def Ioo (a b : α) : Finset α := LocallyFiniteOrder.finsetIoo a b
@[simp, grind =] theorem mem_Icc {a b x : α} : x ∈ Icc a b ↔ a ≤ x ∧ x ≤ b := LocallyFiniteOrder.finset_mem_Icc a b x
@[simp, grind =] theorem mem_Ico {a b x : α} : x ∈ Ico a b ↔ a ≤ x ∧ x < b := LocallyFiniteOrder.finset_mem_Ico a b x
@[simp, grind =] theorem mem_Ioc {a b x : α} : x ∈ Ioc a b ↔ a < x ∧ x ≤ b := LocallyFiniteOrder.finset_mem_Ioc a b x
@[simp, grind =] theorem mem_Ioo {a b x : α} : x ∈ Ioo a b ↔ a < x ∧ x < b := LocallyFiniteOrder.finset_mem_Ioo a b x
end

/-- Mathlib's `Finset.range`: the natural numbers below `n`. -/
def range (n : ℕ) : Finset ℕ := ofList (List.range n) List.nodup_range
@[simp, grind =] theorem mem_range {n m : ℕ} : m ∈ range n ↔ m < n := List.mem_range

/-- The natural numbers `a, a + 1, …` below `b`. -/
def natInterval (a b : ℕ) : Finset ℕ := ofList (List.range' a (b - a)) (List.nodup_range' 1)
theorem mem_natInterval {a b x : ℕ} : x ∈ natInterval a b ↔ a ≤ x ∧ x < b := by
  refine List.mem_range'_1.trans ?_; omega

instance : LocallyFiniteOrder ℕ where
  finsetIcc a b := natInterval a (b + 1)
  finsetIco a b := natInterval a b
  finsetIoc a b := natInterval (a + 1) (b + 1)
  finsetIoo a b := natInterval (a + 1) b
  finset_mem_Icc a b x := mem_natInterval.trans (by omega)
  finset_mem_Ico a b x := mem_natInterval
  finset_mem_Ioc a b x := mem_natInterval.trans (by omega)
  finset_mem_Ioo a b x := mem_natInterval

/-- The integers `a, a + 1, …` below `b`. -/
def intInterval (a b : ℤ) : Finset ℤ := ofList ((List.range (b - a).toNat).map fun k : ℕ => a + k) (by
  refine List.Pairwise.map _ (fun i j (h : i ≠ j) => ?_) List.nodup_range
  show a + (i : ℤ) ≠ a + (j : ℤ); omega)
theorem mem_intInterval {a b x : ℤ} : x ∈ intInterval a b ↔ a ≤ x ∧ x < b := by
  refine List.mem_map.trans ?_
  constructor
  · rintro ⟨k, hk, rfl⟩; have := List.mem_range.1 hk; omega
  · rintro ⟨h₁, h₂⟩; exact ⟨(x - a).toNat, List.mem_range.2 (by omega), by omega⟩

instance : LocallyFiniteOrder ℤ where
  finsetIcc a b := intInterval a (b + 1)
  finsetIco a b := intInterval a b
  finsetIoc a b := intInterval (a + 1) (b + 1)
  finsetIoo a b := intInterval (a + 1) b
  finset_mem_Icc a b x := mem_intInterval.trans (by omega)
  finset_mem_Ico a b x := mem_intInterval
  finset_mem_Ioc a b x := mem_intInterval.trans (by omega)
  finset_mem_Ioo a b x := mem_intInterval

theorem range_eq_Ico (n : ℕ) : range n = Ico 0 n := ext fun x => by simp
theorem Ico_succ_right_eq_Icc (a b : ℕ) : Ico a (b + 1) = Icc a b := ext fun x => by simp; omega

/-- Mathlib's `Finset.univ`. -/
def univ {α : Type u} [Fintype α] : Finset α := Fintype.elems
@[simp, grind =] theorem mem_univ {α : Type u} [Fintype α] (x : α) : x ∈ (univ : Finset α) ↔ True :=
  iff_true_intro (Fintype.complete x)

section
variable {α : Type u}
/-- Mathlib's `Finset.erase`. -/
def erase [DecidableEq α] (s : Finset α) (a : α) : Finset α := s.filter (· ≠ a)
@[simp, grind =] theorem mem_erase [DecidableEq α] {a b : α} {s : Finset α} : a ∈ erase s b ↔ a ≠ b ∧ a ∈ s :=
  mem_filter.trans And.comm

/-- Mathlib's `Finset.Nonempty`. -/
protected def Nonempty (s : Finset α) : Prop := ∃ x, x ∈ s

/-- Adding a member that is not there yet. -/
theorem ofList_cons {a : α} {l : List α} (h : (a :: l).Nodup) [DecidableEq α] :
    ofList (a :: l) h = insert a (ofList l (List.nodup_cons.1 h).2) := ext fun x => by simp [mem_ofList]

@[simp, grind =] theorem card_empty : card (∅ : Finset α) = 0 := rfl
@[simp, grind =] theorem card_singleton (a : α) : card ({a} : Finset α) = 1 := rfl
@[simp, grind =] theorem card_range (n : ℕ) : card (range n) = n := List.length_range
@[simp] theorem card_insert_of_notMem [DecidableEq α] {a : α} {s : Finset α} (h : a ∉ s) :
    card (insert a s) = card s + 1 := by
  obtain ⟨l, k, rfl⟩ := exists_list s
  rw [← ofList_cons (List.nodup_cons.2 ⟨h, k⟩)]; rfl
theorem card_eq_zero {s : Finset α} : card s = 0 ↔ s = ∅ := by
  obtain ⟨l, k, rfl⟩ := exists_list s
  constructor
  · intro h; have : l = [] := List.eq_nil_of_length_eq_zero h
    subst this; rfl
  · intro h; rw [h]; rfl

protected theorem induction_on {p : Finset α → Prop} [DecidableEq α] (s : Finset α) (empty : p ∅)
    (insert : ∀ (a : α) (s : Finset α), a ∉ s → p s → p (insert a s)) : p s := by
  obtain ⟨l, k, rfl⟩ := exists_list s
  induction l with
  | nil => exact empty
  | cons a l ih => rw [ofList_cons k]; exact insert a _ (List.nodup_cons.1 k).1 (ih _)
end

/-! ### Sums -/

@[simp] theorem _root_.nsmul_eq_mul {R : Type u} [Lean.Grind.Semiring R] (n : ℕ) (a : R) :
    n • a = @Nat.cast R Lean.Grind.Semiring.natCast n * a :=
  Lean.Grind.Semiring.nsmul_eq_natCast_mul n a

section
variable {ι : Type u} {M : Type v} [Lean.Grind.Semiring M]

@[simp, grind =] theorem sum_empty (f : ι → M) : Finset.sum ∅ f = 0 := rfl
@[simp, grind =] theorem sum_singleton (f : ι → M) (a : ι) : Finset.sum {a} f = f a := by
  show f a + 0 = f a; grind
theorem sum_insert [DecidableEq ι] {a : ι} {s : Finset ι} (f : ι → M) (h : a ∉ s) :
    Finset.sum (insert a s) f = f a + Finset.sum s f := by
  obtain ⟨l, k, rfl⟩ := exists_list s
  rw [← ofList_cons (List.nodup_cons.2 ⟨h, k⟩)]; rfl
theorem sum_congr {s t : Finset ι} {f g : ι → M} (h : s = t) (hf : ∀ x, x ∈ t → f x = g x) :
    Finset.sum s f = Finset.sum t g := by
  subst h
  obtain ⟨l, k, rfl⟩ := exists_list s
  show List.foldr _ _ l = List.foldr _ _ l
  replace hf : ∀ x, x ∈ l → f x = g x := hf
  clear k
  induction l with
  | nil => rfl
  | cons a l ih =>
    simp only [List.foldr_cons]
    rw [ih fun x hx => hf x (.tail _ hx), hf a (.head _)]
theorem sum_add_distrib {s : Finset ι} {f g : ι → M} :
    Finset.sum s (fun i => f i + g i) = Finset.sum s f + Finset.sum s g := by
  obtain ⟨l, k, rfl⟩ := exists_list s
  show List.foldr _ _ l = List.foldr _ _ l + List.foldr _ _ l
  clear k
  induction l with
  | nil => simp; grind
  | cons a l ih => simp only [List.foldr_cons, ih]; grind
theorem mul_sum (s : Finset ι) (f : ι → M) (b : M) : b * Finset.sum s f = Finset.sum s fun i => b * f i := by
  obtain ⟨l, k, rfl⟩ := exists_list s
  show b * List.foldr _ _ l = List.foldr _ _ l
  clear k
  induction l with
  | nil => simp; grind
  | cons a l ih => simp only [List.foldr_cons, ← ih]; grind
theorem sum_mul (s : Finset ι) (f : ι → M) (b : M) : Finset.sum s f * b = Finset.sum s fun i => f i * b := by
  obtain ⟨l, k, rfl⟩ := exists_list s
  show List.foldr _ _ l * b = List.foldr _ _ l
  clear k
  induction l with
  | nil => simp; grind
  | cons a l ih => simp only [List.foldr_cons, ← ih]; grind
@[simp] theorem sum_const_zero {s : Finset ι} : Finset.sum s (fun _ => (0 : M)) = 0 := by
  have := sum_mul s (fun _ => (0 : M)) 0
  grind
@[simp, grind =] theorem sum_range_zero (f : ℕ → M) : Finset.sum (range 0) f = 0 := rfl
@[grind =] theorem sum_range_succ (f : ℕ → M) (n : ℕ) :
    Finset.sum (range (n + 1)) f = Finset.sum (range n) f + f n := by
  rw [show range (n + 1) = insert n (range n) from ext fun x => by simp; omega, sum_insert f (by simp)]
  grind
@[simp] theorem sum_range_one (f : ℕ → M) : Finset.sum (range 1) f = f 0 := by rw [sum_range_succ]; simp; grind
theorem sum_Icc_succ_top {a b : ℕ} (h : a ≤ b + 1) (f : ℕ → M) :
    Finset.sum (Icc a (b + 1)) f = Finset.sum (Icc a b) f + f (b + 1) := by
  rw [show Icc a (b + 1) = insert (b + 1) (Icc a b) from ext fun x => by simp; omega, sum_insert f (by simp)]
  grind
theorem sum_Ico_succ_top {a b : ℕ} (h : a ≤ b) (f : ℕ → M) :
    Finset.sum (Ico a (b + 1)) f = Finset.sum (Ico a b) f + f b := by
  rw [show Ico a (b + 1) = insert b (Ico a b) from ext fun x => by simp; omega, sum_insert f (by simp)]
  grind
@[simp] theorem Icc_self (a : ℕ) : Icc a a = {a} := ext fun x => by simp; omega
@[simp] theorem Icc_eq_empty_of_lt {a b : ℕ} (h : b < a) : Icc a b = ∅ := ext fun x => by simp; omega
end

theorem sum_sub_distrib {ι : Type u} {M : Type v} [Lean.Grind.Ring M] {s : Finset ι} (f g : ι → M) :
    Finset.sum s (fun i => f i - g i) = Finset.sum s f - Finset.sum s g := by
  have := sum_add_distrib (s := s) (f := fun i => f i - g i) (g := g)
  have h : (fun i => f i - g i + g i) = f := by funext i; grind
  rw [h] at this
  grind
@[simp] theorem sum_const {ι : Type u} {M : Type v} [Lean.Grind.Semiring M] {s : Finset ι} (b : M) :
    Finset.sum s (fun _ => b) = s.card • b := by
  obtain ⟨l, k, rfl⟩ := exists_list s
  show List.foldr _ _ l = l.length • b
  clear k
  induction l with
  | nil => simp; grind
  | cons a l ih => simp only [List.foldr_cons, ih, List.length_cons]; grind
theorem card_eq_sum_ones {ι : Type u} (s : Finset ι) : card s = Finset.sum s fun _ => 1 := by
  rw [sum_const, nsmul_eq_mul]; exact (Nat.mul_one _).symm

/-! ### Products -/

section
variable {ι : Type u} {M : Type v} [Lean.Grind.CommSemiring M]

@[simp, grind =] theorem prod_empty (f : ι → M) : Finset.prod ∅ f = 1 := rfl
@[simp, grind =] theorem prod_singleton (f : ι → M) (a : ι) : Finset.prod {a} f = f a := by
  show f a * 1 = f a; grind
theorem prod_insert [DecidableEq ι] {a : ι} {s : Finset ι} (f : ι → M) (h : a ∉ s) :
    Finset.prod (insert a s) f = f a * Finset.prod s f := by
  obtain ⟨l, k, rfl⟩ := exists_list s
  rw [← ofList_cons (List.nodup_cons.2 ⟨h, k⟩)]; rfl
theorem prod_congr {s t : Finset ι} {f g : ι → M} (h : s = t) (hf : ∀ x, x ∈ t → f x = g x) :
    Finset.prod s f = Finset.prod t g := by
  subst h
  obtain ⟨l, k, rfl⟩ := exists_list s
  show List.foldr _ _ l = List.foldr _ _ l
  replace hf : ∀ x, x ∈ l → f x = g x := hf
  clear k
  induction l with
  | nil => rfl
  | cons a l ih =>
    simp only [List.foldr_cons]
    rw [ih fun x hx => hf x (.tail _ hx), hf a (.head _)]
@[simp, grind =] theorem prod_range_zero (f : ℕ → M) : Finset.prod (range 0) f = 1 := rfl
@[grind =] theorem prod_range_succ (f : ℕ → M) (n : ℕ) :
    Finset.prod (range (n + 1)) f = Finset.prod (range n) f * f n := by
  rw [show range (n + 1) = insert n (range n) from ext fun x => by simp; omega, prod_insert f (by simp)]
  grind
@[simp] theorem prod_range_one (f : ℕ → M) : Finset.prod (range 1) f = f 0 := by rw [prod_range_succ]; simp; grind
theorem prod_Icc_succ_top {a b : ℕ} (h : a ≤ b + 1) (f : ℕ → M) :
    Finset.prod (Icc a (b + 1)) f = Finset.prod (Icc a b) f * f (b + 1) := by
  rw [show Icc a (b + 1) = insert (b + 1) (Icc a b) from ext fun x => by simp; omega, prod_insert f (by simp)]
  grind
end

end Finset

namespace Nat

/-- Mathlib's `Nat.divisors`: the divisors of `n`, none for 0. -/
def divisors (n : ℕ) : Finset ℕ := Finset.filter (fun d => d ∣ n) (Finset.Ico 1 (n + 1))
/-- Mathlib's `Nat.properDivisors`: the divisors of `n` other than `n`, none for 0. -/
def properDivisors (n : ℕ) : Finset ℕ := Finset.filter (fun d => d ∣ n) (Finset.Ico 1 n)
@[simp, grind =] theorem mem_divisors {n m : ℕ} : n ∈ divisors m ↔ n ∣ m ∧ m ≠ 0 := by
  rw [divisors, Finset.mem_filter, Finset.mem_Ico]
  constructor
  · rintro ⟨h, k⟩; exact ⟨k, by omega⟩
  · rintro ⟨h, k⟩
    have := Nat.le_of_dvd (by omega) h
    have := Nat.pos_of_dvd_of_pos h (by omega)
    exact ⟨by omega, h⟩
@[simp, grind =] theorem mem_properDivisors {n m : ℕ} : n ∈ properDivisors m ↔ n ∣ m ∧ n < m := by
  rw [properDivisors, Finset.mem_filter, Finset.mem_Ico]
  constructor
  · rintro ⟨h, k⟩; exact ⟨k, by omega⟩
  · rintro ⟨h, k⟩
    have := Nat.pos_of_dvd_of_pos h (by omega)
    exact ⟨by omega, h⟩

end Nat

instance (n : ℕ) : Fintype (Fin n) where
  elems := Finset.ofList (List.finRange n) (by
    rw [List.nodup_iff_pairwise_ne, List.pairwise_iff_getElem]
    intro i j hi hj h; simp [Fin.ext_iff]; omega)
  complete x := List.mem_finRange x

/-- Mathlib's `Fintype.card`. -/
def Fintype.card (α : Type u) [Fintype α] : ℕ := Finset.card (Finset.univ : Finset α)

/-- A finite set of a subtype's elements, as elements of the type. -/
def Finset.values {α : Type u} {p : α → Prop} : Finset {x // p x} → Finset α := Quotient.lift
  (fun l => Finset.ofList (l.1.map Subtype.val) (List.Pairwise.map _ (fun a b h k => h (Subtype.ext k)) l.2))
  fun x y h => Finset.ext fun z => by
    simp only [Finset.mem_ofList, List.mem_map, show ∀ z, z ∈ x.1 ↔ z ∈ y.1 from h]

/-- Mathlib's `Set.toFinset`. -/
def Set.toFinset {α : Type u} (s : Set α) [Fintype s] : Finset α := Finset.values (Finset.univ (α := s))
@[simp, grind =] theorem Set.mem_toFinset {α : Type u} {s : Set α} [Fintype s] {a : α} : a ∈ s.toFinset ↔ a ∈ s := by
  rw [Set.toFinset]
  have h : ∀ x, x ∈ Finset.univ (α := s) := Fintype.complete
  generalize Finset.univ (α := s) = u at h
  obtain ⟨l, k, rfl⟩ := Finset.exists_list u
  refine List.mem_map.trans ⟨?_, fun ha => ⟨⟨a, ha⟩, h _, rfl⟩⟩
  rintro ⟨x, _, rfl⟩; exact x.2

/-- Mathlib's `Set.Finite`: there is a list of all members. -/
def Set.Finite {α : Type u} (s : Set α) : Prop := ∃ t : Finset α, ∀ x, x ∈ s ↔ x ∈ t
/-- Mathlib's `Set.Infinite`. -/
def Set.Infinite {α : Type u} (s : Set α) : Prop := ¬ s.Finite
open Classical in
/-- Mathlib's `Set.ncard`: the number of members, 0 for an infinite set. -/
def Set.ncard {α : Type u} (s : Set α) : ℕ := if h : s.Finite then h.choose.card else 0

syntax "∑ " ident " ∈ " term ", " term:67 : term
syntax "∏ " ident " ∈ " term ", " term:67 : term
syntax "∑ " ident (" : " term)? ", " term:67 : term
syntax "∏ " ident (" : " term)? ", " term:67 : term

macro_rules
  | `(∑ $x:ident ∈ $s, $f) => `(Finset.sum $s fun $x:ident => $f)
  | `(∑ $x:ident, $f) => `(Finset.sum Finset.univ fun $x:ident => $f)
  | `(∑ $x:ident : $t, $f) => `(Finset.sum (Finset.univ : Finset $t) fun $x:ident : $t => $f)
macro_rules
  | `(∏ $x:ident ∈ $s, $f) => `(Finset.prod $s fun $x:ident => $f)
  | `(∏ $x:ident, $f) => `(Finset.prod Finset.univ fun $x:ident => $f)
  | `(∏ $x:ident : $t, $f) => `(Finset.prod (Finset.univ : Finset $t) fun $x:ident : $t => $f)

/-! ## Ordered rings and fields: what core proves under other names, under Mathlib's -/

section LinearOrder
variable {α : Type u} [LE α] [Std.IsLinearOrder α] {a b c : α}
theorem le_refl (a : α) : a ≤ a := Std.IsPreorder.le_refl a
theorem le_rfl : a ≤ a := le_refl a
theorem le_trans : a ≤ b → b ≤ c → a ≤ c := Std.IsPreorder.le_trans a b c
theorem le_antisymm : a ≤ b → b ≤ a → a = b := Std.IsPartialOrder.le_antisymm a b
theorem le_total (a b : α) : a ≤ b ∨ b ≤ a := Std.IsLinearPreorder.le_total a b
end LinearOrder

theorem le_of_lt {α : Type u} [LE α] [LT α] [Std.LawfulOrderLT α] {a b : α} : a < b → a ≤ b := Std.le_of_lt

section Order
variable {α : Type u} [LE α] [LT α] [Std.IsLinearOrder α] [Std.LawfulOrderLT α] {a b c : α}
theorem not_le : ¬a ≤ b ↔ b < a := Std.not_le
theorem not_lt : ¬a < b ↔ b ≤ a := Std.not_lt
theorem lt_irrefl (a : α) : ¬a < a := fun h => not_le.2 h (le_refl a)
theorem lt_trans : a < b → b < c → a < c := by grind
theorem lt_of_le_of_lt : a ≤ b → b < c → a < c := by grind
theorem lt_of_lt_of_le : a < b → b ≤ c → a < c := by grind
theorem ne_of_gt : b < a → a ≠ b := by grind
theorem ne_of_lt : a < b → a ≠ b := by grind
theorem lt_of_le_of_ne : a ≤ b → a ≠ b → a < b := by grind
theorem lt_or_ge (a b : α) : a < b ∨ b ≤ a := by grind
theorem lt_or_gt_of_ne : a ≠ b → a < b ∨ b < a := by grind
theorem lt_trichotomy (a b : α) : a < b ∨ a = b ∨ b < a := by grind
theorem eq_of_le_of_not_lt : a ≤ b → ¬a < b → a = b := by grind
theorem max_cases [Max α] [Std.LawfulOrderMax α] (a b : α) : max a b = a ∧ b ≤ a ∨ max a b = b ∧ a < b := by
  have h := (Std.LawfulOrderSup.max_le_iff a b (max a b)).1 (le_refl _)
  rcases Std.MaxEqOr.max_eq_or a b with e | e <;> grind
theorem le_max_left [Max α] [Std.LawfulOrderMax α] (a b : α) : a ≤ max a b := by
  rcases max_cases a b with h | h <;> grind
theorem le_max_right [Max α] [Std.LawfulOrderMax α] (a b : α) : b ≤ max a b := by
  rcases max_cases a b with h | h <;> grind
end Order

section Semiring
variable {R : Type u} [Lean.Grind.Semiring R]
attribute [local instance] Lean.Grind.Semiring.natCast
@[simp, norm_cast] theorem Nat.cast_zero : ((0 : ℕ) : R) = 0 := Lean.Grind.Semiring.natCast_zero
@[simp, norm_cast] theorem Nat.cast_one : ((1 : ℕ) : R) = 1 := Lean.Grind.Semiring.natCast_one
@[simp, norm_cast] theorem Nat.cast_ofNat {n : ℕ} : ((no_index (OfNat.ofNat n) : ℕ) : R) = OfNat.ofNat n :=
  (Lean.Grind.Semiring.ofNat_eq_natCast n).symm
@[simp, norm_cast] theorem Nat.cast_add (m n : ℕ) : ((m + n : ℕ) : R) = m + n := Lean.Grind.Semiring.natCast_add m n
@[simp, norm_cast] theorem Nat.cast_mul (m n : ℕ) : ((m * n : ℕ) : R) = m * n := Lean.Grind.Semiring.natCast_mul m n
@[simp, norm_cast] theorem Nat.cast_pow (m n : ℕ) : ((m ^ n : ℕ) : R) = m ^ n := Lean.Grind.Semiring.natCast_pow m n
theorem Nat.cast_succ (n : ℕ) : ((n + 1 : ℕ) : R) = n + 1 := Lean.Grind.Semiring.natCast_succ n
end Semiring

section Ring
variable {R : Type u} [Lean.Grind.Ring R]
attribute [local instance] Lean.Grind.Semiring.natCast Lean.Grind.Ring.intCast
@[simp, norm_cast] theorem Int.cast_zero : ((0 : ℤ) : R) = 0 := Lean.Grind.Ring.intCast_zero
@[simp, norm_cast] theorem Int.cast_one : ((1 : ℤ) : R) = 1 := Lean.Grind.Ring.intCast_one
@[simp, norm_cast] theorem Int.cast_ofNat {n : ℕ} : ((no_index (OfNat.ofNat n) : ℤ) : R) = OfNat.ofNat n :=
  Lean.Grind.Ring.intCast_ofNat n
@[simp, norm_cast] theorem Int.cast_add (m n : ℤ) : ((m + n : ℤ) : R) = m + n := Lean.Grind.Ring.intCast_add m n
@[simp, norm_cast] theorem Int.cast_mul (m n : ℤ) : ((m * n : ℤ) : R) = m * n := Lean.Grind.Ring.intCast_mul m n
@[simp, norm_cast] theorem Int.cast_neg (m : ℤ) : ((-m : ℤ) : R) = -m := Lean.Grind.Ring.intCast_neg m
@[simp, norm_cast] theorem Int.cast_sub (m n : ℤ) : ((m - n : ℤ) : R) = m - n := Lean.Grind.Ring.intCast_sub m n
@[simp, norm_cast] theorem Int.cast_natCast (n : ℕ) : ((n : ℤ) : R) = n := Lean.Grind.Ring.intCast_natCast n
@[simp, norm_cast] theorem Int.cast_pow (m : ℤ) (n : ℕ) : ((m ^ n : ℤ) : R) = m ^ n := by
  induction n with
  | zero => rw [Int.pow_zero, Int.cast_one, Lean.Grind.Semiring.pow_zero]
  | succ n ih => rw [Int.pow_succ, Int.cast_mul, ih, Lean.Grind.Semiring.pow_succ]
@[norm_cast] theorem Nat.cast_sub {m n : ℕ} (h : m ≤ n) : ((n - m : ℕ) : R) = n - m := by
  have : ((n - m + m : ℕ) : R) = n := by rw [Nat.sub_add_cancel h]
  rw [Nat.cast_add] at this
  rw [← this]
  generalize ((n - m : ℕ) : R) = x
  generalize (m : R) = y
  grind
end Ring

section CommRing
variable {R : Type u} [Lean.Grind.CommRing R]
theorem pow_two (a : R) : a ^ 2 = a * a := by grind
end CommRing

section OrderedSemiring
variable {R : Type u} [Lean.Grind.Semiring R] [LE R] [LT R] [Std.IsLinearOrder R] [Std.LawfulOrderLT R]
  [Lean.Grind.OrderedRing R] {a b c d : R}
theorem mul_pos (ha : 0 < a) (hb : 0 < b) : 0 < a * b := by
  have := Lean.Grind.OrderedRing.mul_lt_mul_of_pos_left hb ha
  rwa [Lean.Grind.Semiring.mul_zero] at this
theorem zero_lt_one : (0 : R) < 1 := Lean.Grind.OrderedRing.zero_lt_one
theorem zero_le_one : (0 : R) ≤ 1 := le_of_lt zero_lt_one
theorem pow_pos (h : 0 < a) (n : ℕ) : 0 < a ^ n := by
  induction n with
  | zero => rw [Lean.Grind.Semiring.pow_zero]; exact zero_lt_one
  | succ n ih => rw [Lean.Grind.Semiring.pow_succ]; exact mul_pos ih h
theorem mul_nonneg (ha : 0 ≤ a) (hb : 0 ≤ b) : 0 ≤ a * b := by
  by_cases h : 0 < a
  · by_cases k : 0 < b
    · exact le_of_lt (mul_pos h k)
    · rw [le_antisymm (not_lt.1 k) hb, Lean.Grind.Semiring.mul_zero]; exact le_refl _
  · rw [le_antisymm (not_lt.1 h) ha, Lean.Grind.Semiring.zero_mul]; exact le_refl _
theorem pow_nonneg (h : 0 ≤ a) (n : ℕ) : 0 ≤ a ^ n := by
  induction n with
  | zero => rw [Lean.Grind.Semiring.pow_zero]; exact zero_le_one
  | succ n ih => rw [Lean.Grind.Semiring.pow_succ]; exact mul_nonneg ih h
theorem add_le_add (h : a ≤ b) (k : c ≤ d) : a + c ≤ b + d := by
  refine le_trans ((Lean.Grind.OrderedAdd.add_le_left_iff c).1 h) ?_
  rw [Lean.Grind.Semiring.add_comm b, Lean.Grind.Semiring.add_comm b]
  exact (Lean.Grind.OrderedAdd.add_le_left_iff b).1 k
theorem add_nonneg (ha : 0 ≤ a) (hb : 0 ≤ b) : 0 ≤ a + b := by
  have := add_le_add ha hb
  rwa [Lean.Grind.Semiring.add_zero] at this
theorem add_pos (ha : 0 < a) (hb : 0 < b) : 0 < a + b := by
  have := (Lean.Grind.OrderedAdd.add_le_left_iff b).1 (le_of_lt ha)
  rw [Lean.Grind.Semiring.add_comm, Lean.Grind.Semiring.add_zero] at this
  exact lt_of_lt_of_le hb this
attribute [local instance] Lean.Grind.Semiring.natCast
theorem Nat.cast_nonneg (n : ℕ) : (0 : R) ≤ n := by
  induction n with
  | zero => rw [Nat.cast_zero]; exact le_refl _
  | succ n ih => rw [Nat.cast_succ]; exact add_nonneg ih zero_le_one
@[simp, norm_cast] theorem Nat.cast_le {m n : ℕ} : (m : R) ≤ n ↔ m ≤ n := by
  have key : ∀ {m n : ℕ}, m ≤ n → (m : R) ≤ n := fun {m n} h => by
    obtain ⟨k, rfl⟩ := Nat.exists_eq_add_of_le h
    have := _root_.add_le_add (_root_.le_refl (m : R)) (Nat.cast_nonneg (R := R) k)
    rwa [Lean.Grind.Semiring.add_zero, ← Nat.cast_add] at this
  refine ⟨fun h => Nat.le_of_not_lt fun k => ?_, key⟩
  have h₁ := le_trans (key (Nat.succ_le_of_lt k)) h
  rw [Nat.succ_eq_add_one, Nat.cast_succ] at h₁
  have h₂ : (1 : R) ≤ 0 := by
    refine (Lean.Grind.OrderedAdd.add_le_left_iff (n : R)).2 ?_
    rw [Lean.Grind.Semiring.add_comm 1, Lean.Grind.Semiring.add_comm 0, Lean.Grind.Semiring.add_zero]
    exact h₁
  exact not_lt.2 h₂ zero_lt_one
@[simp, norm_cast] theorem Nat.cast_lt {m n : ℕ} : (m : R) < n ↔ m < n := by
  rw [← not_le, Nat.cast_le, Nat.not_le]
@[simp, norm_cast] theorem Nat.cast_inj {m n : ℕ} : (m : R) = n ↔ m = n :=
  ⟨fun h => Nat.le_antisymm ((Nat.cast_le (R := R)).1 (by rw [h]; exact _root_.le_refl _))
    ((Nat.cast_le (R := R)).1 (by rw [h]; exact _root_.le_refl _)), fun h => h ▸ rfl⟩
@[simp] theorem Nat.cast_eq_zero {n : ℕ} : (n : R) = 0 ↔ n = 0 := by rw [← Nat.cast_zero, Nat.cast_inj]
@[simp] theorem Nat.cast_pos {n : ℕ} : (0 : R) < n ↔ 0 < n := by rw [← Nat.cast_zero, Nat.cast_lt]
theorem Nat.cast_ne_zero {n : ℕ} : (n : R) ≠ 0 ↔ n ≠ 0 := not_congr Nat.cast_eq_zero
end OrderedSemiring

section OrderedRing
variable {R : Type u} [Lean.Grind.CommRing R] [LE R] [LT R] [Std.IsLinearOrder R] [Std.LawfulOrderLT R]
  [Lean.Grind.OrderedRing R] {a b c d : R}
theorem sub_nonneg : 0 ≤ a - b ↔ b ≤ a := by grind
theorem sub_pos : 0 < a - b ↔ b < a := by grind
theorem sub_nonpos : a - b ≤ 0 ↔ a ≤ b := by grind
theorem sub_neg : a - b < 0 ↔ a < b := by grind
theorem neg_pos : 0 < -a ↔ a < 0 := by grind
theorem neg_nonneg : 0 ≤ -a ↔ a ≤ 0 := by grind
theorem add_lt_add (h : a < b) (k : c < d) : a + c < b + d := by grind
theorem sq_nonneg (a : R) : 0 ≤ a ^ 2 := Lean.Grind.OrderedRing.sq_nonneg
theorem mul_self_nonneg (a : R) : 0 ≤ a * a := by have := sq_nonneg a; grind
theorem mul_pos_of_neg_of_neg (ha : a < 0) (hb : b < 0) : 0 < a * b := by
  have := mul_pos (neg_pos.2 ha) (neg_pos.2 hb); grind
theorem mul_neg_of_pos_of_neg (ha : 0 < a) (hb : b < 0) : a * b < 0 := by have := mul_pos ha (neg_pos.2 hb); grind
theorem mul_le_mul_of_nonneg_left (h : b ≤ c) (ha : 0 ≤ a) : a * b ≤ a * c := by
  have := mul_nonneg ha (sub_nonneg.2 h); grind
theorem mul_le_mul_of_nonneg_right (h : b ≤ c) (ha : 0 ≤ a) : b * a ≤ c * a := by
  have := mul_nonneg (sub_nonneg.2 h) ha; grind
theorem mul_lt_mul_of_pos_left (h : b < c) (ha : 0 < a) : a * b < a * c := by have := mul_pos ha (sub_pos.2 h); grind
theorem mul_lt_mul_of_pos_right (h : b < c) (ha : 0 < a) : b * a < c * a := by have := mul_pos (sub_pos.2 h) ha; grind
theorem mul_le_mul (h₁ : a ≤ b) (h₂ : c ≤ d) (hc : 0 ≤ c) (hb : 0 ≤ b) : a * c ≤ b * d := by
  have := mul_le_mul_of_nonneg_right h₁ hc; have := mul_le_mul_of_nonneg_left h₂ hb; grind
theorem mul_self_le_mul_self (ha : 0 ≤ a) (h : a ≤ b) : a * a ≤ b * b := mul_le_mul h h ha (le_trans ha h)
theorem le_of_sq_le_sq (h : a * a ≤ b * b) (hb : 0 ≤ b) : a ≤ b := by
  by_cases k : a ≤ b
  · exact k
  · have := mul_pos (sub_pos.2 (not_le.1 k)) (show 0 < a + b by grind); grind
theorem pow_le_pow_left₀ (ha : 0 ≤ a) (h : a ≤ b) (n : ℕ) : a ^ n ≤ b ^ n := by
  induction n with
  | zero => rw [Lean.Grind.Semiring.pow_zero, Lean.Grind.Semiring.pow_zero]; exact le_refl _
  | succ n ih =>
    rw [Lean.Grind.Semiring.pow_succ, Lean.Grind.Semiring.pow_succ]
    exact mul_le_mul ih h ha (pow_nonneg (le_trans ha h) n)
theorem one_le_pow₀ (h : 1 ≤ a) (n : ℕ) : 1 ≤ a ^ n := by
  induction n with
  | zero => rw [Lean.Grind.Semiring.pow_zero]; exact le_refl _
  | succ n ih =>
    have := mul_le_mul ih h zero_le_one (pow_nonneg (le_trans zero_le_one h) n)
    rw [Lean.Grind.Semiring.pow_succ]; grind
theorem one_add_mul_le_pow (h : -1 ≤ a) (n : ℕ) :
    1 + @Nat.cast R Lean.Grind.Semiring.natCast n * a ≤ (1 + a) ^ n := by
  induction n with
  | zero => rw [Lean.Grind.Semiring.pow_zero, Nat.cast_zero]; grind
  | succ n ih =>
    have h₁ := mul_le_mul_of_nonneg_right ih (show 0 ≤ 1 + a by grind)
    have h₂ := mul_nonneg (Nat.cast_nonneg (R := R) n) (mul_self_nonneg a)
    rw [Lean.Grind.Semiring.pow_succ, Nat.cast_succ]; grind
attribute [local instance] Lean.Grind.Semiring.natCast Lean.Grind.Ring.intCast
theorem Int.cast_nonneg {n : ℤ} : (0 : R) ≤ n ↔ 0 ≤ n := by
  cases n with
  | ofNat n => rw [Int.ofNat_eq_natCast, Int.cast_natCast]; have := Nat.cast_nonneg (R := R) n; simp [this]
  | negSucc n =>
    rw [Int.negSucc_eq, Int.cast_neg, Int.cast_add, Int.cast_natCast, Int.cast_one]
    have := Nat.cast_nonneg (R := R) n
    have := zero_lt_one (R := R)
    constructor <;> intro h
    · exfalso; grind
    · omega
@[simp, norm_cast] theorem Int.cast_le {m n : ℤ} : (m : R) ≤ n ↔ m ≤ n := by
  rw [← sub_nonneg, ← Int.cast_sub, Int.cast_nonneg]; omega
@[simp, norm_cast] theorem Int.cast_lt {m n : ℤ} : (m : R) < n ↔ m < n := by rw [← not_le, Int.cast_le, Int.not_le]
@[simp, norm_cast] theorem Int.cast_inj {m n : ℤ} : (m : R) = n ↔ m = n :=
  ⟨fun h => Int.le_antisymm ((Int.cast_le (R := R)).1 (by rw [h]; exact _root_.le_refl _))
    ((Int.cast_le (R := R)).1 (by rw [h]; exact _root_.le_refl _)), fun h => h ▸ rfl⟩
end OrderedRing

section Field
variable {R : Type u} [Lean.Grind.Field R] {a b c d : R}
theorem mul_eq_zero : a * b = 0 ↔ a = 0 ∨ b = 0 := by
  constructor
  · exact Lean.Grind.Field.of_mul_eq_zero
  · grind
theorem div_add_div (a : R) (c : R) (hb : b ≠ 0) (hd : d ≠ 0) : a / b + c / d = (a * d + b * c) / (b * d) := by grind
theorem div_eq_iff (hb : b ≠ 0) : a / b = c ↔ a = c * b := by grind
theorem eq_div_iff (hc : c ≠ 0) : a = b / c ↔ a * c = b := by grind
theorem div_self (h : a ≠ 0) : a / a = 1 := by grind
theorem div_zero (a : R) : a / 0 = 0 := by grind
theorem mul_inv_cancel₀ (h : a ≠ 0) : a * a⁻¹ = 1 := by grind
theorem inv_eq_one_div (a : R) : a⁻¹ = 1 / a := by grind
theorem mul_left_cancel₀ (ha : a ≠ 0) (h : a * b = a * c) : b = c := by grind
theorem mul_right_cancel₀ (hb : b ≠ 0) (h : a * b = c * b) : a = c := by grind
theorem sq_eq_zero_iff : a ^ 2 = 0 ↔ a = 0 := by grind
theorem pow_eq_zero_iff {n : ℕ} (hn : n ≠ 0) : a ^ n = 0 ↔ a = 0 := by
  constructor
  · intro h
    clear hn
    induction n with
    | zero => rw [Lean.Grind.Semiring.pow_zero] at h; exact absurd h.symm Lean.Grind.Field.zero_ne_one
    | succ n ih => rw [Lean.Grind.Semiring.pow_succ] at h; exact (mul_eq_zero.1 h).elim ih id
  · rintro rfl
    obtain ⟨k, rfl⟩ := Nat.exists_eq_succ_of_ne_zero hn
    rw [Nat.succ_eq_add_one, Lean.Grind.Semiring.pow_succ, Lean.Grind.Semiring.mul_zero]
theorem sq_eq_sq_iff_eq_or_eq_neg : a ^ 2 = b ^ 2 ↔ a = b ∨ a = -b := by
  constructor
  · intro h
    rcases mul_eq_zero.1 (show (a - b) * (a + b) = 0 by grind) with h | h <;> grind
  · grind
@[simp] theorem zpow_neg (a : R) (n : ℤ) : a ^ (-n) = (a ^ n)⁻¹ := Lean.Grind.Field.zpow_neg a n
@[simp] theorem zpow_natCast (a : R) (n : ℕ) : a ^ (n : ℤ) = a ^ n := by
  induction n with
  | zero => rw [Lean.Grind.Semiring.pow_zero]; exact Lean.Grind.Field.zpow_zero a
  | succ n ih => rw [Int.natCast_add, Int.natCast_one, Lean.Grind.Field.zpow_succ, ih, Lean.Grind.Semiring.pow_succ]
@[simp] theorem zpow_ofNat (a : R) (n : ℕ) : a ^ (no_index (OfNat.ofNat n) : ℤ) = a ^ (OfNat.ofNat n : ℕ) :=
  zpow_natCast a n
end Field

section OrderedField
variable {R : Type u} [Lean.Grind.Field R] [LE R] [LT R] [Std.IsLinearOrder R] [Std.LawfulOrderLT R]
  [Lean.Grind.OrderedRing R] {a b c d : R}
theorem inv_pos : 0 < a⁻¹ ↔ 0 < a := Lean.Grind.Field.IsOrdered.inv_pos_iff
theorem div_pos (ha : 0 < a) (hb : 0 < b) : 0 < a / b := by
  rw [Lean.Grind.Field.div_eq_mul_inv]; exact mul_pos ha (inv_pos.2 hb)
theorem div_nonneg (ha : 0 ≤ a) (hb : 0 ≤ b) : 0 ≤ a / b := by
  by_cases h : b = 0
  · rw [h, show a / 0 = 0 by grind]; exact le_refl _
  · rw [Lean.Grind.Field.div_eq_mul_inv]; exact mul_nonneg ha (le_of_lt (inv_pos.2 (by grind)))
theorem le_div_iff₀ (hc : 0 < c) : a ≤ b / c ↔ a * c ≤ b := by
  have e : b = b / c * c := by grind
  constructor <;> intro h
  · rw [e]; exact mul_le_mul_of_nonneg_right h (le_of_lt hc)
  · exact not_lt.1 fun k => not_lt.2 h (by have := mul_lt_mul_of_pos_right k hc; grind)
theorem div_le_iff₀ (hc : 0 < c) : a / c ≤ b ↔ a ≤ b * c := by
  have e : a = a / c * c := by grind
  constructor <;> intro h
  · rw [e]; exact mul_le_mul_of_nonneg_right h (le_of_lt hc)
  · exact not_lt.1 fun k => not_lt.2 h (by have := mul_lt_mul_of_pos_right k hc; grind)
theorem lt_div_iff₀ (hc : 0 < c) : a < b / c ↔ a * c < b := by rw [← not_le, div_le_iff₀ hc, not_le]
theorem div_lt_iff₀ (hc : 0 < c) : a / c < b ↔ a < b * c := by rw [← not_le, le_div_iff₀ hc, not_le]
end OrderedField

/-! ### Absolute value -/

instance : Std.LawfulOrderMax ℤ where
  max_eq_or a b := by omega
  max_le_iff a b c := by omega
theorem Rat.max_def' (a b : ℚ) : max a b = if a ≤ b then b else a := rfl
instance : Std.LawfulOrderMax ℚ where
  max_eq_or a b := by rw [Rat.max_def']; split <;> simp
  max_le_iff a b c := by rw [Rat.max_def']; split <;> grind

section Abs
variable {R : Type u} [Lean.Grind.CommRing R] [LE R] [LT R] [Std.IsLinearOrder R] [Std.LawfulOrderLT R]
  [Lean.Grind.OrderedRing R] [Max R] [Std.LawfulOrderMax R] {a b c : R}
theorem abs_cases (a : R) : |a| = a ∧ 0 ≤ a ∨ |a| = -a ∧ a < 0 := by
  rcases max_cases a (-a) with h | h
  · exact .inl ⟨h.1, by grind⟩
  · exact .inr ⟨h.1, by grind⟩
grind_pattern abs_cases => |a|
theorem abs_nonneg (a : R) : 0 ≤ |a| := by grind
theorem abs_of_nonneg (h : 0 ≤ a) : |a| = a := by grind
theorem abs_of_pos (h : 0 < a) : |a| = a := by grind
theorem abs_of_nonpos (h : a ≤ 0) : |a| = -a := by grind
theorem abs_of_neg (h : a < 0) : |a| = -a := by grind
theorem le_abs_self (a : R) : a ≤ |a| := by grind
theorem neg_le_abs (a : R) : -a ≤ |a| := by grind
@[simp] theorem abs_zero : |(0 : R)| = 0 := by grind
@[simp] theorem abs_one : |(1 : R)| = 1 := by have := zero_lt_one (R := R); grind
@[simp] theorem abs_neg (a : R) : |-a| = |a| := by grind
@[simp] theorem abs_abs (a : R) : |(|a|)| = |a| := by grind
theorem abs_sub_comm (a b : R) : |a - b| = |b - a| := by grind
theorem abs_eq_zero : |a| = 0 ↔ a = 0 := by grind
theorem abs_pos : 0 < |a| ↔ a ≠ 0 := by grind
theorem abs_le : |a| ≤ b ↔ -b ≤ a ∧ a ≤ b := by grind
theorem abs_lt : |a| < b ↔ -b < a ∧ a < b := by grind
theorem abs_eq (h : 0 ≤ b) : |a| = b ↔ a = b ∨ a = -b := by grind
theorem abs_add_le (a b : R) : |a + b| ≤ |a| + |b| := by grind
theorem abs_sub_abs_le_abs_sub (a b : R) : |a| - |b| ≤ |a - b| := by grind
theorem abs_mul (a b : R) : |a * b| = |a| * |b| := by
  rcases abs_cases a with ⟨e, h⟩ | ⟨e, h⟩ <;> rcases abs_cases b with ⟨f, k⟩ | ⟨f, k⟩ <;> rw [e, f]
  · exact abs_of_nonneg (mul_nonneg h k)
  · have := mul_nonneg h (show 0 ≤ -b by grind); rw [abs_of_nonpos (by grind)]; grind
  · have := mul_nonneg (show 0 ≤ -a by grind) k; rw [abs_of_nonpos (by grind)]; grind
  · have := mul_nonneg (show 0 ≤ -a by grind) (show 0 ≤ -b by grind); rw [abs_of_nonneg (by grind)]; grind
theorem Int.abs_eq_natAbs (n : ℤ) : |n| = n.natAbs := by rcases abs_cases n with h | h <;> omega
theorem sq_abs (a : R) : |a| ^ 2 = a ^ 2 := by rcases abs_cases a with ⟨e, h⟩ | ⟨e, h⟩ <;> rw [e]; grind
end Abs

/-! ## Real numbers -/

/-- A Cauchy sequence of rational numbers; Mathlib's `CauSeq ℚ abs`. -/
structure Real.Cauchy where
  /-- The terms. -/
  seq : ℕ → ℚ
  cauchy : ∀ ε : ℚ, 0 < ε → ∃ N, ∀ m, N ≤ m → ∀ n, N ≤ n → seq m - seq n < ε

namespace Real.Cauchy

/-- `f` is at most `g` in the limit; Mathlib's order of `CauSeq`. -/
def Le (f g : Cauchy) : Prop := ∀ ε : ℚ, 0 < ε → ∃ N, ∀ n, N ≤ n → f.seq n - g.seq n < ε

theorem Le.refl (f : Cauchy) : Le f f := fun ε h => ⟨0, fun n _ => by grind⟩
theorem Le.trans {f g h : Cauchy} (fg : Le f g) (gh : Le g h) : Le f h := fun ε hε => by
  obtain ⟨M, hM⟩ := fg (ε / 2) (by grind)
  obtain ⟨N, hN⟩ := gh (ε / 2) (by grind)
  exact ⟨M + N, fun n hn => by have := hM n (by omega); have := hN n (by omega); grind⟩
/-- Where `f ≤ g` fails, `f` is above `g` by a fixed amount from some index on. -/
theorem gap {f g : Cauchy} (h : ¬ Le f g) : ∃ δ : ℚ, 0 < δ ∧ ∃ N, ∀ n, N ≤ n → g.seq n + δ < f.seq n := by
  simp only [Le, Classical.not_forall, not_exists] at h
  obtain ⟨ε, hε, h⟩ := h
  obtain ⟨M, hM⟩ := f.cauchy (ε / 4) (by grind)
  obtain ⟨N, hN⟩ := g.cauchy (ε / 4) (by grind)
  obtain ⟨k, hk, hk'⟩ := h (M + N)
  refine ⟨ε / 4, by grind, M + N, fun n hn => ?_⟩
  have := hM k (by omega) n (by omega)
  have := hN n (by omega) k (by omega)
  grind
theorem le_of_gap {f g : Cauchy} {δ : ℚ} {N : ℕ} (h : 0 < δ) (k : ∀ n, N ≤ n → g.seq n + δ < f.seq n) : Le g f :=
  fun ε hε => ⟨N, fun n hn => by have := k n hn; grind⟩
theorem not_le_of_gap {f g : Cauchy} {δ : ℚ} {N : ℕ} (h : 0 < δ) (k : ∀ n, N ≤ n → g.seq n + δ < f.seq n) : ¬ Le f g :=
  fun l => by
    obtain ⟨M, hM⟩ := l δ h
    have := hM (M + N) (by omega)
    have := k (M + N) (by omega)
    grind
theorem Le.total (f g : Cauchy) : Le f g ∨ Le g f := by
  by_cases h : Le f g
  · exact .inl h
  · obtain ⟨δ, hδ, N, hN⟩ := gap h
    exact .inr (le_of_gap hδ hN)

/-- Two sequences are the same number when each is at most the other. -/
instance setoid : Setoid Cauchy where
  r f g := Le f g ∧ Le g f
  iseqv := ⟨fun f => ⟨.refl f, .refl f⟩, And.symm, fun h k => ⟨h.1.trans k.1, k.2.trans h.2⟩⟩
theorem equiv_of_eq {f g : Cauchy} (h : ∀ n, f.seq n = g.seq n) : f ≈ g :=
  ⟨fun ε _ => ⟨0, fun n _ => by have := h n; grind⟩, fun ε _ => ⟨0, fun n _ => by have := h n; grind⟩⟩

theorem bounded (f : Cauchy) : ∃ B : ℚ, 0 < B ∧ ∃ N, ∀ n, N ≤ n → -B < f.seq n ∧ f.seq n < B := by
  obtain ⟨N, h⟩ := f.cauchy 1 (by decide)
  refine ⟨max (f.seq N) (-f.seq N) + 1, by grind, N, fun n hn => ?_⟩
  have := h n hn N (by omega)
  have := h N (by omega) n hn
  grind

theorem div_pos {a b : ℚ} (ha : 0 < a) (hb : 0 < b) : 0 < a / b := (Rat.lt_div_iff hb).2 (by grind)

/-- A bounded factor times a small one is small. -/
theorem mul_small {a b B δ : ℚ} (h₁ : -B < a) (h₂ : a < B) (h₃ : -δ < b) (h₄ : b < δ) : a * b < B * δ := by
  have := Rat.mul_pos (a := B - a) (b := δ + b) (by grind) (by grind)
  have := Rat.mul_pos (a := B + a) (b := δ - b) (by grind) (by grind)
  grind

theorem mul_close {a a' b b' B C ε : ℚ} (hB : 0 < B) (hC : 0 < C) (h₁ : -B < a) (h₂ : a < B) (h₃ : -C < b')
    (h₄ : b' < C) (h₅ : a - a' < ε / (2 * C)) (h₆ : a' - a < ε / (2 * C)) (h₇ : b - b' < ε / (2 * B))
    (h₈ : b' - b < ε / (2 * B)) : a * b - a' * b' < ε := by
  have k₁ := mul_small (b := b - b') h₁ h₂ (by grind) h₇
  have k₂ := mul_small (b := a - a') h₃ h₄ (by grind) h₅
  have e₁ : B * (ε / (2 * B)) = ε / 2 := by grind
  have e₂ : C * (ε / (2 * C)) = ε / 2 := by grind
  rw [e₁] at k₁
  rw [e₂] at k₂
  clear h₁ h₂ h₃ h₄ h₅ h₆ h₇ h₈ e₁ e₂
  grind

/-- A constant sequence. -/
def const (q : ℚ) : Cauchy := ⟨fun _ => q, fun ε h => ⟨0, fun _ _ _ _ => by grind⟩⟩
/-- Termwise sum. -/
def add (f g : Cauchy) : Cauchy := ⟨fun n => f.seq n + g.seq n, fun ε hε => by
  obtain ⟨M, hM⟩ := f.cauchy (ε / 2) (by grind)
  obtain ⟨N, hN⟩ := g.cauchy (ε / 2) (by grind)
  exact ⟨M + N, fun m hm n hn => by
    have := hM m (by omega) n (by omega); have := hN m (by omega) n (by omega); grind⟩⟩
/-- Termwise negation. -/
def neg (f : Cauchy) : Cauchy := ⟨fun n => -f.seq n, fun ε hε => by
  obtain ⟨N, hN⟩ := f.cauchy ε hε
  exact ⟨N, fun m hm n hn => by have := hN n hn m hm; grind⟩⟩
/-- Termwise product. -/
def mul (f g : Cauchy) : Cauchy := ⟨fun n => f.seq n * g.seq n, fun ε hε => by
  obtain ⟨B, hB, M, hM⟩ := f.bounded
  obtain ⟨C, hC, N, hN⟩ := g.bounded
  obtain ⟨K, hK⟩ := f.cauchy (ε / (2 * C)) (div_pos hε (by grind))
  obtain ⟨L, hL⟩ := g.cauchy (ε / (2 * B)) (div_pos hε (by grind))
  refine ⟨M + N + K + L, fun m hm n hn => ?_⟩
  exact mul_close hB hC (hM m (by omega)).1 (hM m (by omega)).2 (hN n (by omega)).1 (hN n (by omega)).2
    (hK m (by omega) n (by omega)) (hK n (by omega) m (by omega))
    (hL m (by omega) n (by omega)) (hL n (by omega) m (by omega))⟩

theorem add_le {f f' g g' : Cauchy} (h : Le f f') (k : Le g g') : Le (add f g) (add f' g') := fun ε hε => by
  obtain ⟨M, hM⟩ := h (ε / 2) (by grind)
  obtain ⟨N, hN⟩ := k (ε / 2) (by grind)
  exact ⟨M + N, fun n hn => by have := hM n (by omega); have := hN n (by omega); simp only [add]; grind⟩
theorem neg_le {f g : Cauchy} (h : Le f g) : Le (neg g) (neg f) := fun ε hε => by
  obtain ⟨N, hN⟩ := h ε hε
  exact ⟨N, fun n hn => by have := hN n hn; simp only [neg]; grind⟩
theorem mul_le_of_equiv {f f' g g' : Cauchy} (h : f ≈ f') (k : g ≈ g') : Le (mul f g) (mul f' g') := fun ε hε => by
  obtain ⟨B, hB, M, hM⟩ := f.bounded
  obtain ⟨C, hC, N, hN⟩ := g'.bounded
  obtain ⟨K₁, hK₁⟩ := h.1 (ε / (2 * C)) (div_pos hε (by grind))
  obtain ⟨K₂, hK₂⟩ := h.2 (ε / (2 * C)) (div_pos hε (by grind))
  obtain ⟨L₁, hL₁⟩ := k.1 (ε / (2 * B)) (div_pos hε (by grind))
  obtain ⟨L₂, hL₂⟩ := k.2 (ε / (2 * B)) (div_pos hε (by grind))
  refine ⟨M + N + K₁ + K₂ + L₁ + L₂, fun n hn => ?_⟩
  exact mul_close hB hC (hM n (by omega)).1 (hM n (by omega)).2 (hN n (by omega)).1 (hN n (by omega)).2
    (hK₁ n (by omega)) (hK₂ n (by omega)) (hL₁ n (by omega)) (hL₂ n (by omega))

end Real.Cauchy

/-- Mathlib's `Real`: Cauchy sequences of rational numbers up to sequences that tend to 0. -/
structure Real where
  /-- The class of a Cauchy sequence. -/
  ofCauchy ::
  /-- The class of Cauchy sequences with this limit. -/
  cauchy : Quotient Real.Cauchy.setoid

notation "ℝ" => Real

namespace Real

open Cauchy

/-- The limit of a Cauchy sequence of rational numbers. -/
def Cauchy.lim (f : Cauchy) : ℝ := ⟨Quotient.mk _ f⟩
theorem Cauchy.lim_eq {f g : Cauchy} (h : f ≈ g) : lim f = lim g := congrArg ofCauchy (Quotient.sound h)
theorem Cauchy.exists_lim (x : ℝ) : ∃ f, x = lim f := by
  obtain ⟨x⟩ := x
  induction x using Quotient.ind with | _ f => exact ⟨f, rfl⟩

@[irreducible] protected def add (x y : ℝ) : ℝ := ⟨Quotient.liftOn₂ x.1 y.1 (fun f g => Quotient.mk _ (Cauchy.add f g))
  fun _ _ _ _ h k => Quotient.sound ⟨add_le h.1 k.1, add_le h.2 k.2⟩⟩
@[irreducible] protected def neg (x : ℝ) : ℝ := ⟨Quotient.liftOn x.1 (fun f => Quotient.mk _ (Cauchy.neg f))
  fun _ _ h => Quotient.sound ⟨neg_le h.2, neg_le h.1⟩⟩
@[irreducible] protected def mul (x y : ℝ) : ℝ := ⟨Quotient.liftOn₂ x.1 y.1 (fun f g => Quotient.mk _ (Cauchy.mul f g))
  fun _ _ _ _ h k => Quotient.sound ⟨mul_le_of_equiv h k, mul_le_of_equiv (Setoid.symm h) (Setoid.symm k)⟩⟩
@[irreducible] protected def le (x y : ℝ) : Prop := Quotient.liftOn₂ x.1 y.1 Cauchy.Le
  fun _ _ _ _ h k => propext ⟨fun l => h.2.trans (l.trans k.1), fun l => h.1.trans (l.trans k.2)⟩

/-- The rational number as a real number. -/
@[irreducible] protected def ofRat (q : ℚ) : ℝ := lim (const q)

instance : Add ℝ := ⟨Real.add⟩
instance : Neg ℝ := ⟨Real.neg⟩
instance : Mul ℝ := ⟨Real.mul⟩
instance : LE ℝ := ⟨Real.le⟩
instance : LT ℝ := ⟨fun x y => ¬ y ≤ x⟩
instance : Sub ℝ := ⟨fun x y => x + -y⟩
instance : NatCast ℝ := ⟨fun n => Real.ofRat n⟩
instance : IntCast ℝ := ⟨fun n => Real.ofRat n⟩
instance (n : ℕ) : OfNat ℝ n := ⟨Real.ofRat n⟩
instance : Inhabited ℝ := ⟨0⟩

theorem Cauchy.lim_add (f g : Cauchy) : lim f + lim g = lim (Cauchy.add f g) := by
  show Real.add _ _ = _; rw [Real.add]; rfl
theorem Cauchy.lim_mul (f g : Cauchy) : lim f * lim g = lim (Cauchy.mul f g) := by
  show Real.mul _ _ = _; rw [Real.mul]; rfl
theorem Cauchy.lim_neg (f : Cauchy) : -lim f = lim (Cauchy.neg f) := by
  show Real.neg _ = _; rw [Real.neg]; rfl
theorem Cauchy.lim_le (f g : Cauchy) : lim f ≤ lim g ↔ Le f g := by
  show Real.le _ _ ↔ _; rw [Real.le]; rfl
theorem Cauchy.ofRat_eq (q : ℚ) : Real.ofRat q = lim (const q) := by rw [Real.ofRat]
theorem Cauchy.ofNat_eq (n : ℕ) : (OfNat.ofNat n : ℝ) = lim (const n) := ofRat_eq n

/-- The nonnegative powers. -/
protected def npow (x : ℝ) : ℕ → ℝ
  | 0 => 1
  | n + 1 => Real.npow x n * x

protected theorem mul_comm (a b : ℝ) : a * b = b * a := by
  obtain ⟨f, rfl⟩ := exists_lim a
  obtain ⟨g, rfl⟩ := exists_lim b
  rw [lim_mul, lim_mul]; exact lim_eq (equiv_of_eq fun n => by simp only [Cauchy.mul]; grind)
protected theorem one_mul (a : ℝ) : 1 * a = a := by
  obtain ⟨f, rfl⟩ := exists_lim a
  rw [ofNat_eq, lim_mul]; exact lim_eq (equiv_of_eq fun n => by simp only [Cauchy.mul, const]; grind)
protected theorem zero_mul (a : ℝ) : 0 * a = 0 := by
  obtain ⟨f, rfl⟩ := exists_lim a
  rw [ofNat_eq, lim_mul]; exact lim_eq (equiv_of_eq fun n => by simp only [Cauchy.mul, const]; grind)
protected theorem mul_add (a b c : ℝ) : a * (b + c) = a * b + a * c := by
  obtain ⟨f, rfl⟩ := exists_lim a
  obtain ⟨g, rfl⟩ := exists_lim b
  obtain ⟨h, rfl⟩ := exists_lim c
  simp only [lim_mul, lim_add]; exact lim_eq (equiv_of_eq fun n => by simp only [Cauchy.mul, Cauchy.add]; grind)

instance : Lean.Grind.CommRing ℝ where
  npow := ⟨Real.npow⟩
  nsmul := ⟨fun n x => n * x⟩
  zsmul := ⟨fun n x => n * x⟩
  natCast := inferInstance
  intCast := inferInstance
  ofNat := inferInstance
  add_zero a := by
    obtain ⟨f, rfl⟩ := exists_lim a
    rw [ofNat_eq, lim_add]; exact lim_eq (equiv_of_eq fun n => by simp only [Cauchy.add, const]; grind)
  add_comm a b := by
    obtain ⟨f, rfl⟩ := exists_lim a
    obtain ⟨g, rfl⟩ := exists_lim b
    rw [lim_add, lim_add]; exact lim_eq (equiv_of_eq fun n => by simp only [Cauchy.add]; grind)
  add_assoc a b c := by
    obtain ⟨f, rfl⟩ := exists_lim a
    obtain ⟨g, rfl⟩ := exists_lim b
    obtain ⟨h, rfl⟩ := exists_lim c
    simp only [lim_add]; exact lim_eq (equiv_of_eq fun n => by simp only [Cauchy.add]; grind)
  mul_assoc a b c := by
    obtain ⟨f, rfl⟩ := exists_lim a
    obtain ⟨g, rfl⟩ := exists_lim b
    obtain ⟨h, rfl⟩ := exists_lim c
    simp only [lim_mul]; exact lim_eq (equiv_of_eq fun n => by simp only [Cauchy.mul]; grind)
  mul_one a := (Real.mul_comm a 1).trans (Real.one_mul a)
  one_mul := Real.one_mul
  zero_mul := Real.zero_mul
  mul_zero a := (Real.mul_comm a 0).trans (Real.zero_mul a)
  left_distrib := Real.mul_add
  right_distrib a b c := by rw [Real.mul_comm, Real.mul_add, Real.mul_comm c, Real.mul_comm c]
  mul_comm := Real.mul_comm
  neg_add_cancel a := by
    obtain ⟨f, rfl⟩ := exists_lim a
    rw [ofNat_eq, lim_neg, lim_add]
    exact lim_eq (equiv_of_eq fun n => by simp only [Cauchy.add, Cauchy.neg, const]; grind)
  sub_eq_add_neg _ _ := rfl
  pow_zero _ := rfl
  pow_succ _ _ := rfl
  ofNat_succ n := by
    rw [ofNat_eq, ofNat_eq, ofNat_eq, lim_add]
    exact lim_eq (equiv_of_eq fun _ => by simp only [Cauchy.add, const]; grind)
  neg_zsmul n x := by
    obtain ⟨f, rfl⟩ := exists_lim x
    show Real.ofRat _ * lim f = -(Real.ofRat _ * lim f)
    rw [ofRat_eq, ofRat_eq, lim_mul, lim_mul, lim_neg]
    exact lim_eq (equiv_of_eq fun _ => by simp only [Cauchy.mul, Cauchy.neg, const]; grind)
  zsmul_natCast_eq_nsmul _ _ := rfl
  intCast_neg n := by
    show Real.ofRat _ = -(Real.ofRat _)
    rw [ofRat_eq, ofRat_eq, lim_neg]
    exact lim_eq (equiv_of_eq fun _ => by simp only [Cauchy.neg, const]; grind)
  ofNat_eq_natCast _ := rfl
  nsmul_eq_natCast_mul _ _ := rfl
  intCast_ofNat _ := rfl

instance : Std.IsLinearOrder ℝ where
  le_refl a := by obtain ⟨f, rfl⟩ := exists_lim a; exact (lim_le f f).2 (.refl f)
  le_trans a b c := by
    obtain ⟨f, rfl⟩ := exists_lim a
    obtain ⟨g, rfl⟩ := exists_lim b
    obtain ⟨h, rfl⟩ := exists_lim c
    simp only [lim_le]; exact .trans
  le_antisymm a b := by
    obtain ⟨f, rfl⟩ := exists_lim a
    obtain ⟨g, rfl⟩ := exists_lim b
    simp only [lim_le]; exact fun h k => lim_eq ⟨h, k⟩
  le_total a b := by
    obtain ⟨f, rfl⟩ := exists_lim a
    obtain ⟨g, rfl⟩ := exists_lim b
    simp only [lim_le]; exact Le.total f g

instance : Std.LawfulOrderLT ℝ where
  lt_iff a b := by
    show ¬ b ≤ a ↔ a ≤ b ∧ ¬ b ≤ a
    have : a ≤ b ∨ b ≤ a := Std.le_total
    grind

instance : Lean.Grind.OrderedAdd ℝ where
  add_le_left_iff {a b} c := by
    obtain ⟨f, rfl⟩ := exists_lim a
    obtain ⟨g, rfl⟩ := exists_lim b
    obtain ⟨h, rfl⟩ := exists_lim c
    simp only [lim_add, lim_le]
    refine ⟨fun l => add_le l (.refl h), fun l ε hε => ?_⟩
    obtain ⟨N, hN⟩ := l ε hε
    exact ⟨N, fun n hn => by have := hN n hn; simp only [Cauchy.add] at this; grind⟩

theorem Cauchy.gap_of_lt {f g : Cauchy} (h : lim f < lim g) :
    ∃ δ : ℚ, 0 < δ ∧ ∃ N, ∀ n, N ≤ n → f.seq n + δ < g.seq n :=
  gap fun l => h ((lim_le g f).2 l)
theorem Cauchy.lt_of_gap {f g : Cauchy} {δ : ℚ} {N : ℕ} (h : 0 < δ) (k : ∀ n, N ≤ n → f.seq n + δ < g.seq n) :
    lim f < lim g :=
  fun l => not_le_of_gap h k ((lim_le g f).1 l)

protected theorem mul_pos {a b : ℝ} (ha : 0 < a) (hb : 0 < b) : 0 < a * b := by
  obtain ⟨f, rfl⟩ := exists_lim a
  obtain ⟨g, rfl⟩ := exists_lim b
  rw [ofNat_eq] at *
  obtain ⟨δ, hδ, M, hM⟩ := gap_of_lt ha
  obtain ⟨η, hη, N, hN⟩ := gap_of_lt hb
  rw [lim_mul]
  refine lt_of_gap (Rat.mul_pos hδ hη) (N := M + N) fun n hn => ?_
  have h₁ := hM n (by omega)
  have h₂ := hN n (by omega)
  simp only [const, Cauchy.mul] at *
  have := Rat.mul_pos (a := f.seq n - δ) (b := g.seq n) (by grind) (by grind)
  have := Rat.mul_pos (a := δ) (b := g.seq n - η) (by grind) (by grind)
  grind

protected theorem sub_pos {a b : ℝ} : 0 < b - a ↔ a < b := by
  have : a < b ↔ a + -a < b + -a := Lean.Grind.OrderedAdd.add_lt_left_iff (-a)
  rw [this, show a + -a = 0 by grind, show b + -a = b - a by grind]

instance : Lean.Grind.OrderedRing ℝ where
  zero_lt_one := by
    rw [ofNat_eq, ofNat_eq]
    exact lt_of_gap (δ := 1 / 2) (N := 0) (by grind) fun n _ => by simp only [const]; grind
  mul_lt_mul_of_pos_left {a b c} h k := by
    rw [← Real.sub_pos, show c * b - c * a = c * (b - a) by grind]; exact Real.mul_pos k (Real.sub_pos.2 h)
  mul_lt_mul_of_pos_right {a b c} h k := by
    rw [← Real.sub_pos, show b * c - a * c = c * (b - a) by grind]; exact Real.mul_pos k (Real.sub_pos.2 h)

protected theorem zero_lt_one : (0 : ℝ) < 1 := Lean.Grind.OrderedRing.zero_lt_one (R := ℝ)

/-- Every number but 0 has an inverse: the termwise inverse of a sequence that stays away from 0. -/
theorem Cauchy.exists_inv {x : ℝ} (hx : 0 < x) : ∃ y, x * y = 1 := by
  obtain ⟨f, rfl⟩ := exists_lim x
  rw [ofNat_eq] at hx
  obtain ⟨δ, hδ, N, hN⟩ := gap_of_lt hx
  simp only [const] at hN
  have hδ2 := Rat.mul_pos hδ hδ
  refine ⟨lim ⟨fun n => (f.seq n)⁻¹, fun ε hε => ?_⟩, ?_⟩
  · obtain ⟨M, hM⟩ := f.cauchy (ε * (δ * δ)) (Rat.mul_pos hε hδ2)
    refine ⟨M + N, fun m hm n hn => ?_⟩
    have h₁ := hN m (by omega)
    have h₂ := hN n (by omega)
    have h₃ := hM n (by omega) m (by omega)
    have hm0 : 0 < f.seq m := by grind
    have hn0 : 0 < f.seq n := by grind
    have h₄ : δ * δ < f.seq m * f.seq n := by
      have := Rat.mul_pos (a := f.seq m - δ) (b := f.seq n) (by grind) (by grind)
      have := Rat.mul_pos (a := δ) (b := f.seq n - δ) (by grind) (by grind)
      grind
    have h₅ := Rat.mul_pos hε (b := f.seq m * f.seq n - δ * δ) (by grind)
    have hp := Rat.mul_pos hm0 hn0
    have : (f.seq m)⁻¹ - (f.seq n)⁻¹ = (f.seq n - f.seq m) / (f.seq m * f.seq n) := by grind
    rw [this]
    have h₆ : f.seq n - f.seq m < ε * (f.seq m * f.seq n) := by grind
    exact (Rat.div_lt_iff hp).2 h₆
  · rw [ofNat_eq, lim_mul]
    have key : ∀ n, N ≤ n → f.seq n * (f.seq n)⁻¹ = 1 := fun n hn => by have := hN n hn; grind
    exact lim_eq ⟨fun ε hε => ⟨N, fun n hn => by simp only [Cauchy.mul, const]; rw [key n hn]; grind⟩,
      fun ε hε => ⟨N, fun n hn => by simp only [Cauchy.mul, const]; rw [key n hn]; grind⟩⟩
theorem Cauchy.exists_mul_eq_one {x : ℝ} (hx : x ≠ 0) : ∃ y, x * y = 1 := by
  by_cases h : 0 < x
  · exact exists_inv h
  · obtain ⟨y, hy⟩ := exists_inv (x := -x) (by grind)
    exact ⟨-y, by grind⟩

open Classical in
/-- The inverse, and 0 for 0, as in Mathlib. -/
@[irreducible] protected def inv (x : ℝ) : ℝ := if h : ∃ y, x * y = 1 then choose h else 0
instance : Inv ℝ := ⟨Real.inv⟩
instance : Div ℝ := ⟨fun x y => x * y⁻¹⟩

/-- The powers with integer exponents. -/
protected def zpow (x : ℝ) : ℤ → ℝ
  | .ofNat n => x ^ n
  | .negSucc n => (x ^ (n + 1))⁻¹

protected theorem mul_inv_cancel {x : ℝ} (hx : x ≠ 0) : x * x⁻¹ = 1 := by
  show x * Real.inv x = 1
  rw [Real.inv, dif_pos (exists_mul_eq_one hx)]
  exact Classical.choose_spec (exists_mul_eq_one hx)
protected theorem inv_zero : (0 : ℝ)⁻¹ = 0 := by
  show Real.inv 0 = 0
  rw [Real.inv, dif_neg]
  rintro ⟨y, hy⟩
  have := Real.zero_lt_one
  grind

instance : Lean.Grind.Field ℝ where
  zpow := ⟨Real.zpow⟩
  div_eq_mul_inv _ _ := rfl
  zero_ne_one := by have := Real.zero_lt_one; grind
  inv_zero := Real.inv_zero
  mul_inv_cancel := Real.mul_inv_cancel
  zpow_zero _ := rfl
  zpow_succ _ _ := rfl
  zpow_neg x n := by
    show Real.zpow x (-n) = (Real.zpow x n)⁻¹
    have inv_one : (1 : ℝ)⁻¹ = 1 := by
      have := Real.mul_inv_cancel (x := 1) (by have := Real.zero_lt_one; grind)
      grind
    have inv_inv : ∀ y : ℝ, y⁻¹⁻¹ = y := fun y => by
      by_cases h : y = 0
      · subst h; rw [Real.inv_zero, Real.inv_zero]
      · have h₁ := Real.mul_inv_cancel h
        have h₂ : y⁻¹ ≠ 0 := by rintro k; rw [k] at h₁; have := Real.zero_lt_one; grind
        have h₃ := Real.mul_inv_cancel h₂
        grind
    match n with
    | .ofNat 0 => exact inv_one.symm
    | .ofNat (n + 1) => rfl
    | .negSucc n => exact (inv_inv _).symm

end Real

/-! ## Order and completeness of the real numbers -/

/-- Mathlib's `RatCast`: rational numbers as elements of `K`. -/
class RatCast (K : Type u) where
  /-- The canonical map. -/
  protected ratCast : ℚ → K

/-- Mathlib's `Rat.cast`. -/
@[coe, reducible] protected def Rat.cast {K : Type u} [RatCast K] : ℚ → K := RatCast.ratCast
instance {K : Type u} [RatCast K] : CoeTail ℚ K := ⟨Rat.cast⟩
instance {K : Type u} [RatCast K] : CoeHTCT ℚ K := ⟨Rat.cast⟩

namespace Real

instance : RatCast ℝ := ⟨Real.ofRat⟩
/-- Decimal literals denote the rational number that they name, as in Mathlib. -/
instance : OfScientific ℝ := ⟨fun m s e => ((OfScientific.ofScientific m s e : ℚ) : ℝ)⟩

open Classical in
/-- The order of the reals is decided classically, as in Mathlib. -/
instance decidableLE (x y : ℝ) : Decidable (x ≤ y) := propDecidable _
open Classical in
@[inherit_doc decidableLE] instance decidableLT (x y : ℝ) : Decidable (x < y) := propDecidable _
open Classical in
@[inherit_doc decidableLE] instance decidableEq : DecidableEq ℝ := fun _ _ => propDecidable _

instance : Max ℝ := ⟨fun x y => if x ≤ y then y else x⟩
instance : Min ℝ := ⟨fun x y => if x ≤ y then x else y⟩
theorem max_def (x y : ℝ) : max x y = if x ≤ y then y else x := rfl
theorem min_def (x y : ℝ) : min x y = if x ≤ y then x else y := rfl
instance : Std.LawfulOrderMax ℝ where
  max_eq_or x y := by rw [max_def]; split <;> simp
  max_le_iff x y z := by rw [max_def]; split <;> grind
instance : Std.LawfulOrderMin ℝ where
  min_eq_or x y := by rw [min_def]; split <;> simp
  le_min_iff x y z := by rw [min_def]; split <;> grind

open Cauchy

theorem Cauchy.ratCast_eq (q : ℚ) : (q : ℝ) = lim (const q) := ofRat_eq q
theorem Cauchy.intCast_eq (n : ℤ) : (n : ℝ) = lim (const n) := ofRat_eq n
theorem Cauchy.natCast_eq (n : ℕ) : (n : ℝ) = lim (const n) := ofRat_eq n
@[simp, norm_cast] theorem _root_.Rat.cast_intCast (n : ℤ) : ((n : ℚ) : ℝ) = n := rfl
@[simp, norm_cast] theorem _root_.Rat.cast_natCast (n : ℕ) : ((n : ℚ) : ℝ) = n := rfl
@[simp, norm_cast] theorem _root_.Rat.cast_ofNat {n : ℕ} : ((no_index (OfNat.ofNat n) : ℚ) : ℝ) = OfNat.ofNat n := by
  rw [ratCast_eq, ofNat_eq]; exact lim_eq (equiv_of_eq fun _ => Lean.Grind.Semiring.ofNat_eq_natCast n)
@[simp, norm_cast] theorem _root_.Rat.cast_zero : ((0 : ℚ) : ℝ) = 0 := Rat.cast_ofNat
@[simp, norm_cast] theorem _root_.Rat.cast_one : ((1 : ℚ) : ℝ) = 1 := Rat.cast_ofNat
@[simp, norm_cast] theorem _root_.Rat.cast_add (p q : ℚ) : ((p + q : ℚ) : ℝ) = p + q := by
  simp only [ratCast_eq, lim_add]; exact lim_eq (equiv_of_eq fun _ => rfl)
@[simp, norm_cast] theorem _root_.Rat.cast_mul (p q : ℚ) : ((p * q : ℚ) : ℝ) = p * q := by
  simp only [ratCast_eq, lim_mul]; exact lim_eq (equiv_of_eq fun _ => rfl)
@[simp, norm_cast] theorem _root_.Rat.cast_neg (q : ℚ) : ((-q : ℚ) : ℝ) = -q := by
  simp only [ratCast_eq, lim_neg]; exact lim_eq (equiv_of_eq fun _ => rfl)
@[simp, norm_cast] theorem _root_.Rat.cast_sub (p q : ℚ) : ((p - q : ℚ) : ℝ) = p - q := by
  have := Rat.cast_add (p - q) q; rw [show p - q + q = p by grind] at this; grind
@[simp, norm_cast] theorem _root_.Rat.cast_le {p q : ℚ} : (p : ℝ) ≤ q ↔ p ≤ q := by
  rw [ratCast_eq, ratCast_eq, lim_le]
  refine ⟨fun h => Rat.not_lt.1 fun k => ?_, fun h ε hε => ⟨0, fun _ _ => by simp only [const]; grind⟩⟩
  obtain ⟨N, hN⟩ := h (p - q) (by grind)
  have := hN N (Nat.le_refl N)
  simp only [const] at this
  grind
@[simp, norm_cast] theorem _root_.Rat.cast_lt {p q : ℚ} : (p : ℝ) < q ↔ p < q := by
  rw [← not_le, Rat.cast_le, Rat.not_le]
@[simp, norm_cast] theorem _root_.Rat.cast_inj {p q : ℚ} : (p : ℝ) = q ↔ p = q :=
  ⟨fun h => Rat.le_antisymm (Rat.cast_le.1 (by rw [h]; exact le_refl _)) (Rat.cast_le.1 (by rw [h]; exact le_refl _)),
    fun h => h ▸ rfl⟩
@[simp, norm_cast] theorem _root_.Rat.cast_inv (q : ℚ) : ((q⁻¹ : ℚ) : ℝ) = (q : ℝ)⁻¹ := by
  by_cases h : q = 0
  · subst h; rw [show (0 : ℚ)⁻¹ = 0 by grind, Rat.cast_zero]; grind
  · have h₁ : ((q * q⁻¹ : ℚ) : ℝ) = 1 := by rw [show q * q⁻¹ = 1 by grind, Rat.cast_one]
    rw [Rat.cast_mul] at h₁
    grind
@[simp, norm_cast] theorem _root_.Rat.cast_div (p q : ℚ) : ((p / q : ℚ) : ℝ) = p / q := by
  rw [show p / q = p * q⁻¹ by grind, Rat.cast_mul, Rat.cast_inv]; grind

@[simp, grind =] theorem ofScientific_true (m e : ℕ) :
    (OfScientific.ofScientific m true e : ℝ) = (m : ℝ) / (10 : ℝ) ^ e := by
  show ((Rat.ofScientific m true e : ℚ) : ℝ) = _
  rw [Rat.ofScientific_true_def, Rat.mkRat_eq_div, Rat.cast_div, Rat.cast_natCast, Nat.cast_pow, Nat.cast_ofNat]
  rfl

/-- Every real number is below a natural number: Mathlib's `exists_nat_gt`. -/
theorem _root_.exists_nat_gt (x : ℝ) : ∃ n : ℕ, x < n := by
  obtain ⟨f, rfl⟩ := exists_lim x
  obtain ⟨B, hB, N, hN⟩ := f.bounded
  have hB' := Rat.lt_floor_add_one B
  refine ⟨(B.floor + 1).toNat, ?_⟩
  have h : ((B.floor + 1 : ℤ) : ℚ) ≤ ((B.floor + 1).toNat : ℕ) := by
    rw [← Rat.intCast_natCast]; exact Rat.intCast_le_intCast.2 (by omega)
  refine lt_of_le_of_lt (b := (B : ℝ)) ?_ (by rw [← Rat.cast_natCast, Rat.cast_lt]; grind)
  rw [ratCast_eq, lim_le]
  exact fun ε hε => ⟨N, fun n hn => by have := hN n hn; simp only [const]; grind⟩

/-- Mathlib's `exists_rat_btwn` for an upper bound: a rational number above `x`. -/
theorem exists_rat_gt (x : ℝ) : ∃ q : ℚ, x < q := by
  obtain ⟨n, hn⟩ := exists_nat_gt x; exact ⟨n, by rwa [Rat.cast_natCast]⟩
theorem exists_rat_lt (x : ℝ) : ∃ q : ℚ, (q : ℝ) < x := by
  obtain ⟨q, hq⟩ := exists_rat_gt (-x); exact ⟨-q, by rw [Rat.cast_neg]; grind⟩

/-- A number that is below all terms is below the limit. -/
theorem Cauchy.le_lim {x : ℝ} {f : Cauchy} (h : ∀ n, x ≤ (f.seq n : ℝ)) : x ≤ lim f := by
  obtain ⟨g, rfl⟩ := exists_lim x
  rw [lim_le]
  intro ε hε
  obtain ⟨N, hN⟩ := f.cauchy (ε / 2) (by grind)
  have h := h N
  rw [ratCast_eq, lim_le] at h
  obtain ⟨M, hM⟩ := h (ε / 2) (by grind)
  refine ⟨M + N, fun n hn => ?_⟩
  have h₁ := hM n (by omega)
  have h₂ := hN N (Nat.le_refl N) n (by omega)
  simp only [const] at h₁
  clear hM hN
  grind
theorem Cauchy.lim_le_of_forall {x : ℝ} {f : Cauchy} (h : ∀ n, (f.seq n : ℝ) ≤ x) : lim f ≤ x := by
  have := le_lim (x := -x) (f := Cauchy.neg f) fun n => by
    have := h n
    simp only [Cauchy.neg, Rat.cast_neg]; grind
  rw [← lim_neg] at this
  grind

open Classical in
/-- Bisection: the interval of step `n`, of which the right end has `P` and the left end has not. -/
def Cauchy.bisect (P : ℚ → Prop) (a b : ℚ) : ℕ → ℚ × ℚ
  | 0 => (a, b)
  | n + 1 =>
    let (l, u) := bisect P a b n
    if P ((l + u) / 2) then (l, (l + u) / 2) else ((l + u) / 2, u)

section Bisect
variable {P : ℚ → Prop} {a b : ℚ}
theorem Cauchy.bisect_spec (ha : ¬P a) (hb : P b) (n : ℕ) : ¬P (bisect P a b n).1 ∧ P (bisect P a b n).2 := by
  induction n with
  | zero => exact ⟨ha, hb⟩
  | succ n ih => simp only [bisect]; split <;> grind
theorem Cauchy.bisect_width (n : ℕ) : (bisect P a b n).2 - (bisect P a b n).1 = (b - a) / 2 ^ n := by
  induction n with
  | zero => simp only [bisect]; grind
  | succ n ih =>
    have : (2 : ℚ) ^ n ≠ 0 := by have := pow_pos (show (0 : ℚ) < 2 by grind) n; grind
    rw [show (b - a) / 2 ^ (n + 1) = (b - a) / 2 ^ n / 2 by rw [Lean.Grind.Semiring.pow_succ]; grind, ← ih]
    simp only [bisect]; split <;> simp only [] <;> grind
theorem Cauchy.bisect_anti (h : a < b) (m k : ℕ) :
    (bisect P a b m).1 ≤ (bisect P a b (m + k)).1 ∧ (bisect P a b (m + k)).2 ≤ (bisect P a b m).2 := by
  induction k with
  | zero => exact ⟨Rat.le_refl, Rat.le_refl⟩
  | succ k ih =>
    have := bisect_width (P := P) (a := a) (b := b) (m + k)
    have := Real.Cauchy.div_pos (show 0 < b - a by grind) (pow_pos (show (0 : ℚ) < 2 by grind) (m + k))
    rw [← Nat.add_assoc]
    simp only [bisect]; split <;> simp only [] <;> grind
theorem Cauchy.bisect_lt (h : a < b) (m n : ℕ) : (bisect P a b m).1 < (bisect P a b n).2 := by
  have h₁ := bisect_anti (P := P) h m n
  have h₂ := bisect_anti (P := P) h n m
  have h₃ := bisect_width (P := P) (a := a) (b := b) (m + n)
  have := Real.Cauchy.div_pos (show 0 < b - a by grind) (pow_pos (show (0 : ℚ) < 2 by grind) (m + n))
  rw [Nat.add_comm n m] at h₂
  grind
theorem Cauchy.width_small {ε : ℚ} (hε : 0 < ε) : ∃ N : ℕ, (b - a) / 2 ^ N < ε := by
  obtain ⟨N, hN⟩ := exists_nat_gt (((b - a) / ε : ℚ) : ℝ)
  rw [← Rat.cast_natCast, Rat.cast_lt, div_lt_iff₀ hε] at hN
  refine ⟨N, ?_⟩
  rw [div_lt_iff₀ (pow_pos (by grind) N)]
  have h₁ : (N : ℚ) < 2 ^ N := by
    have := Nat.cast_lt (R := ℚ).2 (Nat.lt_two_pow_self (n := N)); rwa [Nat.cast_pow, Nat.cast_ofNat] at this
  have := mul_lt_mul_of_pos_right h₁ hε
  grind
/-- The right ends of a bisection. -/
def Cauchy.bisectRight (P : ℚ → Prop) (a b : ℚ) (h : a < b) : Cauchy := ⟨fun n => (bisect P a b n).2, fun ε hε => by
  obtain ⟨N, hN⟩ := width_small hε (a := a) (b := b)
  refine ⟨N, fun m hm n hn => ?_⟩
  obtain ⟨k, rfl⟩ := Nat.exists_eq_add_of_le hm
  have h₁ := bisect_anti (P := P) h N k
  have h₂ := bisect_lt (P := P) h N n
  rw [← bisect_width (P := P)] at hN
  grind⟩
/-- The left ends of a bisection. -/
def Cauchy.bisectLeft (P : ℚ → Prop) (a b : ℚ) (h : a < b) : Cauchy := ⟨fun n => (bisect P a b n).1, fun ε hε => by
  obtain ⟨N, hN⟩ := width_small hε (a := a) (b := b)
  refine ⟨N, fun m hm n hn => ?_⟩
  obtain ⟨k, rfl⟩ := Nat.exists_eq_add_of_le hn
  have h₁ := bisect_anti (P := P) h N k
  have h₂ := bisect_lt (P := P) h m N
  rw [← bisect_width (P := P)] at hN
  grind⟩
theorem Cauchy.bisect_lim (h : a < b) : lim (bisectLeft P a b h) = lim (bisectRight P a b h) := by
  refine lim_eq ⟨fun ε hε => ⟨0, fun n _ => ?_⟩, fun ε hε => ?_⟩
  · have := bisect_lt (P := P) h n n
    simp only [bisectLeft, bisectRight]; grind
  · obtain ⟨N, hN⟩ := width_small hε (a := a) (b := b)
    refine ⟨N, fun n hn => ?_⟩
    obtain ⟨k, rfl⟩ := Nat.exists_eq_add_of_le hn
    have h₁ := bisect_anti (P := P) h N k
    rw [← bisect_width (P := P)] at hN
    simp only [bisectLeft, bisectRight]; grind
end Bisect

/-- Mathlib's `Real.exists_isLUB`: every nonempty set of reals with an upper bound has a least upper bound. -/
theorem exists_isLUB {S : Set ℝ} (hne : S.Nonempty) (hb : BddAbove S) : ∃ x, IsLUB S x := by
  obtain ⟨y, hy⟩ := hne
  obtain ⟨z, hz⟩ := hb
  obtain ⟨a, ha⟩ := exists_rat_lt y
  obtain ⟨b, hb⟩ := exists_rat_gt z
  let P : ℚ → Prop := fun q => ∀ x, x ∈ S → x ≤ (q : ℝ)
  have hPa : ¬P a := fun h => not_le.2 ha (h y hy)
  have hPb : P b := fun x hx => le_trans (hz x hx) (le_of_lt hb)
  have hab : a < b := Rat.cast_lt.1 (lt_of_lt_of_le ha (hPb y hy))
  have spec := bisect_spec hPa hPb
  refine ⟨lim (bisectRight P a b hab), fun x hx => le_lim fun n => (spec n).2 x hx, fun w hw => ?_⟩
  rw [← bisect_lim]
  refine lim_le_of_forall fun n => not_lt.1 fun k => (spec n).1 fun x hx => ?_
  exact le_trans (hw x hx) (le_of_lt k)

open Classical in
/-- Mathlib's `sSup` on ℝ: the least upper bound, and 0 where there is none (`Real.sSup_def`). -/
@[irreducible] protected def sSup (S : Set ℝ) : ℝ := if h : ∃ x, IsLUB S x then choose h else 0
open Classical in
/-- Mathlib's `sInf` on ℝ: the greatest lower bound, and 0 where there is none (`Real.sInf_def`). -/
@[irreducible] protected def sInf (S : Set ℝ) : ℝ := if h : ∃ x, IsGLB S x then choose h else 0
instance : SupSet ℝ := ⟨Real.sSup⟩
instance : InfSet ℝ := ⟨Real.sInf⟩
theorem isLUB_sSup {S : Set ℝ} (hne : S.Nonempty) (hb : BddAbove S) : IsLUB S (sSup S) := by
  show IsLUB S (Real.sSup S)
  rw [Real.sSup, dif_pos (exists_isLUB hne hb)]; exact Classical.choose_spec (exists_isLUB hne hb)

/-! ## Square root -/

open Classical in
/-- Mathlib's `Real.sqrt`: the nonnegative number whose square is `x`, and 0 for negative `x`
(`Real.sqrt_eq_zero_of_nonpos`). -/
@[irreducible, pp_nodot] def sqrt (x : ℝ) : ℝ := if h : ∃ y, 0 ≤ y ∧ y * y = x then choose h else 0

@[inherit_doc] prefix:max "√" => Real.sqrt

theorem exists_sqrt {x : ℝ} (hx : 0 ≤ x) : ∃ y, 0 ≤ y ∧ y * y = x := by
  let S : Set ℝ := {y | 0 ≤ y ∧ y * y ≤ x}
  have h0 : (0 : ℝ) ∈ S := ⟨le_refl 0, by grind⟩
  have hb : BddAbove S :=
    ⟨x + 1, fun y hy => le_of_sq_le_sq (le_trans hy.2 (by have := mul_self_nonneg x; grind)) (by grind)⟩
  obtain ⟨s, hs⟩ := exists_isLUB ⟨0, h0⟩ hb
  have hs0 : 0 ≤ s := hs.1 0 h0
  refine ⟨s, hs0, ?_⟩
  rcases lt_trichotomy (s * s) x with h | h | h
  · exfalso
    -- s can be raised by ε and its square stays below x
    let ε := min 1 ((x - s * s) / (2 * s + 1))
    have hd : 0 < (x - s * s) / (2 * s + 1) := div_pos (sub_pos.2 h) (by grind)
    have hε : 0 < ε := by simp only [ε]; rw [min_def]; split <;> grind
    have hε1 : ε ≤ 1 := by simp only [ε]; rw [min_def]; split <;> grind
    have hε2 : ε * (2 * s + 1) ≤ x - s * s := by
      rw [← le_div_iff₀ (by grind)]; simp only [ε]; rw [min_def]; split <;> grind
    have h₁ := mul_nonneg (le_of_lt hε) (sub_nonneg.2 hε1)
    have := hs.1 (s + ε) ⟨by grind, by grind⟩
    grind
  · exact h
  · exfalso
    -- s can be lowered by d and its square stays above x
    have hs1 : 0 < s := lt_of_le_of_ne hs0 (by rintro rfl; grind)
    let d := (s * s - x) / (2 * s)
    have hd : 0 < d := div_pos (sub_pos.2 h) (by grind)
    have hd2 : d * (2 * s) = s * s - x := by simp only [d]; grind
    have hd3 : d ≤ s := by simp only [d]; rw [div_le_iff₀ (by grind)]; have := mul_self_nonneg s; grind
    have := hs.2 (s - d) fun y hy => le_of_sq_le_sq (le_trans hy.2 (by have := mul_self_nonneg d; grind)) (by grind)
    grind

theorem sqrt_nonneg (x : ℝ) : 0 ≤ √x := by
  rw [sqrt]; split
  · next h => exact (Classical.choose_spec h).1
  · exact le_refl _
theorem mul_self_sqrt {x : ℝ} (h : 0 ≤ x) : √x * √x = x := by
  rw [sqrt, dif_pos (exists_sqrt h)]; exact (Classical.choose_spec (exists_sqrt h)).2
theorem sq_sqrt {x : ℝ} (h : 0 ≤ x) : √x ^ 2 = x := by rw [pow_two, mul_self_sqrt h]
theorem sqrt_eq_zero_of_nonpos {x : ℝ} (h : x ≤ 0) : √x = 0 := by
  by_cases k : x = 0
  · subst k; have := mul_self_sqrt (le_refl (0 : ℝ)); grind
  · rw [sqrt, dif_neg]
    rintro ⟨y, _, hy⟩; have := mul_self_nonneg y; grind
@[simp] theorem sqrt_zero : √(0 : ℝ) = 0 := sqrt_eq_zero_of_nonpos (le_refl 0)
theorem sqrt_eq_iff_mul_self_eq {x y : ℝ} (hx : 0 ≤ x) (hy : 0 ≤ y) : √x = y ↔ y * y = x := by
  constructor
  · rintro rfl; exact mul_self_sqrt hx
  · rintro rfl
    exact le_antisymm (le_of_sq_le_sq (by rw [mul_self_sqrt hx]; exact le_refl _) hy)
      (le_of_sq_le_sq (by rw [mul_self_sqrt hx]; exact le_refl _) (sqrt_nonneg _))
theorem sqrt_mul_self {x : ℝ} (h : 0 ≤ x) : √(x * x) = x := (sqrt_eq_iff_mul_self_eq (mul_self_nonneg x) h).2 rfl
theorem sqrt_sq {x : ℝ} (h : 0 ≤ x) : √(x ^ 2) = x := by rw [pow_two, sqrt_mul_self h]
@[simp] theorem sqrt_one : √(1 : ℝ) = 1 := (sqrt_eq_iff_mul_self_eq zero_le_one zero_le_one).2 (by grind)
theorem sqrt_le_sqrt {x y : ℝ} (h : x ≤ y) : √x ≤ √y := by
  by_cases hx : 0 ≤ x
  · exact le_of_sq_le_sq (by rw [mul_self_sqrt hx, mul_self_sqrt (le_trans hx h)]; exact h) (sqrt_nonneg y)
  · rw [sqrt_eq_zero_of_nonpos (by grind)]; exact sqrt_nonneg y
theorem sqrt_lt_sqrt {x y : ℝ} (hx : 0 ≤ x) (h : x < y) : √x < √y := by
  rw [← not_le]; intro k
  have h₁ := mul_self_le_mul_self (sqrt_nonneg y) k
  rw [mul_self_sqrt hx, mul_self_sqrt (by grind)] at h₁
  grind
theorem sqrt_pos {x : ℝ} : 0 < √x ↔ 0 < x := by
  constructor <;> intro h
  · rw [← not_le]; intro k; rw [sqrt_eq_zero_of_nonpos k] at h; grind
  · have := sqrt_lt_sqrt (le_refl 0) h; rwa [sqrt_zero] at this
theorem sqrt_mul {x : ℝ} (hx : 0 ≤ x) (y : ℝ) : √(x * y) = √x * √y := by
  by_cases hy : 0 ≤ y
  · refine (sqrt_eq_iff_mul_self_eq (mul_nonneg hx hy) (mul_nonneg (sqrt_nonneg x) (sqrt_nonneg y))).2 ?_
    have := mul_self_sqrt hx; have := mul_self_sqrt hy; grind
  · have h₁ := mul_nonneg hx (show 0 ≤ -y by grind)
    rw [sqrt_eq_zero_of_nonpos (x := y) (by grind), sqrt_eq_zero_of_nonpos (by grind)]; grind
theorem sqrt_lt_sqrt_iff {x y : ℝ} (hx : 0 ≤ x) : √x < √y ↔ x < y :=
  ⟨fun h => not_le.1 fun k => not_le.2 h (sqrt_le_sqrt k), sqrt_lt_sqrt hx⟩
theorem sqrt_lt' {x y : ℝ} (hy : 0 < y) : √x < y ↔ x < y ^ 2 := by
  constructor <;> intro h
  · rw [← not_le]; intro k
    have := sqrt_le_sqrt k; rw [sqrt_sq (le_of_lt hy)] at this; grind
  · by_cases hx : 0 ≤ x
    · have := sqrt_lt_sqrt hx h; rwa [sqrt_sq (le_of_lt hy)] at this
    · rw [sqrt_eq_zero_of_nonpos (by grind)]; exact hy
theorem lt_sqrt {x y : ℝ} (hy : 0 ≤ y) : y < √x ↔ y ^ 2 < x := by
  have h := sq_nonneg y
  rw [← sqrt_lt_sqrt_iff h, sqrt_sq hy]
/-- What grind and its users need to know of √x: it is nonnegative, its square is `x`, and it is 0 below 0. -/
theorem sqrt_cases (x : ℝ) : 0 ≤ √x ∧ √x ^ 2 = x ∧ 0 ≤ x ∨ √x = 0 ∧ x < 0 := by
  by_cases h : 0 ≤ x
  · exact .inl ⟨sqrt_nonneg x, sq_sqrt h, h⟩
  · exact .inr ⟨sqrt_eq_zero_of_nonpos (by grind), by grind⟩
grind_pattern sqrt_cases => √x

end Real

/-- Mathlib's `Irrational`. -/
def Irrational (x : ℝ) : Prop := x ∉ Set.range fun q : ℚ => (q : ℝ)

/-! ## Floor and ceiling -/

/-- Mathlib's `FloorRing`: integer parts exist. -/
class FloorRing (α : Type u) [Lean.Grind.Ring α] [LE α] where
  /-- The greatest integer that is at most `a`. -/
  floor : α → ℤ
  le_floor_iff : ∀ (z : ℤ) (a : α), z ≤ floor a ↔ @Int.cast α Lean.Grind.Ring.intCast z ≤ a

instance : FloorRing ℤ := ⟨fun a => a, fun _ _ => Iff.rfl⟩
instance : FloorRing ℚ := ⟨Rat.floor, fun _ _ => Rat.le_floor_iff⟩

theorem Real.exists_floor (x : ℝ) : ∃ n : ℤ, (n : ℝ) ≤ x ∧ x < ((n + 1 : ℤ) : ℝ) := by
  obtain ⟨b, hb⟩ := exists_nat_gt x
  obtain ⟨a, ha⟩ := exists_nat_gt (-x)
  have step : ∀ k : ℕ, x < ((-a + k : ℤ) : ℝ) → ∃ n : ℤ, (n : ℝ) ≤ x ∧ x < ((n + 1 : ℤ) : ℝ) := fun k => by
    induction k with
    | zero => intro h; simp only [Int.natCast_zero, Int.add_zero, Int.cast_neg, Int.cast_natCast] at h; grind
    | succ k ih =>
      intro h
      by_cases hk : x < ((-a + k : ℤ) : ℝ)
      · exact ih hk
      · exact ⟨-a + k, not_lt.1 hk, by rw [Int.add_assoc]; exact h⟩
  exact step (a + b) (by rw [show (-a + (a + b : ℕ) : ℤ) = (b : ℤ) by omega, Int.cast_natCast]; exact hb)
instance : FloorRing ℝ where
  floor x := (Real.exists_floor x).choose
  le_floor_iff z x := by
    have h := (Real.exists_floor x).choose_spec
    generalize (Real.exists_floor x).choose = n at h
    constructor <;> intro k
    · exact le_trans (Int.cast_le.2 k) h.1
    · have := Int.cast_lt.1 (lt_of_le_of_lt k h.2); omega

namespace Int
section
variable {α : Type u} [Lean.Grind.CommRing α] [LE α] [FloorRing α]
/-- Mathlib's `Int.floor`. -/
def floor (a : α) : ℤ := FloorRing.floor a
/-- Mathlib's `Int.ceil`. -/
def ceil (a : α) : ℤ := -floor (-a)
@[inherit_doc] notation "⌊" a "⌋" => Int.floor a
@[inherit_doc] notation "⌈" a "⌉" => Int.ceil a
attribute [local instance] Lean.Grind.Ring.intCast
/-- Mathlib's `Int.fract`. -/
def fract (a : α) : α := a - (floor a : α)
theorem le_floor {z : ℤ} {a : α} : z ≤ ⌊a⌋ ↔ (z : α) ≤ a := by rw [floor]; exact FloorRing.le_floor_iff z a
theorem floor_le (a : α) : (⌊a⌋ : α) ≤ a := le_floor.1 (Int.le_refl _)
end
section
variable {α : Type u} [Lean.Grind.CommRing α] [LE α] [LT α] [Std.IsLinearOrder α] [Std.LawfulOrderLT α]
  [Lean.Grind.OrderedRing α] [FloorRing α]
attribute [local instance] Lean.Grind.Ring.intCast
theorem floor_lt {z : ℤ} {a : α} : ⌊a⌋ < z ↔ a < (z : α) := by rw [← Int.not_le, le_floor, _root_.not_le]
theorem lt_floor_add_one (a : α) : a < (⌊a⌋ : α) + 1 := by
  rw [← Int.cast_one, ← Int.cast_add, ← floor_lt]; omega
theorem floor_eq_iff {z : ℤ} {a : α} : ⌊a⌋ = z ↔ (z : α) ≤ a ∧ a < (z : α) + 1 := by
  rw [← Int.cast_one, ← Int.cast_add, ← floor_lt, ← le_floor]; omega
@[simp] theorem floor_intCast (z : ℤ) : ⌊(z : α)⌋ = z :=
  floor_eq_iff.2 ⟨_root_.le_refl _, by have := zero_lt_one (R := α); grind⟩
theorem ceil_le {z : ℤ} {a : α} : ⌈a⌉ ≤ z ↔ a ≤ (z : α) := by
  rw [ceil, show -⌊-a⌋ ≤ z ↔ -z ≤ ⌊-a⌋ by omega, le_floor, Int.cast_neg]; grind
theorem lt_ceil {z : ℤ} {a : α} : z < ⌈a⌉ ↔ (z : α) < a := by rw [← Int.not_le, ceil_le, _root_.not_le]
theorem le_ceil (a : α) : a ≤ (⌈a⌉ : α) := ceil_le.1 (Int.le_refl _)
theorem ceil_lt_add_one (a : α) : (⌈a⌉ : α) < a + 1 := by
  have h : ((⌈a⌉ - 1 : ℤ) : α) < a := lt_ceil.1 (by omega)
  rw [Int.cast_sub, Int.cast_one] at h; grind
theorem ceil_eq_iff {z : ℤ} {a : α} : ⌈a⌉ = z ↔ (z : α) - 1 < a ∧ a ≤ (z : α) := by
  rw [← Int.cast_one, ← Int.cast_sub, ← lt_ceil, ← ceil_le]; omega
/-- What grind needs to know of a floor. -/
theorem floor_spec (a : α) : (⌊a⌋ : α) ≤ a ∧ a < (⌊a⌋ : α) + 1 := ⟨floor_le a, lt_floor_add_one a⟩
theorem ceil_spec (a : α) : (⌈a⌉ : α) - 1 < a ∧ a ≤ (⌈a⌉ : α) := ceil_eq_iff.1 rfl
grind_pattern floor_spec => ⌊a⌋
grind_pattern ceil_spec => ⌈a⌉
end
end Int

namespace Nat
section
variable {α : Type u} [Lean.Grind.CommRing α] [LE α] [FloorRing α]
/-- Mathlib's `Nat.floor`, which is 0 for negative numbers. -/
def floor (a : α) : ℕ := (Int.floor a).toNat
/-- Mathlib's `Nat.ceil`, which is 0 for negative numbers. -/
def ceil (a : α) : ℕ := (Int.ceil a).toNat
@[inherit_doc] notation "⌊" a "⌋₊" => Nat.floor a
@[inherit_doc] notation "⌈" a "⌉₊" => Nat.ceil a
attribute [local instance] Lean.Grind.Semiring.natCast Lean.Grind.Ring.intCast
theorem le_floor_iff {a : α} (ha : 0 ≤ a) {n : ℕ} : n ≤ ⌊a⌋₊ ↔ (n : α) ≤ a := by
  rw [floor, ← Int.cast_natCast, ← Int.le_floor]
  have : (0 : ℤ) ≤ ⌊a⌋ := Int.le_floor.2 (by rw [Int.cast_zero]; exact ha)
  omega
end
section
variable {α : Type u} [Lean.Grind.CommRing α] [LE α] [LT α] [Std.IsLinearOrder α] [Std.LawfulOrderLT α]
  [Lean.Grind.OrderedRing α] [FloorRing α]
attribute [local instance] Lean.Grind.Semiring.natCast Lean.Grind.Ring.intCast
theorem floor_lt {a : α} (ha : 0 ≤ a) {n : ℕ} : ⌊a⌋₊ < n ↔ a < n := by
  rw [← Nat.not_le, le_floor_iff ha, _root_.not_le]
end
end Nat

/-! ## Elementary functions -/

namespace Real

/-- `s n` tends to `x`: Mathlib's `Tendsto s atTop (𝓝 x)` in the form of `Metric.tendsto_atTop`. -/
protected def TendsTo (s : ℕ → ℝ) (x : ℝ) : Prop := ∀ ε : ℝ, 0 < ε → ∃ N, ∀ n, N ≤ n → |s n - x| < ε

protected theorem TendsTo.unique {s : ℕ → ℝ} {x y : ℝ} (hx : Real.TendsTo s x) (hy : Real.TendsTo s y) : x = y := by
  by_cases h : x = y
  · exact h
  · have : 0 < |x - y| := abs_pos.2 (by grind)
    obtain ⟨M, hM⟩ := hx (|x - y| / 2) (by grind)
    obtain ⟨N, hN⟩ := hy (|x - y| / 2) (by grind)
    have h₁ := hM (M + N) (by omega)
    have h₂ := hN (M + N) (by omega)
    clear hM hN
    grind

open Classical in
/-- The limit of a sequence that has one. -/
@[irreducible] protected def limit (s : ℕ → ℝ) : ℝ := if h : ∃ x, Real.TendsTo s x then choose h else 0
protected theorem limit_eq {s : ℕ → ℝ} {x : ℝ} (h : Real.TendsTo s x) : Real.limit s = x := by
  rw [Real.limit, dif_pos ⟨x, h⟩]; exact (Classical.choose_spec (⟨x, h⟩ : ∃ x, Real.TendsTo s x)).unique h

/-- Mathlib's `Real.exp`: the sum of the exponential series (Mathlib's definition, over ℂ; `Real.exp_eq_exp_ℝ`). -/
@[irreducible, pp_nodot] def exp (x : ℝ) : ℝ := Real.limit fun n => ∑ k ∈ Finset.range n, x ^ k / (Nat.factorial k : ℝ)
/-- Mathlib's `Real.cos`: the sum of its power series (`Real.hasSum_cos`). -/
@[irreducible, pp_nodot] def cos (x : ℝ) : ℝ :=
  Real.limit fun n => ∑ k ∈ Finset.range n, (-1) ^ k * x ^ (2 * k) / (Nat.factorial (2 * k) : ℝ)
/-- Mathlib's `Real.sin`: the sum of its power series (`Real.hasSum_sin`). -/
@[irreducible, pp_nodot] def sin (x : ℝ) : ℝ :=
  Real.limit fun n => ∑ k ∈ Finset.range n, (-1) ^ k * x ^ (2 * k + 1) / (Nat.factorial (2 * k + 1) : ℝ)
/-- Mathlib's `Real.tan` (`Real.tan_eq_sin_div_cos`). -/
@[pp_nodot] def tan (x : ℝ) : ℝ := sin x / cos x

open Classical in
/-- Mathlib's `Real.pi`: twice the zero of the cosine in [1, 2], of which there is one. -/
@[irreducible] protected def pi : ℝ := if h : ∃ x : ℝ, 1 ≤ x ∧ x ≤ 2 ∧ cos x = 0 then 2 * choose h else 0
@[inherit_doc] scoped notation "π" => Real.pi

open Classical in
/-- Mathlib's `Real.log`: the number whose exponential is |x| (`Real.exp_log_eq_abs`), and 0 for 0 (`Real.log_zero`). -/
@[irreducible, pp_nodot] def log (x : ℝ) : ℝ := if h : ∃ y, exp y = |x| then choose h else 0
/-- Mathlib's `Real.logb`. -/
@[pp_nodot] def logb (b x : ℝ) : ℝ := log x / log b

/-- Mathlib's `Real.rpow`, by `Real.rpow_def_of_pos`, `Real.rpow_def_of_neg` and, for 0, `Real.zero_rpow` and
`Real.rpow_zero`. -/
@[irreducible] def rpow (x y : ℝ) : ℝ :=
  if 0 < x then exp (log x * y) else if x < 0 then exp (log x * y) * cos (y * π) else if y = 0 then 1 else 0
instance : HPow ℝ ℝ ℝ := ⟨rpow⟩

end Real

/-! ## Nonnegative real numbers -/

/-- Mathlib's `NNReal`. -/
def NNReal : Type := {r : ℝ // 0 ≤ r}

namespace NNReal

@[inherit_doc] scoped notation "ℝ≥0" => NNReal
/-- The number as a real number. -/
@[coe] def toReal (r : NNReal) : ℝ := r.1
instance : Coe NNReal ℝ := ⟨toReal⟩
theorem eq {a b : NNReal} (h : (a : ℝ) = b) : a = b := Subtype.ext h
theorem coe_nonneg (a : NNReal) : (0 : ℝ) ≤ a := a.2

instance : Add NNReal := ⟨fun a b => ⟨a.1 + b.1, add_nonneg a.2 b.2⟩⟩
instance : Mul NNReal := ⟨fun a b => ⟨a.1 * b.1, mul_nonneg a.2 b.2⟩⟩
instance : Inv NNReal := ⟨fun a => ⟨a.1⁻¹, by have := div_nonneg zero_le_one a.2; rwa [← inv_eq_one_div] at this⟩⟩
instance : Div NNReal := ⟨fun a b => a * b⁻¹⟩
/-- Truncated subtraction, as in Mathlib (`NNReal.sub_def`). -/
instance : Sub NNReal := ⟨fun a b => ⟨max (a.1 - b.1) 0, le_max_right _ _⟩⟩
instance : NatCast NNReal := ⟨fun n => ⟨n, Nat.cast_nonneg n⟩⟩
instance (n : ℕ) : OfNat NNReal n :=
  ⟨⟨OfNat.ofNat n, by rw [Lean.Grind.Semiring.ofNat_eq_natCast]; exact Nat.cast_nonneg n⟩⟩
instance : LE NNReal := ⟨fun a b => a.1 ≤ b.1⟩
instance : LT NNReal := ⟨fun a b => a.1 < b.1⟩
instance decidableLE (a b : NNReal) : Decidable (a ≤ b) := Classical.propDecidable _
instance decidableLT (a b : NNReal) : Decidable (a < b) := Classical.propDecidable _
instance decidableEq : DecidableEq NNReal := fun _ _ => Classical.propDecidable _
instance : Max NNReal := ⟨fun a b => if a ≤ b then b else a⟩
instance : Min NNReal := ⟨fun a b => if a ≤ b then a else b⟩
@[simp, norm_cast] theorem coe_add (a b : NNReal) : ((a + b : NNReal) : ℝ) = a + b := rfl
@[simp, norm_cast] theorem coe_mul (a b : NNReal) : ((a * b : NNReal) : ℝ) = a * b := rfl
@[simp, norm_cast] theorem coe_natCast (n : ℕ) : ((n : NNReal) : ℝ) = n := rfl
@[simp, norm_cast] theorem coe_ofNat (n : ℕ) : ((no_index (OfNat.ofNat n) : NNReal) : ℝ) = OfNat.ofNat n := rfl
@[simp, norm_cast] theorem coe_le_coe {a b : NNReal} : (a : ℝ) ≤ b ↔ a ≤ b := Iff.rfl
@[simp, norm_cast] theorem coe_lt_coe {a b : NNReal} : (a : ℝ) < b ↔ a < b := Iff.rfl

/-- The nonnegative powers. -/
protected def npow (a : NNReal) : ℕ → NNReal
  | 0 => 1
  | n + 1 => NNReal.npow a n * a

instance : Lean.Grind.CommSemiring NNReal where
  npow := ⟨NNReal.npow⟩
  nsmul := ⟨fun n a => n * a⟩
  natCast := inferInstance
  ofNat := inferInstance
  add_zero a := eq (by simp only [coe_add, coe_ofNat]; grind)
  add_comm a b := eq (by simp only [coe_add]; grind)
  add_assoc a b c := eq (by simp only [coe_add]; grind)
  mul_assoc a b c := eq (by simp only [coe_mul]; grind)
  mul_one a := eq (by simp only [coe_mul, coe_ofNat]; grind)
  one_mul a := eq (by simp only [coe_mul, coe_ofNat]; grind)
  left_distrib a b c := eq (by simp only [coe_mul, coe_add]; grind)
  right_distrib a b c := eq (by simp only [coe_mul, coe_add]; grind)
  zero_mul a := eq (by simp only [coe_mul, coe_ofNat]; grind)
  mul_zero a := eq (by simp only [coe_mul, coe_ofNat]; grind)
  mul_comm a b := eq (by simp only [coe_mul]; grind)
  pow_zero _ := rfl
  pow_succ _ _ := rfl
  ofNat_succ n := eq (by simp only [coe_add, coe_ofNat]; exact Lean.Grind.Semiring.ofNat_succ n)
  ofNat_eq_natCast n := eq (Lean.Grind.Semiring.ofNat_eq_natCast n)
  nsmul_eq_natCast_mul _ _ := rfl

instance : Std.IsLinearOrder NNReal where
  le_refl a := le_refl a.1
  le_trans a _ _ := le_trans (a := a.1)
  le_antisymm _ _ h k := eq (le_antisymm h k)
  le_total a b := le_total a.1 b.1
instance : Std.LawfulOrderLT NNReal where
  lt_iff a b := Std.LawfulOrderLT.lt_iff a.1 b.1
instance : Lean.Grind.OrderedRing NNReal where
  add_le_left_iff c := Lean.Grind.OrderedAdd.add_le_left_iff c.1
  zero_lt_one := zero_lt_one (R := ℝ)
  mul_lt_mul_of_pos_left h k := Lean.Grind.OrderedRing.mul_lt_mul_of_pos_left (R := ℝ) h k
  mul_lt_mul_of_pos_right h k := Lean.Grind.OrderedRing.mul_lt_mul_of_pos_right (R := ℝ) h k

/-- Mathlib's `NNReal.sqrt` (`Real.coe_sqrt`). -/
@[pp_nodot] def sqrt (a : NNReal) : NNReal := ⟨√a, Real.sqrt_nonneg a⟩
@[simp] theorem coe_sqrt (a : NNReal) : (sqrt a : ℝ) = √a := rfl

end NNReal

/-- Mathlib's `Real.toNNReal`: 0 for negative numbers. -/
def Real.toNNReal (r : ℝ) : NNReal := ⟨max r 0, le_max_right r 0⟩

/-! ## Complex numbers -/

/-- Mathlib's `Complex`. -/
structure Complex where
  /-- The real part. -/
  re : ℝ
  /-- The imaginary part. -/
  im : ℝ

notation "ℂ" => Complex

namespace Complex

theorem ext {z w : ℂ} (h : z.re = w.re) (k : z.im = w.im) : z = w := by cases z; cases w; simp_all
theorem ext_iff {z w : ℂ} : z = w ↔ z.re = w.re ∧ z.im = w.im := ⟨by rintro rfl; simp, fun h => ext h.1 h.2⟩

/-- A real number as a complex number. -/
@[coe] def ofReal (r : ℝ) : ℂ := ⟨r, 0⟩
instance : Coe ℝ ℂ := ⟨ofReal⟩
/-- The imaginary unit. -/
def I : ℂ := ⟨0, 1⟩

instance : Add ℂ := ⟨fun z w => ⟨z.re + w.re, z.im + w.im⟩⟩
instance : Neg ℂ := ⟨fun z => ⟨-z.re, -z.im⟩⟩
instance : Sub ℂ := ⟨fun z w => ⟨z.re - w.re, z.im - w.im⟩⟩
instance : Mul ℂ := ⟨fun z w => ⟨z.re * w.re - z.im * w.im, z.re * w.im + z.im * w.re⟩⟩
/-- Mathlib's `Complex.normSq`. -/
def normSq (z : ℂ) : ℝ := z.re * z.re + z.im * z.im
instance : Inv ℂ := ⟨fun z => ⟨z.re / normSq z, -z.im / normSq z⟩⟩
instance : Div ℂ := ⟨fun z w => z * w⁻¹⟩
instance : NatCast ℂ := ⟨fun n => ofReal n⟩
instance : IntCast ℂ := ⟨fun n => ofReal n⟩
instance : RatCast ℂ := ⟨fun q => ofReal q⟩
instance (n : ℕ) : OfNat ℂ n := ⟨ofReal (OfNat.ofNat n)⟩
instance : Inhabited ℂ := ⟨0⟩
/-- Equality is decided classically, as in Mathlib. -/
instance decidableEq : DecidableEq ℂ := fun _ _ => Classical.propDecidable _

@[simp, grind =] theorem add_re (z w : ℂ) : (z + w).re = z.re + w.re := rfl
@[simp, grind =] theorem add_im (z w : ℂ) : (z + w).im = z.im + w.im := rfl
@[simp, grind =] theorem sub_re (z w : ℂ) : (z - w).re = z.re - w.re := rfl
@[simp, grind =] theorem sub_im (z w : ℂ) : (z - w).im = z.im - w.im := rfl
@[simp, grind =] theorem neg_re (z : ℂ) : (-z).re = -z.re := rfl
@[simp, grind =] theorem neg_im (z : ℂ) : (-z).im = -z.im := rfl
@[simp, grind =] theorem mul_re (z w : ℂ) : (z * w).re = z.re * w.re - z.im * w.im := rfl
@[simp, grind =] theorem mul_im (z w : ℂ) : (z * w).im = z.re * w.im + z.im * w.re := rfl
@[simp, grind =] theorem ofReal_re (r : ℝ) : (r : ℂ).re = r := rfl
@[simp, grind =] theorem ofReal_im (r : ℝ) : (r : ℂ).im = 0 := rfl
@[simp, grind =] theorem I_re : I.re = 0 := rfl
@[simp, grind =] theorem I_im : I.im = 1 := rfl
@[simp] theorem natCast_re (n : ℕ) : (n : ℂ).re = n := rfl
@[simp] theorem natCast_im (n : ℕ) : (n : ℂ).im = 0 := rfl
@[simp] theorem intCast_re (n : ℤ) : (n : ℂ).re = n := rfl
@[simp] theorem intCast_im (n : ℤ) : (n : ℂ).im = 0 := rfl
@[simp] theorem re_ofNat (n : ℕ) : (no_index (OfNat.ofNat n) : ℂ).re = OfNat.ofNat n := rfl
@[simp] theorem im_ofNat (n : ℕ) : (no_index (OfNat.ofNat n) : ℂ).im = 0 := rfl

/-- The nonnegative powers. -/
protected def npow (z : ℂ) : ℕ → ℂ
  | 0 => 1
  | n + 1 => Complex.npow z n * z
/-- The powers with integer exponents. -/
protected def zpow (z : ℂ) : ℤ → ℂ
  | .ofNat n => Complex.npow z n
  | .negSucc n => (Complex.npow z (n + 1))⁻¹

instance : Lean.Grind.CommRing ℂ where
  npow := ⟨Complex.npow⟩
  nsmul := ⟨fun n z => n * z⟩
  zsmul := ⟨fun n z => n * z⟩
  natCast := inferInstance
  intCast := inferInstance
  ofNat := inferInstance
  add_zero z := ext (by simp only [add_re, re_ofNat]; grind) (by simp only [add_im, im_ofNat]; grind)
  add_comm z w := ext (by simp only [add_re]; grind) (by simp only [add_im]; grind)
  add_assoc z w u := ext (by simp only [add_re]; grind) (by simp only [add_im]; grind)
  mul_assoc z w u := ext (by simp only [mul_re, mul_im]; grind) (by simp only [mul_im, mul_re]; grind)
  mul_one z := ext (by simp only [mul_re, re_ofNat, im_ofNat]; grind) (by simp only [mul_im, re_ofNat, im_ofNat]; grind)
  one_mul z := ext (by simp only [mul_re, re_ofNat, im_ofNat]; grind) (by simp only [mul_im, re_ofNat, im_ofNat]; grind)
  zero_mul z := ext (by simp only [mul_re, re_ofNat, im_ofNat]; grind)
    (by simp only [mul_im, re_ofNat, im_ofNat]; grind)
  mul_zero z := ext (by simp only [mul_re, re_ofNat, im_ofNat]; grind)
    (by simp only [mul_im, re_ofNat, im_ofNat]; grind)
  left_distrib z w u := ext (by simp only [mul_re, add_re, add_im]; grind)
    (by simp only [mul_im, add_re, add_im]; grind)
  right_distrib z w u := ext (by simp only [mul_re, add_re, add_im]; grind)
    (by simp only [mul_im, add_re, add_im]; grind)
  mul_comm z w := ext (by simp only [mul_re]; grind) (by simp only [mul_im]; grind)
  neg_add_cancel z := ext (by simp only [add_re, neg_re, re_ofNat]; grind)
    (by simp only [add_im, neg_im, im_ofNat]; grind)
  sub_eq_add_neg z w := ext (by simp only [sub_re, add_re, neg_re]; grind)
    (by simp only [sub_im, add_im, neg_im]; grind)
  pow_zero _ := rfl
  pow_succ _ _ := rfl
  ofNat_succ n := ext (by simp only [add_re, re_ofNat]; exact Lean.Grind.Semiring.ofNat_succ n)
    (by simp only [add_im, im_ofNat]; grind)
  ofNat_eq_natCast n := ext (Lean.Grind.Semiring.ofNat_eq_natCast n) rfl
  nsmul_eq_natCast_mul _ _ := rfl
  neg_zsmul n z := by
    show ((-n : ℤ) : ℂ) * z = -((n : ℂ) * z)
    refine ext ?_ ?_ <;> simp only [mul_re, mul_im, neg_re, neg_im, intCast_re, intCast_im, Int.cast_neg] <;> grind
  zsmul_natCast_eq_nsmul n z := by
    show (((n : ℤ) : ℂ)) * z = (n : ℂ) * z
    refine ext ?_ ?_ <;> simp only [mul_re, mul_im, intCast_re, intCast_im, natCast_re, natCast_im, Int.cast_natCast]
  intCast_ofNat n := ext (by simp only [intCast_re, re_ofNat, Int.cast_ofNat]) rfl
  intCast_neg n := ext (by simp only [intCast_re, neg_re, Int.cast_neg]) (by simp only [intCast_im, neg_im]; grind)

theorem normSq_pos {z : ℂ} (h : z ≠ 0) : 0 < normSq z := by
  have h₁ := mul_self_nonneg z.re
  have h₂ := mul_self_nonneg z.im
  rw [← not_le]; intro k
  refine h (ext ?_ ?_)
  · exact (mul_eq_zero.1 (show z.re * z.re = 0 by simp only [normSq] at k; grind)).elim id id
  · exact (mul_eq_zero.1 (show z.im * z.im = 0 by simp only [normSq] at k; grind)).elim id id
protected theorem mul_inv_cancel {z : ℂ} (h : z ≠ 0) : z * z⁻¹ = 1 := by
  have := normSq_pos h
  have e : normSq z = z.re * z.re + z.im * z.im := rfl
  refine ext ?_ ?_
  · show z.re * (z.re / normSq z) - z.im * (-z.im / normSq z) = 1
    grind
  · show z.re * (-z.im / normSq z) + z.im * (z.re / normSq z) = 0
    grind
protected theorem inv_zero : (0 : ℂ)⁻¹ = 0 := by
  refine ext ?_ ?_
  · show (0 : ℝ) / _ = 0; grind
  · show -(0 : ℝ) / _ = 0; grind
protected theorem zero_ne_one : (0 : ℂ) ≠ 1 := fun h => by
  have h : (0 : ℝ) = 1 := congrArg re h
  have := zero_lt_one (R := ℝ)
  grind

instance : Lean.Grind.Field ℂ where
  zpow := ⟨Complex.zpow⟩
  div_eq_mul_inv _ _ := rfl
  zero_ne_one := Complex.zero_ne_one
  inv_zero := Complex.inv_zero
  mul_inv_cancel := Complex.mul_inv_cancel
  zpow_zero _ := rfl
  zpow_succ _ _ := rfl
  zpow_neg z n := by
    show Complex.zpow z (-n) = (Complex.zpow z n)⁻¹
    have inv_one : (1 : ℂ)⁻¹ = 1 := by
      have := Complex.mul_inv_cancel (z := 1) (fun h => Complex.zero_ne_one h.symm); grind
    have inv_inv : ∀ w : ℂ, w⁻¹⁻¹ = w := fun w => by
      by_cases h : w = 0
      · subst h; rw [Complex.inv_zero, Complex.inv_zero]
      · have h₁ := Complex.mul_inv_cancel h
        have h₂ : w⁻¹ ≠ 0 := by rintro k; rw [k] at h₁; exact Complex.zero_ne_one (by grind)
        have h₃ := Complex.mul_inv_cancel h₂
        grind
    match n with
    | .ofNat 0 => exact inv_one.symm
    | .ofNat (n + 1) => rfl
    | .negSucc n => exact (inv_inv _).symm

instance : Lean.Grind.IsCharP ℂ 0 where
  ofNat_ext_iff {x y} := by
    have h := Lean.Grind.IsCharP.ofNat_ext_iff (α := ℝ) (p := 0) (x := x) (y := y)
    rw [← h]
    exact ⟨congrArg re, fun k => ext k rfl⟩

@[simp, grind =] theorem I_mul_I : I * I = -1 := by
  refine ext ?_ ?_
  · show (0 : ℝ) * 0 - 1 * 1 = -1; grind
  · show (0 : ℝ) * 1 + 1 * 0 = -0; grind
@[simp, grind =] theorem I_sq : I ^ 2 = -1 := by rw [show I ^ 2 = I * I by grind, I_mul_I]
theorem I_sq_eq : I ^ 2 + 1 = 0 := by rw [I_sq]; grind
grind_pattern I_sq_eq => I
@[simp, norm_cast] theorem ofReal_add (r s : ℝ) : ((r + s : ℝ) : ℂ) = r + s := ext rfl (by simp; grind)
@[simp, norm_cast] theorem ofReal_mul (r s : ℝ) : ((r * s : ℝ) : ℂ) = r * s := ext (by simp; grind) (by simp; grind)
@[simp, norm_cast] theorem ofReal_neg (r : ℝ) : ((-r : ℝ) : ℂ) = -r := ext rfl (by simp; grind)
@[simp, norm_cast] theorem ofReal_sub (r s : ℝ) : ((r - s : ℝ) : ℂ) = r - s := ext rfl (by simp; grind)
@[simp, norm_cast] theorem ofReal_natCast (n : ℕ) : ((n : ℝ) : ℂ) = n := rfl
@[simp, norm_cast] theorem ofReal_intCast (n : ℤ) : ((n : ℝ) : ℂ) = n := rfl
@[simp, norm_cast] theorem ofReal_ofNat (n : ℕ) : ((no_index (OfNat.ofNat n) : ℝ) : ℂ) = OfNat.ofNat n := rfl
@[simp, norm_cast] theorem ofReal_inj {r s : ℝ} : (r : ℂ) = s ↔ r = s := ⟨congrArg re, congrArg ofReal⟩
@[simp, norm_cast] theorem ofReal_pow (r : ℝ) (n : ℕ) : ((r ^ n : ℝ) : ℂ) = r ^ n := by
  induction n with
  | zero => rfl
  | succ n ih => rw [Lean.Grind.Semiring.pow_succ, ofReal_mul, ih, Lean.Grind.Semiring.pow_succ]

end Complex

/-! ## Norms -/

/-- Mathlib's `Norm`. -/
class Norm (E : Type u) where
  /-- The norm. -/
  norm : E → ℝ
export Norm (norm)
macro:max atomic("‖" noWs) a:term noWs "‖" : term => `(norm $a)
instance : Norm ℝ := ⟨fun x => |x|⟩
instance : Norm ℂ := ⟨fun z => √(Complex.normSq z)⟩
@[simp, grind =] theorem Real.norm_eq_abs (x : ℝ) : ‖x‖ = |x| := rfl
theorem Complex.sq_norm (z : ℂ) : ‖z‖ ^ 2 = Complex.normSq z :=
  Real.sq_sqrt (add_nonneg (mul_self_nonneg z.re) (mul_self_nonneg z.im))

/-! ## Integers modulo n -/

/-- Mathlib's `ZMod`: ℤ for 0, otherwise the numbers below `n`. -/
def ZMod : ℕ → Type
  | 0 => ℤ
  | n + 1 => Fin (n + 1)

namespace ZMod

instance : (n : ℕ) → DecidableEq (ZMod n)
  | 0 => inferInstanceAs (DecidableEq ℤ)
  | n + 1 => inferInstanceAs (DecidableEq (Fin (n + 1)))
instance commRing : (n : ℕ) → Lean.Grind.CommRing (ZMod n)
  | 0 => inferInstanceAs (Lean.Grind.CommRing ℤ)
  | n + 1 => inferInstanceAs (Lean.Grind.CommRing (Fin (n + 1)))
instance (n : ℕ) : NatCast (ZMod n) := (commRing n).natCast
instance (n : ℕ) : IntCast (ZMod n) := (commRing n).intCast
instance (n : ℕ) : Fintype (ZMod (n + 1)) := inferInstanceAs (Fintype (Fin (n + 1)))

/-- Mathlib's `ZMod.val`. -/
def val : {n : ℕ} → ZMod n → ℕ
  | 0, a => Int.natAbs a
  | n + 1, a => (show Fin (n + 1) from a).val

/-- Bézout coefficients, as `Nat.xgcdAux` of Mathlib computes them; the first argument is fuel, at least `r`. -/
def gcdA.go : ℕ → ℕ → ℤ → ℕ → ℤ → ℤ
  | 0, _, _, _, s' => s'
  | fuel + 1, r, s, r', s' => if r = 0 then s' else go fuel (r' % r) (s' - (r' / r : ℕ) * s) r s

/-- Mathlib's `Nat.gcdA`: the factor of `x` in `gcd x y = x * gcdA x y + y * gcdB x y`. -/
def gcdA (x y : ℕ) : ℤ := gcdA.go x x 1 y 0

/-- Mathlib's `ZMod.inv`, junk values included: `a * a⁻¹ = gcd a n`. -/
protected def inv : (n : ℕ) → ZMod n → ZMod n
  | 0, a => Int.sign a
  | n + 1, a => ((gcdA (val a) (n + 1) : ℤ) : ZMod (n + 1))
instance (n : ℕ) : Inv (ZMod n) := ⟨ZMod.inv n⟩

end ZMod

/-! ## Limits -/

/-- Mathlib's `Filter`. -/
structure Filter (α : Type u) where
  /-- The sets that belong to the filter. -/
  sets : Set (Set α)
  univ_sets : Set.univ ∈ sets
  sets_of_superset : ∀ {x y}, x ∈ sets → x ⊆ y → y ∈ sets
  inter_sets : ∀ {x y}, x ∈ sets → y ∈ sets → x ∩ y ∈ sets

namespace Filter

instance {α : Type u} : Membership (Set α) (Filter α) := ⟨fun f s => s ∈ f.sets⟩
/-- Mathlib's `Filter.Tendsto` (`Filter.tendsto_def`). -/
def Tendsto {α : Type u} {β : Type v} (f : α → β) (l₁ : Filter α) (l₂ : Filter β) : Prop := ∀ s, s ∈ l₂ → f ⁻¹' s ∈ l₁
/-- Mathlib's `Filter.atTop`, for linear orders (`Filter.mem_atTop_sets`; on an empty type its one member is `univ`). -/
def atTop {α : Type u} [LE α] [Std.IsLinearOrder α] : Filter α where
  sets := {s | s = Set.univ ∨ ∃ a, ∀ b, a ≤ b → b ∈ s}
  univ_sets := .inl rfl
  sets_of_superset {x y} h k := by
    rcases h with rfl | ⟨a, h⟩
    · exact .inl (Set.ext fun z => ⟨fun _ => trivial, fun _ => k z trivial⟩)
    · exact .inr ⟨a, fun b hb => k b (h b hb)⟩
  inter_sets {x y} h k := by
    rcases h with rfl | ⟨a, h⟩
    · rwa [show Set.univ ∩ y = y from Set.ext fun z => ⟨And.right, fun h => ⟨trivial, h⟩⟩]
    · rcases k with rfl | ⟨c, k⟩
      · exact .inr ⟨a, fun b hb => ⟨h b hb, trivial⟩⟩
      · rcases Std.IsLinearPreorder.le_total a c with l | l
        · exact .inr ⟨c, fun b hb => ⟨h b (Std.IsPreorder.le_trans _ _ _ l hb), k b hb⟩⟩
        · exact .inr ⟨a, fun b hb => ⟨h b hb, k b (Std.IsPreorder.le_trans _ _ _ l hb)⟩⟩

/-- The sets that contain all `y` whose image is close to that of `x`. -/
def near {α : Type u} (f : α → ℝ) (x : α) : Filter α where
  sets := {s | ∃ ε : ℝ, 0 < ε ∧ ∀ y, |f y - f x| < ε → y ∈ s}
  univ_sets := ⟨1, zero_lt_one, fun _ _ => trivial⟩
  sets_of_superset := fun ⟨ε, h, k⟩ l => ⟨ε, h, fun y hy => l y (k y hy)⟩
  inter_sets := fun ⟨ε, h, k⟩ ⟨δ, h', k'⟩ => ⟨min ε δ, by rw [Real.min_def]; split <;> assumption, fun y hy => by
    rw [Real.min_def] at hy; split at hy <;> exact ⟨k y (by grind), k' y (by grind)⟩⟩

end Filter

/-- The types on which this prelude has Mathlib's neighbourhoods. -/
class Neighbourhoods (α : Type u) where
  /-- The neighbourhoods of a point. -/
  nhds : α → Filter α
/-- Mathlib's `nhds`, for ℝ (`Real.dist_eq`, `Metric.mem_nhds_iff`) and its subspace of nonnegative numbers. -/
def nhds {α : Type u} [Neighbourhoods α] (x : α) : Filter α := Neighbourhoods.nhds x
namespace Topology
@[inherit_doc nhds] scoped notation "𝓝" => nhds
end Topology
instance : Neighbourhoods ℝ := ⟨Filter.near id⟩
instance : Neighbourhoods NNReal := ⟨Filter.near NNReal.toReal⟩

end

/-! ## Printing: goals show the notations that statements use -/

public meta section

@[app_unexpander ExistsUnique] def unexpandExistsUnique : Lean.PrettyPrinter.Unexpander
  | `($_ fun $x:ident => $p) => `(∃! $x:ident, $p)
  | `($_ fun ($x:ident : $t) => $p) => `(∃! $x:ident : $t, $p)
  | _ => throw ()

@[app_unexpander setOf] def unexpandSetOf : Lean.PrettyPrinter.Unexpander
  | `($_ fun $x:ident => $p) => `({$x:ident | $p})
  | `($_ fun ($x:ident : $t) => $p) => `({$x:ident : $t | $p})
  | _ => throw ()

@[app_unexpander abs] def unexpandAbs : Lean.PrettyPrinter.Unexpander
  | `($_ $a) => match a with
    | `(|$_|) | `(-$_) => `(|($a)|)
    | _ => `(|$a|)
  | _ => throw ()

@[app_unexpander Norm.norm] def unexpandNorm : Lean.PrettyPrinter.Unexpander
  | `($_ $a) => `(‖$a‖)
  | _ => throw ()

@[app_unexpander Finset.sum] def unexpandSum : Lean.PrettyPrinter.Unexpander
  | `($_ Finset.univ fun $x:ident => $f) => `(∑ $x:ident, $f)
  | `($_ $s fun $x:ident => $f) => `(∑ $x:ident ∈ $s, $f)
  | `($_ Finset.univ fun ($x:ident : $t) => $f) => `(∑ $x:ident : $t, $f)
  | `($_ $s fun ($x:ident : $_) => $f) => `(∑ $x:ident ∈ $s, $f)
  | _ => throw ()

@[app_unexpander Finset.prod] def unexpandProd : Lean.PrettyPrinter.Unexpander
  | `($_ Finset.univ fun $x:ident => $f) => `(∏ $x:ident, $f)
  | `($_ $s fun $x:ident => $f) => `(∏ $x:ident ∈ $s, $f)
  | `($_ Finset.univ fun ($x:ident : $t) => $f) => `(∏ $x:ident : $t, $f)
  | `($_ $s fun ($x:ident : $_) => $f) => `(∏ $x:ident ∈ $s, $f)
  | _ => throw ()

end

-- END OF LIBRARY
set_option autoImplicit false
