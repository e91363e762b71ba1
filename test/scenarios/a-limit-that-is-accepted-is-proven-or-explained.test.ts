import { afterEach, describe, expect, test } from "vitest";
import type { ChargerBehaviour } from "../../simulators/charger/charger-simulator.ts";
import { Site, windowFor } from "../support/site.ts";
import { waitFor } from "../support/wait-for.ts";

let site: Site;
afterEach(() => site[Symbol.asyncDispose]());

async function open(
  version: "1.6" | "2.0.1",
  behaviour: Partial<ChargerBehaviour>,
  device: Record<string, unknown> = {},
): Promise<Awaited<ReturnType<Site["charger"]>>> {
  site = new Site({
    devices: [
      {
        era: "bay",
        kind: "charger",
        ocpp: { identity: "BAY", phases: 1, maxA: 32, settleS: 1, commandSpacingS: 0, ...device },
      },
    ],
  });
  await site.start();
  const charger = await site.charger({ identity: "BAY", version, behaviour });
  await waitFor("the car to charge", () => (site.device("bay").measuredKW ?? 0) < -1);
  return charger;
}

const order = (setpointKW: number, seconds = 60) =>
  site.send(site.onConfirm({ era: "bay", setpointKW, ...windowFor(seconds) }, { transactionId: `t${setpointKW}` }));
const verdict = () => site.device("bay").verdict;
const reason = () => site.device("bay").verdictReason;
const notices = () => (site.device("bay").notices ?? []).join("\n");

describe("a profile of somebody else at a higher level", () => {
  // The station takes no profile for the transaction, and ours lies at a lower level.
  const foreign = (foreignLimitA: number) => ({ foreignLimitA, rejectsPurposes: ["tx"] as const });

  test("that allows more is capped from above, and the verdict says what it took", async () => {
    await open("2.0.1", foreign(30), { stackLevel: 0 });
    await waitFor("the other profile to be seen", () => notices().includes("somebody else has set profile"));
    expect(notices()).toMatch(/TxDefaultProfile, stack level 8, 30\.0 A/);
    await order(-2.3);
    await waitFor("the proof", () => verdict() === "effective", 30_000);
    expect(reason()).toMatch(/measured -2\.3/);
    expect(reason()).toMatch(/composite schedule says 30\.0 A; it holds profile \d+ \(TxDefaultProfile, stack level 8/);
    expect(reason()).toContain("sent again: SetChargingProfile MaxProfile 10.0 A x 1");
  });

  test("that allows less is left there and named, where the config only reports", async () => {
    await open("2.0.1", foreign(8), { stackLevel: 0 });
    await order(-4.6);
    await waitFor("the verdict", () => verdict() === "ignored" || verdict() === "partial", 30_000);
    expect(reason()).toContain("offers -1.84 kW");
    expect(reason()).toMatch(/composite schedule says 8\.0 A; it holds profile/);
  });

  test("is cleared where the config says so, and then the limit is followed", async () => {
    const charger = await open("2.0.1", foreign(8), { stackLevel: 0, foreignProfiles: "clear" });
    await order(-4.6);
    await waitFor("the proof", () => verdict() === "effective", 30_000);
    expect(charger.powerKW()).toBeCloseTo(-4.6, 1);
  });
});

describe("a charger", () => {
  test("that does half of what it accepted is partial, and its own account does not help it", async () => {
    await open("1.6", { appliesShare: 0.5, compositeLie: "echo" });
    await order(-2.3);
    await waitFor("the verdict", () => verdict() !== undefined, 30_000);
    expect(verdict()).toBe("partial");
    expect(reason()).toMatch(/sent again: /);
  });

  test("that follows and then goes back is told once more, and reverted when it goes back again", async () => {
    const charger = await open("1.6", { revertsAfterMs: 6_000 });
    await order(-2.3);
    await waitFor("the proof", () => verdict() === "effective", 20_000);
    await waitFor("it to go back", () => charger.powerKW() < -6, 20_000);
    await waitFor("the second telling", () => Math.abs(charger.powerKW() + 2.3) < 0.1, 20_000);
    await waitFor("it to go back again", () => charger.powerKW() < -6, 20_000);
    await waitFor("the verdict", () => verdict() === "reverted", 20_000);
  });

  test("that ignores what it accepts and says nothing of itself is ignored, with that said", async () => {
    await open("1.6", { ignoresProfiles: true, compositeLie: "empty" });
    await order(-2.3);
    await waitFor("the verdict", () => verdict() === "ignored", 30_000);
    expect(reason()).toContain("the charger gives no composite schedule");
    expect(reason()).toMatch(/sent again: SetChargingProfile TxDefaultProfile/);
  });
});
