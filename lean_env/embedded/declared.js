// Theorems of Lean's library, and what is declared before one of them: what may be used where it is to be proved.
//
// Imported files tell the module of a constant, but not where in its module it is declared. So the rule is stricter than
// "declared before". Where T is the theorem and M its module, a proof may use a constant c if and only if
//   1. c was not imported, and all that its own type and value use may be used; or
//   2. c is of a module that is not M and imports M neither directly nor through others, so that c cannot rest on T; or
//   3. c is of M and T's type is made of it: c occurs in that type, or in the type or value of such a constant, or is a
//      constructor or the recursor of such an inductive type. What T's type is made of, Lean had before T.
// Definitions of M that T's type is not made of stay out, as one may hold a proof by T (a lawful instance does).
//
// What counts is the proof that the kernel gets. A lemma that holds by computation leaves no trace there when `simp`
// applies it: it stands for nothing but that computation.
'use strict';

const COMMAND_STATE = { env: 0 }; // positions of fields
const HEADER = { moduleData: 5 };
const MODULE_DATA = { imports: 0, constants: 1 };
const IMPORT = { module: 0 };
const INDUCTIVE = 5; // tag of ConstantInfo
const INDUCTIVE_VALUE = { constructors: 4 };

exports.Declared = class {
  /** `commandState`: any one with the imports. */
  constructor(lean, constants, commandState) {
    Object.assign(this, { lean, constants, allowed: new Map() });
    this.environment = lean.field(commandState, COMMAND_STATE.env);
  }

  /** The imported modules in the order of imports: {name, imports: their places in that order, constants: their names}. */
  modules() {
    if (this.imported === undefined) {
      const { lean } = this, modules = [], places = new Map();
      const header = lean.call('l_Lean_Environment_header', lean.retain(this.environment));
      const names = lean.call('l_Lean_Environment_allImportedModuleNames', lean.retain(this.environment));
      for (const name of lean.array(names)) places.set(lean.name(name), places.size);
      for (const data of lean.array(lean.field(header, HEADER.moduleData))) {
        const imports = [...lean.array(lean.field(data, MODULE_DATA.imports))];
        modules.push({
          imports: imports.map(given => places.get(lean.name(lean.field(given, IMPORT.module)))),
          constants: lean.field(data, MODULE_DATA.constants),
        });
      }
      [...places.keys()].forEach((name, place) => { modules[place].name = name; });
      for (const object of [header, names]) lean.release(object); // the environment holds what they held
      this.imported = modules;
    }
    return this.imported;
  }

  /** What a user may call the theorems of the library: {name, module} each, none of them deprecated. */
  theorems() {
    const { lean } = this, found = [];
    const is = (predicate, ...args) => lean.call(predicate, ...args.map(object => lean.retain(object))) === lean.box(1);
    for (const { name: module, constants } of this.modules()) {
      for (const constant of lean.array(constants)) {
        if (is('l_Lean_Name_isInternalDetail', constant) || is('l_Lean_isPrivateName', constant)) continue;
        if (!is('l_Lean_wasOriginallyTheorem', this.environment, constant)) continue;
        if (is('l_Lean_Linter_isDeprecated', this.environment, constant)) continue;
        found.push({ name: this.constants.nameText(constant), module });
      }
    }
    return found;
  }

  /** The place in the order of imports of the module of an imported constant; undefined for any other. */
  module(name) {
    const { lean } = this;
    const found = lean.call('l_Lean_Environment_getModuleIdxFor_x3f', lean.retain(this.environment), lean.retain(name));
    const module = found & 1 ? undefined : lean.field(found, 0) >>> 1;
    lean.release(found);
    return module;
  }

  /** Call `use` with the ConstantInfo of a constant of `environment`. */
  withInfo(environment, name, use) {
    const { lean } = this;
    const found = lean.call('l_Lean_Environment_find_x3f', lean.retain(environment), lean.retain(name), lean.box(0));
    if (found & 1) throw new Error(`no constant ${lean.name(name)}`);
    use(lean.field(found, 0));
    lean.release(found);
  }

  /** Whether `theorem`, a name as text, is one of the library's constants. */
  has(theorem) {
    const name = this.lean.makeName(...theorem.split('.')), imported = this.module(name) !== undefined;
    this.lean.release(name);
    return imported;
  }

  /**
   * What may be used before a constant of the library: {module, parts, behind}, its module, the constants of that module
   * that its type is made of, and the modules that import that module, itself among them.
   */
  before(theorem) {
    if (!this.allowed.has(theorem)) {
      const { lean, constants, environment } = this, name = lean.makeName(...theorem.split('.'));
      const module = this.module(name), parts = new Set(), behind = new Set([module]);
      const visit = (text, object) => {
        if (parts.has(text) || this.module(object) !== module) return;
        parts.add(text);
        this.withInfo(environment, object, info => {
          constants.eachUse(info, visit);
          if (lean.tag(info) !== INDUCTIVE) return;
          const constructors = lean.field(lean.field(info, 0), INDUCTIVE_VALUE.constructors);
          for (const constructor of lean.list(constructors)) visit(constants.nameText(constructor), constructor);
          const recursor = lean.call('l_Lean_Name_str___override', lean.retain(object), lean.makeString('rec'));
          visit(constants.nameText(recursor), recursor);
          lean.release(recursor);
        });
      };
      this.withInfo(environment, name, info => constants.eachConstant(constants.type(info), visit));
      lean.release(name);
      this.modules().forEach(({ imports }, place) => { if (imports.some(other => behind.has(other))) behind.add(place); });
      this.allowed.set(theorem, { module, parts, behind });
    }
    return this.allowed.get(theorem);
  }

  /** What `expressions` of `environment` use that may not be used before `theorem`: names, none of them twice. */
  late(theorem, expressions, environment) {
    const { module, parts, behind } = this.before(theorem), seen = new Set(), found = [];
    const visit = (text, object) => {
      if (seen.has(text)) return;
      seen.add(text);
      const of = this.module(object);
      if (of === undefined) this.withInfo(environment, object, info => this.constants.eachUse(info, visit));
      else if (of === module ? !parts.has(text) : behind.has(of)) found.push(text);
    };
    for (const expression of expressions) this.constants.eachConstant(expression, visit);
    return found;
  }
};
