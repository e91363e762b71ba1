import { type ControlSpec, writesOf } from "./control-schema.ts";
import type { PointValue } from "./point-value.ts";
import type { ProfileDevice } from "./profile-device.ts";

/** Points with what they held before our first write. */
export type HeldPoints = readonly (readonly [point: string, value: PointValue])[];

/** What the points hold that a control writes; those that the device does not show are left out. @throws CoapError */
export async function heldPoints(spec: ControlSpec, device: ProfileDevice, signal: AbortSignal): Promise<HeldPoints> {
  const names = [...new Set(spec.sequence.flatMap(writesOf).map(({ point }) => point))];
  const { reader, profile } = device;
  const shownAs = (name: string) => profile.points[name]?.readAs ?? name;
  await reader.readPoints(names.map(shownAs), signal);
  return names.flatMap((name): HeldPoints => {
    const value = reader.look(shownAs(name));
    return value === undefined ? [] : [[name, value]];
  });
}
