"""False proofs: each would make a theorem count as proved that is not, or run code of its own in the engine.

The comment above an attack says why it would be a fraud. `ends` is the verdict it must get; "unsupported" stands for a
header that is refused before there is a theorem.
"""

from __future__ import annotations

from dataclasses import dataclass

from lean_env.engine import Theorem

TRUE = "theorem x : (1 : ℕ) + 1 = 2 := by sorry"
FALSE = "theorem x : (1 : ℕ) = 2 := by sorry"
LIBRARY = "theorem x : type_of% @Option.map_eq_some_iff := by sorry"
MAP = "Option.map_eq_some_iff"

# An action of IO as a number: what evaluates it has written into the engine's own files.
RUN_IO = (
    '(EST.Out.casesOn (motive := fun _ => Nat) (IO.FS.createDir "/lean/lib/attack" (unsafeCast ()))'
    " (fun _ _ => 100) (fun _ _ => 200))"
)


@dataclass(frozen=True)
class Attack:
    """A proof text for a statement, and what the verification must say."""

    title: str
    proof: str
    ends: str
    statement: str = FALSE
    header: str = ""
    name: str = "x"
    before: str = ""

    @property
    def theorem(self) -> Theorem:
        """What the proof claims to prove."""
        return Theorem(self.name, self.statement, self.header, before=self.before)


