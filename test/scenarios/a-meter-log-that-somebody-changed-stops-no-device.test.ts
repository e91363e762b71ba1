import { appendFileSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { Site, windowFor } from "../support/site.ts";
import { waitFor } from "../support/wait-for.ts";

let site: Site;
afterEach(() => site[Symbol.asyncDispose]());

const devices = [{ era: "ev", kind: "charger", ocpp: { identity: "EV", phases: 1, maxA: 32, settleS: 2 } }];

test("a setpoint is taken up again after a restart, and the status says that nothing is metered", async () => {
  site = new Site({ devices });
  await site.start();
  const charger = await site.charger({ identity: "EV" });
  await site.send(site.onConfirm({ era: "ev", setpointKW: -3, ...windowFor(60) }));
  await waitFor("the car to follow", () => Math.abs(charger.powerKW() + 3) < 0.1);
  expect(site.gateway.status().meterFault).toBeUndefined();
  await site.stop();

  const meter = join(site.folder, "data", "meter");
  const file = join(meter, readdirSync(meter).find((name) => name.endsWith(".jsonl")) ?? "");
  const changed = readFileSync(file, "utf8").split("\n", 1)[0];
  appendFileSync(file, `${changed}\n`);

  await site.start();
  await waitFor("the setpoint to hold again", () => site.device("ev").appliedKW !== undefined);
  expect(site.device("ev")).toMatchObject({ orderedKW: -3 });
  expect(site.gateway.status().meterFault).toContain(".jsonl:");
});
