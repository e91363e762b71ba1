import { isIPv6 } from "node:net";
import type { Clock } from "../../../src/clock.ts";
import { Backoff } from "./backoff.ts";

/** A typing mistake or two are no attack. */
const PER_CHARGER = { free: 3, capMs: 300_000 } as const;

/** Several chargers may stand behind one address, so it takes more to hold up all of them. */
const PER_ADDRESS = { free: 20, capMs: 300_000 } as const;

/** Slows down whoever tries passwords, by the address and, sooner, by address and identity. */
export class LoginGuard {
  readonly #charger: Backoff;
  readonly #address: Backoff;

  constructor(clock: Clock) {
    this.#charger = new Backoff(clock, PER_CHARGER);
    this.#address = new Backoff(clock, PER_ADDRESS);
  }

  /** Elapsed ms until a login is looked at again. What comes before does not count as another failure. */
  waitMs(address: string, identity: string): number {
    return Math.max(this.#charger.waitMs(pair(address, identity)), this.#address.waitMs(network(address)));
  }

  /** @returns ms that it has to wait now */
  noteFailure(address: string, identity: string): number {
    const ofCharger = this.#charger.noteFailure(pair(address, identity));
    return Math.max(ofCharger, this.#address.noteFailure(network(address)));
  }

  noteSuccess(address: string, identity: string): void {
    this.#charger.forget(pair(address, identity));
  }
}

function pair(address: string, identity: string): string {
  return `${network(address)} ${identity}`;
}

/** One site of IPv6 has 2^64 addresses to come from. */
export function network(address: string): string {
  if (!isIPv6(address) || address.startsWith("::ffff:")) return address;
  const [head = "", tail] = address.split("::");
  const groups = head.split(":").filter((group) => group !== "");
  const missing = tail === undefined ? 0 : 8 - groups.length - tail.split(":").filter((group) => group !== "").length;
  return [...groups, ...new Array<string>(Math.max(0, missing)).fill("0"), ...(tail ?? "").split(":")]
    .slice(0, 4)
    .join(":");
}
