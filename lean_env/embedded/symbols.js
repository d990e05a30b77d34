// The number of a name of Lean's module: a function's slot in the table, a datum's address. See wasm.py, symbol_table.
'use strict';
const { createHash } = require('crypto');
const { readFileSync } = require('fs');
const { join } = require('path');

const file = readFileSync(join(__dirname, 'symbols.bin'));
const records = new Uint32Array(file.buffer, file.byteOffset, file.length / 4); // (key low, key high, number), sorted
const count = records.length / 3;

exports.lookUp = name => {
  const digest = createHash('sha256').update(name).digest();
  const first = digest.readUInt32LE(0), second = digest.readUInt32LE(4);
  let low = 0, high = count;
  while (low < high) {
    const middle = (low + high) >> 1, at = 3 * middle;
    if (records[at] < first || (records[at] === first && records[at + 1] < second)) low = middle + 1;
    else high = middle;
  }
  const at = 3 * low;
  return low < count && records[at] === first && records[at + 1] === second ? records[at + 2] : undefined;
};
