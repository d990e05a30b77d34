// Lean's runtime as JavaScript sees it: starting the module, calling compiled functions, reading and making objects.
//
// Objects live in the module's memory (wasm32): int32 reference count at 0, uint16 size at 4, uint8 number of object
// fields at 6, uint8 tag at 7, fields of 4 bytes from 8, scalars behind them. Small values are boxed as (n << 1) | 1.
// A positive count belongs to this thread, a negative one is shared between threads, and zero means persistent.
// A call goes to the `___boxed` variant where there is one: it owns every argument, so that one rule holds for all
// calls: what is still needed afterwards is retained before.
'use strict';
const { join } = require('path');

const TAG = { array: 246, string: 249, ref: 253 };
const HEADER = 8;
const STACK_BYTES = 32 * 2 ** 20; // address space: pages are taken when they are used

class Runtime {
  constructor({ memory, table, toWasm }, lookUp) {
    this.lookUp = lookUp;
    this.memory = memory();
    this.table = table();
    this.toWasm = toWasm;
    this.functions = new Map();
    this.views();
    this.enlargeStack();
  }

  /** The module comes with a stack of 64 KiB, which deep terms overrun without notice; it gets another one. */
  enlargeStack() {
    const bottom = this.call('malloc', STACK_BYTES), top = bottom + STACK_BYTES;
    this.table.get(this.symbol('_emscripten_stack_restore'))(top);
    this.table.get(this.symbol('emscripten_stack_set_limits'))(top, bottom);
  }

  /** The views of memory; made anew when memory has grown. */
  views() {
    if (this.u32 === undefined || this.u32.buffer !== this.memory.buffer) {
      this.u8 = new Uint8Array(this.memory.buffer);
      this.u16 = new Uint16Array(this.memory.buffer);
      this.i32 = new Int32Array(this.memory.buffer);
      this.u32 = new Uint32Array(this.memory.buffer);
    }
    return this;
  }

  symbol(name) {
    const number = this.lookUp(name);
    if (number === undefined) throw new Error(`Lean's module has no symbol ${name}`);
    return number;
  }

  function(name) {
    let found = this.functions.get(name);
    if (found === undefined) {
      found = this.table.get(this.lookUp(name + '___boxed') ?? this.symbol(name));
      this.functions.set(name, found);
    }
    return found;
  }

  /** Call a compiled function; it consumes its arguments and the result is the caller's. */
  call(name, ...args) {
    const result = this.function(name)(...args) >>> 0;
    this.views();
    return result;
  }

  /** Call a function of EIO or IO type. Gives {ok} or {error}, the caller's. */
  tryIO(name, ...args) {
    const result = this.call(name, ...args);
    const value = this.take(result, 0), failed = this.tag(result) === 1;
    this.release(result);
    return failed ? { error: value } : { ok: value };
  }

  /** Call a function of IO type that does not fail unless something is wrong with the engine itself. */
  io(name, ...args) {
    const { ok, error } = this.tryIO(name, ...args);
    if (error !== undefined) throw new Error(`${name}: ${this.takeString(this.call('lean_io_error_to_string', error))}`);
    return ok;
  }

  /** Let `hook(original, args)` stand in for a compiled function wherever Lean calls it through a closure. */
  intercept(name, hook) {
    const slot = this.symbol(name + '___boxed'), original = this.table.get(slot);
    const signature = 'i' + 'i'.repeat(original.length);
    this.table.set(slot, this.toWasm((...args) => {
      this.views();
      return hook(original, args);
    }, signature));
  }

  // Reference counts.

  retain(object) {
    if (!(object & 1)) {
      const count = this.i32[object >> 2];
      if (count > 0) this.i32[object >> 2] = count + 1;
      else if (count < 0) Atomics.sub(this.i32, object >> 2, 1);
    }
    return object;
  }

  release(object) {
    if (!(object & 1)) {
      const count = this.i32[object >> 2];
      if (count > 1) this.i32[object >> 2] = count - 1;
      else if (count !== 0) {
        (this.freeing ??= this.table.get(this.symbol('lean_dec_ref_cold')))(object);
        this.views();
      }
    }
  }

  // Reading.

  tag(object) { return this.u8[object + 7]; }
  isString(object) { return !(object & 1) && this.tag(object) === TAG.string; }

  /** Field `i` of a constructor object; still the object's. */
  field(object, i) { return this.u32[(object + HEADER + 4 * i) >> 2]; }

  /** Field `i`, retained: the caller's. */
  take(object, i) { return this.retain(this.field(object, i)); }

