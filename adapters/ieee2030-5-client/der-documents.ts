import type { ReactiveBounds } from "../../src/model/resource.ts";
import type { MeteredDevice } from "../../src/model/utility.ts";
import { activePowerElements, activePowerFromWatts } from "../ieee2030-5/xml/active-power.ts";
import { element, type OutElement, tag } from "../ieee2030-5/xml/xml-write.ts";
import { type DerRatings, derOf } from "./der-ratings.ts";
import type { HeldControls } from "./event-schedule.ts";

export type CsipAus = "none" | "1.2" | "1.3";

const CSIP_AUS_1_2 = "https://csipaus.org/ns";
const CSIP_AUS_1_3 = "https://csipaus.org/ns/v1.3";
/** Bits of DERControlType: opModConnect 2, opModEnergize 3, opModFixedW 7, opModMaxLimW 20, opModTargetW 22. */
const MODES = "0050008C";
/** Bits of doeModesSupported: ExpLim, ImpLim, GenLim, LoadLim. */
const DOE_MODES = "0000000F";
/** Bit of vppModesSupported: opModStorageTargetW. */
const VPP_MODES = "00000001";
/** setGradW where the server sets none: the whole power in under four seconds, as fast as most devices follow. */
const OWN_GRADIENT = 2700;
/** DERType. */
const TYPE = { mixed: 1, solar: 4, storage: 80, solarAndStorage: 83 } as const;

/** What a document of a DER is made from. */
export interface DerState {
  readonly devices: readonly MeteredDevice[];
  readonly ratings: DerRatings;
  readonly csipAus: CsipAus;
  /** Controls that hold now. */
  readonly held: HeldControls;
  /** setGradW that the server has set, hundredths of a percent of setMaxW per second; absent while it has set none. */
  readonly gradient: number | undefined;
  /** Server time, epoch seconds. */
  readonly nowS: number;
}

export function derCapability({ ratings, devices, csipAus }: DerState): OutElement {
  const { maxKW, maxChargeKW, maxDischargeKW, capacityKWh, reactiveRating } = ratings;
  return tag("DERCapability", extensionNamespaces(csipAus), [
    element("modesSupported", MODES),
    maxChargeKW > 0 ? quantity("rtgMaxChargeRateW", maxChargeKW * 1000) : undefined,
    maxDischargeKW > 0 ? quantity("rtgMaxDischargeRateW", maxDischargeKW * 1000) : undefined,
    ...reactive("rtg", reactiveRating, maxKW),
    quantity("rtgMaxW", maxKW * 1000),
    capacityKWh > 0 ? quantity("rtgMaxWh", capacityKWh * 1000) : undefined,
    element("type", derType(ratings, devices)),
    ...extensions(csipAus, "doeModesSupported", "vppModesSupported", maxDischargeKW > 0),
  ]);
}

export function derSettings({ ratings, csipAus, gradient, nowS }: DerState): OutElement {
  const { maxKW, maxChargeKW, maxDischargeKW, capacityKWh, reserveKWh, reactiveSetting } = ratings;
  return tag("DERSettings", extensionNamespaces(csipAus), [
    element("modesEnabled", MODES),
    element("setGradW", gradient ?? OWN_GRADIENT),
    maxChargeKW > 0 ? quantity("setMaxChargeRateW", maxChargeKW * 1000) : undefined,
    maxDischargeKW > 0 ? quantity("setMaxDischargeRateW", maxDischargeKW * 1000) : undefined,
    ...reactive("set", reactiveSetting, maxKW),
    quantity("setMaxW", maxKW * 1000),
    capacityKWh > 0 ? quantity("setMaxWh", capacityKWh * 1000) : undefined,
    element("updatedTime", nowS),
    ...extensions(csipAus, "doeModesEnabled", "vppModesEnabled", maxDischargeKW > 0),
    csipAus === "1.3" && reserveKWh !== undefined ? quantity("csipaus13:setMinWh", reserveKWh * 1000) : undefined,
  ]);
}

function derType({ maxDischargeKW, hasSolar }: DerRatings, devices: readonly MeteredDevice[]): number {
  const kinds = new Set(derOf(devices).map(({ kind }) => kind));
  kinds.delete("solar");
  kinds.delete("battery");
  if (kinds.size > 0) return TYPE.mixed;
  if (maxDischargeKW === 0) return hasSolar ? TYPE.solar : TYPE.mixed;
  return hasSolar ? TYPE.solarAndStorage : TYPE.storage;
}

/** What the devices state beside active power. Where they state no apparent power it is the active one. */
function reactive(prefix: "rtg" | "set", bounds: ReactiveBounds, maxKW: number): readonly (OutElement | undefined)[] {
  const { apparentKVA = maxKW, injectKvar, absorbKvar, leastOverExcitedPF, leastUnderExcitedPF } = bounds;
  return [
    quantity(`${prefix}MaxVA`, apparentKVA * 1000),
    injectKvar === undefined ? undefined : quantity(`${prefix}MaxVar`, injectKvar * 1000),
    // What is taken in counts negative: the schema has its default as the negative of the other.
    absorbKvar === undefined ? undefined : quantity(`${prefix}MaxVarNeg`, -absorbKvar * 1000),
    powerFactor(`${prefix}MinPFOverExcited`, leastOverExcitedPF),
    powerFactor(`${prefix}MinPFUnderExcited`, leastUnderExcitedPF),
  ];
}

function powerFactor(name: string, value: number | undefined): OutElement | undefined {
  if (value === undefined) return undefined;
  return element(name, [element("displacement", Math.round(value * 1000)), element("multiplier", -3)]);
}

/** A quantity in the finest form that fits, rounded towards zero. */
function quantity(name: string, value: number): OutElement {
  return element(name, activePowerElements(activePowerFromWatts(value)));
}

function extensionNamespaces(csipAus: CsipAus): OutElement["attributes"] {
  if (csipAus === "none") return {};
  return { "xmlns:csipaus": CSIP_AUS_1_2, ...(csipAus === "1.3" && { "xmlns:csipaus13": CSIP_AUS_1_3 }) };
}

function extensions(
  csipAus: CsipAus,
  doe: string,
  vpp: string,
  hasStorage: boolean,
): readonly (OutElement | undefined)[] {
  if (csipAus === "none") return [];
  const hasVpp = csipAus === "1.3" && hasStorage;
  return [element(`csipaus:${doe}`, DOE_MODES), hasVpp ? element(`csipaus13:${vpp}`, VPP_MODES) : undefined];
}

/** The connection point of CSIP-AUS, by the name that the distributor knows it by. */
export function connectionPoint(id: string): OutElement {
  return tag("csipaus:ConnectionPoint", { "xmlns:csipaus": CSIP_AUS_1_2 }, [element("csipaus:connectionPointId", id)]);
}
