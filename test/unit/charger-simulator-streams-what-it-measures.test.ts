import { expect, test } from "vitest";
import { ChargerStory } from "../support/charger-story.ts";
import { waitFor } from "../support/wait-for.ts";

const POWER = { component: { name: "EVSE", evse: { id: 1 } }, variable: { name: "Power" } };

async function monitor(story: ChargerStory, wanted: Record<string, unknown>): Promise<Record<string, unknown>> {
  const data = { ...POWER, type: "Periodic", value: 1, severity: 8, periodicEventStream: {}, ...wanted };
  const answer = await story.csms.call("SetVariableMonitoring", { setMonitoringData: [data] });
  return (answer["setMonitoringResult"] as Record<string, unknown>[])[0] ?? {};
}

test.concurrent("a 2.1 charger opens a stream, sends its power in bundles, and closes it when it is told to", async () => {
  await using story = await ChargerStory.begin("2.1");
  await story.settlesAt(-11.04);
  const set = await monitor(story, { value: 0.1, periodicEventStream: { interval: 60, values: 3 } });
  expect(set).toMatchObject({ status: "Accepted" });
  const id = set["id"];
  await waitFor("the stream to open", () => story.csms.payloads("OpenPeriodicEventStream").length === 1);
  expect(story.csms.payloads("OpenPeriodicEventStream")[0]).toMatchObject({
    constantStreamData: { variableMonitoringId: id, params: { interval: 60, values: 3 } },
  });
  await waitFor("two bundles", () => story.csms.sends.length >= 2);
  const bundle = story.csms.sends[1]?.payload as { id: number; data: { t: number; v: string }[] };
  expect(bundle.id).toBe(id);
  expect(bundle.data).toHaveLength(3);
  expect(Number(bundle.data[0]?.v)).toBeCloseTo(11_040, -2);
  expect(bundle.data[0]?.t).toBe(0);
  const adjusted = { id, params: { interval: 60, values: 1 } };
  expect(await story.csms.call("AdjustPeriodicEventStream", adjusted)).toEqual({ status: "Accepted" });
  expect(await story.csms.call("GetPeriodicEventStream", {})).toMatchObject({
    constantStreamData: [{ id, params: { interval: 60, values: 1 } }],
  });
  const cleared = await story.csms.call("ClearVariableMonitoring", { id: [id, 99] });
  expect(cleared["clearMonitoringResult"]).toMatchObject([{ status: "Accepted" }, { id: 99, status: "NotFound" }]);
  await waitFor("the stream to close", () => story.csms.payloads("ClosePeriodicEventStream").length === 1);
  expect(await story.csms.call("GetPeriodicEventStream", {})).toEqual({});
});

test.concurrent("a 2.1 charger says what it cannot monitor", async () => {
  await using story = await ChargerStory.begin("2.1");
  expect(await monitor(story, { variable: { name: "Colour" } })).toMatchObject({ status: "UnknownVariable" });
  expect(await monitor(story, { component: { name: "Kettle" } })).toMatchObject({ status: "UnknownComponent" });
  expect(await monitor(story, { type: "Delta" })).toMatchObject({ status: "UnsupportedMonitorType" });
  expect(await monitor(story, { value: 0 })).toMatchObject({
    status: "Rejected",
    statusInfo: { reasonCode: "ValueTooLow" },
  });
  const nothing = { id: 3, params: { values: 1 } };
  expect(await story.csms.call("AdjustPeriodicEventStream", nothing)).toMatchObject({ status: "Rejected" });
});

test.concurrent("a CSMS that does not want a stream gets none", async () => {
  await using story = await ChargerStory.begin("2.1");
  story.csms.answers.set("OpenPeriodicEventStream", () => ({ status: "Rejected" }));
  expect(await monitor(story, { value: 0.1, periodicEventStream: { values: 1 } })).toMatchObject({
    status: "Accepted",
  });
  await waitFor("the question", () => story.csms.payloads("OpenPeriodicEventStream").length === 1);
  await waitFor("the charger to give up", async () => {
    return Object.keys(await story.csms.call("GetPeriodicEventStream", {})).length === 0;
  });
  expect(story.csms.sends).toEqual([]);
});
