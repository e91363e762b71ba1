import type { Dialect } from "../messages/dialect.ts";
import type { ChargerLink } from "./charger-link.ts";

/** One connection of a station, from its handshake to its end. */
export interface Session {
  readonly link: ChargerLink;
  readonly dialect: Dialect;
  /** Resolves when commands make sense, and also when the link ends. */
  readonly ready: Promise<void>;
  isReady(): boolean;
  markReady(): void;
  /** Resolves at the first call from the charger. */
  readonly heard: Promise<void>;
  markHeard(): void;
  welcome: AbortController;
  readonly stateHeard: Set<number>;
  samplesHeard: boolean;
  booted: boolean;
  /** False once the charger would not be asked for meter values. */
  asksMeter: boolean;
}

export function createSession(link: ChargerLink, dialect: Dialect): Session {
  let isReady = false;
  let markReady = () => {};
  let markHeard = () => {};
  const ready = new Promise<void>((resolve) => {
    markReady = resolve;
  });
  const heard = new Promise<void>((resolve) => {
    markHeard = resolve;
  });
  return {
    link,
    dialect,
    ready,
    isReady: () => isReady,
    markReady: () => {
      isReady = true;
      markReady();
    },
    heard,
    markHeard: () => markHeard(),
    welcome: new AbortController(),
    stateHeard: new Set(),
    samplesHeard: false,
    booted: false,
    asksMeter: true,
  };
}
