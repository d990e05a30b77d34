// Compiles the library part of the prelude to an .olean: node compile.js '{"folder", "library", "output", "module"}' < SOURCE
'use strict';
const fs = require('fs');
const { start } = require('./runtime.js');
const { Elaborator } = require('./elaborator.js');
const { Verification } = require('./verification.js');
const { Constants } = require('./constants.js');

console.log = () => {}; // Lean's start-up prints its progress

const settings = JSON.parse(process.argv[2]);

start(settings.folder, { lib: settings.library, output: settings.output }).then(lean => {
  const elaborator = new Elaborator(lean, { searchPath: ['/lean/lib'], imports: ['Init'], maxHeartbeats: 0, module: settings.module });
  const { state, messages } = elaborator.run(fs.readFileSync(0, 'utf8'), elaborator.base);
  const wrong = messages.find(message => message.severity === 'error' || message.kind === 'hasSorry');
  if (wrong !== undefined) throw new Error(`prelude.lean:${wrong.pos.line}:${wrong.pos.column}: ${wrong.data}`);
  const axioms = new Verification(lean, elaborator, new Constants(lean)).declaredAxioms(state);
  if (axioms.length > 0) throw new Error(`prelude.lean declares the axioms ${axioms.join(', ')}`);
  lean.io('l_Lean_writeModule', lean.take(state, 0), lean.makeString(`/lean/output/${settings.module}.olean`), lean.box(0));
  process.exit(0);
}).catch(error => {
  process.stderr.write(`${error.stack ?? error}\n`.slice(0, 4000), () => process.exit(70));
});
