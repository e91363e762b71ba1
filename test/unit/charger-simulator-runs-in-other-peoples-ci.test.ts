import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { GOOD_BEHAVIOUR } from "../../simulators/charger/behaviour.ts";
import { FAULTS, withFaults } from "../../simulators/charger/faults/fault-list.ts";
import { type ChargerProgramOptions, type ProgramEvent, runChargerSimulator } from "../../simulators/charger/index.ts";
import { FaultError } from "../../simulators/fault-option.ts";
import { systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { run, start } from "../support/command-line.ts";
import { StrictCsms } from "../support/strict-csms.ts";
import { waitFor } from "../support/wait-for.ts";

type Printed = Record<string, unknown> & { event?: string };

const lines = (stdout: string): Printed[] =>
  stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Printed);

/** A process of its own has to be read from source first, and a busy machine takes its time for that. */
const START_MS = 50_000;

interface Sampled {
  readonly measurand: string;
  readonly value: number;
}

function offers(payload: Record<string, unknown> | undefined, amps: number): boolean {
  const [meterValue] = (payload?.["meterValue"] ?? []) as { sampledValue: Sampled[] }[];
  const offered = meterValue?.sampledValue.find(({ measurand }) => measurand === "Current.Offered");
  return offered?.value === amps;
}

test.concurrent("it prints what happens as one JSON object a line, until it is told to stop", async () => {
  await using csms = new StrictCsms();
  await csms.listen();
  const { child, ended } = start(
    ...["sim", "charger", "--url", csms.url, "--identity", "CP-1", "--ocpp", "2.0.1", "--json"],
    ...["--fault", "rejects-stack-level=3"],
  );
  await waitFor("the transaction", () => csms.payloads("TransactionEvent").length > 0, START_MS);
  const profile = (stackLevel: number) => ({
    evseId: 1,
    chargingProfile: {
      id: stackLevel,
      stackLevel,
      chargingProfilePurpose: "TxDefaultProfile",
      chargingProfileKind: "Relative",
      chargingSchedule: [{ id: 1, chargingRateUnit: "A", chargingSchedulePeriod: [{ startPeriod: 0, limit: 8 }] }],
    },
  });
  await csms.call("SetChargingProfile", profile(2));
  await csms.call("SetChargingProfile", profile(4));
  // Also the start of the transaction has values; a sample comes with the interval.
  await waitFor(
    "a sample under the limit",
    () => {
      const last = csms.payloads("TransactionEvent").at(-1);
      return last?.["triggerReason"] === "MeterValuePeriodic" && offers(last, 8);
    },
    30_000,
  );
  child.kill("SIGTERM");
  const { code, stdout } = await ended;
  expect(code).toBe(0);
  const printed = lines(stdout);
  expect(printed.every((line) => line["schemaVersion"] === 1)).toBe(true);
  const events = printed.map(({ event }) => event);
  expect(events).toEqual(expect.arrayContaining(["connected", "boot", "transactionStarted", "limit", "power"]));
  expect(printed.filter(({ event }) => event === "profile")).toMatchObject([
    { charger: "CP-1", outcome: "accepted", stackLevel: 2 },
    { outcome: "rejected", reasonCode: "InvalidStackLevel" },
  ]);
  expect(printed.filter(({ event }) => event === "limit").at(-1)).toMatchObject({ limitA: 8, phases: 3 });
  expect(printed.find(({ event }) => event === "power")?.["powerKW"]).toBeLessThanOrEqual(0);
});

const PROGRAM = { identity: "CP-1", version: "1.6", phases: 3, maxA: 16, soc: 30, capacityKWh: 60, seed: 1 } as const;

/** The program without a process of its own. */
async function runProgram(
  options: Partial<ChargerProgramOptions> & { readonly url: string },
  signal = new AbortController().signal,
): Promise<{ code: number; events: readonly ProgramEvent[] }> {
  const events: ProgramEvent[] = [];
  const onEvent = (event: ProgramEvent) => void events.push(event);
  const context = { clock: systemClock, log: silentLog, signal, onEvent };
  return { code: await runChargerSimulator({ ...PROGRAM, ...options }, context), events };
}

test.concurrent("several chargers run in one process, each under its own name", async () => {
  await using csms = new StrictCsms();
  await csms.listen();
  const stop = new AbortController();
  const running = runProgram({ url: csms.url, count: 12 }, stop.signal);
  await waitFor("all of them to charge", () => csms.payloads("StartTransaction").length === 12);
  await waitFor("all of them to know", () => csms.payloads("MeterValues").length > 12);
  stop.abort();
  const { code, events } = await running;
  expect(code).toBe(0);
  const started = events.filter(({ event }) => event === "transactionStarted");
  expect(new Set(started.map(({ charger }) => charger))).toEqual(
    new Set(Array.from({ length: 12 }, (_, index) => `CP-1-${index + 1}`)),
  );
});

