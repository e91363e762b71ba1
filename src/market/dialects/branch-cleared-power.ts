import { Refusal } from "../answer.ts";
import type { WireFields } from "../wire-fields.ts";
import type { DialectPolicy } from "./order-codec.ts";

const MAX_NAMES = 10_000;

/** A prosumer's role in a contract, as far as it is filled in. */
export interface Prosumer {
  readonly filledBy?: string;
  readonly meterId?: string;
  /** Lowest and highest power of its offer curve, kW, in the market's sign. */
  readonly minExportKW?: number;
  readonly maxExportKW?: number;
  readonly currency?: string;
}

/** A power that the market cleared for us. */
export interface OwnPower {
  readonly path: string;
  /** kW, in the market's sign. */
  readonly value: number;
  /** Our meters that it is for, where the message says so. */
  readonly meterIds: readonly string[];
  /** The role that it was cleared for, if that is a single one. */
  readonly prosumer?: Prosumer;
}

/**
 * What `clearedPower` holds for us: in a table of all participants the entry under our id or our meter, as a bare number
 * the whole. None where nothing is cleared yet.
 *
 * Our names are our id in the context, the configured meters, and the meter of a role that we fill. The name of the only
 * prosumer counts too if nobody else stands in the table, since the message is addressed to us.
 * @throws Refusal if the table has entries and none is ours, or two of ours that contradict each other
 */
export function ownPowers(
  at: WireFields,
  prosumers: readonly Prosumer[],
  bapId: string,
  policy: DialectPolicy,
): readonly OwnPower[] {
  const given = at.raw("clearedPower");
  if (given === undefined || given === null) return [];
  const path = at.pathOf("clearedPower");
  const ours = prosumers.filter((one) => one.filledBy === bapId);
  if (typeof given === "number") return [{ path, value: given, ...roleFacts(ours, policy) }];
  if (at.objectIfAny("clearedPower") === undefined) at.fail("clearedPower", "expected a table of powers, or a number");
  const names = Object.entries(given);
  if (names.length === 0) return [];
  if (names.length > MAX_NAMES) at.fail("clearedPower", `expected at most ${MAX_NAMES} names`);

  const whole: OwnPower[] = [];
  const metered: OwnPower[] = [];
  for (const [name, value] of names) {
    const entry = { path: `${path}.${name}`, value: powerOf(value, `${path}.${name}`) };
    const sole =
      names.length === 1 && prosumers.length === 1 && prosumers[0]?.filledBy === name ? prosumers : undefined;
    const byMeter = [...ours, ...(sole ?? [])].filter((one) => one.meterId === name);
    if (policy.isMeter(name)) metered.push({ ...entry, meterIds: [name], ...only(byMeter) });
    else if (name === bapId) whole.push({ ...entry, ...roleFacts(ours, policy) });
    else if (byMeter.length > 0) whole.push({ ...entry, meterIds: [], ...only(byMeter) });
    else if (sole !== undefined) whole.push({ ...entry, ...roleFacts(sole, policy) });
  }
  if (whole.length + metered.length === 0) {
    const fault = `none of its ${names.length} names is ours: neither "${bapId}" nor one of our meters`;
    throw new Refusal(404, "RESOURCE_UNKNOWN", path, fault);
  }
  return cleared(oneForm(whole, metered));
}

function powerOf(value: unknown, path: string): number {
  // Not cleared yet; taken out again below, once it is known whose it is.
  if (value === null) return Number.NaN;
  if (typeof value === "number") return value;
  throw new Refusal(400, "MESSAGE_INVALID", path, "expected a number, kW");
}

/** Our power under our id and under our meters is the same power told twice, and must not be added up. */
function oneForm(whole: readonly OwnPower[], metered: readonly OwnPower[]): readonly OwnPower[] {
  const [first, ...others] = whole;
  if (first === undefined) return metered;
  const contradiction = others.find((one) => !Object.is(one.value, first.value));
  if (contradiction !== undefined) {
    throw new Refusal(
      400,
      "MESSAGE_INVALID",
      contradiction.path,
      `contradicts ${first.value} under another of our names`,
    );
  }
  if (metered.length === 0) return [first];
  const sum = metered.reduce((total, { value }) => total + value, 0);
  if (Math.abs(sum - first.value) <= 1e-6) return metered;
  const fault = `our meters have ${sum} kW in sum, and we as a whole ${first.value}`;
  throw new Refusal(400, "MESSAGE_INVALID", first.path, fault);
}

function cleared(entries: readonly OwnPower[]): readonly OwnPower[] {
  return entries.filter(({ value }) => !Number.isNaN(value));
}

/** Which of our meters the roles name, and the role itself if it is one. */
function roleFacts(roles: readonly Prosumer[], policy: DialectPolicy): Pick<OwnPower, "meterIds" | "prosumer"> {
  const meterIds = roles.flatMap(({ meterId }) => (meterId !== undefined && policy.isMeter(meterId) ? [meterId] : []));
  return { meterIds, ...only(roles) };
}

function only(roles: readonly Prosumer[]): { readonly prosumer?: Prosumer } {
  const [role, other] = roles;
  return role !== undefined && other === undefined ? { prosumer: role } : {};
}
