// Loaded before all else, in the main thread and in each worker: Lean's module asks Node for the constants of the
// file system in a way that Node's permission model forbids.
'use strict';
const { constants } = require('fs');

process.binding = () => ({ fs: constants });
