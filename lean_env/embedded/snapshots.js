// Environments and proof states by number. A bounded number of each is held, the least recently used ones go first, and
// one that went is made again from the command or the tactic that gave it when it is asked for.
'use strict';

class Unknown extends Error {}

/** At most `capacity` values by key, in order of use; `dispose` is told of what is dropped. */
class Recent {
  constructor(capacity, dispose) {
    Object.assign(this, { capacity, dispose, values: new Map() });
  }

  get(key) {
    const value = this.values.get(key);
    if (value !== undefined) {
      this.values.delete(key);
      this.values.set(key, value);
    }
    return value;
  }

  set(key, value) {
    this.values.set(key, value);
    if (this.values.size > this.capacity) {
      const [oldest, dropped] = this.values.entries().next().value;
      this.values.delete(oldest);
      this.dispose(dropped);
    }
  }
}

exports.Snapshots = class Snapshots {
  static Unknown = Unknown;

  /** `base` is the command state in which a command without `env` runs. */
  constructor(lean, elaborator, declared, base, { environments, proofStates }) {
    Object.assign(this, { lean, elaborator, declared, base });
    this.commands = []; // environment → {cmd, env}: how it came about
    this.steps = []; // proof state → {cmd, env, sorry} or {tactic, proofState}; `before` in both
    this.environments = new Recent(environments, state => lean.release(state));
    this.proofStates = new Recent(proofStates, state => elaborator.dispose(state));
  }

  /** The command state of environment `id`; the base where there is none. */
  environment(id) {
    if (id === undefined || id === null) return this.base;
    const known = this.environments.get(id);
    if (known !== undefined) return known;
    const made = this.commands[id];
    if (made === undefined) throw new Unknown('Unknown environment.');
    const { state, sorries } = this.elaborate(made.cmd, made.env);
    sorries.forEach(sorry => this.elaborator.drop(sorry));
    this.environments.set(id, state);
    return state;
  }

  elaborate(cmd, env) {
    const result = this.elaborator.run(cmd, this.environment(env));
    this.lean.release(result.syntax);
    return result;
  }

  /**
   * Run a command: the number of the environment after it, its messages, and a proof state for each `sorry`. In these
   * states, and those that tactics make of them, only what is declared before the theorem `before` may be used.
   */
  runCommand(cmd, env, before) {
    if (before !== undefined && !this.declared.has(before)) throw new Unknown(`The library has no theorem ${before}.`);
    const { state, messages, sorries } = this.elaborate(cmd, env);
    const id = this.commands.push({ cmd, env }) - 1;
    this.environments.set(id, state);
    return {
      id, messages,
      sorries: sorries.map((sorry, index) => {
        const { pos, endPos } = sorry;
        const begun = this.elaborator.begin(sorry), goals = this.elaborator.goals(begun);
        const proofState = this.steps.push({ cmd, env, sorry: index, before }) - 1;
        this.proofStates.set(proofState, begun);
        return { proofState, goals, pos, endPos };
      }),
    };
  }

  proofState(id) {
    const known = this.proofStates.get(id);
    if (known !== undefined) return known;
    if (this.steps[id] === undefined) throw new Unknown('Unknown proof state.');
    const path = []; // tactics back to a state that is still held, or to the theorem
    for (let at = id; ; at = this.steps[at].proofState) {
      path.push(at);
      if (this.steps[at].tactic === undefined || this.proofStates.get(this.steps[at].proofState) !== undefined) break;
    }
    for (const at of path.reverse()) this.proofStates.set(at, this.remake(this.steps[at]));
    return this.proofStates.get(id);
  }

  remake({ cmd, env, sorry, tactic, proofState }) {
    if (tactic !== undefined) {
      const { next, error } = this.elaborator.apply(tactic, this.proofStates.get(proofState));
      if (error !== undefined) throw new Unknown(`Proof state could not be made again: ${error}`);
      return next;
    }
    const { state, sorries } = this.elaborate(cmd, env);
    this.lean.release(state);
    sorries.filter((_, index) => index !== sorry).forEach(other => this.elaborator.drop(other));
    return this.elaborator.begin(sorries[sorry]);
  }

  /** Apply a tactic: {id, goals, status, messages} of the state after it, or {error} or {refused}. */
  runTactic(tactic, proofState) {
    const { next, messages, ...failure } = this.elaborator.apply(tactic, this.proofState(proofState));
    if (next === undefined) return failure;
    const { before } = this.steps[proofState], late = before === undefined ? [] : this.late(next, before);
    if (late.length > 0) {
      this.elaborator.dispose(next);
      return { refused: `uses ${late[0]}, which is declared with or after ${before}` };
    }
    const id = this.steps.push({ tactic, proofState, before }) - 1;
    const answer = { id, goals: this.elaborator.goals(next), status: this.elaborator.status(next), messages,
      independent: this.elaborator.independent(next) };
    this.proofStates.set(id, next);
    return answer;
  }

  /** What a proof state's proof uses so far that may not be used before a theorem of the library. */
  late(state, before) {
    const { elaborator, declared } = this, terms = elaborator.terms(state);
    const late = declared.late(before, terms, elaborator.environment(state));
    terms.forEach(term => this.lean.release(term));
    return late;
  }
};