test.concurrent("the exit code says that all went well", async () => {
  await using csms = new StrictCsms();
  await csms.listen();
  expect((await runProgram({ url: csms.url, forMs: 1_000 })).code).toBe(0);
});

test.concurrent("the exit code says that the CSMS breaks the schema", async () => {
  await using csms = new StrictCsms();
  await csms.listen();
  csms.wrongAnswers.set("Authorize", { idTagInfo: { status: "Perhaps" } });
  const { code, events } = await runProgram({ url: csms.url, forMs: 1_000 });
  expect(code).toBe(1);
  expect(events).toContainEqual(expect.objectContaining({ event: "violation", by: "csms" }));
});

test.concurrent("the exit code says that the CSMS refuses the boot", async () => {
  await using csms = new StrictCsms();
  await csms.listen();
  const currentTime = new Date().toISOString();
  csms.answers.set("BootNotification", () => ({ status: "Rejected", currentTime, interval: 1 }));
  expect((await runProgram({ url: csms.url, forMs: 1_000 })).code).toBe(6);
});

test.concurrent("the exit code says that there is no CSMS", async () => {
  const { code, events } = await runProgram({ url: "ws://127.0.0.1:1/ocpp", forMs: 1_000 });
  expect(code).toBe(5);
  expect(events).toContainEqual(expect.objectContaining({ event: "dialFailed" }));
});

test.concurrent("an option that makes no sense is explained", async () => {
  const command = ["sim", "charger", "--url", "ws://127.0.0.1:1/ocpp", "--identity", "X"];
  for (const [options, explanation] of [
    [["--fault", "lazy"], /--fault: there is no fault "lazy"/],
    [["--max-a", "many"], /--max-a must be a number, got "many"/],
  ] as const) {
    const { code, stderr } = await run(...command, ...options);
    expect(stderr).toMatch(explanation);
    expect(code).toBe(2);
  }
});

test.each([
  ["slow", /slow needs a value: slow=SECONDS/],
  ["silent=yes", /silent takes no value/],
  ["partial=2", /"2" is not a number from 0 to 1/],
  ["rejects-purpose=all", /"all" is none of max, default, tx/],
  ["rejects-stack-level=1.5", /"1.5" is not a whole number/],
])("the fault %s is explained", (text, explanation) => {
  expect(() => withFaults(GOOD_BEHAVIOUR, [text])).toThrow(explanation);
});

const NAMES = FAULTS.flatMap(({ faults }) => faults.map(({ name }) => name));

test("each fault is in the help and in the README, and each way to misbehave has a fault", async () => {
  const { stdout } = await run("sim", "charger", "--help");
  const readme = await readFile(new URL("../../simulators/README.md", import.meta.url), "utf8");
  for (const name of NAMES) {
    expect(stdout).toMatch(new RegExp(`^  ${name}[ =[\\n]`, "m"));
    expect(readme).toContain(`\`${name}`);
  }
  const examples: Readonly<Record<string, string>> = {
    "rejects-stack-level": "2",
    "rejects-purpose": "tx",
    "rejects-kind": "absolute",
    partial: "0.5",
    reverts: "5",
    "foreign-profile": "10",
    composite: "empty",
    "clock-offset": "-60",
    slow: "2",
    reboots: "60",
    meter: "kilo",
    backlog: "60",
  };
  const set = new Set<string>();
  for (const name of NAMES) {
    const example = examples[name];
    const behaviour = withFaults(GOOD_BEHAVIOUR, [example === undefined ? name : `${name}=${example}`]);
    const changed = Object.entries(behaviour).filter(
      ([key, value]) => value !== GOOD_BEHAVIOUR[key as keyof typeof GOOD_BEHAVIOUR],
    );
    expect(changed).toHaveLength(1);
    for (const [key] of changed) set.add(key);
  }
  expect([...set].sort()).toEqual(Object.keys(GOOD_BEHAVIOUR).sort());
  for (const key of Object.keys(GOOD_BEHAVIOUR)) expect(readme).toContain(`\`${key}\``);
});

test("faults add up, and one that is given twice adds to its list", () => {
  const behaviour = withFaults(GOOD_BEHAVIOUR, ["meter=nan", "meter=kilo", "slow=1.5", "clock-offset=-60"]);
  expect(behaviour).toMatchObject({ meterFaults: ["nan", "kilo"], answerDelayMs: 1500, clockOffsetMs: -60_000 });
  expect(() => withFaults(GOOD_BEHAVIOUR, ["toString"])).toThrow(FaultError);
  expect(() => withFaults(GOOD_BEHAVIOUR, ["meter=toString"])).toThrow(FaultError);
});
