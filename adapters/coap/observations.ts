import type { Clock } from "../../src/clock.ts";
import { CoapError } from "./link/coap-error.ts";
import type { CoapAnswer, CoapLink } from "./link/coap-link.ts";
import { requestFor } from "./profile/device-reader.ts";
import type { ProfileDevice } from "./profile/profile-device.ts";

interface Watch {
  stop(): void;
  /** Elapsed ms at which the device last said something of it. */
  heardAtMs: number;
}

/** After a device said that it tells no changes it is only read, and asked for them again after this time, ms. */
const ASK_AGAIN_MS = 600_000;

/** Resources that a device tells of by itself. What it leaves unsaid for too long is asked, and watched anew. */
export class Observations {
  readonly #link: CoapLink;
  readonly #device: ProfileDevice;
  readonly #clock: Clock;
  readonly #onNews: () => void;
  readonly #onFault: (error: unknown) => void;
  readonly #watches = new Map<string, Watch>();
  /** Elapsed ms until which a resource is only read. */
  readonly #readUntilMs = new Map<string, number>();

  constructor(
    link: CoapLink,
    device: ProfileDevice,
    clock: Clock,
    on: { readonly news: () => void; readonly fault: (error: unknown) => void },
  ) {
    this.#link = link;
    this.#device = device;
    this.#clock = clock;
    this.#onNews = on.news;
    this.#onFault = on.fault;
  }

  /** True while the device tells of this resource by itself, and has not been silent for too long. */
  isTold(resource: string): boolean {
    return this.#watches.has(resource);
  }

  /**
   * Watches what is not watched, or no longer heard of.
   * @returns true if the device said something new
   * @throws CoapError
   */
  async renew(signal: AbortSignal): Promise<boolean> {
    let isHeard = false;
    const { quietMs } = this.#device.profile.limits;
    for (const [name, spec] of this.#device.observed()) {
      const nowMs = this.#clock.elapsedMs();
      const watch = this.#watches.get(name);
      if (watch !== undefined && nowMs - watch.heardAtMs < quietMs) continue;
      if (watch === undefined && (this.#readUntilMs.get(name) ?? 0) > nowMs) continue;
      if (this.#device.reader.isMissing(name)) continue;
      this.#watches.get(name)?.stop();
      this.#watches.delete(name);
      const observer = {
        onNotification: (answer: CoapAnswer) => void this.#take(name, answer),
        onEnd: () => void this.#watches.delete(name),
      };
      const { answer, isObserved, stop } = await this.#link.observe(requestFor(spec), observer, signal);
      await this.#device.reader.take(name, answer);
      isHeard = true;
      if (isObserved) this.#watches.set(name, { stop, heardAtMs: this.#clock.elapsedMs() });
      else this.#readUntilMs.set(name, nowMs + ASK_AGAIN_MS);
    }
    return isHeard;
  }

  stop(): void {
    for (const { stop } of this.#watches.values()) stop();
    this.#watches.clear();
    this.#readUntilMs.clear();
  }

  async #take(name: string, answer: CoapAnswer): Promise<void> {
    const watch = this.#watches.get(name);
    if (watch === undefined) return;
    try {
      await this.#device.reader.take(name, answer);
      watch.heardAtMs = this.#clock.elapsedMs();
      this.#onNews();
    } catch (error) {
      if (!(error instanceof CoapError)) throw error;
      watch.stop();
      this.#watches.delete(name);
      this.#onFault(error);
    }
  }
}
