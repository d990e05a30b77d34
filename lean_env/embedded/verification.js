// The facts about a whole proof from which verify.py decides: what Lean reports of it, what it adds to the environment,
// and whether Lean's kernel accepts those additions once more, from the environment before it and with no options.
'use strict';
const { refusal } = require('./permitted.js');

const COMMAND_STATE = { env: 0, scopes: 2 }; // positions of fields
const SCOPE = { options: 1, namespace: 2, openDecls: 3 };
const DECLARATION = 'Lean.Parser.Command.declaration', THEOREM = 'Lean.Parser.Command.theorem', END = 'Lean.Parser.Command.eoi';
const AXIOM = 0;
const CONSTANT_KINDS = ['axiom', 'definition', 'theorem', 'opaque', 'quotient', 'inductive', 'constructor', 'recursor'];
const ORIGINAL_AXIOM = 2; // of Lean.ConstantKind
const DECLARATIONS = { 1: 1, 2: 2, 3: 3 }; // tag of ConstantInfo → tag of Declaration: definitions, theorems, opaques

exports.Verification = class {
  constructor(lean, elaborator, constants, declared) { Object.assign(this, { lean, elaborator, constants, declared }); }

  /**
   * The facts about `text`, the theorem with its proof. `statement` is the theorem with `sorry`, `name` its name as
   * `nameText` writes it; `before`, where given, is the theorem of the library that it must not rest on (declared.js).
   * What may not stand in a proof is not elaborated: then there is only a refusal, or the errors of parsing.
   */
  facts({ text, statement, name, before }, commandState) {
    const { refusal, messages } = this.parse(text, commandState);
    const nothing = { refusal, messages, constants: [], sameStatement: false, axioms: [], late: [], kernel: null };
    if (refusal !== null || messages.length > 0) return nothing;
    return { ...nothing, ...this.elaborate(text, statement, name, before, commandState) };
  }

  elaborate(text, statement, name, before, commandState) {
    const { lean, elaborator } = this;
    const stated = elaborator.run(statement, commandState);
    const proved = elaborator.run(text, commandState);
    const earlier = this.localConstants(commandState), expected = this.localConstants(stated.state);
    const after = this.localConstants(proved.state);
    const added = new Map([...after].filter(([constant]) => !earlier.has(constant)));
    const facts = {
      messages: proved.messages,
      constants: [...added].map(([constant, info]) => ({ name: constant, kind: CONSTANT_KINDS[lean.tag(info)] })),
      sameStatement: expected.has(name) && added.has(name) && this.sameType(name, expected, added),
      axioms: added.has(name) ? this.axioms(name, after, commandState) : [],
      late: added.has(name) && before !== undefined ? this.late(name, before, added, proved.state) : [],
      kernel: this.replay(added, commandState),
    };
    for (const sorry of [...stated.sorries, ...proved.sorries]) elaborator.drop(sorry);
    for (const object of [stated.state, stated.syntax, proved.state, proved.syntax]) lean.release(object);
    return facts;
  }

  /** Parse `text` without elaborating: why it may not be elaborated, if so, and the messages of the parser. */
  parse(text, commandState) {
    const { lean, elaborator } = this;
    const scope = lean.field(lean.field(commandState, COMMAND_STATE.scopes), 0); // of a list, which is never empty
    const context = lean.make(0, [lean.take(commandState, COMMAND_STATE.env), lean.take(scope, SCOPE.options),
      lean.take(scope, SCOPE.namespace), lean.take(scope, SCOPE.openDecls)]);
    const input = elaborator.inputContext(text);
    let state = lean.make(0, [lean.box(0)], [0, 0, 0, 0]), log = lean.retain(lean.constant('l_Lean_MessageLog_empty'));
    const next = () => { // (Syntax, ModuleParserState, MessageLog)
      const parsed = lean.call('l_Lean_Parser_parseCommand', lean.retain(input), lean.retain(context), state, log);
      const rest = lean.field(parsed, 1), command = lean.take(parsed, 0);
      state = lean.take(rest, 0);
      log = lean.take(rest, 1);
      lean.release(parsed);
      return command;
    };
    const kind = node => node & 1 ? null : lean.name(lean.field(node, 1));
    const isTheorem = node => kind(node) === DECLARATION && kind([...lean.array(lean.field(node, 2))][1]) === THEOREM; // [0]: modifiers
    const commands = [next(), next()], [first, second] = commands;
    const messages = elaborator.messages(log);
    const alone = isTheorem(first) && (kind(second) === END || messages.length > 0);
    const objection = alone ? refusal(lean, first) : 'the text is not one theorem: another command begins before it or in the proof';
    for (const object of [...commands, state, log, input, context]) lean.release(object);
    return { refusal: objection, messages };
  }

  kernelEnvironment(commandState) {
    return this.lean.call('lean_elab_environment_to_kernel_env', this.lean.take(commandState, COMMAND_STATE.env));
  }

  /** Name → ConstantInfo of the constants that were not imported; they stay the command state's. */
  localConstants(commandState) {
    const { lean, constants } = this, found = new Map();
    const walk = node => { // PersistentHashMap.Node: entries, or keys and values that collide
      if (lean.tag(node) === 1) {
        const values = [...lean.array(lean.field(node, 1))];
        [...lean.array(lean.field(node, 0))].forEach((key, i) => found.set(constants.nameText(key), values[i]));
        return;
      }
      for (const entry of lean.array(lean.field(node, 0))) {
        if (entry & 1) continue;
        if (lean.tag(entry) === 0) found.set(constants.nameText(lean.field(entry, 0)), lean.field(entry, 1));
        else walk(lean.field(entry, 0));
      }
    };
    const kernel = this.kernelEnvironment(commandState);
    walk(lean.field(lean.field(kernel, 0), 1)); // the second stage of its constants: what was not imported
    lean.release(kernel);
    return found;
  }

  /** The names of the constants of a command state that are axioms and not imported. */
  declaredAxioms(commandState) {
    return [...this.localConstants(commandState)].filter(([, info]) => this.lean.tag(info) === AXIOM).map(([name]) => name);
  }

  /**
   * Whether `name` has the same type in two sets of constants: the same expression, made of the same auxiliary
   * constants (a `match` in a statement is one) with the same types and values.
   */
  sameType(name, these, those) {
    const { lean, constants } = this, compared = new Set();
    const same = (a, b) => lean.call('lean_expr_eqv', a, b) === 1;
    const sameIn = (constant, withValue) => {
      compared.add(constant);
      const left = these.get(constant), right = those.get(constant);
      if (left === undefined || right === undefined) return left === right; // both undefined: imported
      if (lean.tag(left) !== lean.tag(right) || constants.levels(left) !== constants.levels(right)) return false;
      const expressions = [[constants.type(left), constants.type(right)]];
      if (withValue && constants.value(left) !== null) expressions.push([constants.value(left), constants.value(right)]);
      return expressions.every(([a, b]) => {
        let equal = same(a, b);
        constants.eachConstant(a, used => { equal = equal && (compared.has(used) || sameIn(used, true)); });
        return equal;
      });
    };
    return sameIn(name, false);
  }

  /** Axioms that `name` rests on. A theorem that was imported, where it has no proof, is taken as proved. */
  axioms(name, local, commandState) {
    const { lean } = this, seen = new Set(), axioms = new Set();
    const visit = constant => {
      if (seen.has(constant)) return;
      seen.add(constant);
      const info = local.get(constant);
      if (lean.tag(info) === AXIOM) axioms.add(constant);
      this.constants.eachUse(info, (used, object) => {
        if (local.has(used)) visit(used);
        else if (this.isImportedAxiom(object, commandState)) axioms.add(used);
      });
    };
    visit(name);
    return [...axioms].sort();
  }

  /** What `name` rests on that is declared with the library's theorem `before` or after it. */
  late(name, before, added, commandState) {
    const value = this.constants.value(added.get(name));
    return value === null ? [] : this.declared.late(before, [value], this.lean.field(commandState, COMMAND_STATE.env));
  }

  /** Imported files hold theorems as axioms, without their proofs; what a constant was at first is recorded beside. */
  isImportedAxiom(name, commandState) {
    const { lean } = this;
    const kind = lean.call('l_Lean_getOriginalConstKind_x3f', lean.take(commandState, COMMAND_STATE.env), lean.retain(name));
    const isAxiom = (kind & 1) !== 0 || lean.field(kind, 0) === lean.box(ORIGINAL_AXIOM); // not recorded: not trusted
    lean.release(kind);
    return isAxiom;
  }

  /** Have the kernel check `added` from the environment before it. Gives null, or what the kernel reports. */
  replay(added, commandState) {
    const { lean } = this, done = new Set();
    let kernel = this.kernelEnvironment(commandState), failure = null;
    const visit = (constant, info) => {
      if (done.has(constant)) return;
      done.add(constant);
      this.constants.eachUse(info, used => { if (added.has(used)) visit(used, added.get(used)); });
      if (failure === null) failure = add(constant, info);
    };
    const add = (constant, info) => {
      if (!(lean.tag(info) in DECLARATIONS)) return `${constant} is an addition of kind ${CONSTANT_KINDS[lean.tag(info)]}`;
      const declaration = lean.make(DECLARATIONS[lean.tag(info)], [lean.take(info, 0)]);
      const result = lean.call('lean_add_decl', kernel, 0, declaration, 1); // borrows the declaration
      lean.release(declaration);
      const value = lean.take(result, 0), ok = lean.tag(result) === 1;
      lean.release(result);
      kernel = ok ? value : 1;
      if (ok) return null;
      const data = lean.call('l_Lean_Kernel_Exception_toMessageData', value, lean.retain(lean.constant('l_Lean_Options_empty')));
      return `${constant}: ${lean.takeString(lean.call('l_Lean_MessageData_toString', data))}`;
    };
    for (const [constant, info] of added) visit(constant, info);
    lean.release(kernel);
    return failure;
  }
};
