/**
 * In which order the elements of a type must stand: first those of the types that it extends, then its own
 * (schema of IEEE 2030.5-2018; those of CSIP-AUS after all others). Types that are named as an element is.
 */

const IDENTIFIED = ["mRID", "description", "version"];
const READING = ["consumptionBlock", "qualityFlags", "timePeriod", "touTier", "value"];
const RESPONSE = ["createdDateTime", "endDeviceLFDI", "status", "subject"];

const ASSIGNMENTS = [
  ...["CustomerAccountListLink", "DemandResponseProgramListLink", "DERProgramListLink", "FileListLink"],
  ...["MessagingProgramListLink", "PrepaymentListLink", "ResponseSetListLink", "TariffProfileListLink", "TimeLink"],
  "UsagePointListLink",
];

const CURVES = ["FRTMayTrip", "FRTMustTrip"];
const ENTER_SERVICE = [
  ...["setESDelay", "setESHighFreq", "setESHighVolt", "setESLowFreq", "setESLowVolt", "setESRampTms"],
  "setESRandomDelay",
];

const ABSTRACT_DEVICE = [
  ...["ConfigurationLink", "DERListLink", "deviceCategory", "DeviceInformationLink", "DeviceStatusLink"],
  ...["FileStatusLink", "IPInterfaceListLink", "lFDI", "LoadShedAvailabilityListLink", "LogEventListLink"],
  ...["PowerStatusLink", "sFDI"],
];

