/-
What a proof may say, checked by Lean itself: the syntax tree of a tactic, or of a whole theorem, is looked at when it has
been parsed and before anything of it is elaborated. Some syntax runs code while it is elaborated, and such code can do
whatever the process can. The embedded engine has the same rules in embedded/permitted.js.

`neff_tactic T` is `T`, unless `T` holds what it may not. `neff_theorem N S neff_against P` does nothing, unless `S` or
`P` is not one theorem, the name of `S` is not `N`, `P` does not state what `S` states, or one of them holds what it may
not. Both are given to the REPL's tactic mode, where Lean's parser has to consume the whole text, so that no other command
can follow.

Needs nothing but `Init`, and of that only what is not generic: the library of the embedded engine, on which this is
tested, has no code of generic functions.
-/
namespace NeffGuard

/-- Why a keyword may not stand in a proof: it puts something else than a checked proof in its place, evaluates terms,
reads files, asks other programs, or (attributes) changes what code runs. -/
def ofKeyword : String → Option String
  | "sorry" | "admit" | "stop" => some "sorry, admit and stop are not a proof"
  | "native_decide" => some "native_decide trusts the compiler"
  | "unsafe" => some "a proof may not be unsafe"
  | "@[" => some "a proof may not set attributes"
  | "elab_to_syntax" | "eval%" | "trace" | "plausible" | "slim_check" | "with_panel_widgets" | "from_lrat"
  | "lrat_proof" => some "it runs code while it is elaborated"
  | "include_str" | "include_bytes" | "bv_check" => some "it reads files"
  | "polyrith" | "bv_decide" | "bv_decide?" => some "it asks another program"
  | _ => none

/-- A name without the `_root_` before it. -/
def unrooted : Lean.Name → Lean.Name
  | .str .anonymous "_root_" | .anonymous => .anonymous
  | .str rest last => .str (unrooted rest) last
  | .num rest last => .num (unrooted rest) last

/-- Names of the axiom behind `sorry`, of what acts on the machine, and of what makes tactics: a proof is about none of
them. Opened, the last bring syntax of their own, as `Qq` does. -/
def under : Lean.Name → Option String
  | .str .anonymous "sorryAx" => some "sorry, admit and stop are not a proof"
  | .str .anonymous "IO" | .str .anonymous "EIO" | .str .anonymous "BaseIO" | .str .anonymous "EST"
  | .str .anonymous "ST" | .str .anonymous "unsafeCast" | .str .anonymous "unsafeIO"
  | .str .anonymous "unsafeBaseIO" | .str .anonymous "unsafeEIO" => some "it names what acts on the machine"
  | .str .anonymous "Qq" | .str .anonymous "Elab" | .str (.str .anonymous "Lean") "Elab"
  | .str (.str .anonymous "Lean") "Meta" => some "it names what makes tactics"
  | .str rest _ | .num rest _ => under rest
  | .anonymous => none

/-- Why a name may not stand in a proof. There are theorems in name spaces of `Lean`, but nobody opens all of it. -/
def ofName (name : Lean.Name) : Option String :=
  match unrooted name with
  | .str .anonymous "Lean" => some "it names what makes tactics"
  | name => under name

/-- Limits of elaboration, names, and what only changes how things are shown. -/
def harmlessOption : Lean.Name → Bool
  | .str .anonymous "maxHeartbeats" | .str .anonymous "maxRecDepth"
  | .str (.str .anonymous "synthInstance") "maxHeartbeats" | .str (.str .anonymous "synthInstance") "maxSize"
  | .str (.str .anonymous "exponentiation") "threshold" | .str (.str .anonymous "tactic") "hygienic" => true
  | .str .anonymous _ => false
  | option => match option.getRoot with
    | .str .anonymous "pp" | .str .anonymous "linter" => true
    | _ => false

/-- Whether one of the atoms directly below `stx` is `text`. -/
def hasAtom (text : String) (stx : Lean.Syntax) : Bool :=
  go stx.getNumArgs
where go : Nat → Bool
  | 0 => false
  | n + 1 => (match stx.getArg n with | .atom _ found => found == text | _ => false) || go n

def isConfiguration (stx : Lean.Syntax) : Bool :=
  hasAtom "config" stx || hasAtom "simp_config" stx || match stx.getKind with
    | .str (.str (.str (.str .anonymous "Lean") "Parser") "Tactic") name =>
      name == "config" || name == "posConfigItem" || name == "negConfigItem" || name == "valConfigItem"
    | _ => false

def isValue : Lean.Name → Bool
  | .str .anonymous "null" | .str .anonymous "num" | .str .anonymous "str" | .str .anonymous "term[_]" => true
  | .str (.str (.str (.str .anonymous "Lean") "Parser") "Term") name =>
    name == "structInst" || name == "structInstFields" || name == "structInstField" || name == "structInstLVal"
      || name == "structInstFieldDef" || name == "structInstFieldAbbrev" || name == "dotIdent" || name == "optEllipsis"
      || name == "app"
  | _ => false

