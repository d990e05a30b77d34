/-
What a proof may say, checked by Lean itself: the syntax tree of a tactic, or of a whole theorem, is looked at when it has
been parsed and before anything of it is elaborated. Some syntax runs code while it is elaborated, and such code can do
whatever the process can. The embedded engine has the same rules in embedded/permitted.js.

`neff_tactic T` is `T`, unless `T` holds what it may not. `neff_theorem S neff_against P` does nothing, unless `S` or `P` is
not one theorem, `P` does not state what `S` states, or one of them holds what it may not. Both are given to the REPL's
tactic mode, where Lean's parser has to consume the whole text, so that no other command can follow.

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
  | "run_tac" | "run_elab" | "run_meta" | "run_cmd" | "run_conv" | "by_elab" | "elab_to_syntax" | "eval%" | "trace"
  | "plausible" | "slim_check" | "with_panel_widgets" | "from_lrat" | "lrat_proof" => some "it runs code while it is elaborated"
  | "include_str" | "include_bytes" | "bv_check" => some "it reads files"
  | "polyrith" | "bv_decide" | "bv_decide?" => some "it asks another program"
  | _ => none

/-- The first part of a name, behind `_root_`. -/
def firstOf : Lean.Name → Lean.Name
  | .str (.str .anonymous "_root_") first => .str .anonymous first
  | .str .anonymous first => .str .anonymous first
  | .str rest _ | .num rest _ => firstOf rest
  | .anonymous => .anonymous

/-- Names of what acts on the machine: a proof is about none of them. -/
def ofName (name : Lean.Name) : Option String :=
  match firstOf name with
  | .str .anonymous "IO" | .str .anonymous "EIO" | .str .anonymous "BaseIO" | .str .anonymous "EST"
  | .str .anonymous "ST" | .str .anonymous "unsafeCast" | .str .anonymous "unsafeIO"
  | .str .anonymous "unsafeBaseIO" | .str .anonymous "unsafeEIO" => some "it names what acts on the machine"
  | _ => none

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
know; a proof has no use for them. -/
def ofAtom (text : String) : Option String :=
  match text.toList with
  | '`' :: _ => some "a proof may not quote syntax"
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

def theoremRefusal (stated proved : Lean.Syntax) : Option String :=
  if !isTheorem stated then some "the statement is not one theorem"
  else if !isTheorem proved then some "the text is not one theorem"
  else if !sameStatement stated proved then some "the theorem proved is not the statement given"
  else refusal proved

-- At the lowest precedence, so that nothing that could follow a tactic follows this one instead.
syntax:min (name := guardedTactic) "neff_tactic " tactic : tactic
syntax:min (name := guardedTheorem) "neff_theorem " command " neff_against " command : tactic

@[macro guardedTactic] def expandTactic : Lean.Macro := fun stx =>
  match refusal (stx.getArg 1) with
  | some reason => throw (.error stx ("neff refuses: " ++ reason))
  | none => pure (stx.getArg 1)

@[macro guardedTheorem] def expandTheorem : Lean.Macro := fun stx =>
  match theoremRefusal (stx.getArg 1) (stx.getArg 3) with
  | some reason => throw (.error stx ("neff refuses: " ++ reason))
  | none => `(tactic| skip)

end NeffGuard
