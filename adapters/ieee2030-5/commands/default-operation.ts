import { z } from "zod";
import type { Clock } from "../../../src/clock.ts";
import type { Era } from "../../../src/model/resource.ts";
import { type AdapterOperation, OperationError } from "../../kind.ts";
import { CSIPAUS_BOUNDS, type DefaultControl, type Device, defaultControlSchema } from "../config.ts";
import type { DefaultChanges } from "../default-control.ts";

/** What a device does while no control holds, and who says so. */
export interface ListedDefault {
  readonly era: Era;
  readonly setBy: "config" | "operator";
  readonly bounds: DefaultControl;
}

interface DefaultedDevice {
  readonly era: Era;
  readonly csipaus: Device["csipaus"];
  readonly defaults: { readonly bounds: DefaultControl; readonly areSet: boolean };
  changeDefaults(changes: DefaultChanges | "reset"): Promise<void>;
}

const changesSchema = z.strictObject({
  era: z.string().optional(),
  changes: z.partialRecord(defaultControlSchema.keyof(), z.number().nullable()).optional(),
  reset: z.boolean().optional(),
});

/** The operation behind `setpointd 2030.5 default`: shows what holds without a control, after changing it where asked to. */
export function defaultControls(devices: () => Iterable<DefaultedDevice>, clock: Clock): AdapterOperation {
  return async (input) => {
    const { era, changes, reset } = read(input);
    const meant = [...devices()].filter((device) => era === undefined || device.era === era);
    if (era !== undefined && meant.length === 0)
      throw new OperationError("not-found", `no device "${era}" polls this gateway over IEEE 2030.5`);
    if (changes !== undefined || reset === true) {
      const [device] = meant;
      if (era === undefined || device === undefined)
        throw new OperationError("invalid", "a default is changed for one device; say its ERA");
      throwIfUnknown(device, changes);
      await device.changeDefaults(changes ?? "reset");
    }
    return { at: new Date(clock.now()).toISOString(), defaults: meant.map(listed) };
  };
}

/** @throws OperationError that names the bound and what was expected */
function read(input: unknown): z.output<typeof changesSchema> {
  const parsed = changesSchema.safeParse(input ?? {});
  if (!parsed.success) throw new OperationError("invalid", z.prettifyError(parsed.error));
  const { changes = {}, reset } = parsed.data;
  if (parsed.data.changes !== undefined && reset === true)
    throw new OperationError("invalid", "either bounds or a reset, not both");
  const bounds = Object.fromEntries(Object.entries(changes).filter(([, bound]) => bound !== null));
  const checked = defaultControlSchema.safeParse(bounds);
  if (!checked.success) throw new OperationError("invalid", z.prettifyError(checked.error));
  return parsed.data;
}

/** @throws OperationError for a bound that the device has no control for */
function throwIfUnknown({ era, csipaus }: DefaultedDevice, changes: DefaultChanges = {}): void {
  const unknown = CSIPAUS_BOUNDS.find((bound) => typeof changes[bound] === "number");
  if (csipaus === "none" && unknown !== undefined)
    throw new OperationError("invalid", `${unknown} is of CSIP-AUS, and ${era} has csipaus: none`);
}

function listed({ era, defaults }: DefaultedDevice): ListedDefault {
  return { era, setBy: defaults.areSet ? "operator" : "config", bounds: defaults.bounds };
}
