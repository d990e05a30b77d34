// What a proof may say. Looked at in Lean's syntax tree before anything is elaborated: some syntax runs code of its own
// while it is elaborated, and such code can do whatever this process can.
'use strict';

const KIND = { node: 1, atom: 2, identifier: 3 };

// Keywords that put something else than a checked proof in its place, run code, or (attributes) change what code runs.
const FORBIDDEN = new Map(Object.entries({
  sorry: 'sorry is not a proof', admit: 'admit is not a proof', stop: 'stop is not a proof',
  native_decide: 'native_decide trusts the compiler', unsafe: 'a proof may not be unsafe', '@[': 'a proof may not set attributes',
  run_tac: 'run_tac runs code', run_elab: 'run_elab runs code', by_elab: 'by_elab runs code',
  elab_to_syntax: 'elab_to_syntax runs code', include_str: 'include_str reads files',
}));

// Limits of elaboration, names, and what only changes how things are shown. The header has the same (verify.py).
const HARMLESS_OPTION = /^(maxHeartbeats|maxRecDepth|synthInstance\.max\w+|exponentiation\.threshold|tactic\.hygienic|(pp|linter)(\.\w+)+)$/;

// A tactic's configuration, `+x`, `(x := e)` or `(config := e)`, is evaluated, unsafe code included. So its values are
// literals, names, and structures and lists of them; only constructors, as `.pos [1]`, are applied, and not to names.
const CONFIGURATION = /^Lean\.Parser\.Tactic\.(config|(pos|neg|val)ConfigItem)$/;
const VALUE = /^(null|num|str|term\[_\]|Lean\.Parser\.Term\.(structInst\w*|dotIdent|optEllipsis|app))$/;
const APPLICATION = 'Lean.Parser.Term.app', DOTTED = 'Lean.Parser.Term.dotIdent';

/** Why `syntax` may not stand in a proof; null where it may. */
exports.refusal = function refusal(lean, syntax) {
  const isOf = (kind, node) => !(node & 1) && lean.tag(node) === kind; // missing syntax is a boxed value
  const text = node => isOf(KIND.atom, node) ? lean.string(lean.field(node, 1)) : lean.name(lean.field(node, 2));
  const children = node => [...lean.array(lean.field(node, 2))];

  function inConfiguration(node, applied = false) {
    if (isOf(KIND.identifier, node)) {
      if (text(node) === 'native') return 'native evaluation trusts the compiler';
      return applied ? 'a configuration may not hold code' : null;
    }
    if (!isOf(KIND.node, node)) return null;
    const kind = lean.name(lean.field(node, 1));
    if (!CONFIGURATION.test(kind) && !VALUE.test(kind)) return 'a configuration may not hold code';
    return firstOf(children(node), child => inConfiguration(child, kind !== DOTTED && (applied || kind === APPLICATION)));
  }

  function anywhere(node) {
    if (isOf(KIND.atom, node)) return FORBIDDEN.get(text(node)) ?? null;
    if (!isOf(KIND.node, node)) return null;
    const parts = children(node);
    if (parts.some(part => isOf(KIND.atom, part) && text(part) === 'set_option')) {
      const option = parts.find(part => isOf(KIND.identifier, part));
      if (option === undefined || !HARMLESS_OPTION.test(text(option))) return `a proof may not set the option ${option && text(option)}`;
    }
    return CONFIGURATION.test(lean.name(lean.field(node, 1))) ? inConfiguration(node) : firstOf(parts, anywhere);
  }

  return anywhere(syntax);
};

function firstOf(nodes, look) {
  for (const node of nodes) {
    const found = look(node);
    if (found !== null) return found;
  }
  return null;
}
