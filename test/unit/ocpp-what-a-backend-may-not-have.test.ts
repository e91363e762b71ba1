import { expect, test } from "vitest";
import { answerForBackend, downRule } from "../../adapters/ocpp/proxy/down-rules.ts";
import { mergedAnswer, upRule } from "../../adapters/ocpp/proxy/up-rules.ts";
import { UpstreamQueue } from "../../adapters/ocpp/proxy/upstream-queue.ts";
import { volatileMemory } from "../support/volatile-memory.ts";

test("the settings of the charger's own connection are not the backend's to change", () => {
  for (const key of ["AuthorizationKey", "authorizationkey", "SecurityProfile"]) {
    expect(downRule("ocpp1.6", "ChangeConfiguration", { key, value: "x" })).toMatchObject({ kind: "refuse" });
  }
  expect(downRule("ocpp1.6", "ChangeConfiguration", { key: "LightIntensity", value: "5" })).toEqual({
    kind: "forward",
  });
  expect(downRule("ocpp2.0.1", "SetNetworkProfile", {})).toMatchObject({ kind: "refuse" });
  const variable = (component: string) => ({
    attributeValue: "1",
    component: { name: component },
    variable: { name: "Anything" },
  });
  const mixed = { setVariableData: [variable("SecurityCtrlr"), variable("DisplayCtrlr")] };
  expect(downRule("ocpp2.0.1", "SetVariables", mixed)).toMatchObject({
    kind: "refuse",
    answer: {
      setVariableResult: [
        { attributeStatus: "Rejected", component: { name: "SecurityCtrlr" } },
        { attributeStatus: "Rejected", component: { name: "DisplayCtrlr" } },
      ],
    },
  });
  expect(downRule("ocpp2.0.1", "SetVariables", { setVariableData: [variable("DisplayCtrlr")] })).toEqual({
    kind: "forward",
  });
});

test("the password of the charger's connection does not go up with its configuration", () => {
  const answer = {
    configurationKey: [
      { key: "authorizationKey", readonly: false, value: "secret" },
      { key: "HeartbeatInterval", readonly: false, value: "60" },
    ],
  };
  expect(answerForBackend("ocpp1.6", "GetConfiguration", answer)).toEqual({
    configurationKey: [
      { key: "authorizationKey", readonly: false },
      { key: "HeartbeatInterval", readonly: false, value: "60" },
    ],
  });
});

test("a report goes up only where the backend asked for it", () => {
  expect(upRule("NotifyReport", { requestId: 3 }, new Set([4]))).toEqual({ kind: "keep" });
  expect(upRule("NotifyReport", { requestId: 4 }, new Set([4]))).toMatchObject({ kind: "queue", keeping: "sample" });
  expect(upRule("ReportChargingProfiles", { requestId: 4 }, new Set([4]))).toEqual({ kind: "keep" });
});

test("the charger keeps our name for its transaction whatever the backend answers", () => {
  const ours = { transactionId: 12, idTagInfo: { status: "Accepted" } };
  const theirs = { transactionId: 1, idTagInfo: { status: "Blocked" } };
  expect(mergedAnswer("ocpp1.6", "StartTransaction", ours, theirs)).toEqual({
    transactionId: 12,
    idTagInfo: { status: "Blocked" },
  });
});

test("of many samples the oldest go, of one connector's states only the newest stays, and nothing on the bill is lost to them", async () => {
  const memory = volatileMemory();
  const queue = new UpstreamQueue(memory, "CP-1");
  await queue.add({ action: "StartTransaction", payload: { n: 0 }, keeping: "transaction" });
  for (let n = 1; n <= 700; n++) await queue.add({ action: "MeterValues", payload: { n }, keeping: "sample" });
  for (let n = 1; n <= 50; n++) {
    await queue.add({ action: "StatusNotification", payload: { n }, keeping: "latest", topic: "status/1" });
  }
  expect(queue.size).toBe(1 + 600 + 1);
  expect(queue.dropped).toBe(100);
  expect(queue.oldest).toMatchObject({ action: "StartTransaction" });

  const again = new UpstreamQueue(memory, "CP-1");
  expect(again.size).toBe(1);
  const first = again.oldest;
  if (first !== undefined) await again.remove(first);
  expect(memory.keys("upstream/")).toEqual([]);
});

test("messages of another charger are not this one's", async () => {
  const memory = volatileMemory();
  await new UpstreamQueue(memory, "CP-1").add({ action: "StopTransaction", payload: {}, keeping: "transaction" });
  expect(new UpstreamQueue(memory, "CP-2").size).toBe(0);
  expect(new UpstreamQueue(memory, "CP").size).toBe(0);
});
