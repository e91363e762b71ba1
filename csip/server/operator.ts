import type { Clock } from "../../src/clock.ts";
import type { ResourceKind } from "../../src/model/resource.ts";
import { type Names, resolvedAll } from "../expression.ts";
import { NotRun } from "../outcome.ts";
import { deedsOf, type ServerProcedure } from "../procedure-files.ts";
import type { ConfiguredDevice, ServerUnderTest } from "./server-under-test.ts";

type Parameters = Readonly<Record<string, unknown>>;

/** Rated power of each device in both directions that it has, kW. */
export const RATING_KW = 10;

const DEFAULT_DURATION_S = 300;
/** How long before its start a control is published that a procedure wants scheduled. */
const AHEAD_S = 60;

/** An order of a procedure in the server's own terms. */
interface Order {
  readonly mode: string;
  readonly kind: ResourceKind;
  /** Export positive. */
  readonly powerKW: number;
}

const DEFAULT_KEYS: Readonly<Record<string, string>> = {
  opModExpLimW: "exportKW",
  opModImpLimW: "importKW",
  opModGenLimW: "generationKW",
  opModLoadLimW: "loadKW",
  setGradW: "rampPercentPerS",
};

/** A default that is created has what it is given and nothing else. */
const NO_BOUNDS = Object.fromEntries(Object.values(DEFAULT_KEYS).map((key) => [key, null]));

/**
 * Does at the server what a procedure asks of its operator. The gateway orders powers and derives controls from them, so a
 * procedure that wants a control to be there is translated into the order that leads to it; defaults and rates are changed as an operator changes them; what is left is config.
 */
export class Operator {
  readonly #server: ServerUnderTest;
  readonly #clock: Clock;
  readonly #names: Names;
  #devices = new Map<string, ConfiguredDevice>();
  readonly #plannedUntilMs = new Map<string, number>();
  /** Devices whose controls are no power that a market could order, so that an operator orders them. */
  readonly #ordered = new Set<string>();
  #ranks: ProgramRanks | undefined;
  #awaitsAssignment = false;

  constructor(server: ServerUnderTest, clock: Clock, names: Names) {
    this.#server = server;
    this.#clock = clock;
    this.#names = names;
  }