  /** The value in an ST.Ref, retained. */
  read(ref) { return this.take(ref, 0); }

  string(object) {
    return Buffer.from(this.u8.slice(object + 20, object + 20 + this.u32[(object + 8) >> 2] - 1)).toString('utf8');
  }

  takeString(object) {
    const text = this.string(object);
    this.release(object);
    return text;
  }

  name(object) {
    const parts = [];
    for (; !(object & 1); object = this.field(object, 0)) {
      const part = this.field(object, 1);
      parts.push(this.tag(object) === 1 ? this.string(part) : String(part >>> 1));
    }
    return parts.reverse().join('.');
  }

  *list(object) { for (; !(object & 1); object = this.field(object, 1)) yield this.field(object, 0); }

  *array(object) {
    const size = this.u32[(object + 8) >> 2];
    for (let i = 0; i < size; i++) yield this.u32[(object + 16 + 4 * i) >> 2];
  }

  // Making.

  box(n) { return ((n << 1) | 1) >>> 0; }

  /** A Nat; beyond 31 bits it goes through Lean's own reader of decimals. */
  nat(n) { return n < 2 ** 31 ? this.box(n) : this.call('lean_cstr_to_nat', this.cString(String(n))); }

  makeString(text) {
    const bytes = Buffer.from(text, 'utf8'), at = this.call('malloc', bytes.length + 1);
    this.u8.set(bytes, at);
    const object = this.call('lean_mk_string_from_bytes', at, bytes.length);
    this.call('free', at);
    return object;
  }

  makeName(...parts) {
    return parts.reduce((prefix, part) => this.call('l_Lean_Name_str___override', prefix, this.makeString(part)), this.box(0));
  }

  /** A constructor object; owns the fields given. `scalars`: bytes of scalar fields. */
  make(tag, fields, scalars = []) {
    const size = (HEADER + 4 * fields.length + scalars.length + 7) & ~7, object = this.call('lean_alloc_object', size);
    this.u8.fill(0, object, object + size);
    this.u32[object >> 2] = 1;
    this.u16[(object + 4) >> 1] = size;
    this.u8[object + 6] = fields.length;
    this.u8[object + 7] = tag;
    fields.forEach((field, i) => { this.u32[(object + HEADER + 4 * i) >> 2] = field; });
    this.u8.set(scalars, object + HEADER + 4 * fields.length);
    return object;
  }

  /** `object` with some fields replaced; consumes `object` and the new fields. */
  update(object, changes) {
    const size = this.u16[(object + 4) >> 1], count = this.u8[object + 6];
    const copy = this.call('lean_alloc_object', size);
    this.u8.copyWithin(copy, object, object + size);
    this.u32[copy >> 2] = 1;
    for (let i = 0; i < count; i++) {
      if (i in changes) this.u32[(copy + HEADER + 4 * i) >> 2] = changes[i];
      else this.retain(this.field(copy, i));
    }
    this.release(object);
    return copy;
  }

  /** Overwrite one byte of an object that nobody else holds; `offset` counts from the first field. */
  setScalar(object, offset, byte) { this.u8[object + HEADER + offset] = byte; }

  makeRef(value) { return this.call('lean_st_mk_ref', value); }

  emptyArray() {
    const object = this.call('lean_alloc_object', 16);
    this.u8.fill(0, object, object + 16);
    this.u32[object >> 2] = 1;
    this.u8[object + 7] = TAG.array;
    return object;
  }

  /** The value of a constant of Lean; persistent, so never released. */
  constant(name) { return this.u32[this.symbol(name) >> 2]; }
}

/** Start the module in `folder`, with the directories of `mounts` (name → path) below /lean. Gives a Runtime. */
exports.start = (folder, mounts) => new Promise((resolve, reject) => {
  const lean = globalThis.LEAN_MODULE = {
    arguments: [], thisProgram: '/lean/bin/lean', noInitialRun: true, print() {}, printErr() {},
  };
  lean.preRun = [() => {
    const { FS, NODEFS, ENV } = lean.internals;
    FS.mkdir('/lean');
    for (const [name, directory] of Object.entries(mounts)) {
      FS.mkdir('/lean/' + name);
      FS.mount(NODEFS, { root: directory }, '/lean/' + name);
    }
    ENV.LEAN_SYSROOT = '/lean';
  }];
  lean.onRuntimeInitialized = () => {
    const { lookUp } = require(join(folder, 'symbols.js'));
    try { resolve(new Runtime(lean.internals, lookUp)); } catch (error) { reject(error); }
  };
  require(join(folder, 'lean.js'));
});
