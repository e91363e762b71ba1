import type { ControlMode } from "./control-modes.ts";
import { CSIP_AUS, doeModesHex, modesHex } from "./control-modes.ts";
import type { Hardware } from "./hardware.ts";
import { group, leaf, writeXml, type XmlNode } from "./xml-out.ts";

/** Codes of DERType. */
const DER_TYPE = { solar: 4, battery: 80, evse: 82 } as const;

/** What the device is built for. */
export function capabilityXml(hardware: Hardware, modes: readonly ControlMode[]): string {
  const { maxKW, maxChargeKW, maxDischargeKW } = hardware.ratings;
  const storage = hardware.storage();
  return writeXml(
    group(
      "DERCapability",
      leaf("modesSupported", modesHex(modes)),
      maxChargeKW > 0 ? watts("rtgMaxChargeRateW", maxChargeKW) : undefined,
      maxDischargeKW === undefined ? undefined : watts("rtgMaxDischargeRateW", maxDischargeKW),
      watts("rtgMaxVA", maxKW),
      watts("rtgMaxW", maxKW),
      storage && watts("rtgMaxWh", storage.capacityKWh),
      leaf("type", DER_TYPE[hardware.kind]),
      doeModes("doeModesSupported", modes),
    ),
  );
}

/** What it is set to: the bases of every percentage in a control. */
export function settingsXml(hardware: Hardware, modes: readonly ControlMode[], nowS: number): string {
  const { maxKW, maxChargeKW, maxDischargeKW } = hardware.ratings;
  return writeXml(
    group(
      "DERSettings",
      leaf("modesEnabled", modesHex(modes)),
      // Hundredths of a percent of setMaxW per second: the whole range in one second, since the hardware sets the pace.
      leaf("setGradW", 10_000),
      maxChargeKW > 0 ? watts("setMaxChargeRateW", maxChargeKW) : undefined,
      maxDischargeKW === undefined ? undefined : watts("setMaxDischargeRateW", maxDischargeKW),
      watts("setMaxVA", maxKW),
      watts("setMaxW", maxKW),
      leaf("updatedTime", nowS),
      doeModes("doeModesEnabled", modes),
    ),
  );
}

export function statusXml(hardware: Hardware, isCurtailed: boolean, nowS: number): string {
  const storage = hardware.storage();
  const powerKW = hardware.powerKW();
  const dated = (name: string, value: string | number) => group(name, leaf("dateTime", nowS), leaf("value", value));
  return writeXml(
    group(
      "DERStatus",
      leaf("alarmStatus", "00000000"),
      // Bits: connected, available, operating.
      dated("genConnectStatus", "07"),
      // 4 tracks the most power, 5 is held below it.
      dated("inverterStatus", isCurtailed ? 5 : 4),
      dated("operationalModeStatus", 2),
      leaf("readingTime", nowS),
      storage && dated("stateOfChargeStatus", Math.round(storage.socPercent * 100)),
      storage && dated("storageModeStatus", powerKW < 0 ? 0 : powerKW > 0 ? 1 : 2),
    ),
  );
}

export function availabilityXml(hardware: Hardware, nowS: number): string {
  return writeXml(
    group("DERAvailability", leaf("readingTime", nowS), watts("statWAvail", Math.max(0, hardware.availableKW()))),
  );
}

/** CSIP-AUS's own element at the end of a document of the standard. */
function doeModes(name: string, modes: readonly ControlMode[]): XmlNode | undefined {
  const hex = doeModesHex(modes);
  return hex === undefined ? undefined : { name, content: hex, attributes: { xmlns: CSIP_AUS } };
}

/** A power in kW, or an energy in kWh, as 16 bits and a power of ten. */
function watts(name: string, value: number): XmlNode {
  let multiplier = 0;
  let mantissa = Math.round(value * 1000);
  while (Math.abs(mantissa) > 32_767) {
    multiplier += 1;
    mantissa = Math.round((value * 1000) / 10 ** multiplier);
  }
  return group(name, leaf("multiplier", multiplier), leaf("value", mantissa));
}
