import type { Log } from "../../../src/log.ts";
import { CallFailure } from "../link/call-queue.ts";
import { CallRefusal } from "../link/frame.ts";
import { integerAt, type JsonRecord } from "../link/json.ts";
import type { OcppVersion } from "../version.ts";
import { answerOnLimits, keepProfile, withoutProfile } from "./backend-limits-desk.ts";
import { answerForBackend, downRule } from "./down-rules.ts";
import type { ProxyState } from "./proxy-state.ts";

/** Requests of the backend whose reports are still to come. */
const MAX_ASKED = 50;

export interface DownPathOptions {
  readonly state: ProxyState;
  readonly log: Log;
  readonly now: () => number;
  /** Hands a call of the backend to the charger. @throws CallFailure */
  readonly callCharger: (action: string, payload: JsonRecord) => Promise<JsonRecord>;
  readonly onLimits: () => void;
  /** A report that goes up behind the answer. */
  readonly report: (action: string, payload: JsonRecord) => void;
}

/** The backend's commands on their way down: to the charger, or to our own book of its profiles. */
export class DownPath {
  readonly #options: DownPathOptions;
  readonly #asked = new Set<number>();

  constructor(options: DownPathOptions) {
    this.#options = options;
  }

  /** Ids of the requests that the backend made; their reports are for it and not for us. */
  get askedIds(): ReadonlySet<number> {
    return this.#asked;
  }

  /** @throws CallRefusal when the charger did not do it */
  async onCall(version: OcppVersion, action: string, payload: JsonRecord): Promise<JsonRecord> {
    const rule = downRule(version, action, payload);
    if (rule.kind === "refuse") {
      this.#options.log.warn("a command of the backend was refused", { action, why: rule.why });
      return rule.answer;
    }
    if (rule.kind === "profiles") return this.#onProfiles(version, action, payload);
    this.#noteAsked(payload);
    if (action === "RemoteStopTransaction") return this.#remoteStop(version, payload);
    if (action === "RemoteStartTransaction" || action === "RequestStartTransaction") {
      return this.#remoteStart(version, action, payload);
    }
    return this.#forward(version, action, payload);
  }

  async #onProfiles(version: OcppVersion, action: string, payload: JsonRecord): Promise<JsonRecord> {
    const { state, now, onLimits, report } = this.#options;
    const outcome = answerOnLimits(version, action, payload, state.profiles, now());
    if (outcome.changed) {
      // Accepted means kept: a charger would know it after a restart, so we must.
      await state.save();
      onLimits();
    }
    if (outcome.report !== undefined) report("ReportChargingProfiles", outcome.report);
    return outcome.answer;
  }

  /** The backend names a transaction by the id that it gave; the charger knows it by ours. */
  async #remoteStop(version: OcppVersion, payload: JsonRecord): Promise<JsonRecord> {
    const backendId = integerAt(payload, "transactionId");
    const localId = backendId === undefined ? undefined : this.#options.state.ids.localId(backendId);
    if (localId === undefined) return { status: "Rejected" };
    return this.#forward(version, "RemoteStopTransaction", { ...payload, transactionId: localId });
  }

  /** A profile that comes with a start is a limit like any other, and stays here. */
  async #remoteStart(version: OcppVersion, action: string, payload: JsonRecord): Promise<JsonRecord> {
    const { payload: plain, profile } = withoutProfile(payload);
    if (profile !== undefined) {
      const { state, now } = this.#options;
      const connector = integerAt(plain, version === "ocpp1.6" ? "connectorId" : "evseId") ?? 1;
      if (!keepProfile(version, connector, profile, state.profiles, now()).changed) return { status: "Rejected" };
      await state.save();
    }
    return this.#forward(version, action, plain);
  }

  async #forward(version: OcppVersion, action: string, payload: JsonRecord): Promise<JsonRecord> {
    try {
      return answerForBackend(version, action, await this.#options.callCharger(action, payload));
    } catch (error) {
      if (!(error instanceof CallFailure)) throw error;
      const unknown = error.code === "NotImplemented" || error.code === "NotSupported";
      throw new CallRefusal(unknown ? "unknown-action" : "internal", error.message);
    }
  }

  #noteAsked(payload: JsonRecord): void {
    const requestId = integerAt(payload, "requestId");
    if (requestId === undefined) return;
    this.#asked.add(requestId);
    const [oldest] = this.#asked;
    if (this.#asked.size > MAX_ASKED && oldest !== undefined) this.#asked.delete(oldest);
  }
}
