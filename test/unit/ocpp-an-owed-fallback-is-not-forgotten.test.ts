import { expect, test } from "vitest";
import { waitFor } from "../support/wait-for.ts";
import { BOOT_16, dialIn, openGateway, WILLING } from "./ocpp-raw-charger.ts";

interface Profile {
  readonly chargingSchedule: { readonly chargingSchedulePeriod: readonly { readonly limit: number }[] };
}

/** The fallback says its 6 A and nothing else; an order says its own power first. */
const isFallback = ({ chargingSchedule }: Profile) => chargingSchedule.chargingSchedulePeriod[0]?.limit === 6;

test("an order that overtakes the fallback and is refused leaves the charger with its fallback", async () => {
  await using gateway = await openGateway({ devices: [{ fallbackKW: -4.14 }] });
  let fallbacks = 0;
  await using charger = await dialIn(gateway.url, {
    answers: {
      ...WILLING,
      SetChargingProfile: (payload) => {
        if (!isFallback(payload["csChargingProfiles"] as Profile)) return { status: "Rejected" };
        fallbacks += 1;
        // The first one gets no answer, so that the order comes while it is out.
        return fallbacks === 1 ? undefined : { status: "Accepted" };
      },
    },
  });
  await charger.call("BootNotification", BOOT_16);
  await gateway.adapter.start(gateway.signal);
  await waitFor("the fallback to be out", () => fallbacks === 1);
  const order = { setpointId: "1", powerKW: -11, untilMs: Date.now() + 60_000 };
  await expect(gateway.adapter.apply(order, gateway.signal)).rejects.toMatchObject({ fault: "refused" });
  await waitFor("the fallback again", () => fallbacks === 2);
});
