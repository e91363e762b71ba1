import { Failed } from "../outcome.ts";
import { type ClientProcedure, type Deed, deedsOf } from "../procedure-files.ts";
import { pathPattern } from "./poll-timing.ts";

/** What a step waits for. */
interface Step {
  readonly name: string;
  readonly event: Deed;
  readonly checks: readonly Deed[];
  readonly actions: readonly Deed[];
}

export interface StepHooks {
  /** Does what is not about steps. @throws what the action throws */
  readonly perform: (action: Deed) => void;
  /** @throws Failed when it is not so */
  readonly check: (check: Deed) => void;
  /** Calls back after seconds of model time. */
  readonly after: (seconds: number, then: () => void) => void;
  /** Nothing is left to wait for. */
  readonly onEnd: () => void;
}

/** The steps of a procedure: each waits for its event, then acts; the first is active at the start. */
export class StepMachine {
  readonly #hooks: StepHooks;
  /** Those that are not removed yet. */
  readonly #open: Map<string, Step>;
  readonly #active = new Set<Step>();
  #isEnded = false;
  /** True where the procedure itself said that it is over. */
  isFinished = false;
  /** What went wrong in an action. */
  fault: unknown;

  constructor(procedure: ClientProcedure, hooks: StepHooks) {
    this.#hooks = hooks;
    this.#open = new Map(
      Object.entries(procedure.Steps).map(([name, { event, actions }]) => [
        name,
        {
          name,
          event: { type: event.type, parameters: event.parameters ?? {} },
          checks: deedsOf(event.checks),
          actions: deedsOf(actions),
        },
      ]),
    );
  }

  get open(): string[] {
    return [...this.#open.keys()];
  }

  begin(): void {
    const [first] = this.#open.keys();
    if (first !== undefined) this.#enable(first);
  }

  /** A request came. @param isServed false before it is answered, true after */
  request(method: string, path: string, isServed: boolean): void {
    for (const step of [...this.#active]) {
      const { type, parameters } = step.event;
      const { endpoint, serve_request_first } = parameters;
      if (type !== `${method}-request-received` || (serve_request_first === true) !== isServed) continue;
      if (pathPattern(String(endpoint)).test(path)) this.#trigger(step);
    }
  }

  /** Does an action that may be about steps. */
  act({ type, parameters }: Deed): void {
    const { steps, fail_message } = parameters;
    const names = Array.isArray(steps) ? steps.map(String) : [];
    if (type === "enable-steps") for (const name of names) this.#enable(name);
    else if (type === "remove-steps") for (const name of names) this.#remove(name);
    else if (type === "finish-test") {
      this.isFinished = true;
      this.#end(typeof fail_message === "string" ? new Failed(fail_message) : undefined);
    } else this.#hooks.perform({ type, parameters });
  }

  #trigger(step: Step): void {
    if (this.#isEnded || !this.#active.has(step)) return;
    try {
      for (const check of step.checks) this.#hooks.check(check);
    } catch (error) {
      // What is not so yet may be so at the next request.
      if (error instanceof Failed) return;
      this.#end(error);
      return;
    }
    try {
      for (const action of step.actions) this.act(action);
    } catch (error) {
      this.#end(error);
    }
    if (this.#open.size === 0) this.#end(undefined);
  }

  #enable(name: string): void {
    const step = this.#open.get(name);
    if (step === undefined || this.#active.has(step)) return;
    this.#active.add(step);
    if (step.event.type === "wait") {
      this.#hooks.after(Number(step.event.parameters["duration_seconds"]), () => this.#trigger(step));
    }
  }

  #remove(name: string): void {
    const step = this.#open.get(name);
    if (step === undefined) return;
    this.#active.delete(step);
    this.#open.delete(name);
  }

  #end(fault: unknown): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.fault = fault;
    this.#hooks.onEnd();
  }
}
