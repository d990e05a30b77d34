// What constants are made of: their names as text, their types and values, and the constants that occur in these.
//
// A ConstantInfo holds one value, which begins with a ConstantVal (name, level parameters, type) and then has its own
// fields, the first of them the value of the constant where it has one.
'use strict';

const WITH_VALUE = new Set([1, 2, 3]); // tags of ConstantInfo: definitions, theorems, opaques

exports.Constants = class {
  constructor(lean) { this.lean = lean; }

  /** A name as text, another one for every name: parts that could be read as something else stand in « ». */
  nameText(name) {
    const { lean } = this, parts = [];
    for (; !(name & 1); name = lean.field(name, 0)) {
      const part = lean.field(name, 1);
      if (part & 1) parts.push(String(part >>> 1));
      else parts.push(/^\d*$|[.«»]/.test(lean.string(part)) ? `«${lean.string(part)}»` : lean.string(part));
    }
    return parts.reverse().join('.');
  }

  constantVal(info) { return this.lean.field(this.lean.field(info, 0), 0); }
  type(info) { return this.lean.field(this.constantVal(info), 2); }
  value(info) { return WITH_VALUE.has(this.lean.tag(info)) ? this.lean.field(this.lean.field(info, 0), 1) : null; }

  levels(info) {
    return [...this.lean.list(this.lean.field(this.constantVal(info), 1))].map(name => this.nameText(name)).join(' ');
  }

  /** Call `visit` with the name of each constant that occurs in an expression, as text and as Lean's object. */
  eachConstant(expression, visit) {
    const { lean } = this;
    const names = lean.call('l_Lean_Expr_getUsedConstants', lean.retain(expression));
    for (const name of lean.array(names)) visit(this.nameText(name), name);
    lean.release(names);
  }

  /** Call `visit` for each constant in the type and the value of a constant. */
  eachUse(info, visit) {
    for (const expression of [this.type(info), this.value(info)]) if (expression !== null) this.eachConstant(expression, visit);
  }
};
