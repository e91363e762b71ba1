import { describe, expect, test } from "vitest";
import { errorCodeFrom, isUnknownAction } from "../../adapters/ocpp/link/error-code.ts";
import { waitFor } from "../support/wait-for.ts";
import { dialIn, openGateway } from "./ocpp-raw-charger.ts";

const order = () => ({ setpointId: "s", powerKW: -5, untilMs: Date.now() + 60_000 });

describe("words in another case", () => {
  test.each([
    ["ocpp1.6", "StatusNotification", { connectorId: "1", status: "CHARGING", vendorThing: { x: 1 } }, "car charges"],
    ["ocpp2.0.1", "StatusNotification", { evseId: 1, connectorStatus: "occupied" }, "car connected"],
    [
      "ocpp2.1",
      "TransactionEvent",
      { eventType: "started", transactionInfo: { transactionId: "t", chargingState: "suspendedEV" }, evse: { id: 1 } },
      "car does not draw",
    ],
  ])("%s: a state in %s", async (version, action, payload, reason) => {
    await using gateway = await openGateway();
    await using charger = await dialIn(gateway.url, { version });
    expect((await charger.call(action, payload))[0]).toBe(3);
    await waitFor("the state", () =>
      gateway.reports.some((report) => report.kind === "availability" && report.availability.reason === reason),
    );
  });

  test.each(["ocpp1.6", "ocpp2.0.1", "ocpp2.1"])("%s: the answer to a command", async (version) => {
    await using gateway = await openGateway();
    await using charger = await dialIn(gateway.url, { version });
    await gateway.adapter.start(gateway.signal);
    charger.when("SetChargingProfile", () => ({ status: "ACCEPTED" }));
    await gateway.adapter.apply(order(), gateway.signal);
    charger.when("SetChargingProfile", () => ({ status: "rejected" }));
    await expect(gateway.adapter.apply(order(), gateway.signal)).rejects.toMatchObject({ fault: "refused" });
  });
});

describe("error codes", () => {
  test("both spellings of a code are one code", () => {
    expect(errorCodeFrom("OccurenceConstraintViolation")).toBe("OccurrenceConstraintViolation");
    expect(errorCodeFrom("OccurrenceConstraintViolation")).toBe("OccurrenceConstraintViolation");
    expect(errorCodeFrom("FormationViolation")).toBe("FormatViolation");
    expect(errorCodeFrom("formatviolation")).toBe("FormatViolation");
    expect(errorCodeFrom("VendorOops")).toBe("VendorOops");
    expect(["NotSupported", "NotImplemented", "InternalError", undefined].map(isUnknownAction)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  test("an error with nothing but a code is an answer", async () => {
    await using gateway = await openGateway();
    await using charger = await dialIn(gateway.url);
    await gateway.adapter.start(gateway.signal);
    charger.when("SetChargingProfile", (_payload, id) => JSON.stringify([4, id, "OccurenceConstraintViolation"]));
    await expect(gateway.adapter.apply(order(), gateway.signal)).rejects.toMatchObject({
      fault: "refused",
      message: expect.stringContaining("OccurrenceConstraintViolation"),
    });
  });
});
