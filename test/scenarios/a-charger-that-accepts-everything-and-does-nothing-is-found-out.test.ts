import { afterEach, expect, test } from "vitest";
import { Site, windowFor } from "../support/site.ts";
import { waitFor } from "../support/wait-for.ts";

let site: Site;
afterEach(() => site[Symbol.asyncDispose]());

test("accepted is not effective: the verdict says ignored, and the honest neighbour is not touched by it", async () => {
  site = new Site({
    devices: [
      { era: "liar", kind: "charger", ocpp: { identity: "LIAR", phases: 1, maxA: 32, settleS: 1 } },
      { era: "honest", kind: "charger", ocpp: { identity: "HONEST", phases: 1, maxA: 32, settleS: 1 } },
    ],
  });
  await site.start();
  const liar = await site.charger({ identity: "LIAR", behaviour: { ignoresProfiles: true } });
  const honest = await site.charger({ identity: "HONEST" });
  await waitFor("both cars to charge", () => liar.powerKW() < -7 && honest.powerKW() < -7);
  await site.send(site.onConfirm({ era: "liar", setpointKW: -2, ...windowFor(60) }, { transactionId: "l" }));
  await site.send(site.onConfirm({ era: "honest", setpointKW: -2, ...windowFor(60) }, { transactionId: "h" }));
  await waitFor("the lie to be found out", () => site.device("liar").verdict === "ignored");
  await waitFor("the honest one to be proven", () => site.device("honest").verdict === "effective");
  expect(site.device("liar").appliedKW).toBeCloseTo(-2, 1);
  expect(site.device("liar").verdictReason).toContain("measured -7");
});

test("a charger that refuses is refused, one that is absent is unreachable, and the third follows meanwhile", async () => {
  site = new Site({
    devices: ["REFUSER", "ABSENT", "GOOD"].map((identity) => ({
      era: identity.toLowerCase(),
      kind: "charger",
      ocpp: { identity, phases: 1, maxA: 32, settleS: 1 },
    })),
  });
  await site.start();
  await site.charger({ identity: "REFUSER", behaviour: { rejectsProfiles: true } });
  const good = await site.charger({ identity: "GOOD" });
  await waitFor("the good car to charge", () => good.powerKW() < -7);
  for (const era of ["refuser", "absent", "good"]) {
    const answer = await site.send(site.onConfirm({ era, setpointKW: -2, ...windowFor(6) }, { transactionId: era }));
    expect(answer.status).toBe(200);
  }
  await waitFor("the refusal", () => site.device("refuser").verdict === "refused");
  await waitFor("the good one", () => site.device("good").verdicts.effective === 1);
  await waitFor("the end", () => site.device("absent").verdicts.unreachable === 1);
  expect(site.device("refuser").verdictReason).toMatch(/Rejected/);
});

test("an unknown charger that dials in is refused and listed, not adopted", async () => {
  site = new Site({ devices: [{ era: "known", kind: "charger", ocpp: { identity: "KNOWN" } }] });
  await site.start();
  const { WebSocket } = await import("ws");
  const refused = await new Promise<number>((resolve) => {
    const socket = new WebSocket(`${site.address("ocpp")}/STRANGER`, ["ocpp1.6"]);
    socket.on("unexpected-response", (_request, response) => resolve(response.statusCode ?? 0));
    socket.on("open", () => resolve(101));
    socket.on("error", () => {});
  });
  expect(refused).toBe(404);
  expect(site.gateway.status().strangers).toMatchObject([{ identity: "STRANGER", attempts: 1 }]);
  expect(site.gateway.status().devices.map((one) => one.era)).toEqual(["known"]);
});
