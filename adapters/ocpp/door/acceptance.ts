import { z } from "zod";
import { ERA_PATTERN } from "../../../src/model/resource.ts";
import { type AdapterContext, type AdapterOperation, type NewDevice, OperationError } from "../../kind.ts";
import type { OcppShared } from "../config.ts";
import type { Station } from "../station.ts";
import type { StationReport } from "../station-report.ts";
import { newPassword } from "./new-password.ts";
import { hashPassword } from "./password-hash.ts";
import type { SecurityEvent, SecurityLog } from "./security-log.ts";
import type { StrangerList } from "./stranger-list.ts";

const REJECTED = "rejected/";

/** Identities that are not wanted; beyond them a technician is told to clear some. */
const MAX_REJECTED = 200;

/** What `stations` answers. */
export interface StationsAnswer {
  readonly stations: readonly (StationReport & {
    readonly accepted: boolean;
    /** Times that it was turned away since the start, and why the last time. */
    readonly refusals?: { readonly count: number; readonly reason: string; readonly atMs: number };
  })[];
  readonly strangers: readonly {
    readonly identity: string;
    readonly from: string;
    readonly attempts: number;
    readonly lastSeenMs: number;
    readonly reason: string;
  }[];
  readonly rejected: readonly string[];
}

/** What `accept` answers. The password is shown here and nowhere again. */
export interface AcceptAnswer {
  readonly identity: string;
  readonly devices: readonly { readonly era: string; readonly connector: number }[];
  readonly password?: string;
  readonly note?: string;
}

const identified = z.strictObject({ identity: z.string().min(1).max(48) });

const acceptInput = identified.extend({
  era: z.string().regex(ERA_PATTERN, "must be an Energy Resource Address, for example ev-garage").optional(),
  name: z.string().max(80).optional(),
  connectors: z.int().min(1).max(16).default(1),
  phases: z.literal([1, 2, 3]).optional(),
  maxA: z.number().positive().max(500).optional(),
  password: z.boolean().default(false),
});

const eventsInput = z.strictObject({
  identity: z.string().optional(),
  limit: z.int().min(1).max(1000).default(50),
});

export interface AcceptanceOptions {
  readonly shared: OcppShared;
  readonly context: AdapterContext;
  readonly strangers: StrangerList;
  readonly securityLog: SecurityLog;
  readonly stations: () => readonly Station[];
}

