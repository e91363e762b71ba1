import { describe, expect, test } from "vitest";
import { waitFor } from "../support/wait-for.ts";
import { dialIn, type Gateway, openGateway } from "./ocpp-raw-charger.ts";

const said = (gateway: Gateway) =>
  gateway.reports
    .filter((report) => report.kind === "availability")
    .map(({ availability }) => [availability.minPowerKW, availability.reason]);

describe("what a car at the plug could take", () => {
  test("1.6: no car is nothing; a car that waits for us under 0 A is available", async () => {
    await using gateway = await openGateway();
    await using charger = await dialIn(gateway.url);
    const status = (word: string, connectorId = 1) =>
      charger.call("StatusNotification", { connectorId, errorCode: "NoError", status: word });
    for (const word of ["Available", "Preparing", "Charging", "SuspendedEVSE", "SuspendedEV", "Finishing", "Faulted"]) {
      await status(word);
    }
    await status("Charging");
    await status("Unavailable", 0);
    await status("Available", 0);
    await status("Gibberish");
    await waitFor("all reports", () => said(gateway).length === 10);
    expect(said(gateway)).toEqual([
      [0, "no car"],
      [-22.08, "car connected"],
      [-22.08, "car charges"],
      [-22.08, "car waits for the charger"],
      [-22.08, "car does not draw"],
      [0, "session over"],
      [0, "charger has a fault"],
      [-22.08, "car charges"],
      [0, "charger out of service"],
      [-22.08, "car charges"],
    ]);
  });

  test("2.0.1: the state of the transaction says more than the plug", async () => {
    await using gateway = await openGateway();
    await using charger = await dialIn(gateway.url, { version: "ocpp2.0.1" });
    const timestamp = new Date().toISOString();
    const plug = (connectorStatus: string) =>
      charger.call("StatusNotification", { timestamp, connectorStatus, evseId: 1, connectorId: 1 });
    // Only the first event names the EVSE.
    const event = (eventType: string, chargingState: string, more: object = {}) =>
      charger.call("TransactionEvent", {
        eventType,
        timestamp,
        transactionInfo: { transactionId: "ab-12", chargingState },
        ...more,
      });
    await plug("Available");
    await plug("Occupied");
    await event("Started", "Charging", { evse: { id: 1, connectorId: 1 } });
    await plug("Occupied");
    await event("Updated", "SuspendedEV");
    await event("Updated", "Charging", { offline: true });
    await event("Ended", "EVConnected");
    await plug("Available");
    await waitFor("all reports", () => said(gateway).length === 6);
    expect(said(gateway)).toEqual([
      [0, "no car"],
      [-22.08, "car connected"],
      [-22.08, "car charges"],
      [-22.08, "car does not draw"],
      [0, "session over"],
      [0, "no car"],
    ]);
  });
});

describe("readings", () => {
  test("of one connector are not taken for another's, and those of the whole station for neither's", async () => {
    await using gateway = await openGateway({ devices: [{}, { connector: 2 }] });
    await using charger = await dialIn(gateway.url);
    const sample = (connectorId: number, value: string) =>
      charger.call("MeterValues", {
        connectorId,
        meterValue: [
          {
            timestamp: new Date().toISOString(),
            sampledValue: [{ value, measurand: "Power.Active.Import", unit: "W" }],
          },
        ],
      });
    for (const [connectorId, value] of [
      [2, "2000"],
      [0, "9000"],
      [1, "1000"],
    ] as const)
      await sample(connectorId, value);
    const readings = () => gateway.reports.filter((report) => report.kind === "reading");
    await waitFor("a reading", () => readings().length > 0);
    expect(readings().map(({ reading }) => reading.powerKW)).toEqual([-1]);
  });

  test("of a time when the link was down are marked as replayed", async () => {
    await using gateway = await openGateway();
    await using charger = await dialIn(gateway.url);
    const oldMs = Date.now() - 300_000;
    const sampledValue = [{ value: "7000", measurand: "Power.Active.Import", unit: "W" }];
    const meterValue = [
      { timestamp: new Date(oldMs).toISOString(), sampledValue },
      { timestamp: new Date().toISOString(), sampledValue },
    ];
    await charger.call("MeterValues", { connectorId: 1, transactionId: 5, meterValue });
    const readings = () => gateway.reports.filter((report) => report.kind === "reading");
    await waitFor("both readings", () => readings().length === 2);
    expect(readings().map(({ reading }) => reading.replayed)).toEqual([true, undefined]);
    expect(readings()[0]?.reading.deviceTimeMs).toBe(oldMs);
  });
});
