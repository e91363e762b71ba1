import { afterEach, expect, test } from "vitest";
import { volatileMemory } from "../support/volatile-memory.ts";
import { waitFor } from "../support/wait-for.ts";
import { BOOT_16, dialIn, openGateway, WILLING } from "./ocpp-raw-charger.ts";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

const SOON_MS = () => Date.now() + 900_000;
const accepting = { ReserveNow: () => ({ status: "Accepted" }), CancelReservation: () => ({ status: "Accepted" }) };

async function connect(version: "ocpp1.6" | "ocpp2.0.1", answers: object, memory = volatileMemory()) {
  const gateway = await openGateway({
    memory,
    devices: [{ authorization: "list", idTags: [{ tag: "A", type: "eMAID" }] }],
  });
  open.push(gateway);
  const charger = await dialIn(gateway.url, { version, answers: { ...WILLING, ...answers } });
  open.push(charger);
  const boot = { reason: "PowerUp", chargingStation: { vendorName: "V", model: "M" } };
  await charger.call("BootNotification", version === "ocpp1.6" ? BOOT_16 : boot);
  await gateway.adapter.start(gateway.signal);
  return { gateway, charger };
}

test("is kept for a token until its time is over, and cannot be used by others meanwhile", async () => {
  const { gateway, charger } = await connect("ocpp1.6", accepting);
  const untilMs = SOON_MS();
  const reserved = await gateway.adapter.sessions?.reserve({ token: "A", untilMs }, gateway.signal);
  expect(charger.of("ReserveNow")).toEqual([
    {
      connectorId: 1,
      reservationId: reserved?.reservationId,
      idTag: "A",
      expiryDate: `${new Date(untilMs).toISOString().slice(0, 19)}Z`,
    },
  ]);
  await charger.call("StatusNotification", { connectorId: 1, errorCode: "NoError", status: "Reserved" });
  await waitFor("it to be told", () => gateway.reports.some((one) => one.kind === "availability"));
  expect(gateway.reports.filter((one) => one.kind === "availability").at(-1)).toMatchObject({
    availability: { minPowerKW: 0, maxPowerKW: 0, reason: "reserved" },
  });
  // A second one for the same connector takes the place of the first.
  const again = await gateway.adapter.sessions?.reserve({ token: "A", untilMs: untilMs + 60_000 }, gateway.signal);
  expect(again?.reservationId).toBe(reserved?.reservationId);
});

test("is used up by the session that names it", async () => {
  const { gateway, charger } = await connect("ocpp1.6", accepting);
  const reserved = await gateway.adapter.sessions?.reserve({ untilMs: SOON_MS() }, gateway.signal);
  const start = { connectorId: 1, idTag: "A", meterStart: 0, timestamp: new Date().toISOString() };
  await charger.call("StartTransaction", { ...start, reservationId: reserved?.reservationId });
  await gateway.adapter.sessions?.cancelReservation(undefined, gateway.signal);
  expect(charger.of("CancelReservation")).toEqual([]);
});

test.each([
  ["Occupied", "would not reserve: Occupied"],
  ["Unavailable", "would not reserve: Unavailable"],
])("is refused with the charger's reason: %s", async (status, message) => {
  const { gateway } = await connect("ocpp1.6", { ReserveNow: () => ({ status }) });
  await expect(gateway.ask("reserve", { name: "charger-1", untilMs: SOON_MS() })).rejects.toThrow(message);
});

test("is given up, also one that was made before a restart, and one that the charger lost", async () => {
  const memory = volatileMemory();
  const first = await connect("ocpp2.0.1", accepting, memory);
  const reserved = await first.gateway.adapter.sessions?.reserve(
    { token: "A", untilMs: SOON_MS() },
    first.gateway.signal,
  );
  expect(first.charger.of("ReserveNow")[0]).toMatchObject({
    id: reserved?.reservationId,
    evseId: 1,
    idToken: { idToken: "A", type: "eMAID" },
  });
  await first.charger.hangUp();

  const second = await connect("ocpp2.0.1", { CancelReservation: () => ({ status: "Rejected" }) }, memory);
  expect(await second.gateway.ask("unreserve", { name: "CP-1" })).toMatchObject({
    reservationId: reserved?.reservationId,
  });
  expect(second.charger.of("CancelReservation")).toEqual([{ reservationId: reserved?.reservationId }]);
  await expect(second.gateway.ask("unreserve", { name: "CP-1" })).rejects.toThrow("not reserved");
});

test("is over when a 2.x station says so", async () => {
  const { gateway, charger } = await connect("ocpp2.0.1", accepting);
  const reserved = await gateway.adapter.sessions?.reserve({ untilMs: SOON_MS() }, gateway.signal);
  const { reservationId } = reserved ?? {};
  await charger.call("ReservationStatusUpdate", { reservationId: 1, reservationUpdateStatus: "Removed" });
  await charger.call("ReservationStatusUpdate", { reservationId, reservationUpdateStatus: "Expired" });
  await expect(gateway.ask("unreserve", { name: "CP-1" })).rejects.toThrow("not reserved");
});