/** A charger that nobody configured becomes one of the site, or does not: what a technician may say to that. */
export class Acceptance {
  readonly operations: Readonly<Record<string, AdapterOperation>> = {
    stations: () => Promise.resolve(this.#list()),
    events: (input) => Promise.resolve(this.#events(input)),
    accept: (input) => this.#accept(input),
    reject: (input) => this.#reject(input),
    forget: (input) => this.#forget(input),
  };
  readonly #options: AcceptanceOptions;

  constructor(options: AcceptanceOptions) {
    this.#options = options;
  }

  isRejected(identity: string): boolean {
    return this.#options.context.memory.get(REJECTED + identity) !== undefined;
  }

  #list(): StationsAnswer {
    const { strangers, stations, context } = this.#options;
    const known = stations();
    const identities = new Set(known.map((station) => station.identity));
    const accepted = new Set(this.#acceptedDevices().map(identityOf));
    return {
      stations: known.map((station) => {
        const turnedAway = strangers.get(station.identity);
        return {
          ...station.report(),
          accepted: accepted.has(station.identity),
          ...(turnedAway && {
            refusals: { count: turnedAway.attempts, reason: turnedAway.reason, atMs: turnedAway.lastSeenMs },
          }),
        };
      }),
      strangers: strangers
        .list()
        .filter(({ identity }) => !identities.has(identity))
        .map(({ identity, address, attempts, lastSeenMs, reason }) => ({
          identity,
          from: address,
          attempts,
          lastSeenMs,
          reason,
        })),
      rejected: context.memory.keys(REJECTED).map((key) => key.slice(REJECTED.length)),
    };
  }

  #events(input: unknown): { readonly events: readonly SecurityEvent[] } {
    const { identity, limit } = read(eventsInput, input);
    return { events: this.#options.securityLog.list(identity).slice(0, limit) };
  }

  async #accept(input: unknown): Promise<AcceptAnswer> {
    const asked = read(acceptInput, input);
    const { identity } = asked;
    const { strangers, context, shared } = this.#options;
    const roster = this.#roster();
    if (this.#isStation(identity)) throw new OperationError("invalid", `${identity} is a charger of this site already`);
    if (strangers.get(identity) === undefined) throw new OperationError("not-found", this.#neverSeen(identity));

    const usual = shared.securityProfile ?? 0;
    const password = asked.password || usual === 1 || usual === 2 ? newPassword() : undefined;
    const hash = password === undefined ? undefined : await hashPassword(Buffer.from(password));
    const eras = asked.era === undefined ? proposedEras(identity, asked.connectors, roster) : erasFrom(asked);
    const devices = eras.map((era, index): NewDevice => {
      const connector = index + 1;
      const { name, phases, maxA } = asked;
      return {
        era,
        ...(name !== undefined && { name: eras.length === 1 ? name : `${name} ${connector}` }),
        kind: "charger",
        part: {
          identity,
          connector,
          ...(phases !== undefined && { phases }),
          ...(maxA !== undefined && { maxA }),
          ...(hash !== undefined && { passwordHash: hash }),
        },
      };
    });
    await roster.add(devices);
    await context.memory.forget(REJECTED + identity);
    strangers.forget(identity);
    context.log.info("a charger was accepted", { charger: identity, eras });
    return {
      identity,
      devices: eras.map((era, index) => ({ era, connector: index + 1 })),
      ...(password !== undefined && { password }),
      ...(password === undefined &&
        usual < 3 && {
          note: "it is taken by its identity alone; forget it and accept it with --password to change that",
        }),
    };
  }

  async #reject(input: unknown): Promise<{ readonly identity: string }> {
    const { identity } = read(identified, input);
    const { strangers, context } = this.#options;
    const { memory } = context;
    if (this.#acceptedDevices(identity).length > 0) await this.#takeBack(identity);
    else if (this.#isStation(identity)) throw new OperationError("invalid", inConfig(identity));
    else if (strangers.get(identity) === undefined && !this.isRejected(identity)) {
      throw new OperationError("not-found", this.#neverSeen(identity));
    }
    if (memory.keys(REJECTED).length >= MAX_REJECTED) {
      throw new OperationError("invalid", `${MAX_REJECTED} identities are rejected already; forget some of them`);
    }
    await memory.set(REJECTED + identity, { atMs: context.clock.now() });
    strangers.forget(identity);
    return { identity };
  }

  async #forget(input: unknown): Promise<{ readonly identity: string }> {
    const { identity } = read(identified, input);
    const { strangers, context } = this.#options;
    const isAccepted = this.#acceptedDevices(identity).length > 0;
    if (!isAccepted && this.#isStation(identity)) throw new OperationError("invalid", inConfig(identity));
    if (!isAccepted && !this.isRejected(identity) && strangers.get(identity) === undefined) {
      throw new OperationError("not-found", this.#neverSeen(identity));
    }
    if (isAccepted) await this.#takeBack(identity);
    await context.memory.forget(REJECTED + identity);
    strangers.forget(identity);
    return { identity };
  }

  async #takeBack(identity: string): Promise<void> {
    await this.#roster().remove(this.#acceptedDevices(identity).map((device) => device.era));
    await this.#options.securityLog.forget(identity);
    this.#options.context.log.info("an accepted charger was taken back", { charger: identity });
  }

  #roster() {
    const { roster } = this.#options.context;
    if (roster === undefined) throw new OperationError("invalid", "the chargers of this site are fixed");
    return roster;
  }

  #acceptedDevices(identity?: string): readonly NewDevice[] {
    const added = this.#options.context.roster?.added() ?? [];
    return identity === undefined ? added : added.filter((device) => identityOf(device) === identity);
  }

  #isStation(identity: string): boolean {
    return this.#options.stations().some((station) => station.identity === identity);
  }

  #neverSeen(identity: string): string {
    const seen = this.#options.strangers.list().map((stranger) => stranger.identity);
    const hint = seen.length === 0 ? "no unknown charger has" : `those that have: ${seen.join(", ")}`;
    return `no charger "${identity}" has dialled in lately; ${hint}`;
  }
}

function inConfig(identity: string): string {
  return `${identity} is in the config file; take it out there`;
}

function identityOf(device: NewDevice): string {
  return String(device.part["identity"]);
}

function read<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw new OperationError("invalid", z.prettifyError(parsed.error));
  return parsed.data;
}

function erasFrom({ era = "", connectors }: { era?: string | undefined; connectors: number }): readonly string[] {
  if (connectors === 1) return [era];
  return Array.from({ length: connectors }, (_, index) => `${era}-${index + 1}`);
}

/** The identity, as an ERA may be written, with a number behind it where the name is taken. */
function proposedEras(identity: string, connectors: number, roster: { has(era: string): boolean }): readonly string[] {
  const plain = identity.replace(/[^A-Za-z0-9*_.:@/-]/g, "-").replace(/^[^A-Za-z0-9]+/, "") || "charger";
  for (let attempt = 1; ; attempt++) {
    const eras = erasFrom({ era: attempt === 1 ? plain : `${plain}-no${attempt}`, connectors });
    if (!eras.some((era) => roster.has(era))) return eras;
  }
}
