@[expose] public noncomputable section

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

end

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

end
@[expose] public noncomputable section

/-! ## Natural numbers -/

namespace Nat

/-- Mathlib's `Nat.Prime` is `Irreducible p`; this is its `Nat.prime_def`. -/
protected def Prime (p : ℕ) : Prop := 2 ≤ p ∧ ∀ m, m ∣ p → m = 1 ∨ m = p

theorem Prime.two_le {p : ℕ} (h : p.Prime) : 2 ≤ p := h.1
theorem Prime.pos {p : ℕ} (h : p.Prime) : 0 < p := by have := h.1; omega
theorem Prime.one_lt {p : ℕ} (h : p.Prime) : 1 < p := h.1
theorem Prime.ne_zero {p : ℕ} (h : p.Prime) : p ≠ 0 := by have := h.1; omega
theorem Prime.ne_one {p : ℕ} (h : p.Prime) : p ≠ 1 := by have := h.1; omega
theorem Prime.eq_one_or_self_of_dvd {p : ℕ} (h : p.Prime) (m : ℕ) (hm : m ∣ p) : m = 1 ∨ m = p := h.2 m hm

/-- Mathlib's `Nat.sqrt`: the largest `r` with `r * r ≤ n`. The first argument is fuel, so that it computes in the kernel. -/
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

/-- Mathlib's `Finset`: a finite set of elements. Mathlib takes duplicate-free multisets, that is duplicate-free lists up to
permutation; two duplicate-free lists are permutations of each other just when they have the same members
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
protected def sum {ι : Type u} {M : Type v} [Lean.Grind.Semiring M] (s : Finset ι) (f : ι → M) : M := Quotient.liftOn s
  (fun l => l.1.foldr (fun i x => f i + x) 0)
  fun a b h => (perm a.2 b.2 h).foldr_eq' (by intros; grind) 0

/-- Mathlib's `Finset.prod`, for values in a commutative semiring (Mathlib: a commutative monoid). -/
protected def prod {ι : Type u} {M : Type v} [Lean.Grind.CommSemiring M] (s : Finset ι) (f : ι → M) : M := Quotient.liftOn s
  (fun l => l.1.foldr (fun i x => f i * x) 1)
  fun a b h => (perm a.2 b.2 h).foldr_eq' (by intros; grind) 1

end Finset

end
@[expose] public noncomputable section

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

@[simp] theorem _root_.nsmul_eq_mul {R : Type u} [Lean.Grind.Semiring R] (n : ℕ) (a : R) : n • a = n * a :=
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
  rw [sum_const, nsmul_eq_mul]; simp

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

syntax "∑ " ident (" : " term)? " ∈ " term ", " term:67 : term
syntax "∏ " ident (" : " term)? " ∈ " term ", " term:67 : term
syntax "∑ " ident (" : " term)? ", " term:67 : term
syntax "∏ " ident (" : " term)? ", " term:67 : term

macro_rules
  | `(∑ $x:ident ∈ $s, $f) => `(Finset.sum $s fun $x:ident => $f)
  | `(∑ $x:ident : $t ∈ $s, $f) => `(Finset.sum $s fun $x:ident : $t => $f)
  | `(∑ $x:ident, $f) => `(Finset.sum Finset.univ fun $x:ident => $f)
  | `(∑ $x:ident : $t, $f) => `(Finset.sum Finset.univ fun $x:ident : $t => $f)
macro_rules
  | `(∏ $x:ident ∈ $s, $f) => `(Finset.prod $s fun $x:ident => $f)
  | `(∏ $x:ident : $t ∈ $s, $f) => `(Finset.prod $s fun $x:ident : $t => $f)
  | `(∏ $x:ident, $f) => `(Finset.prod Finset.univ fun $x:ident => $f)
  | `(∏ $x:ident : $t, $f) => `(Finset.prod Finset.univ fun $x:ident : $t => $f)

end

public meta section

@[app_unexpander Finset.sum] def unexpandSum : Lean.PrettyPrinter.Unexpander
  | `($_ $s fun $x:ident => $f) => `(∑ $x:ident ∈ $s, $f)
  | `($_ $s fun ($x:ident : $_) => $f) => `(∑ $x:ident ∈ $s, $f)
  | _ => throw ()

@[app_unexpander Finset.prod] def unexpandProd : Lean.PrettyPrinter.Unexpander
  | `($_ $s fun $x:ident => $f) => `(∏ $x:ident ∈ $s, $f)
  | `($_ $s fun ($x:ident : $_) => $f) => `(∏ $x:ident ∈ $s, $f)
  | _ => throw ()

end
-- END OF LIBRARY
set_option autoImplicit false
variable {ℝ : Type} [Lean.Grind.Field ℝ] [LE ℝ] [LT ℝ] [Std.IsLinearOrder ℝ] [Std.LawfulOrderLT ℝ]
  [Lean.Grind.OrderedRing ℝ]
