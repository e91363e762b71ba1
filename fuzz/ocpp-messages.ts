type Message = readonly [type: number, id: string, ...rest: readonly unknown[]];

const AT = "2026-11-23T14:00:00Z";

/** What a station says, as it should be said: what is made wrong has to be right first. */
const STATION_16: readonly Message[] = [
  [
    2,
    "b1",
    "BootNotification",
    { chargePointVendor: "Maker", chargePointModel: "Box", chargePointSerialNumber: "SN1", firmwareVersion: "1.8.32" },
  ],
  [2, "h1", "Heartbeat", {}],
  [2, "s1", "StatusNotification", { connectorId: 1, errorCode: "NoError", status: "Charging", timestamp: AT }],
  [2, "a1", "Authorize", { idTag: "04A1B2C3" }],
  [2, "t1", "StartTransaction", { connectorId: 1, idTag: "04A1B2C3", meterStart: 18099, timestamp: AT }],
  [
    2,
    "m1",
    "MeterValues",
    {
      connectorId: 1,
      transactionId: 1731,
      meterValue: [
        {
          timestamp: AT,
          sampledValue: [
            { value: "18099", measurand: "Energy.Active.Import.Register", unit: "Wh", context: "Sample.Periodic" },
            { value: "7360.0", measurand: "Power.Active.Import", unit: "W" },
            { value: "10.7", measurand: "Current.Import", phase: "L1", unit: "A" },
            { value: "231.2", measurand: "Voltage", phase: "L1-N", unit: "V" },
            { value: "55", measurand: "SoC", unit: "Percent", location: "EV" },
          ],
        },
      ],
    },
  ],
  [
    2,
    "t2",
    "StopTransaction",
    {
      transactionId: 1731,
      idTag: "04A1B2C3",
      meterStop: 25480,
      timestamp: AT,
      reason: "EVDisconnected",
      transactionData: [{ timestamp: AT, sampledValue: [{ value: "25480" }] }],
    },
  ],
  [2, "d1", "DataTransfer", { vendorId: "ABL", messageId: "GetLimit", data: "logicalid=1" }],
  [2, "f1", "FirmwareStatusNotification", { status: "Installed" }],
  [2, "l1", "LogStatusNotification", { status: "Uploaded", requestId: 1 }],
  [2, "e1", "SecurityEventNotification", { type: "TamperDetectionActivated", timestamp: AT, techInfo: "lid" }],
  [2, "c1", "SignCertificate", { csr: "-----BEGIN CERTIFICATE REQUEST-----" }],
  [3, "nobody-asked", { status: "Accepted" }],
  [4, "nobody-asked", "NotImplemented", "no", {}],
];

const SAMPLES_2 = [
  {
    value: 7360,
    measurand: "Power.Active.Import",
    context: "Sample.Periodic",
    unitOfMeasure: { unit: "W", multiplier: 0 },
  },
  { value: 18.099, measurand: "Energy.Active.Import.Register", unitOfMeasure: { unit: "Wh", multiplier: 3 } },
  { value: 10.7, measurand: "Current.Import", phase: "L1" },
  {
    value: 1,
    signedMeterValue: { signedMeterData: "T0NNRg==", signingMethod: "", encodingMethod: "OCMF", publicKey: "" },
  },
];

function transactionEvent(eventType: string, seqNo: number, more: object): Message {
  return [
    2,
    `e${seqNo}`,
    "TransactionEvent",
    {
      eventType,
      timestamp: AT,
      triggerReason: "MeterValuePeriodic",
      seqNo,
      offline: false,
      numberOfPhasesUsed: 3,
      transactionInfo: { transactionId: "ab-12", chargingState: "Charging" },
      evse: { id: 1, connectorId: 1 },
      ...more,
    },
  ];
}

