import type { ChargerEvent } from "./charger-event.ts";

/** What a script reads when the chargers have run their time; the numbers are those of all commands of setpointd. */
export const RUN_EXIT = {
  ok: 0,
  /** The CSMS sent what breaks the schema. */
  csmsViolates: 1,
  /** The CSMS turned the login of a charger away. */
  loginRefused: 4,
  /** A charger never reached the CSMS. */
  unreachable: 5,
  /** The CSMS never accepted the boot of a charger. */
  bootRefused: 6,
} as const;

const LOGIN_REFUSED: readonly (number | undefined)[] = [401, 403];

/** How one charger fared. */
export class RunOutcome {
  #connected = false;
  #booted = false;
  #loginRefused = false;
  #violations = 0;

  see(event: ChargerEvent): void {
    if (event.event === "connected") this.#connected = true;
    if (event.event === "boot" && event.status === "Accepted") this.#booted = true;
    if (event.event === "dialFailed" && LOGIN_REFUSED.includes(event.httpStatus)) this.#loginRefused = true;
    if (event.event === "violation" && event.by === "csms") this.#violations += 1;
  }

  get connected(): boolean {
    return this.#connected;
  }

  get booted(): boolean {
    return this.#booted;
  }

  get violations(): number {
    return this.#violations;
  }

  /** @param boots false for a charger that sends no BootNotification by itself */
  exitCode(boots: boolean): number {
    if (!this.#connected) return this.#loginRefused ? RUN_EXIT.loginRefused : RUN_EXIT.unreachable;
    if (boots && !this.#booted) return RUN_EXIT.bootRefused;
    return this.#violations > 0 ? RUN_EXIT.csmsViolates : RUN_EXIT.ok;
  }
}
