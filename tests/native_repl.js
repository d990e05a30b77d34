// Makes the embedded server answer as the community REPL of a native Lean does, by `node --require native_repl.js`:
// `import` begins a command without an environment, a tactic may say anything, and `#print axioms` is a command.
//
// The embedded Lean elaborates in a module, where `#print axioms` is forbidden and what a macro runs has to be `meta`:
// the former is answered here from what verification.js finds, the latter is put before the definitions of guard.lean.
//
// A comment `-- fault NAME ARGUMENT` in a tactic provokes a fault: late S, half, death CODE, huge MIB, grow MIB.
'use strict';
const fs = require('fs');
const { join } = require('path');

const EMBEDDED = process.env.LEAN_EMBEDDED;
const { Constants } = require(join(EMBEDDED, 'constants.js'));
const { Verification } = require(join(EMBEDDED, 'verification.js'));
const { Snapshots } = require(join(EMBEDDED, 'snapshots.js'));
require(join(EMBEDDED, 'permitted.js')).refusal = () => null;

const MODULES = ['Init', 'Mathlib', 'Mathlib.Tactic', 'Aesop'];
const START = { line: 1, column: 0 };
const { runCommand, runTactic } = Snapshots.prototype;

function said(id, severity, data) {
  return { id, sorries: [], messages: [{ severity, data, pos: START, endPos: START }] };
}

function axioms(snapshots, name, env) {
  const { lean, elaborator, declared } = snapshots;
  const verification = new Verification(lean, elaborator, new Constants(lean), declared);
  const state = snapshots.environment(env), local = verification.localConstants(state);
  if (!local.has(name)) return said(env, 'error', `Unknown constant \`_root_.${name}\``);
  const found = verification.axioms(name, local, state);
  return said(env, 'information',
    `'${name}' ${found.length === 0 ? 'does not depend on any axioms' : `depends on axioms: [${found.join(',\n ')}]`}`);
}

Snapshots.prototype.runCommand = function (cmd, env) {
  const asked = /^#print axioms _root_\.(.*)$/.exec(cmd);
  if (asked) return axioms(this, asked[1].replace(/«([^».]*[^».0-9][^».]*)»/g, '$1'), env);
  const imports = [...cmd.matchAll(/^import (\S+)$/gm)].map(([, module]) => module);
  const unknown = imports.find(module => !MODULES.includes(module));
  if (env !== undefined && imports.length > 0) {
    return said(env, 'error', "invalid 'import' command, it must be used in the beginning of the file");
  }
  if (unknown !== undefined) return said(0, 'error', `unknown module prefix '${unknown}'`);
  const text = cmd.replace(/^import .*$/gm, '');
  const guard = /^(@\[macro \w+\] )?(partial )?def /gm;
  return runCommand.call(this, text.includes('namespace NeffGuard') ? text.replace(guard, '$1meta $2def ') : text, env);
};

const FAULTS = {
  late: seconds => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000 * seconds),
  half: () => { fs.writeSync(1, '{"proofState": 7, "goa'); process.exit(3); },
  death: code => process.exit(code),
  grow: mebibytes => { globalThis.held = Buffer.alloc(mebibytes << 20, 1); FAULTS.late(60); },
};

Snapshots.prototype.runTactic = function (tactic, proofState) {
  const [, name, argument] = /-- fault (\w+) ?(\S*)/.exec(tactic) ?? [];
  FAULTS[name]?.(Number(argument));
  const answer = runTactic.call(this, tactic, proofState);
  if (name === 'huge') answer.messages = [{ severity: 'warning', data: 'x'.repeat(Number(argument) << 20), pos: START }];
  return answer;
};
