// Compiles the library part of the prelude to an .olean: node compile.js '{"folder", "library", "output", "module"}' < SOURCE
'use strict';
const fs = require('fs');
const { start } = require('./runtime.js');
const { Elaborator } = require('./elaborator.js');

console.log = () => {}; // Lean's start-up prints its progress

const settings = JSON.parse(process.argv[2]);

start(settings.folder, { lib: settings.library, output: settings.output }).then(lean => {
  const elaborator = new Elaborator(lean, { searchPath: ['/lean/lib'], imports: ['Init'], maxHeartbeats: 0, module: settings.module });
  const { state, messages } = elaborator.run(fs.readFileSync(0, 'utf8'), elaborator.base);
  const errors = messages.filter(message => message.severity !== 'information');
  if (errors.length > 0) {
    throw new Error(errors.map(({ pos, data }) => `prelude.lean:${pos.line}:${pos.column}: ${data}`).join('\n'));
  }
  lean.io('l_Lean_writeModule', lean.take(state, 0), lean.makeString(`/lean/output/${settings.module}.olean`), lean.box(0));
  process.exit(0);
}).catch(error => {
  process.stderr.write(`${error.stack ?? error}\n`.slice(0, 4000), () => process.exit(70));
});