const STATION_201: readonly Message[] = [
  [
    2,
    "b1",
    "BootNotification",
    { reason: "PowerUp", chargingStation: { vendorName: "V", model: "M", serialNumber: "S", firmwareVersion: "1" } },
  ],
  [2, "h1", "Heartbeat", {}],
  [2, "s1", "StatusNotification", { timestamp: AT, connectorStatus: "Occupied", evseId: 1, connectorId: 1 }],
  [2, "a1", "Authorize", { idToken: { idToken: "04A1B2C3", type: "ISO14443" } }],
  transactionEvent("Started", 0, { idToken: { idToken: "04A1B2C3", type: "ISO14443" } }),
  transactionEvent("Updated", 1, { meterValue: [{ timestamp: AT, sampledValue: SAMPLES_2 }] }),
  transactionEvent("Ended", 2, { transactionInfo: { transactionId: "ab-12", stoppedReason: "EVDisconnected" } }),
  [2, "m1", "MeterValues", { evseId: 1, meterValue: [{ timestamp: AT, sampledValue: SAMPLES_2 }] }],
  [
    2,
    "r1",
    "NotifyReport",
    {
      requestId: 1,
      generatedAt: AT,
      seqNo: 0,
      tbc: false,
      reportData: [
        {
          component: { name: "SmartChargingCtrlr", evse: { id: 1 } },
          variable: { name: "RateUnit" },
          variableAttribute: [{ type: "Actual", value: "A,W", mutability: "ReadOnly" }],
          variableCharacteristics: { dataType: "MemberList", supportsMonitoring: false, valuesList: "A,W" },
        },
      ],
    },
  ],
  [
    2,
    "v1",
    "NotifyEvent",
    {
      generatedAt: AT,
      seqNo: 0,
      eventData: [
        {
          eventId: 1,
          timestamp: AT,
          trigger: "Delta",
          actualValue: "true",
          eventNotificationType: "CustomMonitor",
          component: { name: "Connector" },
          variable: { name: "Problem" },
        },
      ],
    },
  ],
  [
    2,
    "n1",
    "NotifyEVChargingNeeds",
    {
      evseId: 1,
      chargingNeeds: {
        requestedEnergyTransfer: "AC_three_phase",
        departureTime: AT,
        acChargingParameters: { energyAmount: 20_000, evMinCurrent: 6, evMaxCurrent: 32, evMaxVoltage: 400 },
      },
    },
  ],
  [
    2,
    "n2",
    "NotifyEVChargingSchedule",
    {
      timeBase: AT,
      evseId: 1,
      chargingSchedule: { id: 1, chargingRateUnit: "W", chargingSchedulePeriod: [{ startPeriod: 0, limit: 11_000 }] },
    },
  ],
  [2, "k1", "SecurityEventNotification", { type: "SettingSystemTime", timestamp: AT, techInfo: "ntp" }],
  [2, "d1", "DataTransfer", { vendorId: "V", messageId: "M", data: { deep: [1, { er: true }] } }],
  [2, "c1", "SignCertificate", { csr: "-----BEGIN", certificateType: "ChargingStationCertificate" }],
  [2, "f1", "FirmwareStatusNotification", { status: "Installed", requestId: 1 }],
  [3, "nobody-asked", { status: "Accepted" }],
  [4, "nobody-asked", "NotSupported", "no", {}],
];

const STATION_21: readonly Message[] = [
  ...STATION_201,
  [
    2,
    "n3",
    "NotifyEVChargingNeeds",
    {
      evseId: 1,
      chargingNeeds: {
        requestedEnergyTransfer: "DC_BPT",
        controlMode: "DynamicControl",
        departureTime: AT,
        dcChargingParameters: { evMaxCurrent: 125, evMaxVoltage: 500, stateOfCharge: 40 },
        v2xChargingParameters: {
          maxChargePower: 50_000,
          maxDischargePower: 20_000,
          evTargetEnergyRequest: 20_000,
          evMinEnergyRequest: -5000,
          evMaxEnergyRequest: 40_000,
        },
      },
    },
  ],
  [6, "p1", "NotifyPeriodicEventStream", { id: 1, pending: 0, basetime: AT, data: [{ t: 0, v: "1" }] }],
  [5, "nobody-asked", "FormatViolation", "no", {}],
];

/** Messages of a station by the subprotocol that it speaks. */
export const STATION_MESSAGES: Readonly<Record<string, readonly Message[]>> = {
  "ocpp1.6": STATION_16,
  "ocpp2.0.1": STATION_201,
  "ocpp2.1": STATION_21,
};

/** Answers to what a station is asked, to be made wrong too. */
export const STATION_ANSWERS: Readonly<Record<string, object>> = {
  GetConfiguration: {
    configurationKey: [
      { key: "ChargeProfileMaxStackLevel", readonly: true, value: "8" },
      { key: "ChargingScheduleAllowedChargingRateUnit", readonly: true, value: "Current,Power" },
    ],
    unknownKey: ["Foo"],
  },
  GetVariables: {
    getVariableResult: [
      {
        attributeStatus: "Accepted",
        attributeValue: "A,W",
        component: { name: "SmartChargingCtrlr" },
        variable: { name: "RateUnit" },
      },
    ],
  },
  SetVariables: { setVariableResult: [{ attributeStatus: "Accepted", component: {}, variable: {} }] },
  GetCompositeSchedule: {
    status: "Accepted",
    connectorId: 1,
    scheduleStart: AT,
    chargingSchedule: { chargingRateUnit: "A", chargingSchedulePeriod: [{ startPeriod: 0, limit: 16 }] },
  },
};
