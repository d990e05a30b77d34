// Lean's elaborator, driven from JavaScript: commands run in a command state, tactics in a proof state.
//
// A proof state is what Lean's own backtracking saves: the contents of the state references of the tactic monad. The
// first one of a theorem is taken at the moment when Lean elaborates its `sorry`, with the contexts of that moment; a
// tactic then runs on fresh references that hold it. So a step costs its own tactic and nothing of its prefix.
'use strict';
const { refusal } = require('./permitted.js');

// Positions of fields, in the order of declaration in Lean's sources.
const COMMAND_STATE = { env: 0, messages: 1, scopes: 2, infoState: 8 };
const SCOPE = { options: 1, namespace: 2, openDecls: 3 };
const FRONTEND_STATE = { command: 0, parser: 1, commands: 3 };
const CORE_CONTEXT = { initHeartbeats: 8, maxHeartbeats: 9 };
const CORE_STATE = { env: 0, messages: 6, infoState: 7 };
const META_STATE = { mctx: 0 };
const INFO_STATE = { trees: 2, enabled: 12 }; // the last one is a scalar, at that offset behind the header
const DELAYED_ASSIGNMENT = { pending: 1 };
const TERM_STATE = { pendingMVars: 2 };
const HASH_SET = { size: 0 };
const NIL = 1; // [] and none: the boxed zero
const WIDTH = 120; // Std.Format.defWidth

