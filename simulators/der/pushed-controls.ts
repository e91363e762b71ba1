import { type DerControl, readControl } from "./control.ts";
import type { ControlMode, ControlModes } from "./control-modes.ts";
import { type EngineOptions, EventEngine } from "./event-engine.ts";
import { RESPONSE } from "./responses.ts";
import { parseXml, XmlFault } from "./xml-in.ts";

/** The HTTP answer to one request. */
export interface Verdict {
  readonly status: number;
  readonly xml?: string;
  /** For a person, when something is wrong. */
  readonly reason?: string;
  readonly allow?: string;
}

const MAX_PATHS = 64;

/** Controls that were put to addresses instead of being listed by a server; the same strict rules hold for them. */
export class PushedControls {
  readonly #engine: EventEngine;
  readonly #supported: readonly ControlMode[];
  readonly #byPath = new Map<string, { readonly control: DerControl; readonly xml: string }>();

  constructor(options: EngineOptions & { readonly supported: readonly ControlMode[] }) {
    this.#engine = new EventEngine(options);
    this.#supported = options.supported;
  }

  /** What holds now. */
  modes(): ControlModes | undefined {
    return this.#engine.modes();
  }

  tick(nowS: number): void {
    this.#engine.tick(nowS);
  }

  /** 204 when taken, 400 when it is wrong in itself or not wanted, 409 when it contradicts what was there before. */
  put(path: string, xml: string, nowS: number): Verdict {
    let control: ReturnType<typeof readControl>;
    try {
      control = readControl(parseXml(xml), this.#supported);
    } catch (error) {
      if (error instanceof XmlFault) return { status: 400, reason: error.message };
      throw error;
    }
    if ("reason" in control) return { status: 400, reason: control.reason };
    const { id, fingerprint, status } = control;
    const known = this.#engine.find(id);
    if (known !== undefined && known.fingerprint !== fingerprint) {
      return { status: 409, reason: "an event never changes under its mRID but for its status" };
    }
    if (known?.phase === "over" && status < 2) return { status: 409, reason: "the event with this mRID is over" };
    const answers = this.#engine.see([{ primacy: 1, control }], nowS).filter(({ to }) => to === control.addressee);
    const refusal = answers.find((answer) => answer.reason !== undefined);
    if (refusal?.reason !== undefined) return { status: 400, reason: refusal.reason };
    if (status < 2 && answers.some((answer) => answer.status === RESPONSE.superseded)) {
      return { status: 409, reason: "a control that holds was created at the same time or later" };
    }
    this.#byPath.delete(path);
    this.#byPath.set(path, { control, xml });
    for (const oldest of this.#byPath.keys()) {
      if (this.#byPath.size <= MAX_PATHS) break;
      this.#byPath.delete(oldest);
    }
    return { status: 204 };
  }

  /** What was put there last. */
  read(path: string): Verdict {
    const put = this.#byPath.get(path);
    return put === undefined ? { status: 404, reason: "nothing was put here" } : { status: 200, xml: put.xml };
  }

  /** Cancels what was put there. */
  remove(path: string, nowS: number): Verdict {
    const put = this.#byPath.get(path);
    if (put === undefined) return { status: 404, reason: "nothing was put here" };
    this.#byPath.delete(path);
    this.#engine.see([{ primacy: 1, control: { ...put.control, status: 2 } }], nowS);
    return { status: 204 };
  }
}