const ORDERS: Readonly<Record<string, readonly string[]>> = {
  DERControl: [
    ...IDENTIFIED,
    ...["creationTime", "EventStatus", "interval", "randomizeDuration", "randomizeStart"],
    ...["DERControlBase", "deviceCategory"],
  ],
  EventStatus: ["currentStatus", "dateTime", "potentiallySuperseded", "potentiallySupersededTime", "reason"],
  DERControlBase: [
    ...["opModConnect", "opModEnergize", "opModFixedPFAbsorbW", "opModFixedPFInjectW", "opModFixedVar", "opModFixedW"],
    ...["opModFreqDroop", "opModFreqWatt"],
    ...CURVES.map((curve) => `opModH${curve}`),
    ...["opModHVRTMayTrip", "opModHVRTMomentaryCessation", "opModHVRTMustTrip"],
    ...CURVES.map((curve) => `opModL${curve}`),
    ...["opModLVRTMayTrip", "opModLVRTMomentaryCessation", "opModLVRTMustTrip"],
    ...["opModMaxLimW", "opModTargetVar", "opModTargetW", "opModVoltVar", "opModVoltWatt", "opModWattPF"],
    ...["opModWattVar", "rampTms"],
    ...["csipaus:opModImpLimW", "csipaus:opModExpLimW", "csipaus:opModGenLimW", "csipaus:opModLoadLimW"],
    "csipaus:opModStorageTargetW",
  ],
  DefaultDERControl: [...IDENTIFIED, "DERControlBase", ...ENTER_SERVICE, "setGradW", "setSoftGradW"],
  DERProgram: [
    ...IDENTIFIED,
    ...["ActiveDERControlListLink", "DefaultDERControlLink", "DERControlListLink", "DERCurveListLink", "primacy"],
  ],
  DeviceCapability: [...ASSIGNMENTS, "EndDeviceListLink", "MirrorUsagePointListLink", "SelfDeviceLink"],
  FunctionSetAssignments: [...ASSIGNMENTS, ...IDENTIFIED],
  EndDevice: [
    ...ABSTRACT_DEVICE,
    ...["changedTime", "enabled", "FlowReservationRequestListLink", "FlowReservationResponseListLink"],
    ...["FunctionSetAssignmentsListLink", "postRate", "RegistrationLink", "SubscriptionListLink"],
    "csipaus:ConnectionPointLink",
  ],
  Registration: ["dateTimeRegistered", "pIN"],
  DER: [
    ...["AssociatedDERProgramListLink", "AssociatedUsagePointLink", "CurrentDERProgramLink", "DERAvailabilityLink"],
    ...["DERCapabilityLink", "DERSettingsLink", "DERStatusLink"],
  ],
  DERCapability: [
    ...["modesSupported", "rtgAbnormalCategory", "rtgMaxA", "rtgMaxAh", "rtgMaxChargeRateVA", "rtgMaxChargeRateW"],
    ...["rtgMaxDischargeRateVA", "rtgMaxDischargeRateW", "rtgMaxV", "rtgMaxVA", "rtgMaxVar", "rtgMaxVarNeg"],
    ...["rtgMaxW", "rtgMaxWh", "rtgMinPFOverExcited", "rtgMinPFUnderExcited", "rtgMinV", "rtgNormalCategory"],
    ...["rtgOverExcitedPF", "rtgOverExcitedW", "rtgReactiveSusceptance", "rtgUnderExcitedPF", "rtgUnderExcitedW"],
    ...["rtgVNom", "type"],
  ],
  DERSettings: [
    "modesEnabled",
    ...ENTER_SERVICE,
    ...["setGradW", "setMaxA", "setMaxAh", "setMaxChargeRateVA", "setMaxChargeRateW", "setMaxDischargeRateVA"],
    ...["setMaxDischargeRateW", "setMaxV", "setMaxVA", "setMaxVar", "setMaxVarNeg", "setMaxW", "setMaxWh"],
    ...["setMinPFOverExcited", "setMinPFUnderExcited", "setMinV", "setSoftGradW", "setVNom", "setVRef", "setVRefOfs"],
    "updatedTime",
  ],
  DERStatus: [
    ...["alarmStatus", "genConnectStatus", "inverterStatus", "localControlModeStatus", "manufacturerStatus"],
    ...["operationalModeStatus", "readingTime", "stateOfChargeStatus", "storageModeStatus", "storConnectStatus"],
  ],
  DERAvailability: [
    ...["availabilityDuration", "maxChargeDuration", "readingTime", "reserveChargePercent", "reservePercent"],
    ...["statVarAvail", "statWAvail"],
  ],
  Time: ["currentTime", "dstEndTime", "dstOffset", "dstStartTime", "localTime", "quality", "tzOffset"],
  Response: RESPONSE,
  DERControlResponse: RESPONSE,
  ResponseSet: [...IDENTIFIED, "ResponseListLink"],
  Subscription: ["subscribedResource", "Condition", "encoding", "level", "limit", "notificationURI"],
  Notification: ["subscribedResource", "newResourceURI", "Resource", "status", "subscriptionURI"],
  MirrorUsagePoint: [
    ...IDENTIFIED,
    ...["roleFlags", "serviceCategoryKind", "status", "deviceLFDI", "MirrorMeterReading", "postRate"],
  ],
  MirrorMeterReading: [
    ...IDENTIFIED,
    ...["lastUpdateTime", "MirrorReadingSet", "nextUpdateTime", "Reading", "ReadingType"],
  ],
  MirrorReadingSet: [...IDENTIFIED, "timePeriod", "Reading"],
  Reading: [...READING, "localID"],
  ReadingType: [
    ...["accumulationBehaviour", "calorificValue", "commodity", "conversionFactor", "dataQualifier", "flowDirection"],
    ...["intervalLength", "kind", "maxNumberOfIntervals", "numberOfConsumptionBlocks", "numberOfTouTiers", "phase"],
    ...["powerOfTenMultiplier", "subIntervalLength", "supplyLimit", "tieredConsumptionBlocks", "uom"],
  ],
  LogEvent: [
    ...["createdDateTime", "details", "extendedData", "functionSet", "logEventCode", "logEventID", "logEventPEN"],
    "profileID",
  ],
  DERCurve: [
    ...IDENTIFIED,
    ...["autonomousVRefEnable", "autonomousVRefTimeConstant", "creationTime", "CurveData", "curveType"],
    ...["openLoopTms", "rampDecTms", "rampIncTms", "rampPT1Tms", "vRef", "xMultiplier", "yMultiplier", "yRefType"],
  ],
};

/** Parts of a quantity, an interval or a dated status, whatever the element around them is called. */
const VALUE_PARTS = ["dateTime", "displacement", "duration", "excitation", "multiplier", "start", "unit", "value"];

/** Names of a type in their order; nothing for a type that is not in the table. */
export function elementOrder(typeName: string): readonly string[] | undefined {
  return ORDERS[typeName];
}

const places = new Map(Object.entries(ORDERS).map(([type, names]) => [type, placesOf(names)]));
const valuePlaces = placesOf(VALUE_PARTS);

function placesOf(names: readonly string[]): ReadonlyMap<string, number> {
  // Version 1.3 of CSIP-AUS has a namespace of its own and the same order.
  return new Map(
    names.flatMap((name, place) => [name, name.replace("csipaus:", "csipaus13:")].map((key) => [key, place])),
  );
}

/**
 * The children of an element as the schema wants them. What the table does not know keeps its place behind those that it
 * knows, and equals keep theirs among themselves.
 * @param typeName name of the element, or of its type where that is another one
 */
export function inSchemaOrder<T extends { readonly name: string }>(
  typeName: string,
  children: readonly T[],
): readonly T[] {
  if (children.length < 2) return children;
  const order = places.get(typeName) ?? valuePlaces;
  const placeOf = ({ name }: T) => order.get(name) ?? order.size;
  return children.toSorted((a, b) => placeOf(a) - placeOf(b));
}
