import { type XmlElement, XmlFault } from "./xml-in.ts";

/** The namespace of IEEE 2030.5-2018 and later. */
export const NAMESPACE = "urn:ieee:std:2030.5:ns";

/**
 * What a device and a utility server read, in the order of the 2018 schema. `!` marks what must be there, `*` what may be there many times,
 * `@` an attribute. Elements that only link elsewhere need no row: each of them must have a `href`.
 */
const SHAPES: Readonly<Record<string, string>> = {
  DeviceCapability: `CustomerAccountListLink DemandResponseProgramListLink DERProgramListLink FileListLink
    MessagingProgramListLink PrepaymentListLink ResponseSetListLink TariffProfileListLink TimeLink UsagePointListLink
    EndDeviceListLink MirrorUsagePointListLink SelfDeviceLink`,
  Time: "currentTime! dstEndTime! dstOffset! dstStartTime! localTime quality! tzOffset!",
  EndDeviceList: "@all! @results! EndDevice*",
  EndDevice: `ConfigurationLink DERListLink deviceCategory DeviceInformationLink DeviceStatusLink FileStatusLink
    IPInterfaceListLink lFDI LoadShedAvailabilityListLink LogEventListLink PowerStatusLink sFDI! changedTime! enabled
    FlowReservationRequestListLink FlowReservationResponseListLink FunctionSetAssignmentsListLink postRate
    RegistrationLink SubscriptionListLink`,
  Registration: "dateTimeRegistered! pIN!",
  FunctionSetAssignmentsList: "@all! @results! FunctionSetAssignments*",
  FunctionSetAssignments: `CustomerAccountListLink DemandResponseProgramListLink DERProgramListLink FileListLink
    MessagingProgramListLink PrepaymentListLink ResponseSetListLink TariffProfileListLink TimeLink UsagePointListLink
    mRID! description version`,
  DERProgramList: "@all! @results! DERProgram*",
  DERProgram: `mRID! description version ActiveDERControlListLink DefaultDERControlLink DERControlListLink
    DERCurveListLink primacy!`,
  DERList: "@all! @results! DER*",
  DER: `AssociatedDERProgramListLink AssociatedUsagePointLink CurrentDERProgramLink DERAvailabilityLink
    DERCapabilityLink DERSettingsLink DERStatusLink`,
  DERControlList: "@all! @results! DERControl*",
  DERControl: `mRID! description version creationTime! EventStatus! interval! randomizeDuration randomizeStart
    DERControlBase! deviceCategory`,
  EventStatus: "currentStatus! dateTime! potentiallySuperseded! potentiallySupersededTime reason",
  interval: "duration! start!",
  DERControlBase: `opModConnect opModEnergize opModFixedPFAbsorbW opModFixedPFInjectW opModFixedVar opModFixedW
    opModFreqDroop opModFreqWatt opModHFRTMayTrip opModHFRTMustTrip opModHVRTMayTrip opModHVRTMomentaryCessation
    opModHVRTMustTrip opModLFRTMayTrip opModLFRTMustTrip opModLVRTMayTrip opModLVRTMomentaryCessation
    opModLVRTMustTrip opModMaxLimW opModTargetVar opModTargetW opModVoltVar opModVoltWatt opModWattPF opModWattVar
    rampTms`,
  opModTargetW: "multiplier! value!",
  DefaultDERControl: `mRID! description version DERControlBase! setESDelay setESHighFreq setESHighVolt setESLowFreq
    setESLowVolt setESRampTms setESRandomDelay setGradW setSoftGradW`,
  Notification: "subscribedResource! newResourceURI Resource status! subscriptionURI!",
  Subscription: "subscribedResource! Condition encoding! level! limit! notificationURI!",
  DERControlResponse: "createdDateTime endDeviceLFDI! status subject!",
  DERCapability: `modesSupported! rtgAbnormalCategory rtgMaxA rtgMaxAh rtgMaxChargeRateVA rtgMaxChargeRateW
    rtgMaxDischargeRateVA rtgMaxDischargeRateW rtgMaxV rtgMaxVA rtgMaxVar rtgMaxVarNeg rtgMaxW! rtgMaxWh
    rtgMinPFOverExcited rtgMinPFUnderExcited rtgMinV rtgNormalCategory rtgOverExcitedPF rtgOverExcitedW
    rtgReactiveSusceptance rtgUnderExcitedPF rtgUnderExcitedW rtgVNom type!`,
  DERSettings: `modesEnabled setESDelay setESHighFreq setESHighVolt setESLowFreq setESLowVolt setESRampTms
    setESRandomDelay setGradW! setMaxA setMaxAh setMaxChargeRateVA setMaxChargeRateW setMaxDischargeRateVA
    setMaxDischargeRateW setMaxV setMaxVA setMaxVar setMaxVarNeg setMaxW! setMaxWh setMinPFOverExcited
    setMinPFUnderExcited setMinV setSoftGradW setVNom setVRef setVRefOfs updatedTime!`,
  DERStatus: `alarmStatus genConnectStatus inverterStatus localControlModeStatus manufacturerStatus
    operationalModeStatus readingTime! stateOfChargeStatus storageModeStatus storConnectStatus`,
  DERAvailability: `availabilityDuration maxChargeDuration readingTime! reserveChargePercent reservePercent statVarAvail
    statWAvail`,
  MirrorUsagePoint: `mRID! description version roleFlags! serviceCategoryKind! status! deviceLFDI! MirrorMeterReading*
    postRate`,
  MirrorMeterReadingList: "MirrorMeterReading*",
  MirrorMeterReading: `mRID! description version lastUpdateTime MirrorReadingSet* nextUpdateTime Reading
    ReadingType`,
  MirrorReadingSet: "mRID! description version timePeriod! Reading*",
  Reading: "consumptionBlock qualityFlags timePeriod touTier value localID",
  timePeriod: "duration! start!",
  LogEvent: `createdDateTime! details extendedData functionSet! logEventCode! logEventID! logEventPEN!
    profileID!`,
};