/-- A configuration is evaluated. So its values are literals, names, and structures and lists of them; only constructors,
as `.pos [1]`, are applied, and not to names. -/
partial def inConfiguration (applied : Bool) (stx : Lean.Syntax) : Option String :=
  match stx with
  | .ident _ _ (.str .anonymous "native") _ => some "native evaluation trusts the compiler"
  | .ident .. => if applied then some "a configuration may not hold code" else none
  | .node _ kind _ =>
    if isConfiguration stx || isValue kind then
      go (kind != `Lean.Parser.Term.dotIdent && (applied || kind == `Lean.Parser.Term.app)) stx 0
    else some "a configuration may not hold code"
  | _ => none
where go (applied : Bool) (stx : Lean.Syntax) (n : Nat) : Option String :=
  if n < stx.getNumArgs then
    match inConfiguration applied (stx.getArg n) with
    | some reason => some reason
    | none => go applied stx (n + 1)
  else none

/-- Why an option may not be set where it is. -/
partial def ofOption (stx : Lean.Syntax) : Option String :=
  if hasAtom "set_option" stx then go 0 else none
where go (n : Nat) : Option String :=
  match stx.getArg n with
  | .ident _ _ name _ => if harmlessOption name then none else some "a proof may not set this option"
  | _ => if n < stx.getNumArgs then go (n + 1) else some "a proof may not set an option without a name"

/-- Why an atom may not stand in a proof. Quotations are parsed as the open name spaces want, which tactic mode does not
know; a proof has no use for them. Libraries name what runs code after what Lean calls so (`run_tacq`, `by_elabq`), and
what asks a question with `#`, also of other programs (`#loogle`, `#leansearch`); arrays and vectors begin with it too. -/
def ofAtom (text : String) : Option String :=
  match text.toList with
  | '`' :: _ => some "a proof may not quote syntax"
  | 'r' :: 'u' :: 'n' :: '_' :: _ | 'b' :: 'y' :: '_' :: 'e' :: 'l' :: 'a' :: 'b' :: _ =>
    some "it runs code while it is elaborated"
  | '#' :: first :: _ =>
    if first.isAlpha && text != "#v[" && text != "#adaptation_note" then some "it is a question and no proof" else none
  | _ => ofKeyword text

/-- Why some syntax may not stand in a proof. -/
partial def refusal (stx : Lean.Syntax) : Option String :=
  match stx with
  | .atom _ text => ofAtom text
  | .ident _ _ name _ => ofName name
  | .node .. =>
    match ofOption stx with
    | some reason => some reason
    | none => if isConfiguration stx then inConfiguration false stx else go stx 0
  | .missing => none
where go (stx : Lean.Syntax) (n : Nat) : Option String :=
  if n < stx.getNumArgs then
    match refusal (stx.getArg n) with
    | some reason => some reason
    | none => go stx (n + 1)
  else none

def isTheorem (command : Lean.Syntax) : Bool :=
  command.getKind == `Lean.Parser.Command.declaration && (command.getArg 1).getKind == `Lean.Parser.Command.theorem

/-- Whether two theorems are the same up to their proofs: modifiers, name and universes, hypotheses and type. -/
def sameStatement (one other : Lean.Syntax) : Bool :=
  (one.getArg 0).structEq (other.getArg 0)
    && ((one.getArg 1).getArg 1).structEq ((other.getArg 1).getArg 1)
    && ((one.getArg 1).getArg 2).structEq ((other.getArg 1).getArg 2)

/-- Whether a theorem has the name that `name` has: what is asked of Lean afterwards, it is asked by that name. -/
def hasName (name command : Lean.Syntax) : Bool :=
  match name, ((command.getArg 1).getArg 1).getArg 0 with
  | .ident _ _ one _, .ident _ _ other _ => one == other
  | _, _ => false

def theoremRefusal (name stated proved : Lean.Syntax) : Option String :=
  if !isTheorem stated then some "the statement is not one theorem"
  else if !hasName name stated then some "the statement is that of a theorem of another name"
  else if !isTheorem proved then some "the text is not one theorem"
  else if !sameStatement stated proved then some "the theorem proved is not the statement given"
  else refusal proved

-- At the lowest precedence, so that nothing that could follow a tactic follows this one instead.
syntax:min (name := guardedTactic) "neff_tactic " tactic : tactic
syntax:min (name := guardedTheorem) "neff_theorem " ident command " neff_against " command : tactic

@[macro guardedTactic] def expandTactic : Lean.Macro := fun stx =>
  match refusal (stx.getArg 1) with
  | some reason => throw (.error stx ("neff refuses: " ++ reason))
  | none => pure (stx.getArg 1)

@[macro guardedTheorem] def expandTheorem : Lean.Macro := fun stx =>
  match theoremRefusal (stx.getArg 1) (stx.getArg 2) (stx.getArg 4) with
  | some reason => throw (.error stx ("neff refuses: " ++ reason))
  | none => `(tactic| skip)

end NeffGuard
