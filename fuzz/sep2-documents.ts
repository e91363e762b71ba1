/** One request of a device that is right as it stands. */
export interface DeviceDocument {
  readonly method: "PUT" | "POST";
  /** `{n}` is the device's number, `{mup}` one of its usage points. */
  readonly path: string;
  readonly xml: string;
}

/** Stands for an event of ours and for the device's own LFDI; the sender knows the real ones. */
export const EVENT_MRID = "0000000000000000EEEEEEEEEEEEEEEE";
export const DEVICE_LFDI = "DDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDD";

const NOW_S = 1_795_473_000;
const watts = (name: string, value: number, multiplier = 0) =>
  `<${name}><multiplier>${multiplier}</multiplier><value>${value}</value></${name}>`;
const dated = (name: string, value: string | number) =>
  `<${name}><dateTime>${NOW_S}</dateTime><value>${value}</value></${name}>`;
const document = (name: string, content: string) => `<${name} xmlns="urn:ieee:std:2030.5:ns">${content}</${name}>`;
const mRID = (low: number) => `<mRID>${low.toString(16).padStart(32, "0").toUpperCase()}</mRID>`;
const period = `<timePeriod><duration>60</duration><start>${NOW_S}</start></timePeriod>`;
const readingType = (uom: number, flow: number) =>
  "<ReadingType><accumulationBehaviour>4</accumulationBehaviour><commodity>1</commodity><dataQualifier>2</dataQualifier>" +
  `<flowDirection>${flow}</flowDirection><intervalLength>60</intervalLength><kind>37</kind><phase>0</phase>` +
  `<powerOfTenMultiplier>0</powerOfTenMultiplier><uom>${uom}</uom></ReadingType>`;
const meterReading = (low: number, content: string) =>
  `<MirrorMeterReading>${mRID(low)}<description>fuzz</description>${content}</MirrorMeterReading>`;
const reading = (value: number) => `<Reading>${period}<value>${value}</value></Reading>`;
const usagePoint = (low: number) =>
  `${mRID(low)}<description>inverter</description><roleFlags>0049</roleFlags><serviceCategoryKind>0</serviceCategoryKind>` +
  `<status>1</status><deviceLFDI>${DEVICE_LFDI}</deviceLFDI>` +
  meterReading(low + 1, readingType(38, 1) + reading(-3481)) +
  meterReading(low + 2, readingType(72, 19) + reading(123_456));

/** The documents of a device's record, which it puts as a whole. */
export const RECORD_DOCUMENTS: readonly DeviceDocument[] = [
  {
    method: "PUT",
    path: "/edev/{n}/der/1/dercap",
    xml: document(
      "DERCapability",
      "<modesSupported>00500088</modesSupported>" +
        watts("rtgMaxChargeRateW", 5000) +
        watts("rtgMaxDischargeRateW", 5000) +
        watts("rtgMaxVA", 5500) +
        watts("rtgMaxW", 5000) +
        watts("rtgMaxWh", 10, 3) +
        "<type>83</type>",
    ),
  },
  {
    method: "PUT",
    path: "/edev/{n}/der/1/derg",
    xml: document(
      "DERSettings",
      "<modesEnabled>00500088</modesEnabled><setGradW>27</setGradW>" +
        watts("setMaxChargeRateW", 5000) +
        watts("setMaxDischargeRateW", 5000) +
        watts("setMaxW", 5000) +
        `<updatedTime>${NOW_S}</updatedTime>`,
    ),
  },
  {
    method: "PUT",
    path: "/edev/{n}/der/1/ders",
    xml: document(
      "DERStatus",
      `<alarmStatus>00000000</alarmStatus>${dated("genConnectStatus", "07")}${dated("inverterStatus", 4)}` +
        `${dated("operationalModeStatus", 2)}<readingTime>${NOW_S}</readingTime>${dated("stateOfChargeStatus", 6400)}`,
    ),
  },
  {
    method: "PUT",
    path: "/edev/{n}/der/1/dera",
    xml: document(
      "DERAvailability",
      `<availabilityDuration>3600</availabilityDuration><readingTime>${NOW_S}</readingTime>` +
        `<reservePercent>2000</reservePercent>${watts("statWAvail", 4200)}`,
    ),
  },
];

/** A meter of a device, made anew or again. */
export const USAGE_POINT: DeviceDocument = {
  method: "POST",
  path: "/mup",
  xml: document("MirrorUsagePoint", usagePoint(0x201)),
};

const response = (status: number): DeviceDocument => ({
  method: "POST",
  path: "/rsps/{n}/rsp",
  xml: document(
    "DERControlResponse",
    `<createdDateTime>${NOW_S}</createdDateTime><endDeviceLFDI>${DEVICE_LFDI}</endDeviceLFDI><status>${status}</status>` +
      `<subject>${EVENT_MRID}</subject>`,
  ),
});

const LOG_EVENT: DeviceDocument = {
  method: "POST",
  path: "/edev/{n}/lel",
  xml: document(
    "LogEvent",
    `<createdDateTime>${NOW_S}</createdDateTime><details>over voltage</details><functionSet>11</functionSet>` +
      "<logEventCode>2</logEventCode><logEventID>17</logEventID><logEventPEN>40732</logEventPEN><profileID>2</profileID>",
  ),
};

/** What is kept in rows that have an end: as many of these push out all that stood there before. */
export const ROW_DOCUMENTS: readonly DeviceDocument[] = [LOG_EVENT, response(1)];

/** All that a device sends. */
export const DEVICE_DOCUMENTS: readonly DeviceDocument[] = [
  ...RECORD_DOCUMENTS,
  USAGE_POINT,
  { method: "PUT", path: "/mup/{mup}", xml: document("MirrorUsagePoint", usagePoint(0x201)) },
  {
    method: "POST",
    path: "/mup/{mup}",
    xml: document(
      "MirrorMeterReading",
      `${mRID(0x202)}<MirrorReadingSet>${mRID(0x301)}${period}${reading(-3481)}${reading(-12)}</MirrorReadingSet>`,
    ),
  },
  {
    method: "POST",
    path: "/mup/{mup}",
    xml: document("MirrorMeterReadingList", meterReading(0x202, reading(5)) + meterReading(0x203, reading(7))),
  },
  ...[1, 2, 3, 7, 252].map(response),
  {
    method: "POST",
    path: "/edev/{n}/sub",
    xml: document(
      "Subscription",
      "<subscribedResource>/edev/{n}/derp/1/derc</subscribedResource><encoding>0</encoding><level>+S1</level>" +
        "<limit>10</limit><notificationURI>https://127.0.0.1:9/ntfy</notificationURI>",
    ),
  },
  LOG_EVENT,
  {
    method: "POST",
    path: "/edev",
    xml: document(
      "EndDevice",
      `<lFDI>${DEVICE_LFDI}</lFDI><sFDI>281117141545</sFDI><changedTime>${NOW_S}</changedTime>`,
    ),
  },
];
