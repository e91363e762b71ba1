import type { Clock } from "../clock.ts";
import type { Limit } from "../model/limit.ts";
import type { Era, ResourceKind } from "../model/resource.ts";
import type { PowerEnvelope, UtilityDemand } from "../model/utility.ts";
import { type GroupMember, splitOverMembers } from "./group-split.ts";
import {
  deviceLimit,
  type EnvelopeMember,
  type EnvelopeShares,
  envelopeLimit,
  envelopeShares,
} from "./utility-envelope.ts";

/** A site's order is shared out anew after this, elapsed ms: devices come, go and fill up. */
const SHARE_OUT_MS = 10_000;

/** A device as the demands see it. */
export interface ObligedDevice extends EnvelopeMember {
  readonly kind: ResourceKind;
  /** For the share of an order. */
  readonly asMember: GroupMember;
}

export interface UtilityDemandsOptions {
  readonly clock: Clock;
  /** Load that no device here meters, kW magnitude. */
  readonly reserveKW: number;
  readonly devices: () => readonly ObligedDevice[];
}

/** What the utility demands of the site and of single devices, as limits of each device. */
export class UtilityDemands {
  readonly #options: UtilityDemandsOptions;
  #demands: readonly UtilityDemand[] = [];
  #shares: EnvelopeShares = new Map();
  #orders: ReadonlyMap<Era, number> = new Map();
  #sharedOutAtMs = 0;

  constructor(options: UtilityDemandsOptions) {
    this.#options = options;
  }

  /** False while nothing is demanded; then nothing here costs anything. */
  get isAny(): boolean {
    return this.#demands.length > 0;
  }

  get demands(): readonly UtilityDemand[] {
    return this.#demands;
  }

  /** The bounds of the whole site, the tightest of each. */
  get site(): PowerEnvelope {
    return tightest(this.#demands.filter(({ era }) => era === undefined));
  }

  oblige(demands: readonly UtilityDemand[]): void {
    this.#demands = demands;
    this.#shareOut();
    this.refresh();
  }

  /** Before a look at all devices: their shares follow from what all of them do now. */
  refresh(): void {
    if (!this.isAny) return;
    const { clock, devices, reserveKW } = this.#options;
    this.#shares = envelopeShares(this.site, reserveKW, devices());
    if (clock.elapsedMs() - this.#sharedOutAtMs >= SHARE_OUT_MS) this.#shareOut();
  }

  /** All that binds a device now, with what the site's bounds leave it beside the others. */
  limitsOf(era: Era): readonly Limit[] {
    if (!this.isAny) return [];
    const { devices, reserveKW } = this.#options;
    const left = envelopeLimit(this.site, reserveKW, era, devices(), this.#shares);
    return [...this.ownLimitsOf(era), ...(left ? [left] : [])];
  }

  /** What binds a device whatever the others do: its own bounds, and the power that it is to hold. */
  ownLimitsOf(era: Era): readonly Limit[] {
    const own = deviceLimit(tightest(this.#demands.filter((demand) => demand.era === era)));
    const orderKW = this.#orders.get(era);
    return [
      ...(own ? [own] : []),
      ...(orderKW === undefined
        ? []
        : [{ source: "utility-server", minPowerKW: orderKW, maxPowerKW: orderKW } as const]),
    ];
  }

  #shareOut(): void {
    this.#sharedOutAtMs = this.#options.clock.elapsedMs();
    const devices = this.#options.devices();
    const orders = new Map<Era, number>();
    for (const demand of this.#demands) {
      for (const { of, powerKW } of demand.orders ?? []) {
        const meant = devices.filter(
          (device) => (demand.era ?? device.era) === device.era && isMeant(device, of, devices),
        );
        // One bound to be kept with another: the nearer to nothing holds.
        for (const [era, shareKW] of shared(powerKW, meant)) {
          const before = orders.get(era);
          if (before === undefined || Math.abs(shareKW) < Math.abs(before)) orders.set(era, shareKW);
        }
      }
    }
    this.#orders = orders;
  }
}

function shared(powerKW: number, devices: readonly ObligedDevice[]): readonly [Era, number][] {
  const [only] = devices;
  if (devices.length === 1 && only !== undefined) return [[only.era, powerKW]];
  const members = devices.map(({ asMember }) => asMember);
  return splitOverMembers(powerKW, members, SHARE_OUT_MS).setpoints.map((one) => [one.era, one.powerKW]);
}

function isMeant(device: ObligedDevice, of: "der" | "storage", all: readonly ObligedDevice[]): boolean {
  if (of === "storage") return device.kind === "battery";
  const generates = ({ capability }: ObligedDevice) => (capability?.maxPowerKW ?? 0) > 0;
  return generates(device) || !all.some(generates);
}

function tightest(demands: readonly UtilityDemand[]): PowerEnvelope {
  const sides = ["importKW", "exportKW", "loadKW", "generationKW"] as const;
  return Object.fromEntries(
    sides.flatMap((side) => {
      const bounds = demands.map((demand) => demand[side]).filter((bound) => bound !== undefined);
      return bounds.length === 0 ? [] : [[side, Math.min(...bounds)]];
    }),
  );
}
