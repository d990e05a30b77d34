// A Lean REPL in one Node process: the protocol of leanprover-community/repl, JSON lines on standard input and output.
//
//   {"cmd": text, "env"?: n}          → {"env", "messages"?, "sorries"?: [{"proofState", "goal", "goals", "pos", "endPos"}]}
//   {"tactic": text, "proofState": n} → {"proofState", "goals", "independent"?, "proofStatus", "messages"?}
//   {"verify": {"text", "statement", "name", "before"?}, "env"?: n} → facts about a whole proof (ours; see verification.js)
//   {"library": true}                 → {"theorems": [{"name", "module"}]}, those of Lean's library (ours; see declared.js)
//   anything that cannot be done      → {"message": reason}
//
// With "before", the name of a library theorem, a command's proof states refuse what is declared with or after it (ours).
// Without "env" a command runs after the imports and the scope of the prelude.
'use strict';
const fs = require('fs');
const { start } = require('./runtime.js');
const { Elaborator } = require('./elaborator.js');
const { Verification } = require('./verification.js');
const { Constants } = require('./constants.js');
const { Declared } = require('./declared.js');
const { Snapshots } = require('./snapshots.js');

console.log = () => {}; // Lean's start-up prints progress where our answers go

const settings = JSON.parse(process.argv[2]); // {folder, library, imports, scope, maxHeartbeats, environments, proofStates}

function readLines(handle) {
  const chunk = Buffer.alloc(1 << 16);
  let pieces = [];
  for (;;) {
    const size = fs.readSync(0, chunk);
    if (size === 0) return;
    for (let from = 0; from < size;) {
      const end = chunk.indexOf(10, from);
      if (end < 0 || end >= size) {
        pieces.push(Buffer.from(chunk.subarray(from, size)));
        break;
      }
      pieces.push(Buffer.from(chunk.subarray(from, end)));
      const line = Buffer.concat(pieces).toString('utf8').trim();
      pieces = [];
      from = end + 1;
      if (line) handle(line);
    }
  }
}

function write(answer) {
  const bytes = Buffer.from(JSON.stringify(answer) + '\n');
  for (let at = 0; at < bytes.length;) at += fs.writeSync(1, bytes, at);
}

function messagesOf(messages) {
  return messages.length === 0 ? {} : {
    messages: messages.map(({ severity, pos, endPos, data }) => ({ severity: severity === 'information' ? 'info' : severity, pos, endPos, data })),
  };
}

class Server {
  constructor(lean, elaborator) {
    this.elaborator = elaborator;
    const constants = new Constants(lean);
    this.declared = new Declared(lean, constants, elaborator.base);
    this.verification = new Verification(lean, elaborator, constants, this.declared);
    const scope = elaborator.run(settings.scope, elaborator.base);
    const errors = scope.messages.filter(message => message.severity === 'error');
    if (errors.length > 0) throw new Error(`the prelude does not elaborate: ${errors[0].data}`);
    this.snapshots = new Snapshots(lean, elaborator, this.declared, scope.state, settings);
  }

  answer(request) {
    if (typeof request.cmd === 'string') return this.command(request);
    if (typeof request.tactic === 'string') return this.tactic(request);
    if (request.verify !== undefined) return this.verify(request);
    if (request.library !== undefined) return { theorems: this.declared.theorems() };
    return { message: 'Unknown request: neither cmd nor tactic nor verify nor library.' };
  }

  command({ cmd, env, before }) {
    const { id, messages, sorries } = this.snapshots.runCommand(cmd, env, before);
    const states = sorries.map(({ proofState, goals, pos, endPos }) => ({ proofState, pos, endPos, goal: goals.join('\n\n'), goals }));
    return { ...(states.length > 0 ? { sorries: states } : {}), ...messagesOf(messages), env: id };
  }

  tactic({ tactic, proofState }) {
    const result = this.snapshots.runTactic(tactic, proofState);
    if (result.refused !== undefined) return { message: `Refused: ${result.refused}` };
    if (result.error !== undefined) return { message: `Lean error:\n${result.error}` };
    const { id, goals, status, messages } = result, independent = result.independent ? { independent: true } : {};
    return { proofStatus: status, proofState: id, goals, ...independent, ...messagesOf(messages) };
  }

  verify({ verify, env }) {
    const { before } = verify;
    if (before !== undefined && !this.declared.has(before)) return { message: `The library has no theorem ${before}.` };
    return this.verification.facts(verify, this.snapshots.environment(env));
  }
}

start(settings.folder, { lib: settings.library, prelude: settings.prelude }).then(lean => {
  const elaborator = new Elaborator(lean, { ...settings, searchPath: ['/lean/lib', '/lean/prelude'] });
  const server = new Server(lean, elaborator);
  readLines(line => {
    let request;
    try { request = JSON.parse(line); } catch (error) { write({ message: `Could not parse JSON: ${error.message}` }); return; }
    try { write(server.answer(request)); } catch (error) {
      write({ message: error instanceof Snapshots.Unknown ? error.message : `Lean broke down: ${error.message}` });
      if (!(error instanceof Snapshots.Unknown)) throw error; // a stack that overflowed leaves nothing to go on with
    }
  });
  process.exit(0);
}).catch(error => {
  process.stderr.write(`${error.stack ?? error}\n`.slice(0, 4000), () => process.exit(70));
});