ATTACKS = (
    # Not a proof at all.
    Attack("sorry", "sorry", "refused"),
    # The same, as a term.
    Attack("sorry as a term", "exact sorry", "refused"),
    # The hole is inside an argument.
    Attack("sorry in an argument", "exact absurd (sorry : (0 : ℕ) = 1) (by decide)", "refused"),
    # The hole is in a nested tactic block.
    Attack("nested by sorry", "have h : False := by\n  sorry\nexact h.elim", "refused"),
    # `admit` is `sorry`.
    Attack("admit", "admit", "refused"),
    # The axiom itself, without any keyword.
    Attack("sorryAx", "exact sorryAx _ true", "refused"),
    # The axiom, its name in guillemets.
    Attack("sorryAx in guillemets", "exact «sorryAx» _ true", "refused"),
    # The axiom, by its whole name.
    Attack("sorryAx from the root", "exact _root_.sorryAx _ true", "refused"),
    # The axiom, found by a tactic that applies it.
    Attack("apply sorryAx", "apply sorryAx\nexact true", "refused"),
    # `stop` expands to `repeat sorry`.
    Attack("stop", "stop\nomega", "refused"),
    # The combinator hides that its last alternative always succeeds.
    Attack("first | sorry", "first | omega | sorry", "refused"),
    # `all_goals` recovers from errors by admitting the goals.
    Attack("all_goals sorry", "all_goals (try sorry)", "refused"),
    # The interactive mode of grind has a sorry of its own.
    Attack("sorry in grind", "grind => sorry", "refused"),
    # So has conv.
    Attack("sorry in conv", "conv => lhs; tactic => sorry", "refused"),
    # A tactic with an error: Lean goes on and still adds the constant.
    Attack("error recovery", "exact rfl", "failed"),
    # Two goals, one forgotten; Lean adds the theorem with sorryAx in it.
    Attack("goal left open", "constructor\nrfl", "failed", "theorem x : (1 : ℕ) = 1 ∧ (1 : ℕ) = 2 := by sorry"),
    # The error is in an unused `have`.
    Attack("error in an unused have", "have : (1 : ℕ) = 2 := by decide\nrfl", "failed", TRUE),
    # An identifier that does not exist is elaborated to a hole.
    Attack("unknown identifier", "exact no_such_theorem", "failed"),
    # A Cyrillic о makes another word of it, that Lean must not know.
    Attack("homoglyph", "s\u043erry", "failed"),
    # Trusts the compiler.
    Attack("native_decide", "native_decide", "refused", TRUE),
    # The same by a flag.
    Attack("decide +native", "decide +native", "refused", TRUE),
    # The same by an option in brackets.
    Attack("decide (native := true)", "decide (native := true)", "refused", TRUE),
    # The same by a configuration record.
    Attack("decide (config := native)", "decide (config := {native := true})", "refused", TRUE),
    # The axiom behind native_decide, by hand.
    Attack("ofReduceBool", "exact of_decide_eq_true (Lean.ofReduceBool _ true (by rfl))", "failed", TRUE),
    # The axiom in a `have` that the proof uses.
    Attack(
        "ofReduceBool in a have",
        "have h := Lean.ofReduceBool System.Platform.isWindows false rfl\nexact (fun _ => rfl : _ → 1 + 1 = 2) h",
        "refused",
        TRUE,
    ),
    # Its sibling for numbers.
    Attack(
        "ofReduceNat",
        "have h := Lean.ofReduceNat Lean.version.major 4 rfl\nexact (fun _ => rfl : _ = 4 → 1 + 1 = 2) h",
        "refused",
        TRUE,
    ),
    # The axiom that says that the compiler is trusted.
    Attack("trustCompiler", "exact (fun _ => rfl : True → 1 + 1 = 2) Lean.trustCompiler", "refused", TRUE),
    # The compiler's own proof of anything: an unsafe axiom.
    Attack("lcProof", "exact lcProof", "failed"),
    # The compiler's other one.
    Attack("lcUnreachable", "exact lcUnreachable", "failed"),
    # Unsafe code cast to a proof.
    Attack("unsafeCast", "exact unsafeCast rfl", "failed"),
    # An unsafe term inside a safe one.
    Attack("unsafe term", "exact (unsafe lcProof)", "refused"),
    # Code that edits the elaborator's state.
    Attack("run_tac", "run_tac do Lean.Elab.Tactic.setGoals []", "refused"),
    # The same as a term.
    Attack("by_elab", "exact by_elab Lean.Meta.mkSorry default true", "refused"),
    # A function that loops, as an auxiliary definition that proves everything.
    Attack("circular where", "exact aux\nwhere aux : (1 : ℕ) = 2 := aux", "failed"),
    # The same inside the proof.
    Attack("circular let rec", "let rec aux : (1 : ℕ) = 2 := aux\nexact aux", "failed"),
    # The theorem proves itself.
    Attack("the theorem itself", "exact x", "failed"),
    # A recursion that does not end, with a promise that it does.
    Attack(
        "decreasing_by",
        "exact aux 0\nwhere aux (n : ℕ) : (1 : ℕ) = 2 := aux (n + 1)\ntermination_by n\ndecreasing_by sorry",
        "refused",
    ),
    # Recursion through partial functions has no meaning for the kernel.
    Attack(
        "partial_fixpoint", "exact aux 0\nwhere aux (n : ℕ) : (1 : ℕ) = 2 := aux (n + 1)\npartial_fixpoint", "failed"
    ),
    # Other code for a function that native evaluation would run.
    Attack("implemented_by", "let rec @[implemented_by Nat.succ] f (n : ℕ) : ℕ := n\nrfl", "refused", TRUE),
    # A foreign function for it.
    Attack("extern", 'let rec @[extern "lean_nat_add"] f (n m : ℕ) : ℕ := n\nrfl', "refused", TRUE),
    # An attribute in a `where` clause.
    Attack("attribute in where", "rfl\nwhere @[csimp] aux : (1 : ℕ) = 1 := rfl", "refused", TRUE),
    # Adds constants without asking the kernel.
    Attack("debug.skipKernelTC", "set_option debug.skipKernelTC true in rfl", "refused", TRUE),
    # The same as part of a term.
    Attack("debug.skipKernelTC in a term", "exact set_option debug.skipKernelTC true in rfl", "refused", TRUE),
    # The same in conv.
    Attack(
        "option in a nested block",
        "have : True := by\n  set_option debug.skipKernelTC true in trivial\nrfl",
        "refused",
        TRUE,
    ),
    # The same in grind's mode.
    Attack("option in grind", "grind => set_option debug.skipKernelTC true in finish", "refused", TRUE),
    # The option's name in guillemets.
    Attack("option in guillemets", "set_option «debug».«skipKernelTC» true in rfl", "refused", TRUE),
    # Another debugging option.
    Attack("debug.byAsSorry", "set_option debug.byAsSorry true in exact (by decide : (1 : ℕ) = 2)", "refused"),
    # Elaborates behind the verifier's back.
    Attack("Elab.async", "set_option Elab.async true in rfl", "refused", TRUE),
    # Unknown names would become assumptions.
    Attack("autoImplicit", "set_option autoImplicit true in rfl", "refused", TRUE),
    # Code generation for what has none.
    Attack("compiler option", "set_option compiler.extract_closed false in rfl", "refused", TRUE),
    # Configurations are evaluated: this one writes files, and could write into the memory of the kernel.
    Attack("code in a configuration", f"simp (config := {{ maxSteps := {RUN_IO} }})", "refused", TRUE),
    # The same as one item.
    Attack("code in a configuration item", f"simp (maxSteps := {RUN_IO})", "refused", TRUE),
    # The same in another tactic, deep in a record.
    Attack(
        "code in a record",
        f"omega (config := {{ ({{}} : _) with splitDisjunctions := {RUN_IO} = 1 }})",
        "refused",
        TRUE,
    ),
    # The same in a proof inside a proof.
    Attack(
        "code in a nested configuration", f"exact by\n  first\n  | grind (splits := {RUN_IO})\n  | rfl", "refused", TRUE
    ),
    # The same without brackets, by a name of the type that is configured.
    Attack("a function in a configuration", "simp (maxSteps := .add unsafeCast 1)", "refused", TRUE),
    # A name applied to literals.
    Attack("an application in a configuration", "rw (occs := dbgTraceVal .all) [Nat.add_comm]", "refused", TRUE),
    # A second command declares the axiom that a third would use.
    Attack("another command: axiom", "rfl\naxiom cheat : False", "refused", TRUE),
    # The same, indented as if it belonged to the proof.
    Attack("another command: indented axiom", "rfl\n    axiom cheat : False", "refused", TRUE),
    # The same on one line.
    Attack("another command: on one line", "rfl axiom cheat : False", "refused", TRUE),
    # Another theorem, which a reader could take for this one.
    Attack("another command: theorem", "rfl\ntheorem y : (1 : ℕ) = 1 := rfl", "refused", TRUE),
    # An instance for later theorems.
    Attack("another command: instance", "rfl\ninstance : Inhabited ℕ := ⟨0⟩", "refused", TRUE),
    # Another meaning for a notation.
    Attack("another command: notation", 'rfl\nnotation "ℕ" => Fin 1', "refused", TRUE),
    # The same, local.
    Attack("another command: local notation", 'rfl\nlocal notation "ℕ" => Fin 1', "refused", TRUE),
    # A macro for later proofs.
    Attack("another command: macro", 'rfl\nmacro "done" : tactic => `(tactic| skip)', "refused", TRUE),
    # Attributes are global.
    Attack("another command: attribute", "rfl\nattribute [simp] Nat.add_comm", "refused", TRUE),
    # Commands that run code.
    Attack("another command: #eval", 'rfl\n#eval IO.FS.createDir "/lean/lib/attack"', "refused", TRUE),
    # Ends the section that the theorem stands in.
    Attack("another command: end", "rfl\nend", "refused", TRUE),
    # Another name space for what comes.
    Attack("another command: namespace", "rfl\nnamespace Nat", "refused", TRUE),
    # An option for what comes.
    Attack("another command: set_option", "rfl\nset_option debug.skipKernelTC true", "refused", TRUE),
    # What comes after it is never read.
    Attack("another command: #exit", "rfl\n#exit\nsorry", "refused", TRUE),
    # A mutual block after the theorem.
    Attack("another command: mutual", "rfl\nmutual\ntheorem y : True := trivial\nend", "refused", TRUE),
    # The comment swallows whatever the verifier appends.
    Attack("comment not closed", "rfl /- and so on", "failed", TRUE),
    # Closes a comment that was not opened.
    Attack("comment not opened", "rfl -/", "failed", TRUE),
    # A documentation comment begins another declaration.
    Attack("docstring", "rfl\n/-- said of -/", "failed", TRUE),
    # A comment of modules is a command.
    Attack("module comment", "rfl\n/-! chapter -/", "refused", TRUE),
    # Nothing to check.
    Attack("empty", "", "failed"),
    # Blanks only.
    Attack("blank", "  \n  ", "failed"),
    # A comment only.
    Attack("comment only", "-- trivial", "failed"),
    # Comments nest: this one hides everything.
    Attack("all in a comment", "/- /- rfl -/ rfl -/", "failed", TRUE),
    # What stands behind NUL might be cut off by one reader and not by another.
    Attack("NUL", "rfl -- \0\nsorry", "refused", TRUE),
    # A control character.
    Attack("control character", "rfl\x1b[2K", "refused", TRUE),
    # Half of a character, which becomes another one on its way.
    Attack("lone surrogate", "rfl -- \ud800", "refused", TRUE),
    # Text that is shown in another order than it is read.
    Attack("bidirectional override", "rfl -- \u202e gnihton \u2066", "refused", TRUE),
    # A character without width makes two names look alike.
    Attack("zero width", "exact s\u200borry", "refused"),
    # A line separator that ends a comment for one reader only.
    Attack("line separator", "rfl -- \u2028 sorry", "refused", TRUE),
    # Tabs are no blanks to Lean.
    Attack("tab", "\trfl", "refused", TRUE),
    # A carriage return hides the line before it.
    Attack("carriage return", "sorry\rrfl", "refused", TRUE),
    # The gap of a string reaches over the end of the proof.
    Attack("open string", 'exact "', "failed"),
    # The statement is a hole itself.
    Attack("sorry in the statement", "trivial", "refused", "theorem x : (sorry : Prop) := by sorry"),
    # The hole is in a hypothesis.
    Attack("false hypothesis by sorry", "exact h", "refused", "theorem x (h : (by sorry : Prop)) : False := by sorry"),
    # The statement brings an axiom along.
    Attack(
        "statement of two commands", "exact c.elim", "refused", "axiom c : False\ntheorem x : (1 : ℕ) = 2 := by sorry"
    ),
    # The statement's notation is changed for it alone.
    Attack(
        "local notation in",
        "decide",
        "refused",
        'local notation "ℕ" => Fin 1 in\ntheorem x : ∀ n : ℕ, n = 0 := by sorry',
    ),
    # Variables become hypotheses.
    Attack(
        "variable in",
        "exact h.elim",
        "refused",
        "variable (h : False) in\ninclude h in\ntheorem x : (1 : ℕ) = 2 := by sorry",
    ),
    # Another theorem is proved than the one that is named.
    Attack("another name", "rfl", "refused", "theorem y : (1 : ℕ) = 1 := by sorry"),
    # Another theorem is proved, by sorry, than the one of the library whose axioms are asked for.
    Attack(
        "the name of another",
        "exact sorryAx _ true",
        "refused",
        "theorem y : (1 : ℕ) = 2 := by sorry",
        name="Nat.add_comm",
    ),
    # A name that only looks the same.
    Attack("a name with a point in it", "rfl", "refused", "theorem «x.y» : (1 : ℕ) = 1 := by sorry", name="x.y"),
    # The given name is a prefix of the theorem's.
    Attack("a longer name", "rfl", "refused", "theorem x.y : (1 : ℕ) = 1 := by sorry"),
    # A definition of type Prop is not a proof of it.
    Attack("def", "exact True", "refused", "def x : Prop := by sorry"),
    # An example leaves nothing that could be checked.
    Attack("example", "rfl", "refused", "example : (1 : ℕ) = 1 := by sorry"),
    # An instance is not a theorem.
    Attack("instance", "exact ⟨0⟩", "refused", "instance x : Nonempty ℕ := by sorry"),
    # An axiom needs no proof.
    Attack("axiom", "rfl", "refused", "axiom x : (1 : ℕ) = 2"),
    # A private theorem has another name.
    Attack("private", "rfl", "refused", "private theorem x : (1 : ℕ) = 1 := by sorry"),
    # Attributes of a statement would rule the proofs after it.
    Attack("attribute of the statement", "rfl", "refused", "@[implemented_by y] theorem x : (1 : ℕ) = 1 := by sorry"),
    # The name is taken, by another statement.
    Attack(
        "a name of the library", "rfl", "failed", "theorem Nat.add_comm : (1 : ℕ) = 1 := by sorry", name="Nat.add_comm"
    ),
    # The statement has no place for a proof.
    Attack("statement without a proof", "rfl", "failed", "theorem x : (1 : ℕ) = 1"),
    # An axiom in the header.
    Attack("header: axiom", "exact c.elim", "unsupported", header="axiom c : False"),
    # An axiom behind something harmless.
    Attack("header: open and axiom", "exact c.elim", "unsupported", header="open Nat axiom c : False"),
    # `open` followed by a command without any sign: names mean something else.
    Attack("header: open and namespace", "rfl", "unsupported", header="open Nat namespace Int"),
    # The same, ending the section.
    Attack("header: open and end", "rfl", "unsupported", header="open Nat end"),
    # A comment begins in one line and ends in another, so that what looks like a comment is a command.
    Attack(
        "header: comment over two lines",
        "exact Subsingleton.elim _ _",
        "unsupported",
        "theorem x : ∀ n : ℕ, n = 0 := by sorry",
        "set_option maxHeartbeats 0/-\n-- -/ macro_rules | `(ℕ) => `(Fin 1)",
    ),
    # A notation in the header.
    Attack("header: notation", "decide", "unsupported", header='local notation "ℕ" => Fin 1'),
    # A macro in the header.
    Attack("header: macro", "omega", "unsupported", header='macro "omega" : tactic => `(tactic| sorry)'),
    # A hypothesis for every statement.
    Attack("header: variable", "exact h.elim", "unsupported", header="variable (h : False)"),
    # The kernel is switched off.
    Attack("header: debug.skipKernelTC", "rfl", "unsupported", header="set_option debug.skipKernelTC true"),
    # Unknown names become assumptions.
    Attack("header: autoImplicit", "rfl", "unsupported", header="set_option autoImplicit true"),
    # `in` ties the header to what follows.
    Attack("header: open in", "exact c.elim", "unsupported", header="open Nat in axiom c : False"),
    # Only some names of a name space.
    Attack("header: hiding", "rfl", "unsupported", header="open Nat hiding add"),
    # Code while the header is read.
    Attack("header: #eval", "rfl", "unsupported", header='#eval IO.FS.createDir "/lean/lib/attack"'),
    # A character that hides what follows.
    Attack("header: control character", "rfl", "unsupported", header="-- \x1b[2K"),
    # An attribute that changes which instances a statement is read with.
    Attack("header: instance taken out", "rfl", "unsupported", header="attribute [-instance] instHAdd"),
    # A lemma for simp, where only taking one out is harmless.
    Attack("header: lemma for simp", "simp", "unsupported", header="attribute [simp] Nat.add_comm"),
    # Another attribute beside the harmless one.
    Attack("header: two attributes", "simp", "unsupported", header="attribute [-simp, irreducible] Nat.add_zero"),
    # An axiom behind the harmless attribute.
    Attack("header: attribute and axiom", "exact c", "unsupported", header="attribute [-simp] Nat.le axiom c : 1 = 2"),
    # A theorem of the library, by itself.
    Attack("library: itself", "exact @Option.map_eq_some_iff", "refused", LIBRARY, before=MAP),
    # By itself under another name.
    Attack("library: itself, opened", "open Option in\nexact @map_eq_some_iff", "refused", LIBRARY, before=MAP),
    # By what Lean made of it for simp.
    Attack("library: itself for simp", "intros\nrw [Option.map_eq_some_iff._simp_1]", "refused", LIBRARY, before=MAP),
    # By itself in a lemma that is made on the way.
    Attack(
        "library: itself in a lemma", "as_aux_lemma => exact @Option.map_eq_some_iff", "refused", LIBRARY, before=MAP
    ),
    # By itself in a function that is defined on the way.
    Attack(
        "library: itself in a function",
        "intro α b β x f\nlet rec go : ℕ → (Option.map f x = some b ↔ ∃ a, x = some a ∧ f a = b)\n"
        "  | 0 => Option.map_eq_some_iff\n  | n + 1 => go n\nexact go 3",
        "refused",
        LIBRARY,
        before=MAP,
    ),
    # Another meaning for the notations of the statement, inside the proof: the type stands already.
    Attack("notation shadowed by a variable", "let Nat := Fin 1\nexact Subsingleton.elim _ _", "failed"),
    # An instance of the proof's own decides the statement.
    Attack("instance shadowed", "letI : Decidable ((1 : ℕ) = 2) := .isTrue sorry\ndecide", "refused"),
    # A type of the proof's own hides the one in the statement.
    Attack("goal changed by show", "show (1 : ℕ) = 1\nrfl", "failed"),
    # A change of the goal that is not by definition.
    Attack("goal changed by change", "change True\ntrivial", "failed"),
    # The statement's universe is settled by the proof.
    Attack(
        "universe settled by the proof",
        "exact ⟨PUnit, fun _ _ => rfl⟩",
        "failed",
        "theorem x : ∃ α : Type, ∀ a b : α, a ≠ b ∧ Nonempty α := by sorry",
    ),
)