interface Member {
  readonly name: string;
  readonly required: boolean;
  readonly many: boolean;
}

interface Shape {
  readonly attributes: readonly string[];
  readonly members: readonly Member[];
}

const shapes = new Map<string, Shape>(Object.entries(SHAPES).map(([name, row]) => [name, shapeFrom(row)]));

/**
 * Checks an element and all below it against the schema: right namespace, nothing unknown, everything in order, nothing
 * that must be there missing. Elements of other namespaces are extensions and may stand at the end.
 * @throws XmlFault that names the element and its parent
 */
export function checkShape(element: XmlElement): void {
  if (element.namespace !== NAMESPACE) {
    throw new XmlFault(`${element.name} is in the namespace "${element.namespace}", not in "${NAMESPACE}"`);
  }
  if (element.name.endsWith("Link") && !element.attributes.has("href"))
    throw new XmlFault(`${element.name} has no href`);
  const shape = shapes.get(element.name);
  if (shape === undefined) return;
  for (const name of shape.attributes) {
    if (!element.attributes.has(name)) throw new XmlFault(`${element.name} lacks the attribute ${name}`);
  }
  checkMembers(element, shape.members);
  for (const child of element.children) if (child.namespace === NAMESPACE) checkShape(child);
}

function checkMembers(element: XmlElement, members: readonly Member[]): void {
  const counts = new Map<string, number>();
  let reached = -1;
  let inExtensions = false;
  for (const child of element.children) {
    if (child.namespace !== NAMESPACE) {
      inExtensions = true;
      continue;
    }
    const place = members.findIndex((member) => member.name === child.name);
    const member = members[place];
    if (member === undefined) throw new XmlFault(`${element.name} must not contain ${child.name}`);
    if (place < reached || inExtensions) throw new XmlFault(`${child.name} is out of order in ${element.name}`);
    const count = (counts.get(child.name) ?? 0) + 1;
    if (count > 1 && !member.many) throw new XmlFault(`${child.name} stands twice in ${element.name}`);
    counts.set(child.name, count);
    reached = place;
  }
  const missing = members.find((member) => member.required && !counts.has(member.name));
  if (missing !== undefined) throw new XmlFault(`${element.name} lacks ${missing.name}`);
}

function shapeFrom(row: string): Shape {
  const words = row.split(/\s+/).filter((word) => word !== "");
  return {
    attributes: words.filter((word) => word.startsWith("@")).map((word) => word.replaceAll(/[@!]/g, "")),
    members: words
      .filter((word) => !word.startsWith("@"))
      .map((word) => ({
        name: word.replace(/[!*]$/, ""),
        required: word.endsWith("!"),
        many: word.endsWith("*"),
      })),
  };
}