  /** Reads from the whole procedure how the server must be configured, and starts it. @throws NotRun */
  async open(procedure: ServerProcedure, lfdis: ReadonlyMap<string, string>): Promise<void> {
    this.#ranks = programRanks(procedure);
    this.#awaitsAssignment = procedure.Steps.some(
      ({ action }) =>
        action.type === "create-subscription" && action.parameters?.["resource"] === "FunctionSetAssignmentsList",
    );
    for (const [client, lfdi] of lfdis) this.#devices.set(client, this.#configFor(procedure, client, lfdi));
    await this.#server.open([...this.#devices.values()]);
  }

  /** @throws NotRun for what this server does not have */
  async perform(type: string, parameters: Parameters, client: string): Promise<void> {
    const given = resolvedAll(parameters, this.#names);
    switch (type) {
      // What there is was configured at the start.
      case "ensure-end-device":
      case "ensure-der-control-list":
      case "ensure-mup-list-empty":
      case "ensure-der-program":
        return;
      case "ensure-fsa":
        if (this.#awaitsAssignment)
          throw new NotRun("a device has its assignment from the start, so that no news of another one comes");
        return;
      case "create-default-der-control":
        if (given["primacy"] !== this.#ranks?.operator) throw new NotRun("the market's default is config");
        await this.#server.operate("default", { era: client, changes: { ...NO_BOUNDS, ...defaultFrom(given) } });
        return;
      case "set-poll-rate":
        await this.#server.operate("rates", { pollRatesS: { [String(given["resource"])]: given["rate_seconds"] } });
        return;
      case "set-post-rate":
        await this.#server.operate("rates", { postRateS: given["rate_seconds"] });
        return;
      case "create-der-control":
        if (this.#ordered.has(client)) await this.#orderByHand(client, given);
        else this.#order(client, given);
        return;
      case "clear-der-controls":
        this.#plannedUntilMs.delete(client);
        if (this.#ordered.has(client)) await this.#server.operate("order", { era: client, cancel: "all" });
        this.#server.cancelAll(client);
        return;
      case "set-client-access":
        if (given["granted"] !== false) throw new NotRun("access is only ever taken away");
        this.#devices.delete(client);
        await this.#server.open([...this.#devices.values()]);
        return;
      default:
        throw new NotRun(`the instruction ${type} is not supported`);
    }
  }

  /** As `setpointd 2030.5 order` does. */
  async #orderByHand(client: string, given: Parameters): Promise<void> {
    const offsetS = Number(given["start_offset_seconds"] ?? (given["status"] === "active" ? 0 : AHEAD_S));
    await this.#server.operate("order", {
      era: client,
      order: handOrderFrom(given),
      ...(offsetS > 0 && { start: new Date(this.#clock.now() + offsetS * 1000).toISOString() }),
      durationS: Number(given["duration_seconds"] ?? DEFAULT_DURATION_S),
    });
  }

  #order(client: string, given: Parameters): void {
    const { powerKW } = orderFrom(given);
    const nowMs = this.#clock.now();
    const durationS = Number(given["duration_seconds"] ?? DEFAULT_DURATION_S);
    if (given["status"] === "active") {
      this.#server.order(client, powerKW, nowMs + durationS * 1000);
      return;
    }
    const offsetS = given["start_offset_seconds"];
    const earliestMs = Math.max(nowMs + AHEAD_S * 1000, this.#plannedUntilMs.get(client) ?? 0);
    const fromMs = offsetS === undefined ? earliestMs : nowMs + Number(offsetS) * 1000;
    this.#plannedUntilMs.set(client, fromMs + durationS * 1000);
    this.#server.orderAhead(client, powerKW, fromMs, fromMs + durationS * 1000);
  }

  #configFor(procedure: ServerProcedure, client: string, lfdi: string): ConfiguredDevice {
    const [first] = procedure.Preconditions.required_clients;
    const instructions = procedure.Steps.flatMap((step) =>
      (step.admin_instructions ?? []).map(({ type, parameters, client: named }) => ({
        type,
        parameters: resolvedAll(parameters ?? {}, this.#names),
        client: named ?? step.client ?? first?.id,
      })),
    ).filter((one) => one.client === client);
    const controls = instructions.filter(({ type }) => type === "create-der-control");
    const operator = this.#ranks?.operator;
    const isByHand =
      controls.some(({ parameters }) => !isPower(parameters)) ||
      modesOf(controls).size > 1 ||
      controls.some(({ parameters }) => operator !== undefined && parameters["primacy"] === operator);
    if (isByHand) this.#ordered.add(client);
    const orders = isByHand ? [] : controls.map(({ parameters }) => orderFrom(parameters));
    const kinds = new Set(orders.map(({ kind }) => kind));
    const kind = kinds.size === 1 ? (orders[0]?.kind ?? "battery") : "battery";
    const rampS = controls.find(({ parameters }) => parameters["rampTms"] !== undefined)?.parameters["rampTms"];
    const randomizeStartS = controls.find(({ parameters }) => parameters["randomizeStart_seconds"] !== undefined);
    return {
      era: client,
      kind,
      part: {
        lfdi,
        ...(kind === "solar" || kind === "battery" ? { ratingKW: RATING_KW } : {}),
        ...(kind === "solar" ? {} : { maxChargeKW: RATING_KW }),
        ...(orders[0] !== undefined && { control: orders[0].mode }),
        ...(rampS !== undefined && { rampS: Number(rampS) / 100 }),
        ...(randomizeStartS !== undefined && {
          randomizeStartS: Number(randomizeStartS.parameters["randomizeStart_seconds"]),
        }),
      },
    };
  }
}

/** Primacies of the two programs that the server can have. */
export interface ProgramRanks {
  readonly operator: number;
  readonly market: number;
}

/**
 * How the programs of a procedure rank, where it has two of them; they are config.
 * @throws NotRun for three or more
 */
export function programRanks(procedure: ServerProcedure): ProgramRanks | undefined {
  const instructions = procedure.Steps.flatMap((step) => deedsOf(step.admin_instructions));
  const primacies = instructions
    .filter(({ type }) => type === "ensure-der-program")
    .flatMap(({ parameters: { primacy } }) => (typeof primacy === "number" ? [primacy] : []));
  const [operator, market, ...more] = [...new Set(primacies)].sort((one, other) => one - other);
  if (more.length > 0) throw new NotRun("the server has two programs for each device");
  return operator === undefined || market === undefined ? undefined : { operator, market };
}

/** True for a control that a market's order of one power leads to. */
function isPower(parameters: Parameters): boolean {
  try {
    orderFrom(parameters);
    return true;
  } catch (error) {
    if (!(error instanceof NotRun)) throw error;
    return false;
  }
}

function modesOf(controls: readonly { readonly parameters: Parameters }[]): ReadonlySet<string> {
  return new Set(
    controls.filter(({ parameters }) => isPower(parameters)).map(({ parameters }) => orderFrom(parameters).mode),
  );
}

/** What an operator orders by hand, by the name that a procedure gives it. */
const ORDER_KEYS: Readonly<Record<string, string>> = {
  opModExpLimW: "exportKW",
  opModImpLimW: "importKW",
  opModGenLimW: "generationKW",
  opModLoadLimW: "loadKW",
  opModConnect: "connect",
  opModEnergize: "energize",
};

function handOrderFrom(parameters: Parameters): Readonly<Record<string, unknown>> {
  const named = Object.entries(parameters).flatMap(([name, value]) => {
    const key = ORDER_KEYS[name];
    return key === undefined ? [] : [[key, typeof value === "number" ? value / 1000 : value]];
  });
  return Object.fromEntries(named);
}

function orderFrom(parameters: Parameters): Order {
  const watts = (name: string) => {
    const value = parameters[name];
    return typeof value === "number" ? value / 1000 : undefined;
  };
  const pairs = [
    { mode: "opModExpLimW+opModImpLimW", outKW: watts("opModExpLimW"), inKW: watts("opModImpLimW") },
    { mode: "opModGenLimW+opModLoadLimW", outKW: watts("opModGenLimW"), inKW: watts("opModLoadLimW") },
  ].filter(({ outKW, inKW }) => outKW !== undefined || inKW !== undefined);
  const flags = ["opModConnect", "opModEnergize"].filter((name) => typeof parameters[name] === "boolean");
  if (pairs.length + flags.length !== 1) throw new NotRun("the server orders one kind of control at a time");
  const [flag] = flags;
  if (flag !== undefined) return { mode: flag, kind: "solar", powerKW: parameters[flag] === true ? RATING_KW : 0 };
  const { mode, outKW, inKW } = pairs[0] as (typeof pairs)[number];
  if (outKW !== undefined && inKW !== undefined) {
    if (outKW !== 0 && inKW !== 0) throw new NotRun("an order of the server leaves one direction open and not both");
    return { mode, kind: "battery", powerKW: outKW > 0 ? outKW : -inKW + 0 };
  }
  return outKW === undefined
    ? { mode, kind: "charger", powerKW: -(inKW ?? 0) + 0 }
    : { mode, kind: "solar", powerKW: outKW };
}

function defaultFrom(parameters: Parameters): Readonly<Record<string, number>> {
  const entries: [string, number][] = [];
  for (const [name, value] of Object.entries(parameters)) {
    const key = DEFAULT_KEYS[name];
    if (key !== undefined && typeof value === "number") entries.push([key, value / (name === "setGradW" ? 100 : 1000)]);
  }
  return Object.fromEntries(entries);
}

/** True if the device is to be in the list only once it has put itself there. */
export function registersInBand(procedure: ServerProcedure): boolean {
  const [first] = procedure.Steps;
  return deedsOf(first?.admin_instructions).some(
    ({ type, parameters }) => type === "ensure-end-device" && parameters["registered"] === false,
  );
}