exports.Elaborator = class {
  constructor(lean, { searchPath, imports, maxHeartbeats, module = '_stdin' }) {
    this.lean = lean;
    this.maxHeartbeats = maxHeartbeats;
    this.captured = null; // while a command runs: the proof states at its `sorry`s
    lean.call('lean_initialize');
    lean.io('l_Lean_initSearchPath', lean.makeString('/lean'), this.makeList(searchPath.map(path => lean.makeString(path))));
    lean.call('lean_enable_initializer_execution');
    lean.call('lean_io_mark_end_initialization');
    lean.call('lean_init_task_manager_using', 1); // without it the first promise aborts
    lean.intercept('l_Lean_Elab_Term_elabSorry', (original, args) => {
      this.captured?.push(this.capture(args));
      return original(...args);
    });
    this.tacticCategory = lean.makeName('tactic');
    this.noMessages = lean.constant('l_Lean_MessageLog_empty');
    this.base = this.importing(imports, module);
    this.noTrees = lean.field(lean.field(this.base, COMMAND_STATE.infoState), INFO_STATE.trees);
  }

  makeList(objects) {
    return objects.reduceRight((tail, head) => this.lean.make(1, [head, tail]), NIL);
  }

  inputContext(text) {
    const { lean } = this;
    return lean.call('l_Lean_Parser_mkInputContext___redArg', lean.makeString(text), lean.makeString('<input>'), lean.box(1),
      lean.box(Buffer.byteLength(text)));
  }

  /** A command state after the imports, for a file that is itself called `module`. */
  importing(imports, module) {
    const { lean } = this;
    const input = this.inputContext(imports.map(name => `import ${name}\n`).join(''));
    const parsed = lean.io('l_Lean_Parser_parseHeader', lean.retain(input));
    const options = lean.constant('l_Lean_Options_empty'), trustLevel = lean.make(0, [], [0, 0, 0, 0]);
    const processed = lean.io('l_Lean_Elab_processHeader', lean.take(parsed, 0), lean.retain(options),
      lean.take(lean.field(parsed, 1), 1), input, trustLevel, lean.emptyArray(), lean.box(1), lean.makeName(module));
    const messages = this.messages(lean.field(processed, 1)); // a failed import leaves an empty environment and a message
    if (messages.length > 0) throw new Error(`import ${imports.join(', ')}: ${messages[0].data}`);
    const state = lean.call('l_Lean_Elab_Command_mkState', lean.take(processed, 0), lean.retain(this.noMessages), lean.retain(options));
    lean.release(processed);
    lean.release(parsed);
    return state;
  }

  // Commands.

  /**
   * Run the commands of `text` in a command state (retained by the caller). Gives the next command state (the
   * caller's, its message log empty), the messages, the number of commands, and the proof states at each `sorry`.
   */
  run(text, commandState) {
    const { lean } = this;
    this.captured = [];
    const parserState = lean.make(0, [lean.box(0)], [0, 0, 0, 0]);
    const ref = lean.makeRef(lean.make(0, [lean.retain(commandState), parserState, lean.box(0), lean.emptyArray()]));
    const input = this.inputContext(text), messages = [];
    for (let done = false; !done;) { // each command starts with an empty log, and without what its parser reported
      messages.push(...this.parserMessages(input, lean.field(ref, 0)));
      done = lean.io('l_Lean_Elab_Frontend_processCommand', lean.retain(input), lean.retain(ref)) === lean.box(1);
      const command = lean.field(lean.field(ref, 0), FRONTEND_STATE.command);
      messages.push(...this.messages(lean.field(command, COMMAND_STATE.messages)));
    }
    lean.release(input);
    const frontend = lean.read(ref);
    lean.release(ref);
    const after = lean.take(frontend, FRONTEND_STATE.command);
    const commands = lean.u32[(lean.field(frontend, FRONTEND_STATE.commands) + 8) >> 2] - 1; // the last is the end of input
    const syntax = lean.take(frontend, FRONTEND_STATE.commands);
    lean.release(frontend);
    const state = lean.update(after, { [COMMAND_STATE.messages]: lean.retain(this.noMessages) });
    const sorries = this.captured.map(sorry => ({ ...sorry, ...this.span(text, sorry) }));
    this.captured = null;
    return { state, messages, commands, syntax, sorries };
  }

  /** What the parser reports of the next command of a frontend state. */
  parserMessages(input, frontend) {
    const { lean } = this, command = lean.field(frontend, FRONTEND_STATE.command);
    const scope = lean.field(lean.field(command, COMMAND_STATE.scopes), 0); // the innermost
    const context = lean.make(0, [lean.take(command, COMMAND_STATE.env), lean.take(scope, SCOPE.options),
      lean.take(scope, SCOPE.namespace), lean.take(scope, SCOPE.openDecls)]);
    const parsed = lean.call('l_Lean_Parser_parseCommand', lean.retain(input), context,
      lean.take(frontend, FRONTEND_STATE.parser), lean.retain(this.noMessages));
    const messages = this.messages(lean.field(lean.field(parsed, 1), 1));
    lean.release(parsed);
    return messages;
  }

  /** The messages of a log, as Lean writes them as JSON. */
  messages(log) {
    const { lean } = this;
    const list = lean.call('l_Lean_MessageLog_toList', lean.retain(log)), out = [];
    for (const message of lean.list(list)) {
      const json = lean.call('l_Lean_Message_toJson', lean.retain(message));
      out.push(JSON.parse(lean.takeString(lean.call('l_Lean_Json_compress', json))));
    }
    lean.release(list);
    return out;
  }

  // Proof states.

  /** What elabSorry was called with: the contexts, and what the references hold. */
  capture([syntax, type, termContext, term, metaContext, meta, coreContext, core]) {
    const { lean } = this;
    const heartbeats = { [CORE_CONTEXT.maxHeartbeats]: lean.nat(1000 * this.maxHeartbeats) };
    return {
      start: this.position('l_Lean_Syntax_getPos_x3f', syntax), stop: this.position('l_Lean_Syntax_getTailPos_x3f', syntax),
      contexts: {
        term: lean.retain(termContext), meta: lean.retain(metaContext),
        core: lean.update(lean.retain(coreContext), heartbeats),
      },
      type: lean.retain(type),
      states: {
        term: lean.update(lean.read(term), { [TERM_STATE.pendingMVars]: NIL }), // as Tactic.run does
        meta: lean.read(meta),
        core: this.quiet(lean.read(core)),
      },
    };
  }

  /** Byte offset of an end of some syntax. */
  position(name, syntax) {
    const { lean } = this;
    const found = lean.call(name, lean.retain(syntax), lean.box(0));
    const offset = found & 1 ? 0 : lean.field(found, 0) >>> 1;
    lean.release(found);
    return offset;
  }

  /** Lines from 1 and columns from 0, in code points, as Lean counts them. */
  span(text, { start, stop }) {
    const bytes = Buffer.from(text);
    const at = offset => {
      const before = bytes.subarray(0, offset).toString().split('\n');
      return { line: before.length, column: [...before.at(-1)].length };
    };
    return { pos: at(start), endPos: at(stop) };
  }

  /** A core state with no messages, and with no info trees to be kept from now on; consumes the one given. */
  quiet(core) {
    const { lean } = this;
    const infoState = lean.update(lean.take(core, CORE_STATE.infoState), { [INFO_STATE.trees]: lean.retain(this.noTrees) });
    lean.setScalar(infoState, INFO_STATE.enabled, 0);
    const messages = lean.retain(this.noMessages);
    return lean.update(core, { [CORE_STATE.messages]: messages, [CORE_STATE.infoState]: infoState });
  }

  /** The proof state whose one goal is the captured `sorry`; consumes the capture. */
  begin({ contexts, type, states }) {
    const { lean } = this;
    const { result, states: after } = this.within(states, refs => lean.tryIO(
      'l_Lean_Meta_mkFreshExprSyntheticOpaqueMVar', this.bare(this.optionValue(type)), NIL,
      lean.retain(contexts.meta), lean.retain(refs.meta), lean.retain(contexts.core), lean.retain(refs.core)));
    this.releaseAll(states);
    return { contexts, states: after, root: result.ok, goals: this.makeList([lean.take(result.ok, 0)]) };
  }

  /**
   * Apply the tactic block `text` to the first goal of a proof state. Gives {next, messages}, or {error: text} as Lean
   * reports it, or {refused: reason} for what may not stand in a proof (permitted.js) and is not run at all. A state is never changed: it can be the start of any number of tactics.
   */
  apply(text, state) {
    const { lean } = this;
    const parsed = this.parseTactic(text, lean.field(state.states.core, CORE_STATE.env));
    if (parsed.error !== undefined) return parsed;
    const refused = refusal(lean, parsed.ok);
    if (refused !== null) {
      lean.release(parsed.ok);
      return { refused };
    }
    const { contexts } = state;
    lean.call('lean_io_set_heartbeats', lean.take(contexts.core, CORE_CONTEXT.initHeartbeats));
    const context = lean.make(0, [NIL], [0, 0, 0, 0]); // Tactic.Context: no elaborator, no error recovery
    const goalsRef = lean.makeRef(lean.retain(state.goals));
    const { result, states } = this.within(state.states, refs => {
      const monad = () => [
        lean.retain(context), lean.retain(goalsRef), lean.retain(contexts.term), lean.retain(refs.term),
        lean.retain(contexts.meta), lean.retain(refs.meta), lean.retain(contexts.core), lean.retain(refs.core)];
      const evaluated = lean.tryIO('l_Lean_Elab_Tactic_evalTactic', parsed.ok, ...monad());
      return evaluated.error !== undefined ? evaluated : lean.tryIO('l_Lean_Elab_Tactic_getUnsolvedGoals', ...monad());
    });
    lean.release(goalsRef);
    lean.release(context);
    const messages = this.messages(lean.field(states.core, CORE_STATE.messages));
    const errors = messages.filter(message => message.severity === 'error').map(message => message.data);
    if (result.error !== undefined) {
      this.releaseAll(states);
      const text = this.exceptionText(result.error);
      return { error: errors.length > 0 ? errors.join('\n') : text }; // an abort is reported by what was logged before it
    }
    if (messages.length > 0) states.core = this.quiet(states.core);
    const next = { contexts: this.retainAll(contexts), states, root: lean.retain(state.root), goals: result.ok };
    if (errors.length === 0) return { next, messages };
    this.dispose(next);
    return { error: errors.join('\n') };
  }

  /**
   * Syntax of `text`: one tactic, or several lines as a block in parentheses, where columns mean what they mean in a
   * proof (without a block, an argument may begin in the first column, and `cases h` would swallow the next line).
   */
  parseTactic(text, env) {
    const { lean } = this;
    const source = text.includes('\n') ? `(\n${text}\n)` : text;
    const parsed = lean.call('l_Lean_Parser_runParserCategory', lean.retain(env), lean.retain(this.tacticCategory),
      lean.makeString(source), lean.makeString('<input>'));
    const value = lean.take(parsed, 0), ok = lean.tag(parsed) === 1;
    lean.release(parsed);
    return ok ? { ok: value } : { error: lean.takeString(value) };
  }

  /** The goals as Lean prints them. */
  goals({ contexts, states, goals }) {
    const { lean } = this;
    return [...lean.list(goals)].map(goal => {
      const { result, states: after } = this.within(states, refs => lean.tryIO('l_Lean_Meta_ppGoal', lean.retain(goal),
        lean.retain(contexts.meta), lean.retain(refs.meta), lean.retain(contexts.core), lean.retain(refs.core)));
      this.releaseAll(after);
      if (result.error !== undefined) return this.exceptionText(result.error);
      return lean.takeString(lean.call('l_Std_Format_pretty', result.ok, lean.nat(WIDTH), lean.box(0), lean.box(0)));
    });
  }

  /**
   * Whether each goal can be proved apart, whatever becomes of the others: neither its type nor its hypotheses depend
   * on anything that is still to be found, another goal included. One goal alone is not asked about.
   */
  independent({ contexts, states, goals }) {
    const { lean } = this, all = [...lean.list(goals)];
    return all.length > 1 && all.every(goal => {
      const { result, states: after } = this.within(states, refs => lean.tryIO('l_Lean_MVarId_getMVarDependencies',
        lean.retain(goal), lean.box(0), lean.retain(contexts.meta), lean.retain(refs.meta),
        lean.retain(contexts.core), lean.retain(refs.core)));
      this.releaseAll(after);
      const free = result.error === undefined && lean.field(result.ok, HASH_SET.size) === lean.box(0);
      lean.release(result.ok ?? result.error);
      return free;
    });
  }

  /** What the proof state lacks to be a proof of the theorem: a text as the REPL's proofStatus has it. */
  status({ states, root, goals }) {
    const { lean } = this;
    if (!(goals & 1)) return 'Incomplete: open goals remain';
    const proof = this.instantiated(states, lean.retain(root));
    const holds = name => lean.call(name, lean.retain(proof)) === lean.box(1);
    const status = holds('l_Lean_Expr_hasExprMVar') ? 'Incomplete: contains metavariables'
      : holds('l_Lean_Expr_hasSorry') ? 'Incomplete: contains sorry' : 'Completed';
    lean.release(proof);
    return status;
  }

  /** An expression, which it consumes, with what is assigned to its metavariables in their place. */
  instantiated(states, expression) {
    const { lean } = this;
    const pair = lean.call('lean_instantiate_expr_mvars', lean.take(states.meta, META_STATE.mctx), expression);
    const value = lean.take(pair, 1);
    lean.release(pair);
    return value;
  }

  /**
   * The terms of which the proof consists so far, the caller's. A goal inside a binder stands in the proof as a
   * metavariable until it is closed, with its own proof beside it.
   */
  terms({ contexts, states, root }) {
    const { lean } = this;
    const { result, states: after } = this.within(states, refs => lean.tryIO('l_Lean_Meta_getMVars', lean.retain(root),
      lean.retain(contexts.meta), lean.retain(refs.meta), lean.retain(contexts.core), lean.retain(refs.core)));
    this.releaseAll(after);
    const found = [this.instantiated(states, lean.retain(root))];
    for (const goal of lean.array(result.ok)) {
      const delayed = lean.call('lean_get_delayed_mvar_assignment', lean.take(states.meta, META_STATE.mctx), lean.retain(goal));
      if (!(delayed & 1)) {
        const pending = lean.take(lean.field(delayed, 0), DELAYED_ASSIGNMENT.pending);
        found.push(this.instantiated(states, lean.call('l_Lean_Expr_mvar___override', pending)));
      }
      lean.release(delayed);
    }
    lean.release(result.ok);
    return found;
  }

  /** Call `action` with fresh references that hold copies of `states`; gives its result and what they hold then. */
  within(states, action) {
    const { lean } = this, refs = {}, after = {};
    for (const name of ['term', 'meta', 'core']) refs[name] = lean.makeRef(lean.retain(states[name]));
    const result = action(refs);
    for (const name of ['term', 'meta', 'core']) {
      after[name] = lean.read(refs[name]);
      lean.release(refs[name]);
    }
    return { result, states: after };
  }

  /** A type, which it consumes, without the mark that `no_implicit_lambda%` puts on what it expects. */
  bare(type) {
    const { lean } = this, found = lean.call('l_Lean_annotation_x3f', lean.makeName('noImplicitLambda'), lean.retain(type));
    if (found & 1) return type;
    lean.release(type);
    return this.optionValue(found);
  }

  /** The value of a `some`; consumes it. */
  optionValue(option) {
    const value = this.lean.take(option, 0);
    this.lean.release(option);
    return value;
  }

  exceptionText(exception) {
    const { lean } = this;
    const data = lean.call('l_Lean_Exception_toMessageData', exception);
    return lean.takeString(lean.call('l_Lean_MessageData_toString', data));
  }

  retainAll(objects) {
    for (const object of Object.values(objects)) this.lean.retain(object);
    return objects;
  }

  releaseAll(objects) { for (const object of Object.values(objects)) this.lean.release(object); }

  /** The environment of a proof state, which stays the state's. */
  environment({ states }) { return this.lean.field(states.core, CORE_STATE.env); }

  /** Release a capture that no proof state is made from. */
  drop({ contexts, type, states }) {
    this.releaseAll(contexts);
    this.releaseAll(states);
    this.lean.release(type);
  }

  /** Release what a proof state holds. */
  dispose({ contexts, states, root, goals }) {
    this.releaseAll(contexts);
    this.releaseAll(states);
    this.lean.release(root);
    this.lean.release(goals);
  }
};
