import type { Evidence } from "../../../src/model/adapter.ts";
import { kWFromRawPercent, percentText } from "./power-conversion.ts";

/** What the registers of a limit in percent say, in words and in kW. */
export function limitEvidence(
  model: string,
  shown: { readonly isEnabled: boolean; readonly raw: number | undefined; readonly scale: number | undefined },
  ratingKW: number | undefined,
): Evidence {
  const { isEnabled, raw, scale } = shown;
  if (!isEnabled) return { text: `${model} says that no limit is enabled` };
  if (raw === undefined || scale === undefined) return { text: `${model} says that a limit is enabled, and not which` };
  return {
    text: `${model} says ${percentText(raw, scale)} %, enabled`,
    ...(ratingKW === undefined ? {} : { saysKW: kWFromRawPercent(raw, ratingKW, scale) }),
  };
}