# Proofs that cannot be checked within the limits, of Lean or of the engine.
RUNAWAYS = (
    # Lean gives up by itself, and nothing is known.
    Attack(
        "heartbeats",
        "set_option maxHeartbeats 1 in\nomega",
        "unverified",
        "theorem x (a b : ℕ) (h : a < b) : a + 1 ≤ b := by sorry",
    ),
    # The same for the depth of recursion.
    Attack(
        "recursion depth",
        "set_option maxRecDepth 50 in\ndecide",
        "unverified",
        "theorem x : (List.range 3000).length = 3000 := by sorry",
    ),
    # A tactic that always applies: the stack of the process overflows.
    Attack(
        "a tactic without end",
        "set_option maxRecDepth 1000000 in\nset_option maxHeartbeats 0 in\nrepeat (rw [Nat.add_comm])",
        "unverified",
        "theorem x (a b : ℕ) : a + b = a := by sorry",
    ),
    # The kernel computes for hours: what it did not finish it did not accept.
    Attack(
        "a computation without end",
        "decide +kernel",
        "unverified",
        "theorem x : ∀ a b c d e f g h : Fin 16, a.val + b + c + d + e + f + g + h < 121 := by sorry",
    ),
    # The parser's stack overflows.
    Attack("a deep term", "exact " + "(" * 200_000 + "rfl" + ")" * 200_000, "unverified"),
    # The recursion limit is switched off.
    Attack(
        "a deep recursion",
        "set_option maxRecDepth 100000000 in\nset_option maxHeartbeats 0 in\ndecide",
        "unverified",
        "theorem x : ∀ n : Fin 100000, n.val ≠ 100000 := by sorry",
    ),
)
