// The facts about a whole proof from which verify.py decides: what Lean reports of it, what it adds to the environment,
// and whether Lean's kernel accepts those additions once more, from the environment before it and with no options.
'use strict';

const ENVIRONMENT = 0; // field of the command state
const CONSTANT_KINDS = ['axiom', 'definition', 'theorem', 'opaque', 'quotient', 'inductive', 'constructor', 'recursor'];
const AXIOM = 0;
// The axioms of Init. The imported files hold the library's theorems as axioms too, without their proofs, and nothing in
// them tells the two apart; the prelude has none of its own (compile.js).
const LIBRARY_AXIOMS = new Set(['propext', 'Quot.sound', 'Classical.choice', 'sorryAx', 'Lean.trustCompiler',
  'Lean.ofReduceBool', 'Lean.ofReduceNat']);
const DECLARATIONS = { 1: 1, 2: 2, 3: 3 }; // tag of ConstantInfo → tag of Declaration: definitions, theorems, opaques
const SYNTAX = { node: 1, identifier: 3 };

exports.Verification = class {
  constructor(lean, elaborator) {
    this.lean = lean;
    this.elaborator = elaborator;
  }

  /**
   * Elaborate `text` (the theorem with its proof) and `statement` (the theorem with `sorry`) in a command state.
   * `name` is the theorem's, as the environment has it.
   */
  facts({ text, statement, name }, commandState) {
    const { lean, elaborator } = this;
    const stated = elaborator.run(statement, commandState);
    const proved = elaborator.run(text, commandState);
    const before = this.localConstants(commandState), after = this.localConstants(proved.state);
    const added = new Map([...after].filter(([constant]) => !before.has(constant)));
    const expected = this.localConstants(stated.state).get(name);
    const facts = {
      messages: proved.messages,
      commands: proved.commands,
      syntax: this.syntax(proved.syntax),
      constants: [...added].map(([constant, info]) => ({ name: constant, kind: CONSTANT_KINDS[lean.tag(info)] })),
      sameStatement: expected !== undefined && added.has(name) && this.sameType(expected, added.get(name)),
      axioms: added.has(name) ? this.axioms(name, after) : [],
      kernel: this.replay(added, commandState),
    };
    for (const sorry of [...stated.sorries, ...proved.sorries]) elaborator.drop(sorry);
    for (const object of [stated.state, stated.syntax, proved.state, proved.syntax]) lean.release(object);
    return facts;
  }

  kernelEnvironment(commandState) {
    return this.lean.call('lean_elab_environment_to_kernel_env', this.lean.take(commandState, ENVIRONMENT));
  }

  /** Name → ConstantInfo of the constants that were not imported; they stay the command state's. */
  localConstants(commandState) {
    const { lean } = this, found = new Map();
    const walk = node => { // PersistentHashMap.Node: entries, or keys and values that collide
      if (lean.tag(node) === 1) {
        const values = [...lean.array(lean.field(node, 1))];
        [...lean.array(lean.field(node, 0))].forEach((key, i) => found.set(lean.name(key), values[i]));
        return;
      }
      for (const entry of lean.array(lean.field(node, 0))) {
        if (entry & 1) continue;
        if (lean.tag(entry) === 0) found.set(lean.name(lean.field(entry, 0)), lean.field(entry, 1));
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

  // A ConstantInfo holds one value, which begins with a ConstantVal (name, level parameters, type) and then has its own
  // fields, the first of them the value of the constant where it has one.
  constantVal(info) { return this.lean.field(this.lean.field(info, 0), 0); }

  sameType(a, b) {
    const { lean } = this, [left, right] = [this.constantVal(a), this.constantVal(b)];
    const levels = value => [...lean.list(lean.field(value, 1))].map(name => lean.name(name)).join(' ');
    return levels(left) === levels(right) && lean.call('lean_expr_eqv', lean.field(left, 2), lean.field(right, 2)) === 1;
  }

  /** The names of the constants that occur in the type and the value of a constant. */
  uses(info) {
    const { lean } = this, names = new Map();
    const expressions = [lean.field(this.constantVal(info), 2)];
    if (lean.tag(info) in DECLARATIONS) expressions.push(lean.field(lean.field(info, 0), 1));
    for (const expression of expressions) {
      const array = lean.call('l_Lean_Expr_getUsedConstants', lean.retain(expression));
      for (const name of lean.array(array)) names.set(lean.name(name), lean.retain(name));
      lean.release(array);
    }
    return names;
  }

  /** Axioms that `name` rests on. What was imported without its proof (theorems of the library) is taken as proved. */
  axioms(name, local) {
    const { lean } = this, seen = new Set(), axioms = new Set();
    const visit = constant => {
      if (seen.has(constant)) return;
      seen.add(constant);
      const info = local.get(constant);
      if (lean.tag(info) === AXIOM) axioms.add(constant);
      for (const [used, object] of this.uses(info)) {
        if (local.has(used)) visit(used);
        else if (LIBRARY_AXIOMS.has(used)) axioms.add(used);
        lean.release(object);
      }
    };
    visit(name);
    return [...axioms].sort();
  }

  /** Have the kernel check `added` from the environment before it. Gives null, or what the kernel reports. */
  replay(added, commandState) {
    const { lean } = this, done = new Set();
    let kernel = this.kernelEnvironment(commandState), failure = null;
    const visit = (constant, info) => {
      if (done.has(constant)) return;
      done.add(constant);
      for (const [used, object] of this.uses(info)) {
        if (added.has(used)) visit(used, added.get(used));
        lean.release(object);
      }
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

  /** The kinds of node in the syntax of some commands, and the options they set. */
  syntax(commands) {
    const { lean } = this, kinds = new Set(), options = new Set();
    const walk = node => {
      if ((node & 1) || lean.tag(node) !== SYNTAX.node) return;
      const kind = lean.name(lean.field(node, 1)), children = [...lean.array(lean.field(node, 2))];
      kinds.add(kind);
      if (kind.endsWith('.set_option')) {
        const option = children.find(child => !(child & 1) && lean.tag(child) === SYNTAX.identifier);
        options.add(option === undefined ? '?' : lean.name(lean.field(option, 2)));
      }
      children.forEach(walk);
    };
    for (const command of lean.array(commands)) walk(command);
    return { kinds: [...kinds].sort(), options: [...options].sort() };
  }
};
