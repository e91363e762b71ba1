import { type Clock, repeatEvery } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Adapter, Report } from "../model/adapter.ts";
import type { BidCurve } from "../model/bid-curve.ts";
import type { Limit } from "../model/limit.ts";
import type { Capability, Era, ResourceKind } from "../model/resource.ts";
import type { Setpoint } from "../model/setpoint.ts";
import type { UtilityDemand } from "../model/utility.ts";
import type { Judgement } from "../model/verdict.ts";
import { DeviceLane, type DeviceSnapshot } from "./device-lane.ts";
import { type GroupMember, splitOverMembers } from "./group-split.ts";
import { type GroupVerdicts, groupVerdicts } from "./group-verdicts.ts";
import { fuseLimit, type SiteConnection } from "./site-fuse.ts";
import { type ObligedDevice, UtilityDemands } from "./utility-demands.ts";

/** Wall time before this is a clock that was never set: a gateway without a battery-backed clock starts in the past. */
const EARLIEST_PLAUSIBLE_MS = Date.UTC(2026, 0, 1);
/** How often ends and beginnings are looked for; also bounds how late a jump of the wall clock is noticed. */
const TICK_MS = 100;
/** Looks at all devices in one go, while the target of one changes the bounds of another; the next tick goes on. */
const MOST_PASSES = 4;

/** One device as the config describes it. */
export interface DispatchedDevice {
  readonly adapter: Adapter;
  readonly kind?: ResourceKind;
  /** Bounds set by the operator. */
  readonly limit?: Limit;
  /** How fast its power may grow, > 0; absent: at once. */
  readonly rampRateKWPerMin?: number | undefined;
}

export interface DispatcherOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly devices: readonly DispatchedDevice[];
  /** Group ERA → the ERAs of its members. */
  readonly groups: ReadonlyMap<Era, readonly Era[]>;
  readonly connection: SiteConnection;
  /** What a resource has bid last; decides how a group's power is split. */
  readonly curve?: (era: Era) => BidCurve | undefined;
  readonly onJudgement: (judgement: Judgement) => void;
  readonly onReport: (era: Era, report: Report) => void;
  /** As `DeviceLaneOptions.runnableKW`, for a device. */
  readonly runnableKW?: (era: Era, powerKW: number, minRunKW: number) => number;
}

/** Brings each setpoint to its device, or splits it over a group, and keeps every device to itself. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #lanes = new Map<Era, DeviceLane>();
  readonly #operatorLimits = new Map<Era, Limit>();
  readonly #kinds = new Map<Era, ResourceKind>();
  readonly #utility: UtilityDemands;
  readonly #groupVerdicts: GroupVerdicts;
  readonly #running = new Map<Era, { readonly stop: AbortController; readonly ended: Promise<void> }>();
  #signal: AbortSignal | undefined;
  #evaluating = false;
  /** A target changed while all devices were looked at. */
  #haveChanged = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#groupVerdicts = groupVerdicts(options.clock, options.onJudgement);
    this.#utility = new UtilityDemands({
      clock: options.clock,
      reserveKW: options.connection.reserveKW ?? 0,
      devices: () => this.#obligedDevices(),
    });
    for (const device of options.devices) this.#openLane(device);
  }

  /** Runs all devices until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    for (const lane of this.#lanes.values()) this.#runLane(lane, signal);
    await repeatEvery(this.#options.clock, TICK_MS, signal, () => this.#evaluateAll());
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  /** One more device, from now on. Its ERA must be new. */
  add(device: DispatchedDevice): DeviceLane {
    const lane = this.#openLane(device);
    if (this.#signal !== undefined) this.#runLane(lane, this.#signal);
    return lane;
  }

  /** Takes a device out of the site: its setpoints are withdrawn, and it is released as far as it can be reached. */
  async remove(era: Era, reason: string): Promise<void> {
    const lane = this.#lanes.get(era);
    if (lane === undefined) return;
    await lane.retire(reason);
    const running = this.#running.get(era);
    running?.stop.abort(new Error(reason));
    await running?.ended;
    this.#running.delete(era);
    this.#lanes.delete(era);
    this.#operatorLimits.delete(era);
    this.#kinds.delete(era);
    this.#targetsChanged();
  }

  /** What a utility demands from now on, in place of what it demanded before. It binds every setpoint, and devices without one. */
  oblige(demands: readonly UtilityDemand[]): void {
    this.#utility.oblige(demands);
    this.#evaluateAll();
  }

  /** What a utility has set for a device, whatever the others do. */
  utilityLimits(era: Era): readonly Limit[] {
    return this.#utility.ownLimitsOf(era);
  }

  /** What a utility demands now. */
  get demands(): readonly UtilityDemand[] {
    return this.#utility.demands;
  }

  /** What the site's connection allows now: as the config says, and where the utility allows less, that. */
  get connection(): SiteConnection {
    const { maxImportKW, maxExportKW, reserveKW } = this.#options.connection;
    const { importKW, exportKW, loadKW, generationKW } = this.#utility.site;
    const least = (...bounds: readonly (number | undefined)[]) => {
      const given = bounds.filter((bound) => bound !== undefined);
      return given.length === 0 ? undefined : Math.min(...given);
    };
    const [importBound, exportBound] = [
      least(maxImportKW, importKW, loadKW),
      least(maxExportKW, exportKW, generationKW),
    ];
    return {
      ...(importBound !== undefined && { maxImportKW: importBound }),
      ...(exportBound !== undefined && { maxExportKW: exportBound }),
      ...(reserveKW !== undefined && { reserveKW }),
    };
  }

  /** Takes setpoints that were committed to the store; returns those that went to single devices, a group's in parts. */
  submit(setpoints: readonly Setpoint[]): readonly Setpoint[] {
    const perDevice = new Map<Era, Setpoint[]>();
    const parts = setpoints.flatMap((one) => this.#expand(one));
    for (const setpoint of parts) {
      const list = perDevice.get(setpoint.era) ?? [];
      list.push(setpoint);
      perDevice.set(setpoint.era, list);
    }
    if (!this.#clockIsPlausible()) this.#options.log.warn("the wall clock was never set; setpoints wait until it is");
    for (const [era, list] of perDevice) this.#lanes.get(era)?.submit(list);
    return parts;
  }

  /** Ids of setpoints with those of the parts that they were split into, where their resource is a group. */
  partsOf(setpointIds: readonly string[], eras: readonly Era[]): readonly string[] {
    const members = eras.flatMap((era) => this.#options.groups.get(era) ?? []);
    return setpointIds.flatMap((id) => [id, ...members.map((member) => partId(id, member))]);
  }

  /** Takes setpoints back, for example of a cancelled order; returns how many there were. */
  withdraw(matches: (setpoint: Setpoint) => boolean, reason: string): number {
    let withdrawn = 0;
    for (const lane of this.#lanes.values()) withdrawn += lane.withdraw(matches, reason);
    return withdrawn;
  }

  /** What a resource can do: a device as it said itself, a group as the sum of its members that are known. */
  capability(era: Era): Capability | undefined {
    const members = this.#options.groups.get(era);
    if (members === undefined) return this.#lanes.get(era)?.capability;
    const known = members.map((member) => this.#lanes.get(member)?.capability).filter((one) => one !== undefined);
    const [first] = known;
    if (first === undefined) return undefined;
    // Each member has its own reasons.
    const { consumesOnlyBecause: _ofOne, ...common } = first;
    return {
      ...common,
      minPowerKW: known.reduce((sum, one) => sum + one.minPowerKW, 0),
      maxPowerKW: known.reduce((sum, one) => sum + one.maxPowerKW, 0),
      settleMs: Math.max(...known.map((one) => one.settleMs)),
    };
  }

  snapshot(): readonly DeviceSnapshot[] {
    return [...this.#lanes.values()].map((lane) => lane.snapshot());
  }

  lane(era: Era): DeviceLane | undefined {
    return this.#lanes.get(era);
  }

  /** Lets every device come to a safe end; each has its own, so none waits for another. */
  async shutDown(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((lane) => lane.shutDown()));
  }

  #openLane({ adapter, kind, limit, rampRateKWPerMin }: DispatchedDevice): DeviceLane {
    const { clock, log, random, onReport, runnableKW } = this.#options;
    const { era } = adapter;
    if (limit) this.#operatorLimits.set(era, limit);
    if (kind) this.#kinds.set(era, kind);
    const lane = new DeviceLane({
      adapter,
      clock,
      log,
      random,
      rampRateKWPerMin,
      mayCommand: () => this.#clockIsPlausible(),
      limits: () => this.#limitsOf(era),
      utilityLimits: () => this.#utility.limitsOf(era),
      plannedLimits: () => this.#limitsOf(era, true),
      onJudgement: (judgement) => this.#groupVerdicts.take(judgement),
      onReport: (report) => onReport(era, report),
      onTarget: () => this.#targetsChanged(),
      ...(runnableKW && { runnableKW: (powerKW, minRunKW) => runnableKW(era, powerKW, minRunKW) }),
    });
    this.#lanes.set(era, lane);
    return lane;
  }

  #runLane(lane: DeviceLane, signal: AbortSignal): void {
    const stop = new AbortController();
    const onAbort = () => stop.abort(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    const ended = lane.run(stop.signal).finally(() => signal.removeEventListener("abort", onAbort));
    this.#running.set(lane.era, { stop, ended });
  }

  #expand(setpoint: Setpoint): readonly Setpoint[] {
    const members = this.#options.groups.get(setpoint.era);
    if (members === undefined) return [setpoint];
    const leadMs = setpoint.validUntilMs - this.#options.clock.now();
    const { setpoints, unmetKW } = splitOverMembers(
      setpoint.powerKW,
      members.map((era) => this.#memberOf(era)),
      leadMs,
    );
    if (unmetKW !== 0) {
      this.#options.log.warn("a group can't carry all of its setpoint", {
        era: setpoint.era,
        setpoint: setpoint.id,
        unmetKW,
      });
    }
    const parts = setpoints.map(({ era, powerKW }) => ({ ...setpoint, id: partId(setpoint.id, era), era, powerKW }));
    this.#groupVerdicts.expect(setpoint, parts);
    return parts;
  }

  #memberOf(era: Era): GroupMember {
    const lane = this.#lanes.get(era);
    const operator = this.#operatorLimits.get(era);
    const curve = this.#options.curve?.(era);
    return {
      era,
      ...(lane?.capability && { capability: lane.capability }),
      ...(lane?.availability && { availability: lane.availability }),
      limits: [...(operator ? [operator] : []), ...this.#utility.limitsOf(era)],
      ...(lane?.measuredKW !== undefined && { measuredKW: lane.measuredKW }),
      ...(curve && { curve }),
    };
  }

  /** @param beside true to count what other devices have planned, too: plans may not fill the connection twice */
  #limitsOf(era: Era, beside = false): readonly Limit[] {
    const others = [...this.#lanes.values()].filter((lane) => lane.era !== era);
    const fuse = fuseLimit(
      this.#options.connection,
      others.map((lane) => ({
        worstKW: lane.capability?.minPowerKW ?? 0,
        ...(lane.measuredKW !== undefined && { measuredKW: lane.measuredKW }),
        ...(lane.targetKW !== undefined && { targetKW: lane.targetKW }),
        ...(beside && { plannedKW: lane.plannedKW }),
      })),
    );
    const operator = this.#operatorLimits.get(era);
    return [...(operator ? [operator] : []), ...(fuse ? [fuse] : []), ...this.#utility.limitsOf(era)];
  }

  #obligedDevices(): readonly ObligedDevice[] {
    return [...this.#lanes.values()].map((lane) => {
      const { era, capability, availability, measuredKW, targetKW, wanted, follows } = lane;
      const operator = this.#operatorLimits.get(era);
      return {
        era,
        kind: this.#kinds.get(era) ?? "load",
        follows,
        isOrdered: wanted?.isOrdered ?? false,
        regulatesItself: capability?.control === "setpoint",
        ...(capability && { capability: availability ?? capability }),
        ...(measuredKW !== undefined && { measuredKW }),
        ...(targetKW !== undefined && { targetKW }),
        ...(wanted && { wantedKW: wanted.powerKW }),
        asMember: {
          era,
          ...(capability && { capability }),
          ...(availability && { availability }),
          ...(operator && { limits: [operator] }),
          ...(measuredKW !== undefined && { measuredKW }),
        },
      };
    });
  }

  #targetsChanged(): void {
    // Only a bound on the sum couples devices; without one there is nobody to tell.
    const { maxImportKW, maxExportKW } = this.#options.connection;
    if (maxImportKW !== undefined || maxExportKW !== undefined || this.#utility.isAny) this.#evaluateAll();
  }

  #evaluateAll(): void {
    if (this.#evaluating) {
      this.#haveChanged = true;
      return;
    }
    this.#evaluating = true;
    try {
      for (let pass = 0; pass < MOST_PASSES; pass++) {
        this.#haveChanged = false;
        this.#utility.refresh();
        for (const lane of this.#lanes.values()) lane.evaluate();
        // What panels may feed in can follow from what a car takes, and what another car takes from the panels.
        if (!this.#haveChanged || !this.#utility.isAny) break;
      }
    } finally {
      this.#evaluating = false;
    }
  }

  #clockIsPlausible(): boolean {
    return this.#options.clock.now() >= EARLIEST_PLAUSIBLE_MS;
  }
}

/** Id of one member's part of a group's setpoint. */
function partId(setpointId: string, member: Era): string {
  return `${setpointId}/${member}`;
}
